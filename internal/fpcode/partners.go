package fpcode

import (
	"fmt"
	"slices"
)

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

	steps map[string]*step // what was worked out
	ends  [MaxColluders + 1][][]int
}

// newField is the field of one class, or of all, over some of so many copies.
func newField(class Class, sights []sight, words *codewords, copies int) *field {
	f := &field{class: class, words: words, steps: map[string]*step{}, price: lnUnits(uint64(max(3, copies))) - partnerRebate}
	var n [Other + 1]int64
	for _, s := range sights {
		if class == 0 || s.class == class {
			f.sights = append(f.sights, s)
			if s.law.Q() == 2 { // of others only values count, given that they are some
				n[s.state]++
			}
		}
	}
	all := lnUnits(uint64(max(1, n[Value]+n[Erased]+n[Other])))
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

// explain finds the best explanation in which one copy has no part, or in which
// all may if without is -1. touched collects every copy that was a partner in any
// explanation that was considered: without one that never was, all would be as it is.
//
// For each number c of colluders it adds, one at a time, the copy that the
// specimen speaks for most, given those found before, and estimates the channel
// again (compare Meerwald and Furon, "Toward practical joint decoding of binary
// Tardos fingerprinting codes", IEEE Trans. Inf. Forensics Secur. 7, 2012). Of
// all that it passes, the explanation with the greatest penalised likelihood
// stays. One class may be explained by known copies alone; the whole specimen may not.
//
// The first copy is the hardest to find, because the channel can then be seen in
// the biases alone. So for each c it begins with the best copies under the two
// summits that the likelihood can have. If that finds nobody to speak of, it begins
// with more copies of the second: a coalition that shows what few of its copies
// have tells next to nothing of each one, and much of each two.
func (f *field) explain(without int, touched map[int]bool) explanation {
	s := search{f, without, touched, explanation{class: f.class, channel: oneCopy()}}
	one := f.step(1, nil)
	s.best.value = one.value
	nobody := one.value
	for c := 1; c <= MaxColluders; c++ {
		known := c - 1
		if f.class != 0 {
			known = c
		}
		if c > 1 {
			at := f.step(c, nil)
			s.keep(nil, at)
			nobody = max(nobody, at.value)
		}
		if known == 0 {
			continue
		}
		began := s.next(f.step(c, nil).top, 1)
		s.paths(c, began, known)
		for _, top := range f.summits(c) {
			if next := s.next(top, 1); !slices.Equal(next, began) {
				s.paths(c, next, known)
			}
		}
	}
	for c := 3; c <= MaxColluders && s.best.value < nobody+2*f.price; c++ {
		s.paths(c, s.next(f.summits(c)[1], moreFirsts), c-1)
	}
	return s.best
}

// moreFirsts is how many copies to begin with, for each number of colluders, when
// the best one led to nobody, or to somebody who is hardly worth a partner's price.
const moreFirsts = 4

// search is one explanation being looked for.
type search struct {
	*field
	without int
	touched map[int]bool
	best    explanation
}

func (s *search) keep(partners []int, at *step) {
	if at.value > s.best.value {
		s.best.partners, s.best.channel, s.best.value = slices.Clone(partners), at.channel, at.value
	}
}

// next is the first so many of those who come next, the copy that is left out
// aside.
func (s *search) next(top []int, many int) (out []int) {
	for _, i := range top {
		if i != s.without && len(out) < many {
			out = append(out, i)
		}
	}
	return out
}

// paths follows explanations by c copies that begin with each of some.
func (s *search) paths(c int, firsts []int, known int) {
	for _, i := range firsts {
		s.path(c, []int{i}, known)
	}
}

// path adds the best copy beside those that an explanation has, again and again,
// up to so many known ones.
func (s *search) path(c int, partners []int, known int) {
	before := s.step(c, nil).value
	for {
		s.touched[partners[len(partners)-1]] = true
		at := s.step(c, partners)
		s.keep(partners, at)
		next := s.next(at.top, 1)
		// What has fallen behind by a whole partner is not followed further.
		if len(partners) == known || at.value < before-s.price || len(next) == 0 {
			return
		}
		before = at.value
		partners = append(partners, next[0])
	}
}

// A step is c copies of which some are known: the channel that fits, what the
// explanation is worth, and who comes next. It depends on the partners as a set and
// on nothing that is left out, so that each is worked out once for all tests.
type step struct {
	channel Collusion
	value   int64
	top     []int
}

func (f *field) step(c int, partners []int) *step {
	sorted := slices.Sorted(slices.Values(partners))
	key := fmt.Sprint(c, sorted)
	if known := f.steps[key]; known != nil {
		return known
	}
	t := tabulate(f.sights, f.words, sorted)
	s := new(step)
	if c == 1 && len(sorted) == 0 {
		// One copy is worth what its law says, however much noise is declared:
		// else two would be preferred for being cleaner.
		clean := Collusion{C: 1, Match: [MaxColluders + 1]uint16{one16 * leastNoise, one16 - one16*leastNoise}}
		s.channel, s.value = oneCopy(), clean.logLikelihood(t.cells, 0)+f.silent
	} else {
		s.channel, s.value = f.channel(t.cells, len(sorted), c)
	}
	if len(sorted) < c {
		s.top = f.top(&s.channel, t, sorted)
	}
	f.steps[key] = s
	return s
}

// summits is who comes first under each of the two channels that the likelihood
// of c copies, none of them known, may have a summit near; nobody's for c below 3.
func (f *field) summits(c int) [][]int {
	if c < 3 {
		return nil
	}
	if known := f.ends[c]; known != nil {
		return known
	}
	telling := f.step(c, nil).channel.Telling
	start := tabulate(f.sights, f.words, nil)
	unseen := unseenOf(start.cells, 0, c, telling)
	for _, byLot := range []bool{true, false} {
		h := climb(start.cells, unseen, 0, c, telling, byLot)
		f.ends[c] = append(f.ends[c], f.top(&h, start, nil))
	}
	return f.ends[c]
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

// top is the copies of the greatest scores beside the partners, the greatest first,
// of equal ones the lowest index: one more than are ever asked for, because one may
// be left out.
func (f *field) top(h *Collusion, t cellTable, partners []int) (out []int) {
	const many = moreFirsts + 1
	base, weight := f.weights(h, t, len(partners), searchGrain)
	scores := make([]int32, f.words.n)
	f.words.scores(base, weight, scores)
	for i, score := range scores {
		if len(out) == many && score <= scores[out[many-1]] || slices.Contains(partners, i) {
			continue
		}
		at := len(out)
		for at > 0 && score > scores[out[at-1]] {
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
