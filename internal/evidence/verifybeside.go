package evidence

import (
	"slices"

	"forewarn/internal/fpcode"
)

// keyOf is the opened key of a holder's copies.
func (v *verification) keyOf(h ID) fpcode.Key { return v.keys[h][0].Key }

func (v *verification) partner(h ID) bool {
	return slices.ContainsFunc(v.f.Partners, func(p Partner) bool { return p.Holder == h })
}

// partners checks that each copy beside which a named one was tested is opened,
// that its holder is listed as a partner unless the copy is named itself, and that
// no other is. named are the holders of the named copies; partners are added.
func (v *verification) partners(named map[ID]bool) error {
	beside := map[ID]bool{}
	for _, a := range v.named() {
		for _, h := range a.Beside() {
			if len(v.keys[h]) == 0 {
				return failf("%s: it was tested beside a copy that is not opened", a.Name)
			}
			beside[h] = true
		}
	}
	for _, p := range v.f.Partners {
		opened := v.keys[p.Holder]
		switch {
		case named[p.Holder]:
			return failf("%s is listed as a partner, and named or listed before", p.Name)
		case !beside[p.Holder]:
			return failf("%s is listed as a partner, and no copy was tested beside theirs", p.Name)
		case len(opened) != 1:
			return failf("%d copies of the partner %s are opened; one is enough", len(opened), p.Name)
		case p.Means != PartnerMeans:
			return failf("the findings do not say that it accuses %s of nothing to be a partner", p.Name)
		}
		if w := int(opened[0].Wave); p.Wave != ID(v.wave[w].Wave) || p.Label != WaveLabel(w) {
			return failf("the findings' copy of the partner %s in %s is not the one opened", p.Name, p.Label)
		}
		named[p.Holder] = true
	}
	for h := range beside {
		if !named[h] {
			return failf("a copy was tested beside one whose holder is not listed")
		}
	}
	return nil
}
