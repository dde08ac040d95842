package entrylog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint is the class of checkpoints that do not parse, or are not
// signed by the expected key.
var ErrCheckpoint = errors.New("not a checkpoint of this log")

// MaxCheckpoint is the most bytes of a signed checkpoint, cosignatures included.
const MaxCheckpoint = 64 << 10

// Checkpoint is a state of the anchor log, in the form of C2SP's
// tlog-checkpoint: origin, size and root on a line each, and no extension.
type Checkpoint struct {
	Origin string
	Size   uint64 // anchors
	Root   Hash
}

// Text is what is signed.
func (p Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", p.Origin, p.Size, base64.StdEncoding.EncodeToString(p.Root[:]))
}

// ParseCheckpoint reads a checkpoint's text, without signatures.
func ParseCheckpoint(text string) (p Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return p, fmt.Errorf("%w: expected three lines: origin, size, root", ErrCheckpoint)
	}
	p.Origin = lines[0]
	p.Size, err = strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return p, fmt.Errorf("%w: size %.20q is not a number", ErrCheckpoint, lines[1])
	}
	if p.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return p, fmt.Errorf("%w: root %.60q is not 32 bytes of base64", ErrCheckpoint, lines[2])
	}
	if p.Origin == "" || p.Text() != text {
		return p, fmt.Errorf("%w: it is not written in the one right way", ErrCheckpoint)
	}
	return p, nil
}

// Sign returns the checkpoint as a signed note.
func (p Checkpoint) Sign(signer note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: p.Text()}, signer)
}

// OpenCheckpoint reads a signed checkpoint and verifies v's signature. Other
// signatures, as of witnesses, may stand beside it. The note must be written as
// note.Sign writes it, so that no bit of it can change unnoticed. Errors wrap
// ErrCheckpoint.
func OpenCheckpoint(signed []byte, v note.Verifier) (Checkpoint, error) {
	if len(signed) > MaxCheckpoint {
		return Checkpoint{}, fmt.Errorf("%w: it is over %d bytes", ErrCheckpoint, MaxCheckpoint)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	for _, line := range bytes.Split(signed[len(n.Text)+1:], []byte("\n")) {
		// package note reads base64 leniently: the spare bits of a last
		// character could be anything.
		sig := string(line[bytes.LastIndexByte(line, ' ')+1:])
		if raw, err := base64.StdEncoding.DecodeString(sig); err != nil || base64.StdEncoding.EncodeToString(raw) != sig {
			return Checkpoint{}, fmt.Errorf("%w: a signature is not written in the one right way", ErrCheckpoint)
		}
	}
	return ParseCheckpoint(n.Text)
}

// A log's origin is the name of its signing key. After a declared recovery it
// goes on under a new one, so that nothing signed later can contradict
// what was signed before.
const recoveryInfix = "/recovery-"

// RecoveryOrigin is the origin after n declared recoveries.
func RecoveryOrigin(name string, n uint32) string {
	if n == 0 {
		return name
	}
	return name + recoveryInfix + strconv.FormatUint(uint64(n), 10)
}

// Recovery is how many recoveries the log named name had declared when p was
// signed. It reports false when p is of another log.
func (p Checkpoint) Recovery(name string) (n uint32, ok bool) {
	rest, ok := strings.CutPrefix(p.Origin, name)
	if !ok || rest == "" {
		return 0, ok
	}
	digits, ok := strings.CutPrefix(rest, recoveryInfix)
	v, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || RecoveryOrigin(name, uint32(v)) != p.Origin {
		return 0, false
	}
	return uint32(v), true
}
