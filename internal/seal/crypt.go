package seal

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
