package sighting

import (
	"hash/fnv"
	"slices"
	"strings"
	"unicode/utf8"
)

// lattice is the words of all copies of a Text. A node is where a word begins.
// Behind a word stands a joint, from which the words go on; several words may
// come to one, and one may lead to several nodes. So the paths are as many as
// the copies, and the lattice grows with the parts alone.
type lattice struct {
	nodes   []node
	joints  []joint
	edges   []arc
	longest int // bytes of a word, however it is written
}

type node struct {
	out   []int32 // edges
	in    []int32 // joints
	first int     // the fewest words that any copy has before it; -1: no copy comes here
}

type joint struct {
	starts []int32 // nodes
	in     []int32 // edges
}

type arc struct {
	word     string // folded; empty: any
	from, to int32  // node and joint
	anchor   bool
}

// mostSpellings is how many spellings of one word are told apart, where sites
// stand within it. A word with more may be any word of up to longestAny bytes.
const (
	mostSpellings = 1024
	longestAny    = 1 << 16
)

// place is a byte of an alternative; past the last of a part it is the next
// part's beginning, which has no alternative yet: alternative and offset are -1
// and 0.
type place struct{ part, alternative, offset int32 }

// compositor makes a lattice.
type compositor struct {
	*lattice
	parts  [][]string
	nodeAt map[place]int32
	joinAt map[place]int32
	starts [][]int32 // the nodes where a word may begin at a part's beginning, memorised
	places []place   // of the nodes
}

func newLattice(t Text) *lattice {
	c := compositor{lattice: &lattice{}, parts: make([][]string, len(t.Parts)), nodeAt: map[place]int32{}, joinAt: map[place]int32{},
		starts: make([][]int32, len(t.Parts)+1)}
	for i, p := range t.Parts {
		if p.Token != 0 {
			c.parts[i] = []string{template(p.Token)}
		}
		for _, a := range p.Alternatives {
			// A wild byte of the text's own parts words, as it does in telemetry.
			if a := strings.ReplaceAll(string(a), string(wild), " "); !slices.Contains(c.parts[i], a) {
				c.parts[i] = append(c.parts[i], a)
			}
		}
	}
	// From the back, so that a beginning knows those behind it.
	for i := len(c.parts) - 1; i >= 0; i-- {
		for a := range c.parts[i] {
			for _, n := range c.begin(c.settle(place{int32(i), int32(a), 0})) {
				if !slices.Contains(c.starts[i], n) {
					c.starts[i] = append(c.starts[i], n)
				}
			}
		}
	}
	c.words()
	return c.lattice
}

// settle goes on from a place between words to where a word begins, or to the
// beginning of the next part.
func (c *compositor) settle(p place) place {
	text := c.parts[p.part][p.alternative]
	for int(p.offset) < len(text) {
		r, n := utf8.DecodeRuneInString(text[p.offset:])
		if r == wild || letter(r) {
			return p
		}
		p.offset += int32(n)
	}
	return place{p.part + 1, -1, 0}
}

// begin is the nodes of a settled place.
func (c *compositor) begin(p place) []int32 {
	if p.alternative < 0 {
		return c.starts[p.part]
	}
	n, ok := c.nodeAt[p]
	if !ok {
		n = int32(len(c.nodes))
		c.nodeAt[p] = n
		c.nodes = append(c.nodes, node{first: -1})
		c.places = append(c.places, p)
	}
	return []int32{n}
}

// join is the joint of a settled place.
func (c *compositor) join(p place) int32 {
	j, ok := c.joinAt[p]
	if !ok {
		j = int32(len(c.joints))
		c.joinAt[p] = j
		c.joints = append(c.joints, joint{starts: c.begin(p)})
		for _, n := range c.joints[j].starts {
			c.nodes[n].in = append(c.nodes[n].in, j)
		}
	}
	return j
}

// words makes the edges of every node that a copy comes to, breadth first, so
// that the fewest words before a node are known when it is met.
func (c *compositor) words() {
	var todo []int32
	reach := func(nodes []int32, first int) {
		for _, n := range nodes {
			if c.nodes[n].first < 0 {
				c.nodes[n].first = first
				todo = append(todo, n)
			}
		}
	}
	for reach(c.starts[0], 0); len(todo) > 0; todo = todo[1:] {
		n := todo[0]
		c.spell(n, func(word string, to place) {
			e, j := int32(len(c.edges)), c.join(to)
			c.edges = append(c.edges, arc{word: word, from: n, to: j})
			c.nodes[n].out = append(c.nodes[n].out, e)
			c.joints[j].in = append(c.joints[j].in, e)
			if c.longest = max(c.longest, mostBytes(word)); word == "" {
				c.longest = max(c.longest, longestAny)
			}
			reach(c.joints[j].starts, c.nodes[n].first+1)
		})
	}
}

