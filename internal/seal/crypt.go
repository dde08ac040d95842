package seal

import (
	"bytes"
	"strings"

	"filippo.io/age/armor"
)

// Crypt is the desk's way to age: blobs under case and person keys, whose texts
// its key folder keeps, and the unlocking of copies. It holds nothing.
type Crypt struct{}

// NewKey is the text of a new BlobKey.
func (Crypt) NewKey() ([]byte, error) {
	k, err := NewBlobKey()
	if err != nil {
		return nil, err
	}
	return k.Text(), nil
}

// Encrypt is BlobKey.Encrypt under a key's text.
func (Crypt) Encrypt(key, plaintext []byte) ([]byte, error) {
	k, err := ParseBlobKey(key)
	if err != nil {
		return nil, err
	}
	return k.Encrypt(plaintext)
}

// Decrypt is BlobKey.Decrypt under a key's text.
func (Crypt) Decrypt(key, blob []byte) ([]byte, error) {
	k, err := ParseBlobKey(key)
	if err != nil {
		return nil, err
	}
	return k.Decrypt(blob)
}

// Unlock makes a locked copy the plain age file that its holder is given.
func (Crypt) Unlock(waveKey [32]byte, holder [16]byte, locked []byte) ([]byte, error) {
	header, payload, err := Unlock((*WaveKey)(&waveKey), holder, locked)
	if err != nil {
		return nil, err
	}
	return append(header, payload...), nil
}

// Enrolment is ParsePublic.
func (Crypt) Enrolment(text []byte) (recipients []string, signing [32]byte, err error) {
	p, err := ParsePublic(text)
	return p.Recipients, p.Signing, err
}

// SealTo is Seal to recipients by their lines, armoured so that it can be copied
// as text.
func (Crypt) SealTo(recipients []string, plain []byte) ([]byte, error) {
	to, err := ParseRecipients([]byte(strings.Join(recipients, "\n")))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if err := Seal(w, to, plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// IsSealed looks for the first line of an age file, armoured or not.
func (Crypt) IsSealed(file []byte) bool {
	return bytes.HasPrefix(file, []byte("age-encryption.org/v1\n")) || bytes.HasPrefix(bytes.TrimLeft(file, " \t\r\n"), []byte(armor.Header))
}

// VerifyKeyText is VerifyKey.String.
func (Crypt) VerifyKeyText(key [32]byte) string { return VerifyKey(key).String() }
