package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

// Approve is a second person's yes to a wave as it stands, and has it sealed.
func (d *Desk) Approve(ctx context.Context, by cvd.Actor, id cvd.WaveID, progress func(done, all int)) error {
	yes := cvd.ApproveWave{Wave: id}
	err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActApproveWave, cvd.AWave(id), d.at(p)); err != nil {
			return err
		}
		yes.Digest = p.Waves[id].Digest
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := d.Do(ctx, by, yes); err != nil {
		return err
	}
	if err := d.Seal(ctx, id, progress); err != nil {
		return fmt.Errorf("%w: the approval is recorded, and %w", ErrUnsealed, err)
	}
	return nil
}

// ErrUnsealed: what was decided is on the log, and its copies are not made yet.
// Resume goes on with it.
var ErrUnsealed = errors.New("not sealed yet")

// DraftWave drafts a wave. A preview or a break pack needs no second person and
// is sealed at once; it opens then too, unless a later time is given.
func (d *Desk) DraftWave(ctx context.Context, by cvd.Actor, w cvd.DraftWave) (cvd.WaveID, error) {
	var err error
	if w.Wave.IsZero() {
		if w.Wave, err = NewID[cvd.WaveID](d); err != nil {
			return w.Wave, err
		}
	}
	if _, err = d.do(ctx, by, func(now time.Time) []cvd.Command {
		if w.Purpose != cvd.Staged && w.OpensAt.Before(now) {
			w.OpensAt = now
		}
		return []cvd.Command{w}
	}); err != nil || w.Purpose == cvd.Staged {
		return w.Wave, err
	}
	return w.Wave, d.Seal(ctx, w.Wave, nil)
}

// Ended is what the end of an embargo sent.
type Ended struct {
	Level   form.Level // of the break pack; zero: none was approved
	Wave    cvd.WaveID // that carries it
	Members int        // who can fetch it
}

// ErrNoPack: the end holds, and sends nothing.
var ErrNoPack = errors.New("the embargo is ended, but there is no break pack")

// EndEmbargo ends a case's embargo now, and seals the break pack to every member
// that may have it: the newest revision that a second person vouched for, up to
// the level approved with it. The end holds even if the sealing then fails;
// Resume goes on with it.
func (d *Desk) EndEmbargo(ctx context.Context, by cvd.Actor, id cvd.CaseID, reason string) (out Ended, err error) {
	end := cvd.EndEmbargo{Case: id}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActEndEmbargo, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		end.Revision, end.Level = breakPack(p, id)
		return nil
	})
	if err != nil {
		return out, err
	}
	if end.Reason, err = d.Reason(ctx, CaseKey(id), reason); err != nil {
		return out, err
	}
	return d.end(ctx, by, id, end, end.Revision, end.Level)
}

// breakPack is the newest revision of a case that a second person vouched for, and
// the level approved with it; zero when there is none.
func breakPack(p *cvd.Programme, id cvd.CaseID) (r cvd.RevisionID, level form.Level) {
	for _, x := range p.RevisionOrder {
		if rev := p.Revisions[x]; rev.Case == id && rev.Vouched != nil && rev.Recall == nil && rev.Break > 0 {
			r, level = x, rev.Break
		}
	}
	return r, level
}

// told is the members that a case's break pack goes to.
func told(p *cvd.Programme, id cvd.CaseID, now time.Time) (out []cvd.HolderID) {
	for _, m := range p.MemberOrder {
		if p.Eligible(cvd.HolderID(m), id, cvd.BreakPack, now) == nil {
			out = append(out, cvd.HolderID(m))
		}
	}
	return out
}

// WouldEnd is what the end of a case's embargo would send now, or why somebody may
// not end it. Its wave is zero.
func (d *Desk) WouldEnd(by cvd.Actor, id cvd.CaseID) (out Ended, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActEndEmbargo, cvd.ACase(id), now); err != nil {
			return err
		}
		if _, out.Level = breakPack(p, id); out.Level > 0 {
			out.Members = len(told(p, id, now))
		}
		return nil
	})
	return out, err
}

