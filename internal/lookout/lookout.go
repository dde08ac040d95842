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
// People are called beside the reading: a call that hangs holds up nothing.
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
	"path/filepath"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/follow"
	"forewarn/internal/ledger"
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
	ReadSoFar(cvd.SourceID, string, []cvd.CaseID) ([]coordinator.ReadTo, error)
	Leave(cvd.SourceID, string, []byte, []cvd.CaseID, coordinator.Left) error
	NextCall() time.Time
	TriedNotices(context.Context, entrylog.Seq) ([]coordinator.Letter, entrylog.Seq)
}

// Watch is one watch.
type Watch struct {
	Source  cvd.SourceID
	By      cvd.Actor
	Cases   []cvd.CaseID // empty: all that something can leak of, as they are when something is seen
	Paths   []string
	Scanner *sighting.Scanner
	Of      func(sighting.What) []cvd.CaseID // which cases a sighting can be of; nil, or none: any

	Look Looker
	// Append lets the desk write once or a few times, after whoever writes now.
	Append func(context.Context, func(*coordinator.Desk) error) error
	Notify coordinator.Notifier // nil: nobody is called from here

	Note func(format string, args ...any)          // what went wrong, and what is done about it
	Tell func(format string, args ...any)          // what is followed, and from where; nil: nobody is told
	Said func(path string, r coordinator.Recorded) // what was recorded

	// Renew, if not nil, is asked at the start and every minute for what is looked for
	// now, and sets Scanner and Of if that isn't what it was. What it can't do is told,
	// and tried again.
	Renew func(context.Context) error

	Clock func() time.Time
	// Repeats is how long repeats of what is known wait for one another; 0: a minute.
	Repeats time.Duration

	yearless bool        // nothing is declared of when what is followed was written
	hands    chan handed // of the letters that are being handed on; nil: none
	rest     time.Time   // until then nobody is called, after a failure

	// Each process that calls hands every notice on by its own ways, whoever else did: a
	// mail server that took one is no reason for the pager not to ring.
	began entrylog.Seq            // what was queued before is the others'
	own   map[cvd.NoticeID]*tries // of notices by these ways; nil: not looked yet
}

// tries is what became of a notice by one watch's ways.
type tries struct {
	n     int
	done  bool
	again time.Time // not before
}

// handed is what became of a letter.
type handed struct {
	coordinator.Letter
	err error
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
	quoted  map[string]uint64 // where the last excerpt of each text began
	reach   uint64            // the end of what waits
	left    coordinator.Left  // the files that it read through
	bad     string            // the last error, told once
	told    bool              // that it isn't there yet
}

