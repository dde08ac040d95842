package token

import (
	"encoding/hex"
	"fmt"
)

// Alphabet is the way a token is written. The zero Alphabet writes nothing.
type Alphabet uint8

const (
	Hex    Alphabet = iota + 1 // 32 lower-case hexadecimal digits
	UUID                       // a random (version 4) UUID, lower case
	Base62                     // 22 of 0-9 A-Z a-z
	end
)

var alphabets = [...]struct {
	name string
	len  int
}{{"unset", 0}, {"hex", 32}, {"uuid", 36}, {"base62", 22}}

// String is the alphabet's name, as ParseAlphabet reads it.
func (a Alphabet) String() string {
	if a < end {
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

// Encode is the text of the token of L.
func (a Alphabet) Encode(r *Recogniser, l uint64) string {
	switch a {
	case Hex:
		t := Mint(r, l)
		return hex.EncodeToString(t[:])
	}
	return ""
}

// Recognise tells whether text is a token, whole, and what it says.
// Hexadecimal digits are taken in either case.
func (a Alphabet) Recognise(r *Recogniser, text string) (l uint64, ok bool) {
	if len(text) != a.Len() {
		return 0, false
	}
	switch a {
	case Hex:
		var t Token
		if _, err := hex.Decode(t[:], []byte(text)); err == nil {
			return r.Recognise(t)
		}
	}
	return 0, false
}
