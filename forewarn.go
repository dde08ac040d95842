// Package forewarn is what a member's or an auditor's own program imports: it
// opens a copy, checks that the copy is the one that was bound for its reader,
// signs a receipt, and verifies what the programme says, offline and without
// asking the programme.
//
// A member's program does, for each copy:
//
//	copy, err := forewarn.OpenCopy(sealed, identity)          // decrypt
//	wave, err := forewarn.VerifyCopy(log, copy, proof)        // is it bound in the log?
//	receipt, err := forewarn.SignReceipt(log, copy, proof, k) // say that you have it
//
// An auditor's does VerifyEntryProof for what was opened to them, and
// VerifyDossier for the findings of an inquiry. The same is on the command line:
// forewarn open, forewarn verify.
//
// Nothing here reads a clock, a file or the network, and nothing decides who may
// read what. Keys of logs come from outside: get them over another way than the
// material that they vouch for. And a copy is its reader's own: it carries that
// reader's marks, in ways that a reader cannot see. Do not pass it on.
package forewarn

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// The classes of errors. Every error of this package is one of them, or an error
// of the reader it was given.
var (
	// ErrFormat: it isn't a file of the expected kind, or was cut short or
	// altered. Fetch it again.
	ErrFormat = errors.New("not a file of this kind")
	// ErrIdentity: the copy is sealed to other keys than those given.
	ErrIdentity = errors.New("sealed to other keys")
	// ErrNotVerified: it can be read and does not hold. Keep it as it is and ask
	// the programme; don't rely on it.
	ErrNotVerified = errors.New("not verified")
	// ErrUntrusted: it holds, under other keys than those you trust.
	ErrUntrusted = errors.New("signed under another key than the trusted one")
	// ErrForked: the log's key has signed two histories. Rely on nothing of it; keep both
	// checkpoints, which prove it to anybody.
	ErrForked = errors.New("the log shows two histories")
	// ErrUncompared: whether the log continues what was seen of it couldn't be told. Get at
	// what it publishes, and try again.
	ErrUncompared = errors.New("the log couldn't be compared with what was seen of it")
)

// classify gives an error of the rooms below its public class and keeps its
// text.
func classify(err error) error {
	for _, c := range []struct{ inner, outer error }{
		{evidence.ErrUntrusted, ErrUntrusted},
		{entrylog.ErrFork, ErrForked},
		{entrylog.ErrUncompared, ErrUncompared},
		{wire.ErrFormat, ErrFormat},
		{evidence.ErrNotVerified, ErrNotVerified},
		{entrylog.ErrProof, ErrNotVerified},
		{entrylog.ErrCheckpoint, ErrNotVerified},
	} {
		if errors.Is(err, c.inner) {
			return &classed{c.outer, err}
		}
	}
	return err
}

type classed struct{ class, err error }

func (c *classed) Error() string   { return c.err.Error() }
func (c *classed) Unwrap() []error { return []error{c.class, c.err} }

// Log names a log to verify against.
type Log struct {
	Key      string        // vkey, as in C2SP signed-note
	Interval time.Duration // between anchors; 60 s unless the programme says otherwise
}

func (l Log) verifier() (note.Verifier, error) {
	v, err := note.NewVerifier(l.Key)
	if err != nil {
		return nil, &classed{ErrFormat, fmt.Errorf("the log's key does not parse: %w", err)}
	}
	if l.Interval < time.Second || l.Interval%time.Second != 0 {
		return nil, &classed{ErrFormat, fmt.Errorf("the log's interval is a positive whole number of seconds, not %v", l.Interval)}
	}
	return v, nil
}

// Wave is what the programme bound before it sent a copy.
type Wave struct {
	ID, Case, Package, Revision string
	Level                       string    // heads-up, description, detection, indicators or poc
	OpensAt                     time.Time // not readable before
	Holder                      string    // whom the copy was made for: compare it with your own id
	Anchored                    time.Time // in the log by then
	Bulk                        string    // hash of the files that all copies share, for CheckBulk; empty: there are none
}

