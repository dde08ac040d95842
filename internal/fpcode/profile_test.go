package fpcode

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func TestProfiles(t *testing.T) {
	for _, p := range Profiles() {
		if got, err := ParseProfile(p.String()); err != nil || got != p {
			t.Errorf("%v reads as %v, %v", p, got, err)
		}
		for q := MinQ; q <= MaxQ; q++ {
			if p.Count(q) < 1 {
				t.Fatalf("%v has no law for %d symbols", p, q)
			}
			for i := range p.Count(q) {
				l, err := p.Law(q, uint8(i))
				if err != nil || l.Q() != q {
					t.Fatalf("%v, %d symbols, law %d: %v", p, q, i, err)
				}
				var sum uint64
				for v := range q {
					sum += l.Weight(v)
					if l.Weight(v) == 0 || l.Weight(v) > l.Weight(0)+1 {
						t.Errorf("%v, %d symbols, law %d: symbol %d has weight %d, the first %d", p, q, i, v, l.Weight(v), l.Weight(0))
					}
				}
				if sum != one32 {
					t.Errorf("%v, %d symbols, law %d: weights sum to %d", p, q, i, sum)
				}
			}
			if _, err := p.Law(q, uint8(p.Count(q))); !errors.Is(err, ErrParameter) {
				t.Errorf("%v has one law more for %d symbols: %v", p, q, err)
			}
		}
		for _, i := range p.Pattern() {
			if int(i) >= p.Count(2) {
				t.Errorf("%v deals a law that it does not have", p)
			}
		}
	}
	for _, p := range []Profile{0, 6, 255} {
		if _, err := p.Law(2, 0); !errors.Is(err, ErrParameter) || p.Count(2) != 0 || p.Deal(Key{}, "x", 3) != nil {
			t.Errorf("%v has laws", p)
		}
	}
	if _, err := ParseProfile("gaussian"); !errors.Is(err, ErrParameter) {
		t.Errorf("unknown profile: %v", err)
	}
}

// The nodes are what their sources say: Gauss–Legendre on [0, 1] of order two and
// three, and the middles of equal pieces of the arcsine density.
func TestNodes(t *testing.T) {
	near := func(name string, w uint64, p float64) {
		t.Helper()
		if math.Abs(float64(w)-p*one32) > 1 {
			t.Errorf("%s: %d, want %.1f", name, w, p*one32)
		}
	}
	near("two-point", twoPoint, (1-1/math.Sqrt(3))/2)
	near("three-point", outerNode, (1-math.Sqrt(3./5))/2)
	from, to := math.Asin(math.Sqrt(1./64)), math.Pi/4
	for i, w := range arcsineNodes {
		s := math.Sin(from + (to-from)*(float64(i)+.5)/float64(len(arcsineNodes)))
		near("arcsine", w, s*s)
	}
}

// Whatever stretch of a text survives, it has the pattern's laws in proportion:
// any window of twice the pattern's length holds each at least as often as the
// pattern does.
func TestDealIsBalanced(t *testing.T) {
	for _, p := range Profiles() {
		pattern := p.Pattern()
		dealt := p.Deal(Key{7}, "prose advisory.md", 997)
		if len(dealt) != 997 {
			t.Fatalf("%v: %d dealt", p, len(dealt))
		}
		for at := 0; at+2*len(pattern) <= len(dealt); at++ {
			var have, want [256]int
			for _, i := range dealt[at : at+2*len(pattern)] {
				have[i]++
			}
			for _, i := range pattern {
				want[i]++
			}
			for i := range want {
				if have[i] < want[i] {
					t.Fatalf("%v: places %d to %d have law %d only %d times", p, at, at+2*len(pattern), i, have[i])
				}
			}
		}
		if len(slices.Compact(slices.Sorted(slices.Values(pattern)))) > 1 {
			if slices.Equal(dealt, p.Deal(Key{8}, "prose advisory.md", 997)) || slices.Equal(dealt, p.Deal(Key{7}, "prose other.md", 997)) {
				t.Errorf("%v is dealt alike under another key or for another row", p)
			}
		}
		if !slices.Equal(dealt[:10], p.Deal(Key{7}, "prose advisory.md", 10)) {
			t.Errorf("%v: the first places depend on how many follow", p)
		}
	}
}

// What everybody may have can be a partner and accuses nobody: a member's copy
// merged with the public advisory is traced to the member alone.
func TestPublicCopy(t *testing.T) {
	const member, public = 4, 11
	law, _ := Default.Law(2, 1)
	var rs []Reading
	for i := range 170 {
		r := Reading{Site: SiteID{byte(i), byte(i >> 8), 1}, Class: ClassProse, Q: 2, State: Value}
		from := member
		if i%2 == 0 {
			from = public
		}
		r.Symbol = Symbol(CopyKey(testPackage, holderID(from)), r.Site, law)
		rs = append(rs, r)
	}
	p := problem(rs, 60)
	p.Laws = func(SiteID, uint8) Law { return law }
	who := func() (out []byte) {
		r, err := Decoders[JointDecoder].Decode(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range r.Accused {
			out = append(out, a.Holder[15])
		}
		slices.Sort(out)
		return out
	}
	if got := who(); !slices.Equal(got, []byte{member, public}) {
		t.Errorf("of two copies: %v", got)
	}
	p.Public = func(h [16]byte) bool { return h == holderID(public) }
	if got := who(); !slices.Equal(got, []byte{member}) {
		t.Errorf("with one of them public: %v", got)
	}
}
