// Package ascii tells the bytes of a set from others, many at a time.
//
//	text ─► Set.Masks ─► a bit for each byte: of the set, or not
//
// A set is of ASCII, and a mask says nothing of other bytes but that they are not of
// it, and in which blocks they are: for letters of other scripts ask package unicode.
// On amd64 with AVX2 masks are made some ten times as fast as elsewhere
// (BenchmarkMasks). That kernel is by hand: it is shorter than what would generate it.
package ascii

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Block is how many bytes go into one mask, and Most how many masks are made at once.
const (
	Block = 64
	Most  = 64
)

// Set is a set of bytes of ASCII.
type Set struct {
	has   [1 << 8]uint8 // 1 if it has the byte
	table [32]byte      // see masks
}

// NewSet is the set of those bytes. It panics if one is above 127.
func NewSet(of string) *Set {
	s := new(Set)
	for _, c := range []byte(of) {
		if c > 127 {
			panic(fmt.Sprintf("ascii: byte %#x is none of ASCII", c))
		}
		s.has[c] = 1
		s.table[c&15] |= 1 << (c >> 4)
		s.table[16+c>>4] = 1 << (c >> 4)
	}
	return s
}

// Words are the letters and digits.
var Words = NewSet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

// Has reports whether a byte is of the set.
func (s *Set) Has(c byte) bool { return s.has[c] != 0 }

// Masks makes the masks of as many blocks of text, Most at most: the bit of a byte is
// set if it is of the set; the lowest bit is of the first byte. What lies behind the
// text's end is not of it. In beyond a bit is set for each block that has a byte above 127.
func (s *Set) Masks(out []uint64, text []byte) (beyond uint64) {
	if len(out) > Most {
		panic("ascii: more masks than are made at once")
	}
	whole := min(len(out), len(text)/Block)
	if whole > 0 {
		beyond = s.blocks(out[:whole], text)
	}
	if whole < len(out) {
		var end [Block]byte
		copy(end[:], text[whole*Block:])
		beyond |= s.blocks(out[whole:][:1], end[:]) << whole
		clear(out[whole+1:])
	}
	return beyond
}

// blocks makes the masks of whole blocks, one at least.
func (s *Set) blocks(out []uint64, text []byte) (beyond uint64) {
	if Fast {
		return masks(&out[0], &text[0], len(out), &s.table)
	}
	return s.plain(out, text)
}

// plain is what masks does, on any machine.
func (s *Set) plain(out []uint64, text []byte) (beyond uint64) {
	for i := range out {
		b := text[i*Block:][:Block]
		var mask, all uint64
		for j := 0; j < Block; j += 8 {
			x := binary.LittleEndian.Uint64(b[j:])
			all |= x
			mask |= uint64(s.has[x&0xff]|s.has[x>>8&0xff]<<1|s.has[x>>16&0xff]<<2|s.has[x>>24&0xff]<<3|
				s.has[x>>32&0xff]<<4|s.has[x>>40&0xff]<<5|s.has[x>>48&0xff]<<6|s.has[x>>56]<<7) << j
		}
		if out[i] = mask; all&high != 0 {
			beyond |= 1 << i
		}
	}
	return beyond
}

const (
	every = 0x0101010101010101
	high  = 0x80 * every
)

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
