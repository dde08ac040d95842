package carrier

import (
	"slices"
	"strings"
	"testing"

	"forewarn/internal/token"
)

// shape writes pieces so that a table can hold them.
func shape(pieces []inline) string {
	var out []string
	for _, p := range pieces {
		switch {
		case p.alts != nil:
			out = append(out, "<"+p.name+":"+strings.Join(p.alts, "|")+">")
		case p.alpha != 0:
			out = append(out, "<"+p.alpha.String()+"#"+p.name+">")
		default:
			out = append(out, p.literal)
		}
	}
	return strings.Join(out, "·")
}

func TestParseInline(t *testing.T) {
	for _, c := range []struct {
		text, pieces string
		wrong        []string // beginnings of what is refused
	}{
		{text: "", pieces: ""},
		{text: "plain", pieces: "plain"},
		{text: "a {{quickly|fast}} b", pieces: "a ·<:quickly|fast>· b"},
		{text: "{{a|b|c|d}}", pieces: "<:a|b|c|d>"},
		{text: "{{#tone quick|fast}}", pieces: "<tone:quick|fast>"},
		{text: "{{token:hex}}{{token:uuid#b}}", pieces: "<hex#>·<uuid#b>"},
		{text: "x {{{{ y }} z", pieces: "x ·{{· y }} z"},
		{text: "{{{{a|b}}", pieces: "{{·a|b}}"},
		{text: "{single} } {", pieces: "{single} } {"},
		{text: "{{a|b}}}}", pieces: "<:a|b>·}}"},
		{text: "{{a|b}}\n{{c|d}}", pieces: "<:a|b>·\n·<:c|d>"},
		{text: "{{a b}}", wrong: []string{`"a b" has one alternative`}},
		{text: "{{}}", wrong: []string{`"" has one alternative`}},
		{text: "{{a|b|c|d|e}}", wrong: []string{"5 alternatives"}},
		{text: "{{a|b\nc}}", wrong: []string{"a mark is opened and not closed"}, pieces: "a|b\nc}}"},
		{text: "{{a|{b}}", wrong: []string{"braces inside a mark"}},
		{text: "{{{a|b}}", wrong: []string{"braces inside a mark"}},
		{text: "{{a|{{b|c}}", wrong: []string{"braces inside a mark"}},
		{text: "{{#a|b}}", wrong: []string{`"a|b" isn't a choice's name`}},
		{text: "{{#a$ b|c}}", wrong: []string{`"a$" isn't a choice's name`}},
		{text: "{{token:octal}}", wrong: []string{`"octal" is not a token alphabet`}},
		{text: "{{token:hex#a b}}", wrong: []string{`"a b" isn't a token's name`}},
		{text: "{{token:hex#auto.1}}", wrong: []string{`"auto.1" isn't a token's name`}},
		{text: "{{token:hex#}}", wrong: []string{`"" isn't a token's name`}},
		{text: "ends {{", wrong: []string{"a mark is opened and not closed"}, pieces: "ends "},
	} {
		var wrong []string
		got := parseInline(c.text, 0, len(c.text), func(_ int, what, do string) {
			if do == "" {
				t.Errorf("%q: %s: nothing to do", c.text, what)
			}
			wrong = append(wrong, what)
		})
		if s := shape(got); s != c.pieces {
			t.Errorf("%q: pieces %q, want %q", c.text, s, c.pieces)
		}
		if len(wrong) != len(c.wrong) || len(wrong) > 0 && !strings.HasPrefix(wrong[0], c.wrong[0]) {
			t.Errorf("%q: refused %q, want %q", c.text, wrong, c.wrong)
		}
	}
}

// Whatever the text, what isn't refused can be put together again from where
// the pieces say they stand.
func FuzzInline(f *testing.F) {
	for _, s := range []string{"a {{b|c}} d", "{{#n b|c|d}}{{{{", "{{token:hex#x}}\n{{", "{{{{{{a|b}}}}", "{{token:uuid}} }}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		refused := false
		pieces := parseInline(text, 0, len(text), func(at int, what, do string) {
			refused = true
			if at < 0 || at > len(text) {
				t.Fatalf("refused at %d of %d", at, len(text))
			}
		})
		at, rest := 0, ""
		for _, p := range pieces {
			if p.at < at || p.end <= p.at || p.end > len(text) {
				t.Fatalf("piece %d–%d after %d of %d", p.at, p.end, at, len(text))
			}
			if !refused && p.at != at {
				t.Fatalf("%d–%d is in no piece", at, p.at)
			}
			at = p.end
			source := text[p.at:p.end]
			rest += source
			switch {
			case p.alpha != 0:
				name := ""
				if p.name != "" {
					name = "#" + p.name
				}
				if source != "{{token:"+p.alpha.String()+name+"}}" {
					t.Fatalf("%q read as a token", source)
				}
			case p.alts != nil:
				if len(p.alts) < 2 || len(p.alts) > 4 || !strings.HasSuffix(source, strings.Join(p.alts, "|")+"}}") {
					t.Fatalf("%q read as a choice of %q", source, p.alts)
				}
				for i, a := range p.altsAt {
					if !strings.HasPrefix(text[a:], p.alts[i]) {
						t.Fatalf("alternative %d of %q isn't at %d", i, source, a)
					}
				}
			case source != p.literal && source != escaped:
				t.Fatalf("%q read as %q", source, p.literal)
			}
		}
		if !refused && rest != text {
			t.Fatalf("pieces give %q of %q", rest, text)
		}
	})
}

func TestValidNames(t *testing.T) {
	for name, want := range map[string]bool{"a": true, "A-1_b.c": true, "": false, "a b": false, "ä": false, strings.Repeat("a", 41): false} {
		if validName(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
	if !slices.Equal([]int{token.Hex.Len(), token.UUID.Len(), token.Base62.Len()}, []int{len(tokenVariants[token.Hex][0]), len(tokenVariants[token.UUID][0]), len(tokenVariants[token.Base62][0])}) {
		t.Error("the tokens that variants are made with have other lengths than real ones")
	}
	for a, texts := range tokenVariants {
		for _, s := range texts {
			if len(s) != a.Len() {
				t.Errorf("%v: %q has %d bytes, not %d", a, s, len(s), a.Len())
			}
		}
	}
}
