// Package lookout keeps watch: it follows logs, has what they show recorded, and
// calls who is on duty.
//
//	follow.File ─► Piece ─► sighting.Scanner ─► spots ─► Desk.Record ─► the log
//	                                                          ▲
//	            the log ─► Looker.NextCall ─► Desk.QueueNotices, Notifier, SettleNotice
//
// A Watch writes the log only while it appends; in between other commands work.
// It keeps nothing of its own: how far a source was read stands in the log, with
// the sightings, in one append. So it can be killed at any moment, and whoever
// starts next goes on from there. Stretches without a sighting are read again.
//
// What is new to it is recorded at once, repeats once a minute: a flood of one
// thing makes few entries. Nothing here decides what raises an alarm, who is called
// or what is offered: package cvd does.
package lookout

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/follow"
	"forewarn/internal/sighting"
)

const (
	pollEvery  = 100 * time.Millisecond
	maxWaiting = 4096     // spots of one file that wait to be recorded
	maxKnown   = 1 << 16  // different things that are told from new ones
	maxTurn    = 32 << 20 // bytes of one file in one turn
	patience   = 30 * time.Second
)

// Looker is the programme for looking at, beside whoever writes it.
type Looker interface {
	Refresh(context.Context) error
	WatchedCases(cvd.Actor) ([]cvd.CaseID, error)
	ReadSoFar(cvd.SourceID, string, []cvd.CaseID) ([]coordinator.Stretch, error)
	NextCall() time.Time
}

// Watch is one watch.
type Watch struct {
	Source  cvd.SourceID
	By      cvd.Actor
	Cases   []cvd.CaseID // empty: all that something can leak of, as they are when something is seen
	Paths   []string
	Scanner *sighting.Scanner

	Look Looker
	// Append lets the desk write once or a few times, after whoever writes now.
	Append func(context.Context, func(*coordinator.Desk) error) error
	Notify coordinator.Notifier // nil: nobody is called from here

	Note func(format string, args ...any)          // what went wrong, and what is done about it
	Said func(path string, r coordinator.Recorded) // what was recorded

	Clock func() time.Time
	// Repeats is how long repeats of what is known wait for one another; 0: a minute.
	Repeats time.Duration
}

// log is one followed path, with what it showed that isn't recorded yet.
type log struct {
	*follow.File
	begin   uint64 // of what isn't recorded
	end     follow.Mark
	waiting []coordinator.Spot
	since   time.Time // of the first that waits
	urgent  bool
	known   map[string]bool
	bad     string // the last error, told once
	skip    uint64 // a generation that can't be read
}

