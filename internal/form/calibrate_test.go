package form

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"forewarn/internal/fpcode"
)

// TestCalibration shows what a margin is worth: for each manner in which a
// passage can show a choice, how often the likeliest symbol is wrong, by how far
// the next is behind. With -form.trials=50 -v it prints the table of
// doc/spec/form.md. What the scales claim is held to what comes out: no manner
// errs more than twice as often as it says, but for a few.
func TestCalibration(t *testing.T) {
	f := advisory(t)
	names := [manners]string{"firm", "worn", "thin", "alone", "listed", "hung", "frayed"}
	for how := range manners {
		only := func(s shown) verdict {
			if s.state != fpcode.Value || s.how != how {
				return unread
			}
			best := slices.Index(s.behind, 0)
			second := int32(255)
			for x, d := range s.behind {
				if x != best {
					second = min(second, d)
				}
			}
			return verdict{state: fpcode.Value, symbol: uint8(best), nats: []uint8{uint8(second)}, spans: s.spans}
		}
		ties := func(s shown, x uint8) bool { return s.behind[x] == 0 }
		r := NewReader(f)
		var seen, wrong [256]int
		var with map[fpcode.SiteID]uint8
		count := func(site int32, s shown) verdict {
			if v := only(s); v.state == fpcode.Value {
				seen[v.nats[0]]++
				if !ties(s, with[f.Sites[site].ID]) {
					wrong[v.nats[0]]++
				}
			}
			return unread
		}
		r.rules.one = func(l *lattice, k *look) verdict {
			return count(l.segments[k.segment].site, seeOne(l, k))
		}
		r.rules.together = func(l *lattice, unit []int32, at map[int32]*look) verdict {
			return count(l.segments[unit[0]].site, seeTogether(l, unit, at))
		}
		for trial := range *trials {
			for i, m := range manglers {
				if m.name == "lists sorted" {
					continue
				}
				dice := rand.New(rand.NewPCG(uint64(trial), uint64(i)))
				with = symbols(f, dice)
				r.Read(m.do(dice, render(f, with, dice.Uint64()), nil))
			}
		}
		claimed, erred := 0., 0
		for i := range seen {
			v := (&shown{state: fpcode.Value, how: how, behind: []int32{0, int32(i)}}).weigh()
			if v.state != fpcode.Value {
				continue
			}
			erred += wrong[i]
			if v.nats == nil {
				claimed += float64(seen[i]) / 500
			} else {
				claimed += float64(seen[i]) / (1 + math.Exp(float64(v.nats[1])))
			}
		}
		if float64(erred) > 4+2*claimed {
			t.Errorf("%s: %d wrong, %.1f claimed", names[how], erred, claimed)
		}
		bins := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 60, 100, 256}
		for b := 0; b+1 < len(bins); b++ {
			n, w := 0, 0
			for i := bins[b]; i < bins[b+1]; i++ {
				n, w = n+seen[i], w+wrong[i]
			}
			if n > 0 {
				t.Logf("%-7s %3d–%3d  %7d seen %6d wrong  %8.4f %%  %s nats", names[how], bins[b], bins[b+1]-1, n, w, 100*float64(w)/float64(n),
					fmt.Sprintf("%5.1f", math.Log((float64(n-w)+.5)/(float64(w)+.5))))
			}
		}
	}
}