// Run keeps watch until the context ends, or something can't be mended by waiting.
func (w *Watch) Run(ctx context.Context) error {
	if w.Scanner != nil {
		w.yearless = !w.Scanner.Clock.Within.Known()
	}
	logs, err := w.open()
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range logs {
			l.Close()
		}
		for w.hands != nil {
			if _, more := <-w.hands; !more {
				w.hands = nil
			}
		}
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var looked, renewed time.Time
	for {
		if w.Renew != nil && w.Clock().Sub(renewed) >= time.Minute {
			renewed = w.Clock()
			if err := w.Renew(ctx); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				w.Note("what is looked for may be out of date: %v; tried again", err)
			}
		}
		for _, l := range logs {
			if err := w.turn(ctx, l); err != nil {
				return err
			}
		}
		// Others write too, and what they write may call somebody.
		if w.Notify != nil && (w.hands != nil || w.Clock().Sub(looked) >= 5*pollEvery) {
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

// cases are those that it records for, as they are now.
func (w *Watch) cases(d interface {
	WatchedCases(cvd.Actor) ([]cvd.CaseID, error)
}) ([]cvd.CaseID, error) {
	if len(w.Cases) > 0 {
		return w.Cases, nil
	}
	return d.WatchedCases(w.By)
}

func (w *Watch) open() (logs []*log, err error) {
	cases, err := w.cases(w.Look)
	if err != nil {
		return nil, err
	}
	for _, path := range w.Paths {
		marks, err := w.marks(path, cases)
		if err != nil {
			return nil, err
		}
		again := len(marks) < len(cases) // a case of which nothing was seen yet
		l := &log{File: follow.Open(path, marks, again), known: map[string]bool{}, quoted: map[string]uint64{}, left: coordinator.Left{}}
		l.Note = func(what string) { w.Note("%s: %s", path, what) }
		logs = append(logs, l)
	}
	return logs, nil
}

// marks is where the log says that reading of a path goes on.
func (w *Watch) marks(path string, cases []cvd.CaseID) (out []follow.Mark, err error) {
	read, err := w.Look.ReadSoFar(w.Source, path, cases)
	for _, r := range read {
		out = append(out, follow.Mark{Generation: r.Generation, Head: r.Head, HeadHash: r.HeadHash, Offset: r.Offset})
	}
	return out, err
}

// begin begins a path, as soon as it is there, and tells so: a name that is
// mistyped would be waited for without end.
func (w *Watch) begin(l *log) (there bool, err error) {
	at, there, err := l.Begin()
	switch {
	case err != nil || !there && l.told:
	case !there:
		l.told = true
		w.tell("%s is not there yet; waiting for it", l.Path)
	case at.Name != l.Path:
		w.tell("following %s from byte %d of %s", l.Path, at.Offset, filepath.Base(at.Name))
	default:
		w.tell("following %s from byte %d", l.Path, at.Offset)
	}
	return there, err
}

func (w *Watch) tell(format string, args ...any) {
	if w.Tell != nil {
		w.Tell(format, args...)
	}
}

// turn reads what was written to one file, and records what of it is due.
func (w *Watch) turn(ctx context.Context, l *log) error {
	for read := 0; read < maxTurn && ctx.Err() == nil; {
		var p follow.Piece
		there, err := l.Generation() > 0, error(nil)
		if !there {
			there, err = w.begin(l)
		}
		if there {
			p, err = l.Next()
		}
		if now := l.Generation(); now != l.end.Generation {
			if err := w.leave(ctx, l, now); err != nil {
				return err
			}
		}
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
		if len(l.waiting) == 0 {
			l.begin = p.Begin
		}
		l.end = p.Mark
		if err := w.scan(ctx, l, p); err != nil {
			return err
		}
		if len(l.waiting) >= maxWaiting {
			if err := w.record(ctx, l, l.end.Offset); err != nil {
				return err
			}
		}
	}
	if n := len(l.waiting); n > 0 && (l.urgent || w.Clock().Sub(l.since) >= cmp.Or(w.Repeats, time.Minute)) {
		return w.record(ctx, l, l.end.Offset)
	}
	return nil
}

// leave is done when another file of the name is read: a batch is of one file.
func (w *Watch) leave(ctx context.Context, l *log, now uint64) error {
	if l.end.Generation > 0 {
		if err := w.record(ctx, l, l.end.Offset); err != nil {
			return err
		}
		cases, err := w.cases(w.Look)
		if err == nil {
			err = w.Look.Leave(w.Source, l.Path, l.Head(l.end), cases, l.left)
		}
		if err != nil {
			return err
		}
	}
	clear(l.quoted)
	l.end = follow.Mark{Generation: now}
	return nil
}

// YearOf is when what is read now may have been written, where it doesn't say the
// year itself: within the year before, and a day after for clocks that are wrong.
// It is short of a year, so that each date falls into it once.
func YearOf(now time.Time) sighting.Interval {
	now = now.UTC().Truncate(time.Second)
	return sighting.Interval{From: now.AddDate(0, 0, -364), To: now.AddDate(0, 0, 1)}
}

// scan looks through a piece. What ends in its context was seen before.
func (w *Watch) scan(ctx context.Context, l *log, p follow.Piece) error {
	w.Scanner.AsItIs = true // somebody may have chosen what a piece begins with
	if w.yearless {
		w.Scanner.Clock.Within = YearOf(w.Clock())
	}
	before := int64(len(p.Context))
	lines := int64(bytes.Count(p.Context, []byte("\n")))
	sum, err := w.Scanner.Scan(l.Path, io.MultiReader(bytes.NewReader(p.Context), bytes.NewReader(p.Data)), func(s sighting.Sighting) error {
		if s.Offset+int64(s.Len) <= before {
			return nil
		}
		x := coordinator.SpotOf(s)
		if w.Of != nil {
			x.Only = w.Of(s.What)
		}
		// The header of the context may stand further up than just before the piece.
		x.Offset = uint64(max(0, int64(p.Begin)+s.Offset-before))
		x.End = p.Begin + x.End - uint64(before)
		if x.Clue == cvd.Text {
			// One that began in the piece before may have been long enough there.
			if at, had := l.quoted[x.Value]; had && at == x.Offset && s.Offset < before {
				return nil
			}
			l.quoted[x.Value] = x.Offset
		}
		if len(l.waiting) >= maxWaiting && x.Offset >= l.reach {
			if err := w.record(ctx, l, x.Offset); err != nil {
				return err
			}
		}
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
		l.waiting, l.reach = append(l.waiting, x), max(l.reach, x.End)
		return nil
	})
	if p.Begin == 0 && sum.Like != "" {
		// Whoever writes the first line chooses what a file begins like.
		w.Note("%s: it begins like %s, and is searched as it stands; if it is in that, scan it once, without --follow", l.Path, sum.Like)
	}
	return err
}

// record has recorded what waits, which ends at a place. What can't be recorded now
// waits on; what was recorded by somebody else isn't again.
func (w *Watch) record(ctx context.Context, l *log, end uint64) error {
	if len(l.waiting) == 0 {
		return nil
	}
	b := coordinator.Batch{Source: w.Source, Spots: l.waiting, At: &coordinator.Stretch{Path: l.Path, Begin: l.begin, End: end, Left: l.left}}
	for {
		var done []coordinator.Recorded
		err := w.Append(ctx, func(d *coordinator.Desk) (err error) {
			if b.Cases, err = w.cases(d); err != nil {
				return err
			}
			if len(b.Cases) == 0 {
				w.Note("%d sightings of %s are of no case: none with a sealed wave waits for its release. They are not recorded", len(l.waiting), l.Path)
			}
			// Whoever else reads this path may be ahead, and have recorded more of its
			// beginning: so it is looked at now, while nobody else can write.
			b.At.Head = l.Head(l.end)
			done, err = d.Record(ctx, w.By, b)
			return err
		})
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, cvd.ErrDenied) || errors.Is(err, cvd.ErrRefused) || errors.Is(err, coordinator.ErrUnknown) ||
			errors.Is(err, ledger.ErrDead) || errors.Is(err, ledger.ErrClosed):
			// A log that is dead or closed doesn't come back by waiting.
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
		l.begin, l.waiting, l.urgent, l.reach = end, nil, false, 0
		return nil
	}
}

// calls calls whoever is due. A notice is handed on beside the watch, which reads
// on meanwhile: only what became of it is written here.
func (w *Watch) calls(ctx context.Context) error {
	if err := w.Look.Refresh(ctx); err != nil || w.Clock().Before(w.rest) {
		return err
	}
	err := w.settle(ctx)
	if err == nil && w.hands == nil {
		err = w.queue(ctx)
	}
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, cvd.ErrDenied) || errors.Is(err, ledger.ErrDead) || errors.Is(err, ledger.ErrClosed):
		return err
	}
	w.Note("calling: %v; tried again", err)
	w.rest = w.Clock().Add(time.Second)
	return nil
}

