package fpcode

import (
	"encoding/binary"
	"math"
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

// Whoever keeps only what two copies have in common, of wording and rules alike,
// leaves text that either of them explains alone. Neither hides the other.
func TestOnlyWhatIsCommon(t *testing.T) {
	law, _ := Default.Law(2, 1)
	for _, seed := range []byte{1, 2, 3} {
		var rs []Reading
		for i := range 300 {
			r := Reading{Class: ClassProse, Q: 2, State: Value}
			if i%10 == 0 {
				r.Class = ClassOrder
			}
			binary.BigEndian.PutUint32(r.Site[:], uint32(i))
			r.Site[15] = seed
			a, b := Symbol(CopyKey(testPackage, holderID(3)), r.Site, law), Symbol(CopyKey(testPackage, holderID(4)), r.Site, law)
			if r.Symbol = a; a != b || i%4 == 0 { // and more is lost than differs
				r.State, r.Symbol = Erased, 0
			}
			rs = append(rs, r)
		}
		p := problem(rs, 100)
		p.Laws = func(SiteID, uint8) Law { return law }
		r, err := Decoders[JointDecoder].Decode(p)
		if err != nil || len(r.Accused) != 2 || r.Accused[0].Holder[15]+r.Accused[1].Holder[15] != 7 {
			t.Errorf("seed %d: accused %+v, %v", seed, r.Accused, err)
		}
	}
}

// Whatever the channel and however many alternatives: what a site may show, with
// nothing and something else, is one in all, without and with one more copy.
func TestChannelIsAProbability(t *testing.T) {
	for _, profile := range []Profile{Default, Arcsine} {
		for q := 2; q <= 6; q++ {
			for _, h := range []Collusion{
				oneCopy(),
				{C: 3, Match: [MaxColluders + 1]uint16{16384, 46948, 18588, 49152}},
				{C: 4, Telling: true, Match: [MaxColluders + 1]uint16{256, 40000, 32768, 25536, 65280},
					Erased: [MaxColluders + 1]uint16{500, 30000, 40000, 30000, 500}, Other: [MaxColluders + 1]uint16{100, 9000, 100, 9000, 100}},
			} {
				law, err := profile.Law(q, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, known := range []int{0, 1} {
					if known >= h.C {
						continue
					}
					for x := -1; x < q; x++ {
						c := cell{sight: &sight{law: law, state: Value}}
						unknown := h.C - known
						if x >= 0 {
							unknown--
						}
						if known > 0 {
							c.with[q-1] = 1
						}
						sum := 0.0
						for _, p := range h.shown(&c, unknown, x) {
							sum += p
						}
						if h.Telling {
							with := int(c.with[1])
							if x == 1 {
								with++
							}
							sum += h.chances(Erased, unknown, law.P(1))[with] + h.chances(Other, unknown, law.P(1))[with]
						}
						if math.Abs(sum-1) > 1e-4 {
							t.Errorf("%v, %d symbols, %v, one more shows %d beside %d known: all is %v", profile, q, h, x, known, sum)
						}
					}
				}
			}
		}
	}
}
