package fpcode

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// PSampled estimates the same probability in another way: by simulating
// trials innocents. So that rare scores are met at all, symbols are drawn from
// an exponentially tilted law under which s is about the mean, and each innocent
// that reaches s counts with the ratio of the true law to the tilted one
// (Siegmund, "Importance sampling in the Monte Carlo study of sequential
// tests", Ann. Statist. 4, 1976). It is unbiased up to 10⁻¹⁰ of itself. se is its standard
// error, from the same trials.
//
// The draws are the C2SP chacha8rand stream of the seed, eight bytes
// little-endian each; the seed is a hash of the frozen readings, so nobody chose
// the draws. Fewer than 2 trials give (1, +Inf). A p below Floor is given as
// (Floor, 0).
func PSampled(ev []Evidence, s int64, seed [32]byte, trials int) (p, se float64) {
	if trials < 2 {
		return 1, math.Inf(1)
	}
	terms, top, bottom := sumTerms(ev)
	switch {
	case s <= bottom:
		return 1, 0
	case s > top:
		return Floor, 0
	}
	room := top - s
	t := tilt(count(terms), room)
	rng := rand.NewChaCha8(seed)
	var sum, squares float64
	for range trials {
		if d := t.draw(rng, room); d <= room {
			w := expNeg(float64(t.lambda * float64(room-d)))
			sum += w
			squares += float64(w * w)
		}
	}
	n := float64(trials)
	mean := sum / n
	variance := max(0, float64(squares-float64(mean*sum))/(n-1))
	// p = mean · e^(λ·room) · ΠZ, the factors in binary exponents lest they
	// overflow.
	m, e := t.norm()
	p, se = math.Ldexp(float64(mean*m), e), math.Ldexp(float64(math.Sqrt(variance/n)*m), e)
	if p < Floor {
		return Floor, 0
	}
	return min(1, p), se
}

// multiple is a term that stands at several sites.
type multiple struct {
	term
	times int
}

func count(terms []term) (out []multiple) {
	last := ""
	for _, t := range terms {
		if k := t.key(true); len(out) == 0 || k != last {
			out, last = append(out, multiple{t, 0}), k
		}
		out[len(out)-1].times++
	}
	return out
}

// tilted is the terms under the law q(d) = p(d)·e^(-λd)/Z, one table for each.
type tilted struct {
	lambda float64 // per score unit
	room   int64
	tables []table
}

type table struct {
	multiple
	q []float64 // tilted law
	z float64
	// cum[i] is where outcome i ends on the scale of 64-bit numbers; the last
	// one has no end.
	cum []uint64
}

// tilt finds the λ ≥ 0 under which the mean shortfall is the room, or 0 if it
// is below the room anyway.
func tilt(ms []multiple, room int64) tilted {
	t := tilted{room: room}
	for _, m := range ms {
		t.tables = append(t.tables, table{multiple: m, q: make([]float64, len(m.at))})
	}
	if t.set(0) > float64(room) {
		lo, hi := 0.0, 1.0/ScoreUnit
		for t.set(hi) > float64(room) && hi < 1<<10 {
			lo, hi = hi, float64(2*hi)
		}
		for range 48 {
			if mid := float64(lo+hi) / 2; t.set(mid) > float64(room) {
				lo = mid
			} else {
				hi = mid
			}
		}
		t.set(hi)
	}
	for i := range t.tables {
		t.tables[i].thresholds()
	}
	return t
}

// set tilts by λ and returns the mean shortfall.
func (t *tilted) set(lambda float64) (mean float64) {
	t.lambda = lambda
	for i := range t.tables {
		b := &t.tables[i]
		b.z = 0
		for j, d := range b.at {
			b.q[j] = float64(b.p(j) * expNeg(float64(lambda*float64(d))))
			b.z += b.q[j]
		}
		var m float64
		for j, d := range b.at {
			b.q[j] /= b.z
			m += float64(b.q[j] * float64(d))
		}
		mean += float64(m * float64(b.times))
	}
	return mean
}

func (b *table) thresholds() {
	b.cum = b.cum[:0]
	var c float64
	for _, q := range b.q[:len(b.q)-1] {
		c += q
		u := uint64(math.MaxUint64)
		if c < 1 {
			u = uint64(float64(c * 0x1p64))
		}
		b.cum = append(b.cum, u)
	}
}

// draw is one innocent's shortfall under the tilted law; once beyond the room
// it stops, since nothing comes back.
func (t *tilted) draw(rng *rand.ChaCha8, room int64) (d int64) {
	for i := range t.tables {
		b := &t.tables[i]
		if len(b.cum) == 1 {
			// Hard readings: count the misses without a branch to mispredict.
			cut, misses := b.cum[0], int64(b.times)
			for range b.times {
				_, below := bits.Sub64(rng.Uint64(), cut, 0)
				misses -= int64(below)
			}
			d += misses * b.at[1]
		} else {
			for range b.times {
				u, j := rng.Uint64(), 0
				for j < len(b.cum) && u >= b.cum[j] {
					j++
				}
				d += b.at[j]
			}
		}
		if d > room {
			break
		}
	}
	return d
}

// norm is e^(λ·room)·ΠZ as m·2ᵉ.
func (t *tilted) norm() (m float64, e int) {
	m, e = expNegSplit(float64(t.lambda * float64(t.room)))
	if m == 0 {
		return 0, 0
	}
	m, e = 1/m, -e
	for _, b := range t.tables {
		for range b.times {
			var k int
			m, k = math.Frexp(float64(m * b.z))
			e += k
		}
	}
	return m, e
}
