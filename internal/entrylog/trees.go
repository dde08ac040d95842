package entrylog

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// Trees is all that a log's records, ticks and blinding key determine: the
// inner tree, the anchors and the anchor log. Add the entries in order, Extend
// to a tick, and it is the same to the last bit wherever and whenever it is
// done. It keeps 64 bytes an entry and 64 bytes a tick; anchors are made again
// when asked for.
//
// It knows no clock: when a tick is due is the caller's matter. Not for
// concurrent use.
type Trees struct {
	blinding Blinding
	interval time.Duration

	inner  Tree
	outer  Tree
	first  Tick      // of the first entry; anchors begin there
	last   time.Time // of the last entry
	marks  []mark
	public []publicEntry

	fresh []Anchor // the last len(fresh) anchors, not yet forgotten
}

// mark says that the inner tree had size entries after tick's last one. Ticks
// without entries have none.
type mark struct {
	tick Tick
	size uint64
}

type publicEntry struct {
	tick   Tick
	seq    Seq
	commit Hash
}

// NewTrees starts with no entry. interval is a whole number of seconds.
func NewTrees(blinding Blinding, interval time.Duration) (*Trees, error) {
	if interval < time.Second || interval%time.Second != 0 {
		return nil, fmt.Errorf("an interval is a whole number of seconds, not %v", interval)
	}
	return &Trees{blinding: blinding, interval: interval}, nil
}

// Add takes the next entry: its time, its commitment, and whether it belongs on
// its tick's board. It refuses an entry that is older than the last, that an
// anchor should have covered, or that the board has no room for.
func (t *Trees) Add(at time.Time, commit Hash, public bool) error {
	tick := TickOf(at, t.interval)
	switch {
	case t.inner.size > 0 && at.Before(t.last):
		return fmt.Errorf("its time %s is before that of the entry before it, %s",
			at.Format(time.RFC3339Nano), t.last.Format(time.RFC3339Nano))
	case t.outer.size > 0 && tick < t.Next():
		return fmt.Errorf("its time %s is covered by tick %d, which is anchored", at.Format(time.RFC3339Nano), tick)
	case public && t.Public(tick) == 1<<BoardDepth:
		return fmt.Errorf("tick %d has %d entries on its board already", tick, 1<<BoardDepth)
	}
	if t.inner.size == 0 {
		t.first = tick
	}
	if public {
		t.public = append(t.public, publicEntry{tick, Seq(t.inner.size), commit})
	}
	t.last = at
	t.inner.Append(LeafHash(commit[:]))
	if n := len(t.marks); n > 0 && t.marks[n-1].tick == tick {
		t.marks[n-1].size++
	} else {
		t.marks = append(t.marks, mark{tick, uint64(t.inner.size)})
	}
	return nil
}

// Entries is how many were added.
func (t *Trees) Entries() Seq { return Seq(t.inner.size) }

// Anchors is how many were made.
func (t *Trees) Anchors() uint64 { return uint64(t.outer.size) }

// Last is the last entry's time, zero when there is none.
func (t *Trees) Last() time.Time { return t.last }

// First is the tick of anchor 0. It means nothing while there is no entry.
func (t *Trees) First() Tick { return t.first }

// Next is the tick that the next anchor will be for. It means nothing while
// there is no entry: then nothing is anchored.
func (t *Trees) Next() Tick { return t.first + Tick(t.outer.size) }

// Public is how many entries the tick's board has.
func (t *Trees) Public(tick Tick) int {
	lo, hi := t.board(tick)
	return hi - lo
}

// Extend makes the anchors of all ticks up to and including to. It does nothing
// when there is no entry yet, or the tick is anchored.
func (t *Trees) Extend(to Tick) error {
	if t.inner.size == 0 {
		return nil
	}
	if to >= t.Next() {
		t.fresh = slices.Grow(t.fresh, int(to-t.Next())+1)
	}
	// An idle tick has the same inner root as the one before it.
	var size uint64
	var root Hash
	m := t.marksUpTo(t.Next())
	p, _ := t.board(t.Next())
	for tick := t.Next(); tick <= to; tick++ {
		for m < len(t.marks) && t.marks[m].tick <= tick {
			m++
		}
		if now := t.marks[m-1].size; now != size {
			size, root = now, t.inner.rootAt(int64(now))
		}
		var public []Hash
		for ; p < len(t.public) && t.public[p].tick == tick; p++ {
			public = append(public, t.public[p].commit)
		}
		a, err := t.blinding.Anchor(tick, size, root, public)
		if err != nil {
			return err
		}
		t.outer.Append(a.LeafHash())
		t.fresh = append(t.fresh, a)
	}
	return nil
}

// marksUpTo is how many marks are of ticks up to tick.
func (t *Trees) marksUpTo(tick Tick) int {
	return sort.Search(len(t.marks), func(i int) bool { return t.marks[i].tick > tick })
}

// board is where the tick's public entries stand in the list of all.
func (t *Trees) board(tick Tick) (from, to int) {
	from = sort.Search(len(t.public), func(i int) bool { return t.public[i].tick >= tick })
	to = sort.Search(len(t.public), func(i int) bool { return t.public[i].tick > tick })
	return from, to
}

