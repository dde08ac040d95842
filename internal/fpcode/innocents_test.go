package fpcode

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"forewarn/internal/rate"
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
		lo, hi := rate.Exact(accused, n, .05)
		t.Logf("%s: %d innocents, %d accused at %g: rate %.4g, 95 %% interval [%.4g, %.4g], %.3f of nominal [%.3f, %.3f]; p_estimate foretold %.4g (%.4f of it observed)",
			name, n, accused, alpha, float64(accused)/float64(n), lo, hi,
			float64(accused)/float64(n)/alpha, lo/alpha, hi/alpha, expected, float64(accused)/float64(n)/expected)
		// One in a million runs may fail by chance.
		lo, hi = rate.Exact(accused, n, 1e-6)
		if lo > alpha {
			t.Errorf("%s: too many accused: [%.4g, %.4g] lies above %g", name, lo, hi, alpha)
		}
		if expected < lo || expected > hi {
			t.Errorf("%s: p_estimate foretold %.4g, observed [%.4g, %.4g]", name, expected, lo, hi)
		}
	}
}
