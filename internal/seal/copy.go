package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"forewarn/internal/form"

	"golang.org/x/crypto/chacha20poly1305"
)

// WaveKey locks the copies of one wave until it opens. Who holds it and a
// member's key can open that member's copy; either alone opens nothing. The
// zero WaveKey is refused.
type WaveKey [32]byte

// NewWaveKey draws a key from the system's randomness.
func NewWaveKey() (k WaveKey, err error) {
	_, err = rand.Read(k[:])
	return k, err
}

// String hides the key.
func (k WaveKey) String() string { return "wave key" }

// GoString hides the key.
func (k WaveKey) GoString() string { return "seal.WaveKey" }

// Holder is the id of the member that a copy belongs to.
type Holder [16]byte

const (
	lockedMagic = "forewarn locked copy v1\n"
	lockLabel   = "forewarn/wave-header/v1"
	ageNonce    = 16      // bytes of nonce that open an age payload
	maxHeader   = 1 << 18 // bytes of an age header
)

// header ends with this and a line's end; nothing else in it begins so.
var ageFooter = []byte("\n--- ")

// SplitHeader cuts an age file into its header, which holds the wrapped file
// key, and its payload. Both are parts of the input, not copies.
func SplitHeader(file []byte) (header, payload []byte, err error) {
	if !bytes.HasPrefix(file, []byte("age-encryption.org/v1\n")) {
		return nil, nil, fmt.Errorf("%w: it does not begin as an age file", ErrDamaged)
	}
	head := file[:min(len(file), maxHeader)]
	at := bytes.Index(head, ageFooter)
	if at < 0 {
		return nil, nil, fmt.Errorf("%w: the age header has no end", ErrDamaged)
	}
	line := bytes.IndexByte(head[at+1:], '\n')
	if line < 0 {
		return nil, nil, fmt.Errorf("%w: the age header has no end", ErrDamaged)
	}
	end := at + 1 + line + 1
	if len(file)-end < ageNonce {
		return nil, nil, fmt.Errorf("%w: the age file ends within its header", ErrDamaged)
	}
	return file[:end], file[end:], nil
}

// aead is the cipher of one header. The payload's nonce is fresh for every age
// file, so a holder who is sealed to twice never meets the same key twice, and
// the fixed nonce below is safe.
func (k *WaveKey) aead(holder Holder, payload []byte) (cipher.AEAD, error) {
	if *k == (WaveKey{}) {
		return nil, fmt.Errorf("%w: the wave key is missing", ErrWrongKey)
	}
	key, err := hkdf.Key(sha256.New, k[:], payload[:ageNonce], lockLabel+string(holder[:]), chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.New(key)
}

var lockNonce [chacha20poly1305.NonceSize]byte

// Lock appends the locked form of an age file to dst: the magic, the length of
// the locked header as a uint32, the locked header, the payload.
func Lock(dst []byte, wave *WaveKey, holder Holder, ageFile []byte) ([]byte, error) {
	header, payload, err := SplitHeader(ageFile)
	if err != nil {
		return nil, err
	}
	aead, err := wave.aead(holder, payload)
	if err != nil {
		return nil, err
	}
	dst = append(dst, lockedMagic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(header)+aead.Overhead()))
	dst = aead.Seal(dst, lockNonce[:], header, []byte(lockedMagic))
	return append(dst, payload...), nil
}

// Unlock gives the header of the age file within a locked copy, and the payload
// as a part of locked. Header and payload one after the other are the age file.
// ErrWrongKey: the key is another wave's, or the copy another holder's, or the
// header was altered; these cannot be told apart.
func Unlock(wave *WaveKey, holder Holder, locked []byte) (header, payload []byte, err error) {
	rest, ok := bytes.CutPrefix(locked, []byte(lockedMagic))
	if !ok || len(rest) < 4 {
		return nil, nil, fmt.Errorf("%w: it does not begin as a locked copy", ErrDamaged)
	}
	n := int64(binary.BigEndian.Uint32(rest))
	rest = rest[4:]
	if n > maxHeader || n+ageNonce > int64(len(rest)) {
		return nil, nil, fmt.Errorf("%w: the locked copy ends within its header", ErrDamaged)
	}
	sealed, payload := rest[:n], rest[n:]
	aead, err := wave.aead(holder, payload)
	if err != nil {
		return nil, nil, err
	}
	header, err = aead.Open(nil, lockNonce[:], sealed, []byte(lockedMagic))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the wave key does not fit this copy and holder, or its header was altered", ErrWrongKey)
	}
	if h, _, err := SplitHeader(append(header[:len(header):len(header)], payload[:ageNonce]...)); err != nil || len(h) != len(header) {
		return nil, nil, fmt.Errorf("%w: what was locked is not an age header", ErrDamaged)
	}
	return header, payload, nil
}

// SealCopy appends to dst one member's locked copy: files in a tar of the given
// size (see Pack), sealed to the member and locked under the wave's key. It
// equals Lock of Seal of Pack, without their intermediate copies. Any number of
// goroutines may seal at once.
func SealCopy(dst []byte, wave *WaveKey, holder Holder, to Recipients, files []form.Output, size int64) ([]byte, error) {
	if size == 0 {
		size = PackedSize(files)
	}
	out := &sink{buf: make([]byte, 0, 512)}
	w, err := to.Encrypt(out)
	if err != nil {
		return nil, err
	}
	// age writes header and nonce at once, the payload's chunks as they fill.
	chunks := size>>16 + 1
	head := out.buf
	out.buf = grow(dst, len(lockedMagic)+4+len(head)+2*chacha20poly1305.Overhead+int(size+chunks*chacha20poly1305.Overhead))
	if out.buf, err = Lock(out.buf, wave, holder, head); err != nil {
		return nil, err
	}
	if err := writeTar(w, files, size); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.buf, nil
}

func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return append(make([]byte, 0, len(b)+n), b...)
}

type sink struct{ buf []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	return len(p), nil
}

// OpenCopy opens an age file that holds a copy, and gives its files. On any
// error nothing is given: half a copy is no copy.
func OpenCopy(src io.Reader, with Identities, limits Limits) ([]form.Output, error) {
	r, err := Open(src, with)
	if err != nil {
		return nil, err
	}
	return Unpack(r, limits)
}