func (t *Trees) publicAt(tick Tick) []Hash {
	var out []Hash
	for from, to := t.board(tick); from < to; from++ {
		out = append(out, t.public[from].commit)
	}
	return out
}

// Anchor makes anchor i again.
func (t *Trees) Anchor(i uint64) (Anchor, error) {
	if i >= t.Anchors() {
		return Anchor{}, fmt.Errorf("there are %d anchors, and no anchor %d", t.Anchors(), i)
	}
	if old := t.Anchors() - uint64(len(t.fresh)); i >= old {
		return t.fresh[i-old], nil
	}
	tick := t.first + Tick(i)
	size := t.sizeAt(tick)
	return t.blinding.Anchor(tick, size, t.inner.rootAt(int64(size)), t.publicAt(tick))
}

// sizeAt is the inner tree's size at a tick that is anchored.
func (t *Trees) sizeAt(tick Tick) uint64 { return t.marks[t.marksUpTo(tick)-1].size }

// Forget drops the copies of fresh anchors: they are published, and rarely
// asked for again.
func (t *Trees) Forget() { t.fresh = nil }

// Checkpoint is the anchor log's state when it had size anchors.
func (t *Trees) Checkpoint(origin string, size uint64) (Checkpoint, error) {
	if size > t.Anchors() {
		return Checkpoint{}, fmt.Errorf("there are %d anchors, not %d", t.Anchors(), size)
	}
	return Checkpoint{Origin: origin, Size: size, Root: t.outer.rootAt(int64(size))}, nil
}

// TileData is what a tile must contain. It exists when Needs ≤ Anchors.
func (t *Trees) TileData(tile Tile) ([]byte, error) {
	return tileData(&t.outer, tile, t.Anchor)
}

// Tiles makes the files to publish when the log has grown from one size to
// another, and lists what they make obsolete: the folders of partial tiles
// whose full tile is now there.
func (t *Trees) Tiles(from, to uint64) (files []File, obsolete []string, err error) {
	for _, tile := range TilesFor(from, to) {
		data, err := t.TileData(tile)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, File{tile.Path(), data})
		begun := Tile{Level: tile.Level, N: tile.N, Width: 1}
		if tile.Width == tileWidth && begun.Needs() <= from {
			obsolete = append(obsolete, tile.Path()+".p")
		}
	}
	return files, obsolete, nil
}

// ProveAnchor proves anchor i to a reader of the checkpoint at size. The
// caller adds the signed checkpoint.
func (t *Trees) ProveAnchor(i, size uint64) (AnchorProof, error) {
	path, err := t.outer.Inclusion(int64(i), int64(size))
	if err != nil {
		return AnchorProof{}, err
	}
	a, err := t.Anchor(i)
	return AnchorProof{Anchor: a, Index: i, Inclusion: path}, err
}

// ProvePublic is the path of entry seq on its tick's board. It reports false
// when the entry is on none.
func (t *Trees) ProvePublic(seq Seq) (proof BlindProof, tick Tick, ok bool) {
	i := sort.Search(len(t.public), func(i int) bool { return t.public[i].seq >= seq })
	if i == len(t.public) || t.public[i].seq != seq {
		return BlindProof{}, 0, false
	}
	tick = t.public[i].tick
	from, _ := t.board(tick)
	board, err := t.blinding.Board(tick, t.publicAt(tick))
	if err != nil {
		return BlindProof{}, 0, false // Add keeps boards from overflowing
	}
	return board.Prove(i - from), tick, true
}

// TickOfEntry is the tick that covers entry seq.
func (t *Trees) TickOfEntry(seq Seq) (Tick, bool) {
	i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].size > uint64(seq) })
	if i == len(t.marks) {
		return 0, false
	}
	return t.marks[i].tick, true
}

// EntriesOf is the range of entries [from, to) that the tick covers.
func (t *Trees) EntriesOf(tick Tick) (from, to Seq) {
	i := t.marksUpTo(tick)
	if i == 0 {
		return 0, 0
	}
	to = Seq(t.marks[i-1].size)
	if t.marks[i-1].tick != tick {
		return to, to
	}
	if i > 1 {
		from = Seq(t.marks[i-2].size)
	}
	return from, to
}

// ProveInner proves entry seq in the inner tree as it was at an anchored tick.
func (t *Trees) ProveInner(seq Seq, tick Tick) (Opening, []Hash, error) {
	if t.inner.size == 0 || tick < t.first || tick >= t.Next() {
		return Opening{}, nil, fmt.Errorf("tick %d is not anchored", tick)
	}
	size := t.sizeAt(tick)
	path, err := t.inner.Inclusion(int64(seq), int64(size))
	if err != nil {
		return Opening{}, nil, err
	}
	return t.blinding.Opening(tick, size, t.inner.rootAt(int64(size))), path, nil
}

// Consistency is the proof (RFC 6962, section 2.1.2) that the anchor log of size
// from is a beginning of the one of size to; 1 ≤ from ≤ to ≤ Anchors.
func (t *Trees) Consistency(from, to uint64) ([]Hash, error) {
	return t.outer.Consistency(int64(min(from, 1<<62)), int64(min(to, 1<<62)))
}
