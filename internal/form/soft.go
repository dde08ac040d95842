package form

import (
	"slices"

	"forewarn/internal/fpcode"
)

// Likelihoods of align/2.
//
// A score of alignment is about a nat of evidence, so the margin by which one
// alternative fits better than another is about the logarithm of their
// likelihood ratio. How many nats a margin is really worth depends on how the
// passage was seen, and was measured: doc/spec/form.md has the table and the
// command. Nats are whole, so that a specimen has few different scores and
// their sums can be convolved exactly; rounding is always towards less.

// manner is how a passage shows a choice.
type manner uint8

const (
	firm   manner = iota // context on both sides, and the alternative fits: what align/1 reads
	worn                 // context on both sides, and the errors are such as the passage has elsewhere
	thin                 // context on both sides, but little
	alone                // on one side only
	listed               // a list, all its places firm
	hung                 // a list of which an end has no context but the list itself
	frayed               // a list with worn items
	manners
)

// scale turns a margin of scores into nats: none below from, one for each per
// scores above, most at most; from hard on the reading is hard.
type scale struct{ from, per, most, hard int32 }

// noMargin is more than any margin that is kept.
const noMargin = 1 << 14

var scales = [manners]scale{
	firm:   {from: 0, per: 1, most: natsMost, hard: 8},
	worn:   {from: 6, per: 3, most: 6, hard: noMargin},
	thin:   {from: 9, per: 2, most: 4, hard: noMargin},
	alone:  {from: 5, per: 4, most: 5, hard: noMargin},
	listed: {from: 0, per: 1, most: natsMost, hard: 8},
	hung:   {from: 6, per: 3, most: 3, hard: noMargin},
	frayed: {from: 6, per: 3, most: 4, hard: noMargin},
}

// natsMost is as far as a likelihood falls: e⁻¹⁰ of the greatest.
const natsMost = 10

// likelihood65535 is 65535·e⁻ⁿ, rounded.
var likelihood65535 = [natsMost + 1]uint16{65535, 24109, 8869, 3263, 1200, 442, 162, 60, 22, 8, 3}

func likelihoods(nats []uint8) []uint16 {
	out := make([]uint16, len(nats))
	for x, n := range nats {
		out[x] = likelihood65535[min(n, natsMost)]
	}
	return out
}

// shown is what a passage shows at a unit before it is weighed: for each symbol
// how far its score is behind the best.
type shown struct {
	state  fpcode.State
	how    manner
	behind []int32
	spans  [][2]int32
}

// weigh turns margins into likelihoods.
func (s *shown) weigh() verdict {
	if s.state != fpcode.Value {
		return verdict{state: s.state, spans: s.spans}
	}
	c := scales[s.how]
	v := verdict{state: fpcode.Value, symbol: uint8(slices.Index(s.behind, 0)), nats: make([]uint8, len(s.behind)), spans: s.spans}
	second := int32(noMargin)
	for x, d := range s.behind {
		if x != int(v.symbol) {
			second = min(second, d)
		}
		if d > c.from {
			v.nats[x] = uint8(min((d-c.from)/c.per, c.most))
		}
	}
	switch {
	case second >= c.hard:
		v.nats = nil
	case slices.Max(v.nats) == 0:
		return unread
	}
	return v
}

func weighOne(l *lattice, k *look) verdict {
	s := seeOne(l, k)
	return s.weigh()
}

func weighTogether(l *lattice, unit []int32, at map[int32]*look) verdict {
	s := seeTogether(l, unit, at)
	return s.weigh()
}

const (
	// Context that a thin passage has, in all.
	contextThin = 15 * scoreMatch
	// What a worn alternative must score for itself, and how worn a passage must
	// be, in errors of a hundred characters, to excuse more than align/1 does.
	wornOwn   = 2 * scoreMatch
	wornLeast = 2
	// What an alternative with one end missing must score for itself.
	ownAlone = 3 * scoreMatch
)

