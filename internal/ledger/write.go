package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// Draft is an entry to be: all but its time and number.
type Draft struct {
	Kind    entrylog.Kind
	Actor   entrylog.Ref
	Auth    entrylog.Auth
	Subject entrylog.Ref
	Body    wire.Layout // nil is an empty body
}

// Sealed is a durable entry.
type Sealed struct {
	Seq   entrylog.Seq
	Entry entrylog.Entry
	Salt  [32]byte
}

// ErrBoardFull: the tick has no room for another public entry. Nothing was kept;
// try again after the next tick.
var ErrBoardFull = errors.New("this tick's board is full")

// A batch ends when it has this many entries or bytes; the rest is the next
// batch. Much larger ones save no syncs and make the last caller wait.
const (
	batchEntries = 1024
	batchBytes   = 8 << 20
)

// request is one caller's wish. make gives what it comes to, in the slot that it
// gets: records and the entries in them, all of one time.
type request struct {
	make   func(slot) ([]Sealed, []entrylog.Record, error)
	done   chan struct{} // closed when sealed and err are final
	sealed []Sealed
	err    error
}

// slot is where and when entries may be appended.
type slot struct {
	seq  entrylog.Seq
	from time.Time // not before the last entry, and after the last anchor
	now  time.Time // the clock's time, or from when that is later
}

// queue holds requests that no leader has taken yet.
type queue struct {
	mu   sync.Mutex
	list []*request
}

func (q *queue) push(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, r)
}

// first puts a request before all others.
func (q *queue) first(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append([]*request{r}, q.list...)
}

// pop takes the oldest request, nil when there is none.
func (q *queue) pop() *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return nil
	}
	r := q.list[0]
	q.list[0] = nil
	q.list = q.list[1:]
	return r
}

// withdraw removes r, and reports false when a leader has it already.
func (q *queue) withdraw(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, x := range q.list {
		if x == r {
			q.list = append(q.list[:i:i], q.list[i+1:]...)
			return true
		}
	}
	return false
}

func (q *queue) finishAll(err error) {
	for r := q.pop(); r != nil; r = q.pop() {
		r.err = err
		close(r.done)
	}
}

// Append makes the drafts entries, all or none. See AppendIf.
func (l *Log) Append(ctx context.Context, drafts []Draft) ([]Sealed, error) {
	return l.AppendIf(ctx, func(time.Time) ([]Draft, error) { return drafts, nil })
}

// AppendIf runs decide under the writer's lock, when the caller's state holds
// every earlier entry, and makes the drafts that it returns entries, all or
// none. now is the time that the entries will have: not before the last entry,
// and after the last anchor. They are durable when it returns. Callers at the
// same moment share one transaction; a caller alone waits for nobody.
//
// decide may run on another goroutine, must not block or call the log, and
// must leave the state alone: replay, given to Open, changes it. Its error, and
// a body too large, is returned to this caller and nothing is kept; no drafts
// are no entries, and then it returns when what decide saw is durable. A
// context that ends while the request is queued withdraws it; later it has no
// say.
//
// A reader that was told through whom it writes (see Through) has the log's
// writer append what it decided; without that it returns ErrReadOnly.
//
// After an error of the store the writer is dead: this and every later call
// return ErrDead, and whether the entries were kept is told by opening again.
func (l *Log) AppendIf(ctx context.Context, decide func(now time.Time) ([]Draft, error)) ([]Sealed, error) {
	if l.epoch == 0 {
		return l.forward(ctx, decide)
	}
	return l.submit(ctx, func(at slot) ([]Sealed, []entrylog.Record, error) {
		drafts, err := decide(at.now)
		if err != nil {
			return nil, nil, err
		}
		return l.write(at.seq, at.now, drafts)
	})
}

// submit queues a request and returns when it is served.
func (l *Log) submit(ctx context.Context, do func(slot) ([]Sealed, []entrylog.Record, error)) ([]Sealed, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.opt.now().UnixMicro() >= l.nextUS.Load() && l.ticking.TryLock() {
		// Its error is not this caller's. The desk's own Tick gets it again.
		_ = l.tick(ctx)
		l.ticking.Unlock()
	}
	if err := l.stopped(); err != nil {
		return nil, err
	}
	r := &request{make: do, done: make(chan struct{})}
	l.queue.push(r)
	for {
		select {
		case <-r.done:
			return r.sealed, r.err
		case l.lead <- struct{}{}:
			l.serve(ctx, r)
		case <-ctx.Done():
			if l.queue.withdraw(r) {
				return nil, ctx.Err()
			}
			<-r.done
			return r.sealed, r.err
		}
	}
}

// serve commits one batch, unless r was served while its caller waited for the
// lead. It gives the lead back.
func (l *Log) serve(ctx context.Context, r *request) {
	defer func() { <-l.lead }()
	select {
	case <-r.done:
	default:
		// One caller's context must not end the others' append.
		l.commit(context.WithoutCancel(ctx))
	}
}

// batch is what one append makes durable.
type batch struct {
	at       entrylog.Seq
	requests []*request
	records  []entrylog.Record
	entries  []entrylog.Entry
	bytes    int
	last     time.Time // no entry may be before it
	public   map[entrylog.Tick]int
	finished bool
}

