package fpcode

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// exactTail enumerates all outcomes in rational arithmetic.
func exactTail(ev []Evidence, s int64) *big.Rat {
	type atoms = map[int64]*big.Int
	now := atoms{0: big.NewInt(1)}
	for _, e := range ev {
		next := atoms{}
		for d, w := range now {
			for v, x := range e.Score {
				if next[d+x] == nil {
					next[d+x] = new(big.Int)
				}
				next[d+x].Add(next[d+x], new(big.Int).Mul(w, new(big.Int).SetUint64(e.Law.Weight(v))))
			}
		}
		now = next
	}
	sum := new(big.Int)
	for d, w := range now {
		if d >= s {
			sum.Add(sum, w)
		}
	}
	return new(big.Rat).SetFrac(sum, new(big.Int).Lsh(big.NewInt(1), uint(32*len(ev))))
}

func genLaw(t *rapid.T, q int) Law {
	if rapid.Bool().Draw(t, "even law") {
		return Even(SiteID{}, uint8(q))
	}
	parts := rapid.SliceOfN(rapid.Uint64Range(1, 1000), q, q).Draw(t, "parts")
	var total, at uint64
	for _, p := range parts {
		total += p
	}
	cum := []uint64{0}
	for _, p := range parts {
		at += p
		cum = append(cum, at*one32/total)
	}
	l, err := NewLaw(cum)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func genReading(t *rapid.T, q int, hard bool) Reading {
	r := Reading{Class: rapid.SampledFrom(Classes()).Draw(t, "class"), Q: uint8(q), State: Value}
	binary.BigEndian.PutUint64(r.Site[:], rapid.Uint64().Draw(t, "site"))
	if hard {
		r.Symbol = uint8(rapid.IntRange(0, q-1).Draw(t, "symbol"))
		return r
	}
	r.Likelihood = rapid.SliceOfN(rapid.Uint16(), q, q).Draw(t, "likelihood")
	r.Likelihood[rapid.IntRange(0, q-1).Draw(t, "best")] = 65535
	return r
}

// genEvidence draws small problems of three sorts: hard readings and
// likelihoods through Weigh, and scores on no lattice at all.
func genEvidence(t *rapid.T, most int) (ev []Evidence) {
	sort := rapid.IntRange(0, 2).Draw(t, "sort")
	n, outcomes := rapid.IntRange(1, most).Draw(t, "sites"), 1
	for range n {
		q := rapid.SampledFrom([]int{2, 2, 2, 3, 4, 6, 24}).Draw(t, "q")
		if outcomes *= q; outcomes > 3000 && len(ev) > 0 {
			break // there is enough to enumerate
		}
		law := genLaw(t, q)
		var e Evidence
		if sort == 2 {
			e = Evidence{Law: law, Score: rapid.SliceOfN(rapid.Int64Range(-300_000, 200_000), q, q).Draw(t, "score")}
		} else {
			r := genReading(t, q, sort == 0)
			ws := Weigh([]Reading{r}, func(SiteID, uint8) Law { return law }, Declared())
			e = ws[0]
		}
		ev = append(ev, e)
	}
	return ev
}

// attainable is the score of one holder drawn by the law, tilted so that rare
// ones are met too.
func attainable(t *rapid.T, ev []Evidence) (s int64) {
	good := rapid.IntRange(0, 100).Draw(t, "percent best")
	for _, e := range ev {
		x := rapid.IntRange(0, len(e.Score)-1).Draw(t, "symbol")
		if rapid.IntRange(0, 99).Draw(t, "luck") < good {
			for v := range e.Score {
				if e.Score[v] > e.Score[x] {
					x = v
				}
			}
		}
		s += e.Score[x]
	}
	return s + rapid.Int64Range(-2, 2).Draw(t, "off")
}

func float(r *big.Rat) float64 { f, _ := r.Float64(); return f }

// The bound is a bound, and where no score was rounded it and the estimate are
// the truth.
func TestTailAgainstEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := genEvidence(t, 9)
		s := attainable(t, ev)
		want := exactTail(ev, s)
		upper, estimate := PUpper(ev, s), PEstimate(ev, s)
		if new(big.Rat).SetFloat64(upper).Cmp(want) < 0 && upper < 1 {
			t.Fatalf("upper %g is below the truth %g", upper, float(want))
		}
		if w := max(Floor, float(want)); upper > w*(1+1e-8) || math.Abs(estimate-w) > w*1e-9 {
			t.Fatalf("upper %g, estimate %g, truth %g", upper, estimate, w)
		}
	})
}