// settle writes what became of letters, as far as that is known.
func (w *Watch) settle(ctx context.Context) error {
	for w.hands != nil {
		select {
		case h, more := <-w.hands:
			if !more {
				w.hands = nil
				continue
			}
			t := w.own[h.ID]
			if t == nil {
				t = new(tries)
				w.own[h.ID] = t
			}
			t.n, t.done, t.again = t.n+1, h.err == nil, w.Clock().Add(cvd.RetryAfter)
			if h.err != nil {
				w.Note("%v", coordinator.CallError(h.Letter, h.err))
			}
			if err := w.Append(ctx, func(d *coordinator.Desk) error { return d.SettleNotice(ctx, w.By, h.ID, h.err != nil) }); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// queue queues what is due and begins to hand it on, and what others handed on
// meanwhile.
func (w *Watch) queue(ctx context.Context) error {
	tried, next := w.Look.TriedNotices(ctx, w.began)
	if w.own == nil {
		w.began, w.own, tried = next, map[cvd.NoticeID]*tries{}, nil
	}
	var out []coordinator.Letter
	if at := w.Look.NextCall(); !at.IsZero() && !at.After(w.Clock()) {
		if err := w.Append(ctx, func(d *coordinator.Desk) (err error) {
			out, _, err = d.QueueNotices(ctx, w.By)
			return err
		}); err != nil {
			return err
		}
	}
	for _, l := range tried {
		t := w.own[l.ID]
		if t != nil && (t.done || t.n >= cvd.MaxTries || w.Clock().Before(t.again)) {
			continue
		}
		if !slices.ContainsFunc(out, func(x coordinator.Letter) bool { return x.ID == l.ID }) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return nil
	}
	w.hands = make(chan handed, len(out))
	go func(hands chan<- handed) {
		defer close(hands)
		for _, l := range out {
			if ctx.Err() != nil {
				return
			}
			hand, cancel := context.WithTimeout(ctx, patience)
			err := w.Notify.Notify(hand, l.To, l.Notice)
			cancel()
			if ctx.Err() == nil {
				hands <- handed{l, err}
			}
		}
	}(w.hands)
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
