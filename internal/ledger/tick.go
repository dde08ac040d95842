package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"forewarn/internal/entrylog"
)

// Tick makes the anchors that are due, signs one checkpoint over all of
// them, and keeps it: in the store, then outside, then published. It does
// nothing when nothing is due and nothing is left over. After an error what was
// not done stays to be done by the next Tick; appending goes on. The desk
// calls it at NextTick, all the time that it runs: an anchor that is late says
// when the desk was down, and nothing else.
func (l *Log) Tick(ctx context.Context) error {
	if l.epoch == 0 {
		return l.forwardTick(ctx)
	}
	l.ticking.Lock()
	defer l.ticking.Unlock()
	return l.tick(ctx)
}

// NextTick is when the next anchor is due; zero while the log has no entry.
func (l *Log) NextTick() time.Time {
	if us := l.nextUS.Load(); us != math.MaxInt64 {
		return time.UnixMicro(us).UTC()
	}
	return time.Time{}
}

// Found is when the log was last written to before it was opened: the time of its last
// entry or anchor; zero for a new one. What Open anchored then goes up to the clock.
func (l *Log) Found() time.Time { return l.found }

// Anchored is the instant of the last anchor; zero before the first.
func (l *Log) Anchored() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fold.anchored()
}

// setNext notes the next tick's instant. The caller has mu.
func (l *Log) setNext() {
	next := int64(math.MaxInt64)
	if l.fold.trees.Entries() > 0 {
		next = l.fold.trees.Next().Instant(l.opt.Interval).UnixMicro()
	}
	l.nextUS.Store(next)
}

func (l *Log) tick(ctx context.Context) error {
	if err := l.anchor(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	size := l.fold.trees.Anchors()
	k := l.kept
	cp, err := l.fold.trees.Checkpoint(l.fold.origin(), size)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if done := int64(size); k.head >= done && k.outside >= done && k.published >= done {
		return nil
	}
	note := k.checkpoint
	if cp != k.cp || note == nil {
		if note, err = cp.Sign(l.opt.Signer); err != nil {
			return fmt.Errorf("signing a checkpoint: %w", err)
		}
	}
	return l.distribute(ctx, cp, note)
}

// anchor makes the due anchors. It takes the lead, so that no append is under
// way whose entries an anchor should cover; from here on entries are later than
// the last anchor, whatever becomes of its checkpoint.
func (l *Log) anchor(ctx context.Context) error {
	select {
	case l.lead <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.lead }()
	if err := l.stopped(); err != nil {
		return err
	}
	now := l.opt.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fold.checkClock(now); err != nil {
		return err
	}
	defer l.setNext()
	return l.fold.trees.Extend(entrylog.TickDue(now, l.opt.Interval))
}

// distribute keeps and publishes a signed checkpoint. The order is the whole
// point: a writer that was fenced is stopped by the store before anybody can
// see its signature, and nothing is published that a restored folder could deny.
func (l *Log) distribute(ctx context.Context, cp entrylog.Checkpoint, note []byte) error {
	size := int64(cp.Size)
	l.mu.Lock()
	k, folder := l.kept, l.fold.folder()
	l.mu.Unlock()

	if k.head < size {
		if err := l.store.SetHead(ctx, l.epoch, note); err != nil {
			if errors.Is(err, ErrFenced) {
				return l.halt(err)
			}
			return fmt.Errorf("keeping the checkpoint in the store: %w", err)
		}
		l.note(func(k *kept) { k.head = size })
	}
	if k.outside < size {
		if err := l.outside.Save(ctx, note); err != nil {
			return fmt.Errorf("keeping the checkpoint outside: %w", err)
		}
	}
	l.note(func(k *kept) { k.outside, k.checkpoint, k.cp = size, note, cp })

	if k.published >= size {
		return nil
	}
	l.mu.Lock()
	files, obsolete, err := l.fold.trees.Tiles(uint64(max(k.published, 0)), cp.Size)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	files = append(files, File{Path: entrylog.CheckpointPath, Data: note})
	for i := range files {
		files[i].Path = folder + files[i].Path
	}
	for i := range obsolete {
		obsolete[i] = folder + obsolete[i]
	}
	if err := l.pub.Publish(ctx, files); err != nil {
		return fmt.Errorf("publishing the checkpoint: %w", err)
	}
	l.note(func(k *kept) { k.published = size })
	l.mu.Lock()
	l.fold.trees.Forget()
	l.mu.Unlock()
	if len(obsolete) > 0 {
		// Only tidiness: what stays is still true.
		_ = l.pub.Remove(ctx, obsolete)
	}
	return nil
}

func (l *Log) note(change func(*kept)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.kept)
}
