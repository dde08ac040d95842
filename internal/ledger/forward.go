package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"forewarn/internal/entrylog"
)

// Writer is the one writer of a log, as a reader in another process asks it. The
// reader decides by what it has read, and offers the records; the writer takes them
// if nothing came between, or doesn't. It trusts the reader as itself: who asks has
// the log's blinding key, and may write what it likes.
type Writer interface {
	// Where is where the log stands. With hold nothing else is appended or anchored
	// until the offer under that hold is made, or a few seconds are over. Errors:
	// ErrUnreached, ErrClock, ErrDead, ErrClosed.
	Where(ctx context.Context, hold bool) (Standing, error)

	// Take keeps recs as entries at, at+1, …: all or none, in order, durable when
	// it returns nil. They have one time, at which they were decided: under a hold, 0
	// is none, which ends by this, also by no recs. With ErrConflict something was
	// appended or anchored since then; it may have been this very offer, made before.
	// With ErrUncertain it may be kept, and may yet be; the same offer may be made
	// again, and is kept once at the most, because it names its place. ErrDead is as
	// AppendIf has it. With every other error it was not kept and won't be, however
	// often it was offered.
	Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under Hold) error

	// Tick makes the anchors that are due: see Log.Tick.
	Tick(ctx context.Context) error
}

// Standing is where a log is.
type Standing struct {
	Size entrylog.Seq // its entries
	Now  time.Time    // that an entry would have: see AppendIf
	Hold Hold         // 0: nobody is held up
}

// Hold names a hold. The time can't: others may decide at the same.
type Hold uint64

// Through has a reader append through the log's writer from now on. Call it before
// anything else is done with the log.
func (l *Log) Through(w Writer) { l.through = w }

// holdMost is how long a reader may hold up everybody else.
const holdMost = 3 * time.Second

// held is the writer's lock in the hands of a reader.
type held struct {
	name  Hold
	timer *time.Timer
}

// Where serves Writer.
func (l *Log) Where(ctx context.Context, hold bool) (s Standing, err error) {
	if hold {
		select {
		case l.lead <- struct{}{}:
		case <-ctx.Done():
			return s, ctx.Err()
		}
		defer func() {
			if err != nil {
				<-l.lead
				return
			}
			s.Hold = l.hold()
		}()
	}
	if err := l.stopped(); err != nil {
		return s, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opt.now()
	if err := l.fold.checkClock(now); err != nil {
		return s, err
	}
	return Standing{Size: l.fold.trees.Entries(), Now: later(now, l.fold.earliest())}, nil
}

// hold gives the writer's lock, which the caller has, to a reader for a while.
func (l *Log) hold() Hold {
	h := &held{name: Hold(rand.Uint64() | 1)}
	l.holding.Lock()
	defer l.holding.Unlock()
	l.held = h
	h.timer = time.AfterFunc(holdMost, func() {
		if l.release(h.name) {
			<-l.lead
		}
	})
	return h.name
}

// release ends a hold if it is the one that is meant. The lock is the caller's then.
func (l *Log) release(meant Hold) bool {
	l.holding.Lock()
	defer l.holding.Unlock()
	if l.held == nil || l.held.name != meant {
		return false
	}
	l.held.timer.Stop()
	l.held = nil
	return true
}

// Take serves Writer. fits is asked under the writer's lock, as AppendIf asks a
// decision, whether the caller's state can take the entries; its error is
// returned.
func (l *Log) Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under Hold, fits func([]entrylog.Entry) error) error {
	if l.epoch == 0 {
		return ErrReadOnly
	}
	do := func(p slot) ([]Sealed, []entrylog.Record, error) {
		if p.seq != at {
			return nil, nil, fmt.Errorf("%w: it has %d entries, not %d", ErrConflict, p.seq, at)
		}
		sealed, err := l.parse(at, recs)
		if err != nil || len(sealed) == 0 {
			return nil, nil, err
		}
		// An entry has the time that it was decided for: what was open or due then is
		// so by the entry too.
		if t := sealed[0].Entry.Time; t.Before(p.from) || t.After(p.now) {
			return nil, nil, fmt.Errorf("%w: it was decided for %s, and an entry may have from %s to %s", ErrConflict,
				t.Format(time.RFC3339Nano), p.from.Format(time.RFC3339Nano), p.now.Format(time.RFC3339Nano))
		}
		entries := make([]entrylog.Entry, len(sealed))
		for i, s := range sealed {
			entries[i] = s.Entry
		}
		return sealed, recs, fits(entries)
	}
	if l.release(under) {
		r := &request{make: do, done: make(chan struct{})}
		l.queue.first(r)
		l.serve(ctx, r)
		return r.err
	}
	_, err := l.submit(ctx, do)
	return err
}

// parse reads records as entries at, at+1, … of this log.
func (l *Log) parse(at entrylog.Seq, recs []entrylog.Record) ([]Sealed, error) {
	out := make([]Sealed, len(recs))
	for i, r := range recs {
		seq := at + entrylog.Seq(i)
		e, err := entrylog.ParseEntry(r.Entry)
		if err == nil {
			err = l.accepts(e)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: entry %d: %w", ErrOffer, seq, err)
		case !r.Intact(l.fold.saltKey, seq):
			return nil, fmt.Errorf("%w: entry %d: its salt is not of this log and place", ErrOffer, seq)
		case !e.Time.Equal(out[0].Entry.Time) && i > 0:
			return nil, fmt.Errorf("%w: entry %d: it has another time than the first", ErrOffer, seq)
		}
		out[i] = Sealed{Seq: seq, Entry: e, Salt: r.Salt}
	}
	return out, nil
}

