package carrier

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// What people do to a text without meaning to hide anything.
var handling = []struct {
	name string
	do   func(string) string
}{
	{"pasted", func(s string) string { return s }},
	{"wrapped anew", func(s string) string { return wrap(s, 47) }},
	{"retyped without punctuation or case", func(s string) string {
		return wrap(strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r) {
				return unicode.ToLower(r)
			}
			return ' '
		}, s), 70)
	}},
	{"typeset", strings.NewReplacer(" - ", " – ", "\"", "”", "'", "’", "fi", "ﬁ", ", ", ",\u00a0").Replace},
	{"every 40th letter misread", func(s string) string {
		b := []byte(s)
		for i := 39; i < len(b); i += 40 {
			if b[i] >= 'a' && b[i] <= 'z' {
				b[i] = 'q'
			}
		}
		return string(b)
	}},
}

func wrap(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, w := range strings.Fields(s) {
		if n += len(w) + 1; n > width {
			b.WriteByte('\n')
			n = len(w)
		}
		b.WriteString(w + " ")
	}
	return b.String()
}

// Values, facts and examples are read from handled copies: all of them where
// letters and digits are left alone, and never wrongly.
func TestNewMarksSurviveHandling(t *testing.T) {
	filler := func(s string) string {
		return "Some words on " + s + " stand here, so that a reader of a part of it knows where that part is from.\n"
	}
	src := source("a.md", filler("dates")+
		"The release is due on {{date:2025-07-08}}, and its notice went out on {{date:2025-06-24}} to the members.\n"+filler("hours")+
		"It comes out at {{time:17:00}} by the clock of the desk, which answers within {{duration:90m}} at any hour.\n"+filler("sizes")+
		"Packages above {{size:64 KiB}} are cut into parts, of which there are at most {{count:12}} in one upload.\n\n"+filler("facts")+
		"\n<!-- facts -->\nImports run under the account of the portal. The scratch folder lies beside the themes. Packages are cut into parts by the page.\nLogs hold the return address.\n<!-- end -->\n\n"+filler("tests")+
		"\n<!-- example: Mira -->\nIn one of our tests the template was fetched 40 seconds later.\n<!-- or -->\nIn another run nobody asked for any page over the weekend.\n<!-- or -->\nDuring the third attempt an editor opened it by chance.\n<!-- end -->\n\n"+filler("nothing"))
	f, _, _, err := Compile(src, testBias)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Sites) != 8 {
		t.Fatalf("%d sites, want 8", len(f.Sites))
	}
	r := rand.New(rand.NewPCG(13, 14))
	for _, h := range handling {
		read, wrong, all := 0, 0, 0
		for range 20 {
			symbols := map[fpcode.SiteID]uint8{}
			for _, s := range f.Sites {
				symbols[s.ID] = uint8(r.IntN(int(s.Q)))
			}
			text := f.Render(form.PoC, func(s form.Site) uint8 { return symbols[s.ID] }, nil)[0].Data
			readings := form.Read(f, []form.Specimen{{Name: "x", Data: []byte(h.do(string(text)))}})
			for _, got := range readings.List() {
				all++
				switch {
				case got.State != fpcode.Value || len(got.Likelihood) > 0:
				case got.Symbol == symbols[got.Site]:
					read++
				default:
					wrong++
				}
			}
		}
		t.Logf("%s: %d of %d read for certain, %d wrongly", h.name, read, all, wrong)
		if wrong > 0 || read < all && !strings.Contains(h.name, "misread") || read < all/2 {
			t.Errorf("%s: %d of %d read, %d wrongly", h.name, read, all, wrong)
		}
	}
}