// With next to no room to work in, scores are rounded coarsely: the bound must
// still be one, and stay within the looseness that its comment states.
func TestTailWhereScoresMustBeRounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := genEvidence(t, 9)
		s := attainable(t, ev)
		lim := limits{
			cells: rapid.Int64Range(16, 4096).Draw(t, "cells"),
			work:  float64(rapid.IntRange(1_000, 1_000_000).Draw(t, "work")),
			group: rapid.Int64Range(1, 64).Draw(t, "group"),
		}
		upper, estimate, step := bounds(ev, s, lim)
		if new(big.Rat).SetFloat64(upper).Cmp(exactTail(ev, s)) < 0 && upper < 1 {
			t.Fatalf("upper %g is below the truth %g", upper, float(exactTail(ev, s)))
		}
		// p at a score by so many steps lower, as the comments promise.
		at := func(steps float64) float64 {
			return min(1, max(Floor, float(exactTail(ev, s-int64(math.Ceil(steps*float64(step)))))))
		}
		sites := float64(len(ev))
		if upper > at(sites+1)*(1+1e-8) {
			t.Fatalf("step %d: upper %g is beyond %g", step, upper, at(sites+1))
		}
		if estimate > at(sites/2+1)*(1+1e-8) || estimate < at(-sites/2-1)*(1-1e-8) {
			t.Fatalf("step %d: estimate %g is outside %g and %g", step, estimate, at(-sites/2-1), at(sites/2+1))
		}
	})
}

// Where scores must be rounded, the estimate stays near the truth, which
// rounding up leaves behind.
func TestEstimateRoundsToTheNearest(t *testing.T) {
	var worst float64
	for seed := range uint64(4) {
		ev, s := mixed(seed, 60, 1, .8)
		_, truth, rounded := bounds(ev, s, standard)
		lim := standard
		lim.work = 1 << 19
		upper, estimate, step := bounds(ev, s, lim)
		if rounded != 0 || step < 512 {
			t.Fatalf("steps %d and %d", rounded, step)
		}
		worst = max(worst, math.Abs(estimate/truth-1))
		if upper < truth*1.05 {
			t.Errorf("step %d: upper %g, truth %g: not a test of rounding", step, upper, truth)
		}
	}
	if worst > .03 {
		t.Errorf("the estimate is off by %.1f %%", 100*worst)
	}
}

// A tail of a binomial, in big floats.
func binomialTail(n, k int, num, den int64) *big.Rat {
	sum := new(big.Rat)
	p, q := big.NewRat(num, den), big.NewRat(den-num, den)
	pow := func(r *big.Rat, n int) *big.Rat {
		return new(big.Rat).SetFrac(
			new(big.Int).Exp(r.Num(), big.NewInt(int64(n)), nil), new(big.Int).Exp(r.Denom(), big.NewInt(int64(n)), nil))
	}
	for j := k; j <= n; j++ {
		t := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(j)))
		sum.Add(sum, t.Mul(t, new(big.Rat).Mul(pow(p, j), pow(q, n-j))))
	}
	return sum
}

func hardReadings(qs ...int) (rs []Reading) {
	for i, q := range qs {
		r := Reading{Class: ClassProse, Q: uint8(q), State: Value, Symbol: uint8(i % q)}
		binary.BigEndian.PutUint32(r.Site[:], uint32(i))
		rs = append(rs, r)
	}
	return rs
}

func repeat(q, n int) (qs []int) {
	for range n {
		qs = append(qs, q)
	}
	return qs
}

func weighSingle(rs []Reading) []Evidence {
	return Weigh(rs, Even, Declared())
}

// At q = 2 the score only counts matches, so the tail is the binomial's, down
// to the floor.
func TestTailOfBinarySitesIsBinomial(t *testing.T) {
	for _, n := range []int{1, 2, 27, 100, 400, 990} {
		ev := weighSingle(hardReadings(repeat(2, n)...))
		match, miss := ev[0].Score[ev0(ev)], ev[0].Score[1-ev0(ev)]
		for k := 0; k <= n; k += 1 + n/17 {
			s := int64(k)*match + int64(n-k)*miss
			want := float(binomialTail(n, k, 1, 2))
			upper, estimate := PUpper(ev, s), PEstimate(ev, s)
			if upper < want || upper > want*(1+1e-8) || math.Abs(estimate/want-1) > 1e-9 {
				t.Errorf("%d of %d: upper %g, estimate %g, want %g", k, n, upper, estimate, want)
			}
			// One unit more asks for one match more.
			if k < n && want < .99 {
				if next := PUpper(ev, s+1); next >= estimate {
					t.Errorf("%d of %d: %g at s, %g right above", k, n, estimate, next)
				}
			}
		}
	}
}