// spell gives every spelling of the word that begins at a node, and where it
// ends. With sites within it there are several, and they may end in different
// places.
func (c *compositor) spell(n int32, emit func(word string, to place)) {
	type state struct {
		part int32
		word string
	}
	type ending struct {
		word string
		to   place
	}
	for _, blind := range [2]bool{false, true} {
		seen, ends := map[state]bool{}, map[ending]bool{}
		var todo []state
		var order []ending
		end := func(word string, to place) {
			if e := (ending{word, to}); !ends[e] {
				ends[e] = true
				order = append(order, e)
			}
		}
		read := func(p place, word string) {
			text := c.parts[p.part][p.alternative][p.offset:]
			i := 0
			for i < len(text) {
				r, n := utf8.DecodeRuneInString(text[i:])
				if r != wild && !letter(r) {
					break
				}
				i += n
			}
			if !blind {
				word += strings.Map(folded, text[:i])
			}
			if i < len(text) {
				p.offset += int32(i)
				end(word, c.settle(p))
			} else if s := (state{p.part + 1, word}); !seen[s] {
				seen[s] = true
				todo = append(todo, s)
			}
		}
		read(c.places[n], "")
		for len(todo) > 0 && (blind || len(seen) <= mostSpellings) {
			s := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if int(s.part) == len(c.parts) {
				end(s.word, place{s.part, -1, 0})
				continue
			}
			for a := range c.parts[s.part] {
				read(place{s.part, int32(a), 0}, s.word)
			}
		}
		if len(todo) > 0 {
			continue // too many: any word
		}
		for _, e := range order {
			emit(e.word, e.to)
		}
		return
	}
}

// mostBytes is how many bytes a folded word has at most in telemetry: ß of two may
// be ẞ of three. No letter beyond ASCII loses more by folding.
func mostBytes(w string) (n int) {
	for _, r := range w {
		n += utf8.RuneLen(r) + one(r >= utf8.RuneSelf)
	}
	return n
}

// choose marks anchors: words such that each run of MinWords of any copy holds
// one. It is winnowing (Schleimer, Wilkerson, Aiken, SIGMOD 2003) on a lattice:
// of each run the words of the least rank are taken. That is, an edge is taken
// if it lies on a run in which no word has a lesser rank; what may stand before
// it and behind it are looked for apart. Words without a rank can't be anchors.
func (l *lattice) choose(rank func(word string) (uint32, bool)) {
	ranks := make([]uint32, len(l.edges))
	for i, e := range l.edges {
		r, ok := rank(e.word)
		if ranks[i] = r; !ok {
			ranks[i] = ^uint32(0)
		}
	}
	var here, there []int32
	for i := range l.edges {
		if ranks[i] == ^uint32(0) {
			continue
		}
		fits := func(e int32) bool { return ranks[e] >= ranks[i] }
		n := 0
		for here = append(here[:0], l.edges[i].from); n < MinWords-1; n++ {
			if there = l.before(there[:0], here, fits); len(there) == 0 {
				break
			}
			here, there = there, here
		}
		for here = append(here[:0], l.edges[i].to); n < MinWords-1; n++ {
			if there = l.behind(there[:0], here, fits); len(there) == 0 {
				break
			}
			here, there = there, here
		}
		l.edges[i].anchor = n == MinWords-1
	}
}

// contexts gives each edge a hash of the words that may stand next to it, less than
// MinWords on either side. Edges with the same read the same there. A text that
// repeats itself has many edges and few contexts.
func (l *lattice) contexts() []uint64 {
	word := make([]uint64, len(l.edges))
	for e, edge := range l.edges {
		h := fnv.New64a()
		h.Write([]byte(edge.word))
		word[e] = mixed(h.Sum64(), 1)
	}
	left, right := slices.Clone(word), slices.Clone(word)
	nodes, joints := make([]uint64, len(l.nodes)), make([]uint64, len(l.joints))
	var room []uint64
	all := func(of []int32, hashes []uint64) (h uint64) {
		room = room[:0]
		for _, i := range of {
			room = append(room, hashes[i])
		}
		slices.Sort(room)
		for _, x := range slices.Compact(room) {
			h = mixed(h+1, x)
		}
		return h
	}
	for range MinWords - 1 {
		for j := range joints {
			joints[j] = all(l.joints[j].in, left)
		}
		for n := range nodes {
			nodes[n] = all(l.nodes[n].in, joints)
		}
		for e, edge := range l.edges {
			left[e] = mixed(word[e], nodes[edge.from])
		}
		for n := range nodes {
			nodes[n] = all(l.nodes[n].out, right)
		}
		for j := range joints {
			joints[j] = all(l.joints[j].starts, nodes)
		}
		for e, edge := range l.edges {
			right[e] = mixed(word[e], joints[edge.to])
		}
	}
	for e := range left {
		left[e] = mixed(left[e], right[e])
	}
	return left
}

// before appends to dst the nodes one word before the given ones, over edges
// that fit; behind the joints one word behind the given ones.
func (l *lattice) before(dst, nodes []int32, fits func(e int32) bool) []int32 {
	for _, n := range nodes {
		for _, j := range l.nodes[n].in {
			for _, e := range l.joints[j].in {
				if from := l.edges[e].from; !slices.Contains(dst, from) && fits(e) {
					dst = append(dst, from)
				}
			}
		}
	}
	return dst
}

func (l *lattice) behind(dst, joints []int32, fits func(e int32) bool) []int32 {
	for _, j := range joints {
		for _, n := range l.joints[j].starts {
			for _, e := range l.nodes[n].out {
				if to := l.edges[e].to; !slices.Contains(dst, to) && fits(e) {
					dst = append(dst, to)
				}
			}
		}
	}
	return dst
}
