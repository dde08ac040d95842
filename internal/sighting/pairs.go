package sighting

import (
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
	words += p.follow(text, &s, a, b, true, leastAround-words)
	words += p.follow(text, &s, b, a, false, leastAround-words)
	return words == leastAround || s.to-s.from >= apart
}

// follow goes on from a stretch by its last two words, or to the left by its first two,
// the nearer one given last: over so many at most, as long as there are three in a row
// that stand in a text.
func (p *pairs) follow(text []byte, s *span, x, y keys, right bool, most int) (n int) {
	for ; n < most; n++ {
		word, at := lastWord, s.from
		if right {
			word, at = nextWord, s.to
		}
		w, ok, _ := word(text, at, p.longest)
		if !ok || w.to-w.from > p.longest {
			break
		}
		z := p.keysOf(text, w)
		if right && !p.knowThree(x, y, z) || !right && !p.knowThree(z, y, x) {
			break
		}
		s.from, s.to, x, y = min(s.from, w.from), max(s.to, w.to), y, z
	}
	return n
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
