package fpcode

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"forewarn/internal/rate"
)

var (
	tests1e = flag.Float64("innocentbits", 4e6, "simulated innocents of the default profile, bit by bit")
	joints  = flag.Int("joints", 6, "specimens of merged copies that all innocents are tested against")
	crowd   = flag.Int("crowd", 400, "copies issued in each of them")
)

// criticalBy is the least score on the evidence's lattice whose probability by p is
// at most alpha.
func criticalBy(ev []Evidence, alpha float64, p func([]Evidence, int64) float64) int64 {
	_, top, bottom := sumTerms(ev)
	var grain int64
	for _, e := range ev {
		for _, s := range e.Score {
			grain = gcd(s, grain)
		}
	}
	grain = max(grain, -grain, 1)
	lo, hi := bottom/grain, top/grain+1
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; p(ev, mid*grain) <= alpha {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi * grain
}

// TestInnocentsByBits holds p_estimate of the single decoder against innocents of
// the default profile, whose laws are made of whole random bits. The long run is
//
//	go test ./internal/fpcode -run InnocentsByBits -v -innocentbits 1e9
func TestInnocentsByBits(t *testing.T) {
	levels := []float64{1e-3, 1e-4, 1e-5, 1e-6}
	const specimens = 16
	counts := make([][]int, specimens)
	each := int(*tests1e) / specimens
	var wg sync.WaitGroup
	limit := make(chan bool, runtime.GOMAXPROCS(0))
	for i := range specimens {
		wg.Go(func() {
			limit <- true
			counts[i] = innocentBits(uint64(i), 64*(1+i%3), each, levels)
			<-limit
		})
	}
	wg.Wait()
	for j, level := range levels {
		k := 0
		for i := range counts {
			k += counts[i][j]
		}
		n := each * specimens
		lo, hi := rate.Exact(k, n, .05)
		t.Logf("p_estimate ≤ %g: %d of %d, %.4f of nominal, 95 %% interval [%.4f, %.4f]", level, k, n, float64(k)/float64(n)/level, lo/level, hi/level)
		if lo, _ := rate.Exact(k, n, 1e-6); lo > level {
			t.Errorf("too many at %g", level)
		}
	}
}

// innocentBits counts innocents that reach each level at one specimen of m sites.
func innocentBits(seed uint64, m, n int, levels []float64) []int {
	rng := rand.NewPCG(seed, 99)
	laws := [2]Law{}
	for i := range laws {
		laws[i], _ = Default.Law(2, uint8(i))
	}
	of := func(id SiteID, _ uint8) Law { return laws[min(1, id[15]%4)] }
	var rs []Reading
	for i := range m {
		r := Reading{Class: Classes()[i%5], Q: 2, State: Value, Symbol: uint8(rng.Uint64() & 1)}
		binary.BigEndian.PutUint64(r.Site[:], uint64(i))
		r.Site[15] = byte(rng.Uint64())
		rs = append(rs, r)
	}
	ev := Weigh(rs, of, Declared())
	sights, _ := sightsOf(rs, of)
	words := m / 64
	grain, base, weight := columnScores(ev, sights, words)
	// A column is set with probability ½, ¼ or ¾.
	half, quarter, most := make([]uint64, words), make([]uint64, words), make([]uint64, words)
	for _, s := range sights {
		mask := uint64(1) << (s.col & 63)
		switch s.law.P(int(s.bit)) {
		case .5:
			half[s.col>>6] |= mask
		case .25:
			quarter[s.col>>6] |= mask
		case .75:
			most[s.col>>6] |= mask
		default:
			panic("a law that is not made of two bits")
		}
	}
	critical := make([]int32, len(levels))
	for i, l := range levels {
		critical[i] = int32(criticalBy(ev, l, PEstimate) / grain)
	}
	tables := make([][8][256]int32, words)
	for w := range tables {
		for k := range 8 {
			for v := range 256 {
				for b := range 8 {
					if v>>b&1 != 0 {
						tables[w][k][v] += weight[64*w+8*k+b]
					}
				}
			}
		}
	}
	out := make([]int, len(levels))
	for range n {
		s := base
		for w := range words {
			a, b := rng.Uint64(), rng.Uint64()
			x := a&half[w] | a&b&quarter[w] | (a|b)&most[w]
			t := &tables[w]
			s += t[0][x&255] + t[1][x>>8&255] + t[2][x>>16&255] + t[3][x>>24&255] + t[4][x>>32&255] + t[5][x>>40&255] + t[6][x>>48&255] + t[7][x>>56]
		}
		for i, c := range critical {
			if s < c {
				break
			}
			out[i]++
		}
	}
	return out
}

// mixture is a specimen made to mislead: one to nine colluders, beyond what the
// decoder allows for; unequal shares; sites lost at random, in stretches, or where
// copies differ; values of their own; five classes, each treated in another way, or
// one that two to four delete or overwrite alike, so that what is missing tells.
func mixture(seed uint64, n int) (p Problem, colluders int) {
	rng := rand.New(rand.NewPCG(seed, 4242))
	var pkg Key
	binary.BigEndian.PutUint64(pkg[:], rng.Uint64())
	profile := Profiles()[rng.IntN(5)]
	m, c := 40+rng.IntN(160), 1+rng.IntN(9)
	dealt := profile.Deal(BiasKey(pkg), "x", m)
	laws := func(id SiteID, q uint8) Law {
		l, _ := profile.Law(int(q), dealt[binary.BigEndian.Uint32(id[:])])
		return l
	}
	how, lost, wrong := [6]int{}, rng.Float64()*.4, rng.Float64()*.1
	for i := range how {
		how[i] = rng.IntN(5)
	}
	stretch := 1 + rng.IntN(12)
	classes := 5
	if rng.IntN(2) == 0 {
		classes, c = 1, 2+rng.IntN(3)
		for i := range how {
			how[i] = []int{1, 2, 5}[seed%3]
		}
	}
	gone := false
	for i := range m {
		r := Reading{Class: Classes()[i*classes/m], Q: 2, State: Value}
		if rng.IntN(8) == 0 {
			r.Q = 3
		}
		binary.BigEndian.PutUint32(r.Site[:], uint32(i))
		k := [3]int{}
		shown := make([]uint8, c)
		for j := range shown {
			shown[j] = Symbol(CopyKey(pkg, holderID(j)), r.Site, laws(r.Site, r.Q))
			k[shown[j]]++
		}
		if i%stretch == 0 {
			gone = rng.Float64() < lost
		}
		r.Symbol = shown[min(rng.IntN(c), rng.IntN(c))]
		switch mixed := k[shown[0]] < c; {
		case gone:
			r.State, r.Symbol = Erased, 0
		case mixed && how[r.Class] == 1:
			r.State, r.Symbol = Other, 0
		case mixed && (how[r.Class] == 5 || how[r.Class] == 2 && rng.IntN(2) == 0):
			r.State, r.Symbol = Erased, 0
		case mixed && how[r.Class] == 3: // what most show
			for v := range k {
				if k[v] > k[r.Symbol] {
					r.Symbol = uint8(v)
				}
			}
		case how[r.Class] == 4:
			r.Symbol = shown[int(r.Class)%c]
		}
		if r.State == Value && rng.Float64() < wrong {
			r.Symbol = uint8(rng.IntN(int(r.Q)))
		}
		if r.State == Value && rng.IntN(10) == 0 { // unsure, by whole nats as the reader is
			l := make([]uint16, r.Q)
			for v := range l {
				l[v] = 65535 >> (1 + rng.IntN(4))
			}
			l[r.Symbol] = 65535
			r.Symbol, r.Likelihood = 0, l
		}
		p.Readings = append(p.Readings, r)
	}
	p.Laws, p.Run, p.Alpha = laws, 1, 1e-6
	p.CopyKey = func(h [16]byte) Key { return CopyKey(pkg, h) }
	for i := range n {
		p.Holders = append(p.Holders, holderID(i))
	}
	return p, c
}

// TestJointInnocents runs the whole joint procedure, partners and all, and counts
// how often an innocent's p is small. The long run is
//
//	go test ./internal/fpcode -run JointInnocents -v -joints 5000 -crowd 2000 -timeout 0
func TestJointInnocents(t *testing.T) {
	levels := []float64{1e-2, 1e-3, 1e-4}
	var apart, telling, beside atomic.Int64
	counts := make([][]int, *joints)
	tested := make([]int, *joints)
	var wg sync.WaitGroup
	limit := make(chan bool, runtime.GOMAXPROCS(0))
	for i := range counts {
		limit <- true
		wg.Go(func() {
			var common []explanation
			counts[i], tested[i], common = jointInnocents(uint64(i)+*simSeed<<32, *crowd, levels)
			tells, known := false, false
			for _, e := range common {
				tells, known = tells || e.channel.Telling, known || len(e.partners) > 0
			}
			for n, yes := range map[*atomic.Int64]bool{&apart: len(common) > 1, &telling: tells, &beside: known} {
				if yes {
					n.Add(1)
				}
			}
			<-limit
		})
	}
	wg.Wait()
	n := 0
	for i := range tested {
		n += tested[i]
	}
	t.Logf("%d specimens: most copies are tested beside others in %d, by channels that tell in %d, class by class in %d", *joints, beside.Load(), telling.Load(), apart.Load())
	for j, level := range levels {
		k := 0
		for i := range counts {
			k += counts[i][j]
		}
		lo, hi := rate.Exact(k, n, .05)
		t.Logf("p_upper ≤ %g: %d of %d innocents, %.4f of nominal, 95 %% interval [%.4f, %.4f]", level, k, n, float64(k)/float64(n)/level, lo/level, hi/level)
		if lo, _ := rate.Exact(k, n, 1e-6); lo > level {
			t.Errorf("too many at %g", level)
		}
	}
}

func jointInnocents(seed uint64, n int, levels []float64) (out []int, tested int, common []explanation) {
	p, c := mixture(seed, n)
	sights, columns := sightsOf(p.Readings, p.Laws)
	words := codewordsOf(sights, columns, n, func(i int) Key { return p.CopyKey(p.Holders[i]) })
	all := testsFor(sights, words)
	scores := all.scores(sights, words)
	out = make([]int, len(levels))
	critical := make([]int64, len(levels))
	for j, level := range levels {
		critical[j] = math.MaxInt64
		if len(all.common.ev) > 0 {
			critical[j] = criticalBy(all.common.ev, level, PUpper)
		}
	}
	for i := c; i < n; i++ {
		tested++
		if x, own := all.of(i); own {
			pu := PUpper(x.ev, scores[i])
			for j, level := range levels {
				if pu <= level {
					out[j]++
				}
			}
			continue
		}
		for j := range levels {
			if scores[i] >= critical[j] {
				out[j]++
			}
		}
	}
	return out, tested, all.common.parts
}

// The joint procedure is what it is said to be: a copy's test doesn't change when
// its own codeword does, and one that was never a partner has the common test.
func TestLeavingOut(t *testing.T) {
	for seed := range uint64(4) {
		p, _ := mixture(seed, 40)
		sights, columns := sightsOf(p.Readings, p.Laws)
		key := func(i int) Key { return p.CopyKey(p.Holders[i]) }
		words := codewordsOf(sights, columns, 40, key)
		all := testsFor(sights, words)
		for _, i := range []int{0, 1, 17} {
			other := codewordsOf(sights, columns, 40, func(k int) Key {
				if k == i {
					return Key{0xff, byte(seed)}
				}
				return key(k)
			})
			a, _ := all.of(i)
			b, _ := testsFor(sights, other).of(i)
			if fmt.Sprint(a.parts) != fmt.Sprint(b.parts) || fmt.Sprint(a.ev) != fmt.Sprint(b.ev) {
				t.Errorf("seed %d: the test of copy %d follows its codeword:\n%v\n%v", seed, i, a.parts, b.parts)
			}
		}
	}
}
