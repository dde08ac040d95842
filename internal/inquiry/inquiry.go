// Package inquiry reads specimens, has the codebook opened, and writes findings
// that others can check. It is a trust domain of its own, with its own log and
// key: what it learns of suspects is visible to no case staff.
//
//	specimens ─► form.Read ─► freeze (own log; a commitment on the programme's log)
//	          ─► codebook (the sealer counts the run) ─► decode ─► leak.Judge ─► dossier, signed
//
// The order is the point. Readings are a function of specimens and Form, and are
// bound on two logs before any key is opened; the run is on the log before its
// result is known. A crash anywhere leaves a run that counts and can be done
// again: the same readings are the same run.
//
// Nothing here decides who is to be believed. Probabilities come from fpcode,
// words and rivals from leak, the file and its checks from evidence.
package inquiry

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/hostile"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

// Sealer is what the inquiry asks of the sealer.
type Sealer interface {
	Forms(context.Context, cvd.CaseID) ([]sealer.CaseForm, error)
	Codebook(context.Context, cvd.PackageID, [32]byte) (sealer.Codebook, error)
	Opening(context.Context, cvd.PackageID, cvd.WaveID, cvd.HolderID) (sealer.Opening, error)
	Confirm(context.Context, cvd.PackageID, cvd.WaveID) error
}

// Config is what an Office is made of. All fields are needed.
type Config struct {
	Store     ledger.Store
	Publisher ledger.Publisher
	Outside   ledger.Outside
	Blobs     Blobs
	Log       ledger.Options // Known, Public, Clock and Rand are filled in
	Key       string         // vkey of Log.Signer
	Sealer    Sealer
	Clock     func() time.Time
	Rand      io.Reader
	Apart     coordinator.Apart // reads specimens
}

// Office is an open inquiry.
type Office struct {
	Config

	// Wait waits until an instant, for an anchor; nil sleeps.
	Wait func(until time.Time) error
	// Step, if not nil, is told what is being done.
	Step func(string)

	log *ledger.Log
	state
}

// Open replays the inquiry's log and makes this process its one writer.
func Open(ctx context.Context, c Config) (*Office, error) {
	o := &Office{Config: c, state: newState()}
	c.Log.Clock, c.Log.Rand, c.Log.Known, c.Log.Public = c.Clock, c.Rand, Known, Public
	log, err := ledger.Open(ctx, c.Store, c.Publisher, c.Outside, c.Log, o.apply)
	if err != nil {
		return nil, fmt.Errorf("the inquiry's log: %w", err)
	}
	o.log = log
	return o, nil
}

// Close lets go of the log.
func (o *Office) Close() error { return o.log.Close() }

// Specimen is recovered material, and when it was first known to exist.
type Specimen struct {
	form.Specimen
	Found evidence.Window
}

// Question is what an investigator brings.
type Question struct {
	Case      cvd.CaseID
	Specimens []Specimen

	// Edits are readings that the investigator puts right by hand; nil: none. They
	// are frozen before any key is opened; nothing is concluded from them.
	Edits *form.Edits
}

// ErrNothing: the case has no sealed package to compare with.
var ErrNothing = errors.New("there is nothing to compare with")

func (o *Office) step(format string, args ...any) {
	if o.Step != nil {
		o.Step(fmt.Sprintf(format, args...))
	}
}

// candidate is one Form that specimens were read against.
type candidate struct {
	sealer.CaseForm
	form     *form.Form
	readings form.Readings
	read     int // sites
}