func ev0(ev []Evidence) int {
	if ev[0].Score[0] > ev[0].Score[1] {
		return 0
	}
	return 1
}

func TestTailAtTheEnds(t *testing.T) {
	ev := weighSingle(hardReadings(2, 3, 4, 24))
	var top, bottom int64
	for _, e := range ev {
		hi, lo := e.Score[0], e.Score[0]
		for _, x := range e.Score {
			hi, lo = max(hi, x), min(lo, x)
		}
		top, bottom = top+hi, bottom+lo
	}
	for _, c := range []struct {
		name string
		s    int64
		want float64
	}{
		{"least int", math.MinInt64, 1},
		{"all reach the bottom", bottom, 1},
		{"none beats the top", top + 1, Floor},
		{"greatest int", math.MaxInt64, Floor},
	} {
		if got := PUpper(ev, c.s); got != c.want {
			t.Errorf("%s: upper %g, want %g", c.name, got, c.want)
		}
		if p, se := PSampled(ev, c.s, [32]byte{}, 100); p != c.want || se != 0 {
			t.Errorf("%s: sampled %g ± %g, want %g", c.name, p, se, c.want)
		}
	}
	if got, want := PEstimate(ev, top), 1/(2*3*4*24.0); math.Abs(got/want-1) > 1e-8 {
		t.Errorf("all match: %g, want %g", got, want)
	}
	if got := PUpper(nil, 0); got != 1 {
		t.Errorf("no evidence: %g, want 1", got)
	}
}

// Nothing is stated below the floor, and three floors agree.
func TestTailBelowTheFloor(t *testing.T) {
	ev := weighSingle(hardReadings(repeat(2, 2000)...))
	s := int64(0)
	for _, e := range ev {
		s += max(e.Score[0], e.Score[1])
	}
	p, se := PSampled(ev, s, [32]byte{}, 1000)
	if u, e := PUpper(ev, s), PEstimate(ev, s); u != Floor || e != Floor || p != Floor || !Consistent(u, e, p, se) {
		t.Errorf("upper %g, estimate %g, sampled %g ± %g", u, e, p, se)
	}
}

func TestTailNeverRisesWithTheScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := genEvidence(t, 15)
		s := attainable(t, ev)
		more := s + rapid.Int64Range(0, 200_000).Draw(t, "more")
		if PUpper(ev, more) > PUpper(ev, s)*(1+1e-8) || PEstimate(ev, more) > PEstimate(ev, s)*(1+1e-8) {
			t.Fatalf("p rises from %g at %d to %g at %d", PUpper(ev, s), s, PUpper(ev, more), more)
		}
	})
}

// Scores are log-likelihood ratios rounded down, so that exp(score) is an
// e-value and Markov's inequality holds: a check of scores and tail together.
func TestTailObeysMarkov(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "sites")
		var rs []Reading
		for range n {
			rs = append(rs, genReading(t, rapid.IntRange(2, 24).Draw(t, "q"), rapid.Bool().Draw(t, "hard")))
		}
		ev := weighSingle(rs)
		s := attainable(t, ev)
		if markov := math.Exp(-float64(s) / ScoreUnit); PUpper(ev, s) > markov*(1+1e-6) && markov > Floor {
			t.Fatalf("upper %g beats Markov's %g", PUpper(ev, s), markov)
		}
	})
}

// mixed is a realistic problem: n sites of all kinds, a share of them
// likelihoods, and a copy that matches all but the given share.
func mixed(seed uint64, n int, soft, miss float64) (ev []Evidence, s int64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	qs := []int{2, 2, 2, 3, 3, 4, 6, 24}
	var rs []Reading
	for i := range n {
		q := qs[rng.IntN(len(qs))]
		r := Reading{Class: ClassProse, Q: uint8(q), State: Value}
		binary.BigEndian.PutUint32(r.Site[:], uint32(i))
		if rng.Float64() < soft {
			for range q {
				r.Likelihood = append(r.Likelihood, uint16(rng.IntN(20000)))
			}
			r.Likelihood[rng.IntN(q)] = 65535
		} else {
			r.Symbol = uint8(rng.IntN(q))
		}
		rs = append(rs, r)
	}
	ev = weighSingle(rs)
	for _, e := range ev {
		x := rng.IntN(len(e.Score))
		if rng.Float64() >= miss {
			for v := range e.Score {
				if e.Score[v] > e.Score[x] {
					x = v
				}
			}
		}
		s += e.Score[x]
	}
	return ev, s
}