// commit decides, applies and appends what is queued. The caller has the lead.
func (l *Log) commit(ctx context.Context) {
	l.state.Lock()
	defer l.state.Unlock()
	if err := l.stopped(); err != nil {
		l.queue.finishAll(err)
		return
	}
	l.mu.Lock()
	b := &batch{at: l.fold.trees.Entries(), last: l.fold.earliest(), public: map[entrylog.Tick]int{}}
	l.mu.Unlock()

	defer func() {
		if !b.finished { // a panic, of a decision most likely: it goes on, and nothing else does
			l.finish(b, l.halt(errors.New("a decision panicked")))
		}
	}()
	for len(b.records) < batchEntries && b.bytes < batchBytes {
		r := l.queue.pop()
		if r == nil {
			break
		}
		b.requests = append(b.requests, r)
		if err := l.decide(b, r); err != nil {
			l.finish(b, l.halt(err))
			return
		}
	}
	if len(b.records) == 0 {
		l.finish(b, nil)
		return
	}
	if err := l.store.Append(ctx, b.at, l.epoch, b.records); err != nil {
		l.finish(b, l.halt(err))
		return
	}
	l.finish(b, l.keep(b))
}

// decide runs one request's decision and applies its entries. The request's own
// failures are its result; an error is the end of the writer.
func (l *Log) decide(b *batch, r *request) error {
	now := l.opt.now()
	l.mu.Lock()
	r.err = l.fold.checkClock(now)
	l.mu.Unlock()
	if r.err != nil {
		return nil
	}
	seq := b.at + entrylog.Seq(len(b.records))
	sealed, records, err := r.make(slot{seq, b.last, later(now, b.last)})
	if err != nil || len(sealed) == 0 {
		r.err = err
		return nil
	}
	entries := make([]entrylog.Entry, len(sealed))
	for i, s := range sealed {
		entries[i] = s.Entry
	}
	if l.opt.Fits != nil {
		if err := l.opt.Fits(entries); err != nil {
			r.err = fmt.Errorf("entry %d can't be folded, and was not kept: %w", seq, err)
			return nil
		}
	}
	at := sealed[0].Entry.Time
	tick := entrylog.TickOf(at, l.opt.Interval)
	public := b.public[tick]
	for _, s := range sealed {
		if l.opt.Public(s.Entry) {
			public++
		}
	}
	if public > 0 {
		l.mu.Lock()
		full := l.fold.trees.Public(tick)+public > 1<<entrylog.BoardDepth
		l.mu.Unlock()
		if full {
			r.err = fmt.Errorf("%w: it holds %d; nothing was kept, try again after %s", ErrBoardFull,
				1<<entrylog.BoardDepth, tick.Instant(l.opt.Interval).Format(time.RFC3339))
			return nil
		}
		b.public[tick] = public
	}
	for i, s := range sealed {
		if err := l.fold.show(l.each, s.Seq, s.Entry); err != nil {
			return fmt.Errorf("entry %d, not kept: %w", s.Seq, err)
		}
		b.bytes += len(records[i].Entry)
	}
	b.entries = append(b.entries, entries...)
	b.records = append(b.records, records...)
	b.last = at
	r.sealed = sealed
	return nil
}

// write makes the records of drafts, of which the first will be entry seq.
func (l *Log) write(seq entrylog.Seq, at time.Time, drafts []Draft) (sealed []Sealed, records []entrylog.Record, err error) {
	rand := fixedRand(l.opt.Rand, 16*len(drafts))
	sealed, records = make([]Sealed, 0, len(drafts)), make([]entrylog.Record, 0, len(drafts))
	for i, d := range drafts {
		e, err := d.entry(at)
		if err == nil {
			err = l.accepts(e)
		}
		var rec entrylog.Record
		if err == nil {
			rec, err = l.fold.seal(seq+entrylog.Seq(i), e, rand)
		}
		if err != nil {
			return nil, nil, err
		}
		records = append(records, rec)
		sealed = append(sealed, Sealed{Seq: seq + entrylog.Seq(i), Entry: e, Salt: rec.Salt})
	}
	return sealed, records, nil
}

func (d Draft) entry(at time.Time) (entrylog.Entry, error) {
	e := entrylog.Entry{Time: at, Auth: d.Auth, Actor: d.Actor, Kind: d.Kind, Subject: d.Subject}
	if d.Body != nil {
		body, err := wire.Append(nil, d.Body)
		if err != nil {
			return e, fmt.Errorf("body of kind %d: %w", d.Kind, err)
		}
		e.Body = body
	}
	return e, nil
}

// accepts refuses what this program could not read back.
func (l *Log) accepts(e entrylog.Entry) error {
	if e.Kind == KindRecovery || !l.opt.Known(e.Kind) {
		return fmt.Errorf("%w: kind %d cannot be appended", ErrUnknownKind, e.Kind)
	}
	return nil
}

// keep takes a durable batch into the trees.
func (l *Log) keep(b *batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range b.entries {
		if err := l.fold.add(e, b.records[i].Commit()); err != nil {
			// The clamped time and the counted boards forbid it.
			return l.halt(fmt.Errorf("entry %d: %w", b.at+entrylog.Seq(i), err))
		}
	}
	l.setNext()
	return nil
}

// finish tells the callers. With an error everyone gets it: also a refusal
// was decided on entries that may not be there.
func (l *Log) finish(b *batch, err error) {
	b.finished = true
	for _, r := range b.requests {
		if err != nil {
			r.sealed, r.err = nil, err
		}
		close(r.done)
	}
	if err != nil {
		l.queue.finishAll(err)
	}
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// fixedRand reads n bytes at once: one call to the system for all of a request's
// salts.
func fixedRand(r io.Reader, n int) io.Reader {
	buf := make([]byte, n)
	got, err := io.ReadFull(r, buf)
	return &readAhead{buf[:got], err}
}

type readAhead struct {
	buf []byte
	err error
}

func (r *readAhead) Read(p []byte) (int, error) {
	if len(r.buf) == 0 {
		if r.err == nil {
			return 0, io.ErrUnexpectedEOF
		}
		return 0, r.err
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}
