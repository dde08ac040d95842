package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// Texts of Ed25519 keys are a prefix and base32hex of the key (32 bytes) with
// four bytes of SHA-256(prefix ‖ key), which catches a slip of the hand.
const (
	verifyPrefix = "forewarn-sign-"
	secretPrefix = "forewarn-sign-secret-"
	checkLen     = 4
)

var keyText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// SigningKey signs receipts. The zero SigningKey signs nothing.
type SigningKey struct{ seed [ed25519.SeedSize]byte }

// VerifyKey is the public half of a SigningKey: an RFC 8032 Ed25519 key.
type VerifyKey [ed25519.PublicKeySize]byte

// NewSigningKey draws a key from the system's randomness.
func NewSigningKey() (k SigningKey, err error) {
	_, err = rand.Read(k.seed[:])
	return k, err
}

// Public is the key's public half.
func (k SigningKey) Public() (v VerifyKey) {
	copy(v[:], k.Private().Public().(ed25519.PublicKey))
	return v
}

// Private is the key as the standard library takes it.
func (k SigningKey) Private() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.seed[:]) }

// Sign signs message (RFC 8032, pure Ed25519). It panics for the zero key: what
// it would sign, anybody could.
func (k SigningKey) Sign(message []byte) []byte {
	if k == (SigningKey{}) {
		panic("seal: signing with no key")
	}
	return ed25519.Sign(k.Private(), message)
}

// Text is the secret as text, for a file that only its owner reads.
func (k SigningKey) Text() string { return encodeKey(secretPrefix, k.seed) }

// String hides the secret: a key that is printed by accident says nothing.
func (k SigningKey) String() string { return "signing key of " + k.Public().String() }

// GoString hides the secret from %#v too.
func (k SigningKey) GoString() string { return k.String() }

// ParseSigningKey reads what Text writes. Its errors repeat nothing.
func ParseSigningKey(s string) (SigningKey, error) {
	seed, ok := decodeKey(secretPrefix, s)
	if !ok || seed == [32]byte{} {
		return SigningKey{}, fmt.Errorf("%w: not the text of a signing key; one begins %s", ErrKeyText, secretPrefix)
	}
	return SigningKey{seed}, nil
}

// String is the key as text: what a member enrols.
func (v VerifyKey) String() string { return encodeKey(verifyPrefix, v) }

// MarshalText is String.
func (v VerifyKey) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// ParseVerifyKey reads what String writes.
func ParseVerifyKey(s string) (VerifyKey, error) {
	if strings.HasPrefix(s, secretPrefix) {
		return VerifyKey{}, fmt.Errorf("%w: a secret signing key stands where its public half belongs; if it left your machine, make a new one", ErrKeyText)
	}
	v, ok := decodeKey(verifyPrefix, s)
	if !ok || v == [32]byte{} {
		return VerifyKey{}, fmt.Errorf("%w: not the text of a key that verifies receipts; one begins %s and is %d characters", ErrKeyText, verifyPrefix, len(VerifyKey{}.String()))
	}
	return v, nil
}

func keyCheck(prefix string, key [32]byte) []byte {
	sum := sha256.Sum256(append([]byte(prefix), key[:]...))
	return sum[:checkLen]
}

func encodeKey(prefix string, key [32]byte) string {
	return prefix + keyText.EncodeToString(append(key[:], keyCheck(prefix, key)...))
}

func decodeKey(prefix, s string) (key [32]byte, ok bool) {
	body, found := strings.CutPrefix(s, prefix)
	if !found || len(body) != keyText.EncodedLen(32+checkLen) {
		return key, false
	}
	b, err := keyText.DecodeString(body)
	if err != nil || len(b) != 32+checkLen {
		return key, false
	}
	copy(key[:], b)
	// Re-encoding refuses bits that decoding ignored.
	return key, encodeKey(prefix, key) == s
}
