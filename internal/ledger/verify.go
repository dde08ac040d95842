package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
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

// published compares every published file.
func (a *audit) published(ctx context.Context, head []byte) error {
	for n := uint32(0); n < a.recovery; n++ {
		prefix := recoveryFolder(n)
		if f := a.folders[prefix]; f != nil {
			if err := a.formerFolder(ctx, n, prefix, f); err != nil {
				return err
			}
			delete(a.folders, prefix)
		}
	}
	prefix := a.folder()
	f := a.folders[prefix]
	delete(a.folders, prefix)
	for other := range a.folders {
		a.problem(other, "it is a folder of no recovery of this log")
	}
	if f == nil {
		f = &folder{paths: map[string]bool{}}
	}
	cp, ok := a.checkpoint(prefix, f, a.recovery)
	if ok && a.rep.Anchors == cp.Size && a.stands(a.parse(inHead, head)) && !bytes.Equal(f.checkpoint, head) {
		a.problem(prefix+entrylog.CheckpointPath, "it is not byte for byte the head of the store")
	}
	if ok && cp.Size > a.rep.Anchors {
		a.problem(prefix+entrylog.CheckpointPath, "it signs %d anchors and the store's head %d: the store is an older one", cp.Size, a.rep.Anchors)
	}
	if f.checkpoint == nil && a.rep.Anchors > 0 && a.recovery == 0 {
		a.problem(prefix+entrylog.CheckpointPath, "it is missing; opening the log makes it anew")
	}
	a.rep.Published = cp.Size
	if ok {
		if err := a.extend(cp.Size); err != nil {
			a.problem(prefix+entrylog.CheckpointPath, "%v", err)
		} else if have, err := a.trees.Checkpoint(cp.Origin, cp.Size); err != nil || have.Root != cp.Root {
			a.problem(prefix+entrylog.CheckpointPath, "the entries do not make the root that it signs")
		}
	}
	return a.files(ctx, prefix, f, cp.Size, max(a.rep.Anchors, cp.Size), a.trees)
}

// checkpoint verifies a folder's checkpoint, signed after n recoveries.
func (a *audit) checkpoint(prefix string, f *folder, n uint32) (entrylog.Checkpoint, bool) {
	if f.checkpoint == nil {
		return entrylog.Checkpoint{}, false
	}
	s := a.parse(inPublished, f.checkpoint)
	if s.err != nil {
		a.problem(prefix+entrylog.CheckpointPath, "%v", s.err)
		return entrylog.Checkpoint{}, false
	}
	if m, _ := s.cp.Recovery(a.opt.Origin); m != n {
		a.problem(prefix+entrylog.CheckpointPath, "its origin is %q", s.cp.Origin)
		return entrylog.Checkpoint{}, false
	}
	return s.cp, true
}

// source makes tiles.
type source interface {
	Anchors() uint64
	TileData(entrylog.Tile) ([]byte, error)
}

// files compares all files of a folder with what they must be, and looks for
// those that a log of size published needs. Tiles may go up to limit: a crash
// may have left them without their checkpoint.
func (a *audit) files(ctx context.Context, prefix string, f *folder, published, limit uint64, from source) error {
	for _, t := range entrylog.TilesFor(0, published) {
		full := t
		full.Width = 256
		if !f.paths[t.Path()] && !f.paths[full.Path()] {
			a.problem(prefix+t.Path(), "it is missing")
		}
	}
	for _, tile := range a.tiles(prefix, f) {
		path := tile.Path()
		if tile.Needs() > limit || tile.Needs() > from.Anchors() {
			a.problem(prefix+path, "it needs %d anchors; %d are signed", tile.Needs(), limit)
			continue
		}
		have, err := a.pub.ReadFile(ctx, prefix+path)
		if errors.Is(err, fs.ErrNotExist) {
			// A writer at work removes partial tiles whose full tile is there.
			continue
		} else if err != nil {
			return err
		}
		want, err := from.TileData(tile)
		if err != nil {
			return err
		}
		a.rep.Files++
		if a.rep.Files%256 == 0 {
			a.progress("files", a.rep.Files)
		}
		if !bytes.Equal(have, want) {
			a.differs(prefix, tile, have, want)
		}
	}
	return nil
}

// tiles lists a folder's tiles, bundles first: they tell best where it went wrong.
func (a *audit) tiles(prefix string, f *folder) []entrylog.Tile {
	var out []entrylog.Tile
	for path := range f.paths {
		if path == entrylog.CheckpointPath {
			a.rep.Files++
			continue
		}
		tile, err := entrylog.ParseTilePath(path)
		if err != nil {
			a.problem(prefix+path, "it is no file of an anchor log")
			continue
		}
		out = append(out, tile)
	}
	slices.SortFunc(out, func(x, y entrylog.Tile) int {
		if x.Entries != y.Entries {
			if x.Entries {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(x.Level, y.Level), cmp.Compare(x.N, y.N), cmp.Compare(x.Width, y.Width))
	})
	return out
}

// differs says where a tile is not what it must be: for a bundle, at which
// anchor, and which entries that anchor binds.
func (a *audit) differs(prefix string, tile entrylog.Tile, have, want []byte) {
	path := prefix + tile.Path()
	if !tile.Entries || len(have) != len(want) || prefix != a.folder() {
		a.problem(path, "it is not what it must be")
		return
	}
	i := 0
	for have[i] == want[i] {
		i++
	}
	index := uint64(tile.N)*256 + uint64(i/entrylog.BundledSize)
	tick := a.trees.First() + entrylog.Tick(index)
	from, to := a.trees.EntriesOf(tick)
	covers := "no entry"
	if to == from+1 {
		covers = "entry " + strconv.FormatUint(uint64(from), 10)
	} else if to > from {
		covers = fmt.Sprintf("entries %d to %d", from, to-1)
	}
	a.problem(fmt.Sprintf("anchor %d (tick %d, %s)", index, tick, tick.Instant(a.opt.Interval).Format(time.RFC3339)),
		"%s does not have what the entries make; this tick covers %s", path, covers)
}

// formerFolder checks what was published before a recovery. Its entries may be
// gone, so it is checked against itself and its signature.
func (a *audit) formerFolder(ctx context.Context, n uint32, prefix string, f *folder) error {
	cp, ok := a.checkpoint(prefix, f, n)
	if !ok {
		if f.checkpoint == nil {
			a.problem(prefix+entrylog.CheckpointPath, "it is missing")
		}
		return nil
	}
	var log entrylog.AnchorLog
	for _, t := range entrylog.TilesFor(0, cp.Size) {
		if !t.Entries {
			continue
		}
		b, err := a.pub.ReadFile(ctx, prefix+t.Path())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		anchors, err := entrylog.ParseBundle(b)
		if err != nil || len(anchors) != t.Width {
			a.problem(prefix+t.Path(), "it is missing, or not a bundle of %d anchors", t.Width)
			return nil
		}
		for _, anchor := range anchors {
			log.Append(anchor)
		}
	}
	if root, err := log.Root(cp.Size); err != nil || root != cp.Root {
		a.problem(prefix+entrylog.CheckpointPath, "the published anchors do not make the root that it signs")
	}
	// What a crash left beyond the checkpoint was never signed; nothing follows from it.
	for path := range f.paths {
		if t, err := entrylog.ParseTilePath(path); err == nil && t.Needs() > cp.Size {
			delete(f.paths, path)
		}
	}
	return a.files(ctx, prefix, f, cp.Size, cp.Size, &log)
}
