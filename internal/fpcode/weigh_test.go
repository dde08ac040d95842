package fpcode

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestLogarithm(t *testing.T) {
	check := func(hi, lo uint64) {
		t.Helper()
		x := math.Ldexp(float64(hi), 64) + float64(lo)
		if got, want := float64(lnFixed(hi, lo))/(1<<lnUnit), math.Log(x); math.Abs(got-want) > 1e-14*max(1, want) {
			t.Errorf("ln(%d·2⁶⁴+%d) = %.17g, want %.17g", hi, lo, got, want)
		}
	}
	for n := range 64 {
		check(0, 1<<n)
		check(1<<n, 0)
		check(0, 1<<n|1)
		check(0, math.MaxUint64>>n)
		check(math.MaxUint64>>n, math.MaxUint64)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		check(0, rng.Uint64()>>rng.IntN(64)|1)
		check(rng.Uint64()>>rng.IntN(64), rng.Uint64())
	}
}

// expBig is eˣ to 200 bits, by halving the argument and Taylor's series.
func expBig(x *big.Float) *big.Float {
	const halvings = 40
	r := new(big.Float).SetPrec(300).SetMantExp(x, -halvings)
	sum, term := big.NewFloat(1).SetPrec(300), big.NewFloat(1).SetPrec(300)
	for n := int64(1); n < 30; n++ {
		term.Quo(term.Mul(term, r), new(big.Float).SetInt64(n))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// Every score is the greatest multiple of the grain that the exact logarithm
// of the likelihood ratio reaches: e^score ≤ ratio < e^(score+grain), in 200
// bits.
func TestScoresAreTheRatioRoundedDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.IntRange(2, 24).Draw(t, "q")
		law := genLaw(t, q)
		r := genReading(t, q, rapid.Bool().Draw(t, "hard"))
		noise := rapid.Uint16Min(1).Draw(t, "noise")
		var ch Channel
		ch.Noise[r.Class] = noise
		ev := Weigh([]Reading{r}, func(SiteID, uint8) Law { return law }, ch)
		if len(ev) != 1 {
			t.Fatal("no evidence")
		}
		l := likelihood(r)
		eps := big.NewRat(int64(noise), 1<<16)
		given := func(x int) *big.Rat { // P(y|x) by its definition
			sum := new(big.Rat)
			for z, v := range l {
				w := new(big.Rat).Sub(big.NewRat(1, 1), eps)
				if z != x {
					w.Mul(eps, big.NewRat(1, int64(q-1)))
				}
				sum.Add(sum, w.Mul(w, big.NewRat(int64(v), 65535)))
			}
			return sum
		}
		total := new(big.Rat)
		for x := range q {
			total.Add(total, new(big.Rat).Mul(given(x), big.NewRat(int64(law.Weight(x)), one32)))
		}
		at := func(units int64) *big.Float {
			return expBig(new(big.Float).SetPrec(300).SetMantExp(big.NewFloat(float64(units)), -16))
		}
		for x, s := range ev[0].Score {
			ratio := new(big.Float).SetPrec(300).SetRat(new(big.Rat).Quo(given(x), total))
			if s%finestGrain != 0 || at(s).Cmp(ratio) > 0 || at(s+finestGrain).Cmp(ratio) <= 0 {
				t.Fatalf("symbol %d: score %d, ratio %g", x, s, ratio)
			}
		}
	})
}

// With likelihoods at the ends of their range, a soft reading is a hard one.
func TestOneHotLikelihoodIsAHardReading(t *testing.T) {
	for q := MinQ; q <= MaxQ; q++ {
		hard := Reading{Class: ClassProse, Q: uint8(q), State: Value, Symbol: uint8(q - 1)}
		soft := hard
		soft.Symbol, soft.Likelihood = 0, make([]uint16, q)
		soft.Likelihood[q-1] = 65535
		a, b := weighSingle([]Reading{hard}), weighSingle([]Reading{soft})
		if !slices.Equal(a[0].Score, b[0].Score) {
			t.Errorf("q = %d: %v and %v", q, a[0].Score, b[0].Score)
		}
	}
}

