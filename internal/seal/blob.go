package seal

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// BlobKey encrypts what belongs to one case or one person: names, titles, free
// text, and a package's bulk. It is an age X25519 identity. Destroy every copy
// of its text and the blobs are noise; the log that names them by their hashes
// stays whole. The zero BlobKey is refused.
type BlobKey struct{ text string }

// NewBlobKey draws a key from the system's randomness.
func NewBlobKey() (BlobKey, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return BlobKey{}, err
	}
	return BlobKey{id.String()}, nil
}

// BlobKeyFrom is the key that follows from a seed of 32 secret bytes, for a key
// that must come out the same when the work is done again.
func BlobKeyFrom(seed [32]byte) (BlobKey, error) {
	if seed == [32]byte{} {
		return BlobKey{}, fmt.Errorf("%w: a seed of zeros is no seed", ErrKeyText)
	}
	return ParseBlobKey([]byte(strings.ToUpper(bech32Text("age-secret-key-", seed[:]))))
}

// ParseBlobKey reads what Text writes, with or without a line's end. Its errors
// repeat nothing.
func ParseBlobKey(text []byte) (BlobKey, error) {
	s := string(bytes.TrimSuffix(text, []byte("\n")))
	if id, err := age.ParseX25519Identity(s); err != nil || id.String() != s {
		return BlobKey{}, fmt.Errorf("%w: not the text of a case's or person's key; one line AGE-SECRET-KEY-1… was expected", ErrKeyText)
	}
	return BlobKey{s}, nil
}

// Text is the secret as one line, for a file that only the desk reads. It is an
// identity file of age.
func (k BlobKey) Text() []byte { return []byte(k.text + "\n") }

// String hides the key.
func (k BlobKey) String() string { return "blob key" }

// GoString hides the key.
func (k BlobKey) GoString() string { return "seal.BlobKey" }

func (k BlobKey) identity() (*age.X25519Identity, error) {
	if k.text == "" {
		return nil, fmt.Errorf("%w: the key of this case or person is missing; it may have been destroyed", ErrWrongKey)
	}
	return age.ParseX25519Identity(k.text)
}

// Encrypt gives plaintext as an age file under the key. Two encryptions of one
// plaintext differ.
func (k BlobKey) Encrypt(plaintext []byte) ([]byte, error) {
	id, err := k.identity()
	if err != nil {
		return nil, err
	}
	to, err := parseX25519(id.Recipient().String())
	if err != nil {
		return nil, err
	}
	out := &sink{buf: make([]byte, 0, len(plaintext)+512)}
	err = Seal(out, Recipients{keys: []age.Recipient{to}}, plaintext)
	return out.buf, err
}

// Decrypt opens what Encrypt made: ErrWrongKey when it was another key,
// ErrDamaged when it was altered. It returns no part of a damaged blob.
func (k BlobKey) Decrypt(blob []byte) ([]byte, error) {
	id, err := k.identity()
	if err != nil {
		return nil, err
	}
	r, err := Open(bytes.NewReader(blob), Identities{keys: []age.Identity{id}})
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, len(blob)))
	if _, err := out.ReadFrom(r); err != nil && err != io.EOF {
		return nil, err
	}
	return out.Bytes(), nil
}
