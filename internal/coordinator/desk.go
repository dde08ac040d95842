// Package coordinator is the desk: it loads the programme from its log, has
// package cvd decide what people ask for, makes the decision durable, and only
// then acts on it.
//
//	command ─► cvd.Decide ─► ledger.Append (durable) ─► cvd.Apply ─► effect
//
// Effects are sealing an approved wave, handing out a copy, and writing blobs.
// Each can be run again: what the log says happened is the truth, and Resume
// does what it says should have.
//
// The desk holds no policy (cvd has it), no formats, and no keys of marks (the
// sealer has them). The small interfaces it needs are declared here and served
// by the adapters.
package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
)

// Sealer is the other process. Its errors are sealer.ErrRefused, sealer.ErrNotYet,
// or failures worth another try.
type Sealer interface {
	Compile(context.Context, sealer.CompileRequest) (sealer.CompileResult, error)
	Seal(context.Context, sealer.SealRequest, func(sealer.Parcel) error) (sealer.SealResult, error)
	// Confirm says that a wave's statement is on the log: from then on it counts.
	Confirm(context.Context, cvd.PackageID, cvd.WaveID) error
	WaveKey(context.Context, cvd.PackageID, cvd.WaveID) ([32]byte, error)
}

// Blobs keeps ciphertext under its hash.
type Blobs interface {
	// Put keeps data and returns its SHA-256. It is durable once Sync returned.
	Put(context.Context, []byte) ([32]byte, error)
	// Get returns a blob whose hash was checked, or fs.ErrNotExist.
	Get(context.Context, [32]byte) ([]byte, error)
	Sync(context.Context) error
}

// Keys is the desk's key folder. Reading what isn't there gives fs.ErrNotExist.
type Keys interface {
	Read(name string) ([]byte, error)
	Create(name string, data []byte) error // fs.ErrExist if there
	Destroy(name string) error
}

// Crypt encrypts blobs under case and person keys, and unlocks copies.
type Crypt interface {
	NewKey() ([]byte, error)
	Encrypt(key, plaintext []byte) ([]byte, error)
	Decrypt(key, blob []byte) ([]byte, error)
	// Unlock joins a locked copy's header and payload to a plain age file.
	Unlock(waveKey [32]byte, holder [16]byte, locked []byte) ([]byte, error)
	// Enrolment reads a file of public keys: recipients to seal to, and the key
	// that verifies receipts. Its errors name a line and repeat nothing.
	Enrolment(text []byte) (recipients []string, signing [32]byte, err error)
	// SealTo encrypts to recipients whose secret keys are elsewhere.
	SealTo(recipients []string, plain []byte) ([]byte, error)
	// IsSealed reports whether a file has the outward form of a sealed one. It is
	// not opened: nobody here could.
	IsSealed(file []byte) bool
	// VerifyKeyText is the text of a key that verifies receipts.
	VerifyKeyText(key [32]byte) string
}

// Serving is the desk that has the log, as a desk in another process asks it.
type Serving interface {
	ledger.Writer
	// Seal is Desk.Seal. It goes on when who asked is gone.
	Seal(ctx context.Context, id cvd.WaveID, progress func(done, all int)) error
}

// Config is what a Desk is made of. All fields are needed but Apart and Through, and
// by a reader only those it has a use for.
type Config struct {
	Store     ledger.Store
	Publisher ledger.Publisher
	Outside   ledger.Outside
	Log       ledger.Options // Known, Public, Clock and Rand are filled in
	Key       string         // vkey of Log.Signer
	Sealer    Sealer
	Blobs     Blobs
	Keys      Keys
	Crypt     Crypt
	Clock     func() time.Time
	Rand      io.Reader
	Apart     Apart

	// Through is the serving desk, by which a reader writes; nil: it only reads.
	Through Serving
}

// ErrGone: the text's key was destroyed, or never reached this folder. The
// log is whole; the text is not readable any more.
var ErrGone = errors.New("the text can no longer be read: its key is not here")

