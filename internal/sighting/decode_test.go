package sighting

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"forewarn/internal/token"
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
		{`&#65\u003b&#66%20`, "AB "},
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
	} else if rapid.Bool().Draw(t, "html") {
		s = escape(s, rapid.SampledFrom([]string{"&#%d;", "&#x%x;"}).Draw(t, "form"), 0)
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
		if bytes.IndexByte(b, '\n') >= 0 {
			return // lines are undone apart
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

// A reference that ends in its semicolon means what package html says; one
// without it does too, unless the rules for attributes let it stand.
func FuzzReference(f *testing.F) {
	for _, s := range []string{"&amp;&#39;&#x27;&eacute;&NotEqualTilde;", "&notit;&nosuch;&;&#;&#x;", "&#0;&#128;&#xd800;&#x110000;", "a&lt b&gt", "&semi;&amp;amp;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i := range len(s) {
			if s[i] != '&' {
				continue
			}
			switch n := referenceLen([]byte(s[i:])); {
			case n == 0 && i+1 < len(s) && (word(s[i+1]) || s[i+1] == '#'):
				return // too long, or before an equals sign
			case n > 0 && s[i+n-1] != ';' && i+n < len(s) && !strings.ContainsAny(s[i+n:i+n+1], " \t<>"):
				return
			case n > 0 && !entity([]byte(s[i:i+n])) && html.UnescapeString(s[i:i+n]) != s[i:i+n]:
				return // begins with a name
			}
		}
		var l layer
		got := s
		if l.unescape([]byte(s), "&") {
			got = string(l.text)
		}
		if want := html.UnescapeString(s); got != want {
			t.Fatalf("%q is %q, got %q", s, want, got)
		}
	})
}

// What base64 hides is seen at the bytes that hold it: in both alphabets, in
// any alignment, whatever stands around it, and what is encoded within as well.
func TestBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tok := token.Base62.Encode(rec, rapid.Uint64().Draw(t, "L"))
		inner := written(t, tok)
		text := rapid.StringMatching(`[ -~]{0,20}[ /?=>]`).Draw(t, "before") + inner + rapid.StringMatching(`[ "&<][ -~]{0,20}`).Draw(t, "after")
		if rapid.Bool().Draw(t, "binary") {
			text = "\x00\xff\x12\x80" + text + "\xfe\x00\x01"
		}
		enc := rapid.SampledFrom([]*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}).Draw(t, "encoding")
		coded := enc.EncodeToString([]byte(text))
		head := rapid.SampledFrom([]string{"", "/", "/a", "x/-", "abc+", `{"payload":"`, "data:text/html;base64,", "?q=%20"}).Draw(t, "head")
		outer := rapid.IntRange(0, 3).Draw(t, "outer")
		line := head + coded + `"`
		switch outer {
		case 1:
			line = strings.NewReplacer("/", `\/`, "A", `\u0041`).Replace(line)
		case 2:
			line = strings.NewReplacer("+", "%2B", "/", "%2f", "=", "%3D").Replace(line)
		case 3:
			line = strings.NewReplacer("=", "&#61;", "/", "&sol;", "R", `\x52`).Replace(line)
		}
		var got []Sighting
		if _, err := (&Scanner{Rec: rec}).Scan("", strings.NewReader(line), func(s Sighting) error { got = append(got, s); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].What.Token.Alphabet != token.Base62 || got[0].Through&Base64 == 0 {
			t.Fatalf("%q (%q): %+v", line, text, got)
		}
		seen := line[got[0].Offset:][:got[0].Len]
		if outer == 0 {
			at := strings.Index(text, inner)
			if want := coded[at*4/3 : ((at+len(inner))*4+2)/3]; seen != want {
				t.Fatalf("%q (%q): seen in %q, not in %q", line, text, seen, want)
			}
		}
	})
}

// A packet in an EVE record is other bytes and text.
func TestEVEPacket(t *testing.T) {
	tok := token.Hex.Encode(rec, 7)
	packet := "\x00\x1b\x21\xff\x80\x08\x00E\x00GET /a?b=" + tok + " HTTP/1.1\r\nHost: c2.example\r\n\r\n\xff\x00"
	for _, coded := range []string{base64.StdEncoding.EncodeToString([]byte(packet)), strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(packet)), "/", `\/`)} {
		log := `{"timestamp":"2025-07-07T12:00:00.000000+0000","event_type":"alert","packet":"` + coded + `","stream":0}` + "\n"
		got, sum := scan(t, &Scanner{Rec: rec, Indicators: []Indicator{{Host, "c2.example", ""}}}, strings.NewReader(log))
		if len(got) != 2 || sum.Format != EVE || sum.BadLines != 0 {
			t.Fatalf("%+v, %+v", got, sum)
		}
		for _, s := range got {
			if s.Field != "packet" || s.Basis != Stated || s.Through&Base64 == 0 {
				t.Errorf("%+v", s)
			}
		}
	}
}

