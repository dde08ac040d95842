// Package witness co-signs other programmes' logs, and asks for it: both sides of
// C2SP's tlog-witness, with the cosignatures of tlog-cosignature.
//
//	log: new anchor ─ Ask ─► POST /add-checkpoint ─► Witness: known? signed? continues
//	     what was cosigned before? ─ state durable ─► cosignature ─► beside the checkpoint
//
// A witness never signs two views of a log: what it signed last is on its disk before
// the signature leaves, and only what continues that is signed. It learns of a
// programme what everybody can: a size that grows with time, and a root.
//
// The folder must never be put back to an older state, not from a backup either: the
// witness would sign again what it has signed, and so perhaps another view. A
// witness whose folder is lost is given up, and a new one begins under a new key. Do
// not run two processes on one folder, and do not run a programme's witness yourself:
// it witnesses nothing then.
package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
)

// State is the witness's folder. Write replaces a file at once and durably; after an
// error the old content may be there or the new one. Create is Write of what must not
// exist: fs.ErrExist. Reading what isn't there is fs.ErrNotExist.
type State interface {
	Read(name string) ([]byte, error)
	Write(name string, data []byte) error
	Create(name string, data []byte) error
	List(folder string) ([]string, error)
}

// The classes of refusals. Nothing was signed, and what was signed last stands.
var (
	// ErrUnknownLog: the witness was not told of such a log (404).
	ErrUnknownLog = errors.New("this log is not witnessed here")
	// ErrUnsigned: no signature of the log's own key (403).
	ErrUnsigned = errors.New("not signed by the log's key")
	// ErrBadRequest: it doesn't parse, or its old size is more than its new one (400).
	ErrBadRequest = errors.New("not a submission")
	// ErrConflict: another size, or another root of that size, was signed last (409).
	// Its Conflict says which.
	ErrConflict = errors.New("that is not what was cosigned last")
	// ErrInconsistent: the log does not continue what was signed last, or the proof is
	// wrong (422).
	ErrInconsistent = errors.New("the log does not continue what was cosigned")
)

// Conflict is an ErrConflict with the size that was cosigned last.
type Conflict struct{ Size uint64 }

func (c *Conflict) Error() string { return fmt.Sprintf("%v: it had size %d", ErrConflict, c.Size) }

// Unwrap makes it an ErrConflict.
func (c *Conflict) Unwrap() error { return ErrConflict }

// Witness co-signs. It is safe for concurrent use; one process to a folder.
type Witness struct {
	state State
	key   *entrylog.Cosigner
	clock func() time.Time
	mu    sync.Mutex // from reading what was signed last to having written what is
}

const keyName = "key"

// Init makes a witness of an empty folder: its key, under a name, of 32 random bytes.
func Init(state State, name string, seed [32]byte) (*entrylog.Cosigner, error) {
	c, err := entrylog.NewCosigner(name, seed)
	if err != nil {
		return nil, err
	}
	return c, state.Create(keyName, []byte(c.Secret()+"\n"))
}

// Open opens a witness's folder.
func Open(state State, clock func() time.Time) (*Witness, error) {
	b, err := state.Read(keyName)
	if err != nil {
		return nil, fmt.Errorf("the witness's key: %w", err)
	}
	c, err := entrylog.ParseCosigner(string(b))
	if err != nil {
		return nil, fmt.Errorf("the witness's key: %w", err)
	}
	return &Witness{state: state, key: c, clock: clock}, nil
}

// Public is the vkey that verifies what this witness signs.
func (w *Witness) Public() string { return w.key.Public() }

// Log is a log that is witnessed.
type Log struct {
	Origin, Key string
	Last        entrylog.Checkpoint // cosigned last; of size 0: none yet
}

// kept is a log's file: its key, its origin, and what was cosigned last.
type kept struct {
	Log
	verifier note.Verifier
	signed   []byte // the note; nil: none yet
}

const keptMagic = "forewarn witness log v1\n"

func keptName(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return "logs/" + hex.EncodeToString(h[:])
}

func (k *kept) marshal() []byte {
	return fmt.Appendf(nil, "%s%s\n%s\n\n%s", keptMagic, k.Key, k.Origin, k.signed)
}

