package entrylog

import (
	"crypto/sha256"
	"encoding/binary"
)

// mac is HMAC-SHA256 (RFC 2104) with a 32-byte key over label ‖ parts. It is
// written out because crypto/hmac takes several allocations for each new key, and
// here nearly every message has a key of its own: a year of empty ticks needs
// two million of them. A test compares it with crypto/hmac.
func mac(key *[32]byte, label string, parts ...[]byte) Hash {
	// Short messages, which is nearly all, never leave the stack.
	var space [512]byte
	pad(space[:64], key, 0x36)
	size := 64 + len(label)
	for _, p := range parts {
		size += len(p)
	}
	var digest Hash
	if size <= len(space) {
		buf := append(space[:64], label...)
		for _, p := range parts {
			buf = append(buf, p...)
		}
		digest = sha256.Sum256(buf)
	} else {
		h := sha256.New()
		h.Write(space[:64])
		h.Write([]byte(label))
		for _, p := range parts {
			h.Write(p)
		}
		h.Sum(digest[:0])
	}
	var outer [64 + 32]byte
	pad(outer[:64], key, 0x5c)
	copy(outer[64:], digest[:])
	return sha256.Sum256(outer[:])
}

func pad(block []byte, key *[32]byte, with byte) {
	for i := range block {
		block[i] = with
	}
	for i, k := range key {
		block[i] ^= k
	}
}

func u64(v uint64) (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], v)
	return b
}
