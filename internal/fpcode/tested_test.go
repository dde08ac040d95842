package fpcode

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// mergedProblem is a specimen that takes each site from one of the first c of n
// copies, in two classes.
func mergedProblem(seed uint64, n, c, sites int) Problem {
	rng := rand.New(rand.NewPCG(seed, 2))
	laws := map[SiteID]Law{}
	p := Problem{Run: 1, Alpha: 1e-6, Seed: [32]byte{byte(seed)}}
	for i := range n {
		p.Holders = append(p.Holders, [16]byte{1, byte(i)})
	}
	p.CopyKey = func(h [16]byte) Key { return CopyKey(Key{byte(seed)}, h) }
	pattern := Default.Pattern()
	for i := range sites {
		id := SiteID{byte(i), byte(i >> 8), 7}
		law, err := Default.Law(2, pattern[i%len(pattern)])
		if err != nil {
			panic(err)
		}
		laws[id] = law
		r := Reading{Site: id, Class: []Class{ClassProse, ClassCode}[i%2], Q: 2, State: Value}
		r.Symbol = Symbol(p.CopyKey(p.Holders[rng.IntN(c)]), id, law)
		p.Readings = append(p.Readings, r)
	}
	p.Laws = func(id SiteID, _ uint8) Law { return laws[id] }
	return p
}

// opened is the parts of an accusation with keys, as in a dossier.
func opened(p Problem, a Accusation) (out []KeyedPart) {
	for _, x := range a.Parts {
		k := KeyedPart{Class: x.Class, Collusion: x.Collusion}
		for _, h := range x.Beside {
			k.Beside = append(k.Beside, p.CopyKey(h))
		}
		out = append(out, k)
	}
	return out
}

// Tested gives whom the decoder accuses the numbers that the decoder does, and
// RecomputeBeside gives the same from the parts.
func TestTested(t *testing.T) {
	accused := 0
	for seed := range uint64(6) {
		p := mergedProblem(seed, 12, 1+int(seed)%3, 160)
		r, err := Decoders[JointDecoder].Decode(p)
		if err != nil {
			t.Fatal(err)
		}
		all, err := Tested(p, JointDecoder, p.Holders)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range r.Accused {
			accused++
			got := all[a.Holder[1]]
			if !reflect.DeepEqual(got, a) {
				t.Errorf("seed %d, holder %d: tested to %+v, decoded to %+v", seed, a.Holder[1], got, a)
			}
		}
		for i, a := range all {
			parts := opened(p, a)
			if !Explainable(p.Readings, p.Laws, parts, len(p.Holders)) {
				t.Errorf("seed %d, holder %d: its own parts do not follow", seed, i)
			}
			again := RecomputeBeside(p.Readings, p.Laws, p.CopyKey(a.Holder), parts, len(p.Holders), 1, p.Seed)
			again.Holder, again.Parts = a.Holder, a.Parts
			if !reflect.DeepEqual(again, a) {
				t.Errorf("seed %d, holder %d: computed again to %+v from %+v", seed, i, again, a)
			}
		}
	}
	if accused < 6 {
		t.Errorf("only %d were accused", accused)
	}
	p := mergedProblem(1, 5, 1, 40)
	if _, err := Tested(p, JointDecoder, [][16]byte{{9}}); !errors.Is(err, ErrParameter) {
		t.Error(err)
	}
	one, err := Tested(p, SingleDecoder, p.Holders[:1])
	if err != nil || one[0].Score != Recompute(p.Readings, p.Laws, p.CopyKey(p.Holders[0]), 5, 1, p.Seed).Score || one[0].Parts != nil {
		t.Errorf("%+v, %v", one, err)
	}
}

// Parts that leave something out, or whose channel does not follow, are none.
func TestExplainable(t *testing.T) {
	p := mergedProblem(3, 12, 3, 160)
	part := func(class Class, c int, beside ...int) (k KeyedPart) {
		k.Class = class
		for _, i := range beside {
			k.Beside = append(k.Beside, p.CopyKey(p.Holders[i]))
		}
		k.Collusion = EstimateBeside(p.Readings, p.Laws, class, k.Beside, c, false)
		return k
	}
	wrong := part(0, 3, 0, 1)
	wrong.Collusion.Match[1]++
	for name, row := range map[string]struct {
		parts []KeyedPart
		want  bool
	}{
		"alone":                {Alone(), true},
		"two known of three":   {[]KeyedPart{part(0, 3, 0, 1)}, true},
		"class by class":       {[]KeyedPart{part(ClassProse, 2, 0), part(ClassCode, 2, 0, 1)}, true},
		"none":                 {nil, false},
		"another channel":      {[]KeyedPart{wrong}, false},
		"all known":            {[]KeyedPart{part(0, 2, 0, 1)}, false},
		"a class left out":     {[]KeyedPart{part(ClassProse, 2, 0)}, false},
		"in another order":     {[]KeyedPart{part(ClassCode, 2, 0), part(ClassProse, 2, 0)}, false},
		"a class not read":     {[]KeyedPart{part(ClassProse, 2, 0), part(ClassRule, 1), part(ClassCode, 2, 0)}, false},
		"the whole and a part": {[]KeyedPart{part(0, 2, 0), part(ClassCode, 2, 0)}, false},
		"of no copies":         {[]KeyedPart{{}}, false},
		"of seven":             {[]KeyedPart{{Collusion: Collusion{C: 7}}}, false},
	} {
		if got := Explainable(p.Readings, p.Laws, row.parts, len(p.Holders)); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// All that could be chosen pays for itself: 1/factor adds up to 1 at most.
func TestChoicesPayForThemselves(t *testing.T) {
	for _, copies := range []int{2, 5, 12} {
		// One part's factors, over every number of copies and of known ones.
		sum := func(class bool) (s float64) {
			for known := 0; known <= MaxColluders && known < copies; known++ {
				n := 1.0
				for i := range known {
					n *= float64(copies-1-i) / float64(i+1)
				}
				for c := 1; c <= MaxColluders; c++ {
					if c < known || c == known && !class {
						continue
					}
					telling := 2.0
					if c == 1 && known == 0 {
						telling = 1
					}
					s += n * telling / choices(copies-1, known, class)
				}
			}
			return s
		}
		if whole, class := sum(false), sum(true); whole > 1+1e-9 || class > 1+1e-9 || copies > 6 && math.Min(whole, class) < 1-1e-9 {
			t.Errorf("%d copies: %g of the whole, %g of a class", copies, whole, class)
		}
	}
	one := AdjustChosen(1e-12, 100, 1, Alone())
	if want := 1e-12 * 100 * 4 / 3 * 2 * 6 * 11; math.Abs(one/want-1) > 1e-9 {
		t.Error(one, want)
	}
	if fmt.Sprint(AdjustChosen(1e-3, 100, 1, []KeyedPart{{Beside: make([]Key, 5), Collusion: Collusion{C: 6}}})) != "1" {
		t.Error("five of a hundred cost nothing")
	}
}
