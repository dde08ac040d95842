package fpcode

// PUpper is a rigorous upper bound of the probability that the copy of an
// innocent, made independently of the specimen, scores s or more: the exact
// convolution of the sites' shortfalls, each rounded down (scores rounded up)
// where rounding is needed at all, plus all that floating point could have
// lost. It is in [Floor, 1], and falls as s rises. This is the one to accuse
// on.
//
// Evidence from Weigh stands on a lattice made for this and is convolved
// without any rounding of scores, so the bound is the truth times at most
// 1+2⁻²⁷. For other evidence whose own lattice would take more than some 2²⁹
// steps, the step is 2⁻¹² nat or the least doubling of it that fits: the bound
// stays a bound, and it is at most the probability of a score of
// s - step·(number of groups of equal sites) or more.
func PUpper(ev []Evidence, s int64) float64 {
	upper, _, _ := bounds(ev, s, standard)
	return upper
}

// PEstimate is the best estimate of the same probability: the same
// convolution with shortfalls rounded to the nearest step, and the atom at s
// itself counted whole. It is in [Floor, 1].
func PEstimate(ev []Evidence, s int64) float64 {
	_, estimate, _ := bounds(ev, s, standard)
	return estimate
}

// limits bound the work of one convolution.
type limits struct {
	cells int64   // of a half's lattice
	work  float64 // products and cells, in all
	group int64   // cells of a group's own lattice
}

var standard = limits{cells: 1 << 22, work: 1 << 29, group: 1 << 16}

// finest is the step to begin with where scores must be rounded: 2⁻¹² nat.
const finest = ScoreUnit >> 12

// convolvable reports whether evidence on a lattice of that grain needs no
// rounding, for any score, within half the usual limits.
func convolvable(ev []Evidence, grain int64) bool {
	lim := standard
	lim.work /= 2
	terms, top, bottom := sumTerms(ev)
	return fits(grouped(terms, top-bottom, lim), top-bottom, grain, lim)
}

// bounds computes PUpper and PEstimate, and the step that it rounded to; 0 if
// there was no rounding.
func bounds(ev []Evidence, s int64, lim limits) (upper, estimate float64, rounded int64) {
	terms, top, bottom := sumTerms(ev)
	switch {
	case s <= bottom:
		return 1, 1, 0
	case s > top:
		return Floor, Floor, 0
	}
	room := top - s
	groups := grouped(terms, room, lim)
	step := grid(terms)
	for next := int64(finest); next < 1<<60 && !fits(groups, room, step, lim); next *= 2 {
		if next > step {
			step, rounded = next, next
		}
	}
	upper, lost := sum(groups, room, step, 0)
	estimate = upper
	if rounded != 0 {
		estimate, _ = sum(groups, room, step, step/2)
	}
	// All terms are positive, and no more than 2²⁴ roundings, each by at most
	// 2⁻⁵³ of the value, went into any of them or their sum.
	upper = float64((upper + lost) * (1 + 1.0/(1<<28)))
	return max(Floor, min(1, upper)), max(Floor, min(1, estimate)), rounded
}

// group is the mass function of the sum of some sites' shortfalls, in score
// units and without rounding, up to the room.
type group struct {
	at []int64
	w  []float64
}

// grouped sums sites of equal shortfalls before anything is rounded, so that
// their rounding doesn't add up: with hard readings there are as many groups as
// there are different q, and a group's sum is just how many sites don't match.
// Where a group's own lattice would be large, its sites stay alone.
func grouped(terms []term, room int64, lim limits) (out []group) {
	var scratch []float64
	for len(terms) > 0 {
		n, key := 1, terms[0].key(false)
		for n < len(terms) && terms[n].key(false) == key {
			n++
		}
		unit := grid(terms[:1])
		if most := terms[0].at[len(terms[0].at)-1] / unit; most >= lim.group/int64(n) {
			n = 1
		}
		if n == 1 {
			out = append(out, alone(terms[0], room))
		} else {
			sum := pmf{[]int32{0}, []float64{1}}
			for _, t := range terms[:n] {
				g := alone(t, room)
				sum, _ = convolve(sum, g.rounded(unit, 0), room/unit, 0, &scratch)
			}
			g := group{make([]int64, len(sum.at)), sum.w}
			for i, k := range sum.at {
				g.at[i] = int64(k) * unit
			}
			out = append(out, g)
		}
		terms = terms[n:]
	}
	return out
}

