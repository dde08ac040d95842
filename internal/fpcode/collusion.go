package fpcode

import (
	"fmt"
	"math/bits"
)

// MaxColluders is the most that a specimen is explained by: c_max.
const MaxColluders = 6

// Collusion is how c copies became one specimen, as estimated: at a site where
// k of them show some symbol, that symbol stands in the specimen with the
// probability Match[k] if anything is read there; nothing is, with probability
// Erased[k], or something else, with Other[k]. All in units of 2⁻¹⁶.
//
// Labels are permuted by a secret key, so no strategy can prefer a symbol for its
// name: Match[k] = 1 - Match[c-k], and the other two are even in k. At sites of
// more than two symbols the same Match is used for each symbol.
type Collusion struct {
	C                    int
	Telling              bool // sites without a value count: whether they have one may depend on the copies
	Match, Erased, Other [MaxColluders + 1]uint16
}

// String gives the numbers as findings print them.
func (h Collusion) String() string {
	s := fmt.Sprintf("%d copies, match %d", h.C, h.Match[:h.C+1])
	if h.Telling {
		s += fmt.Sprintf(", erased %d, other %d", h.Erased[:h.C+1], h.Other[:h.C+1])
	}
	return s
}

// oneCopy is the channel of one copy, with the noise of copying and reading that
// is declared, not estimated: one part in sixteen is wrong.
func oneCopy() Collusion {
	h := Collusion{C: 1}
	h.Match[0], h.Match[1] = 1<<12, 1<<16-1<<12
	return h
}

const one16 = 1 << 16

// emitted is the probability of a cell's state (for a Value, of one symbol) when
// k of c copies show it.
func (h *Collusion) emitted(state State, k int) float64 {
	v := 1.0
	if h.Telling {
		switch state {
		case Erased:
			return float64(h.Erased[k]) / one16
		case Other:
			return float64(h.Other[k]) / one16
		}
		v = float64(one16-int(h.Erased[k])-int(h.Other[k])) / one16
	}
	return float64(v * (float64(h.Match[k]) / one16))
}

// chances is emitted averaged over u unknown copies that show the symbol with
// probability p each, for 0…c-u known ones that do.
func (h *Collusion) chances(state State, unknown int, p float64) (out [MaxColluders + 1]float64) {
	b := binomial(unknown, p)
	for k := 0; k+unknown <= h.C; k++ {
		for u := 0; u <= unknown; u++ {
			out[k] += float64(b[u] * h.emitted(state, k+u))
		}
	}
	return out
}

// binomial is the probabilities of 0…n successes.
func binomial(n int, p float64) (out [MaxColluders + 1]float64) {
	out[0] = 1
	rest := 1 - float64(p) // the conversion keeps a p that was just computed from being fused
	for i := range n {
		for k := i + 1; k > 0; k-- {
			out[k] = float64(out[k]*rest) + float64(out[k-1]*p)
		}
		out[0] = float64(out[0] * rest)
	}
	return out
}

// weights is the score of each symbol for one more copy beside the partners of a
// cell, in units of 2⁻⁵⁶ nat: ln P(y|x,partners)/P(y|partners). Where nothing is
// learnt all are 0.
func (h *Collusion) weights(c *cell, partners int) (out [MaxQ]int64) {
	if c.state != Value && !h.Telling {
		return out
	}
	return logRatios(h.given(c, h.C-partners-1), c.law, 0)
}

// bystander is the score of each symbol for one more copy where known copies
// explain all by themselves: ln(¾ + ¼·P(y|x)/P(y)), P being of one copy. Three to one
// it had no part there; or else it agrees as they do, as every copy does that a
// coalition kept only the common text of.
func bystander(c *cell) (out [MaxQ]int64) {
	if c.state != Value {
		return out
	}
	h := oneCopy()
	return logRatios(h.given(c, 0), c.law, 3)
}

// given is P(y | x, partners) for each symbol x of one more copy, so many being
// unknown beside it, in units of 2⁻³² times 65535 for likelihoods: below 2⁵³, and at
// least one unit.
func (h *Collusion) given(c *cell, unknown int) (a [MaxQ]uint64) {
	q := c.law.Q()
	switch {
	case c.state != Value:
		ch := h.chances(c.state, unknown, c.law.P(1))
		a[0], a[1] = scaled(ch[c.with[1]]), scaled(ch[c.with[1]+1])
	case c.cols == 1 && (q > 2 || c.like[1-c.bit] == 0):
		for x := range q {
			a[x] = scaled(h.shown(c, unknown, x)[c.bit])
		}
	default:
		for x := range q {
			p := h.shown(c, unknown, x)
			for v := range q {
				a[x] += uint64(c.like[v]) * scaled(p[v])
			}
		}
	}
	for x := range q {
		a[x] = max(a[x], 1)
	}
	return a
}

