package sighting

import (
	"bytes"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// leads are the bytes that escapes begin with.
const leads = `\%&`

// longestEscape is an HTML reference: 32 bytes behind the ampersand.
const longestEscape = 33

// escape reads the escape that b begins with and appends what it stands for to
// dst. n is how many bytes of b it takes, 0 if there is none.
func escape(dst, b []byte) (_ []byte, n int) {
	switch b[0] {
	case '\\':
		return backslash(dst, b)
	case '%':
		return percent(dst, b)
	}
	return reference(dst, b)
}

// kindOf names the escape that stands at b.
func kindOf(b []byte) Encoding {
	switch {
	case b[0] == '%':
		return Percent
	case b[0] == '&':
		return Entity
	case len(b) > 1 && b[1] == 'x':
		return Hex
	}
	return JSON
}

// Escapes of one character behind a backslash: those of a JSON string (RFC 8259
// section 7), \v, which Apache writes as well, and \] of syslog's structured
// data (RFC 5424 section 6.3.3).
const (
	shortNames  = `"\/bfnrtv]`
	shortValues = "\"\\/\b\f\n\r\t\v]"
)

// backslash reads one of them, \u0041, or \x41 as Apache, nginx and Zeek write
// it.
func backslash(dst, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return dst, 0
	}
	if i := strings.IndexByte(shortNames, b[1]); i >= 0 {
		return append(dst, shortValues[i]), 2
	}
	switch b[1] {
	case 'x':
		if len(b) >= 4 {
			if h, l := unhex(b[2]), unhex(b[3]); h >= 0 && l >= 0 {
				return append(dst, byte(h<<4|l)), 4
			}
		}
	case 'u':
		r, ok := hex4(b[2:])
		if !ok {
			break
		}
		if utf16.IsSurrogate(r) {
			if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
				if low, ok := hex4(b[8:]); ok {
					if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
						return utf8.AppendRune(dst, pair), 12
					}
				}
			}
			r = utf8.RuneError
		}
		return utf8.AppendRune(dst, r), 6
	}
	return dst, 0
}

// percent reads %41 (RFC 3986 section 2.1), and %u0041, which IIS understands
// too.
func percent(dst, b []byte) ([]byte, int) {
	if len(b) >= 3 {
		if h, l := unhex(b[1]), unhex(b[2]); h >= 0 && l >= 0 {
			return append(dst, byte(h<<4|l)), 3
		}
		if b[1]|0x20 == 'u' {
			if r, ok := hex4(b[2:]); ok {
				return utf8.AppendRune(dst, r), 6
			}
		}
	}
	return dst, 0
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		d := unhex(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// reference reads an HTML character reference, named or numeric, by the rules
// for attributes, in which links stand (WHATWG HTML section 13.2.5.73): a name
// without its semicolon counts only if neither a letter, a digit nor an equals
// sign follows it. So &copy=1 of a query stays what it is.
func reference(dst, b []byte) ([]byte, int) {
	n := referenceLen(b)
	if n == 0 || waits(b, n) {
		return dst, 0
	}
	text := html.UnescapeString(string(b[:n]))
	// A name that is none may begin with one that is: &notit; gives ¬it;
	switch {
	case text == string(b[:n]):
		return dst, 0
	case b[1] == '#':
	case b[n-1] == ';' && strings.HasSuffix(text, ";") && string(b[:n]) != "&semi;",
		b[n-1] != ';' && utf8.RuneCountInString(text) != 1:
		return dst, 0
	}
	return append(dst, text...), n
}

// waits reports whether the semicolon of the reference b[:n] may itself be
// escaped: &#65%3b is undone when that is.
func waits(b []byte, n int) bool {
	if n == 0 || b[n-1] == ';' || n == len(b) || b[n] != '\\' && b[n] != '%' {
		return false
	}
	var room [8]byte
	_, m := escape(room[:0], b[n:])
	return m > 0
}

// referenceLen is the length of what has a reference's form, 0 if nothing has.
func referenceLen(b []byte) int {
	b = b[:min(len(b), longestEscape)]
	i, in := 1, word
	if bytes.HasPrefix(b, []byte("&#")) {
		if i, in = 2, digit; len(b) > 2 && b[2]|0x20 == 'x' {
			i, in = 3, func(c byte) bool { return unhex(c) >= 0 }
		}
	}
	from := i
	for i < len(b) && in(b[i]) {
		i++
	}
	switch {
	case i == from:
		return 0
	case i < len(b) && b[i] == ';':
		return i + 1
	case b[1] != '#' && i < len(b) && b[i] == '=', i == longestEscape:
		return 0
	}
	return i
}

func digit(c byte) bool { return c-'0' <= 9 }

// entity reports whether b begins with a reference.
func entity(b []byte) bool {
	var room [8]byte
	_, n := reference(room[:0], b)
	return n > 0
}
