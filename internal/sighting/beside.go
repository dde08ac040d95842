package sighting

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// beside tells most anchors that stand in other words than those of a text by the
// few bytes beside them, without reading the text: of common words there is one in
// every hundred bytes of telemetry.
type beside struct {
	// A bit by hash for each way in which words go on from an anchor, and for each
	// way that may go on with any word.
	ways []uint64
	// A bit by hash for each two bytes with which a word begins that stands right of
	// an anchor, or ends that stands left of it.
	edges []uint64
	open  []bool // by index and side: there any word may stand
}

// besideWords is how many words beside an anchor are looked at before a text is
// read against the lattice. Of a run that holds an anchor half stands on one side
// of it.
const besideWords = 3

// mostBeside is how many ways of going on from one place are told apart.
const mostBeside = 4096

// side of an anchor.
type side uint64

const (
	leftOf side = iota
	rightOf
)

// anyWord, hashed behind the words that lead to it, says that whatever may follow.
const anyWord = 0x55

// neighbours notes which words stand beside the anchors.
func (q *quotes) neighbours() (b beside) {
	ways, edges := map[uint64]bool{}, map[uint64]bool{}
	b.open = make([]bool, 2*len(q.anchors))
	for i, places := range q.anchors {
		for _, a := range places {
			l := q.lattices[a.text]
			for s := range side(2) {
				left, start := mostBeside, besideFrom(int32(i), s)
				var follow func(e int32, h uint64, n int)
				follow = func(e int32, h uint64, n int) {
					for _, e := range l.beside(e, s) {
						w := l.edges[e].word
						g, ok := besideHash(h, w, span{0, len(w)})
						if left--; !ok || left < 0 || w == "" || strings.IndexByte(w, wild) >= 0 {
							ways[mixed(h, anyWord)] = true
							b.open[2*i+int(s)] = b.open[2*i+int(s)] || h == start
							continue
						}
						if ways[g] = true; h == start {
							near, next := edgeOf(w, s)
							edges[edgeHash(start, near, next)] = true
						}
						if n > 1 {
							follow(e, g, n-1)
						}
					}
				}
				follow(a.edges[0], start, besideWords)
			}
		}
	}
	b.ways, b.edges = hashed(ways, 32), hashed(edges, 8)
	return b
}

// hashed is a set as bits by hash, that many or up to twice as many for each.
func hashed(set map[uint64]bool, bitsEach int) []uint64 {
	out := make([]uint64, 1<<bits.Len(uint(len(set)*bitsEach/64)))
	for h := range set {
		out[h>>6&uint64(len(out)-1)] |= 1 << (h & 63)
	}
	return out
}

func has(set []uint64, h uint64) bool { return set[h>>6&uint64(len(set)-1)]>>(h&63)&1 != 0 }

// edgeOf is the two bytes of a folded word of ASCII next to an anchor: the nearer
// one, and the one behind it if there is one.
func edgeOf(w string, s side) (near, next byte) {
	if s == leftOf {
		near, w = w[len(w)-1], w[:len(w)-1]
		if w != "" {
			next = w[len(w)-1]
		}
		return near, next
	}
	if len(w) > 1 {
		next = w[1]
	}
	return w[0], next
}

func edgeHash(start uint64, near, next byte) uint64 {
	return mixed(start, uint64(near)|uint64(next)<<8)
}

// far reports whether no word may stand on that side of an anchor that begins, or
// ends, with the bytes that stand there. It doesn't know where these are further
// than a few bytes, not of ASCII, or near an end of the text.
func (q *quotes) far(text []byte, from, to int, index int32, s side) bool {
	const (
		high  = 0x8080808080808080
		clear = 64 // of the text's ends, which may cut a word or an escape
	)
	if from < clear || to > len(text)-clear || q.beside.open[2*index+int32(s)] {
		return false
	}
	var at, step int
	if s == rightOf {
		x := binary.LittleEndian.Uint64(text[to:])
		n := bits.TrailingZeros64(^partings(x) & high)
		if n == 64 || x&(1<<(n-7)-1)&high != 0 {
			return false
		}
		at, step = to+n/8, 1
	} else {
		x := binary.LittleEndian.Uint64(text[from-8:])
		n := bits.LeadingZeros64(^partings(x) & high)
		if n == 64 || x&^(^uint64(0)>>n)&high != 0 {
			return false
		}
		at, step = from-1-n/8, -1
	}
	near, next := text[at]|0x20, text[at+step]
	switch {
	case next >= utf8.RuneSelf:
		return false
	case word(next):
		next |= 0x20
	default:
		next = 0
	}
	return !has(q.beside.edges, edgeHash(besideFrom(index, s), near, next))
}

// beside are the edges next to one.
func (l *lattice) beside(e int32, s side) (out []int32) {
	if s == rightOf {
		for _, n := range l.joints[l.edges[e].to].starts {
			out = append(out, l.nodes[n].out...)
		}
		return out
	}
	for _, j := range l.nodes[l.edges[e].from].in {
		out = append(out, l.joints[j].in...)
	}
	return out
}

func mixed(h, x uint64) uint64 {
	h = (h ^ x) * golden
	return h ^ h>>32
}

func besideFrom(index int32, s side) uint64 { return mixed(uint64(index)<<1|uint64(s), 0) }

// besideHash goes on from the hash of the words before by a word, whatever its
// case; false if it isn't of ASCII.
func besideHash[T string | []byte](h uint64, text T, w span) (_ uint64, ok bool) {
	for ; w.from < w.to; w.from += 8 {
		x := load(text, w.from) & (^uint64(0) >> (64 - 8*min(8, w.to-w.from)))
		if x&0x8080808080808080 != 0 {
			return 0, false
		}
		h = mixed(h, x|folding)
	}
	return mixed(h, 0), true
}

// near reports whether the words on one side of an anchor may be those beside it
// in one of the texts. Where the text ends, or a word isn't of ASCII, or an escape
// stands behind the first, there is no knowing, and so they may.
func (q *quotes) near(text []byte, from, to int, index int32, s side) bool {
	h := besideFrom(index, s)
	at, end := from, to
	for n := range besideWords {
		var w span
		var ok, ended bool
		if s == leftOf {
			w, ok, ended = lastWord(text, at, q.longest)
			at, ended = w.from, ended || ok && w.from == 0
		} else {
			w, ok, ended = nextWord(text, end, q.longest)
			end, ended = w.to, ended || ok && w.to == len(text)
		}
		if ended || has(q.beside.ways, mixed(h, anyWord)) {
			return true
		}
		if !ok {
			return false
		}
		g, ascii := besideHash(h, text, w)
		if !ascii {
			return true
		}
		if !has(q.beside.ways, g) {
			return n > 0 && (bytes.ContainsAny(text[at:from], leads) || bytes.ContainsAny(text[to:end], leads))
		}
		h = g
	}
	return true
}