// The three ways agree on problems of every size and rarity.
func TestThreeWaysAgree(t *testing.T) {
	for i, c := range []struct {
		n          int
		soft, miss float64
	}{
		{5, 0, 0}, {30, 0, .1}, {30, 1, .1}, {60, .5, 1}, {60, 0, .5}, {100, 0, .2}, {100, .3, .4},
		{100, 0, .9}, {300, 0, .3}, {300, .1, .6}, {20, 1, .4},
	} {
		ev, s := mixed(uint64(i), c.n, c.soft, c.miss)
		if c.n == 20 { // sites alike in everything
			ev, s = slices.Repeat(ev, 4), 4*s
		}
		upper, estimate := PUpper(ev, s), PEstimate(ev, s)
		p, se := PSampled(ev, s, [32]byte{byte(i)}, 20_000)
		t.Logf("%3d sites, %.0f %% soft: upper %.6g estimate %.6g sampled %.4g ± %.1f %%", c.n, 100*c.soft, upper, estimate, p, 100*se/p)
		if !Consistent(upper, estimate, p, se) {
			t.Errorf("case %d: not consistent: upper %g estimate %g sampled %g ± %g", i, upper, estimate, p, se)
		}
	}
}

var threeWays = flag.Int("threeways", 10, "random problems on which the three ways of computing p are compared")

// Random problems: all consistent, and the z-scores of the sampled against the
// estimate are what they should be of a mean of many draws.
func TestThreeWaysAgreeAtRandom(t *testing.T) {
	inconsistent, far, n := 0, 0, *threeWays
	var sumZ, sumZZ, least float64
	for i := range n {
		rng := rand.New(rand.NewPCG(uint64(i), 99))
		ev, s := mixed(rng.Uint64(), 1+rng.IntN(200), []float64{0, 0, .1, 1}[rng.IntN(4)], rng.Float64())
		upper, estimate, _ := bounds(ev, s, standard)
		p, se := PSampled(ev, s, [32]byte{byte(i), byte(i >> 8)}, Trials)
		least = min(least, math.Log10(estimate))
		if !Consistent(upper, estimate, p, se) {
			inconsistent++
			t.Logf("problem %d: upper %g estimate %g sampled %g ± %g", i, upper, estimate, p, se)
		}
		if math.Abs(p/estimate-1) > .05 {
			far++
		}
		if se > 1e-9*p {
			z := (p - estimate) / se
			sumZ, sumZZ = sumZ+z, sumZZ+z*z
		}
	}
	t.Logf("%d problems down to 1e%.0f: %d inconsistent, %d with sampled more than 5 %% from estimate; mean z %.3f, mean z² %.3f",
		n, least, inconsistent, far, sumZ/float64(n), sumZZ/float64(n))
	if inconsistent > 0 {
		t.Errorf("%d of %d are inconsistent", inconsistent, n)
	}
	if z := sumZ / math.Sqrt(float64(n)); math.Abs(z) > 5 || sumZZ/float64(n) > 1.5+5/math.Sqrt(float64(n)) {
		t.Errorf("sampled is biased, or its standard error is: mean z is %.1f standard errors off", z)
	}
}

func BenchmarkBounds(b *testing.B) {
	for _, c := range []struct {
		n          int
		soft, miss float64
	}{{60, 0, .1}, {60, 0, 1}, {300, 0, .2}, {300, 0, 1}, {2000, 0, .2}, {2000, 0, 1}, {60, 1, 1}, {300, 1, .2}, {300, 1, 1}, {2000, 1, .8}, {2000, 1, 1}} {
		ev, s := mixed(1, c.n, c.soft, c.miss)
		b.Run(fmt.Sprintf("bounds/%d sites/soft %g/miss %g", c.n, c.soft, c.miss), func(b *testing.B) {
			var u, e float64
			for b.Loop() {
				u, e, _ = bounds(ev, s, standard)
			}
			b.ReportMetric(u/e, "upper/estimate")
			b.ReportMetric(math.Log10(e), "log10p")
		})
		b.Run(fmt.Sprintf("sampled/%d sites/soft %g/miss %g", c.n, c.soft, c.miss), func(b *testing.B) {
			var p, se float64
			for b.Loop() {
				p, se = PSampled(ev, s, [32]byte{}, Trials)
			}
			b.ReportMetric(100*se/p, "%se")
		})
	}
}
