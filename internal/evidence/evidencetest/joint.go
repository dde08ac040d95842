package evidencetest

import (
	"slices"

	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
)

// test is how the case's decoder tests a holder's copy.
func (c *Case) test(h int, b evidence.Basis) (parts evidence.List[evidence.Part], t evidence.Test) {
	if c.Profile == fpcode.Single {
		return nil, nil
	}
	p := fpcode.Problem{Readings: b.Readings.List(), Laws: c.Form.Laws(), Run: b.Run, Alpha: 1e-6, Seed: b.Readings.Hash()}
	for i := range c.Holders {
		p.Holders = append(p.Holders, c.Holders[i].ID)
	}
	p.CopyKey = func(h [16]byte) fpcode.Key { return fpcode.CopyKey(c.pkg, h) }
	all, err := fpcode.Tested(p, c.Decoder(), [][16]byte{c.Holders[h].ID})
	if err != nil {
		panic(err)
	}
	for _, x := range all[0].Parts {
		k := fpcode.KeyedPart{Class: x.Class, Collusion: x.Collusion}
		for _, h := range x.Beside {
			k.Beside = append(k.Beside, p.CopyKey(h))
		}
		parts, t = append(parts, evidence.PartOf(x)), append(t, k)
	}
	return parts, t
}

// partners are the holders of the copies beside which the rows' were tested, but
// for the rows' own.
func (c *Case) partners(rows []evidence.Accused) (out []int) {
	for i, h := range c.Holders {
		id := evidence.ID(h.ID)
		beside := slices.ContainsFunc(rows, func(a evidence.Accused) bool { return slices.Contains(a.Beside(), id) })
		if beside && !slices.ContainsFunc(rows, func(a evidence.Accused) bool { return a.Holder == id }) {
			out = append(out, i)
		}
	}
	return out
}