// VerifyCopy checks that a copy is the one that a wave statement in the log
// binds to the holder that it returns. proof is the file that came with the
// copy. Files that all copies share, the wave's bulk, are no part of the copy: where
// the result has a Bulk, CheckBulk holds them against it.
func VerifyCopy(log Log, c *Copy, proof []byte) (Wave, error) {
	w, bound, err := verifyProof(log, proof)
	if err != nil {
		return Wave{}, err
	}
	if c.Hash() != bound {
		return Wave{}, &classed{ErrNotVerified, fmt.Errorf("the files at hand are not the copy that was bound: their hash is %x, not %x", c.Hash(), bound)}
	}
	return w, nil
}

// VerifyProof checks a copy's proof alone, before there are keys to open the copy
// with: that the log binds some copy to the holder that it returns. Whether the copy
// at hand is that one, VerifyCopy says.
func VerifyProof(log Log, proof []byte) (Wave, error) {
	w, _, err := verifyProof(log, proof)
	return w, err
}

func verifyProof(log Log, proof []byte) (Wave, [32]byte, error) {
	v, p, err := open(log, proof)
	if err != nil {
		return Wave{}, [32]byte{}, err
	}
	w, err := p.Verify(v, log.Interval)
	if err != nil {
		return Wave{}, [32]byte{}, classify(err)
	}
	return Wave{
		ID: id(w.Wave), Case: id(w.Case), Package: id(w.Package), Revision: id(w.Revision),
		Level: w.Level.String(), OpensAt: w.OpensAt, Holder: id(p.Holder),
		Anchored: p.Entry.Anchor.Tick.Instant(log.Interval), Bulk: bulk(w.Bulk),
	}, p.Copy, nil
}

func bulk(hash [32]byte) string {
	if hash == [32]byte{} {
		return ""
	}
	return hex.EncodeToString(hash[:])
}

// CheckBulk checks that files are the bulk that was bound with a wave, all of it.
// w is what VerifyCopy returned.
func CheckBulk(w Wave, files []File) error {
	if w.Bulk == "" && len(files) == 0 {
		return nil
	}
	if got := (&Copy{Files: files}).Hash(); hex.EncodeToString(got[:]) != w.Bulk {
		return &classed{ErrNotVerified, fmt.Errorf("the files at hand are not the bulk that was bound with the wave: their hash is %x, not %q", got, w.Bulk)}
	}
	return nil
}

func id(r entrylog.Ref) string { return r.String() }

func open(log Log, proof []byte) (note.Verifier, *evidence.CopyProof, error) {
	v, err := log.verifier()
	if err != nil {
		return nil, nil, err
	}
	p, err := evidence.ParseCopyProof(proof)
	if err != nil {
		return nil, nil, classify(fmt.Errorf("the copy's proof: %w", err))
	}
	return v, p, nil
}

// SignReceipt verifies the copy and signs that its holder has it, together with
// what the anchor log looked like. Send the result to the programme. It says
// nothing about the content, and may be shown to anybody.
func SignReceipt(log Log, c *Copy, proof []byte, key ed25519.PrivateKey) ([]byte, error) {
	if _, err := VerifyCopy(log, c, proof); err != nil {
		return nil, err
	}
	v, p, err := open(log, proof)
	if err != nil {
		return nil, err
	}
	r, err := evidence.SignReceipt(key, p, v, log.Interval)
	if err != nil {
		return nil, classify(err)
	}
	return r.Marshal(), nil
}

// VerifyReceipt checks the proof, a receipt's signature, and that the receipt is for
// that copy and for the log as the proof shows it; and returns the key that signed
// it. That this key is the holder's, the programme's log of enrolments says. It wants
// the very proof that came with the copy.
func VerifyReceipt(log Log, receipt, proof []byte) (ed25519.PublicKey, error) {
	v, p, err := open(log, proof)
	if err != nil {
		return nil, err
	}
	r, err := evidence.ParseReceipt(receipt)
	if err != nil {
		return nil, classify(fmt.Errorf("the receipt: %w", err))
	}
	if _, err := r.VerifyFor(p, v, log.Interval); err != nil {
		return nil, classify(err)
	}
	return r.Key[:], nil
}

