package form

import (
	"math"
	"slices"

	"forewarn/internal/fpcode"
)

// What a reading of Value takes, in scores of alignment. doc/spec/form.md says
// why these, and how often they err.
const (
	// Context on both sides: each at least contextEach, together contextBoth.
	contextEach = 8 * scoreMatch
	contextBoth = 22 * scoreMatch
	// On one side only, at the end of an excerpt or beside foreign text.
	contextAlone = 20 * scoreMatch
	// How much better than any other alternative, and, on one side only, how
	// much of its own.
	marginBoth  = 4
	marginAlone = 15
	// Errors allowed inside the alternative itself: one, or 15 %.
	errorCost = scoreMatch - scoreGap
)

// verdict is what a passage shows at one unit of a site.
type verdict struct {
	state  fpcode.State
	symbol uint8   // of a Value; of a soft one a most likely symbol
	nats   []uint8 // of a soft Value: how far each symbol is behind the likeliest
	spans  [][2]int32
}

// lead is by how many nats the likeliest symbol leads, and more than any if
// nothing is left to doubt.
func (v *verdict) lead() uint8 {
	if v.nats == nil {
		return math.MaxUint8
	}
	least := uint8(math.MaxUint8)
	for x, n := range v.nats {
		if x != int(v.symbol) {
			least = min(least, n)
		}
	}
	return least
}

var unread = verdict{state: fpcode.Erased}

// judge turns the looks of one chain into findings.
func (r *Reader) judge(looks []look, chain int32) (out []finding) {
	at := make(map[int32]*look, len(looks))
	for i := range looks {
		at[looks[i].segment] = &looks[i]
	}
	for i := range looks {
		site := r.lattice.segments[looks[i].segment].site
		for _, unit := range r.lattice.sites[site].units {
			if firstSeen(unit, at) != looks[i].segment {
				continue
			}
			var v verdict
			if len(unit) == 1 {
				v = r.rules.one(r.lattice, &looks[i])
			} else {
				v = r.rules.together(r.lattice, unit, at)
			}
			if v.state != fpcode.Erased {
				out = append(out, finding{verdict: v, site: site, chain: chain})
			}
		}
	}
	return out
}

// firstSeen is the first segment of a unit that was looked at, -1 if none was.
func firstSeen(unit []int32, at map[int32]*look) int32 {
	for _, segment := range unit {
		if at[segment] != nil {
			return segment
		}
	}
	return -1
}

// good says whether a fit has context on both sides and whether a text of n
// characters is really there.
func (f *fit) context() bool {
	return f.left >= contextEach && f.right >= contextEach && f.left+f.right >= contextBoth
}

func (f *fit) fits(n int32) bool {
	return n*scoreMatch-f.own <= errorCost*max(1, (n*15+99)/100)
}

// judgeOne is align/1's judgement of a choice whose alternatives tell all
// symbols apart.
func judgeOne(l *lattice, k *look) verdict {
	best, second := -1, int32(never)
	for i := range k.strands {
		if s := k.strands[i].best(); best < 0 || s > k.strands[best].best() {
			if best >= 0 {
				second = max(second, k.strands[best].best())
			}
			best = i
		} else {
			second = max(second, s)
		}
	}
	seg := &l.segments[k.segment]
	s := &k.strands[best]
	margin := s.best() - second
	n := l.strands[seg.first+int32(best)].n
	symbol := uint8(slices.Index(seg.of, uint8(best)))
	through := s.through
	switch {
	case through.context() && through.fits(n):
		if margin >= marginBoth {
			return verdict{state: fpcode.Value, symbol: symbol, spans: [][2]int32{{through.y1, through.y2}}}
		}
		return unread
	case k.other.context():
		// Both ends are there. One character is dirt, more is another text.
		if k.other.y2-k.other.y1 > 1 {
			return verdict{state: fpcode.Other, spans: [][2]int32{{k.other.y1, k.other.y2}}}
		}
		return unread
	case max(through.left, through.right) >= contextAlone && through.fits(n) && through.own >= marginAlone &&
		margin >= marginAlone && !l.mayBeEmpty(seg):
		// With one end missing, all of the alternative must be there: nothing
		// tells a word that was cut off from one that foreign text begins with.
		return verdict{state: fpcode.Value, symbol: symbol, spans: [][2]int32{{through.y1, through.y2}}}
	}
	return unread
}

func (l *lattice) mayBeEmpty(s *segment) bool {
	for j := s.first; j < s.next; j++ {
		if l.strands[j].n == 0 {
			return true
		}
	}
	return false
}

// judgeTogether is align/1's judgement of the places of a list. All of them must be in the
// passage, with context on both sides, and what stands at them must be exactly
// one symbol's order: whoever sorts a list otherwise makes no reading.
func judgeTogether(l *lattice, unit []int32, at map[int32]*look) verdict {
	q := len(l.segments[unit[0]].of)
	total := make([]int32, q)
	ideal := int32(0)
	other := false
	var spans [][2]int32
	for _, segment := range unit {
		k := at[segment]
		if k == nil {
			return unread
		}
		best := 0
		for i := range k.strands {
			if k.strands[i].through.score > k.strands[best].through.score {
				best = i
			}
		}
		seg := &l.segments[segment]
		if b := k.strands[best].through; b.context() && b.fits(l.strands[seg.first+int32(best)].n) {
			spans = append(spans, [2]int32{b.y1, b.y2})
		} else if k.other.context() && k.other.y2-k.other.y1 > 1 {
			other = true
			spans = append(spans, [2]int32{k.other.y1, k.other.y2})
		} else {
			return unread
		}
		ideal += k.strands[best].best()
		for v := range total {
			total[v] += k.strands[seg.of[v]].best()
		}
	}
	best, second := 0, int32(never)
	for v := 1; v < q; v++ {
		if total[v] > total[best] {
			best, second = v, total[best]
		} else {
			second = max(second, total[v])
		}
	}
	if other || total[best] != ideal {
		return verdict{state: fpcode.Other, spans: spans}
	}
	if total[best]-second < marginBoth {
		return unread
	}
	return verdict{state: fpcode.Value, symbol: uint8(best), spans: spans}
}
