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

// Whatever the channel: what a binary site may show, with nothing and something
// else, is one in all, without and with one more copy.
func TestChannelIsAProbability(t *testing.T) {
	eachChannel(t, 2, func(h Collusion, c *cell, unknown, x int, shown [MaxQ]float64) {
		sum := shown[0] + shown[1]
		if h.Telling {
			with := int(c.with[1])
			if x == 1 {
				with++
			}
			sum += h.chances(Erased, unknown, c.law.P(1))[with] + h.chances(Other, unknown, c.law.P(1))[with]
		}
		if math.Abs(sum-1) > 1e-4 {
			t.Errorf("%v, one more shows %d: all is %v", h, x, sum)
		}
	})
}

// At sites of more symbols no symbol is preferred for its name: where all are equally
// common and none is known of any copy, a copy's own symbol speaks for it alike.
func TestSymbolsHaveNoNames(t *testing.T) {
	for q := 3; q <= 6; q++ {
		own := map[Collusion]float64{}
		eachChannel(t, q, func(h Collusion, c *cell, unknown, x int, shown [MaxQ]float64) {
			if x < 0 || h.C-unknown > 1 {
				return
			}
			if was, ok := own[h]; ok && math.Abs(was-shown[x]) > 1e-6 {
				t.Errorf("%d symbols, %v: %v for symbol %d, %v for the first", q, h, shown[x], x, was)
			} else if !ok {
				own[h] = shown[x]
			}
		})
	}
}

// eachChannel visits sites of so many symbols under several channels, without and with
// one more copy that shows x, beside no copy and, if binary, beside one that is known.
func eachChannel(t *testing.T, q int, visit func(h Collusion, c *cell, unknown, x int, shown [MaxQ]float64)) {
	t.Helper()
	law := Even(SiteID{}, uint8(q))
	for _, h := range []Collusion{
		oneCopy(),
		{C: 3, Match: [MaxColluders + 1]uint16{16384, 46948, 18588, 49152}},
		{C: 4, Telling: true, Match: [MaxColluders + 1]uint16{256, 40000, 32768, 25536, 65280},
			Erased: [MaxColluders + 1]uint16{500, 30000, 40000, 30000, 500}, Other: [MaxColluders + 1]uint16{100, 9000, 100, 9000, 100}},
	} {
		for known := range min(h.C, 2) {
			if known > 0 && q > 2 {
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
				visit(h, &c, unknown, x, h.shown(&c, unknown, x))
			}
		}
	}
}
