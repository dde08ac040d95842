package sighting

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// pairs tells where a text may be quoted, by two of its words that stand next to
// each other.
//
// A run of MinWords words has at least so many bytes between the beginnings of its
// first and its last word: the stride. So a look at every stride-th byte of
// telemetry falls into it, whatever its place there, and meets the end of one word
// and the beginning of the next. What these are is looked up in a filter. Few
// places of other telemetry pass it, and of these few have a whole pair that stands
// in a text, with more of it around.
type pairs struct {
	stride  int
	longest int // word of any text

	ends   bloom    // by how one word ends and the next begins
	half   [2]bloom // by the one word, where nothing is known of the other: by the left, by the right
	halves bool     // whether there are any
	two    bloom    // by both words, whole
	three  bloom    // by three in a row
	kinds  int      // of keys that a word may go by: see keysOf
}

const (
	endBytes    = 4    // of a word that the filter is asked by
	leastStride = 8    // a text with shorter runs isn't promised to be seen
	mostStride  = 128  // beyond which little is won
	leastAround = 5    // words in a row that a place has before its line is read
	mostNext    = 4096 // words behind one, or two, that are told apart
)

// A word goes by its letters; by its length, where some or all of them may be any;
// or by nothing.
const (
	byLetters = iota
	byLength
	byNothing
	allKinds
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

// wordHash is of a folded word's bytes, or of a word of ASCII in any case.
func wordHash[T string | []byte](w T) (h uint64) {
	n := len(w)
	for i := 0; i < n; i += 8 {
		h = mixed(h, load(w, i)|folding&(^uint64(0)>>(64-8*min(8, n-i))))
	}
	return mixed(h, uint64(n))
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
	return uint64(len(w)) * thirdTimes, byLength
}

// keysOf are the keys that a word of telemetry may go by, as many as there are
// kinds of keys.
func keysOf(w []byte) keys {
	k := keys{byLength: uint64(len(w)) * thirdTimes, byNothing: nothing}
	if slices.IndexFunc(w, func(c byte) bool { return c >= utf8.RuneSelf }) >= 0 {
		k[byLetters] = wordHash(fold(w))
	} else {
		k[byLetters] = wordHash(w)
	}
	return k
}

// lastBytes and firstBytes are of a folded word what the filter is asked by.
func lastBytes(w string) uint64  { return load(w[max(0, len(w)-endBytes):], 0) }
func firstBytes(w string) uint64 { return load(w[:min(len(w), endBytes)], 0) }

// newPairs notes the pairs of all copies.
func newPairs(lattices []*lattice) *pairs {
	p := &pairs{stride: mostStride, kinds: byLetters + 1}
	var ends, two, three []uint64
	var half [2][]uint64
	blind := false
	for _, l := range lattices {
		p.stride, p.longest = min(p.stride, l.stride()), max(p.longest, l.longest)
		keys, kinds := make([]uint64, len(l.edges)), make([]int, len(l.edges))
		for e := range l.edges {
			keys[e], kinds[e] = wordKey(l.edges[e].word)
			p.kinds = max(p.kinds, kinds[e]+1)
		}
		var room, further []int32
		for e := range l.edges {
			next, all := l.next(room[:0], int32(e), mostNext)
			if room = next; !all {
				p.kinds = allKinds
				half[0] = append(half[0], lastBytes(l.edges[e].word)*leftTimes)
				blind = blind || kinds[e] != byLetters
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
					p.kinds = allKinds
					three = append(three, hashOfThree(keys[e], keys[f], nothing))
				}
				for _, g := range third {
					three = append(three, hashOfThree(keys[e], keys[f], keys[g]))
				}
			}
		}
	}
	p.ends, p.two, p.three = newBloom(ends, 16), newBloom(two, 32), newBloom(three, 32)
	p.halves = len(half[0])+len(half[1]) > 0
	if p.half = [2]bloom{newBloom(half[0], 32), newBloom(half[1], 32)}; blind {
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

// stride is the largest number such that of each run of MinWords words with an
// anchor among them, of any copy, so many bytes in a row lie before the beginning of
// a word, and behind that of another, between which the filter knows all pairs. It
// knows none of two words that both go by no letters.
func (l *lattice) stride() int {
	least, most := leastStride, mostStride
	for least < most {
		if s := (least + most + 1) / 2; l.slips(s) {
			most = s - 1
		} else {
			least = s
		}
	}
	return least
}

// slips reports whether there is a run within which no stretch of that many bytes
// is. It has gone on, for each word, from the runs that end with it the fewest bytes
// of the stretch under way, apart from runs with and without an anchor: if these come
// to a stretch, so do all.
func (l *lattice) slips(stride int) bool {
	const none = 1 << 30
	type fewest [2]int // without an anchor, and with one
	type ended struct{ known, any fewest }
	cur := make([]fewest, len(l.edges))
	joints, nodes := make([]ended, len(l.joints)), make([]ended, len(l.nodes))
	wilds := make([]bool, len(l.edges))
	start := func(e int) (f fewest) {
		f = fewest{0, none}
		if l.edges[e].anchor {
			f = fewest{none, 0}
		}
		return f
	}
	for e := range l.edges {
		_, kind := wordKey(l.edges[e].word)
		cur[e], wilds[e] = start(e), kind != byLetters
	}
	for range MinWords - 1 {
		for j := range joints {
			x := ended{fewest{none, none}, fewest{none, none}}
			for _, e := range l.joints[j].in {
				long := utf8.RuneCountInString(l.edges[e].word) + 1
				for k, c := range cur[e] {
					if c+long < stride {
						x.known[k] = min(x.known[k], c+long)
					}
					if c < none && wilds[e] {
						x.any[k] = 0
					}
				}
			}
			joints[j] = x
		}
		for n := range nodes {
			x := ended{fewest{none, none}, fewest{none, none}}
			for _, j := range l.nodes[n].in {
				for k := range x.known {
					x.known[k], x.any[k] = min(x.known[k], joints[j].known[k]), min(x.any[k], joints[j].any[k])
				}
			}
			nodes[n] = x
		}
		for e := range l.edges {
			x := nodes[l.edges[e].from]
			f := x.known
			if wilds[e] {
				f = fewest{min(f[0], x.any[0]), min(f[1], x.any[1])}
			}
			if l.edges[e].anchor {
				f = fewest{none, min(f[0], f[1])}
			}
			cur[e] = f
		}
	}
	return slices.ContainsFunc(cur, func(f fewest) bool { return f[1] < none })
}

// meet calls met for the pairs in a text around which a run may be.
func (p *pairs) meet(text []byte, room *batch, met func(span)) {
	for at := 0; at < len(text); {
		var n int
		if at >= 8 && at+16 <= len(text) {
			if n, at = p.sift(text, at, room); n == 0 {
				continue
			}
		} else {
			var gap span
			if gap, at = p.step(text, at); gap.to > 0 {
				room.at[0], room.first[0], n = uint32(gap.from), uint32(gap.to), 1
			}
		}
		for i := range n {
			if gap := (span{int(room.at[i]), int(room.first[i])}); p.likely(text, gap) {
				met(gap)
			}
		}
	}
}

const high = 0x8080808080808080

// signs gathers the high bits of eight bytes.
func signs(x uint64) uint64 { return (x & high >> 7) * 0x0102040810204080 >> 56 }

// sift looks at places from at on, a stride apart, and notes in the room what stands
// between two words that pass the filter, as far as a batch goes; and where to go on.
// It is a scan's innermost loop, and has branches only for what is rare: words of more
// than some bytes, and bytes that aren't ASCII.
func (p *pairs) sift(text []byte, at int, room *batch) (n, next int) {
	ends, stride := p.ends, p.stride
	for end := min(at+batchSize*stride, len(text)-15); at < end && n < batchSize; {
		b := text[at-8 : at+16 : len(text)]
		x, y, z := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
		m := signs(partings(x)) | signs(partings(y))<<8 | signs(partings(z))<<16 // a bit for each byte that parts words
		back := bits.LeadingZeros64(^(m << 55))                                  // of these, in a row up to this place
		from := 8 + bits.TrailingZeros64(m>>8|1<<16) - back + min(back, 1)
		to := from + bits.TrailingZeros64(^(m >> (from & 63)))
		if from < endBytes || to > 24-endBytes || (x|y|z)&high != 0 {
			var gap span
			if gap, at = p.step(text, at); gap.to > 0 {
				room.at[n], room.first[n] = uint32(gap.from), uint32(gap.to)
				n++
			}
			continue
		}
		long := min(endBytes, bits.LeadingZeros64(m<<((64-from)&63)))
		last := uint64(binary.LittleEndian.Uint32(b[from-endBytes:])|folding&0xffffffff) >> ((8*endBytes - 8*long) & 63) * leftTimes
		long = min(endBytes, bits.TrailingZeros64(m>>(to&63)))
		first := (uint64(binary.LittleEndian.Uint32(b[to:])) | folding) & (^uint64(0) >> (64 - 8*long&63)) * rightTimes
		room.at[uint8(n)], room.first[uint8(n)] = uint32(at-8+from), uint32(at-8+to)
		pass := ends.has(last + first)
		if p.halves {
			pass |= p.half[0].has(last) | p.half[1].has(first)
		}
		n += int(pass)
		at += stride
	}
	return n, at
}

// step looks at one place, and gives what parts the word there from the next, if both
// are there; and where to go on.
func (p *pairs) step(text []byte, at int) (gap span, next int) {
	for back := 1; back < utf8.UTFMax && at > 0 && !utf8.RuneStart(text[at]); back++ {
		at--
	}
	next = at + p.stride
	from := wordEnd(text, at, p.longest)
	if from-at > p.longest {
		return span{}, max(next, from)
	}
	known := true
	if from == at {
		var w span
		if w, known, _ = lastWord(text, at, 0); known {
			from = w.to
		}
	}
	w, ok, _ := nextWord(text, from, 0)
	if !ok {
		return span{}, max(next, from+MaxGap)
	}
	if known {
		gap = span{from, w.from}
	}
	return gap, max(next, w.from)
}

// likely reports whether what stands in a gap parts words of a text, and more of
// them than two. Where an escape stands beside them they may be few: then they are
// far apart, or the text in which it is undone shows more.
func (p *pairs) likely(text []byte, gap span) bool {
	s := span{wordStart(text, gap.from, p.longest), wordEnd(text, gap.to, p.longest)}
	if gap.from-s.from > p.longest || s.to-gap.to > p.longest {
		return false
	}
	a, b := keysOf(text[s.from:gap.from]), keysOf(text[gap.to:s.to])
	if !p.knowTwo(a, b) {
		return false
	}
	words := 2
	for x, y := a, b; words < leastAround; words++ {
		w, ok, _ := nextWord(text, s.to, p.longest)
		if !ok || w.to-w.from > p.longest {
			break
		}
		z := keysOf(text[w.from:w.to])
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
		z := keysOf(text[w.from:w.to])
		if !p.knowThree(z, x, y) {
			break
		}
		s.from, x, y = w.from, z, x
	}
	return words == leastAround || s.to-s.from >= p.wide()
}

// wide is how many bytes a few words in a row must cover to count.
func (p *pairs) wide() int { return 2*p.stride + min(p.longest, mostAnchor) }

// reach is how far from an escape words are looked for with it undone. Beyond that
// on a run's one side or the other there are, of its words that no escape touches, so
// many bytes between the first's beginning and the last's that a look falls on two of
// them; and these are then wide enough, or many.
func (p *pairs) reach() int { return p.wide() + min(p.longest, mostAnchor) + MaxGap }

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
		return ok && p.knowTwo(keysOf(text[a.from:a.to]), keysOf(text[b.from:b.to]))
	}
	return known(nextWord, 0, func(w span) int { return w.to }) || known(lastWord, len(text), func(w span) int { return w.from })
}

type keys [allKinds]uint64

func (p *pairs) knowTwo(a, b keys) bool {
	for _, a := range a[:p.kinds] {
		for _, b := range b[:p.kinds] {
			if p.two.has(hashOfTwo(a, b)) != 0 {
				return true
			}
		}
	}
	return false
}

func (p *pairs) knowThree(a, b, c keys) bool {
	for _, a := range a[:p.kinds] {
		for _, b := range b[:p.kinds] {
			for _, c := range c[:p.kinds] {
				if p.three.has(hashOfThree(a, b, c)) != 0 {
					return true
				}
			}
		}
	}
	return false
}
