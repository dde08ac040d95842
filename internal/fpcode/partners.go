package fpcode

import "slices"

// An explanation says how the specimen came about without the copy that is to be
// tested: how many copies were merged, by which channel, and which of them are
// known. Being a partner accuses nobody.
type explanation struct {
	partners []int // indexes of copies, in the order in which they were found
	channel  Collusion
	value    int64 // penalised log-likelihood, 2⁻¹⁶ nat
}

// What a free parameter of a channel costs an explanation, in units of 2⁻¹⁶ nat.
// A partner costs ln of the number of copies. Both were chosen by simulation
// (doc/tracing.md): cheaper partners let innocents in, dearer ones keep
// colluders out.
const parameterPrice = 2 * ScoreUnit

// field is what partners are searched in.
type field struct {
	sights []sight
	words  *codewords
	price  int64 // of a partner: ln of how many copies there are
	// Likelihood of which sites show a value and which don't, for channels in
	// which that says nothing, so that they compare with those in which it does.
	silent  int64
	telling bool // some sites show no value
}

func newField(sights []sight, words *codewords) *field {
	f := &field{sights: sights, words: words, price: lnUnits(uint64(max(2, words.n)))}
	var n [Other + 1]int64
	for i := range sights {
		n[sights[i].state]++
	}
	all := lnUnits(uint64(max(1, len(sights))))
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
// stays.
func (f *field) explain(excluded func(i int) bool, touched map[int]bool) explanation {
	best := explanation{channel: oneCopy()}
	start := tabulate(f.sights, f.words, nil)
	best.value = best.channel.logLikelihood(start.cells, 0) + f.silent
	scores := make([]int32, f.words.n)
	for c := 2; c <= MaxColluders; c++ {
		for _, tell := range []bool{false, true} {
			if tell && !f.telling {
				continue
			}
			f.path(c, tell, start, excluded, touched, scores, &best)
		}
	}
	return best
}

func (f *field) path(c int, tell bool, start cellTable, excluded func(i int) bool, touched map[int]bool, scores []int32, best *explanation) {
	e := explanation{}
	t := start
	var before int64
	for {
		e.channel = estimate(t.cells, len(e.partners), c, tell)
		e.value = e.channel.logLikelihood(t.cells, len(e.partners)) - int64(len(e.partners))*f.price - int64(parameters(c, tell))*parameterPrice
		if !tell {
			e.value += f.silent
		}
		if e.value > best.value {
			*best = explanation{slices.Clone(e.partners), e.channel, e.value}
		}
		// A path that has fallen behind by a whole partner is not followed
		// further.
		if n := len(e.partners); n == c-1 || n > 0 && e.value < before-f.price {
			return
		}
		before = e.value
		next := f.most(&e, t, excluded, scores)
		if next < 0 {
			return
		}
		touched[next] = true
		e.partners = append(e.partners, next)
		t = tabulate(f.sights, f.words, e.partners)
	}
}

// parameters is how many numbers of a channel of c copies are free.
func parameters(c int, telling bool) int {
	n := (c + 1) / 2 // Match
	if telling {
		n += 2 * (c/2 + 1)
	}
	return n
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
	columns := 0
	if n := len(f.sights); n > 0 {
		columns = f.sights[n-1].col + f.sights[n-1].cols
	}
	weight = make([]int32, columns)
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