// parseKept reads a log's file. It holds a log together with what was signed of it, so
// that the one can't be there without the other.
func parseKept(b []byte) (k *kept, err error) {
	bad := func(what string) error {
		return fmt.Errorf("the witness's record of a log is damaged: %s. Don't repair it: without it this witness could sign another view. Give the witness up and begin a new one", what)
	}
	rest, ok := strings.CutPrefix(string(b), keptMagic)
	head, signed, cut := strings.Cut(rest, "\n\n")
	vkey, origin, lines := strings.Cut(head, "\n")
	if !ok || !cut || !lines || origin == "" || strings.Contains(origin, "\n") {
		return nil, bad("it does not parse")
	}
	k = &kept{Log: Log{Origin: origin, Key: vkey, Last: entrylog.EmptyLog(origin)}}
	if k.verifier, err = note.NewVerifier(vkey); err != nil {
		return nil, bad("its key does not parse")
	}
	if signed == "" {
		return k, nil
	}
	n, err := note.Open([]byte(signed), note.VerifierList(k.verifier))
	if err != nil {
		return nil, bad("what was cosigned last is not signed by the log")
	}
	if k.Last, err = entrylog.Head(n.Text); err != nil || k.Last.Origin != origin {
		return nil, bad("what was cosigned last is no checkpoint of the log")
	}
	k.signed = []byte(signed)
	return k, nil
}

func (w *Witness) log(origin string) (*kept, error) {
	b, err := w.state.Read(keptName(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %.200q", ErrUnknownLog, origin)
	}
	if err != nil {
		return nil, err
	}
	k, err := parseKept(b)
	if err == nil && k.Origin != origin {
		err = fmt.Errorf("the witness's record of %.200q is of %.200q", origin, k.Origin)
	}
	return k, err
}

// Add witnesses a log from now on: by its vkey, and its origin where that isn't the
// key's name. fs.ErrExist when it is witnessed already: a log is never begun anew.
func (w *Witness) Add(vkey, origin string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("%w: %.120q is no log's key", ErrBadRequest, vkey)
	}
	if origin == "" {
		origin = v.Name()
	}
	if strings.ContainsAny(origin, "\n") {
		return fmt.Errorf("%w: an origin is one line", ErrBadRequest)
	}
	k := kept{Log: Log{Origin: origin, Key: vkey}}
	return w.state.Create(keptName(origin), k.marshal())
}

// Logs lists what is witnessed.
func (w *Witness) Logs() (out []Log, err error) {
	names, err := w.state.List("logs")
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		b, err := w.state.Read("logs/" + n)
		if err != nil {
			return nil, err
		}
		k, err := parseKept(b)
		if err != nil {
			return nil, err
		}
		out = append(out, k.Log)
	}
	return out, nil
}

// Cosign decides one submission and gives the cosignature's line. The refusals above
// change nothing. After any other error nothing was signed either, and what was
// submitted may count as what was signed last.
func (w *Witness) Cosign(body []byte) ([]byte, error) {
	s, err := entrylog.ParseSubmission(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	origin, _, _ := strings.Cut(string(s.Checkpoint), "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	k, err := w.log(origin)
	if err != nil {
		return nil, err
	}
	n, err := note.Open(s.Checkpoint, note.VerifierList(k.verifier))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	cp, err := entrylog.Head(n.Text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	case s.Old > cp.Size:
		return nil, fmt.Errorf("%w: its old size is %d, and its new one %d", ErrBadRequest, s.Old, cp.Size)
	case s.Old != k.Last.Size, s.Old == cp.Size && cp.Root != k.Last.Root && s.Old > 0:
		return nil, &Conflict{k.Last.Size}
	}
	if err := entrylog.CheckConsistency(k.Last, cp, s.Proof); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	if cp.Size == 0 && cp.Root != k.Last.Root {
		return nil, fmt.Errorf("%w: an empty log has the root of an empty tree", ErrInconsistent)
	}
	// Only the log's own signature is kept: others are unknown here.
	own, err := note.Sign(&note.Note{Text: n.Text, Sigs: n.Sigs})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	k.signed = own
	if err := w.state.Write(keptName(origin), k.marshal()); err != nil {
		return nil, fmt.Errorf("keeping what is cosigned: %w", err)
	}
	return w.key.Cosign(n.Text, w.clock()), nil
}
