package sighting

import (
	"encoding/binary"
	"math/bits"

	"forewarn/internal/ascii"
)

// wordWidth is how many bytes a long word has at least, all of which are letters or
// digits of ASCII. A tier of its own finds patterns with such a word, by its
// beginning: few words of telemetry are long, and the others need no look. So each
// pattern has one window, and a scan looks at the long words alone.
const wordWidth = 8

// longWords are the places of a pattern at which a long word begins, wherever the
// pattern stands in a text.
func longWords(p *pattern) (at []int) {
	text := p.text[:min(len(p.text), judged)]
	alone := p.kind == indicator && p.bounds != nil // no letter or digit stands before it
	long := 0
	for i := range len(text) {
		if !word(text[i]) {
			long = 0
			continue
		}
		long++
		if from := i + 1 - wordWidth; long == wordWidth && (from > 0 || alone) {
			at = append(at, from)
		}
	}
	return at
}

// blocksAtOnce is how many blocks give a batch at most: each byte of a word and what
// parts it from the next, a block may have seven long ones.
const blocksAtOnce = batchSize / (ascii.Block/(wordWidth+1) + 1)

// siftWords is sift for the beginnings of long words.
func (t *tier) siftWords(text []byte, p int, at *[batchSize]uint32) (n, next int) {
	var masks [blocksAtOnce + 1]uint64
	blocks := min(blocksAtOnce, (len(text)-p+ascii.Block-1)/ascii.Block)
	ascii.Words(masks[:blocks+1], text[p:])
	filter, last := t.filter, uint64(len(t.filter)-1)
	cut := uint64(one(p > 0 && word(text[max(p, 1)-1]))) // the byte before is of a word
	for i, m := range masks[:blocks] {
		after := masks[i+1]
		long, further := m&(m>>1|after<<63), after&(after>>1) // two bytes, four, eight
		long, further = long&(long>>2|further<<62), further&(further>>2)
		long &= long>>4 | further<<60
		for begin := long &^ (m<<1 | cut); begin != 0; begin &= begin - 1 {
			q := p + bits.TrailingZeros64(begin)
			h := (binary.LittleEndian.Uint64(text[q:q+8:len(text)]) | folding) * golden
			at[uint8(n)] = uint32(q)
			w := filter[h>>filterWord&last]
			n += one(w&(1<<(h>>filterBit&63)) != 0) & one(w&(1<<(h>>filterBit2&63)) != 0)
		}
		cut, p = m>>63, p+ascii.Block
	}
	return n, p
}
