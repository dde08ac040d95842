package sighting

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"forewarn/internal/ascii"
)

// pairs tells where a text may be quoted, by two of its words that stand next to
// each other.
//
// Of a run of MinWords words each but the first makes a pair with the word before it.
// So of every MinWords-1 words of telemetry that follow one another, a look at one and
// the word before it is enough. What these two are is looked up in a filter. Few pairs
// of other telemetry pass it, and of these few have more of a text around them.
type pairs struct {
	every   int // so many words in a row have one that is looked at
	edges   edges
	longest int // word of any text

	ends   bloom    // by how one word ends and the next begins
	half   [2]bloom // by the one word, where nothing is known of the other: by the left, by the right
	halves bool     // whether there are any
	two    bloom    // by both words, whole
	three  bloom    // by three in a row

	lengths [1 << 8]bool // of words that go by these; the last stands for all above
	blind   bool         // a word may go by nothing
}

const (
	endBytes    = 8    // of a word of ASCII that the filter is asked by
	leastAround = 5    // words in a row that a place has before its line is read
	mostNext    = 4096 // words behind one, or two, that are told apart
)

// A word goes by its letters; by its length, where some or all of them may be any;
// or by nothing.
const (
	byLetters = iota
	byLength
	byNothing
)

const nothing = 0x9FB21C651E98DF25 // the key of any word: an arbitrary odd number

// bloom has two bits in one of its words for each hash, by that hash's upper half
// (Putze, Sanders, Singler, Cache-, Hash- and Space-Efficient Bloom Filters, 2007).
type bloom []uint64

func newBloom(hashes []uint64, bitsEach int) bloom {
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	f := make(bloom, 1<<min(20, bits.Len(uint(len(hashes)*bitsEach/64))))
	for _, h := range hashes {
		f[h>>44&uint64(len(f)-1)] |= 1<<(h>>38&63) | 1<<(h>>32&63)
	}
	return f
}

// has is 1 if the hash may be one of those.
func (f bloom) has(h uint64) uint64 {
	w := f[h>>44&uint64(len(f)-1)]
	return w >> (h >> 38 & 63) & (w >> (h >> 32 & 63)) & 1
}

// Odd multipliers, so that nothing is lost: fractions of the golden ratio, and of
// the roots of 2 and 3.
const (
	leftTimes  = golden
	rightTimes = 0x6A09E667F3BCC909
	thirdTimes = 0xBB67AE8584CAA73B
)

func mixed(h, x uint64) uint64 {
	h = (h ^ x) * golden
	return h ^ h>>32
}

// wordHash is of a folded word.
func wordHash(w string) (h uint64) {
	for i := 0; i < len(w); i += 8 {
		h = mixed(h, load(w, i))
	}
	return mixed(h, uint64(len(w)))
}

func hashOfTwo(a, b uint64) uint64      { return mixed(a*leftTimes+b*rightTimes, 2) }
func hashOfThree(a, b, c uint64) uint64 { return mixed(a*leftTimes+b*rightTimes+c*thirdTimes, 3) }

