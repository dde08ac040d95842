package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// Verdict is a decision about an alarm.
type Verdict struct {
	Choice cvd.Choice
	Round  uint32       // of the alarm that was seen; zero: as it is now
	UpTo   entrylog.Seq // the last entry that was seen; zero: whatever there is
	Reason string
	Until  time.Time // of a dismissal: how long it calls nobody again
}

// AcknowledgeAlarm says that somebody is looking: nobody else is called.
func (d *Desk) AcknowledgeAlarm(ctx context.Context, by cvd.Actor, id cvd.CaseID) error {
	_, err := d.do(ctx, by, func(time.Time) []cvd.Command {
		return []cvd.Command{cvd.AcknowledgeAlarm{Case: id, Round: d.round(id)}}
	})
	return err
}

// round is an alarm's, for use where the state holds still.
func (d *Desk) round(id cvd.CaseID) uint32 {
	if c := d.state.Cases[id]; c != nil && c.Alarm != nil {
		return c.Alarm.Round
	}
	return 0
}

// DecideAlarm records a decision together with what follows from it. The end of an
// embargo seals the break pack as EndEmbargo does.
func (d *Desk) DecideAlarm(ctx context.Context, by cvd.Actor, id cvd.CaseID, v Verdict) (Ended, error) {
	q := cvd.DecideAlarm{Case: id, Round: v.Round, Choice: v.Choice, UpTo: v.UpTo, Until: v.Until}
	err := d.View(func(p *cvd.Programme) error {
		if q.Round == 0 {
			q.Round = d.round(id)
		}
		if err := p.May(by, cvd.ActDecideAlarm, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		q.Revision, q.Level = breakPack(p, id)
		return nil
	})
	if err != nil {
		return Ended{}, err
	}
	if v.Choice != cvd.ChooseEnd {
		q.Revision, q.Level = cvd.RevisionID{}, 0
	}
	if q.Reason, err = d.Reason(ctx, CaseKey(id), v.Reason); err != nil {
		return Ended{}, err
	}
	if v.Choice == cvd.ChooseEnd {
		return d.end(ctx, by, id, q, q.Revision, q.Level)
	}
	if q.Suppression, err = NewID[cvd.SuppressionID](d); err != nil {
		return Ended{}, err
	}
	_, err = d.Do(ctx, by, q)
	return Ended{}, err
}

// Told is what one round of dispatching did.
type Told struct {
	Queued, HandedOff, Failed int
	Next                      time.Time // when something is due again, as the log is now; zero: nothing
}

// Notice is all that a person is told: that something waits. It says neither of
// what nor of which case, and every one is as long as every other.
type Notice struct {
	ID   cvd.NoticeID `json:"id"`   // the same when it is handed over again
	Time string       `json:"time"` // UTC, in seconds
	Text string       `json:"text"`
}

// NoticeText is what every notice says.
const NoticeText = "Something is waiting for you. Sign in to your early-warning programme."

// Notifier hands notices on.
type Notifier interface {
	// Notify hands a notice on to a person. It may be called again with the same
	// notice after a crash, so whoever receives it tells by its id. An error is a
	// failed attempt.
	Notify(ctx context.Context, to Person, n Notice) error
}

// Letter is a notice and who it is for.
type Letter struct {
	To Person
	Notice
}

// QueueNotices queues every notice that is due, and gives all that wait to be
// handed on. Each is on the log before it leaves; after a crash it is given again.
func (d *Desk) QueueNotices(ctx context.Context, by cvd.Actor) (out []Letter, queued int, err error) {
	var due []cvd.Due
	if err := d.View(func(p *cvd.Programme) error { due, _ = p.NoticesDue(d.at(p)); return nil }); err != nil {
		return nil, 0, err
	}
	for _, x := range due {
		q := cvd.QueueNotice{Case: x.Case, Round: x.Round, Step: x.Step, Account: x.Account}
		if q.Notice, err = NewID[cvd.NoticeID](d); err != nil {
			return nil, queued, err
		}
		switch _, err := d.Do(ctx, by, q); {
		case errors.Is(err, cvd.ErrRefused): // somebody acknowledged meanwhile
		case err != nil:
			return nil, queued, err
		default:
			queued++
		}
	}
	err = d.View(func(p *cvd.Programme) error {
		waiting, _ := p.Outbox(d.at(p))
		out = d.letters(ctx, p, waiting)
		return nil
	})
	return out, queued, err
}

func (d *Desk) letters(ctx context.Context, p *cvd.Programme, of []*cvd.Notice) (out []Letter) {
	for _, x := range of {
		out = append(out, Letter{d.person(ctx, p, x.Account), Notice{x.ID, x.At.UTC().Format(time.RFC3339), NoticeText}})
	}
	return out
}

// TriedNotices is the notices of alarms that still call that were queued from an entry
// on, and that somebody tried to hand on: another process has other ways. next is the
// entry that comes next.
func (d *Desk) TriedNotices(ctx context.Context, from entrylog.Seq) (out []Letter, next entrylog.Seq) {
	_ = d.View(func(p *cvd.Programme) error {
		out, next = d.letters(ctx, p, p.Tried(d.at(p), from)), p.Next
		return nil
	})
	return out, next
}

// SettleNotice records what became of an attempt to hand a notice on.
func (d *Desk) SettleNotice(ctx context.Context, by cvd.Actor, id cvd.NoticeID, failed bool) error {
	q := cvd.RecordNotice{Notice: id, Outcome: cvd.HandedOff}
	if failed {
		q.Outcome = cvd.NotHanded
	}
	_, err := d.Do(ctx, by, q)
	return err
}

// Dispatch queues every notice that is due, hands on those that are queued, and
// records what became of them. Between handing on and recording, a crash can have
// a notice handed on again.
func (d *Desk) Dispatch(ctx context.Context, by cvd.Actor, with Notifier) (t Told, err error) {
	out, queued, err := d.QueueNotices(ctx, by)
	t.Queued = queued
	if err != nil {
		return t, err
	}
	for _, l := range out {
		e := with.Notify(ctx, l.To, l.Notice)
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		if e != nil {
			t.Failed++
			err = errors.Join(err, CallError(l, e))
		} else {
			t.HandedOff++
		}
		if e := d.SettleNotice(ctx, by, l.ID, e != nil); e != nil {
			return t, errors.Join(err, e)
		}
	}
	t.Next = d.NextCall()
	return t, err
}

// CallError says which notice was not handed on, and what becomes of it.
func CallError(l Letter, err error) error {
	return fmt.Errorf("notice %s to %s: %w; it is tried again, and the next on the roster is called", l.ID.Short(), l.To.Handle, err)
}

// NextCall is when something is due to be queued or handed on, as the log is now:
// a time that is past when it is due already, and zero when nothing is.
func (d *Desk) NextCall() (at time.Time) {
	_ = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		due, next := p.NoticesDue(now)
		out, retry := p.Outbox(now)
		if len(due) > 0 || len(out) > 0 {
			at = now
			return nil
		}
		at = next
		if !retry.IsZero() && (at.IsZero() || retry.Before(at)) {
			at = retry
		}
		return nil
	})
	return at
}

// Rouse tells the n-th person on duty (from 0) that something waits which is of no
// case: the desk itself needs somebody. It is not on the log, for what is wrong may
// be the log, or the clock. told is false when the roster has nobody more.
func (d *Desk) Rouse(ctx context.Context, n int, with Notifier) (told bool, err error) {
	id, err := NewID[cvd.NoticeID](d)
	if err != nil {
		return false, err
	}
	var to Person
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if ids := p.OnDuty(now); n < len(ids) {
			told, to = true, d.person(ctx, p, ids[n])
		}
		return nil
	})
	if err != nil || !told {
		return false, err
	}
	return true, with.Notify(ctx, to, Notice{id, d.now().Format(time.RFC3339), NoticeText})
}
