package form

import (
	"slices"
	"sort"
)

// Seeds are stretches of seedLength folded characters that Form and specimen
// share exactly. Twelve characters are two or three words: at 5 % character
// errors more than half of all positions still begin one.
const (
	seedLength = 12
	// A seed that stands at more places of the Form than this is boilerplate
	// and starts nothing; the alignment between other seeds covers it.
	seedPlaces = 8
	// Seeds farther than this from any choice matter only if they compete with
	// one that is near.
	seedReach = 600
	// How many ways through choices are followed from one cell.
	seedWays = 48
)

const hashBase = 0x9E3779B97F4A7C15 | 1

var hashTop = func() uint64 { // hashBase^seedLength
	h := uint64(1)
	for i := 0; i < seedLength; i++ {
		h *= hashBase
	}
	return h
}()

func hashSeed(text []rune) (h uint64) {
	for _, r := range text {
		h = h*hashBase + uint64(r) + 1
	}
	return h
}

// seedIndex finds the cells at which a seed begins. It is an open-addressing
// table of runs in one list of cells.
type seedIndex struct {
	keys  []uint64
	runs  [][2]uint32
	cells []int32
	mask  uint64
}

type seed struct {
	hash uint64
	cell int32
}

func newSeedIndex(l *lattice) *seedIndex {
	var all []seed
	known := map[uint64]bool{}
	l.seeds(false, func(h uint64, cell int32) {
		known[h] = true
		all = append(all, seed{h, cell})
	})
	l.seeds(true, func(h uint64, cell int32) {
		if known[h] {
			all = append(all, seed{h, cell})
		}
	})
	slices.SortFunc(all, func(a, b seed) int {
		if a.hash != b.hash {
			if a.hash < b.hash {
				return -1
			}
			return 1
		}
		return int(a.cell) - int(b.cell)
	})
	all = slices.Compact(all)
	size := 16
	for size < 2*len(all) {
		size *= 2
	}
	x := &seedIndex{keys: make([]uint64, size), runs: make([][2]uint32, size), mask: uint64(size - 1)}
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].hash == all[i].hash {
			j++
		}
		if j-i <= seedPlaces {
			slot := x.slot(all[i].hash)
			x.keys[slot] = all[i].hash
			x.runs[slot] = [2]uint32{uint32(len(x.cells)), uint32(len(x.cells) + j - i)}
			for ; i < j; i++ {
				x.cells = append(x.cells, all[i].cell)
			}
		}
		i = j
	}
	return x
}

// slot is where a hash stands or would stand.
func (x *seedIndex) slot(h uint64) uint64 {
	i := (h ^ h>>29) * 0xBF58476D1CE4E5B9 >> 20 & x.mask
	for x.runs[i][1] != 0 && x.keys[i] != h {
		i = (i + 1) & x.mask
	}
	return i
}

func (x *seedIndex) find(h uint64) []int32 {
	r := x.runs[x.slot(h)]
	return x.cells[r[0]:r[1]]
}

// seeds lists the seeds that begin at each cell, by any way through the
// choices that follow: those far from any choice, or those near one.
func (l *lattice) seeds(far bool, emit func(hash uint64, cell int32)) {
	before, after := l.choiceDistances()
	var window [seedLength]rune
	for i := range l.strands {
		s := &l.strands[i]
		text := l.text(int32(i))
		for o := int32(0); o < s.n; o++ {
			if far != (before[s.segment]+o > seedReach && after[s.segment]+s.n-o > seedReach) {
				continue
			}
			if n := copy(window[:], text[o:]); n == seedLength {
				emit(hashSeed(window[:]), s.cell+o)
			} else {
				ways := seedWays
				l.follow(s.segment+1, window[:], n, &ways, func(h uint64) { emit(h, s.cell+o) })
			}
		}
	}
}

// follow completes a seed of which n characters are known from the segments
// that come next. It stops at tokens and at the end of a file.
func (l *lattice) follow(i int32, window []rune, n int, ways *int, emit func(uint64)) {
	if int(i) >= len(l.segments) || l.fileStart(i) || l.segments[i].kind == Token {
		return
	}
	for j := l.segments[i].first; j < l.segments[i].next && *ways > 0; j++ {
		*ways--
		if m := n + copy(window[n:], l.text(j)); m == seedLength {
			emit(hashSeed(window))
		} else {
			l.follow(i+1, window, m, ways, emit)
		}
	}
}

// choiceDistances gives, for each segment, the characters between its beginning
// and the choice before it, and between its end and the choice after it.
func (l *lattice) choiceDistances() (before, after []int32) {
	const none = 1 << 30
	before, after = make([]int32, len(l.segments)), make([]int32, len(l.segments))
	d := int32(none)
	for i := range l.segments {
		if l.fileStart(int32(i)) {
			d = none
		}
		if l.segments[i].kind == Choice {
			d = 0
		}
		before[i] = d
		if lo, _ := l.width(int32(i)); l.segments[i].kind != Choice {
			d = min(none, d+lo)
		}
	}
	d = none
	for i := len(l.segments) - 1; i >= 0; i-- {
		if l.fileEnd(int32(i + 1)) {
			d = none
		}
		if l.segments[i].kind == Choice {
			d = 0
		}
		after[i] = d
		if lo, _ := l.width(int32(i)); l.segments[i].kind != Choice {
			d = min(none, d+lo)
		}
	}
	return before, after
}

