package fpcode

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestEvenLawIsAsEvenAsItCanBe(t *testing.T) {
	for q := MinQ; q <= MaxQ; q++ {
		l, err := Single.Law(q, 0)
		if err != nil || l.Q() != q {
			t.Fatalf("q = %d: %v, %d symbols", q, err, l.Q())
		}
		var sum uint64
		for v := range q {
			w := l.Weight(v)
			sum += w
			if w != one32/uint64(q) && w != one32/uint64(q)+1 {
				t.Errorf("q = %d: symbol %d has weight %d", q, v, w)
			}
		}
		if sum != one32 {
			t.Errorf("q = %d: weights sum to %d", q, sum)
		}
	}
}

func TestLawsRefuse(t *testing.T) {
	for name, th := range map[string][]uint64{
		"none":            nil,
		"one symbol":      {0, one32},
		"not from 0":      {1, 2, one32},
		"not to 2³²":      {0, 1, one32 - 1},
		"beyond 2³²":      {0, 1, one32 + 1},
		"never shown":     {0, 5, 5, one32},
		"falling":         {0, 6, 5, one32},
		"too many":        slices.Concat(make([]uint64, 25), []uint64{one32}),
		"25 good symbols": rising(25),
	} {
		if _, err := NewLaw(th); !errors.Is(err, ErrParameter) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, q := range []int{-1, 0, 1, 25, 1 << 20} {
		if _, err := Single.Law(q, 0); !errors.Is(err, ErrParameter) {
			t.Errorf("q = %d: %v", q, err)
		}
	}
	if _, err := Profile(0).Law(2, 0); !errors.Is(err, ErrParameter) {
		t.Errorf("zero profile: %v", err)
	}
	if Even(SiteID{}, 25).Q() != 0 {
		t.Error("Laws gives a law for 25 symbols")
	}
}

func rising(q uint64) (th []uint64) {
	for v := range q + 1 {
		th = append(th, v*one32/q)
	}
	return th
}

func TestNames(t *testing.T) {
	for _, c := range Classes() {
		if got, err := ParseClass(c.String()); got != c || err != nil {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	if got, err := ParseProfile("single"); got != Single || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "unset", "Single", "profile(0)"} {
		if _, err := ParseProfile(s); !errors.Is(err, ErrParameter) {
			t.Errorf("profile %q: %v", s, err)
		}
		if _, err := ParseClass(s); !errors.Is(err, ErrParameter) {
			t.Errorf("class %q: %v", s, err)
		}
	}
}

// The law is the law: frequencies over copies, and over sites.
func TestSymbolsFollowTheLaw(t *testing.T) {
	skew, err := NewLaw([]uint64{0, one32 / 8, one32 / 2, one32})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []Law{Even(SiteID{}, 2), Even(SiteID{}, 3), Even(SiteID{}, 24), skew} {
		for name, draw := range map[string]func(i uint64) uint8{
			"copies": func(i uint64) uint8 {
				var h [16]byte
				binary.BigEndian.PutUint64(h[:], i)
				return Symbol(CopyKey(Key{5}, h), SiteID{1}, l)
			},
			"sites": func(i uint64) uint8 {
				var s SiteID
				binary.BigEndian.PutUint64(s[:], i)
				return Symbol(Key{5}, s, l)
			},
		} {
			const n = 40_000
			counts := make([]float64, l.Q())
			for i := range uint64(n) {
				counts[draw(i)]++
			}
			for v, c := range counts {
				mean := n * l.P(v)
				if d := (c - mean) / math.Sqrt(mean*(1-l.P(v))); math.Abs(d) > 5 {
					t.Errorf("%s, q = %d, symbol %d: %.0f, expected %.0f", name, l.Q(), v, c, mean)
				}
			}
		}
	}
}

// At the very edges of a threshold, the symbol is the one above.
func TestThresholdsAreExact(t *testing.T) {
	l := Even(SiteID{}, 3)
	for v := range 3 {
		if got := l.symbol(uint32(l.cum[v])); int(got) != v {
			t.Errorf("at threshold %d: symbol %d", v, got)
		}
		if got := l.symbol(uint32(l.cum[v+1] - 1)); int(got) != v {
			t.Errorf("right below threshold %d: symbol %d", v+1, got)
		}
	}
}

func TestPermutationPermutesUniformly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.IntRange(0, 256).Draw(t, "q")
		p := Permutation(Key{rapid.Byte().Draw(t, "key")}, SiteID{rapid.Byte().Draw(t, "site")}, q)
		slices.Sort(p)
		for i, v := range p {
			if int(v) != i {
				t.Fatalf("sorted, %d stands at %d", v, i)
			}
		}
		if len(p) != q {
			t.Fatalf("%d of %d", len(p), q)
		}
	})
	// All 24 orders of four are alike.
	const n = 24_000
	counts := map[[4]uint8]float64{}
	for i := range uint64(n) {
		var s SiteID
		binary.BigEndian.PutUint64(s[:], i)
		counts[[4]uint8(Permutation(Key{}, s, 4))]++
	}
	var chi float64
	for _, c := range counts {
		chi += (c - 1000) * (c - 1000) / 1000
	}
	if len(counts) != 24 || chi > 23+6*math.Sqrt(46) {
		t.Errorf("%d orders, chi-squared %.1f", len(counts), chi)
	}
}

func TestKeysAreApart(t *testing.T) {
	seen := map[Key]string{}
	for name, k := range map[string]Key{
		"package": {1}, "bias": BiasKey(Key{1}), "copy": CopyKey(Key{1}, [16]byte{}), "copy 2": CopyKey(Key{1}, [16]byte{15: 1}),
		"other bias": BiasKey(Key{2}), "commitment": Commit(Key{1}), "other commitment": Commit(Key{2}),
	} {
		if o, ok := seen[k]; ok {
			t.Errorf("%s and %s are the same", name, o)
		}
		seen[k] = name
	}
}
