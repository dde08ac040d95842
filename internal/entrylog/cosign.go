package entrylog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Cosignatures are those of C2SP's tlog-cosignature, by Ed25519: a witness says when
// it saw a checkpoint as the newest of its log, and that it continues all that the
// witness saw before.

// ErrCosigner is the class of texts that are no witness's key.
var ErrCosigner = errors.New("not a witness's key")

const (
	algCosignature = 0x04
	cosignHeader   = "cosignature/v1\n"
	secretCosigner = "PRIVATE+KEY+"
)

// Cosigner signs checkpoints as a witness does.
type Cosigner struct {
	name string
	key  ed25519.PrivateKey
}

// NewCosigner makes a witness's key of its name and 32 random bytes. The name should
// be a URL without its scheme; it has no space and no plus.
func NewCosigner(name string, seed [32]byte) (*Cosigner, error) {
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsSpace) || strings.Contains(name, "+") {
		return nil, fmt.Errorf("%w: the name %q; it has no space and no plus", ErrCosigner, name)
	}
	return &Cosigner{name, ed25519.NewKeyFromSeed(seed[:])}, nil
}

// ParseCosigner reads what Secret writes. Its errors repeat nothing.
func ParseCosigner(text string) (*Cosigner, error) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(text, "\n"), secretCosigner)
	name, raw, err := parseKey(rest)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: expected one line PRIVATE+KEY+NAME+HASH+KEY", ErrCosigner)
	}
	c, err := NewCosigner(name, raw)
	if err != nil || c.Secret() != secretCosigner+rest {
		return nil, fmt.Errorf("%w: its parts don't belong together", ErrCosigner)
	}
	return c, nil
}

// Secret is the key as one line, for a file that only the witness reads.
func (c *Cosigner) Secret() string {
	return secretCosigner + keyText(c.name, c.hash(), c.key.Seed())
}

// String hides the secret.
func (c *Cosigner) String() string { return "witness " + c.name }

// Name is the witness's.
func (c *Cosigner) Name() string { return c.name }

// Public is the vkey that verifies the witness's cosignatures.
func (c *Cosigner) Public() string {
	return keyText(c.name, c.hash(), c.key.Public().(ed25519.PublicKey))
}

func (c *Cosigner) hash() uint32 { return cosignHash(c.name, c.key.Public().(ed25519.PublicKey)) }

// Cosign is the signature line of a checkpoint's text: that at is when it was the
// newest. at is not before 1970.
func (c *Cosigner) Cosign(text string, at time.Time) []byte {
	ts := uint64(at.Unix())
	raw := binary.BigEndian.AppendUint32(nil, c.hash())
	raw = binary.BigEndian.AppendUint64(raw, ts)
	raw = append(raw, ed25519.Sign(c.key, cosignMessage(text, ts))...)
	return fmt.Appendf(nil, "— %s %s\n", c.name, base64.StdEncoding.EncodeToString(raw))
}

func cosignMessage(text string, ts uint64) []byte {
	return fmt.Appendf(nil, "%stime %d\n%s", cosignHeader, ts, text)
}

func cosignHash(name string, public []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{'\n', algCosignature})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func keyText(name string, hash uint32, key []byte) string {
	return fmt.Sprintf("%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, key...)))
}

func parseKey(s string) (name string, key [32]byte, err error) {
	parts := strings.Split(s, "+")
	if len(parts) < 3 {
		return "", key, ErrCosigner
	}
	// Base64 has pluses of its own.
	name, hash, data := parts[0], parts[1], strings.Join(parts[2:], "+")
	raw, err := base64.StdEncoding.DecodeString(data)
	if _, herr := strconv.ParseUint(hash, 16, 32); err != nil || herr != nil || len(hash) != 8 || len(raw) != 33 || raw[0] != algCosignature || name == "" {
		return "", key, ErrCosigner
	}
	return name, [32]byte(raw[1:]), nil
}

// CosignVerifier verifies one witness's cosignatures in a signed note.
type CosignVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

var _ note.Verifier = CosignVerifier{}

// NewCosignVerifier reads a witness's vkey: NAME+HASH+KEY, where the key begins with
// the byte 04.
func NewCosignVerifier(vkey string) (CosignVerifier, error) {
	name, key, err := parseKey(vkey)
	v := CosignVerifier{name, cosignHash(name, key[:]), key[:]}
	if err != nil || keyText(name, v.hash, key[:]) != vkey {
		return CosignVerifier{}, fmt.Errorf("%w: %.120q; one looks like witness.example/w+0123abcd+BA…", ErrCosigner, vkey)
	}
	return v, nil
}

// Name implements note.Verifier.
func (v CosignVerifier) Name() string { return v.name }

// KeyHash implements note.Verifier.
func (v CosignVerifier) KeyHash() uint32 { return v.hash }

// Verify implements note.Verifier.
func (v CosignVerifier) Verify(msg, sig []byte) bool {
	_, ok := v.at(msg, sig)
	return ok
}

func (v CosignVerifier) at(msg, sig []byte) (uint64, bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return 0, false
	}
	ts := binary.BigEndian.Uint64(sig)
	return ts, ts < 1<<63 && ed25519.Verify(v.key, cosignMessage(string(msg), ts), sig[8:])
}

// CosignedAt is when the witness cosigned a signed checkpoint. It reports false when
// it didn't.
func (v CosignVerifier) CosignedAt(signed []byte) (time.Time, bool) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return time.Time{}, false
	}
	for _, s := range n.Sigs {
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || len(raw) < 4 {
			continue
		}
		if ts, ok := v.at([]byte(n.Text), raw[4:]); ok {
			return time.Unix(int64(ts), 0).UTC(), true
		}
	}
	return time.Time{}, false
}
