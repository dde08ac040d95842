// Package sealer turns a source folder into a Form, and a Form into committed,
// sealed copies. It is a trust domain of its own: it holds the keys from which
// every mark and token follows, and nothing else.
//
// Data comes in as requests of the desk (Compile, Seal, WaveKey) and of the
// inquiry (Forms, Codebook), and leaves as answers; there is no listener. As a
// child process it reads frames from standard input and writes them to standard
// output (Serve, Dial); the same Sealer can be called in place.
//
// Each package has one key, drawn once. Everything else is derived from it by
// HMAC-SHA256 under a label: bias key, copy keys, token identities, the salts of
// leaves, the keys of wave trees, wave keys. So sealing a wave a second time,
// after a crash, gives the same copies and the same commitments; only the age
// envelope differs.
//
// Do not give this package an account, a network or the log: it is told what was
// decided, and what it is told is bound in the wave's statement, which the desk
// puts on the log before anything leaves.
package sealer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// Epoch is the token recognition epoch in use. One is kept active, so that
// scanning costs one block cipher call a candidate.
const Epoch = 1

var (
	// ErrRefused: the request is understood and will not be done. Ask for
	// something else.
	ErrRefused = errors.New("the sealer refuses")
	// ErrNotYet: a wave key was asked for before its wave opens. Ask again then.
	ErrNotYet = errors.New("the wave isn't open yet")
)

// Vault is the sealer's folder. Names are slash-separated; writing is atomic
// and durable when it returns; reading what isn't there gives fs.ErrNotExist.
type Vault interface {
	Read(name string) ([]byte, error)
	Write(name string, data []byte) error
	// Create is Write for what must not exist yet; else fs.ErrExist.
	Create(name string, data []byte) error
	// List gives the names below a folder, sorted.
	List(folder string) ([]string, error)
	// Lock waits until nobody else has the vault locked, in this process or
	// another. What is read to decide what is written is read under it.
	Lock() (unlock func(), err error)
}

// Envelope encrypts. Its implementation is the age adapter.
type Envelope interface {
	// Lock seals files to all recipients as one age file and locks that file's
	// header under the wave key. bulkKey, when not empty, travels inside, next
	// to the files and outside the copy hash.
	Lock(recipients []string, waveKey [32]byte, holder [16]byte, files []form.Output, bulkKey string) ([]byte, error)
	// Bulk seals files once for a whole wave, under a key that follows from the
	// seed; key is what opens it.
	Bulk(seed [32]byte, files []form.Output) (sealed []byte, key string, err error)
	// To seals data to age recipients.
	To(recipients []string, data []byte) ([]byte, error)
}

// Sealer does the work. All fields are needed.
type Sealer struct {
	Vault    Vault
	Envelope Envelope
	Clock    func() time.Time
	Rand     io.Reader
}

func derive(k fpcode.Key, label string, parts ...[]byte) (out [32]byte) {
	m := hmac.New(sha256.New, k[:])
	m.Write([]byte("forewarn/sealer/v1/" + label))
	for _, p := range parts {
		m.Write(p) // fixed lengths only, so no separator is needed
	}
	return [32]byte(m.Sum(nil))
}