// Desk runs one programme. It is safe for concurrent use.
type Desk struct {
	Config
	log   *ledger.Log
	state *cvd.Programme // the log guards it

	sealing  sync.Mutex    // one wave at a time: the count in a statement is of all before it
	approved chan struct{} // there may be one to seal

	texts  sync.Map // cvd.BlobRef → []byte: decrypted texts
	names  nameCache
	warmed atomic.Int64 // so many accounts' and members' names were read
	gone   sync.Map     // name of a key that the log says is destroyed → true
	waves  sync.Map     // cvd.WaveID → [32]byte: keys of open waves
	inUse  inUse        // names that are taken

	progress sync.Map // cvd.WaveID → int: copies made of a wave that is being sealed
	history  history
	traced   traces
	lately   atomic.Pointer[missed] // who was not reached
}

// Open replays the log and makes this process its one writer. Close it after.
func Open(ctx context.Context, c Config) (*Desk, error) {
	d := &Desk{Config: c, state: cvd.New(), approved: make(chan struct{}, 1)}
	c.Log.Clock, c.Log.Rand = c.Clock, c.Rand
	c.Log.Known, c.Log.Public, c.Log.Fits = cvd.Known, cvd.Public, d.state.Fits
	log, err := ledger.Open(ctx, c.Store, c.Publisher, c.Outside, c.Log, d.apply)
	if err != nil {
		return nil, err
	}
	d.log = log
	if err := d.forget(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// OpenReader replays the log beside its writer, which may be another process. The
// desk can be looked at, and with Config.Through do whatever the writer's can;
// Refresh takes in what is new.
func OpenReader(ctx context.Context, c Config) (*Desk, error) {
	d := &Desk{Config: c, state: cvd.New()}
	c.Log.Clock, c.Log.Rand = c.Clock, c.Rand
	c.Log.Known, c.Log.Public, c.Log.Fits = cvd.Known, cvd.Public, d.state.Fits
	log, err := ledger.OpenReader(ctx, c.Store, c.Log, d.apply)
	if err != nil {
		return nil, err
	}
	if c.Through != nil {
		log.Through(c.Through)
	}
	d.log = log
	return d, nil
}

// Refresh takes in what others wrote since.
func (d *Desk) Refresh(ctx context.Context) error { return d.log.Refresh(ctx) }

// Turn lets a desk that looks write while f runs: see ledger.Log.Turn. It can do
// what needs no sealer.
func (d *Desk) Turn(ctx context.Context, store ledger.Store, pub ledger.Publisher, outside ledger.Outside, f func() error) error {
	return d.log.Turn(ctx, store, pub, outside, func() error {
		if err := d.forget(); err != nil {
			return err
		}
		return f()
	})
}

// forget destroys every key that the log says is destroyed: a crash may have
// come between the entry and the file, or a backup brought the file back.
func (d *Desk) forget() (err error) {
	d.gone.Range(func(name, _ any) bool {
		if err = d.Keys.Destroy(name.(string)); err != nil {
			err = fmt.Errorf("the log says that key %s is destroyed, and its file can't be: %w", name, err)
		}
		return err == nil
	})
	return err
}

// apply folds an entry in, whoever wrote it, and notes it with its case. Under a key that it says is destroyed
// nothing is read any more.
func (d *Desk) apply(seq entrylog.Seq, e entrylog.Entry) error {
	if err := d.state.Apply(seq, e); err != nil {
		return err
	}
	for _, name := range Destroyed(d.state, e) {
		d.gone.Store(name, true)
		d.forgetTexts()
	}
	d.note(seq, e)
	if e.Kind == cvd.KindWaveApproved {
		select {
		case d.approved <- struct{}{}:
		default:
		}
	}
	return nil
}

// Approved gives something when a wave was approved since it was asked last, by
// whatever process: there may be one for Resume. It has one reader.
func (d *Desk) Approved() <-chan struct{} { return d.approved }

// destroyedName is the name of the key that a command destroys.
func destroyedName(c cvd.DestroyKey) string {
	if c.Scope == cvd.CaseKey {
		return CaseKey(cvd.CaseID(c.ID))
	}
	return PersonKey(cvd.AccountID(c.ID)) // or MemberKey, which is the same
}

// forgetTexts forgets what was decrypted: a key is gone.
func (d *Desk) forgetTexts() {
	d.texts.Clear()
	d.names.clear()
	d.warmed.Store(0)
}

// Close lets go of the log.
func (d *Desk) Close() error { return d.log.Close() }

// Log is the programme's log, for proofs and anchors.
func (d *Desk) Log() *ledger.Log { return d.log }

// View calls f with the state as of the last durable entry. f must not keep or
// change it, and must not append.
func (d *Desk) View(f func(*cvd.Programme) error) (err error) {
	if stopped := d.log.View(func() { err = f(d.state) }); stopped != nil {
		return stopped
	}
	return err
}

// at is the time by which to judge a state: the clock's, but never before the
// last entry, as the log has it for what it appends. A clock that was set back a
// little must not make a desk refuse what it would write.
func (d *Desk) at(p *cvd.Programme) time.Time {
	if now := d.now(); now.After(p.Last) {
		return now
	}
	return p.Last
}

// Do decides commands, all or none of them, and returns when what was decided is
// durable. A decision that writes nothing returns no entries.
func (d *Desk) Do(ctx context.Context, by cvd.Actor, cs ...cvd.Command) ([]ledger.Sealed, error) {
	return d.do(ctx, by, func(time.Time) []cvd.Command { return cs })
}

// do is Do of commands that depend on the time at which they are decided.
func (d *Desk) do(ctx context.Context, by cvd.Actor, cs func(now time.Time) []cvd.Command) ([]ledger.Sealed, error) {
	return d.log.AppendIf(ctx, func(now time.Time) ([]ledger.Draft, error) { return d.drafts(by, now, cs(now)) })
}

// doWhile is Do of commands that rest on more than the policy asks: a name that is
// free, keys that something was sealed to. Whether it still is so is asked again when
// they are decided: somebody may have changed it since it was looked at.
func (d *Desk) doWhile(ctx context.Context, by cvd.Actor, still func(*cvd.Programme) error, cs ...cvd.Command) error {
	_, err := d.log.AppendIf(ctx, func(now time.Time) ([]ledger.Draft, error) {
		if err := still(d.state); err != nil {
			return nil, err
		}
		return d.drafts(by, now, cs)
	})
	return err
}

// drafts decides. The log guards the state.
func (d *Desk) drafts(by cvd.Actor, now time.Time, cs []cvd.Command) (out []ledger.Draft, err error) {
	events, err := d.state.DecideAll(cs, by, now)
	for _, e := range events {
		out = append(out, ledger.Draft{Kind: e.Kind, Actor: entrylog.Ref(by.Account), Auth: by.Auth, Subject: e.Subject, Body: e.Body})
	}
	return out, err
}

// EachEntry reads the log from an entry on.
func (d *Desk) EachEntry(ctx context.Context, from entrylog.Seq, yield func(entrylog.Seq, entrylog.Entry) error) error {
	return d.Store.Read(ctx, from, func(seq entrylog.Seq, r entrylog.Record) error {
		e, err := entrylog.ParseEntry(r.Entry)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		return yield(seq, e)
	})
}

// DeclareRecovery says in the programme's own words why its log was continued
// after a loss.
func (d *Desk) DeclareRecovery(ctx context.Context, by cvd.Actor, r ledger.Recovery, reason string) error {
	q := cvd.DeclareRecovery{}
	for _, lost := range r.Lost {
		text, _, _ := strings.Cut(string(lost), "\n\n") // signatures follow the empty line
		if cp, err := entrylog.ParseCheckpoint(text + "\n"); err == nil && cp.Size >= q.AnchorSize {
			q.AnchorSize, q.AnchorRoot = cp.Size, cp.Root
		}
	}
	var err error
	if q.Reason, err = d.Reason(ctx, ProgrammeKey, reason); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// NewID draws an id for a new thing.
func NewID[T ~[16]byte](d *Desk) (id T, err error) {
	var b [16]byte
	_, err = io.ReadFull(d.Rand, b[:])
	return T(b), err
}

// ProgrammeKey is the key of texts that belong to no case and no person: names
// of members and products, terms.
const ProgrammeKey = "programme"

// CaseKey is the key of a case's texts and drafts.
func CaseKey(c cvd.CaseID) string { return "case/" + c.String() }

// PersonKey is the key of who an account is.
func PersonKey(a cvd.AccountID) string { return "person/" + a.String() }

// MemberKey is the key of what a member is called. Accounts and members share
// one space of ids.
func MemberKey(m cvd.MemberID) string { return "person/" + m.String() }

// key reads a key, drawing it first where asked to and absent. One that was
// destroyed isn't drawn again: what is under it would be lost among what was
// under the first.
func (d *Desk) key(name string, draw bool) ([]byte, error) {
	if _, gone := d.gone.Load(name); gone {
		return nil, fmt.Errorf("%w (%s was destroyed)", ErrGone, name)
	}
	k, err := d.Keys.Read(name)
	if !errors.Is(err, fs.ErrNotExist) || !draw {
		return k, err
	}
	if k, err = d.Crypt.NewKey(); err != nil {
		return nil, err
	}
	if err = d.Keys.Create(name, k); errors.Is(err, fs.ErrExist) {
		return d.Keys.Read(name) // another process was first
	}
	return k, err
}

// PutText encrypts v, as JSON, under a key that is drawn if it is the first
// text under it, and makes it durable.
func (d *Desk) PutText(ctx context.Context, key string, v any) (cvd.BlobRef, error) {
	ref, err := d.stageText(ctx, key, v)
	if err == nil {
		err = d.Blobs.Sync(ctx)
	}
	return ref, err
}

// stageText is PutText without the wait: the text is durable after Blobs.Sync.
func (d *Desk) stageText(ctx context.Context, key string, v any) (cvd.BlobRef, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return cvd.BlobRef{}, err
	}
	return d.stageBlob(ctx, key, b)
}

func (d *Desk) putBlob(ctx context.Context, key string, plain []byte) (cvd.BlobRef, error) {
	ref, err := d.stageBlob(ctx, key, plain)
	if err == nil {
		err = d.Blobs.Sync(ctx)
	}
	return ref, err
}

func (d *Desk) stageBlob(ctx context.Context, key string, plain []byte) (cvd.BlobRef, error) {
	k, err := d.key(key, true)
	if err != nil {
		return cvd.BlobRef{}, err
	}
	sealed, err := d.Crypt.Encrypt(k, plain)
	if err != nil {
		return cvd.BlobRef{}, err
	}
	ref, err := d.Blobs.Put(ctx, sealed)
	return cvd.BlobRef(ref), err
}

// Text decrypts into v. With ErrGone the key is not here any more.
func (d *Desk) Text(ctx context.Context, key string, ref cvd.BlobRef, v any) error {
	b, err := d.blob(ctx, key, ref)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func (d *Desk) blob(ctx context.Context, key string, ref cvd.BlobRef) ([]byte, error) {
	if _, gone := d.gone.Load(key); !gone {
		if b, ok := d.texts.Load(ref); ok {
			return b.([]byte), nil
		}
	}
	k, err := d.key(key, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s)", ErrGone, key)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := d.Blobs.Get(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", ref, err)
	}
	b, err := d.Crypt.Decrypt(k, sealed)
	if err != nil {
		return nil, fmt.Errorf("blob %s under key %s: %w", ref, key, err)
	}
	if len(b) < 4096 {
		d.texts.Store(ref, b)
	}
	return b, nil
}

// DestroyKey records that a case's or a person's key is destroyed, and destroys
// it: everything under it is noise from then on. The log stays as it is.
func (d *Desk) DestroyKey(ctx context.Context, by cvd.Actor, c cvd.DestroyKey) error {
	if _, err := d.Do(ctx, by, c); err != nil {
		return err
	}
	return errors.Join(d.Keys.Destroy(destroyedName(c)), d.View(func(*cvd.Programme) error { return d.forget() }))
}
