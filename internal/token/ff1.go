package token

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/bits"
)

// ff1 is the format-preserving cipher FF1 of NIST SP 800-38G (algorithms 7 and
// 8) for strings of two equal halves and an empty tweak. It permutes all
// strings of a shape, so that a token written in a narrower alphabet than bytes
// is still uniform over every text of that shape: no character is skewed.
//
// FF1 splits a string into halves A and B and, ten times, adds a keyed function
// of one to the other. A half is a number below the modulus radix^(n/2). For
// both shapes here, the function is one AES block:
//
//	S = first d bytes of AES( AES(P) ⊕ (0… ‖ round ‖ B) ),  y = S mod radix^(n/2)
type ff1 struct {
	block   cipher.Block
	prefix  [16]byte // AES(P), the same in every round
	bytes   int      // b: how many bytes hold a half
	sBytes  int      // d: how many bytes of S count
	modulus half     // odd << shift
	shift   uint
	odd     uint64
}

// half is a number below 2¹²⁸.
type half struct{ hi, lo uint64 }

func (a half) add(b half) (half, uint64) {
	lo, c := bits.Add64(a.lo, b.lo, 0)
	hi, c := bits.Add64(a.hi, b.hi, c)
	return half{hi, lo}, c
}

func (a half) sub(b half) (half, uint64) {
	lo, c := bits.Sub64(a.lo, b.lo, 0)
	hi, c := bits.Sub64(a.hi, b.hi, c)
	return half{hi, lo}, c
}

// shape is an alphabet's strings: how many numerals of which radix, and the
// modulus of a half, odd·2^shift = radix^(numerals/2).
type shape struct {
	radix, numerals int
	odd             uint64
	shift           uint
}

var (
	uuidShape   = shape{radix: 2, numerals: 122, odd: 1, shift: 61}
	base62Shape = shape{radix: 62, numerals: 22, odd: 25408476896404831, shift: 11} // 62¹¹ = 31¹¹·2¹¹
)

func newFF1(key [16]byte, s shape) *ff1 {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 16 bytes are always a key
	}
	f := &ff1{block: block, shift: s.shift, odd: s.odd}
	hi, lo := bits.Mul64(s.odd, 1<<s.shift)
	f.modulus = half{hi, lo}
	below, _ := f.modulus.sub(half{0, 1})
	f.bytes = (64 + bits.Len64(below.hi) + 7) / 8
	if below.hi == 0 {
		f.bytes = (bits.Len64(below.lo) + 7) / 8
	}
	f.sBytes = (f.bytes+3)/4*4 + 4
	p := [16]byte{1, 2, 1, 0, 0, byte(s.radix), 10, byte(s.numerals / 2)}
	binary.BigEndian.PutUint32(p[8:], uint32(s.numerals))
	block.Encrypt(f.prefix[:], p[:])
	return f
}

// round is y for the half b.
func (f *ff1) round(i byte, b half, buf *work) half {
	binary.BigEndian.PutUint64(buf[:8], b.hi)
	binary.BigEndian.PutUint64(buf[8:], b.lo)
	buf[15-f.bytes] = i
	for k := range buf {
		buf[k] ^= f.prefix[k]
	}
	f.block.Encrypt(buf[:], buf[:])
	hi, lo := binary.BigEndian.Uint64(buf[:8]), binary.BigEndian.Uint64(buf[8:])
	if drop := uint(128 - 8*f.sBytes); drop > 0 {
		hi, lo = hi>>drop, hi<<(64-drop)|lo>>drop
	}
	// Modulo odd·2^shift: the low bits stay as they are.
	rest := bits.Rem64(hi>>f.shift, hi<<(64-f.shift)|lo>>f.shift, f.odd)
	h, l := bits.Mul64(rest, 1<<f.shift)
	return half{h, l | lo&(1<<f.shift-1)}
}

const ff1Rounds = 10

// encrypt permutes (a, b), both below the modulus.
func (f *ff1) encrypt(a, b half, w *work) (half, half) {
	for i := byte(0); i < ff1Rounds; i++ {
		c, _ := a.add(f.round(i, b, w))
		if d, borrow := c.sub(f.modulus); borrow == 0 {
			c = d
		}
		a, b = b, c
	}
	return a, b
}

// decrypt undoes encrypt.
func (f *ff1) decrypt(a, b half, w *work) (half, half) {
	for i := int8(ff1Rounds - 1); i >= 0; i-- {
		c, borrow := b.sub(f.round(byte(i), a, w))
		if borrow != 0 {
			c, _ = c.add(f.modulus)
		}
		a, b = c, a
	}
	return a, b
}