// end does what ends an embargo, and seals what that sends out.
func (d *Desk) end(ctx context.Context, by cvd.Actor, id cvd.CaseID, end cvd.Command, r cvd.RevisionID, level form.Level) (out Ended, err error) {
	// The end and the draft of what it sends are one append: a crash between them
	// would leave an ended embargo that sends nothing.
	pack := cvd.DraftWave{Revision: r, Purpose: cvd.BreakPack, Level: level}
	if pack.Wave, err = NewID[cvd.WaveID](d); err != nil {
		return out, err
	}
	_, err = d.do(ctx, by, func(now time.Time) []cvd.Command {
		pack.OpensAt, pack.Audience = now, told(d.state, id, now)
		if level == 0 || len(pack.Audience) == 0 {
			return []cvd.Command{end}
		}
		return []cvd.Command{end, pack}
	})
	var one *cvd.InBatch
	if errors.As(err, &one) && one.Index == 1 {
		// The end must hold, whatever is wrong with the pack.
		if _, e := d.Do(ctx, by, end); e != nil {
			return out, e
		}
		return out, fmt.Errorf("%w: %w", ErrNoPack, one.Err)
	}
	if err != nil || level == 0 || len(pack.Audience) == 0 {
		return out, err
	}
	out.Wave, out.Level, out.Members = pack.Wave, level, len(pack.Audience)
	return out, d.Seal(ctx, pack.Wave, nil)
}

// Release says that a case is public, and keeps what was published. A text with marks
// of the case's package is refused.
func (d *Desk) Release(ctx context.Context, by cvd.Actor, id cvd.CaseID, advisory []byte) error {
	q := cvd.Release{Case: id}
	if len(advisory) > 0 {
		err := d.View(func(p *cvd.Programme) error { return p.May(by, cvd.ActRelease, cvd.ACase(id), d.at(p)) })
		if err == nil {
			err = d.unmarked(ctx, id, advisory)
		}
		if err != nil {
			return err
		}
		if q.Advisory, err = d.putBlob(ctx, CaseKey(id), advisory); err != nil {
			return err
		}
	}
	_, err := d.Do(ctx, by, q)
	return err
}

// Revision finds a revision of a case's last package by number; 0 is the newest.
func (d *Desk) Revision(id cvd.CaseID, number uint32) (found cvd.RevisionID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		c, ok := p.Cases[id]
		if !ok || len(c.Packages) == 0 {
			return fmt.Errorf("%w: the case has no package yet; add one with 'forewarn package add'", ErrUnknown)
		}
		revisions := p.Packages[c.Packages[len(c.Packages)-1]].Revisions
		if number == 0 {
			number = uint32(len(revisions))
		}
		if number == 0 || int(number) > len(revisions) {
			return fmt.Errorf("%w: the case's package has %d revisions, and not that one; 'forewarn package add' adds one", ErrUnknown, len(revisions))
		}
		found = revisions[number-1]
		return nil
	})
	return found, err
}

// LeftOut is somebody that a wave was meant for and can't go to yet.
type LeftOut struct {
	Holder cvd.HolderID `json:"holder"`
	Name   string       `json:"name"`
	Why    string       `json:"why"`
}

// DraftFor drafts a wave to those of an audience who can be shown content, and
// says who was left out and why.
func (d *Desk) DraftFor(ctx context.Context, by cvd.Actor, w cvd.DraftWave) (cvd.WaveID, []LeftOut, error) {
	a, err := d.Audience(ctx, by, w)
	in, out := a.In, a.Out
	if err != nil {
		return cvd.WaveID{}, nil, err
	}
	if len(in) == 0 {
		return cvd.WaveID{}, out, fmt.Errorf("%w: nobody of the audience can be shown content%s; the empty audience is nobody", cvd.ErrRefused, because(out))
	}
	w.Audience = in
	id, err := d.DraftWave(ctx, by, w)
	return id, out, err
}

// whyNot is a refusal without what was refused, which its reader knows.
func whyNot(err error) string {
	var denied *cvd.Denied
	if errors.As(err, &denied) {
		return denied.Why + "; " + denied.Hint
	}
	return err.Error()
}

func because(out []LeftOut) string {
	if len(out) == 0 {
		return ""
	}
	return " (" + out[0].Name + ": " + out[0].Why + ")"
}

