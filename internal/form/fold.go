package form

import (
	"bytes"
	"html"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is a text reduced to what survives copying, re-wrapping and
// re-typesetting: its letters and digits, in order, without case, accents,
// look-alikes, markup, punctuation and space. Because space does not count, a
// line break, a hyphenation and a word split by a scanner leave no trace.
type folded struct {
	text []rune
	at   []int64 // where each rune's source begins, in bytes
	end  []int64 // and where it ends
	word []bool  // whether something visible, or a space, was dropped before it
	gap  bool    // and since the last
	seen map[rune][]rune
}

// fold reduces b, whose first byte has the offset base.
func (t *folded) fold(b []byte, base int64, json bool) {
	for i := 0; i < len(b); {
		c := b[i]
		n := 1
		switch k := asciiKind[c]; {
		case k > 1: // a letter or digit, lower case
			t.put(rune(k), base+int64(i), 1)
		case k == 1: // it may open something that is not text
			t.gap = true
			n = t.special(b[i:], base+int64(i), json)
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				r = rune(c) // Latin-1, the commonest stranger
			}
			t.rune(r, base+int64(i), size)
			n = size
		default:
			t.gap = true
		}
		i += n
	}
}

func (t *folded) put(r rune, at int64, size int) {
	t.text = append(t.text, r)
	t.at = append(t.at, at)
	t.end = append(t.end, at+int64(size))
	t.word = append(t.word, t.gap)
	t.gap = false
}

// rune appends what is left of a character.
func (t *folded) rune(r rune, at int64, size int) {
	if r < utf8.RuneSelf {
		if k := asciiKind[r]; k > 1 {
			t.put(rune(k), at, size)
		} else {
			t.gap = true
		}
		return
	}
	if t.seen == nil {
		t.seen = map[rune][]rune{}
	}
	left, ok := t.seen[r]
	if !ok {
		left = foldRune(r)
		t.seen[r] = left
	}
	for _, l := range left {
		t.put(l, at, size)
	}
	if len(left) == 0 && (unicode.IsSpace(r) || unicode.IsPunct(r)) {
		t.gap = true
	}
}

func foldRune(r rune) (left []rune) {
	for _, d := range norm.NFKD.String(string(r)) {
		d = unicode.ToLower(d)
		if like, ok := lookAlikes[d]; ok {
			left = append(left, []rune(like)...)
		} else if unicode.IsLetter(d) || unicode.IsDigit(d) {
			left = append(left, d)
		}
	}
	return left
}

// special looks at markup that begins at b[0], appends what it stands for, and
// returns its length; 1 when it is not markup after all.
func (t *folded) special(b []byte, at int64, json bool) int {
	switch b[0] {
	case '<':
		return tagLength(b)
	case ']':
		return targetLength(b)
	case '&':
		if semi := bytes.IndexByte(b[:min(len(b), 12)], ';'); semi > 1 {
			entity := string(b[:semi+1])
			if s := html.UnescapeString(entity); s != entity {
				for _, r := range s {
					t.rune(r, at, len(entity))
				}
				return len(entity)
			}
		}
	case '\\':
		return t.escape(b, at, json)
	}
	return 1
}

// escape is a backslash. \uXXXX is read anywhere; that \n is not the letter n
// only in what looks like JSON, because elsewhere it may be a path.
func (t *folded) escape(b []byte, at int64, json bool) int {
	if len(b) < 2 {
		return 1
	}
	switch b[1] {
	case 'u':
		r, ok := hex4(b)
		if !ok {
			return 1
		}
		n := 6
		if utf16.IsSurrogate(r) && len(b) > 6 {
			if low, ok := hex4(b[6:]); ok {
				r, n = utf16.DecodeRune(r, low), 12
			}
		}
		t.rune(r, at, n)
		return n
	case '\\':
		return 2
	case 'n', 'r', 't', 'b', 'f':
		if json {
			return 2
		}
	}
	return 1
}

// hex4 reads \uXXXX at the head of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|32 >= 'a' && c|32 <= 'f':
			c = c | 32 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// markupMost is how far markup is followed; what goes on longer is text.
const markupMost = 1024

// tagLength is the length of the HTML tag at the head of b, 1 if there is none.
// Only known elements are tags: rules and code use < for other things.
func tagLength(b []byte) int {
	i := 1
	if i < len(b) && b[i] == '/' {
		i++
	}
	start := i
	for i < len(b) && i-start < 10 && asciiKind[b[i]] > 1 {
		i++
	}
	if !elements[string(bytes.ToLower(b[start:i]))] {
		return 1
	}
	for ; i < len(b) && i < markupMost; i++ {
		switch b[i] {
		case '>':
			return i + 1
		case '<':
			return 1
		}
	}
	return 1
}

