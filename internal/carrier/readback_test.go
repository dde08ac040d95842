package carrier

import (
	"math/rand/v2"
	"testing"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Every mark of the example can be read: from a whole copy all of them, and from
// a third of the advisory as many as a leak of it must show, none of them wrong.
func TestExampleReadsBack(t *testing.T) {
	f, _, _ := compileExample(t)
	r := rand.New(rand.NewPCG(11, 12))
	for range 3 {
		symbols := map[fpcode.SiteID]uint8{}
		for _, s := range f.Sites {
			symbols[s.ID] = uint8(r.IntN(int(s.Q)))
		}
		out := f.Render(form.PoC, func(s form.Site) uint8 { return symbols[s.ID] }, func(slot string, a token.Alphabet) string { return a.Encode(testRec, r.Uint64()) })
		var specimens []form.Specimen
		var advisory []byte
		for _, o := range out {
			specimens = append(specimens, form.Specimen{Name: o.Path, Data: o.Data})
			if o.Path == "advisory.md" {
				advisory = o.Data
			}
		}
		check := func(what string, readings form.Readings, least int) {
			read := 0
			for _, got := range readings.List() {
				if got.State == fpcode.Value {
					if read++; len(got.Likelihood) == 0 && got.Symbol != symbols[got.Site] {
						t.Errorf("%s: site %x read as %d, not %d", what, got.Site, got.Symbol, symbols[got.Site])
					}
				}
			}
			if read < least {
				t.Errorf("%s: %d sites read, want %d", what, read, least)
			}
		}
		check("whole copy", form.Read(f, specimens), len(f.Sites))
		third := len(advisory) / 3
		for _, at := range []int{0, third / 2, third, 2 * third} {
			check("a third", form.Read(f, []form.Specimen{{Name: "x", Data: advisory[at : at+third]}}), 55)
		}
	}
}
