package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"forewarn/internal/entrylog"
)

// Log is an open log. Its methods may be called concurrently.
type Log struct {
	hands
	each func(entrylog.Seq, entrylog.Entry) error

	// lead is the writer's lock: whoever puts a token in decides and appends,
	// for all who are queued.
	lead   chan struct{}
	queue  queue
	state  sync.RWMutex // held from the first apply of a batch until it is durable
	stop   atomic.Pointer[stopped]
	nextUS atomic.Int64 // the next tick's instant, µs; for a cheap look

	found time.Time // it was last written to, before it was opened

	through Writer // who appends for a reader; nil: nobody
	holding sync.Mutex
	held    *held // by a reader; nil: nobody

	mu   sync.Mutex // guards fold and kept
	fold *fold
	kept kept

	ticking sync.Mutex // one tick at a time

	public sync.Map // entrylog.Seq → entrylog.Record: public entries that were proved; nobody may change one
}

// hands are what a log works with.
type hands struct {
	store   Store
	pub     Publisher
	outside Outside
	opt     Options
	epoch   uint64 // 0 when reading only
}

// kept is how far checkpoints have come, in anchors; −1 is not at all.
type kept struct {
	head, outside, published int64
	checkpoint               []byte // the last one, signed; in the store and outside
	cp                       entrylog.Checkpoint
}

// stopped is why a log takes no more.
type stopped struct{ err error }

// Open acquires the log, folds its entries into the caller's state by replay,
// checks that it contains everything that was ever signed, makes the anchors
// that are due, and brings head, outside checkpoint and published folder up to
// them. replay is called for every entry in order, now and for each new
// entry before the next decision; its error stops the log. A new, empty store
// becomes a new log.
//
// The caller closes what it opened: the Log first, then the Store. After an
// error nothing was changed but the store's epoch and, perhaps, anchors brought
// up; Open can be tried again. Errors: ErrLocked, ErrDamaged, ErrFork,
// ErrUnknownKind, ErrClock, and those of the stores.
func Open(ctx context.Context, store Store, pub Publisher, outside Outside, opt Options,
	replay func(entrylog.Seq, entrylog.Entry) error) (*Log, error) {
	opt, err := opt.check(true)
	if err != nil {
		return nil, err
	}
	epoch, err := store.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	l, err := newLog(store, pub, outside, opt, replay)
	if err != nil {
		return nil, err
	}
	l.epoch = epoch
	if err := l.fold.replay(ctx, store, replay); err != nil {
		return nil, err
	}
	found, err := findSigned(ctx, l.fold, store, pub, outside)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		if err := l.fold.matches(s); err != nil {
			return nil, err
		}
	}
	l.resume(found)
	l.found = later(l.fold.trees.Last(), l.fold.anchored())
	if err := l.Tick(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func newLog(store Store, pub Publisher, outside Outside, opt Options,
	replay func(entrylog.Seq, entrylog.Entry) error) (*Log, error) {
	f, err := newFold(opt)
	if err != nil {
		return nil, err
	}
	return &Log{hands: hands{store: store, pub: pub, outside: outside, opt: opt}, each: replay, fold: f,
		lead: make(chan struct{}, 1), kept: kept{head: -1, outside: -1, published: -1}}, nil
}

// resume takes over how far the places have come, and the furthest signature.
func (l *Log) resume(found []signed) {
	sizes := map[place]*int64{inHead: &l.kept.head, inOutside: &l.kept.outside, inPublished: &l.kept.published}
	for _, s := range found {
		if !l.fold.stands(s) {
			continue
		}
		*sizes[s.place] = int64(s.cp.Size)
		if l.kept.checkpoint == nil || s.cp.Size > l.kept.cp.Size {
			l.kept.checkpoint, l.kept.cp = s.signed, s.cp
		}
	}
}

// OpenReader opens the log beside its writer, which may be another process: it
// replays and checks the entries and the head, acquires nothing and changes
// nothing. Refresh takes in what is new. Appending and ticking are refused, unless
// Through says who does it.
func OpenReader(ctx context.Context, store Store, opt Options,
	replay func(entrylog.Seq, entrylog.Entry) error) (*Log, error) {
	opt, err := opt.check(false)
	if err != nil {
		return nil, err
	}
	l, err := newLog(store, nil, nil, opt, replay)
	if err != nil {
		return nil, err
	}
	return l, l.Refresh(ctx)
}

// Refresh brings a reader up to date. A writer is always.
func (l *Log) Refresh(ctx context.Context) error {
	if l.epoch != 0 {
		return nil
	}
	l.ticking.Lock()
	defer l.ticking.Unlock()
	// The head first: the entries read after it are at least those it signs.
	head, err := l.store.Head(ctx)
	if err != nil {
		return err
	}
	l.state.Lock()
	defer l.state.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fold.replay(ctx, l.store, l.each); err != nil {
		return err
	}
	s := l.fold.parse(inHead, head)
	if err := l.fold.matches(s); err != nil {
		return err
	}
	if l.fold.stands(s) {
		l.kept.checkpoint, l.kept.cp = head, s.cp
	}
	l.fold.trees.Forget()
	l.setNext()
	return nil
}

// View runs f while the caller's state holds durable entries and no others. f
// must not append. It returns the reason, and does not run f, when the log has
// stopped: then the state may hold what was never kept.
func (l *Log) View(f func()) error {
	l.state.RLock()
	defer l.state.RUnlock()
	if err := l.stopped(); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	f()
	return nil
}

// Close ends the writer, after the append that is under way. It does not close
// the store.
func (l *Log) Close() error {
	l.lead <- struct{}{}
	l.halt(ErrClosed)
	l.queue.finishAll(ErrClosed)
	<-l.lead
	return nil
}

func (l *Log) stopped() error {
	if s := l.stop.Load(); s != nil {
		return s.err
	}
	return nil
}

// halt stops the log for good; the first reason stays.
func (l *Log) halt(err error) error {
	if !errors.Is(err, ErrClosed) {
		err = fmt.Errorf("%w: %w", ErrDead, err)
	}
	l.stop.CompareAndSwap(nil, &stopped{err})
	return l.stop.Load().err
}

// Size is the number of durable entries.
func (l *Log) Size() entrylog.Seq {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fold.trees.Entries()
}

// Last is the time of the last durable entry, zero when there is none.
func (l *Log) Last() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fold.trees.Last()
}

// Entry reads one entry from the store.
func (l *Log) Entry(ctx context.Context, seq entrylog.Seq) (entrylog.Entry, entrylog.Record, error) {
	var out entrylog.Record
	found := errors.New("found")
	err := l.store.Read(ctx, seq, func(_ entrylog.Seq, r entrylog.Record) error {
		out = entrylog.Record{Salt: r.Salt, Entry: append([]byte(nil), r.Entry...)}
		return found
	})
	switch {
	case err == nil:
		return entrylog.Entry{}, out, fmt.Errorf("%w: number %d", ErrNoEntry, seq)
	case err != found:
		return entrylog.Entry{}, out, err
	case !out.Intact(l.fold.saltKey, seq):
		return entrylog.Entry{}, out, fmt.Errorf("%w: entry %d: its bytes or its salt are not what was written", ErrDamaged, seq)
	}
	e, err := entrylog.ParseEntry(out.Entry)
	if err != nil {
		err = fmt.Errorf("%w: entry %d: %w", ErrDamaged, seq, err)
	}
	return e, out, err
}
