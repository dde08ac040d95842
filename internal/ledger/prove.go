package ledger

import (
	"context"
	"fmt"
	"time"

	"forewarn/internal/entrylog"
)

// NotAnchoredError says when an entry can be proved. It is ErrNotAnchored.
type NotAnchoredError struct {
	Seq   entrylog.Seq
	DueAt time.Time // the instant of the entry's tick
}

func (e *NotAnchoredError) Error() string {
	return fmt.Sprintf("entry %d is not anchored yet; it will be at %s", e.Seq, e.DueAt.Format(time.RFC3339))
}

// Is makes it ErrNotAnchored.
func (e *NotAnchoredError) Is(target error) bool { return target == ErrNotAnchored }

// Checkpoint returns the last signed checkpoint that is kept in the store and
// outside, nil when there is none yet.
func (l *Log) Checkpoint() (signed []byte, cp entrylog.Checkpoint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]byte(nil), l.kept.checkpoint...), l.kept.cp
}

// CheckpointAt is the anchor log's state when it had size anchors: at most those
// of the last checkpoint. ErrNotAnchored otherwise.
func (l *Log) CheckpointAt(size uint64) (entrylog.Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept.checkpoint == nil || size > l.kept.cp.Size {
		return entrylog.Checkpoint{}, fmt.Errorf("%w: %d anchors; the last checkpoint signs %d", ErrNotAnchored, size, l.kept.cp.Size)
	}
	return l.fold.trees.Checkpoint(l.kept.cp.Origin, size)
}

// Anchors is how many anchors the last checkpoint signs.
func (l *Log) Anchors() uint64 {
	_, cp := l.Checkpoint()
	return cp.Size
}

// Prove opens a public entry to whoever may read it, with a proof against the
// last checkpoint. Errors: ErrNoEntry, ErrNotPublic, ErrNotAnchored.
func (l *Log) Prove(ctx context.Context, seq entrylog.Seq) (entrylog.EntryProof, error) {
	p, err := l.provePublic(seq)
	if err != nil {
		return entrylog.EntryProof{}, err
	}
	// A wave's statement is asked for by all who get a copy of it, at once.
	if r, ok := l.public.Load(seq); ok {
		p.Record = r.(entrylog.Record)
		return p, nil
	}
	if _, p.Record, err = l.Entry(ctx, seq); err == nil {
		l.public.Store(seq, p.Record)
	}
	return p, err
}

func (l *Log) provePublic(seq entrylog.Seq) (p entrylog.EntryProof, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tick, err := l.anchoredTick(seq)
	if err != nil {
		return p, err
	}
	board, _, ok := l.fold.trees.ProvePublic(seq)
	if !ok {
		return p, fmt.Errorf("%w: entry %d", ErrNotPublic, seq)
	}
	p.Board = board
	p.AnchorProof, err = l.proveAnchor(tick)
	return p, err
}

// anchoredTick is the tick that covers entry seq, once it is signed. The caller
// has mu.
func (l *Log) anchoredTick(seq entrylog.Seq) (entrylog.Tick, error) {
	tick, ok := l.fold.trees.TickOfEntry(seq)
	if !ok {
		return 0, fmt.Errorf("%w: number %d; it has %d", ErrNoEntry, seq, l.fold.trees.Entries())
	}
	if !l.signed(tick) {
		return 0, &NotAnchoredError{Seq: seq, DueAt: tick.Instant(l.opt.Interval)}
	}
	return tick, nil
}

// signed reports whether the last checkpoint covers the tick. The caller has mu.
func (l *Log) signed(tick entrylog.Tick) bool {
	first := l.fold.trees.First()
	return l.kept.checkpoint != nil && tick >= first && uint64(tick-first) < l.kept.cp.Size
}

func (l *Log) proveAnchor(tick entrylog.Tick) (entrylog.AnchorProof, error) {
	p, err := l.fold.trees.ProveAnchor(uint64(tick-l.fold.trees.First()), l.kept.cp.Size)
	p.Checkpoint = append([]byte(nil), l.kept.checkpoint...)
	return p, err
}

// ProveAnchor proves the anchor of a tick. ErrNotAnchored when there is none.
func (l *Log) ProveAnchor(tick entrylog.Tick) (entrylog.AnchorProof, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.signed(tick) {
		return entrylog.AnchorProof{}, fmt.Errorf("%w: tick %d", ErrNotAnchored, tick)
	}
	return l.proveAnchor(tick)
}

// ProveInner opens any entry to an auditor, as the log was at a tick; tick 0 is
// the one that covers the entry. It shows how many entries the log had: not
// for members. Errors: ErrNoEntry, ErrNotAnchored.
func (l *Log) ProveInner(ctx context.Context, seq entrylog.Seq, tick entrylog.Tick) (entrylog.InnerProof, error) {
	p, err := l.proveInner(seq, tick)
	if err != nil {
		return entrylog.InnerProof{}, err
	}
	_, p.Record, err = l.Entry(ctx, seq)
	return p, err
}

func (l *Log) proveInner(seq entrylog.Seq, tick entrylog.Tick) (p entrylog.InnerProof, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	least, err := l.anchoredTick(seq)
	if err != nil {
		return p, err
	}
	if tick < least {
		tick = least
	}
	if !l.signed(tick) {
		return p, &NotAnchoredError{Seq: seq, DueAt: tick.Instant(l.opt.Interval)}
	}
	p.Seq = seq
	if p.Opening, p.Path, err = l.fold.trees.ProveInner(seq, tick); err != nil {
		return p, err
	}
	p.AnchorProof, err = l.proveAnchor(tick)
	return p, err
}

// Consistency is the proof that the anchor log of one size is a beginning of that of
// another, at most the last checkpoint's. ErrNotAnchored otherwise.
func (l *Log) Consistency(from, to uint64) ([]entrylog.Hash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept.checkpoint == nil || from < 1 || from > to || to > l.kept.cp.Size {
		return nil, fmt.Errorf("%w: sizes %d and %d; the last checkpoint signs %d", ErrNotAnchored, from, to, l.kept.cp.Size)
	}
	return l.fold.trees.Consistency(from, to)
}
