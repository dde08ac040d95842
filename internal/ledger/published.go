package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"time"

	"forewarn/internal/entrylog"
)

// published compares every published file.
func (a *audit) published(ctx context.Context, head []byte) error {
	prefix := a.folder()
	f := a.folders[prefix]
	for _, other := range slices.Sorted(maps.Keys(a.folders)) {
		switch n, ok := recoveryOf(other); {
		case other == prefix:
		case !ok || n > a.recovery:
			a.problem(other, "it is a folder of no recovery of this log")
		default:
			if err := a.formerFolder(ctx, n, other, a.folders[other]); err != nil {
				return err
			}
		}
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