func TestNoEvidence(t *testing.T) {
	good := Reading{Site: SiteID{1}, Class: ClassProse, Q: 3, State: Value, Symbol: 1}
	with := func(f func(*Reading)) Reading { r := good; f(&r); return r }
	declared, laws := Declared(), Even
	for name, c := range map[string]struct {
		rs   []Reading
		laws func(SiteID, uint8) Law
		ch   Channel
	}{
		"erased":       {[]Reading{{Site: good.Site, Class: ClassProse, Q: 3}}, laws, declared},
		"other":        {[]Reading{{Site: good.Site, Class: ClassProse, Q: 3, State: Other}}, laws, declared},
		"zero reading": {[]Reading{{}}, laws, declared},
		"no class":     {[]Reading{with(func(r *Reading) { r.Class = 0 })}, laws, declared},
		"unknown class": {[]Reading{with(func(r *Reading) { r.Class = classEnd })}, laws,
			declared},
		"symbol out of range":      {[]Reading{with(func(r *Reading) { r.Symbol = 3 })}, laws, declared},
		"unknown state":            {[]Reading{with(func(r *Reading) { r.State = 3 })}, laws, declared},
		"q of 1":                   {[]Reading{with(func(r *Reading) { r.Q, r.Symbol = 1, 0 })}, laws, declared},
		"no law":                   {[]Reading{good}, func(SiteID, uint8) Law { return Law{} }, declared},
		"law of another q":         {[]Reading{good}, func(SiteID, uint8) Law { return Even(SiteID{}, uint8(4)) }, declared},
		"no channel":               {[]Reading{good}, laws, Channel{}},
		"read twice, differently":  {[]Reading{good, with(func(r *Reading) { r.Symbol = 2 })}, laws, declared},
		"read and found something": {[]Reading{good, {Site: good.Site, Class: ClassProse, Q: 3, State: Other}}, laws, declared},
		"likelihoods that differ": {[]Reading{
			with(func(r *Reading) { r.Symbol, r.Likelihood = 0, []uint16{65535, 1, 1} }),
			with(func(r *Reading) { r.Symbol, r.Likelihood = 0, []uint16{65535, 2, 1} })}, laws, declared},
		"short likelihood":      {[]Reading{with(func(r *Reading) { r.Symbol, r.Likelihood = 0, []uint16{65535, 1} })}, laws, declared},
		"likelihood of nothing": {[]Reading{with(func(r *Reading) { r.Symbol, r.Likelihood = 0, []uint16{0, 0, 0} })}, laws, declared},
		"likelihood and symbol": {[]Reading{with(func(r *Reading) { r.Likelihood = []uint16{65535, 1, 1} })}, laws, declared},
	} {
		if ev := Weigh(c.rs, c.laws, c.ch); len(ev) != 0 {
			t.Errorf("%s: %v", name, ev)
		}
	}
	if ev := Weigh([]Reading{good, good}, laws, declared); len(ev) != 1 {
		t.Errorf("read twice alike: %d pieces of evidence, want 1", len(ev))
	}
	for _, r := range []Reading{good, {Site: good.Site, Class: ClassID, Q: 2}, {Class: ClassID, Q: 24, State: Other}} {
		if err := r.Check(); err != nil {
			t.Error(err)
		}
	}
}

// The order in which sites were read changes nothing.
func TestWeighSorts(t *testing.T) {
	rs := hardReadings(2, 3, 4, 5, 6)
	back := slices.Clone(rs)
	slices.Reverse(back)
	a, b := weighSingle(rs), weighSingle(back)
	if !slices.EqualFunc(a, b, func(x, y Evidence) bool { return x.Site == y.Site && slices.Equal(x.Score, y.Score) }) {
		t.Error("evidence depends on the order of readings")
	}
	var pkg Key
	if Score(a, CopyKey(pkg, [16]byte{1})) != Score(b, CopyKey(pkg, [16]byte{1})) {
		t.Error("the score depends on the order of readings")
	}
}

// Score is the sum over sites of what Symbol shows.
func TestScoreSumsSymbols(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := weighSingle([]Reading{genReading(t, 2, true), genReading(t, 24, false), genReading(t, 3, true)})
		k := Key{rapid.Byte().Draw(t, "key")}
		var want int64
		for _, e := range ev {
			want += e.Score[Symbol(k, e.Site, e.Law)]
		}
		if got := Score(ev, k); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}

// Thousands of likelihood readings make the lattice coarser, and nothing else:
// still no rounding when the tail is computed.
func TestManyLikelihoodsStayExact(t *testing.T) {
	ev, s := mixed(9, 900, 1, .9)
	g := int64(0)
	for _, e := range ev {
		for _, x := range e.Score {
			g = gcd(x, g)
		}
	}
	if g = max(g, -g); g <= finestGrain || g > ScoreUnit {
		t.Errorf("scores of 900 likelihoods stand on a lattice of %d", g)
	}
	if u, e, rounded := bounds(ev, s, standard); rounded != 0 || u > e*(1+1e-8) {
		t.Errorf("rounded to %d: upper %g, estimate %g", rounded, u, e)
	}
}

// FuzzWeigh: any bytes as readings neither panic nor earn more than they can.
func FuzzWeigh(f *testing.F) {
	f.Add([]byte{0, 1, 2, 1, 1, 0, 0, 0, 0, 1, 2, 1, 0, 2, 255, 255, 0, 1})
	f.Add([]byte{3, 2, 24, 1, 23, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var rs []Reading
		for len(b) >= 6 && len(rs) < 30 {
			r := Reading{Site: SiteID{b[0]}, Class: Class(b[1] % 8), Q: b[2] % 27, State: State(b[3] % 4), Symbol: b[4]}
			n := int(b[5] % 26)
			for b = b[6:]; n > 0 && len(b) >= 2; n, b = n-1, b[2:] {
				r.Likelihood = append(r.Likelihood, binary.BigEndian.Uint16(b))
			}
			if err := r.Check(); err != nil && !errors.Is(err, ErrParameter) {
				t.Fatal(err)
			}
			rs = append(rs, r)
		}
		ev := weighSingle(rs)
		s := Score(ev, Key{1})
		if p := PUpper(ev, s); !(p >= Floor && p <= 1) {
			t.Errorf("p = %g", p)
		}
	})
}
