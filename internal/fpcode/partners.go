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
//
// The first copy is the hardest to find, because the channel can then be seen in
// the biases alone. So for each c it begins with the best copies under the two
// summits that the likelihood can have. If that finds nobody to speak of, it begins
// with more copies of the second: a coalition that shows what few of its copies
// have tells next to nothing of each one, and much of each two.
func (f *field) explain(excluded func(i int) bool, touched map[int]bool) explanation {
	s := search{f, excluded, touched, make([]int32, f.words.n), explanation{class: f.class, channel: oneCopy()}}
	start := tabulate(f.sights, f.words, nil)
	s.best.value = s.best.channel.logLikelihood(start.cells, 0) + f.silent
	nobody := s.best.value
	for c := 1; c <= MaxColluders; c++ {
		known := c - 1
		if f.class != 0 {
			known = c
		}
		e := explanation{class: f.class, channel: s.best.channel, value: s.best.value}
		if c > 1 {
			e.channel, e.value = f.channel(start.cells, 0, c)
			s.keep(e)
			nobody = max(nobody, e.value)
		}
		if known == 0 {
			continue
		}
		first := s.most(&e.channel, start, nil, 1)
		s.paths(e, first, known)
		if c > 2 {
			for _, byLot := range []bool{true, false} {
				if next := s.most(s.summit(&e, start, byLot), start, nil, 1); !slices.Equal(next, first) {
					s.paths(e, next, known)
				}
			}
		}
	}
	for c := 3; c <= MaxColluders && s.best.value < nobody+2*f.price; c++ {
		e := explanation{class: f.class}
		e.channel, e.value = f.channel(start.cells, 0, c)
		s.paths(e, s.most(s.summit(&e, start, false), start, nil, moreFirsts), c-1)
	}
	return s.best
}

// moreFirsts is how many copies to begin with, for each number of colluders, when
// the best one led to nobody, or to somebody who is hardly worth a partner's price.
const moreFirsts = 4

// search is one explanation being looked for.
type search struct {
	*field
	excluded func(i int) bool
	touched  map[int]bool
	scores   []int32
	best     explanation
}

func (s *search) keep(e explanation) {
	if e.value > s.best.value {
		e.partners = slices.Clone(e.partners)
		s.best = e
	}
}

// summit is one of the channels that an explanation of nobody may have.
func (s *search) summit(e *explanation, start cellTable, byLot bool) *Collusion {
	c, telling := e.channel.C, e.channel.Telling
	h := climb(start.cells, unseenOf(start.cells, 0, c, telling), 0, c, telling, byLot)
	return &h
}

// paths follows an explanation of nobody, beginning with each of some copies.
func (s *search) paths(e explanation, firsts []int, known int) {
	for _, i := range firsts {
		s.path(e, i, known)
	}
}

// path adds a copy to an explanation, and then the best one beside those it has,
// up to so many known ones.
func (s *search) path(e explanation, next, known int) {
	c := e.channel.C
	for len(e.partners) < known {
		before := e.value
		s.touched[next] = true
		e.partners = append(e.partners, next)
		t := tabulate(s.sights, s.words, e.partners)
		e.channel, e.value = s.channel(t.cells, len(e.partners), c)
		s.keep(e)
		// What has fallen behind by a whole partner is not followed further.
		if e.value < before-s.price {
			return
		}
		if len(e.partners) < known {
			more := s.most(&e.channel, t, e.partners, 1)
			if len(more) == 0 {
				return
			}
			next = more[0]
		}
	}
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

// most is the copies of the greatest scores beside the partners, at most so many,
// the greatest first; of equal ones the lowest index.
func (s *search) most(h *Collusion, t cellTable, partners []int, many int) (out []int) {
	base, weight := s.weights(h, t, len(partners), searchGrain)
	s.words.scores(base, weight, s.scores)
	for i, score := range s.scores {
		if len(out) == many && score <= s.scores[out[many-1]] || s.excluded(i) || slices.Contains(partners, i) {
			continue
		}
		at := len(out)
		for at > 0 && score > s.scores[out[at-1]] {
			at--
		}
		out = slices.Insert(out, at, i)[:min(many, len(out)+1)]
	}
	return out
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
