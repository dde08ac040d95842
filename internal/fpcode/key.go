package fpcode

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Key is 32 secret bytes: a package's mark key or one derived from it.
type Key [32]byte

// SiteID names one markable place for ever. A place whose alternatives change
// gets another id, so that revisions of a package neither multiply evidence
// nor expose which places are marked.
type SiteID [16]byte

func derive(k Key, label string, context ...byte) (out Key) {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte(label))
	h.Write(context)
	h.Sum(out[:0])
	return out
}

// BiasKey derives the key of all that is secret and common to a package's
// copies: biases and permutations. A dossier opens it.
func BiasKey(pkg Key) Key { return derive(pkg, "forewarn/bias/v1") }

// CopyKey derives the key of one holder's symbols. A dossier opens the keys of
// those it accuses and nobody else's.
func CopyKey(pkg Key, holder [16]byte) Key {
	return derive(pkg, "forewarn/copy/v1", holder[:]...)
}

// Commit is the hash by which a key is bound before release and checked when
// it is opened. It hides the key because the key is uniform.
func Commit(k Key) [32]byte {
	return sha256.Sum256(append([]byte("forewarn/key-commitment/v1"), k[:]...))
}