// shown is P(y | partners, x) for each symbol y that the cell may show, x being one
// more copy's symbol, or none if below 0. Binary sites need no norm: Match[k] and
// Match[c-k] are one together. With more symbols, Match would count what the others
// share once for each of them, and a channel that shows what few copies have would
// be likelier than it is. So there it is P given that a symbol is shown at all, which
// is all that is asked of such sites; an approximation, for each symbol's chance is
// averaged over the unknown copies before it is normalised.
func (h *Collusion) shown(c *cell, unknown, x int) (p [MaxQ]float64) {
	q := c.law.Q()
	with := func(v int) int {
		if v == x {
			return int(c.with[v]) + 1
		}
		return int(c.with[v])
	}
	var sum float64
	for v := range q {
		p[v] = h.chances(Value, unknown, c.law.P(v))[with(v)]
		sum += p[v]
	}
	if q == 2 {
		return p
	}
	for v := range q {
		p[v] /= sum
	}
	return p
}

// logRatios is ln((o·A + a(x)) / ((o+1)·A)) in units of 2⁻⁵⁶ nat, A being the mean
// of a under the law: for o = 0 the log-likelihood ratio, else that diluted by odds of
// o to 1 that there is nothing in it. Exact in integers up to the logarithm.
func logRatios(a [MaxQ]uint64, law Law, odds uint64) (out [MaxQ]int64) {
	var hi, lo uint64
	for x := range law.Q() {
		m, n := bits.Mul64(a[x], law.Weight(x))
		var carry uint64
		lo, carry = bits.Add64(lo, n, 0)
		hi, _ = bits.Add64(hi, m, carry)
	}
	norm := lnFixed(hi, lo) + lnFixed(0, odds+1)
	times, base := bits.Mul64(lo, odds)
	times += hi * odds
	for x := range law.Q() {
		l, carry := bits.Add64(base, a[x]<<32, 0)
		u, _ := bits.Add64(times, a[x]>>32, carry)
		out[x] = lnFixed(u, l) - norm
	}
	return out
}

// scaled is a probability in units of 2⁻³².
func scaled(p float64) uint64 { return uint64(max(0, float64(p*one32))) }

// logLikelihood is ln P(all cells | partners, h) in units of 2⁻¹⁶ nat, over the
// cells of one class or all.
func (h *Collusion) logLikelihood(cells []cell, partners int) (sum int64) {
	for i := range cells {
		c := &cells[i]
		p := h.probability(c, partners)
		sum += int64(c.times) * ((lnFixed(0, max(1, uint64(float64(p*(1<<62))))) - 62*ln2Units) >> (lnUnit - 16))
	}
	return sum
}

// ln2Units is ln 2 in units of 2⁻⁵⁶ nat.
const ln2Units = ln2Frac >> (64 - lnUnit)

// probability of a cell's state given the partners alone.
func (h *Collusion) probability(c *cell, partners int) float64 {
	unknown := h.C - partners
	switch {
	case c.state != Value && !h.Telling:
		return 1
	case c.state != Value:
		return h.chances(c.state, unknown, c.law.P(1))[c.with[1]]
	}
	p := h.shown(c, unknown, -1)
	if c.cols == 1 && (c.law.Q() > 2 || c.like[1-c.bit] == 0) {
		return p[c.bit]
	}
	var sum float64
	for v := range c.law.Q() {
		sum += float64(float64(c.like[v]) / 65535 * p[v])
	}
	return sum
}

// Bounds of what is estimated. No channel is free of noise, and none makes
// copies that agree show something else more often than not.
const (
	leastNoise   = 1.0 / 256
	mostNoise    = 1.0 / 4
	leastMissing = 1.0 / 4096
	mostMissing  = 1 - 1.0/1024 // erased and other together: something may always be read
	// Where no unknown copy is left to blame, more noise than this is one.
	mostNoiseExplained = 1.0 / 16
	rounds             = 40 // of estimation; the likelihood then moves by less than anything that is decided by it
	pseudo             = 0.25
)

// latent is what is not seen at a cell: that its symbol has like as its
// likelihood, that from partners show it, and b[u], that u of the unknown copies do.
type latent struct {
	b    [MaxColluders + 1]float64
	from int
	like float64
}