// seeOne looks at a choice whose alternatives tell all symbols apart.
func seeOne(l *lattice, k *look) shown {
	seg := &l.segments[k.segment]
	best := 0
	for i := range k.strands {
		if k.strands[i].best() > k.strands[best].best() {
			best = i
		}
	}
	f := k.strands[best].through
	n := l.strands[seg.first+int32(best)].n
	out := shown{state: fpcode.Value, behind: make([]int32, len(seg.of)), spans: [][2]int32{{f.y1, f.y2}}}
	for x, a := range seg.of {
		out.behind[x] = min(k.strands[best].best()-k.strands[a].best(), noMargin-1)
	}
	switch {
	case f.context() && f.fits(n):
		out.how = firm
	case f.context() && f.wears(n, k):
		out.how = worn
	case k.other.context():
		// Both ends are there. One character is dirt, more is another text.
		if k.other.y2-k.other.y1 > 1 {
			return shown{state: fpcode.Other, spans: [][2]int32{{k.other.y1, k.other.y2}}}
		}
		return shown{}
	case !f.fits(n):
		return shown{}
	case min(f.left, f.right) > 0 && f.left+f.right >= contextThin && f.own > 0:
		out.how = thin
	case max(f.left, f.right) >= contextThin && f.own >= ownAlone && !l.mayBeEmpty(seg):
		out.how = alone
	default:
		return shown{}
	}
	return out
}

// wears says whether a text of n characters is there with no more errors than
// are likely in a passage as worn as this one.
func (f *fit) wears(n int32, k *look) bool {
	rate := k.errors()
	most := min(2*n/5, 1+(3*rate*n+99)/100)
	return rate >= wornLeast && f.own >= wornOwn && n*scoreMatch-f.own <= errorCost*most
}

// errors is how many of a hundred characters around a choice are wrong.
func (k *look) errors() int32 {
	if k.near == 0 {
		return 0
	}
	return 100 * k.lost / (errorCost * k.near)
}

// seeTogether looks at the places of a list. As for align/1, all of them must be
// in the passage and show exactly one symbol's order: where an item is missing
// another may have been moved.
func seeTogether(l *lattice, unit []int32, at map[int32]*look) shown {
	out := shown{state: fpcode.Value, how: listed, behind: make([]int32, len(l.segments[unit[0]].of))}
	total := make([]int32, len(out.behind))
	ideal, other := int32(0), false
	for _, segment := range unit {
		k := at[segment]
		if k == nil {
			return shown{}
		}
		best := 0
		for i := range k.strands {
			if k.strands[i].through.score > k.strands[best].through.score {
				best = i
			}
		}
		f, n := k.strands[best].through, l.strands[l.segments[segment].first+int32(best)].n
		switch {
		case f.context() && f.fits(n):
			out.spans = append(out.spans, [2]int32{f.y1, f.y2})
		case f.context() && f.wears(n, k):
			out.how = frayed
			out.spans = append(out.spans, [2]int32{f.y1, f.y2})
		case f.fits(n) && f.own >= ownAlone && (max(f.left, f.right) >= contextAlone || !k.other.context() && f.left+f.right >= contextThin):
			// At a list's end, what follows it may be anything.
			out.how = max(out.how, hung)
			out.spans = append(out.spans, [2]int32{f.y1, f.y2})
		case k.other.context() && k.other.y2-k.other.y1 > 1:
			other = true
			out.spans = append(out.spans, [2]int32{k.other.y1, k.other.y2})
		default:
			return shown{}
		}
		ideal += k.strands[best].best()
		for x := range total {
			total[x] += k.strands[l.segments[segment].of[x]].best()
		}
	}
	top := slices.Max(total)
	if other || top != ideal {
		return shown{state: fpcode.Other, spans: out.spans}
	}
	for x := range total {
		out.behind[x] = min(top-total[x], noMargin-1)
	}
	return out
}