// A run is consecutive seeds on one strand: cells cell… and specimen
// characters y… are the same for n characters, all on that strand.
type run struct {
	cell, y, n int32
	strand     int32
}

// runs finds all runs of a specimen, by y, then cell.
func (l *lattice) runs(x *seedIndex, text []rune) []run {
	if len(text) < seedLength {
		return nil
	}
	var out []run
	var open, next []int32 // runs that the last position extended
	h := hashSeed(text[:seedLength-1])
	for y := 0; y+seedLength <= len(text); y++ {
		h = h*hashBase + uint64(text[y+seedLength-1]) + 1
		if y > 0 {
			h -= (uint64(text[y-1]) + 1) * hashTop
		}
		next = next[:0]
		for _, cell := range x.find(h) {
			at := int32(-1)
			for _, r := range open {
				if out[r].cell+out[r].n == cell && out[r].strand == l.strandOf[cell] {
					at = r
				}
			}
			if at < 0 {
				at = int32(len(out))
				out = append(out, run{cell: cell, y: int32(y), strand: l.strandOf[cell]})
			}
			out[at].n++
			next = append(next, at)
		}
		open, next = next, open
	}
	for i := range out { // from beginnings of seeds to characters
		s := &l.strands[out[i].strand]
		out[i].n = min(out[i].n+seedLength-1, s.cell+s.n-out[i].cell)
	}
	return out
}

// A chain is runs in the order of both Form and specimen, close enough to be
// one passage.
type chain struct {
	runs  []run // trimmed so that they overlap nowhere
	score int32 // characters matched, less what the gaps cost
}

const (
	chainGap    = 600 // most characters between two runs of a chain
	chainSlip   = 64  // most characters added or lost between two runs
	chainBack   = 64  // how many runs are considered as predecessors
	chainLeast  = 24  // a chain that scores less is chance
	chainLeeway = seedLength
)

// link says what run b adds to a chain that ends in run a: the score, and how
// many of b's first characters must go because a already has them.
func (l *lattice) link(a, b run) (gain, trim int32, ok bool) {
	sa, sb := &l.strands[a.strand], &l.strands[b.strand]
	if sb.segment < sa.segment || l.segments[sa.segment].file != l.segments[sb.segment].file {
		return 0, 0, false
	}
	var least, most int32
	if a.strand == b.strand {
		least = b.cell - (a.cell + a.n)
		most = least
	} else if sa.segment == sb.segment {
		return 0, 0, false
	} else {
		rest := sa.cell + sa.n - (a.cell + a.n) + b.cell - sb.cell
		least = rest + l.least[sb.segment] - l.least[sa.segment+1]
		most = rest + l.most[sb.segment] - l.most[sa.segment+1]
	}
	dy := b.y - (a.y + a.n)
	trim = max(0, -most, -dy)
	if trim > chainLeeway || trim >= b.n || b.y <= a.y {
		return 0, 0, false
	}
	least, most, dy = least+trim, most+trim, dy+trim
	slip := max(0, least-dy, dy-most)
	if slip > chainSlip || dy > chainGap || least > chainGap {
		return 0, 0, false
	}
	return b.n - trim - slip/2 - max(dy, least)/16, trim, true
}

// chains links runs into passages, best first.
func (l *lattice) chains(runs []run) []chain {
	type node struct {
		score, trim int32
		from        int32
	}
	nodes := make([]node, len(runs))
	byEnd := make([]int32, len(runs))
	for i := range byEnd {
		byEnd[i] = int32(i)
	}
	end := func(i int32) int32 { return runs[i].y + runs[i].n }
	sort.SliceStable(byEnd, func(i, j int) bool { return end(byEnd[i]) < end(byEnd[j]) })
	closed := 0
	for i, r := range runs {
		nodes[i] = node{score: r.n, from: -1}
		for closed < len(byEnd) && end(byEnd[closed]) <= r.y+chainLeeway {
			closed++
		}
		for j := closed - 1; j >= 0 && j >= closed-chainBack; j-- {
			k := byEnd[j]
			if int(k) >= i || end(k) < r.y-chainGap {
				continue
			}
			if gain, trim, ok := l.link(runs[k], r); ok && nodes[k].score+gain > nodes[i].score {
				nodes[i] = node{nodes[k].score + gain, trim, k}
			}
		}
	}
	order := make([]int32, len(runs))
	for i := range order {
		order[i] = int32(i)
	}
	sort.SliceStable(order, func(i, j int) bool { return nodes[order[i]].score > nodes[order[j]].score })
	used := make([]bool, len(runs))
	var out []chain
	for _, last := range order {
		if used[last] || nodes[last].score < chainLeast {
			continue
		}
		c := chain{score: nodes[last].score}
		for i := last; i >= 0; i = nodes[i].from {
			if used[i] {
				c.score -= nodes[i].score
				break
			}
			used[i] = true
			r, trim := runs[i], nodes[i].trim
			c.runs = append(c.runs, run{r.cell + trim, r.y + trim, r.n - trim, r.strand})
		}
		if c.score >= chainLeast {
			slices.Reverse(c.runs)
			out = append(out, c)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].score > out[j].score })
	return out
}