func alone(t term, room int64) (g group) {
	for i, d := range t.at {
		if d <= room {
			g.at, g.w = append(g.at, d), append(g.w, t.p(i))
		}
	}
	return g
}

func (g group) last() int64 {
	if len(g.at) == 0 {
		return 0
	}
	return g.at[len(g.at)-1]
}

// halves deals the groups out to two sums of about equal size: each is
// convolved by itself and the tail is taken over both, which never forms their
// convolution.
func halves(groups []group, room, step int64, each func(half int, g group, size, cells int64)) {
	size, top := [2]int64{1, 1}, [2]int64{}
	for _, g := range groups {
		h := 0
		if size[1] < size[0] {
			h = 1
		}
		top[h] = min(room, top[h]+g.last())
		cells := top[h]/step + 2
		each(h, g, size[h], cells)
		size[h] = min(cells, size[h]*int64(len(g.at)))
	}
}

// fits foretells whether the convolution at this step stays within the limits.
func fits(groups []group, room, step int64, lim limits) bool {
	var work float64
	var most int64
	halves(groups, room, step, func(_ int, g group, size, cells int64) {
		work += float64(float64(size)*float64(len(g.at))) + float64(cells)
		most = max(most, cells)
	})
	return most <= lim.cells && work <= lim.work
}

// Probabilities are carried times 2⁵⁰⁰ in each half, so that they keep their
// precision down to Floor and far below. What falls under tiny is dropped and
// its mass remembered.
const (
	scale   = 0x1p500
	unscale = 0x1p-500
	tiny    = 1e-170
)

// sum is the probability that all shortfalls, each rounded to a multiple of
// step after adding offset, come to no more than the room, itself rounded
// alike; and the mass that was dropped on the way.
func sum(groups []group, room, step, offset int64) (p, lost float64) {
	var scratch []float64
	half := [2]pmf{{[]int32{0}, []float64{scale}}, {[]int32{0}, []float64{scale}}}
	halves(groups, room, step, func(h int, g group, _, _ int64) {
		var l float64
		half[h], l = convolve(half[h], g.rounded(step, offset), (room+offset)/step, tiny, &scratch)
		lost += l
	})
	// Over the first half upwards and the second downwards.
	a, b := half[0], half[1]
	for i := 1; i < len(b.w); i++ {
		b.w[i] += b.w[i-1]
	}
	j := len(b.at) - 1
	for i, d := range a.at {
		for j >= 0 && int64(d)+int64(b.at[j]) > (room+offset)/step {
			j--
		}
		if j < 0 {
			break
		}
		p += float64(a.w[i] * b.w[j])
	}
	return float64(p * unscale * unscale), float64(lost * unscale)
}

// rounded is the group on the common lattice.
func (g group) rounded(step, offset int64) (out pmf) {
	for i, d := range g.at {
		at := int32((d + offset) / step)
		if n := len(out.at); n > 0 && out.at[n-1] == at {
			out.w[n-1] += g.w[i]
			continue
		}
		out.at, out.w = append(out.at, at), append(out.w, g.w[i])
	}
	return out
}

// pmf is a sparse mass function: weight w[i] at lattice point at[i], rising.
type pmf struct {
	at []int32
	w  []float64
}

// convolve adds independent a and b. Points beyond the room are left out: they
// can't come back. Weights below least are left out too, and summed in lost.
func convolve(a, b pmf, room int64, least float64, scratch *[]float64) (out pmf, lost float64) {
	if len(a.at) == 0 || len(b.at) == 0 {
		return pmf{}, 0
	}
	cells := int(min(room, int64(a.at[len(a.at)-1])+int64(b.at[len(b.at)-1])) + 1)
	if cap(*scratch) < cells {
		*scratch = make([]float64, cells)
	}
	s := (*scratch)[:cells]
	clear(s)
	for j, at := range b.at {
		if int(at) >= cells {
			break
		}
		shifted, w := s[at:], b.w[j]
		for i, k := range a.at {
			if int(k) >= len(shifted) {
				break
			}
			shifted[k] += float64(a.w[i] * w)
		}
	}
	n := 0
	for _, w := range s {
		if w > 0 {
			n++
		}
	}
	out = pmf{make([]int32, 0, n), make([]float64, 0, n)}
	for k, w := range s {
		if w >= least && w > 0 {
			out.at, out.w = append(out.at, int32(k)), append(out.w, w)
		} else {
			lost += w
		}
	}
	return out, lost
}