// wordKey is what a lattice's word goes by, and its kind.
func wordKey(w string) (key uint64, kind int) {
	switch {
	case w == "":
		return nothing, byNothing
	case strings.IndexByte(w, wild) < 0:
		return wordHash(w), byLetters
	case strings.IndexFunc(w, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0:
		return nothing, byNothing
	}
	return lengthKey(len(w)), byLength
}

// keys are what a word of telemetry may go by: the first n of them.
type keys struct {
	key [byNothing + 1]uint64
	n   int
}

func (p *pairs) keysOf(text []byte, w span) (k keys) {
	var h, all uint64
	for i := w.from; i < w.to; i += 8 {
		x := (load(text, i) | folding) & (^uint64(0) >> (64 - 8*min(8, w.to-i)))
		h, all = mixed(h, x), all|x
	}
	if k.key[0], k.n = mixed(h, uint64(w.to-w.from)), 1; all&high != 0 {
		k.key[0] = wordHash(fold(text[w.from:w.to]))
	}
	if p.lengths[min(w.to-w.from, len(p.lengths)-1)] {
		k.key[k.n] = lengthKey(w.to - w.from)
		k.n++
	}
	if p.blind {
		k.key[k.n] = nothing
		k.n++
	}
	return k
}

func lengthKey(n int) uint64 { return uint64(n) * thirdTimes }

// lastBytes and firstBytes are of a folded word what the filter is asked by, as far
// as it is ASCII.
func lastBytes(w string) uint64 {
	i := strings.LastIndexFunc(w, func(r rune) bool { return r >= utf8.RuneSelf })
	if i >= 0 {
		_, n := utf8.DecodeRuneInString(w[i:])
		i += n
	}
	return load(w[max(i, 0, len(w)-endBytes):], 0)
}

func firstBytes(w string) uint64 {
	if i := strings.IndexFunc(w, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
		w = w[:i]
	}
	return load(w[:min(len(w), endBytes)], 0)
}

// newPairs notes the pairs of all copies.
func newPairs(lattices []*lattice) *pairs {
	p := &pairs{every: MinWords - 1}
	var ends, two, three []uint64
	var half [2][]uint64
	open := false // any two words may stand somewhere
	for _, l := range lattices {
		p.longest = max(p.longest, l.longest)
		keys, kinds := make([]uint64, len(l.edges)), make([]int, len(l.edges))
		for e := range l.edges {
			keys[e], kinds[e] = wordKey(l.edges[e].word)
			switch n := len(l.edges[e].word); kinds[e] {
			case byLength:
				p.lengths[min(n, len(p.lengths)-1)] = true
			case byNothing:
				p.blind = true
			}
		}
		var room, further []int32
		for e := range l.edges {
			next, all := l.next(room[:0], int32(e), mostNext)
			if room = next; !all {
				p.blind = true
				half[0] = append(half[0], lastBytes(l.edges[e].word)*leftTimes)
				open = open || kinds[e] != byLetters
				two = append(two, hashOfTwo(keys[e], nothing))
				three = append(three, hashOfThree(keys[e], nothing, nothing))
			}
			for left := mostNext; len(next) > 0; next = next[1:] {
				f := next[0]
				switch a, b := l.edges[e].word, l.edges[f].word; {
				case kinds[e] == byLetters && kinds[f] == byLetters:
					ends = append(ends, lastBytes(a)*leftTimes+firstBytes(b)*rightTimes)
				case kinds[e] == byLetters:
					half[0] = append(half[0], lastBytes(a)*leftTimes)
				case kinds[f] == byLetters:
					half[1] = append(half[1], firstBytes(b)*rightTimes)
				}
				two = append(two, hashOfTwo(keys[e], keys[f]))
				third, all := l.next(further[:0], f, left)
				if further, left = third, left-len(third); !all {
					p.blind = true
					three = append(three, hashOfThree(keys[e], keys[f], nothing))
				}
				for _, g := range third {
					three = append(three, hashOfThree(keys[e], keys[f], keys[g]))
				}
			}
		}
	}
	p.edges = edgesOf(lattices)
	for _, l := range lattices {
		p.every = min(p.every, l.every(p.edges))
	}
	p.ends, p.two, p.three = newBloom(ends, 16), newBloom(two, 32), newBloom(three, 32)
	p.halves = len(half[0])+len(half[1]) > 0
	if p.half = [2]bloom{newBloom(half[0], 32), newBloom(half[1], 32)}; open {
		p.half[0] = bloom{^uint64(0)}
	}
	return p
}

// next appends to dst the edges behind one, but no more than so many; all says that
// these are all.
func (l *lattice) next(dst []int32, e int32, most int) (_ []int32, all bool) {
	for _, n := range l.joints[l.edges[e].to].starts {
		if len(dst)+len(l.nodes[n].out) > most {
			return dst, false
		}
		dst = append(dst, l.nodes[n].out...)
	}
	return dst, true
}

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

// A block of telemetry is looked over at once: the first word that begins in it is
// looked at, and further ones if many do.

// meet calls met for what parts two words around which a run may be.
func (p *pairs) meet(text []byte, room *batch, met func(gap span)) {
	n := 0
	done := func() {
		for i := range n {
			if gap := (span{int(room.at[i]), int(room.first[i])}); p.likely(text, gap) {
				met(gap)
			}
		}
		n = 0
	}
	var masks [ascii.Most]uint64
	var now around
	for at := 0; at < len(text); {
		blocks := min(len(masks)-1, (len(text)-at+ascii.Block-1)/ascii.Block)
		beyond := ascii.Words(masks[:blocks+1], text[at:])
		for ; beyond != 0; beyond &= beyond - 1 {
			i := bits.TrailingZeros64(beyond)
			masks[i] = wordBytes(text, at+i*ascii.Block)
		}
		for i, words := range masks[:blocks] {
			now = around{now.before, now.here, words, masks[i+1]}
			begin := words &^ (words<<1 | now.before>>(ascii.Block-1))
			pick := begin & -begin
			for rest := begin; bits.OnesCount64(rest) > p.every; pick |= rest & -rest {
				for range p.every {
					rest &= rest - 1
				}
			}
			if p.halves {
				pick |= p.edges.in(begin, words, now.after)
			}
			for ; pick != 0; pick &= pick - 1 {
				if n += p.look(text, at, bits.TrailingZeros64(pick), &now, room, n); n == batchSize {
					done()
				}
			}
			at += ascii.Block
		}
	}
	done()
}

// wordBytes is the mask of a block in which there may be letters of any script.
func wordBytes(text []byte, at int) (words uint64) {
	i := at
	for back := 1; back < utf8.UTFMax && i > 0 && !utf8.RuneStart(text[i]); back++ {
		i--
	}
	for end := min(at+ascii.Block, len(text)); i < end; {
		r, n := utf8.DecodeRune(text[i:])
		if letter(r) {
			of := uint64(1)<<n - 1
			if i < at {
				words |= of >> (at - i)
			} else {
				words |= of << (i - at)
			}
		}
		i += n
	}
	return words
}

// around is the masks of four blocks in a row.
type around struct{ twoBefore, before, here, after uint64 }

// look notes in the room what parts the word that begins at a block's byte from the
// one before. It returns 1 if the two pass the filter, and else what it noted is to
// be overwritten. It has no branch on what is common.
func (p *pairs) look(text []byte, at, begin int, m *around, room *batch, n int) int {
	inner := m.here & (1<<begin - 1)
	other := one(inner == 0) // the word before ends in the block before
	left, further := inner|m.before&-uint64(other), m.before^(m.before^m.twoBefore)&-uint64(other)
	gap := bits.LeadingZeros64(left)
	from, to := at+ascii.Block*(1-other)-gap, at+begin
	room.at[uint8(n)], room.first[uint8(n)] = uint32(from), uint32(to)
	if left == 0 || from < endBytes || to+endBytes > len(text) {
		w, ok, _ := lastWord(text, to, 0)
		room.at[uint8(n)] = uint32(w.to)
		return one(ok)
	}
	// How many bytes the two words have, as far as the filter asks for them.
	ending := bits.LeadingZeros64(^(left<<(gap&63) | further>>1>>(63-gap&63)))
	beginning := bits.TrailingZeros64(^(m.here>>(begin&63) | m.after<<1<<(63-begin&63)))
	x, y := binary.LittleEndian.Uint64(text[from-endBytes:]), binary.LittleEndian.Uint64(text[to:])
	if (x|y)&high != 0 {
		ending, beginning = ascii.Last(x), ascii.First(y)
	}
	last := (x | folding) >> (64 - 8*min(ending, endBytes)) * leftTimes
	first := (y | folding) & (1<<(8*min(beginning, endBytes)) - 1) * rightTimes
	pass := p.ends.has(last + first)
	if p.halves {
		pass |= p.half[0].has(last) | p.half[1].has(first)
	}
	return int(pass)
}

// likely reports whether what stands in a gap parts words of a text, and more of
// them than two. Where an escape stands beside them they may be few: then they are
// far apart, or the text in which it is undone shows more.
func (p *pairs) likely(text []byte, gap span) bool {
	if gap.to-gap.from > MaxGap {
		return false
	}
	s := span{wordStart(text, gap.from, p.longest), wordEnd(text, gap.to, p.longest)}
	if gap.from-s.from > p.longest || s.to-gap.to > p.longest {
		return false
	}
	a, b := p.keysOf(text, span{s.from, gap.from}), p.keysOf(text, span{gap.to, s.to})
	if !p.knowTwo(a, b) {
		return false
	}
	words := 2
	for x, y := a, b; words < leastAround; words++ {
		w, ok, _ := nextWord(text, s.to, p.longest)
		if !ok || w.to-w.from > p.longest {
			break
		}
		z := p.keysOf(text, w)
		if !p.knowThree(x, y, z) {
			break
		}
		s.to, x, y = w.to, y, z
	}
	for x, y := a, b; words < leastAround; words++ {
		w, ok, _ := lastWord(text, s.from, p.longest)
		if !ok || w.to-w.from > p.longest {
			break
		}
		z := p.keysOf(text, w)
		if !p.knowThree(z, x, y) {
			break
		}
		s.from, x, y = w.from, z, x
	}
	return words == leastAround || s.to-s.from >= apart
}

// apart is how many bytes a few words in a row must cover to count.
const apart = 2 * ascii.Block

// reach is how far from an escape words are looked for with it undone. Of a run that
// goes beyond that, the words on that side which no escape touches cover so many
// bytes that one of them is the first in a block and has another before it; and with
// that they are apart enough, or many.
func (p *pairs) reach() int { return apart + 2*min(p.longest, mostAnchor) + MaxGap }

// leadOut reports whether the first two words of a text, or the last two, may be of
// a run that begins before it or goes on behind it.
func (p *pairs) leadOut(text []byte) bool {
	known := func(word func([]byte, int, int) (span, bool, bool), at int, far func(span) int) bool {
		a, ok, _ := word(text, at, p.longest)
		if !ok {
			return false
		}
		b, ok, _ := word(text, far(a), p.longest)
		if a.from > b.from {
			a, b = b, a
		}
		return ok && p.knowTwo(p.keysOf(text, a), p.keysOf(text, b))
	}
	return known(nextWord, 0, func(w span) int { return w.to }) || known(lastWord, len(text), func(w span) int { return w.from })
}

func (p *pairs) knowTwo(a, b keys) bool {
	for _, a := range a.key[:a.n] {
		for _, b := range b.key[:b.n] {
			if p.two.has(hashOfTwo(a, b)) != 0 {
				return true
			}
		}
	}
	return false
}

func (p *pairs) knowThree(a, b, c keys) bool {
	for _, a := range a.key[:a.n] {
		for _, b := range b.key[:b.n] {
			for _, c := range c.key[:c.n] {
				if p.three.has(hashOfThree(a, b, c)) != 0 {
					return true
				}
			}
		}
	}
	return false
}
