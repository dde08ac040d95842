package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// fold is what the ledger itself keeps of the entries.
type fold struct {
	opt     Options
	saltKey [32]byte
	trees   *entrylog.Trees

	recovery uint32   // of the last declared recovery, 0 when there was none
	lost     [][]byte // checkpoints that recoveries gave up
}

func newFold(opt Options) (*fold, error) {
	trees, err := entrylog.NewTrees(opt.Blinding, opt.Interval)
	if err != nil {
		return nil, err
	}
	return &fold{opt: opt, saltKey: opt.Blinding.SaltKey(), trees: trees}, nil
}

// read checks a record that the store gave and takes it in.
func (f *fold) read(seq entrylog.Seq, r entrylog.Record) (entrylog.Entry, error) {
	if want := f.trees.Entries(); seq != want {
		return entrylog.Entry{}, fmt.Errorf("%w: entry %d: the store gave entry %d in its place", ErrDamaged, want, seq)
	}
	e, err := entrylog.ParseEntry(r.Entry)
	if err != nil {
		return e, fmt.Errorf("%w: entry %d: %w", ErrDamaged, seq, err)
	}
	if !r.Intact(f.saltKey, seq) {
		return e, fmt.Errorf("%w: entry %d: its bytes or its salt are not what was written (or the blinding key is another log's)", ErrDamaged, seq)
	}
	if err := f.known(e.Kind); err != nil {
		return e, fmt.Errorf("entry %d: %w", seq, err)
	}
	if err := f.add(e, r.Commit()); err != nil {
		return e, fmt.Errorf("%w: entry %d: %w", ErrDamaged, seq, err)
	}
	return e, nil
}

func (f *fold) known(k entrylog.Kind) error {
	if k == KindRecovery || f.opt.Known(k) {
		return nil
	}
	return fmt.Errorf("%w: kind %d; use the program that wrote it, or a newer one", ErrUnknownKind, k)
}

// add takes in an entry that is durable.
func (f *fold) add(e entrylog.Entry, commit entrylog.Hash) error {
	if e.Kind == KindRecovery {
		var r Recovery
		if err := wire.Unmarshal(e.Body, &r); err != nil {
			return fmt.Errorf("recovery: %w", err)
		}
		if r.Number <= f.recovery {
			return fmt.Errorf("recovery %d follows recovery %d", r.Number, f.recovery)
		}
		if err := f.trees.Add(e.Time, commit, f.opt.Public(e)); err != nil {
			return err
		}
		f.recovery = r.Number
		f.lost = append(f.lost, r.Lost...)
		return nil
	}
	return f.trees.Add(e.Time, commit, f.opt.Public(e))
}

// replay reads the store from where the fold is.
func (f *fold) replay(ctx context.Context, store Store, each func(entrylog.Seq, entrylog.Entry) error) error {
	return store.Read(ctx, f.trees.Entries(), func(seq entrylog.Seq, r entrylog.Record) error {
		e, err := f.read(seq, r)
		if err != nil {
			return err
		}
		if err := f.show(each, seq, e); err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		return nil
	})
}

// show gives an entry to the caller's fold. The ledger's own kind is given only
// to one that knows it.
func (f *fold) show(each func(entrylog.Seq, entrylog.Entry) error, seq entrylog.Seq, e entrylog.Entry) error {
	if each == nil || e.Kind == KindRecovery && !f.opt.Known(KindRecovery) {
		return nil
	}
	return each(seq, e)
}

// origin is the one that checkpoints are signed under now.
func (f *fold) origin() string { return entrylog.RecoveryOrigin(f.opt.Origin, f.recovery) }

// folder is where in the published folder the present anchor log is.
func (f *fold) folder() string { return recoveryFolder(f.recovery) }

func recoveryFolder(n uint32) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("recovery-%d/", n)
}

// recoveryOf is the number of the recovery whose folder has a name. It reports false
// when none has.
func recoveryOf(folder string) (uint32, bool) {
	n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(folder, "recovery-"), "/"), 10, 32)
	if folder == "" {
		return 0, true
	}
	return uint32(n), err == nil && recoveryFolder(uint32(n)) == folder
}

// anchored is the instant of the last anchor's tick, after which the next entry
// must be; zero when there is no anchor.
func (f *fold) anchored() time.Time {
	if f.trees.Anchors() == 0 {
		return time.Time{}
	}
	return (f.trees.Next() - 1).Instant(f.opt.Interval)
}

// earliest is the first time that the next entry may have: not before the last
// one, and after the last anchor.
func (f *fold) earliest() time.Time {
	last := f.trees.Last()
	if at := f.anchored(); !at.IsZero() && !at.Before(last) {
		return at.Add(time.Microsecond)
	}
	return last
}

// extend makes anchors until there are size. Whoever signed so many had seen
// their ticks, so no clock is asked.
func (f *fold) extend(size uint64) error {
	if size <= f.trees.Anchors() {
		return nil
	}
	if f.trees.Entries() == 0 || size > 1<<40 {
		return fmt.Errorf("%w: %d anchors of a log with %d entries. %s", ErrFork, size, f.trees.Entries(), forkAdvice)
	}
	return f.trees.Extend(f.trees.First() + entrylog.Tick(size-1))
}

// checkClock refuses a clock that is too far ahead of all that the log has seen.
func (f *fold) checkClock(now time.Time) error {
	seen := later(f.trees.Last(), f.anchored())
	switch {
	case now.UnixMicro() < 0:
		return fmt.Errorf("%w: it says %s", ErrClock, now.Format(time.RFC3339))
	case f.trees.Entries() > 0 && now.Sub(seen) > f.opt.MaxLeap:
		return fmt.Errorf("%w: it says %s, and the log was last written to at %s", ErrClock,
			now.Format(time.RFC3339), seen.Format(time.RFC3339))
	}
	return nil
}
