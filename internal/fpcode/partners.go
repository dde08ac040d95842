package fpcode

import "slices"

// An explanation says how the specimen, or what it shows of one class of carriers,
// came about without the copy that is to be tested: how many copies were merged,
// by which channel, and which of them are known. Being a partner accuses nobody.
type explanation struct {
	class    Class // 0: all
	partners []int // indexes of copies, in the order in which they were found
	channel  Collusion
	value    int64 // penalised log-likelihood, 2⁻¹⁶ nat
}

// What a free parameter of a channel costs an explanation, in units of 2⁻¹⁶ nat.
// A partner costs ln of the number of copies, less partnerRebate. Both were chosen
// by simulation (doc/tracing.md): cheaper partners let innocents in, dearer ones
// keep colluders out.
const (
	parameterPrice = 3 * ScoreUnit
	partnerRebate  = ScoreUnit
)

// field is what partners are searched in.
type field struct {
	class  Class // 0: all
	sights []sight
	words  *codewords
	price  int64 // of a partner: ln of how many copies there are
	// Likelihood of which sites show a value and which don't, for channels in
	// which that says nothing, so that they compare with those in which it does.
	silent  int64
	telling bool // some sites show no value
}

// newField is the field of one class, or of all, over some of so many copies.
func newField(class Class, sights []sight, words *codewords, copies int) *field {
	f := &field{class: class, words: words, price: lnUnits(uint64(max(3, copies))) - partnerRebate}
	var n [Other + 1]int64
	for _, s := range sights {
		if class == 0 || s.class == class {
			f.sights = append(f.sights, s)
			n[s.state]++
		}
	}
	all := lnUnits(uint64(max(1, len(f.sights))))
	for state, k := range n {
		if k > 0 {
			f.silent += k * (lnUnits(uint64(k)) - all)
			f.telling = f.telling || State(state) != Value
		}
	}
	return f
}

// lnUnits is ln n in units of 2⁻¹⁶ nat.
func lnUnits(n uint64) int64 { return lnFixed(0, n) >> (lnUnit - 16) }

// explain finds the best explanation in which the copies that are excluded have
// no part. touched collects every copy that was a partner in any explanation
// that was considered: without one that never was, all would be as it is.
//
// For each number c of colluders it adds, one at a time, the copy that the
// specimen speaks for most, given those found before, and estimates the channel
// again (compare Meerwald and Furon, "Toward practical joint decoding of binary
// Tardos fingerprinting codes", IEEE Trans. Inf. Forensics Secur. 7, 2012). Of
// all that it passes, the explanation with the greatest penalised likelihood
// stays. One class may be explained by known copies alone, so that nothing is left
// for anybody else; the whole specimen may not.
func (f *field) explain(excluded func(i int) bool, touched map[int]bool) explanation {
	start := tabulate(f.sights, f.words, nil)
	best := explanation{class: f.class, channel: oneCopy()}
	best.value = best.channel.logLikelihood(start.cells, 0) + f.silent
	scores := make([]int32, f.words.n)
	for c := 1; c <= MaxColluders; c++ {
		e, t := explanation{class: f.class}, start
		known := c - 1
		if f.class != 0 {
			known = c
		}
		for {
			before := e.value
			if c == 1 && len(e.partners) == 0 {
				e.channel, e.value = best.channel, best.value
			} else {
				e.channel, e.value = f.channel(t.cells, len(e.partners), c)
			}
			if e.value > best.value {
				best = explanation{f.class, slices.Clone(e.partners), e.channel, e.value}
			}
			// What has fallen behind by a whole partner is not followed further.
			if n := len(e.partners); n == known || n > 0 && e.value < before-f.price {
				break
			}
			next := f.most(&e, t, excluded, scores)
			if next < 0 {
				break
			}
			touched[next] = true
			e.partners = append(e.partners, next)
			t = tabulate(f.sights, f.words, e.partners)
		}
	}
	return best
}

// channel estimates the channel of c copies, with sites without a value and
// without them, and gives the one of the greater penalised likelihood, with that.
func (f *field) channel(cells []cell, partners, c int) (best Collusion, value int64) {
	best = estimate(cells, partners, c, false)
	price := int64(partners) * f.price
	free := int64(c+1) / 2 // numbers in Match
	value = best.logLikelihood(cells, partners) + f.silent - price - free*parameterPrice
	if f.telling {
		h := estimate(cells, partners, c, true)
		free += 2 * int64(c/2+1)
		if v := h.logLikelihood(cells, partners) - price - free*parameterPrice; v > value {
			return h, v
		}
	}
	return best, value
}

// most is the copy of the greatest score beside the partners, lowest index
// first.
func (f *field) most(e *explanation, t cellTable, excluded func(i int) bool, scores []int32) int {
	base, weight := f.weights(&e.channel, t, len(e.partners), searchGrain)
	f.words.scores(base, weight, scores)
	best := -1
	for i, s := range scores {
		if (best < 0 || s > scores[best]) && !excluded(i) && !slices.Contains(e.partners, i) {
			best = i
		}
	}
	return best
}

// searchGrain is the resolution of scores while searching: 2⁻¹⁰ nat, so that they
// fit into 32 bits.
const searchGrain = finestGrain

// weights is the score of one more copy, column by column, in units of the
// grain.
func (f *field) weights(h *Collusion, t cellTable, partners int, grain int64) (base int32, weight []int32) {
	weight = make([]int32, 64*f.words.words)
	of := make([][MaxQ]int64, len(t.cells))
	for i := range t.cells {
		of[i] = h.weights(&t.cells[i], partners)
		for x := range t.cells[i].law.Q() {
			of[i][x] = floorTo(of[i][x], grain) / grain
		}
	}
	for i := range f.sights {
		s := &f.sights[i]
		w := &of[t.cellOf[i]]
		if s.cols > 1 {
			for v := range s.cols {
				weight[s.col+v] = int32(w[v])
			}
			continue
		}
		miss := w[0]
		if s.bit == 0 {
			miss = w[1]
		}
		base += int32(miss)
		weight[s.col] = int32(w[s.bit] - miss)
	}
	return base, weight
}

// floorTo rounds a score in units of 2⁻⁵⁶ nat down to a multiple of grain, which
// is a power of two, and gives it in units of 2⁻¹⁶ nat.
func floorTo(s, grain int64) int64 {
	unit := grain << (lnUnit - 16)
	return s &^ (unit - 1) / unit * grain
}