// targetLength is the length of a Markdown link's target, "](…)", at the head
// of b, which a rendered page doesn't show; 1 if there is none.
func targetLength(b []byte) int {
	if len(b) < 2 || b[1] != '(' {
		return 1
	}
	for i := 2; i < len(b) && i < markupMost; i++ {
		switch b[i] {
		case ')':
			return i + 1
		case ']', '(', ' ', '\t', '\r', '\n':
			return 1
		}
	}
	return 1
}

// looksJSON says whether a text begins as a JSON object or list does.
func looksJSON(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return false
	}
	b = bytes.TrimLeft(b[1:], " \t\r\n")
	return len(b) > 0 && (b[0] == '"' || b[0] == '{' || b[0] == '[')
}

// foldBlock is how many bytes of a specimen are folded at a time.
const foldBlock = 1 << 19

// source folds a specimen block by block. UTF-16 with a byte-order mark is
// understood; anything else is taken for UTF-8, strangers in it for Latin-1.
type source struct {
	data []byte
	pos  int
	json bool
	high int // UTF-16: which of two bytes is the high one, plus 1
}

func newSource(b []byte) *source {
	switch {
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return &source{data: b, pos: 2, high: 1}
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return &source{data: b, pos: 2, high: 2}
	}
	return &source{data: b, json: looksJSON(b)}
}

// next appends the next block to t and reports whether there is more to come.
// Blocks end at a space where there is one, so as to cut no markup.
func (s *source) next(t *folded) bool {
	end := min(s.pos+foldBlock, len(s.data))
	if s.high > 0 {
		for s.pos+1 < end {
			r, n := s.utf16(s.pos), 2
			if utf16.IsSurrogate(r) && s.pos+3 < len(s.data) {
				r, n = utf16.DecodeRune(r, s.utf16(s.pos+2)), 4
			}
			t.rune(r, int64(s.pos), n)
			s.pos += n
		}
		return s.pos+1 < len(s.data)
	}
	if end < len(s.data) {
		if cut := bytes.LastIndexAny(s.data[end-markupMost:end], " \n"); cut > 0 {
			end -= markupMost - cut
		}
	}
	t.fold(s.data[s.pos:end], int64(s.pos), s.json)
	s.pos = end
	return end < len(s.data)
}

func (s *source) utf16(i int) rune {
	return rune(s.data[i+s.high-1])<<8 | rune(s.data[i+2-s.high])
}

// drop forgets the first n characters.
func (t *folded) drop(n int) {
	t.text = append(t.text[:0], t.text[n:]...)
	t.at = append(t.at[:0], t.at[n:]...)
	t.end = append(t.end[:0], t.end[n:]...)
	t.word = append(t.word[:0], t.word[n:]...)
}

// asciiKind is the lower-case form of a letter or digit, 1 for a byte that may
// open markup, 0 for what is dropped.
var asciiKind = func() (k [256]byte) {
	for c := '0'; c <= '9'; c++ {
		k[c] = byte(c)
	}
	for c := 'a'; c <= 'z'; c++ {
		k[c], k[c-'a'+'A'] = byte(c), byte(c)
	}
	for _, c := range `<&]\` {
		k[c] = 1
	}
	return k
}()

// lookAlikes are letters that a person or a scanner takes for others, and
// letters that are commonly written as two.
var lookAlikes = map[rune]string{
	'а': "a", 'в': "b", 'е': "e", 'к': "k", 'м': "m", 'н': "h", 'о': "o", 'р': "p", 'с': "c", 'т': "t", 'у': "y", 'х': "x",
	'і': "i", 'ј': "j", 'ѕ': "s", 'ԁ': "d", 'һ': "h", 'ԛ': "q", 'ԝ': "w",
	'α': "a", 'ε': "e", 'ι': "i", 'κ': "k", 'ν': "v", 'ο': "o", 'ρ': "p", 'τ': "t", 'υ': "u", 'χ': "x",
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'ı': "i", 'þ': "th", 'ɡ': "g", 'ſ': "s",
}

// elements are the HTML elements whose tags are dropped.
var elements = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range bytes.Fields([]byte(`a abbr address article aside b big blockquote body br button caption center cite code col
		colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd label
		li link main mark meta nav ol p pre q s samp script section small span strike strong style sub summary sup svg table tbody td
		tfoot th thead time title tr tt u ul var wbr`)) {
		m[string(name)] = true
	}
	return m
}()