func TestNested(t *testing.T) {
	tok := token.UUID.Encode(rec, 7)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	percent := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "-", "%2d") }
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	hex := func(s string) string { return strings.ReplaceAll(s, "-", `\x2d`) }
	for _, c := range []struct {
		text string
		want string
	}{
		{quote(percent(b64("a=" + percent(tok) + " "))), "in base64 and percent-encoded"}, // of the outer one, only %3D is left
		{strings.ReplaceAll(b64("a="+percent(tok)+" "), "Y", "%59"), "in base64 and percent-encoded twice"},
		{b64(b64(b64("so it goes: " + tok + "."))), "in base64"},
		{quote(quote(quote("\n" + tok))), "JSON-escaped"},
		{percent(percent(percent(percent(percent(tok))))), "percent-encoded twice"},
		{percent(percent(percent(percent(percent(percent(tok)))))), ""},
		{hex(tok), "hex-escaped"},
		{html.EscapeString("<" + html.EscapeString("<"+strings.ReplaceAll(tok, "-", "&#45;"))), "HTML-escaped"},
		{strings.ReplaceAll(percent(tok), "%", "&#37;"), "percent-encoded and HTML-escaped"},
	} {
		got, _ := scan(t, &Scanner{Rec: rec}, strings.NewReader(c.text))
		through := ""
		if len(got) > 0 {
			through = got[0].Through.String()
		}
		if through != c.want {
			t.Errorf("%s: seen through %q, want %q", c.text, through, c.want)
		}
	}
}

// However encodings are mixed, work stays in proportion to the line.
func TestDecodingIsBounded(t *testing.T) {
	word := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	const n = 1 << 18
	for name, s := range map[string]string{
		"text in every alignment":   word("ISEh", n),
		"base64 of itself":          b64(b64(b64(b64(word("ISEh", n/3))))),
		"percents":                  word("%25", n),
		"percents of percents":      word("%252525252541", n),
		"all at once":               word(`%2526amp;\x5cu0025&#37;41ISEhISEhISEhISEhISEhISEh%2B`, n),
		"ampersands":                word("&", n),
		"names that are none":       word("&abcdefghijklmnopqrstuvwxyz;", n),
		"runs parted by slashes":    word("IHRoaXMgaXMgc29tZSB0ZXh0Cg/", n),
		"runs that aren't quite":    word("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.", n),
		"backslashes":               word(`\`, n),
		"quotes behind backslashes": `192.0.2.1 - - [07/Jul/2025:12:00:00 +0200] ` + word(`\"`, n),
	} {
		for _, alone := range []bool{false, true} {
			ls := layers{alone: alone}
			seen := 0
			scanner, bottom := token.NewScanner(nil, token.Plain, ls.run), token.NewScanner(nil, asWritten, ls.write)
			ls.dig([]byte(s), func(text []byte) {
				seen += len(text)
				if alone && ls.depth == 0 {
					bottom.Scan(text, nil)
				} else {
					scanner.Scan(text, nil)
				}
			})
			// Each encoded stretch may be undone as part of its line and as a run of
			// base64: twice growth, and the text itself.
			if most := (2*growth + 1) * len(s); seen > most {
				t.Errorf("%s, tokens alone %v: %d bytes were searched for %d", name, alone, seen, len(s))
			}
		}
	}
}

// Where nothing else is looked for, tokens are looked for in another way. It
// sees the same; of escapes that stand beside a token it may tell less.
func TestTokensAloneAreSeenAsBesideOthers(t *testing.T) {
	beside := &Scanner{Rec: rec, Indicators: []Indicator{{Constant, "\x02nowhere\x02", ""}}}
	alone := &Scanner{Rec: rec}
	pick := func(t *rapid.T, s ...string) string { return rapid.SampledFrom(s).Draw(t, "of") }
	rapid.Check(t, func(t *rapid.T) {
		var line strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "pieces") {
			s := token.Alphabet(rapid.IntRange(1, 3).Draw(t, "alphabet")).Encode(rec, rapid.Uint64().Draw(t, "L"))
			for range rapid.IntRange(0, 3).Draw(t, "depth") {
				s = pick(t, "", "", "a", "-", "/", " ", "=", "%", "%2", "&", "&copy", `\`, `\u00`, `\"`, "some of it ", "#", ";") + s
				s += pick(t, "", "", "z", "-", "/", " ", "=", "%", "&amp", ";", "=1", `\`, `\"`, "\x00\xff", " and more of it")
				switch rapid.IntRange(0, 7).Draw(t, "encoding") {
				case 0:
					s = base64.StdEncoding.EncodeToString([]byte(s))
				case 1:
					s = base64.RawURLEncoding.EncodeToString([]byte(s))
				case 2:
					s = url.QueryEscape(s)
				case 3:
					s = strings.NewReplacer("/", `\/`, "A", `\u0041`, "=", `\u003d`, `"`, `\"`).Replace(s)
				case 4:
					s = strings.NewReplacer("+", "%2B", "/", "%2f", "-", "%2d", "B", "%u0042").Replace(s)
				case 5:
					s = html.EscapeString(strings.NewReplacer("1", "&#49;", "c", "&#x63", "/", "&sol;", "R", `\x52`).Replace(s))
				default:
					s = written(t, s)
				}
			}
			line.WriteString(s + pick(t, "", " ", `"`, "&", "\n", "/", ".", "&x=", strings.Repeat(".", 200)))
		}
		see := func(s *Scanner) (all []Sighting) {
			if _, err := s.Scan("", strings.NewReader(line.String()), func(x Sighting) error {
				x.Through, x.Excerpt = 0, nil
				all = append(all, x)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return all
		}
		got, want := see(alone), see(beside)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%q:\n%+v, beside others\n%+v", line.String(), got, want)
		}
	})
}
