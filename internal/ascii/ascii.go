// Package ascii tells words from what parts them, many bytes at a time.
//
//	text ─► Words ─► a bit for each byte: letter or digit, or not
//
// It knows letters and digits of ASCII alone, and says where other bytes are: for
// these ask package unicode. On amd64 with AVX2 it is some ten times as
// fast as elsewhere (BenchmarkWords). That kernel is by hand: it is shorter than what
// would generate it.
package ascii

import (
	"encoding/binary"
	"math/bits"
)

// Block is how many bytes go into one mask, and Most how many masks are made at once.
const (
	Block = 64
	Most  = 64
)

// Words makes the masks of as many blocks of text, Most at most: the bit of a byte is
// set if it is a letter or digit of ASCII; the lowest bit is of the first byte. What
// lies behind the text's end is none. In beyond a bit is set for each block that has a
// byte above 127.
func Words(masks []uint64, text []byte) (beyond uint64) {
	if len(masks) > Most {
		panic("ascii: more masks than are made at once")
	}
	whole := min(len(masks), len(text)/Block)
	switch {
	case whole == 0:
	case fast:
		beyond = words(&masks[0], &text[0], whole)
	default:
		beyond = plain(masks[:whole], text)
	}
	if whole < len(masks) {
		var end [Block]byte
		copy(end[:], text[whole*Block:])
		beyond |= plain(masks[whole:][:1], end[:]) << whole
		clear(masks[whole+1:])
	}
	return beyond
}

const (
	every = 0x0101010101010101
	high  = 0x80 * every
)

// plain is what words does, on any machine.
func plain(masks []uint64, text []byte) (beyond uint64) {
	for i := range masks {
		b := text[i*Block:][:Block]
		var parting, all uint64
		for j := 0; j < Block; j += 8 {
			x := binary.LittleEndian.Uint64(b[j:])
			all |= x
			// The high bits of eight bytes, gathered: no two of the products meet.
			parting |= Partings(x) >> 7 * 0x0102040810204080 >> 56 << j
		}
		masks[i] = ^parting
		if all&high != 0 {
			beyond |= 1 << i
		}
	}
	return beyond
}

// Partings has the high bit of each of eight bytes set that is no letter or digit of
// ASCII. A sum reaches that bit from the first of a range on.
func Partings(x uint64) uint64 {
	y := x &^ high
	z := y | 0x20*every
	digits := (y + (0x80-'0')*every) ^ (y + (0x80-'9'-1)*every)
	letters := (z + (0x80-'a')*every) ^ (z + (0x80-'z'-1)*every)
	return (^(digits | letters) | x) & high
}

// First is how many of eight bytes, as a load of little-endian bytes has them, belong
// to the word that begins with the first of them; Last to the one that ends with the
// last.
func First(x uint64) int { return bits.TrailingZeros64(Partings(x)) / 8 }
func Last(x uint64) int  { return bits.LeadingZeros64(Partings(x)) / 8 }
