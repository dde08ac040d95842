package fpcode

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"forewarn/internal/rate"
)

func TestBetsAreAMixture(t *testing.T) {
	sum := 0.0
	for i, b := range bets {
		sum += math.Ldexp(1, -int(b.weight))
		if b.lambda == 0 || b.lambda >= 64 || i > 0 && b.lambda <= bets[i-1].lambda {
			t.Errorf("bet %d is %d/64", i, b.lambda)
		}
	}
	if sum != 1 {
		t.Errorf("the weights add up to %g", sum)
	}
}

// Against math.Log and math.Exp, which the package itself must not use.
func TestWealthAgainstFloat(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		var w Wealth
		var ref [len(bets)]float64
		for range 1 + rng.IntN(40) {
			s := rng.Int64N(40*ScoreUnit) - 22*ScoreUnit
			if rng.IntN(10) == 0 {
				s = Worst
			}
			w.Add(s)
			lr := 0.0
			if s != Worst {
				lr = math.Exp(min(float64(s)/ScoreUnit, 14))
			}
			for i, b := range bets {
				l := float64(b.lambda) / 64
				ref[i] += math.Log(1 - l + l*lr)
			}
		}
		sum := 0.0
		for i, b := range bets {
			sum += math.Exp(ref[i] - ref[2] - float64(b.weight)*math.Ln2)
		}
		want := (math.Log(sum) + ref[2]) * (1 << logUnit)
		if got := float64(w.Log()); got > want+0.5 || got < want-400 {
			t.Fatalf("ln E is %.1f units; by floating point %.1f", got, want)
		}
	}
	if l := (Wealth{}).Log(); l > 0 || l < -8 {
		t.Errorf("before any case ln E is %d units", l)
	}
}

// One case: over all symbol vectors of an innocent, weighted with their exact
// probabilities, E has expectation 1 at most, and not much less.
func TestExpectationOfOneCase(t *testing.T) {
	for seed := range uint64(30) {
		ev, _ := mixed(seed, 5, []float64{0, .5}[seed%2], 1)
		sum := 0.0
		var walk func(i int, p float64, s int64)
		walk = func(i int, p float64, s int64) {
			if i == len(ev) {
				var w Wealth
				w.Add(s)
				sum += p * math.Exp(float64(w.Log())/(1<<logUnit))
				return
			}
			if ev[i].Law.Q() > 6 {
				walk(i+1, p, s) // keeps it small: that site is left out
				return
			}
			for v, x := range ev[i].Score {
				walk(i+1, p*ev[i].Law.P(v), s+x)
			}
		}
		walk(0, 1, 0)
		if sum > 1 || sum < 0.99 {
			t.Errorf("seed %d: the expectation of E is %.9f", seed, sum)
		}
	}
}

// nullCases is a few hard readings at even odds and what each symbol earns.
func nullCases() []Evidence {
	var readings []Reading
	for i := range 3 {
		readings = append(readings, Reading{Site: SiteID{1, byte(i)}, Class: ClassProse, Q: 2, State: Value})
	}
	return Weigh(readings, Even, Declared())
}

// innocentsReach simulates innocents over many cases and counts those whose E
// ever reached 1/alpha. count gives the scores that a case counts with.
func innocentsReach(n, cases int, alphaPico uint64, count func(*rand.Rand, []Evidence) []int64) (reached int) {
	rng := rand.New(rand.NewPCG(3, 1939))
	ev := nullCases()
	for range n {
		var w Wealth
		for range cases {
			for _, s := range count(rng, ev) {
				w.Add(s)
			}
			if w.Reaches(1, alphaPico) {
				reached++
				break
			}
		}
	}
	return reached
}

func innocent(rng *rand.Rand, ev []Evidence) (s int64) {
	for i := range ev {
		s += ev[i].Score[rng.IntN(2)]
	}
	return s
}

// Ville's inequality holds in the simulation, and is nearly met: a process that
// pays out a little more than it may breaks it. Three that do are tried as well.
func TestInnocentsNeverReach(t *testing.T) {
	const alpha, n, cases = 0.1, 3000, 150
	test := func(count func(*rand.Rand, []Evidence) []int64) (lo, hi float64, k int) {
		k = innocentsReach(n, cases, alpha*1e12, count)
		lo, hi = rate.Exact(k, n, 1e-6)
		return lo, hi, k
	}
	lo, hi, k := test(func(rng *rand.Rand, ev []Evidence) []int64 { return []int64{innocent(rng, ev)} })
	t.Logf("%d of %d innocents reached 1/%g in %d cases: [%.4f, %.4f]", k, n, alpha, cases, lo, hi)
	if lo > alpha {
		t.Errorf("innocents reach 1/alpha at a rate of [%.4f, %.4f], more than %g", lo, hi, alpha)
	}
	if hi < alpha/2 {
		t.Errorf("innocents reach 1/alpha at a rate of [%.4f, %.4f]: far below %g, so this test shows little", lo, hi, alpha)
	}
	for name, wrong := range map[string]func(*rand.Rand, []Evidence) []int64{
		"the same text counted twice": func(rng *rand.Rand, ev []Evidence) []int64 { s := innocent(rng, ev); return []int64{s, s} },
		"a quarter of a nat too much": func(rng *rand.Rand, ev []Evidence) []int64 { return []int64{innocent(rng, ev) + ScoreUnit/4} },
		"cases that speak against it left out": func(rng *rand.Rand, ev []Evidence) []int64 {
			if s := innocent(rng, ev); s > -ScoreUnit*4 {
				return []int64{s}
			}
			return nil
		},
	} {
		if lo, hi, k := test(wrong); lo <= alpha {
			t.Errorf("%s: %d of %d reached it, [%.4f, %.4f]; the test would not notice", name, k, n, lo, hi)
		}
	}
}

