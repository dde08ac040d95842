package fpcode

import (
	"encoding/binary"
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

var (
	innocents = flag.Int("innocents", 200_000, "simulated innocents, symbols straight from a generator")
	keyed     = flag.Int("keyed", 40_000, "simulated innocents with copy keys, through the real PRF")
	specimens = flag.Int("specimens", 6, "specimens that they are held against")
	simSeed   = flag.Uint64("simseed", 1, "seed of the simulated innocents")
)

// critical is the least score that PUpper grants a probability of alpha or
// less: an innocent is accused at alpha just when they reach it.
func critical(ev []Evidence, alpha float64) int64 {
	_, top, bottom := sumTerms(ev)
	// All scores stand on the lattice. PUpper(lo) > alpha ≥ PUpper(hi).
	lo, hi := bottom/finestGrain, top/finestGrain+1
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; PUpper(ev, mid*finestGrain) <= alpha {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi * finestGrain
}

// accuser is one specimen's evidence, ready to score simulated innocents.
type accuser struct {
	ev       []Evidence
	critical int64
	expected float64 // PEstimate at the critical score
}

// accusers are specimens of all sorts: 20 to 120 sites, mixtures of q up to 24,
// hard readings or up to a third likelihoods. What copy a specimen comes from
// makes no difference to the innocent; its readings here come from no copy.
func accusers(seed uint64, n int, alpha float64) (out []accuser) {
	for i := range n {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		ev, _ := mixed(rng.Uint64(), 20+rng.IntN(101), []float64{0, 0, 0, .1, .33}[rng.IntN(5)], 1)
		s := critical(ev, alpha)
		out = append(out, accuser{ev, s, PEstimate(ev, s)})
	}
	return out
}

// run scores n innocents whose symbols are drawn from rng by the law.
func (a accuser) run(rng *rand.PCG, n int) (accused int) {
	type site struct {
		cum   []uint64
		score []int64
	}
	var sites []site
	for _, e := range a.ev {
		sites = append(sites, site{e.Law.cum, e.Score})
	}
	for range n {
		var s int64
		for i := range sites {
			// The even law's thresholds are ⌊v·2³²/q⌋: this guess is right or
			// one too low.
			u := rng.Uint64() >> 32
			v := u * uint64(len(sites[i].score)) >> 32
			if u >= sites[i].cum[v+1] {
				v++
			}
			s += sites[i].score[v]
		}
		if s >= a.critical {
			accused++
		}
	}
	return accused
}

func (a accuser) runKeyed(rng *rand.ChaCha8, n int) (accused int) {
	var pkg Key
	rng.Read(pkg[:])
	var holder [16]byte
	for i := range n {
		binary.BigEndian.PutUint64(holder[:], uint64(i))
		if Score(a.ev, CopyKey(pkg, holder)) >= a.critical {
			accused++
		}
	}
	return accused
}

// TestInnocents accuses simulated innocents at alpha = 1e-3 and holds the rate
// against the nominal one and against the estimate. The long run is
//
//	go test ./internal/fpcode -run TestInnocents -v -innocents 10000000 -keyed 1000000 -specimens 80
func TestInnocents(t *testing.T) {
	const alpha = 1e-3
	as := accusers(*simSeed, *specimens, alpha)
	for name, c := range map[string]struct {
		n   int
		run func(i, n int) int
	}{
		"generator": {*innocents, func(i, n int) int { return as[i].run(rand.NewPCG(*simSeed, uint64(1000+i)), n) }},
		"keyed": {*keyed, func(i, n int) int {
			var seed [32]byte
			binary.BigEndian.PutUint64(seed[:], *simSeed)
			seed[31] = byte(i)
			return as[i].runKeyed(rand.NewChaCha8(seed), n)
		}},
	} {
		each := c.n / len(as)
		counts := make([]int, len(as))
		var wg sync.WaitGroup
		limit := make(chan struct{}, runtime.GOMAXPROCS(0))
		for i := range counts {
			wg.Go(func() {
				limit <- struct{}{}
				counts[i] = c.run(i, each)
				<-limit
			})
		}
		wg.Wait()
		accused, expected := 0, 0.0
		for i := range counts {
			accused += counts[i]
			expected += as[i].expected / float64(len(as))
		}
		n := each * len(as)
		lo, hi := clopperPearson(accused, n, .05)
		t.Logf("%s: %d innocents, %d accused at %g: rate %.4g, 95 %% interval [%.4g, %.4g], %.3f of nominal [%.3f, %.3f]; p_estimate foretold %.4g (%.4f of it observed)",
			name, n, accused, alpha, float64(accused)/float64(n), lo, hi,
			float64(accused)/float64(n)/alpha, lo/alpha, hi/alpha, expected, float64(accused)/float64(n)/expected)
		// One in a million runs may fail by chance.
		lo, hi = clopperPearson(accused, n, 1e-6)
		if lo > alpha {
			t.Errorf("%s: too many accused: [%.4g, %.4g] lies above %g", name, lo, hi, alpha)
		}
		if expected < lo || expected > hi {
			t.Errorf("%s: p_estimate foretold %.4g, observed [%.4g, %.4g]", name, expected, lo, hi)
		}
	}
}

// clopperPearson is the exact interval of a rate from k of n at level
// 1-level (Clopper and Pearson, Biometrika 26, 1934).
func clopperPearson(k, n int, level float64) (lo, hi float64) {
	solve := func(f func(p float64) bool) float64 { // the p where f turns true
		lo, hi := 0.0, 1.0
		for range 100 {
			if mid := (lo + hi) / 2; f(mid) {
				hi = mid
			} else {
				lo = mid
			}
		}
		return hi
	}
	lo, hi = 0, 1
	if k > 0 {
		lo = solve(func(p float64) bool { return atLeast(k, n, p) > level/2 })
	}
	if k < n {
		hi = solve(func(p float64) bool { return 1-atLeast(k+1, n, p) < level/2 })
	}
	return lo, hi
}

// atLeast is P(Binomial(n, p) ≥ k), summed from its greatest term outwards.
func atLeast(k, n int, p float64) float64 {
	if k <= 0 || p >= 1 {
		return 1
	}
	if p <= 0 {
		return 0
	}
	logTerm := func(j int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(j + 1))
		c, _ := math.Lgamma(float64(n - j + 1))
		return a - b - c + float64(j)*math.Log(p) + float64(n-j)*math.Log1p(-p)
	}
	odds := p / (1 - p)
	if float64(k) > float64(n)*p {
		term, sum := math.Exp(logTerm(k)), 0.0
		for j := k; j <= n && term > sum*1e-17; j++ {
			sum += term
			term *= float64(n-j) / float64(j+1) * odds
		}
		return sum
	}
	term, sum := math.Exp(logTerm(k-1)), 0.0
	for j := k - 1; j >= 0 && term > sum*1e-17; j-- {
		sum += term
		term *= float64(j) / float64(n-j+1) / odds
	}
	return 1 - sum
}

func TestClopperPearson(t *testing.T) {
	// Published values: 0 of 10 gives [0, .3085], 5 of 10 [.1871, .8129],
	// 10 of 100 [.0490, .1762].
	for _, c := range []struct {
		k, n   int
		lo, hi float64
	}{{0, 10, 0, .3085}, {5, 10, .1871, .8129}, {10, 100, .0490, .1762}} {
		if lo, hi := clopperPearson(c.k, c.n, .05); math.Abs(lo-c.lo) > 5e-5 || math.Abs(hi-c.hi) > 5e-5 {
			t.Errorf("%d of %d: [%.4f, %.4f], want [%.4f, %.4f]", c.k, c.n, lo, hi, c.lo, c.hi)
		}
	}
}
