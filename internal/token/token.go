// Package token is the self-authenticating token: a random-looking constant,
// one per copy and slot, that its maker recognises among terabytes of logs
// without a list to compare with.
//
//	identity key, copy, slot ─► Identity ─► L (64 bits) ─► Alphabet.Encode ─► text in a copy
//	text in a log ─► Scan or Recognise ─► L ─► looked up among the issued
//
// A token is a block under the recognition key whose plaintext is mostly zero:
// the zeros let the holder of that key recognise it, and L is at once the
// identity that is looked up and a MAC that the recogniser cannot make. To
// anybody else a token is uniform over its alphabet.
//
// Do not use tokens as evidence once anybody else has held one: they can be
// replayed, and from then on prove nothing. Colluders who lay two copies side
// by side see that tokens differ. What members' own staff scan for is made
// under another key and has no weight as evidence.
//
// The full description, with vectors, is doc/spec/token.md.
package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Token is one AES block: the hexadecimal form's 16 bytes.
type Token [16]byte

// Identity is L: what a token says of its copy and slot, and that the coordinator
// made it. It is the first 64 bits of HMAC-SHA256(kID, "forewarn/token/v1" ‖
// epoch ‖ package ‖ holder ‖ slot), the epoch as 32 bits big-endian.
func Identity(kID [32]byte, epoch uint32, pkg, holder [16]byte, slot string) uint64 {
	h := hmac.New(sha256.New, kID[:])
	h.Write(binary.BigEndian.AppendUint32([]byte("forewarn/token/v1"), epoch))
	h.Write(pkg[:])
	h.Write(holder[:])
	h.Write([]byte(slot))
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// Recogniser tells tokens from other text. It is safe for concurrent use.
type Recogniser struct {
	block        cipher.Block
	uuid, base62 *ff1
}

// NewRecogniser makes the Recogniser of a recognition key. The narrower
// alphabets have keys of their own, each the AES of a label. No label begins
// with eight zero bytes, so none is ever the plaintext of a token.
func NewRecogniser(key [16]byte) *Recogniser {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 16 bytes are always a key
	}
	sub := func(label string) (k [16]byte) {
		copy(k[:], label)
		b.Encrypt(k[:], k[:])
		return k
	}
	return &Recogniser{b, newFF1(sub("forewarn uuid v1"), uuidShape), newFF1(sub("forewarn b62  v1"), base62Shape)}
}

// ID names the recognition key without saying anything of it: eight bytes of its
// AES of a label, which is never the plaintext of a token.
func (r *Recogniser) ID() (id [8]byte) {
	w := work{}
	copy(w[:], "forewarn rec id")
	r.block.Encrypt(w[:], w[:])
	copy(id[:], w[:])
	return id
}

// work is the block that a cipher works in. Handing it down keeps a scan from
// allocating one per candidate.
type work [16]byte

// Recognise tells whether t is a token, and what it says. Something else passes
// for one with probability 2⁻⁶⁴.
func (r *Recogniser) Recognise(t Token) (l uint64, ok bool) { return r.recognise((*work)(&t)) }

func (r *Recogniser) recognise(w *work) (l uint64, ok bool) {
	r.block.Decrypt(w[:], w[:])
	return binary.BigEndian.Uint64(w[8:]), binary.BigEndian.Uint64(w[:8]) == 0
}

// Mint makes the token of L: AES-128(K_rec, 0⁶⁴ ‖ L).
func Mint(r *Recogniser, l uint64) (t Token) {
	binary.BigEndian.PutUint64(t[8:], l)
	r.block.Encrypt(t[:], t[:])
	return t
}
