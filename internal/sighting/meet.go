package sighting

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"forewarn/internal/ascii"
)

// meet calls met for what parts two words around which a run may be. A block of
// telemetry is looked over at once: the first word that begins in it is looked at, and
// further ones if many do.
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
		beyond := ascii.Words.Masks(masks[:blocks+1], text[at:])
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
