package fpcode

import (
	"fmt"
	"math/bits"
	"slices"
)

// ScoreUnit is how many units of score make one nat.
const ScoreUnit = 1 << 16

// finestGrain is 2⁻¹⁰ nat in score units.
const finestGrain = ScoreUnit >> 10

// Channel says how a copy's symbol becomes a reading: with probability 1-ε it
// is read as it was, with ε it is any of the other symbols, all alike. ε covers
// copying and reading; it is a modelling choice that costs power when wrong and
// never validity, because the law of an innocent's score doesn't depend on it.
// The zero Channel gives no evidence.
type Channel struct {
	// Noise is ε of each class in units of 2⁻¹⁶. A class with none is not
	// counted. It stands in the findings.
	Noise [classEnd]uint16
}

// Declared is the channel of decoder version 1: ε = 1/32 for every class.
func Declared() Channel {
	var ch Channel
	for _, c := range Classes() {
		ch.Noise[c] = 1 << 16 / 32
	}
	return ch
}

// String names ε per class.
func (ch Channel) String() string {
	s := "noise"
	for _, c := range Classes() {
		s += fmt.Sprintf(" %v %d/65536", c, ch.Noise[c])
	}
	return s
}

// Evidence is what one site says: the score that each symbol would earn its
// holder, in units of 2⁻¹⁶ nat, and the law of the symbols. Scores are within
// ±2³⁰.
type Evidence struct {
	Site  SiteID
	Law   Law
	Score []int64 // Law.Q() of them
}

// Weigh turns readings into evidence, sorted by site. A holder whose copy shows
// x earns
//
//	ln P(y|x)/P(y),  P(y|x) = Σ_z W(z|x)·ℓ(z),  P(y) = Σ_x p(x)·P(y|x)
//
// where ℓ is the reading's likelihood (1 at the symbol of a hard reading), W
// the channel and p the law. Scores are rounded down to a lattice, so that the
// expectation of exp(score) under the law is at most 1 for every site. The
// lattice is the finest, from 2⁻¹⁰ nat, on which the tail can be convolved
// without rounding again, whatever the score; it depends on the readings alone,
// and only many hundred likelihood readings make it coarser. A coarse lattice costs next to
// no power: the noise that it adds is far below the scores' own.
//
// Erased sites and those where something else was found give no evidence; nor
// do readings that fail Check, sites without a law for that q, classes without
// a channel, and sites read twice with different results.
func Weigh(readings []Reading, laws func(SiteID, uint8) Law, ch Channel) []Evidence {
	rs := slices.Clone(readings)
	slices.SortStableFunc(rs, func(a, b Reading) int { return slices.Compare(a.Site[:], b.Site[:]) })
	var raw []Evidence
	for len(rs) > 0 {
		n := 1
		for n < len(rs) && rs[n].Site == rs[0].Site {
			n++
		}
		if e, ok := weigh(rs[:n], laws, ch); ok {
			raw = append(raw, e)
		}
		rs = rs[n:]
	}
	return lattice(raw, finestGrain)
}

// lattice rounds scores in units of 2⁻⁵⁶ nat down to the finest lattice, from
// the grain given, whose tail can be convolved.
func lattice(raw []Evidence, grain int64) []Evidence {
	for ; ; grain *= 2 {
		if ev := onLattice(raw, grain); grain >= ScoreUnit || convolvable(ev, grain) {
			return ev
		}
	}
}

// onLattice rounds scores in units of 2⁻⁵⁶ nat down to multiples of grain.
func onLattice(raw []Evidence, grain int64) []Evidence {
	out := slices.Clone(raw)
	unit := grain << (lnUnit - 16) // ScoreUnit is 2¹⁶
	for i, e := range raw {
		out[i].Score = make([]int64, len(e.Score))
		for x, s := range e.Score {
			out[i].Score[x] = s &^ (unit - 1) / unit * grain
		}
	}
	return out
}

// weigh weighs all readings of one site, with scores in units of 2⁻⁵⁶ nat.
func weigh(same []Reading, laws func(SiteID, uint8) Law, ch Channel) (Evidence, bool) {
	r := same[0]
	if !agree(same) || r.Check() != nil || r.State != Value || ch.Noise[r.Class] == 0 {
		return Evidence{}, false
	}
	law := laws(r.Site, r.Q)
	if law.Q() != int(r.Q) {
		return Evidence{}, false
	}
	return Evidence{r.Site, law, scores(likelihood(r), law, uint64(ch.Noise[r.Class]))}, true
}

func likelihood(r Reading) []uint16 {
	if len(r.Likelihood) != 0 {
		return r.Likelihood
	}
	l := make([]uint16, r.Q)
	l[r.Symbol] = 65535
	return l
}

// scores is exact in integers up to the logarithm. With ε = noise/2¹⁶,
//
//	A(x) = (2¹⁶-noise)·(q-1)·ℓ(x) + noise·Σ_{z≠x} ℓ(z)   ∝ P(y|x), below 2³⁷
//	score(x) = ln( A(x)·2³² / Σ_v w(v)·A(v) ),  w(v) = 2³²·p(v)
//
// A(x) is never zero: ε is neither 0 nor 1 and one of the likelihoods is 65535.
func scores(l []uint16, law Law, noise uint64) []int64 {
	q := uint64(len(l))
	var total uint64
	for _, v := range l {
		total += uint64(v)
	}
	a := make([]uint64, q)
	var hi, lo uint64
	for x, v := range l {
		a[x] = (1<<16-noise)*(q-1)*uint64(v) + noise*(total-uint64(v))
		h, m := bits.Mul64(a[x], law.Weight(x))
		var carry uint64
		lo, carry = bits.Add64(lo, m, 0)
		hi, _ = bits.Add64(hi, h, carry)
	}
	norm := lnFixed(hi, lo)
	out := make([]int64, q)
	for x := range out {
		out[x] = lnFixed(a[x]>>32, a[x]<<32) - norm
	}
	return out
}

// Score is what the copy with this key earns.
func Score(ev []Evidence, copy Key) int64 {
	prf := newCopyPRF(copy)
	var s int64
	for i := range ev {
		s += ev[i].Score[prf.symbol(ev[i].Site, ev[i].Law)]
	}
	return s
}