// Entry is an entry of a log, as it was opened to its reader.
type Entry struct {
	Time           time.Time
	Auth           string // how the actor was known
	Actor, Subject string // ids
	Kind           uint16
	Body           []byte
	Anchored       time.Time // in the log by then
}

// VerifyEntryProof checks that an entry is in the log and returns it.
func VerifyEntryProof(log Log, proof []byte) (Entry, error) {
	v, err := log.verifier()
	if err != nil {
		return Entry{}, err
	}
	var p entrylog.EntryProof
	if err := wire.Unmarshal(proof, &p); err != nil {
		return Entry{}, classify(fmt.Errorf("the entry's proof: %w", err))
	}
	e, err := p.Verify(v, log.Interval)
	if err != nil {
		return Entry{}, classify(err)
	}
	return Entry{
		Time: e.Time, Auth: e.Auth.String(), Actor: id(e.Actor), Subject: id(e.Subject),
		Kind: uint16(e.Kind), Body: e.Body, Anchored: p.Anchor.Tick.Instant(log.Interval),
	}, nil
}

// FollowLog reports whether a log has one history: that of the signed checkpoint that
// you saw last (nil: none), of the one in a copy's proof, and of what the log publishes
// now. Without it a programme could show you one history and others another. published
// gives a file of the published log (C2SP tlog-tiles) by its path, such as 'checkpoint'
// or 'tile/0/000.p/5'; nil: only checkpoints of one size can be compared. It returns the
// newest signed checkpoint: keep it, and give it as seen the next time. Errors: ErrForked,
// ErrUncompared, ErrNotVerified, ErrFormat. After a declared recovery a log has another
// origin, and is followed from the beginning: ask the programme why.
func FollowLog(log Log, seen, proof []byte, published func(path string) ([]byte, error)) ([]byte, error) {
	v, p, err := open(log, proof)
	if err != nil {
		return nil, err
	}
	newest, err := entrylog.Continues(v, seen, p.Entry.Checkpoint, published)
	if err != nil {
		return nil, classify(err)
	}
	return newest, nil
}

// Trust is what you know from elsewhere. What is empty isn't compared, and the
// report says so.
type Trust struct {
	LogKey     string // vkey of the programme's log
	InquiryKey string // vkey of its inquiry
	Checkpoint []byte // signed checkpoint of the programme's log that came another way; nil: none
}

// Report is what verifying a dossier did, step by step, and what it cannot do.
type Report struct {
	Steps      []Step
	Conclusion string // 'traced' or 'cannot say'; empty unless every step held
	Statement  string // the conclusion in words
	KeyNote    string // which keys this rests on
	NotChecked []string
	Findings   []byte // JSON; nil unless every step held
}

// Step is one thing that was verified.
type Step struct {
	Name, Detail string
	OK           bool
}

// VerifyDossier does an inquiry's work again from its dossier: the proofs, the
// readings, the copies, the probabilities, the conclusion. It returns the report
// also when it fails; the error is the first failed step's. See doc/spec/dossier.md.
func VerifyDossier(dossier []byte, trust Trust) (Report, error) {
	r, err := evidence.VerifyDossier(dossier, evidence.Trust(trust))
	out := Report{Conclusion: r.Conclusion, Statement: r.Statement, KeyNote: r.KeyNote, NotChecked: r.NotChecked}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, Step{s.Name, s.Detail, s.OK})
	}
	if err != nil {
		return out, classify(err)
	}
	out.Findings, err = r.Findings.Marshal()
	return out, err
}

// Hash is the copy's: SHA-256 over its paths and the hashes of its files
// (doc/spec/copy.md).
func (c *Copy) Hash() [32]byte {
	var out []form.Output
	for _, f := range c.Files {
		out = append(out, form.Output(f))
	}
	return form.CopyHash(out)
}
