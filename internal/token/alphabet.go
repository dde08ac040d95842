package token

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// Alphabet is the way a token is written. The zero Alphabet writes nothing.
type Alphabet uint8

const (
	Hex    Alphabet = iota + 1 // 32 lower-case hexadecimal digits
	UUID                       // a random (version 4) UUID, lower case
	Base62                     // 22 of 0-9 A-Z a-z
	end
)

// A row for each alphabet. Text of the right length is handed over; hexadecimal
// digits are taken in either case.
var alphabets = [end]struct {
	name   string
	len    int
	encode func(*Recogniser, uint64) []byte
	decode func(*Recogniser, []byte, *work) (uint64, bool)
}{
	{},
	{"hex", 32, encodeHex, decodeHex},
	{"uuid", 36, encodeUUID, decodeUUID},
	{"base62", 22, encode62, decode62},
}

// String is the alphabet's name, as ParseAlphabet reads it.
func (a Alphabet) String() string {
	if a > 0 && a < end {
		return alphabets[a].name
	}
	return fmt.Sprintf("alphabet(%d)", uint8(a))
}

// ParseAlphabet reads "hex", "uuid" or "base62".
func ParseAlphabet(s string) (Alphabet, error) {
	for a := Hex; a < end; a++ {
		if alphabets[a].name == s {
			return a, nil
		}
	}
	return 0, fmt.Errorf("%q is not a token alphabet; they are hex, uuid and base62", s)
}

// Len is the number of bytes of a token's text; 0 for an unknown alphabet.
func (a Alphabet) Len() int {
	if a < end {
		return alphabets[a].len
	}
	return 0
}

// Encode is the text of the token of L; empty for an unknown alphabet.
func (a Alphabet) Encode(r *Recogniser, l uint64) string {
	if a.Len() == 0 {
		return ""
	}
	return string(alphabets[a].encode(r, l))
}

// Recognise tells whether text, the whole of it, is a token, and what it says.
// Hexadecimal digits are taken in either case.
func (a Alphabet) Recognise(r *Recogniser, text string) (l uint64, ok bool) {
	if len(text) == 0 || len(text) != a.Len() {
		return 0, false
	}
	return alphabets[a].decode(r, []byte(text), new(work))
}

func encodeHex(r *Recogniser, l uint64) []byte {
	t := Mint(r, l)
	return hex.AppendEncode(nil, t[:])
}

func decodeHex(r *Recogniser, text []byte, w *work) (uint64, bool) {
	if _, err := hex.Decode(w[:], text); err != nil {
		return 0, false
	}
	return r.recognise(w)
}

// A UUID's 122 free bits are L in 122 bits, through FF1. RFC 9562 section 5.4
// fixes the six others: version 4 in bits 48-51, variant 10 in bits 64-65.
const low61 = 1<<61 - 1

func encodeUUID(r *Recogniser, l uint64) []byte {
	return uuidText(r.uuid.encrypt(half{0, l >> 61}, half{0, l & low61}, new(work)))
}

func uuidText(a, b half) []byte {
	// 122 bits = 48 ‖ 12 ‖ 62; A holds the first 61, B the last.
	first60, last62 := a.lo>>1, a.lo<<61&(1<<62-1)|b.lo
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], first60>>12<<16|4<<12|first60&0xfff)
	binary.BigEndian.PutUint64(u[8:], 2<<62|last62)
	out := make([]byte, 36)
	hex.Encode(out, u[:4])
	for i, at := range []int{9, 14, 19} {
		out[at-1] = '-'
		hex.Encode(out[at:], u[4+2*i:6+2*i])
	}
	out[23] = '-'
	hex.Encode(out[24:], u[10:])
	return out
}

func decodeUUID(r *Recogniser, text []byte, w *work) (uint64, bool) {
	if text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' || text[14] != '4' {
		return 0, false
	}
	var digits [32]byte
	n := copy(digits[:], text[:8])
	n += copy(digits[n:], text[9:13])
	n += copy(digits[n:], text[14:18])
	n += copy(digits[n:], text[19:23])
	copy(digits[n:], text[24:])
	var u [16]byte
	if _, err := hex.Decode(u[:], digits[:]); err != nil || u[8]>>6 != 2 {
		return 0, false
	}
	first60 := binary.BigEndian.Uint64(u[:8])>>16<<12 | binary.BigEndian.Uint64(u[:8])&0xfff
	last62 := binary.BigEndian.Uint64(u[8:]) & (1<<62 - 1)
	a, b := r.uuid.decrypt(half{0, first60<<1 | last62>>61}, half{0, last62 & low61}, w)
	return a.lo<<61 | b.lo, a.lo < 8
}

// 22 base-62 numerals are the number L among 62²², through FF1. A block of AES
// would fit as well, but 62²²/2¹²⁸ is 7.96: its first character would always be
// one of eight, and mark it as a token to anybody.
const (
	numerals62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	notNumeral = 0xff
)

var value62 = func() (v [256]byte) {
	for i := range v {
		v[i] = notNumeral
	}
	for i, c := range []byte(numerals62) {
		v[c] = byte(i)
	}
	return v
}()

func encode62(r *Recogniser, l uint64) []byte {
	return text62(r.base62.encrypt(half{}, half{0, l}, new(work)))
}

func text62(a, b half) []byte {
	out := make([]byte, 22)
	put := func(h half, out []byte) {
		for i := len(out) - 1; i >= 0; i-- {
			var rest uint64
			hi := h.hi / 62
			h.lo, rest = bits.Div64(h.hi%62, h.lo, 62)
			h.hi = hi
			out[i] = numerals62[rest]
		}
	}
	put(a, out[:11])
	put(b, out[11:])
	return out
}

func decode62(r *Recogniser, text []byte, w *work) (uint64, bool) {
	take := func(text []byte) (h half, ok bool) {
		for _, c := range text {
			v := value62[c]
			if v == notNumeral {
				return half{}, false
			}
			hi, lo := bits.Mul64(h.lo, 62)
			h, _ = half{h.hi*62 + hi, lo}.add(half{0, uint64(v)})
		}
		return h, true
	}
	a, ok := take(text[:11])
	b, ok2 := take(text[11:])
	if !ok || !ok2 {
		return 0, false
	}
	a, b = r.base62.decrypt(a, b, w)
	return b.lo, a == half{} && b.hi == 0
}
