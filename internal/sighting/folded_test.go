package sighting

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// A letter may be longer in telemetry than folded: ẞ of three bytes is ß of two, and
// the sign of Ohm is ω. Long words of a text are found so written too.
func TestLettersThatShrinkWhenFolded(t *testing.T) {
	for _, text := range []string{
		"\u1e9e\u1e9e\u1e9e1 \u1e9e\u1e9e\u1e9e2 \u1e9e\u1e9e\u1e9e3 \u1e9e\u1e9e\u1e9e4 \u1e9e\u1e9e\u1e9e5 \u1e9e\u1e9e\u1e9e6 \u1e9e\u1e9e\u1e9e7 \u1e9e\u1e9e\u1e9e8 \u1e9e\u1e9e\u1e9e9 \u1e9e\u1e9e\u1e9e0 \u1e9e\u1e9e\u1e9e1 \u1e9e\u1e9e\u1e9e2",
		"\u2126\u2126\u2126\u2126 two \u2126\u2126\u2126\u2126 three \u2126\u2126\u2126\u2126 four \u2126\u2126\u2126\u2126 five \u2126\u2126\u2126\u2126 six \u2126\u2126\u2126\u2126 seven",
	} {
		s := &Scanner{Texts: []Text{{Ref: "a", Parts: []Part{{Alternatives: [][]byte{[]byte(text)}}}}}}
		for _, text := range []string{text, strings.ToLower(text)} {
			if got, _ := scan(t, s, strings.NewReader("> "+text+".\n")); len(got) != 1 || got[0].Len != len(text) {
				t.Errorf("%q: %+v", text, got)
			}
		}
	}
}

func TestMostBytes(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if f := folded(r); letter(r) && (r < utf8.RuneSelf || f >= utf8.RuneSelf) && utf8.RuneLen(r) > mostBytes(string(f)) {
			t.Errorf("%q has more bytes than %q", r, f)
		}
	}
}
