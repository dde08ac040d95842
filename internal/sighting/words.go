package sighting

import (
	"encoding/binary"
	"math/bits"

	"forewarn/internal/ascii"
)

// A long word has a tier's width of bytes at least, all of which are letters or digits
// of ASCII. Such a tier finds patterns that hold one by its beginning: few words of
// telemetry are long, and the others need no look. So each pattern has one window, and
// a scan looks at the long words alone. The width is the greatest at which
// there is one in all patterns, if there is such a width.
const (
	leastLong = 5
	mostLong  = 8
)

// longWords are the places of a pattern at which a word begins, wherever the pattern
// stands in a text, that has so many bytes or more.
func longWords(p *pattern, width int) (at []int) {
	text := p.text[:min(len(p.text), judged)]
	alone := p.kind == indicator && p.bounds != nil // no letter or digit stands before it
	long := 0
	for i := range len(text) {
		if !word(text[i]) {
			long = 0
			continue
		}
		long++
		if from := i + 1 - width; long == width && (from > 0 || alone) {
			at = append(at, from)
		}
	}
	return at
}

// longOnes are the patterns that a tier of long words is for, and its width: all, or
// else so many that a tier is worth its while.
func (m *matcher) longOnes() (list []uint32, width int) {
	var most []uint32
	for width = mostLong; width >= leastLong; width-- {
		list = nil
		for i := range m.patterns {
			if len(longWords(&m.patterns[i], width)) > 0 {
				list = append(list, uint32(i))
			}
		}
		if len(list) == len(m.patterns) {
			return list, width
		}
		if width == mostLong {
			most = list
		}
	}
	if len(most) <= tierWorth {
		most = nil
	}
	return most, mostLong
}

// blocksAtOnce is how many blocks give a batch at most: a block has no more long words
// than there is room for with what parts them.
const blocksAtOnce = batchSize / (ascii.Block/(leastLong+1) + 1)

// siftWords is sift for the beginnings of long words.
func (t *tier) siftWords(text []byte, p int, at *[batchSize]uint32) (n, next int) {
	var masks [blocksAtOnce + 1]uint64
	blocks := min(blocksAtOnce, (len(text)-p+ascii.Block-1)/ascii.Block)
	ascii.Words.Masks(masks[:blocks+1], text[p:])
	filter, last := t.filter, uint64(len(t.filter)-1)
	cut := uint64(one(p > 0 && word(text[max(p, 1)-1]))) // the byte before is of a word
	for i, m := range masks[:blocks] {
		after := masks[i+1]
		long, further := m&(m>>1|after<<63), after&(after>>1) // two bytes, four, and all
		long, further = long&(long>>2|further<<62), further&(further>>2)
		long &= long>>(t.width-4) | further<<(68-t.width)
		for begin := long &^ (m<<1 | cut); begin != 0; begin &= begin - 1 {
			q := p + bits.TrailingZeros64(begin)
			x := uint64(0)
			if q+8 <= len(text) {
				x = binary.LittleEndian.Uint64(text[q:])
			} else {
				x = load(text, q)
			}
			h := (x | folding) & t.mask * golden
			at[uint8(n)] = uint32(q)
			w := filter[h>>filterWord&last]
			n += one(w&(1<<(h>>filterBit&63)) != 0) & one(w&(1<<(h>>filterBit2&63)) != 0)
		}
		cut, p = m>>63, p+ascii.Block
	}
	return n, p
}
