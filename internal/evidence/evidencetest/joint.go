package evidencetest

import (
	"slices"

	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
)

// test is how the case's decoder tests a holder's copy.
func (c *Case) test(h int, b evidence.Basis) (t evidence.Test) {
	if c.Profile == fpcode.Single {
		return t
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
	t.Channel = all[0].Collusion
	for _, h := range all[0].Beside {
		t.Beside = append(t.Beside, p.CopyKey(h))
	}
	return t
}

func (c *Case) byKey(k fpcode.Key) int {
	return slices.IndexFunc(c.Holders, func(h Holder) bool { return fpcode.CopyKey(c.pkg, h.ID) == k })
}

// partners are the holders of the copies beside which the rows' were tested, but
// for the rows' own.
func (c *Case) partners(rows []evidence.Accused) (out []int) {
	for i, h := range c.Holders {
		id := evidence.ID(h.ID)
		beside := slices.ContainsFunc(rows, func(a evidence.Accused) bool { return slices.Contains(a.Beside, id) })
		if beside && !slices.ContainsFunc(rows, func(a evidence.Accused) bool { return a.Holder == id }) {
			out = append(out, i)
		}
	}
	return out
}
