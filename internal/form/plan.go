package form

import (
	"cmp"
	"slices"
)

const (
	bandSlack  = 16 // characters either side of where the runs say
	bandExtend = 72 // how far beyond its runs a chain is followed
	// Of a literal that fits exactly, only this much next to its ends is
	// aligned: what lies farther from a choice says nothing more about it.
	bandContext = 80
)

// A node is a place in the lattice, between two characters, and the specimen
// positions at which a path may cross it.
type node struct {
	segment, offset int32 // offset is 0 but inside a literal
	lo, hi          int32 // inclusive; in characters of the specimen
	known           bool  // lo and hi stem from a run
	inside          bool  // of a long run, away from its ends
	exact           int32 // inside: the run's specimen position
}

func (a node) compare(b node) int {
	return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.offset, b.offset))
}

func (n node) band() band { return band{n.lo, n.hi} }

// mirrored is a node's band in a text of that length written backwards.
func (n node) mirrored(length int32) band { return band{length - n.hi, length - n.lo} }

// plan lays out the nodes of a chain, with their bands.
func (a *aligner) plan(c *chain) {
	a.nodes = a.nodes[:0]
	for _, r := range c.runs {
		s := &a.l.strands[r.strand]
		o := r.cell - s.cell
		if a.l.segments[s.segment].kind != Literal {
			a.nodes = append(a.nodes, fixedNode(s.segment, 0, r.y-o), fixedNode(s.segment+1, 0, r.y+s.n-o))
			continue
		}
		a.addNode(s.segment, o, r.y)
		if r.n > 3*bandContext {
			for _, d := range []int32{bandContext, r.n - bandContext} {
				n := fixedNode(s.segment, o+d, r.y+d)
				n.inside, n.exact = true, r.y+d
				a.nodes = append(a.nodes, n)
			}
		}
		a.addNode(s.segment, o+r.n, r.y+r.n)
	}
	a.extend()
	for i, n := 0, len(a.nodes); i+1 < n; i++ {
		from, to := a.nodes[i], a.nodes[i+1]
		for s := from.segment + 1; s < to.segment || s == to.segment && to.offset > 0; s++ {
			a.nodes = append(a.nodes, node{segment: s})
		}
	}
	slices.SortStableFunc(a.nodes, node.compare)
	merged := a.nodes[:1]
	for _, n := range a.nodes[1:] {
		if m := &merged[len(merged)-1]; m.compare(n) != 0 {
			merged = append(merged, n)
		} else if !m.known {
			*m = n
		} else if n.known {
			m.lo, m.hi, m.inside = min(m.lo, n.lo), max(m.hi, n.hi), false
		}
	}
	a.nodes = merged
	a.bands()
}

// addNode adds a place that a run fixes. The end of a literal is the beginning
// of what follows.
func (a *aligner) addNode(segment, offset, y int32) {
	if s := a.l.segments[segment : segment+1]; offset > 0 && offset == a.l.strands[s[0].first].n {
		segment, offset = segment+1, 0
	}
	a.nodes = append(a.nodes, fixedNode(segment, offset, y))
}

func fixedNode(segment, offset, y int32) node {
	return node{segment: segment, offset: offset, lo: y, hi: y, known: true}
}

// extend adds nodes before the first and after the last that runs fix, up to
// bandExtend characters away or the end of the file. Between files lies a node
// that belongs to both; it is only ever the last or the first of a plan.
func (a *aligner) extend() {
	slices.SortStableFunc(a.nodes, node.compare)
	l := a.l
	for n, d := a.nodes[0], int32(bandExtend); d > 0; {
		if n.offset == 0 {
			if l.fileStart(n.segment) {
				break
			}
			n = node{segment: n.segment - 1}
			lo, hi := l.width(n.segment)
			if l.segments[n.segment].kind == Literal && lo > d {
				n.offset = lo - d
			}
			d -= max(1, (lo+hi)/2)
		} else {
			step := min(d, n.offset)
			n = node{segment: n.segment, offset: n.offset - step}
			d -= step
		}
		a.nodes = append(a.nodes, n)
	}
	var end node
	for _, n := range a.nodes {
		if n.known && n.compare(end) >= 0 {
			end = n
		}
	}
	for n, d := end, int32(bandExtend); d > 0 && !(n.offset == 0 && l.fileEnd(n.segment) && n.segment > a.nodes[0].segment); {
		lo, hi := l.width(n.segment)
		if l.segments[n.segment].kind == Literal && lo-n.offset > d {
			n = node{segment: n.segment, offset: n.offset + d}
			d = 0
		} else {
			d -= max(1, (lo+hi)/2-n.offset)
			n = node{segment: n.segment + 1}
		}
		a.nodes = append(a.nodes, n)
	}
	slices.SortStableFunc(a.nodes, node.compare)
}

// bands gives every node its specimen positions: those that some way through
// the lattice reaches from the nearest fixed node before it, and from which the
// nearest one after it can be reached; all between the two when they disagree.
func (a *aligner) bands() {
	l, end := a.l, int32(len(a.text))
	span := func(from, to *node) (least, most int32) {
		return l.least[to.segment] + to.offset - l.least[from.segment] - from.offset,
			l.most[to.segment] + to.offset - l.most[from.segment] - from.offset
	}
	after := make([]*node, len(a.nodes))
	var next *node
	for i := len(a.nodes) - 1; i >= 0; i-- {
		if a.nodes[i].known {
			next = &a.nodes[i]
		}
		after[i] = next
	}
	fixed := slices.Clone(a.nodes)
	var before *node
	for i := range a.nodes {
		n := &a.nodes[i]
		if n.known {
			before = &fixed[i]
			n.lo, n.hi = n.lo-bandSlack, n.hi+bandSlack
			continue
		}
		lo, hi := int32(never), int32(-never)
		if before != nil {
			least, most := span(before, n)
			lo, hi = before.lo+least, before.hi+most
		}
		if f := after[i]; f != nil { // not yet widened, being later
			least, most := span(n, f)
			if fromLo, fromHi := f.lo-most, f.hi-least; before == nil || max(lo, fromLo) <= min(hi, fromHi) {
				lo, hi = max(lo, fromLo), min(hi, fromHi)
			} else {
				lo, hi = min(lo, fromLo), max(hi, fromHi)
			}
		}
		n.lo, n.hi = lo-bandSlack, hi+bandSlack
	}
	for i := range a.nodes {
		n := &a.nodes[i]
		n.lo, n.hi = min(max(n.lo, 0), end), min(max(n.hi, 0), end)
		if i > 0 {
			n.hi = max(n.hi, a.nodes[i-1].hi)
		}
	}
	for i := len(a.nodes) - 2; i >= 0; i-- {
		a.nodes[i].lo = min(a.nodes[i].lo, a.nodes[i+1].lo)
	}
}
