package form

import (
	"math/rand/v2"
	"testing"

	"forewarn/internal/fpcode"
)

func TestReadWholeCopy(t *testing.T) {
	f := advisory(t)
	dice := rand.New(rand.NewPCG(1, 1))
	with := symbols(f, dice)
	outs := render(f, with, 1)
	r := Read(f, asSpecimens(outs))
	var n tally
	n.add(r, with, nil)
	t.Logf("%d sites: %+v", len(f.Sites), n)
	if n.right != len(f.Sites) {
		for _, s := range r.Sites {
			if s.State != fpcode.Value || s.Symbol != with[s.Site] {
				for _, file := range f.Files {
					for _, p := range file.Parts {
						if p.Kind == Choice && f.Sites[p.Site].ID == s.Site {
							t.Errorf("%s: %q: read %v %d, is %d", file.Path, p.Alternatives, s.State, s.Symbol, with[s.Site])
							break
						}
					}
				}
			}
		}
	}
}