const (
	// conflicts is how often others may be first before a reader holds them up, and
	// attempts before it gives up.
	conflicts, attempts = 3, 20
	// unsure is how long a reader asks what became of its offer, and between is how
	// long it waits before it asks again.
	unsure  = 60 * time.Second
	between = 20 * time.Millisecond
)

// forward is AppendIf of a reader.
func (l *Log) forward(ctx context.Context, decide func(time.Time) ([]Draft, error)) ([]Sealed, error) {
	if l.through == nil {
		return nil, ErrReadOnly
	}
	select {
	case l.lead <- struct{}{}: // one at a time
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-l.lead }()
	for try := range attempts {
		if err := l.stopped(); err != nil {
			return nil, err
		}
		at, err := l.through.Where(ctx, try >= conflicts)
		if err != nil {
			return nil, theirs(err)
		}
		var sealed []Sealed
		var recs []entrylog.Record
		if err = l.Refresh(ctx); err == nil {
			sealed, recs, err = l.propose(at.Now, decide)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || len(recs) == 0 {
			l.giveBack(ctx, at)
			return nil, err
		}
		// From here on it may be kept: whoever asked is told what became of it.
		kept, err := l.offer(context.WithoutCancel(ctx), sealed, recs, at.Hold)
		if kept || err != nil {
			return sealed, err
		}
	}
	return nil, fmt.Errorf("%w: others appended each time before this could", ErrConflict)
}

// giveBack ends a hold under which nothing is offered, so that nobody waits for it to
// lapse. Where that fails, it lapses.
func (l *Log) giveBack(ctx context.Context, at Standing) {
	if at.Hold == 0 {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), holdMost)
	defer done()
	_ = l.through.Take(ctx, at.Size, nil, at.Hold)
}

// propose decides, and makes the records. A decision may change the state for a
// while, as one of several steps does that takes them back: nobody looks meanwhile.
func (l *Log) propose(now time.Time, decide func(time.Time) ([]Draft, error)) ([]Sealed, []entrylog.Record, error) {
	l.state.Lock()
	defer l.state.Unlock()
	l.mu.Lock()
	at, now := l.fold.trees.Entries(), later(now, l.fold.earliest())
	l.mu.Unlock()
	drafts, err := decide(now)
	if err != nil {
		return nil, nil, err
	}
	return l.write(at, now, drafts)
}

// offer has records taken. kept is false when others were first.
func (l *Log) offer(ctx context.Context, sealed []Sealed, recs []entrylog.Record, under Hold) (kept bool, err error) {
	at := sealed[0].Seq
	asking, done := context.WithTimeout(ctx, unsure)
	defer done()
	for open := false; ; {
		err = l.through.Take(asking, at, recs, under)
		// One that was not answered may still wait there, until its slot has passed.
		if open && errors.Is(err, ErrConflict) && !l.passed(ctx, sealed[0]) {
			err = fmt.Errorf("%w: %s", ErrUncertain, err)
		}
		if open = open || errors.Is(err, ErrUncertain); !errors.Is(err, ErrUncertain) || !pause(asking, between) {
			break
		}
	}
	lost := errors.Is(err, ErrUncertain) || errors.Is(err, ErrDead)
	if err != nil && !lost && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnreached) {
		return false, err
	}
	// An answer may have been lost: what counts is what the log says.
	if e := l.Refresh(ctx); e != nil {
		return false, errors.Join(err, e)
	}
	kept, e := l.holds(ctx, at, recs)
	switch {
	case e != nil:
		return false, errors.Join(err, e)
	case kept && errors.Is(err, ErrDead):
		return false, fmt.Errorf("%w: entry %d is there now, and its writer could not make sure that it stays: %s", ErrUncertain, at, err)
	case kept:
		return true, nil
	case err == nil:
		return false, fmt.Errorf("%w: entry %d was acknowledged by its writer and isn't there", ErrDamaged, at)
	case errors.Is(err, ErrConflict), lost && l.Size() > at: // its place is another's
		return false, nil
	}
	return false, theirs(err)
}

// passed reports whether no entry of that place and time can be appended any more.
func (l *Log) passed(ctx context.Context, s Sealed) bool {
	if l.Refresh(ctx) != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fold.trees.Entries() > s.Seq || s.Entry.Time.Before(l.fold.earliest())
}

// theirs is an error of the writer, for a reader whose own log is well: where the
// writer's is dead, there is none.
func theirs(err error) error {
	if errors.Is(err, ErrDead) {
		return fmt.Errorf("%w: it answers that %s. Nothing was kept", ErrUnreached, err)
	}
	return err
}

// pause waits, and reports false when the context ended instead.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// holds reports whether the store has these very records in that place. Salts are
// random: nobody else's are the same.
func (l *Log) holds(ctx context.Context, at entrylog.Seq, recs []entrylog.Record) (bool, error) {
	n, other := 0, errors.New("other")
	err := l.store.Read(ctx, at, func(_ entrylog.Seq, r entrylog.Record) error {
		if n == len(recs) || r.Salt != recs[n].Salt || !bytes.Equal(r.Entry, recs[n].Entry) {
			return other
		}
		n++
		return nil
	})
	if err == other {
		err = nil
	}
	return n == len(recs), err
}

// forwardTick is Tick of a reader.
func (l *Log) forwardTick(ctx context.Context) error {
	if l.through == nil {
		return ErrReadOnly
	}
	if err := l.through.Tick(ctx); err != nil {
		return theirs(err)
	}
	return l.Refresh(ctx)
}
