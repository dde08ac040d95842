package sighting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUndo(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`a\u0041\/b`, "aA/b"},
		{`\ud83d\ude00 \ud83d \"\\\b\f\n\r\t`, "😀 � \"\\\b\f\n\r\t"},
		{`\u00e9`, "é"},
		{`100% %4 %zz \x4 \u12 \`, `100% %4 %zz \x4 \u12 \`},
		{`\x41\x2e \]`, "A. ]"},
		{"&amp;&#39;&#x27;&lt &eacute;&NotEqualTilde;", "&''< é\u2242\u0338"},
		{"/a?x=1&copy=2&amp=3&notit;&nosuch;", "/a?x=1&copy=2&amp=3&notit;&nosuch;"},
		{"%26amp;%23x41;", "A"},
		{"%41%62%2f", "Ab/"},
		{"%u0041%uD83D%U0042", "A\ufffdB"},
		{"%2541", "A"},
		{"%25252541", "A"},
		{"%2525252525252541", "%252541"}, // deeper is not followed
		{`\u0025\u0034\u0031`, "A"},
		{`%5cu0041`, "A"},
		{"%FF%00", "\xff\x00"},
		{"%", "%"},
	} {
		got := c.in
		var ls layers
		ls.dig([]byte(c.in), func(b []byte) { got = string(b) })
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// written writes s in one of the ways that are seen through.
func written(t *rapid.T, s string) string {
	escape := func(s, format string, always byte) string {
		var out strings.Builder
		for i := range len(s) {
			if s[i] == always || rapid.Bool().Draw(t, "escape") {
				fmt.Fprintf(&out, format, s[i])
			} else {
				out.WriteByte(s[i])
			}
		}
		return out.String()
	}
	if rapid.Bool().Draw(t, "percent") {
		s = escape(s, "%%%02x", 0)
		if rapid.Bool().Draw(t, "twice") {
			s = escape(s, "%%%02X", '%')
		}
	}
	if rapid.Bool().Draw(t, "json") {
		s = escape(s, `\u%04x`, 0)
	}
	return s
}

// A range of decoded text maps back to exactly the bytes that were written for
// it, through all layers.
func TestBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z]{1,8}`)
		parts := []string{word.Draw(t, "before"), word.Draw(t, "within"), word.Draw(t, "after")}
		inner := strings.Join(parts, "")
		for i := range parts {
			parts[i] = written(t, parts[i])
		}
		line := []byte(strings.Join(parts, ""))
		var ls layers
		text := line
		ls.dig(line, func(inside []byte) {
			if text = inside; string(text) != inner {
				return
			}
			a, b, _ := ls.below(0, len(inner))
			if a != 0 || b != len(line) {
				t.Fatalf("all of %q maps to %d-%d", line, a, b)
			}
			for i := range inner {
				a, b, _ := ls.below(i, i+1)
				var one layers
				alone := line[a:b]
				one.dig(line[a:b], func(x []byte) { alone = x })
				if string(alone) != inner[i:i+1] {
					t.Fatalf("%q stands for %q at %d of %q", line[a:b], inner[i:i+1], i, line)
				}
			}
		})
		if string(text) != inner {
			t.Fatalf("%q became %q, not %q", line, text, inner)
		}
	})
}

// What encoding/json and net/url undo, we undo alike.
func FuzzUndo(f *testing.F) {
	for _, s := range []string{`a\u0041`, `\ud83d\ude00`, "%41%2541", `\u0025\u0034\u0031`, `%u0041`, `\\\\\"`, "%%%", "\xff%ff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var l layer
		var want string
		if json.Unmarshal([]byte(`"`+string(b)+`"`), &want) == nil {
			got := append([]byte{}, b...)
			if l.unescape(b, `\`) {
				got = l.text
			}
			if w := string(bytes.ToValidUTF8([]byte(want), []byte("\ufffd"))); string(bytes.ToValidUTF8(got, []byte("\ufffd"))) != w && bytes.Equal(b, bytes.ToValidUTF8(b, nil)) {
				t.Fatalf("%q: JSON is %q, got %q", b, w, got)
			}
		}
		if want, err := url.PathUnescape(string(b)); err == nil {
			got := b
			if l.unescape(b, "%") {
				got = l.text
			}
			if string(got) != want {
				t.Fatalf("%q: percent is %q, got %q", b, want, got)
			}
		}
		var ls layers
		ls.dig(b, func(text []byte) {
			a, z, through := ls.below(0, len(text))
			if through&Base64 == 0 && (a != 0 || z != len(b)) {
				t.Fatalf("%q: all of %q maps to %d-%d of %d", b, text, a, z, len(b))
			}
			last := 0
			for i := range text {
				a, z, _ := ls.below(i, i+1)
				if a < last || z <= a || z > len(b) {
					t.Fatalf("%q: byte %d of %q maps to %d-%d after %d", b, i, text, a, z, last)
				}
				last = a
			}
		})
	})
}
