package fpcode

import (
	"encoding/binary"
	"testing"
)

// Whoever deletes all that differs in a long text leaves next to no values at those
// sites. The chances of a channel still sum to no more than one, and both are found.
func TestDeletedInALongText(t *testing.T) {
	law, _ := Default.Law(2, 1)
	var rs []Reading
	for i := range 6000 {
		r := Reading{Class: ClassProse, Q: 2, State: Value}
		binary.BigEndian.PutUint32(r.Site[:], uint32(i))
		a, b := Symbol(CopyKey(testPackage, holderID(3)), r.Site, law), Symbol(CopyKey(testPackage, holderID(4)), r.Site, law)
		if r.Symbol = a; a != b {
			r.State, r.Symbol = Erased, 0
		}
		rs = append(rs, r)
	}
	p := problem(rs, 12)
	p.Laws = func(SiteID, uint8) Law { return law }
	r, err := Screen(p)
	if err != nil || len(r.Accused) != 2 {
		t.Fatalf("%d accused, %v", len(r.Accused), err)
	}
	for _, a := range r.Accused {
		for _, part := range a.Parts {
			h := part.Collusion
			for k := range h.C + 1 {
				if int(h.Erased[k])+int(h.Other[k]) >= one16 {
					t.Errorf("erased %d and other %d at %d of %d copies", h.Erased[k], h.Other[k], k, h.C)
				}
			}
		}
	}
}
