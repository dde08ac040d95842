package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"forewarn/internal/entrylog"
)

// Problem is one thing that does not hold, and where.
type Problem struct {
	Where string // 'entry 17', 'tile/0/000.p/5', 'anchor 12 (tick 29712345, 2026-…)', 'head'
	What  string
}

func (p Problem) String() string { return p.Where + ": " + p.What }

// maxProblems are listed; the rest are counted. One flipped bit in an early
// entry contradicts every later tile.
const maxProblems = 50

// Report is the outcome of Verify.
type Report struct {
	Origin    string       // under which the log signs now
	Recovery  uint32       // the last declared recovery, 0 when none
	Entries   entrylog.Seq // read from the store
	Anchors   uint64       // signed by the head, all made again from the entries
	Through   time.Time    // instant of the last of them
	Files     int          // published files compared
	Published uint64       // anchors that the published checkpoint signs; fewer than Anchors after a crash, until the next Open
	Problems  []Problem
	More      int // problems found and not listed
}

// OK reports whether everything held.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Verify checks a log from its files alone, changing nothing: every entry and
// salt is bit for bit what was written, is of a known kind, and is not older
// than the one before it; the anchors, made again from the entries and the
// blinding key, are those of every published tile, bundle and checkpoint, byte
// for byte; the head is signed; and against, if not nil, a checkpoint that the
// caller kept elsewhere, is of this log and not later than it. It may run
// beside the writer.
//
// progress, if not nil, is called now and then with what is being done. The error
// is for what kept Verify from its work; what it found is in the Report.
func Verify(ctx context.Context, store Store, pub Publisher, opt Options, against []byte,
	progress func(what string, done int)) (Report, error) {
	opt, err := opt.check(false)
	if err != nil {
		return Report{}, err
	}
	if progress == nil {
		progress = func(string, int) {}
	}
	f, err := newFold(opt)
	if err != nil {
		return Report{}, err
	}
	a := &audit{fold: f, store: store, pub: pub, progress: progress}
	// What is published and signed is read before the entries that it must
	// follow from, so that a writer at work is not taken for a contradiction.
	if err := a.list(ctx); err != nil {
		return a.rep, err
	}
	head, err := store.Head(ctx)
	if err != nil {
		return a.rep, err
	}
	if err := a.entries(ctx); err != nil {
		return a.rep, err
	}
	a.signed(head, against)
	if err := a.published(ctx, head); err != nil {
		return a.rep, err
	}
	return a.rep, nil
}

type audit struct {
	*fold
	store    Store
	pub      Publisher
	progress func(string, int)
	rep      Report
	folders  map[string]*folder // by prefix
}

// folder is the published log of one recovery.
type folder struct {
	paths      map[string]bool // without the prefix
	checkpoint []byte
}

func (a *audit) problem(where, format string, args ...any) {
	if len(a.rep.Problems) == maxProblems {
		a.rep.More++
		return
	}
	a.rep.Problems = append(a.rep.Problems, Problem{where, fmt.Sprintf(format, args...)})
}

// list reads the published checkpoints and notes the files. A checkpoint's tiles
// are there before it is, so it is read first.
func (a *audit) list(ctx context.Context) error {
	checkpoints := map[string][]byte{}
	err := a.eachPublished(ctx, func(prefix, path string) error {
		if path == entrylog.CheckpointPath {
			checkpoints[prefix] = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	for prefix := range checkpoints {
		if checkpoints[prefix], err = readPublished(ctx, a.pub, prefix); err != nil {
			return err
		}
	}
	a.folders = map[string]*folder{}
	return a.eachPublished(ctx, func(prefix, path string) error {
		if a.folders[prefix] == nil {
			a.folders[prefix] = &folder{paths: map[string]bool{}, checkpoint: checkpoints[prefix]}
		}
		a.folders[prefix].paths[path] = true
		return nil
	})
}

// eachPublished lists files by the folder of their recovery.
func (a *audit) eachPublished(ctx context.Context, yield func(prefix, path string) error) error {
	return a.pub.List(ctx, func(path string) error {
		if strings.HasPrefix(path, "recovery-") {
			if i := strings.IndexByte(path, '/'); i > 0 {
				return yield(path[:i+1], path[i+1:])
			}
		}
		return yield("", path)
	})
}

// entries reads all of them, and goes on after a bad one.
func (a *audit) entries(ctx context.Context) error {
	err := a.store.Read(ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
		if seq%4096 == 0 {
			a.progress("entries", int(seq))
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if want := a.trees.Entries(); seq != want {
			return fmt.Errorf("%w: entry %d: the store gave entry %d in its place", ErrDamaged, want, seq)
		}
		a.entry(seq, r)
		return nil
	})
	if errors.Is(err, ErrDamaged) {
		a.problem(fmt.Sprintf("entry %d", a.trees.Entries()), "it and those after it cannot be read: %v", err)
		err = nil
	}
	a.rep.Entries, a.rep.Recovery, a.rep.Origin = a.trees.Entries(), a.recovery, a.origin()
	return err
}

func (a *audit) entry(seq entrylog.Seq, r entrylog.Record) {
	where := fmt.Sprintf("entry %d", seq)
	e, err := entrylog.ParseEntry(r.Entry)
	intact := r.Intact(a.saltKey, seq)
	switch {
	case err != nil:
		a.problem(where, "it does not parse: %v", err)
	case !intact:
		a.problem(where, "its bytes or its salt are not what was written")
	case a.known(e.Kind) != nil:
		a.problem(where, "%v", a.known(e.Kind))
	}
	if err == nil {
		if err = a.add(e, r.Commit()); err != nil && intact {
			a.problem(where, "%v", err)
		}
	}
	if err != nil {
		// It keeps its place, so that the entries after it keep theirs.
		at := a.trees.Last()
		if at.IsZero() {
			at = time.Unix(0, 0)
		}
		_ = a.trees.Add(at, r.Commit(), false)
	}
}

// signed compares the head and the given checkpoint with what the entries make.
func (a *audit) signed(head, against []byte) {
	h := a.parse(inHead, head)
	if err := a.matches(h); err != nil {
		a.problem("head", "%v", err)
		// The sizes are still good for finding where it went wrong.
		if a.stands(h) {
			a.rep.Anchors = min(h.cp.Size, a.trees.Anchors())
		}
	} else {
		if a.stands(h) {
			a.rep.Anchors = h.cp.Size
		}
	}
	if a.rep.Anchors > 0 {
		a.rep.Through = (a.trees.First() + entrylog.Tick(a.rep.Anchors-1)).Instant(a.opt.Interval)
	}
	if against == nil {
		return
	}
	g := a.parse(given, against)
	switch err := a.matches(g); {
	case contains(a.lost, against):
		a.problem("given checkpoint", "a declared recovery gave it up: this log does not contain what it signs")
	case err != nil:
		a.problem("given checkpoint", "%v", err)
	case a.stands(g) && g.cp.Size > a.rep.Anchors:
		a.problem("given checkpoint", "it signs %d anchors and the head %d: this folder is an older one", g.cp.Size, a.rep.Anchors)
	}
}
