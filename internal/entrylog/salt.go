package entrylog

import "crypto/subtle"

const (
	saltKeyLabel = "forewarn/salt-key/v1\n"
	saltLabel    = "forewarn/salt/v1\n"
)

// A salt is 16 random bytes and a 16-byte check of them, the entry's number and
// its bytes, under a key that only the log's owner has:
//
//	salt = r ‖ HMAC-SHA256(salt key, "forewarn/salt/v1\n" ‖ r ‖ seq ‖ entry)[:16]
//
// To everybody else it is 32 random bytes. To the owner it tells at once which
// entry or salt was changed, also of entries that no anchor covers yet, at no
// cost in space. The random half alone is enough to hide an entry should the
// key ever leak.

// SaltKey is the key for salts' checks, from the log's blinding key.
func (b Blinding) SaltKey() [32]byte { return mac((*[32]byte)(&b), saltKeyLabel) }

// NewSalt makes the salt of entry seq from 16 fresh random bytes.
func NewSalt(key [32]byte, random [16]byte, seq Seq, entry []byte) (salt [32]byte) {
	n := u64(uint64(seq))
	check := mac(&key, saltLabel, random[:], n[:], entry)
	copy(salt[:16], random[:])
	copy(salt[16:], check[:16])
	return salt
}

// Intact reports whether the record is, bit for bit, what was written as
// entry seq by the holder of the salt key.
func (r Record) Intact(key [32]byte, seq Seq) bool {
	want := NewSalt(key, [16]byte(r.Salt[:16]), seq, r.Entry)
	return subtle.ConstantTimeCompare(want[:], r.Salt[:]) == 1
}