// key reads a key of n bytes, drawing it first where asked to and absent.
func (s *Sealer) key(name string, n int, draw bool) ([]byte, error) {
	b, err := s.Vault.Read(name)
	if errors.Is(err, fs.ErrNotExist) && draw {
		b = make([]byte, n)
		if _, err = io.ReadFull(s.Rand, b); err == nil {
			err = s.Vault.Create(name, b)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sealer key %s: %w", name, err)
	}
	if len(b) != n {
		return nil, fmt.Errorf("sealer key %s: %d bytes, not %d: restore it from the key backup", name, len(b), n)
	}
	return b, nil
}

func (s *Sealer) packageKey(p cvd.PackageID, draw bool) (fpcode.Key, error) {
	b, err := s.key("keys/package/"+p.String(), 32, draw)
	if err != nil {
		return fpcode.Key{}, err
	}
	return fpcode.Key(b), nil
}

// Recognition is the key by which tokens are recognised, not attributed. The
// desk and its sensors hold a copy.
func (s *Sealer) Recognition(context.Context) (out [16]byte, err error) {
	b, err := s.key(recognitionName(), 16, true)
	if err == nil {
		copy(out[:], b)
	}
	return out, err
}

func recognitionName() string { return fmt.Sprintf("keys/recognition-%d", Epoch) }

// compiled is what the vault keeps of a revision.
type compiled struct {
	Case     cvd.CaseID
	Package  cvd.PackageID
	Revision cvd.RevisionID
	Number   uint32
	Form     []byte
}

func (f *compiled) Wire(c *wire.Coder) {
	c.Magic("forewarn compiled v1\n")
	f.Case.Wire(c)
	f.Package.Wire(c)
	f.Revision.Wire(c)
	c.U32(&f.Number)
	c.Bytes(&f.Form, maxForm)
}

const (
	maxForm     = 256 << 20
	maxWarnings = 1000 // of a report, as carrier lays it out
)

// Compile makes a revision's Form from its packed source and keeps it. The
// same revision compiled again must have the same source.
func (s *Sealer) Compile(_ context.Context, q CompileRequest) (CompileResult, error) {
	src, err := carrier.Unpack(q.Source)
	if err != nil {
		return CompileResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	unlock, err := s.Vault.Lock()
	if err != nil {
		return CompileResult{}, err
	}
	defer unlock()
	k, err := s.packageKey(q.Package, true)
	if err != nil {
		return CompileResult{}, err
	}
	profile, before, err := s.lawsBefore(q)
	if err != nil {
		return CompileResult{}, err
	}
	f, manifest, report, err := carrier.CompileFor(src, fpcode.BiasKey(k), profile, before)
	if err != nil {
		return CompileResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// A mark that can't be read back does no harm: it doesn't count, and the
	// author should know.
	for _, u := range form.Distinguishable(f) {
		report.Warnings = append(report.Warnings, carrier.Warning{Path: f.Files[u.File].Path, Text: "a mark can't be read back from text and counts for nothing: " + u.Why})
	}
	report.Warnings = report.Warnings[:min(len(report.Warnings), maxWarnings)]
	kept := compiled{Case: q.Case, Package: q.Package, Revision: q.Revision, Number: q.Number, Form: f.Marshal()}
	name := "forms/" + q.Revision.String()
	switch b, err := s.Vault.Read(name); {
	case err == nil && !slices.Equal(b, wire.Marshal(&kept)):
		return CompileResult{}, fmt.Errorf("%w: revision %s was compiled from another source; a changed source is a new revision", ErrRefused, q.Revision)
	case errors.Is(err, fs.ErrNotExist):
		if err := s.Vault.Create(name, wire.Marshal(&kept)); err != nil {
			return CompileResult{}, err
		}
	case err != nil:
		return CompileResult{}, err
	}
	return CompileResult{Form: f.Hash(), SlotTable: f.SlotTableHash(), Profile: profile, Manifest: *manifest, Report: report}, nil
}

func (s *Sealer) form(r cvd.RevisionID) (compiled, *form.Form, error) {
	var kept compiled
	b, err := s.Vault.Read("forms/" + r.String())
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil, fmt.Errorf("%w: revision %s was never compiled here", ErrRefused, r)
	}
	if err == nil {
		err = wire.Unmarshal(b, &kept)
	}
	if err != nil {
		return kept, nil, fmt.Errorf("the Form of revision %s: %w", r, err)
	}
	f, err := form.Parse(kept.Form)
	return kept, f, err
}

// signingKey signs runs. Its public half stands in every wave's statement.
func (s *Sealer) signingKey() (ed25519.PrivateKey, error) {
	seed, err := s.key("keys/sealer", ed25519.SeedSize, true)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// waves reads every wave of a package that is known to be on the log, in the
// order of their names. A wave whose sealing failed, or that was called off
// before it was logged, isn't among them and counts for nothing.
func (s *Sealer) waves(p cvd.PackageID) ([]planned, error) {
	names, err := s.Vault.List("confirmed/" + p.String())
	if err != nil {
		return nil, err
	}
	out := make([]planned, 0, len(names))
	for _, n := range names {
		id, err := wire.ParseID[cvd.Wave](n)
		if err != nil {
			return nil, fmt.Errorf("sealed waves: %w", err)
		}
		w, err := s.wave(p, id)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func waveName(p cvd.PackageID, w cvd.WaveID) string {
	return "waves/" + p.String() + "/" + w.String()
}

func (s *Sealer) wave(p cvd.PackageID, w cvd.WaveID) (q planned, err error) {
	b, err := s.Vault.Read(waveName(p, w))
	if errors.Is(err, fs.ErrNotExist) {
		return q, fmt.Errorf("%w: wave %s was never sealed here", ErrRefused, w)
	}
	if err == nil {
		err = wire.Unmarshal(b, &q)
	}
	if err != nil {
		return q, fmt.Errorf("sealed wave %s: %w", w, err)
	}
	return q, nil
}

// Confirm tells the sealer that a wave's statement is on the log: from now on its
// copies count. It may be told again.
func (s *Sealer) Confirm(_ context.Context, p cvd.PackageID, w cvd.WaveID) error {
	unlock, err := s.Vault.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.wave(p, w); err != nil {
		return err
	}
	return s.Vault.Write("confirmed/"+p.String()+"/"+w.String(), []byte("on the log\n"))
}

// recipients is what a holder's copies are sealed to.
type recipients []string

func (r *recipients) Wire(c *wire.Coder) {
	c.Magic("forewarn recipients v1\n")
	wire.List(c, (*[]string)(r), 64, func(c *wire.Coder, s *string) { wire.Text(c, s, 8192) })
}

func recipientsName(h cvd.HolderID) string { return "recipients/" + h.String() }

// pin holds a holder to the recipients that its copies were first sealed to.
// Whoever speaks for the desk could otherwise have any holder's very copy sealed
// to a key of its own, and frame that holder with it.
func (s *Sealer) pin(h HolderKeys) error {
	want := wire.Marshal((*recipients)(&h.Recipients))
	b, err := s.Vault.Read(recipientsName(h.Holder))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.Vault.Create(recipientsName(h.Holder), want)
	case err != nil:
		return err
	case !bytes.Equal(b, want):
		return fmt.Errorf("%w: holder %s has other keys than its copies were sealed to before. If the holder itself says so, on the sealer's machine: forewarn sealer accept FOLDER %s FILE.pub", ErrRefused, h.Holder, h.Holder)
	}
	return nil
}

// Accept takes a holder's new recipients. It isn't part of the protocol: a person
// at the sealer does it, who has it from the holder by another way.
func (s *Sealer) Accept(h HolderKeys) error {
	return s.Vault.Write(recipientsName(h.Holder), wire.Marshal((*recipients)(&h.Recipients)))
}

// holders lists who holds a copy of a package, ever, sorted.
func holders(waves []planned) []cvd.HolderID {
	var out []cvd.HolderID
	for _, w := range waves {
		for _, h := range w.Holders {
			out = append(out, h.Holder)
		}
	}
	slices.SortFunc(out, cvd.HolderID.Compare)
	return slices.Compact(out)
}