// estimate fits the channel of c copies, of which the partners are known, to the
// cells, by expectation and maximisation (Dempster, Laird and Rubin, J. R. Stat.
// Soc. B 39, 1977; for collusion Furon and Pérez-Freire, "EM decoding of Tardos
// traitor tracing codes", MM&Sec 2009): how many unknown copies show a symbol is
// the latent variable. The likelihood can have a summit near drawing by lot and one
// near its contrary: it climbs both, and keeps the higher.
func estimate(cells []cell, partners, c int, telling bool) Collusion {
	unseen := unseenOf(cells, partners, c, telling)
	best := climb(cells, unseen, partners, c, telling, true)
	if c > 2 {
		contrary := climb(cells, unseen, partners, c, telling, false)
		if contrary.logLikelihood(cells, partners) > best.logLikelihood(cells, partners) {
			best = contrary
		}
	}
	return best
}

func unseenOf(cells []cell, partners, c int, telling bool) [][]latent {
	unseen := make([][]latent, len(cells))
	for i := range cells {
		cl := &cells[i]
		if cl.state != Value {
			if telling {
				unseen[i] = []latent{{binomial(c-partners, cl.law.P(1)), int(cl.with[1]), 1}}
			}
			continue
		}
		for v, l := range cl.like {
			if l > 0 {
				unseen[i] = append(unseen[i], latent{binomial(c-partners, cl.law.P(v)), int(cl.with[v]), float64(l) / 65535})
			}
		}
	}
	return unseen
}

// climb starts from drawing by lot if byLot, else from its contrary.
func climb(cells []cell, unseen [][]latent, partners, c int, telling, byLot bool) Collusion {
	var match, erased, other [MaxColluders + 1]float64
	most := mostNoise
	if partners == c {
		most = mostNoiseExplained
	}
	seen, gone, odd := pseudo, pseudo, pseudo
	for i := range cells {
		switch n := float64(cells[i].times); cells[i].state {
		case Value:
			seen += n
		case Erased:
			gone += n
		default:
			odd += n
		}
	}
	all := seen + gone + odd
	for k := range c + 1 {
		switch k {
		case 0:
			match[k] = 1.0 / 32
		case c:
			match[k] = 1 - 1.0/32
		default:
			if match[k] = float64(k) / float64(c); !byLot {
				match[k] = 1 - match[k]
			}
		}
		if telling {
			erased[k], other[k] = gone/all, odd/all
		}
	}
	for range rounds {
		var n, e, o [MaxColluders + 1]float64
		var read [MaxColluders + 1]float64
		for k := range c + 1 {
			read[k] = float64(match[k] * (1 - erased[k] - other[k]))
		}
		for i := range cells {
			cl := &cells[i]
			chance, into := &read, &n
			switch cl.state {
			case Erased:
				chance, into = &erased, &e
			case Other:
				chance, into = &other, &o
			}
			var w [MaxColluders + 1]float64
			var sum float64
			for j := range unseen[i] {
				t := &unseen[i][j]
				for u := 0; u <= c-partners; u++ {
					p := float64(float64(t.like*t.b[u]) * chance[t.from+u])
					w[t.from+u] += p
					sum += p
				}
			}
			if sum <= 0 {
				continue
			}
			f := float64(cl.times) / sum
			for k := range c + 1 {
				into[k] += float64(w[k] * f)
			}
		}
		for k := 0; 2*k <= c; k++ {
			j := c - k
			m := (n[k] + pseudo) / (n[k] + n[j] + 2*pseudo)
			if k == 0 {
				m = min(m, most)
			}
			m = min(max(m, leastNoise), 1-leastNoise)
			if k == j {
				m = .5
			}
			match[k], match[j] = m, 1-m
			if telling {
				ee, oo, total := e[k]+e[j]+pseudo, o[k]+o[j]+pseudo, e[k]+e[j]+o[k]+o[j]+n[k]+n[j]+3*pseudo
				ee, oo = max(ee/total, leastMissing), max(oo/total, leastMissing)
				if missing := ee + oo; missing > mostMissing {
					ee, oo = float64(ee*mostMissing)/missing, float64(oo*mostMissing)/missing
				}
				erased[k], other[k], erased[j], other[j] = ee, oo, ee, oo
			}
		}
	}
	fitted := Collusion{C: c, Telling: telling}
	units := func(p float64) uint16 { return uint16(min(one16-1, float64(p*one16)+.5)) }
	for k := range c + 1 {
		fitted.Match[k] = units(match[k])
		if telling {
			fitted.Erased[k], fitted.Other[k] = units(erased[k]), units(other[k])
		}
	}
	return fitted
}