// Run keeps watch until the context ends, or something can't be mended by waiting.
func (w *Watch) Run(ctx context.Context) error {
	logs, err := w.open()
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range logs {
			l.Close()
		}
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var looked time.Time
	for {
		for _, l := range logs {
			if err := w.turn(ctx, l); err != nil {
				return err
			}
		}
		// Others write too, and what they write may call somebody.
		if w.Notify != nil && w.Clock().Sub(looked) >= 5*pollEvery {
			looked = w.Clock()
			if err := w.calls(ctx); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (w *Watch) open() (logs []*log, err error) {
	cases := w.Cases
	if len(cases) == 0 {
		if cases, err = w.Look.WatchedCases(w.By); err != nil {
			return nil, err
		}
	}
	for _, path := range w.Paths {
		marks, err := w.marks(path, cases)
		if err != nil {
			return nil, err
		}
		again := len(marks) < len(cases) // a case of which nothing was seen yet
		l := &log{File: follow.Open(path, marks, again), known: map[string]bool{}}
		l.Note = func(what string) { w.Note("%s: %s", path, what) }
		logs = append(logs, l)
	}
	return logs, nil
}

// marks is where the log says that reading of a path goes on.
func (w *Watch) marks(path string, cases []cvd.CaseID) (out []follow.Mark, err error) {
	read, err := w.Look.ReadSoFar(w.Source, path, cases)
	for _, r := range read {
		out = append(out, follow.Mark{Generation: r.Generation, Head: r.Head, HeadHash: r.HeadHash, Offset: r.End})
	}
	return out, err
}

// turn reads what was written to one file, and records what of it is due.
func (w *Watch) turn(ctx context.Context, l *log) error {
	for read := 0; read < maxTurn && ctx.Err() == nil; {
		p, err := l.Next()
		if err != nil {
			if s := err.Error(); s != l.bad {
				w.Note("%v; tried again", err)
				l.bad = s
			}
			break
		}
		l.bad = ""
		if len(p.Data) == 0 {
			break
		}
		read += len(p.Data)
		if p.Generation != l.end.Generation {
			// A batch is of one file.
			if err := w.record(ctx, l); err != nil {
				return err
			}
			l.begin = p.Begin
		}
		if len(l.waiting) == 0 {
			l.begin = p.Begin
		}
		l.end = p.Mark
		if l.skip == p.Generation {
			continue
		}
		if err := w.scan(l, p); err != nil {
			return err
		}
	}
	if n := len(l.waiting); n > 0 && (l.urgent || n >= maxWaiting || w.Clock().Sub(l.since) >= cmp.Or(w.Repeats, time.Minute)) {
		return w.record(ctx, l)
	}
	return nil
}

// scan looks through a piece. What stands in its context was seen before.
func (w *Watch) scan(l *log, p follow.Piece) error {
	before := int64(len(p.Context))
	lines := int64(bytes.Count(p.Context, []byte("\n")))
	had := len(l.waiting)
	sum, err := w.Scanner.Scan(l.Path, io.MultiReader(bytes.NewReader(p.Context), bytes.NewReader(p.Data)), func(s sighting.Sighting) error {
		if s.Offset < before {
			return nil
		}
		x := coordinator.SpotOf(s)
		x.Offset = p.Begin + uint64(s.Offset-before)
		x.Line = s.Line - lines + p.Line - 1
		if len(l.waiting) == 0 {
			l.since = w.Clock()
		}
		if len(l.known) >= maxKnown {
			clear(l.known)
		}
		if k := x.Clue.String() + " " + x.Value; !l.known[k] {
			l.known[k], l.urgent = true, true
		}
		l.waiting = append(l.waiting, x)
		return nil
	})
	if p.Begin == 0 && len(sum.Undone) > 0 {
		// Its lines are not where its bytes have them.
		w.Note("%s: it is in %s and can't be followed; scan it once, without --follow", l.Path, strings.Join(sum.Undone, ", "))
		l.skip, l.waiting = p.Generation, l.waiting[:had]
	}
	return err
}

// record has recorded what waits. What can't be recorded now waits on; what was
// recorded by somebody else isn't again.
func (w *Watch) record(ctx context.Context, l *log) error {
	if len(l.waiting) == 0 {
		return nil
	}
	b := coordinator.Batch{Source: w.Source, Spots: l.waiting, Cases: w.Cases, At: &coordinator.Stretch{
		Path: l.Path, Generation: l.end.Generation, Head: l.end.Head, HeadHash: l.end.HeadHash, Begin: l.begin, End: l.end.Offset}}
	for {
		var done []coordinator.Recorded
		err := w.Append(ctx, func(d *coordinator.Desk) (err error) {
			if len(w.Cases) == 0 {
				if b.Cases, err = d.WatchedCases(w.By); err != nil {
					return err
				}
				if len(b.Cases) == 0 {
					w.Note("%d sightings of %s are of no case: none with a sealed wave waits for its release. They are not recorded", len(l.waiting), l.Path)
				}
			}
			done, err = d.Record(ctx, w.By, b)
			return err
		})
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, cvd.ErrDenied) || errors.Is(err, cvd.ErrRefused) || errors.Is(err, coordinator.ErrUnknown):
			return fmt.Errorf("%d sightings of %s are not recorded: %w", len(l.waiting), l.Path, err)
		default:
			w.Note("%d sightings of %s are not recorded yet: %v; tried again", len(l.waiting), l.Path, err)
			if err := wait(ctx, time.Second); err != nil {
				return err
			}
			continue
		}
		for _, r := range done {
			w.Said(l.Path, r)
		}
		l.begin, l.waiting, l.urgent = l.end.Offset, nil, false
		return nil
	}
}

// calls calls whoever is due. The desk is not held while a notice is handed on.
func (w *Watch) calls(ctx context.Context) error {
	if err := w.Look.Refresh(ctx); err != nil {
		return err
	}
	if at := w.Look.NextCall(); at.IsZero() || at.After(w.Clock()) {
		return nil
	}
	var out []coordinator.Letter
	err := w.Append(ctx, func(d *coordinator.Desk) (err error) {
		out, _, err = d.QueueNotices(ctx, w.By)
		return err
	})
	for i := 0; err == nil && i < len(out); i++ {
		l := out[i]
		hand, cancel := context.WithTimeout(ctx, patience)
		failed := w.Notify.Notify(hand, l.To, l.Notice)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failed != nil {
			w.Note("%v", coordinator.CallError(l, failed))
		}
		err = w.Append(ctx, func(d *coordinator.Desk) error { return d.SettleNotice(ctx, w.By, l.ID, failed != nil) })
	}
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, cvd.ErrDenied):
		return err
	}
	w.Note("calling: %v; tried again", err)
	return wait(ctx, time.Second)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