// read reads the specimens against the Form of every sealed revision of a case.
// The first is the one that says most: of which the most sites were read; of
// equals, the newest. Those that say as much come after it. The order looks at
// specimens and Forms alone.
func (o *Office) read(ctx context.Context, desk *coordinator.Desk, cs cvd.CaseID, specimens []form.Specimen) ([]candidate, error) {
	forms, err := o.Sealer.Forms(ctx, cs)
	if err != nil {
		return nil, err
	}
	reader := map[cvd.RevisionID]string{} // as the waves of a revision bound it
	if err := desk.View(func(p *cvd.Programme) error {
		for _, id := range p.Cases[cs].Waves {
			if w := p.Waves[id]; w.Statement != nil {
				reader[w.Revision] = w.Statement.Reader
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var out []candidate
	for _, cf := range forms {
		if reader[cf.Revision] == "" {
			continue // nobody has a copy of it
		}
		f, err := form.Parse(cf.Form)
		if err != nil {
			return nil, fmt.Errorf("the Form of revision %s: %w", cf.Revision, err)
		}
		q := hostile.ReadRequest{Form: cf.Form, Reader: reader[cf.Revision], Specimens: specimens}
		asked, err := wire.Append(nil, &q)
		if err != nil {
			return nil, fmt.Errorf("the specimens: %w", err)
		}
		answer, err := o.Apart.Do(ctx, hostile.Read, asked)
		if err != nil {
			return nil, fmt.Errorf("reading the specimens against revision %s: %w", cf.Revision, err)
		}
		readings, err := q.Readings(f, answer)
		if err != nil {
			return nil, fmt.Errorf("what was read against revision %s: %w", cf.Revision, err)
		}
		c := candidate{CaseForm: cf, form: f, readings: readings}
		c.read, _, _ = c.readings.Count()
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no package of the case has been sealed to anybody", ErrNothing)
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.read, a.read), cmp.Compare(b.Number, a.Number))
	})
	most := out[0].read
	return slices.DeleteFunc(out, func(c candidate) bool { return c.read < most }), nil
}

// freeze binds readings on the inquiry's log and on the programme's, once. It
// gives the entry's number on either.
func (o *Office) freeze(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, b evidence.ReadingsFrozen) (own, noted entrylog.Seq, err error) {
	before, ok := o.frozen[timeless(b)]
	seq := before.seq
	if !ok {
		drafts := []ledger.Draft{{Kind: KindReadingsFrozen, Actor: entrylog.Ref(by.Account), Auth: by.Auth, Subject: b.Case, Body: &b}}
		if o.size == 0 {
			drafts = append([]ledger.Draft{{Kind: KindInquiryFounded, Actor: entrylog.Ref(by.Account), Auth: by.Auth, Body: &founded{desk.Config.Log.Origin}}}, drafts...)
		}
		sealed, err := o.log.Append(ctx, drafts)
		if err != nil {
			return 0, 0, err
		}
		seq = sealed[len(sealed)-1].Seq
	}
	// On the programme's log it looks like any other commitment: the salt keeps
	// it from being guessed, and opens it.
	_, record, err := o.log.Entry(ctx, seq)
	if err != nil {
		return 0, 0, err
	}
	c := cvd.NoteCommitment{Commitment: entrylog.Commit(record.Salt, record.Entry)}
	found := false
	if err := desk.View(func(p *cvd.Programme) error {
		for _, x := range p.Commitments {
			if !found && x.Value == c.Commitment {
				found, noted = true, x.Seq
			}
		}
		return nil
	}); err != nil || found {
		return seq, noted, err
	}
	done, err := desk.Do(ctx, by, c)
	if err != nil {
		return 0, 0, fmt.Errorf("noting the frozen readings on the programme's log: %w", err)
	}
	return seq, done[0].Seq, nil
}

// settle waits until entries are anchored, so that all proofs can then be made
// under one checkpoint.
func (o *Office) settle(ctx context.Context, log *ledger.Log, entries ...entrylog.Seq) error {
	for _, seq := range entries {
		for {
			_, err := log.ProveInner(ctx, seq, 0)
			var due *ledger.NotAnchoredError
			if !errors.As(err, &due) {
				if err != nil {
					return err
				}
				break
			}
			o.step("waiting for the anchor at %s", due.DueAt.Format("15:04:05 MST"))
			if err := o.wait(ctx, due.DueAt); err != nil {
				return err
			}
			if err := log.Tick(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Office) wait(ctx context.Context, until time.Time) error {
	if o.Wait != nil {
		return o.Wait(until)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(until.Sub(o.Clock()) + 20*time.Millisecond):
		return nil
	}
}

// sorted puts the specimens into an order that doesn't depend on how they were
// named on a command line: by content. Two of the same content are one.
func sorted(in []Specimen) []Specimen {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b Specimen) int {
		x, y := sha256.Sum256(a.Data), sha256.Sum256(b.Data)
		return slices.Compare(x[:], y[:])
	})
	return slices.CompactFunc(out, func(a, b Specimen) bool { return slices.Equal(a.Data, b.Data) })
}
