package entrylog

import "crypto/sha256"

// mac is HMAC-SHA256 (RFC 2104) over label ‖ msg with a 32-byte key. It is
// written out because crypto/hmac takes six allocations for each new key, and
// here nearly every message has a key of its own: a year of empty ticks needs
// two million of them. A test compares it with crypto/hmac.
func mac(key *[32]byte, label string, msg []byte) Hash {
	var space [512]byte
	for i := range 64 {
		space[i] = 0x36
	}
	for i, k := range key {
		space[i] ^= k
	}
	// Short messages stay on the stack.
	inner := append(append(space[:64], label...), msg...)
	digest := sha256.Sum256(inner)
	var outer [96]byte
	for i := range 64 {
		outer[i] = 0x5c
	}
	for i, k := range key {
		outer[i] ^= k
	}
	copy(outer[64:], digest[:])
	return sha256.Sum256(outer[:])
}