func TestAdmissionWeights(t *testing.T) {
	sum := new(big.Rat)
	for i := 1; i <= 1000; i++ {
		sum.Add(sum, big.NewRat(1, int64(AdmissionWeight(i))))
	}
	if want := big.NewRat(1000, 1001); sum.Cmp(want) != 0 {
		t.Errorf("the first thousand add up to %s, not %s", sum, want)
	}
	var w Wealth
	for range 3 {
		w.Add(capScore)
	}
	if w.Reaches(AdmissionWeight(0), 1e6) || w.Reaches(1, 0) {
		t.Error("a holder that was never admitted, or no alpha, is reached")
	}
}

// The threshold is met exactly where E is: one unit of score less does not do.
func TestReaches(t *testing.T) {
	var one Wealth
	one.Add(1 << 40)
	if one.Reaches(AdmissionWeight(1), 1_000_000) {
		t.Error("one case alone reaches the lowest threshold at 10⁻⁶")
	}
	one.Add(1 << 40)
	if !one.Reaches(AdmissionWeight(1), 1_000_000) || !one.Reaches(AdmissionWeight(100), 1_000_000) {
		t.Errorf("two cases at the cap reach no threshold: ln E is %g", float64(one.Log())/(1<<logUnit))
	}
	for _, c := range []struct{ weight, alpha uint64 }{{2, 1e6}, {10100, 1e6}, {1 << 40, 3}, {6, 5e11}} {
		need := math.Log(float64(c.weight) * 1e12 / float64(c.alpha))
		for _, off := range []float64{-1e-6, 1e-6} {
			w := Wealth{}
			for i := range w.log {
				w.log[i] = int64((need + off) * (1 << logUnit))
			}
			if got := w.Reaches(c.weight, c.alpha); got != (off > 0) {
				t.Errorf("weight %d, alpha %d: at %+g nat of the threshold it is %t", c.weight, c.alpha, off, got)
			}
		}
	}
}

func TestRoundDown2(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	logs := []int64{0, -1, 1, 9889527670, 9889527671, -9889527671, 9889527671 * 40, 9889527671 * 300}
	for range 20000 {
		logs = append(logs, rng.Int64N(1400<<logUnit)-700<<logUnit)
	}
	for _, l := range logs {
		s := RoundDown2(l)
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || len(s) < 7 {
			t.Fatalf("%d prints as %q", l, s)
		}
		exact := float64(l) / (1 << logUnit)
		if off := exact - math.Log(v); off < -1e-12*math.Abs(exact)-1e-13 || off > 0.0955 {
			t.Fatalf("%d, e^%g, prints as %s: off by %g", l, exact, s, off)
		}
	}
	if s := RoundDown2(int64(math.Log(2.39e8) * (1 << logUnit))); s != "2.3e+08" {
		t.Errorf("2.39·10⁸ prints as %s", s)
	}
}

func TestNewSites(t *testing.T) {
	at := func(site byte, s State, v uint8) Reading {
		return Reading{Site: SiteID{site}, Class: ClassProse, Q: 2, State: s, Symbol: v}
	}
	sets := [][]Reading{
		{at(1, Value, 0), at(2, Erased, 0), at(3, Other, 0)},
		{at(1, Value, 1), at(2, Value, 1), at(3, Value, 0)},
		{at(1, Value, 0), at(2, Value, 1), at(4, Value, 1)},
	}
	sites := func(sets [][]Reading) (out [][]byte) {
		for _, s := range sets {
			var one []byte
			for _, r := range s {
				one = append(one, r.Site[0])
			}
			out = append(out, one)
		}
		return out
	}
	for _, c := range []struct {
		used func(Reading) bool
		want [][]byte
	}{
		{nil, [][]byte{{1, 2, 3}, {2, 3}, {4}}},
		{func(Reading) bool { return true }, [][]byte{{1, 2, 3}, nil, {4}}},
	} {
		if got := sites(NewSites(sets, c.used)); !slices.EqualFunc(got, c.want, slices.Equal[[]byte]) {
			t.Errorf("new are %v, not %v", got, c.want)
		}
	}
}
