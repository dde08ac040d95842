package sighting

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// wholeWord reports whether a pattern is a word of ASCII that stands by itself,
// as nearly all anchors are. Such words have a tier of their own. Its windows are
// the beginnings of words. A word of leastAnchor bytes or more covers one place
// in every stride of as many bytes, and the few bytes before that place tell
// where it begins. So a scan looks at one window a stride, as in other tiers, but
// each pattern has one window alone, and what passes the filter is words that
// begin like a pattern.
func wholeWord(p pattern) bool {
	return p.kind == anchorWord && strings.IndexFunc(p.text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

func (m *matcher) newWordTier(list []uint32) *tier {
	t := &tier{width: leastAnchor, stride: leastAnchor, mask: wordMask, words: new(wordFilter)}
	t.fill(m.patterns, list)
	return t
}

const wordMask = 1<<(8*leastAnchor) - 1

// wordFilter has a bit for each hash of a beginning: as many as a near cache holds.
type wordFilter [1 << 12]uint64

func (f *wordFilter) add(h uint64) { f[h>>52] |= 1 << (h >> 46 & 63) }

// siftWords is sift for the beginnings of words; p is wordsFrom at least. Of a
// long word it may note the beginning, and places within.
func (t *tier) siftWords(text []byte, p int, at *[batchSize]uint32) (n, next int) {
	filter := t.words
	for end := min(p+batchSize*leastAnchor, len(text)-7); p < end; p += leastAnchor {
		before := binary.LittleEndian.Uint32(text[p-wordsFrom : p : len(text)])
		in := int(inWord[before>>16])
		in += int(inWord[before&0xffff]) & -(in >> 1)
		start := p - in
		h := (binary.LittleEndian.Uint64(text[start:start+8:len(text)]) | folding) & wordMask * golden
		at[uint8(n)] = uint32(start)
		n += int(filter[h>>52] >> (h >> 46 & 63) & 1)
	}
	return n, p
}

// wordsFrom is how many bytes before a place tell where a word that covers it
// begins.
const wordsFrom = leastAnchor - 1

// inWord is how many of two bytes, read as a number, belong to a word that goes
// on behind them.
var inWord = func() (in [1 << 16]uint8) {
	for i := range in {
		if word(byte(i >> 8)) {
			in[i] = 1
			if word(byte(i)) {
				in[i] = 2
			}
		}
	}
	return in
}()
