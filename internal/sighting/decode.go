package sighting

import (
	"bytes"
	"sort"
	"unicode/utf16"
	"unicode/utf8"
)

// layer is a text with one kind of encoding undone, and the way back to the
// text below it. Between two escapes the two run in step, so only the escapes
// are remembered.
type layer struct {
	text  []byte
	marks []mark
}

// mark says that text[out:out+wide] was written as below[in:in+long].
type mark struct{ out, in, wide, long int32 }

func (l *layer) reset() { l.text, l.marks = l.text[:0], l.marks[:0] }

// below maps a range of text to the range that was written for it.
func (l *layer) below(from, to int) (int, int) {
	a := from
	if m, ok := l.at(from); ok {
		if o := from - int(m.out); o < int(m.wide) {
			a = int(m.in)
		} else {
			a = int(m.in+m.long) + o - int(m.wide)
		}
	}
	b := to
	if m, ok := l.at(to - 1); ok {
		if o := to - int(m.out); o <= int(m.wide) {
			b = int(m.in + m.long)
		} else {
			b = int(m.in+m.long) + o - int(m.wide)
		}
	}
	return a, b
}

// at is the last mark at or before a position.
func (l *layer) at(pos int) (mark, bool) {
	i := sort.Search(len(l.marks), func(i int) bool { return int(l.marks[i].out) > pos })
	if i == 0 {
		return mark{}, false
	}
	return l.marks[i-1], true
}

func (l *layer) put(r rune, raw bool, in, long int) {
	out := len(l.text)
	if raw {
		l.text = append(l.text, byte(r))
	} else {
		l.text = utf8.AppendRune(l.text, r)
	}
	l.marks = append(l.marks, mark{int32(out), int32(in), int32(len(l.text) - out), int32(long)})
}

// unescape undoes one kind of encoding into l and reports whether there was
// any. lead is the byte its escapes begin with; what begins with it and is no
// escape stays as it is.
func (l *layer) unescape(b []byte, lead byte, escape func(b []byte) (r rune, raw bool, n int)) bool {
	l.reset()
	for i := 0; i < len(b); {
		j := bytes.IndexByte(b[i:], lead)
		if j < 0 {
			l.text = append(l.text, b[i:]...)
			break
		}
		l.text = append(l.text, b[i:i+j]...)
		i += j
		if r, raw, n := escape(b[i:]); n > 0 {
			l.put(r, raw, i, n)
			i += n
		} else {
			l.text = append(l.text, lead)
			i++
		}
	}
	return len(l.marks) > 0
}

// jsonEscape reads one escape of a JSON string (RFC 8259 section 7).
func jsonEscape(b []byte) (rune, bool, int) {
	if len(b) < 2 {
		return 0, false, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return rune(c), true, 2
	case 'b':
		return '\b', true, 2
	case 'f':
		return '\f', true, 2
	case 'n':
		return '\n', true, 2
	case 'r':
		return '\r', true, 2
	case 't':
		return '\t', true, 2
	case 'u':
		r, ok := hex4(b[2:])
		if !ok {
			return 0, false, 0
		}
		if utf16.IsSurrogate(r) {
			if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
				if low, ok := hex4(b[8:]); ok {
					if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
						return pair, false, 12
					}
				}
			}
			r = utf8.RuneError
		}
		return r, false, 6
	}
	return 0, false, 0
}

// percentEscape reads %41 (RFC 3986 section 2.1), and %u0041, which IIS
// understands too.
func percentEscape(b []byte) (rune, bool, int) {
	if len(b) >= 3 {
		if h, l := unhex(b[1]), unhex(b[2]); h >= 0 && l >= 0 {
			return rune(h<<4 | l), true, 3
		}
		if b[1]|0x20 == 'u' {
			if r, ok := hex4(b[2:]); ok {
				return r, false, 6
			}
		}
	}
	return 0, false, 0
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

// layers undoes a line's encodings, outermost first: JSON, percent, and
// percent again.
type layers struct {
	all  [3]layer
	kept [3]*layer
	kind [3]Encoding
	n    int
}

var encodings = [3]struct {
	bit    Encoding
	lead   byte
	escape func([]byte) (rune, bool, int)
}{{JSON, '\\', jsonEscape}, {Percent, '%', percentEscape}, {Twice, '%', percentEscape}}

// undo peels the line and calls visit with each text that differs from the one
// before. The texts are valid until the next undo.
func (ls *layers) undo(line []byte, visit func(text []byte)) {
	ls.n = 0
	text := line
	for i, e := range encodings {
		if e.bit == Twice && (ls.n == 0 || ls.kind[ls.n-1] != Percent) {
			continue // nothing was percent-encoded once
		}
		if l := &ls.all[i]; l.unescape(text, e.lead, e.escape) {
			ls.kept[ls.n], ls.kind[ls.n] = l, e.bit
			ls.n++
			text = l.text
			visit(text)
		}
	}
}

// below maps a range of the text visited last to the line, and says what it
// was seen through: the encodings that touch it or stand right beside it.
func (ls *layers) below(from, to int) (a, b int, through Encoding) {
	a, b = from, to
	for i := ls.n - 1; i >= 0; i-- {
		l := ls.kept[i]
		if m, ok := l.at(b); ok && int(m.out+m.wide) >= a {
			through |= ls.kind[i]
		}
		a, b = l.below(a, b)
	}
	return a, b, through
}
