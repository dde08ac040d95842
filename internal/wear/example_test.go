package wear

import (
	"math/rand/v2"
	"testing"

	"forewarn/internal/carrier"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

func exampleForm(t *testing.T) *form.Form {
	t.Helper()
	src, err := folder.LoadSource("../../examples/advisory")
	if err != nil {
		t.Fatal(err)
	}
	f, _, _, err := carrier.Compile(src, fpcode.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The example package survives what doc/survival.md says that it survives, with
// room for chance: at least so much of what is still there is read right, and at
// most so much of what is read is wrong.
func TestExampleSurvives(t *testing.T) {
	f := exampleForm(t)
	bounds := map[string]struct{ right, wrong float64 }{
		"untouched": {1, 0}, "paste": {.99, 0}, "reflow": {.99, 0}, "fold": {.99, 0}, "plain": {.99, 0}, "html": {.99, 0}, "unpunctuated": {.99, 0},
		"ocr-1": {.98, .005}, "ocr-3": {.97, .005}, "ocr-5": {.95, .01}, "retype-1": {.98, .005}, "retype-5": {.95, .005}, "retype-10": {.90, .01},
		"excerpt-2": {.97, .005}, "excerpt-3": {.97, .005}, "excerpt-6": {.95, .005}, "excerpt-12": {.9, .01}, "shuffle": {.8, .01},
		"synonyms": {.8, .15}, "canonical": {.7, .25}, "merge-2": {.88, .01}, "merge-3": {.85, .01}, "common-2": {.3, .01}, "common-3": {.1, .01}, "port": {.7, .02}, "wire": {.7, .02},
	}
	for _, version := range form.ReaderVersions[1:] { // align/1 is held to its table in package form
		r, err := form.NewReaderVersion(f, version)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range Table {
			b, ok := bounds[w.Name]
			if !ok {
				t.Errorf("nothing is asked of %s", w.Name)
				continue
			}
			s := Survive(f, r, w, 2, 3)
			if right, _, _ := s.All.Share(); !(right >= b.right) || float64(s.All.Wrong) > b.wrong*float64(s.All.Wrong+s.All.Right) {
				t.Errorf("%s, %s: %.1f %% right of what is there, want %.1f %%; %d wrong of %d read, want %.1f %%", version, w.Name, 100*right, 100*b.right, s.All.Wrong, s.All.Wrong+s.All.Right, 100*b.wrong)
			}
		}
	}
}

// Two packages in one specimen, piece by piece: each Form's reader finds its own
// and takes nothing of the other for it.
func TestSeveralPackages(t *testing.T) {
	rec := token.NewRecogniser([16]byte{1})
	a, b := exampleForm(t), small(t)
	dice := rand.New(rand.NewPCG(6, 6))
	x, y := issue(a, dice, rec), issue(b, dice, rec)
	var mixed []byte
	for i := range max(len(x.outputs), len(y.outputs)) {
		for _, outs := range [][]form.Output{x.outputs, y.outputs} {
			if i < len(outs) {
				mixed = append(append(mixed, outs[i].Data...), '\n')
			}
		}
	}
	for _, version := range form.ReaderVersions {
		for name, c := range map[string]struct {
			f *form.Form
			issued
		}{"the example": {a, x}, "the small one": {b, y}} {
			r, err := form.ReadVersion(c.f, version, []form.Specimen{{Name: "mixed", Data: mixed}})
			if err != nil {
				t.Fatal(err)
			}
			right := 0
			for i := range r.Sites {
				s := &r.Sites[i]
				if symbol, nats := s.Likeliest(); nats > 0 && symbol == c.symbols[s.Site] {
					right++
				} else if nats > 0 {
					t.Errorf("%s, %s: site %x is read as %d, and is %d", version, name, s.Site, symbol, c.symbols[s.Site])
				}
			}
			if right < len(r.Sites)*98/100 {
				t.Errorf("%s, %s: %d of %d read", version, name, right, len(r.Sites))
			}
		}
	}
}
