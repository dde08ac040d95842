package sighting

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"GET /a?b=c":                   "GET /a?b=c",
		"\x1b]0;owned\x07\x1b[2J":      "<1B>]0;owned<07><1B>[2J",
		"a\r\nINFO forged line":        "a<0D><0A>INFO forged line",
		"\x00\x7f\xff\xc3":             "<00><7F><FF><C3>",
		"exe.\u202efdp":                "exe.<U+202E>fdp",
		"\u2066\u2069\u200e\u061c":     "<U+2066><U+2069><U+200E><U+061C>",
		"z\u200bero\ufeff\u2060":       "z<U+200B>ero<U+FEFF><U+2060>",
		"a\u2028b\u0085\u009b31m":      "a<U+2028>b<U+0085><U+009B>31m",
		"e\u0301":                      "e<U+0301>",
		"Zürich 東京 ok":                 "Zürich 東京 ok",
		"\u3164\u115f\U000e0041\ufe0f": "<U+3164><U+115F><U+E0041><U+FE0F>",
		"\ufffd":                       "\ufffd",
	} {
		if got := Printable([]byte(in)); got != want {
			t.Errorf("%+q: got %+q, want %+q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add([]byte("\x1b[31m\u202e\xff\x00e\u0301"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Printable(b)
		if !utf8.ValidString(s) {
			t.Fatal("not UTF-8")
		}
		if i := strings.IndexFunc(s, func(r rune) bool {
			return !unicode.IsPrint(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Mn, unicode.Me)
		}); i >= 0 {
			t.Fatalf("%+q was let through", s[i:])
		}
	})
}
