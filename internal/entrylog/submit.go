package entrylog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Submission is what a log sends to a witness: C2SP's tlog-witness, add-checkpoint.
type Submission struct {
	Old        uint64 // size of the last checkpoint that the witness cosigned
	Proof      []Hash // RFC 6962 consistency from Old to the checkpoint
	Checkpoint []byte // signed note
}

const (
	maxProofLines = 63
	// MaxSubmission is the most bytes of a Submission.
	MaxSubmission = 32 + maxProofLines*45 + 1 + MaxCheckpoint
)

// ErrSubmission is the class of requests that do not parse.
var ErrSubmission = errors.New("not a submission to a witness")

// Marshal is the request's body.
func (s Submission) Marshal() []byte {
	b := fmt.Appendf(nil, "old %d\n", s.Old)
	for _, h := range s.Proof {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return append(append(b, '\n'), s.Checkpoint...)
}

// ParseSubmission reads what Marshal writes, and nothing else.
func ParseSubmission(b []byte) (s Submission, err error) {
	head, checkpoint, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok || len(b) > MaxSubmission || len(checkpoint) > MaxCheckpoint {
		return s, fmt.Errorf("%w: expected an old size, a proof, an empty line and a checkpoint", ErrSubmission)
	}
	lines := strings.Split(string(head), "\n")
	old, ok := strings.CutPrefix(lines[0], "old ")
	s.Old, err = strconv.ParseUint(old, 10, 63)
	if !ok || err != nil || strconv.FormatUint(s.Old, 10) != old {
		return s, fmt.Errorf("%w: its first line is 'old' and a size", ErrSubmission)
	}
	if len(lines)-1 > maxProofLines {
		return s, fmt.Errorf("%w: %d lines of proof; at most %d are taken", ErrSubmission, len(lines)-1, maxProofLines)
	}
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil || base64.StdEncoding.EncodeToString(h[:]) != l {
			return s, fmt.Errorf("%w: %.60q is no hash", ErrSubmission, l)
		}
		s.Proof = append(s.Proof, h)
	}
	s.Checkpoint = checkpoint
	return s, nil
}

// Head is a checkpoint's text as any log's may be: three lines that mean something
// here, and extensions that are signed along. ParseCheckpoint takes none.
func Head(text string) (Checkpoint, error) {
	lines := strings.SplitAfterN(text, "\n", 4)
	if len(lines) < 4 {
		return Checkpoint{}, fmt.Errorf("%w: expected origin, size and root, each on its line", ErrCheckpoint)
	}
	if rest := lines[3]; rest != "" && (!strings.HasSuffix(rest, "\n") || strings.HasPrefix(rest, "\n") || strings.Contains(rest, "\n\n")) {
		return Checkpoint{}, fmt.Errorf("%w: an extension line is empty", ErrCheckpoint)
	}
	return ParseCheckpoint(lines[0] + lines[1] + lines[2])
}

// CheckConsistency reports whether newer continues older. A size of zero is
// continued by everything, with no proof. Errors wrap ErrProof.
func CheckConsistency(older, newer Checkpoint, proof []Hash) error {
	switch {
	case newer.Size < older.Size:
		return fmt.Errorf("%w: consistency: %d is less than %d", ErrProof, newer.Size, older.Size)
	case older.Size == 0 || older.Size == newer.Size:
		if len(proof) > 0 || older.Size == 0 && older.Root != emptyRoot || older.Size == newer.Size && older.Root != newer.Root {
			return fmt.Errorf("%w: consistency: it does not lead from size %d to size %d", ErrProof, older.Size, newer.Size)
		}
		return nil
	}
	if err := tlog.CheckTree(proof, int64(newer.Size), newer.Root, int64(older.Size), older.Root); err != nil {
		return fmt.Errorf("%w: consistency: it does not lead from size %d to size %d", ErrProof, older.Size, newer.Size)
	}
	return nil
}

// EmptyLog is a log's checkpoint before it had an anchor.
func EmptyLog(origin string) Checkpoint { return Checkpoint{Origin: origin, Root: emptyRoot} }