// Answer is what the actor's member says about a product.
func (d *Desk) Answer(ctx context.Context, by cvd.Actor, id cvd.CaseID, product cvd.ProductID, say cvd.AnswerState, note string) error {
	q := cvd.GiveAnswer{Case: id, Product: product, Answer: say}
	err := d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok || acc.Member.IsZero() {
			return fmt.Errorf("%w: only a member's account answers", cvd.ErrRefused)
		}
		q.Member = acc.Member
		return nil
	})
	if err != nil {
		return err
	}
	if q.Text, err = d.Reason(ctx, CaseKey(id), note); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// AcknowledgeRecalls says for the actor's holder that it stopped using whatever
// of a case was recalled, and gives those revisions' numbers.
func (d *Desk) AcknowledgeRecalls(ctx context.Context, by cvd.Actor, id cvd.CaseID) ([]uint32, error) {
	var numbers []uint32
	var all []cvd.Command
	err := d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok {
			return fmt.Errorf("%w: there is no such account", ErrUnknown)
		}
		for _, r := range p.RevisionOrder {
			rev := p.Revisions[r]
			if rev.Case == id && rev.Recall != nil && p.May(by, cvd.ActAcknowledgeRecall, cvd.AReading(r, acc.HolderOf()), d.at(p)) == nil {
				numbers = append(numbers, rev.Number)
				all = append(all, cvd.AcknowledgeRecall{Revision: r, Holder: acc.HolderOf()})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: nothing that you fetched of this case was recalled", ErrUnknown)
	}
	_, err = d.Do(ctx, by, all...)
	return numbers, plain(err)
}

// Seen is a sighting to record. Tokens are the identities of those recognised:
// whose they are only the inquiry learns, and from the sighting on they can be
// replayed.
type Seen struct {
	Source   string    `json:"source"`
	What     string    `json:"what"`
	Tokens   []string  `json:"tokens,omitempty"` // TokenText
	From, To time.Time `json:"-"`                // zero: unknown
	Grade    cvd.Grade `json:"-"`
}

// TokenText is how a sighting's text has a token's identity: 16 hex digits.
func TokenText(identity uint64) string { return fmt.Sprintf("%016x", identity) }

// RecordedSighting is what was said of a sighting when it was recorded. With
// ErrGone the case's key is not here any more.
func (d *Desk) RecordedSighting(ctx context.Context, id cvd.CaseID, s cvd.Sighting) (out Seen, err error) {
	err = d.Text(ctx, CaseKey(id), s.Detail, &out)
	out.From, out.To, out.Grade = s.From, s.To, s.Grade
	return out, err
}

// RecordSighting puts a sighting of a case on the log.
func (d *Desk) RecordSighting(ctx context.Context, by cvd.Actor, id cvd.CaseID, s Seen) (cvd.SightingID, error) {
	n, err := NewID[cvd.SightingID](d)
	if err != nil {
		return n, err
	}
	detail, err := d.PutText(ctx, CaseKey(id), s)
	if err != nil {
		return n, err
	}
	_, err = d.Do(ctx, by, cvd.RecordSighting{Sighting: n, Case: id, Detail: detail, From: s.From, To: s.To, Grade: s.Grade})
	return n, err
}

// Inbox says whose copies an account fetches, its member's or its own.
func (d *Desk) Inbox(by cvd.Actor) (holder cvd.HolderID, waves []Waiting, err error) {
	err = d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok {
			return fmt.Errorf("%w: there is no such account", ErrUnknown)
		}
		holder = acc.HolderOf()
		for _, id := range p.WaveOrder {
			w := p.Waves[id]
			if !slices.Contains(w.Audience, holder) || p.May(by, cvd.ActViewWave, cvd.AWave(id), d.at(p)) != nil {
				continue
			}
			x := Waiting{Wave: id, Case: w.Case, State: p.WaveState(id, d.at(p)), OpensAt: w.OpensAt}
			if why := p.Readable(holder, id, d.at(p)); why != nil {
				x.Why = whyNot(why)
			}
			if c := w.CopyOf(holder); c != nil {
				x.Fetched = len(c.Fetches) > 0
			}
			waves = append(waves, x)
		}
		return nil
	})
	return holder, waves, err
}

// Waiting is a wave with a copy for somebody who may know of it.
type Waiting struct {
	Wave    cvd.WaveID
	Case    cvd.CaseID
	State   cvd.WaveState
	OpensAt time.Time
	Fetched bool   // by any account of the holder
	Why     string // why the copy can't be fetched now; empty: it can
}
