package sighting

import (
	"maps"
	"slices"

	"forewarn/internal/ascii"
)

// edges are the lengths of words that go by these, such that what they make a pair
// with goes by its letters on one side and not on the other: the first and the last of
// a UUID's. A word of such a length is looked at, or the word behind one, wherever it
// stands. Without that a run with a UUID in its midst, whose inner pairs nobody knows,
// would have every third word looked at.
type edges struct {
	first, last []int
	rungs       []rung
}

// rung is a step from words of so many bytes or more to words of more, and what is to
// be done about those of exactly n.
type rung struct {
	by, n       uint8
	first, last uint64 // all bits or none
}

// mostEdges is how many lengths there may be of either, for each costs.
const mostEdges = 2

func edgesOf(lattices []*lattice) edges {
	first, last := map[int]bool{}, map[int]bool{}
	for _, l := range lattices {
		wild := make([]bool, len(l.edges))
		for e := range l.edges {
			_, kind := wordKey(l.edges[e].word)
			wild[e] = kind == byLength && len(l.edges[e].word) > 1 && len(l.edges[e].word) < ascii.Block
		}
		beside := func(joints []int32, want bool) bool { // whether such a word ends there
			return slices.ContainsFunc(joints, func(j int32) bool {
				return slices.ContainsFunc(l.joints[j].in, func(e int32) bool { return wild[e] == want })
			})
		}
		behind := func(j int32, want bool) bool { // whether such a word begins there
			return slices.ContainsFunc(l.joints[j].starts, func(n int32) bool {
				return slices.ContainsFunc(l.nodes[n].out, func(e int32) bool { return wild[e] == want })
			})
		}
		for e, edge := range l.edges {
			if !wild[e] {
				continue
			}
			before := l.nodes[edge.from].in
			if beside(before, false) && behind(edge.to, true) {
				first[len(edge.word)] = true
			}
			if beside(before, true) && behind(edge.to, false) {
				last[len(edge.word)] = true
			}
		}
	}
	if len(first) > mostEdges || len(last) > mostEdges {
		return edges{}
	}
	at := edges{first: slices.Sorted(maps.Keys(first)), last: slices.Sorted(maps.Keys(last))}
	have := 1
	for _, n := range slices.Compact(slices.Sorted(slices.Values(append(at.first, at.last...)))) {
		for ; have < n; have += int(at.rungs[len(at.rungs)-1].by) {
			at.rungs = append(at.rungs, rung{by: uint8(min(have, n-have))})
		}
		top := &at.rungs[len(at.rungs)-1]
		top.n = uint8(n)
		top.first, top.last = -uint64(one(first[n])), -uint64(one(last[n]))
	}
	return at
}

// every is the largest number such that each run of MinWords words with an anchor
// among them, of any copy, has so many pairs in a row that the filter knows, or one
// at an edge. It knows none of two words that both go by no letters.
func (l *lattice) every(at edges) int {
	n := MinWords - 1
	for n > 1 && l.slips(n, at) {
		n--
	}
	return n
}

// slips reports whether there is a run within which there aren't so many, and none at
// an edge. It has gone on, for each word, from the runs that end with it the fewest
// pairs of the row under way, apart from runs with and without an anchor: if these
// come to as many, so do all.
func (l *lattice) slips(many int, at edges) bool {
	const none = MinWords
	type fewest [2]int                              // without an anchor, and with one
	type ended struct{ letters, last, wild fewest } // by what the last word goes: letters, a length at an edge, or else
	row, kinds := make([]fewest, len(l.edges)), make([]int, len(l.edges))
	joints, nodes := make([]ended, len(l.joints)), make([]ended, len(l.nodes))
	for e, edge := range l.edges {
		if _, kinds[e] = wordKey(edge.word); edge.anchor {
			row[e] = fewest{none, 0}
		} else {
			row[e] = fewest{0, none}
		}
	}
	stands := func(e int, lengths []int) bool {
		return kinds[e] == byLength && slices.Contains(lengths, len(l.edges[e].word))
	}
	lesser := func(a, b fewest) fewest { return fewest{min(a[0], b[0]), min(a[1], b[1])} }
	more := func(f fewest) fewest { // by a pair that is known
		for k := range f {
			if f[k]++; f[k] >= many {
				f[k] = none
			}
		}
		return f
	}
	nothing := fewest{none, none}
	for range MinWords - 1 {
		for j := range joints {
			x := ended{nothing, nothing, nothing}
			for _, e := range l.joints[j].in {
				switch {
				case kinds[e] == byLetters:
					x.letters = lesser(x.letters, row[e])
				case stands(int(e), at.last):
					x.last = lesser(x.last, row[e])
				default:
					x.wild = lesser(x.wild, row[e])
				}
			}
			joints[j] = x
		}
		for n := range nodes {
			x := ended{nothing, nothing, nothing}
			for _, j := range l.nodes[n].in {
				x = ended{lesser(x.letters, joints[j].letters), lesser(x.last, joints[j].last), lesser(x.wild, joints[j].wild)}
			}
			nodes[n] = x
		}
		for e, edge := range l.edges {
			x, f := nodes[edge.from], nothing
			if kinds[e] == byLetters {
				f = more(lesser(x.letters, x.wild)) // behind a last one it would be at an edge
			} else {
				for k, n := range lesser(x.last, x.wild) {
					if n < none {
						f[k] = 0
					}
				}
				if !stands(e, at.first) {
					f = lesser(f, more(x.letters))
				}
			}
			if edge.anchor {
				f = fewest{none, min(f[0], f[1])}
			}
			row[e] = f
		}
	}
	return slices.ContainsFunc(row, func(f fewest) bool { return f[1] < none })
}

// in gives, of the words that begin in a block, those at an edge: of such a length, or
// behind one of such a length that begins in the block. The mask of the next block
// tells how a word goes on.
func (at *edges) in(begin, words, after uint64) (out uint64) {
	long, further := words, after // what is of words for so many bytes on
	last := uint64(0)
	for i := range at.rungs {
		r := &at.rungs[i]
		by, n := r.by&63, r.n&63
		long, further = long&(long>>by|further<<(-by&63)), further&(further>>by)
		exactly := begin & long &^ (words>>n | after<<(-n&63))
		out, last = out|exactly&r.first, last|exactly&r.last
	}
	for ; last != 0; last &= last - 1 {
		behind := begin &^ (last ^ (last - 1)) // the first of the next block is looked at anyway
		out |= behind & -behind
	}
	return out
}
