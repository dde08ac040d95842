package entrylog

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"forewarn/internal/wire"
)

var (
	testBlinding = Blinding{1, 2, 3}
	testEpoch    = time.Date(2025, 5, 1, 9, 30, 15, 0, time.UTC)
)

func TestTicks(t *testing.T) {
	minute := time.Minute
	at := time.Date(2025, 5, 1, 9, 30, 0, 0, time.UTC)
	tick := Tick(at.Unix() / 60)
	for _, tc := range []struct {
		add     time.Duration
		of, due Tick
	}{
		{0, tick, tick},
		{time.Microsecond, tick + 1, tick},
		{-time.Microsecond, tick, tick - 1},
		{59 * time.Second, tick + 1, tick},
		{minute, tick + 1, tick + 1},
	} {
		if got := TickOf(at.Add(tc.add), minute); got != tc.of {
			t.Errorf("%v: covered by %d, want %d", tc.add, got, tc.of)
		}
		if got := TickDue(at.Add(tc.add), minute); got != tc.due {
			t.Errorf("%v: due is %d, want %d", tc.add, got, tc.due)
		}
	}
	if !tick.Instant(minute).Equal(at) {
		t.Errorf("tick %d is at %v", tick, tick.Instant(minute))
	}
}

func TestAnchorLeaf(t *testing.T) {
	a := Anchor{Tick: 0x0102030405060708, Inner: Hash{9}, Board: Hash{10}}
	leaf := a.Leaf()
	if !bytes.Equal(leaf[:], wire.Marshal(&a)) {
		t.Error("the leaf is not the encoding")
	}
	if back, err := ParseAnchor(leaf[:]); err != nil || back != a {
		t.Errorf("read back: %+v, %v", back, err)
	}
}

// drawTrees makes a history, and extends it at random moments or only at the end.
func drawTrees(rt *rapid.T) (eager, late *Trees) {
	eager, _ = NewTrees(testBlinding, time.Minute)
	late, _ = NewTrees(testBlinding, time.Minute)
	now := testEpoch
	for i := range rapid.IntRange(1, 60).Draw(rt, "entries") {
		commit := Hash{byte(i), byte(rapid.IntRange(0, 255).Draw(rt, "commit"))}
		public := rapid.Bool().Draw(rt, "public")
		for _, t := range []*Trees{eager, late} {
			if err := t.Add(now, commit, public); err != nil {
				rt.Fatal(err)
			}
		}
		now = now.Add(time.Duration(rapid.Int64Range(0, 150_000_000).Draw(rt, "µs")) * time.Microsecond)
		if rapid.Bool().Draw(rt, "tick") {
			due := TickDue(now, time.Minute)
			if err := eager.Extend(due); err != nil {
				rt.Fatal(err)
			}
			if at := due.Instant(time.Minute); !now.After(at) {
				now = at.Add(time.Microsecond)
			}
		}
	}
	for _, t := range []*Trees{eager, late} {
		if err := t.Extend(TickOf(now, time.Minute) + 3); err != nil {
			rt.Fatal(err)
		}
	}
	return eager, late
}

// TestTreesArePure: anchors made as the ticks come are those made afterwards,
// and those made again one by one.
func TestTreesArePure(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		eager, late := drawTrees(rt)
		if eager.Anchors() != late.Anchors() || eager.outer.Root() != late.outer.Root() {
			rt.Fatalf("%d and %d anchors, roots %v and %v", eager.Anchors(), late.Anchors(), eager.outer.Root(), late.outer.Root())
		}
		late.Forget()
		for i := range eager.Anchors() {
			a, err := eager.Anchor(i)
			b, err2 := late.Anchor(i)
			if err != nil || err2 != nil || a != b {
				rt.Fatalf("anchor %d: %+v and %+v", i, a, b)
			}
			if a.Tick != eager.First()+Tick(i) {
				rt.Fatalf("anchor %d is of tick %d", i, a.Tick)
			}
		}
		// Growing through any sizes leaves the tiles of the last.
		files := map[string][]byte{}
		for from := uint64(0); from < eager.Anchors(); {
			to := rapid.Uint64Range(from+1, eager.Anchors()).Draw(rt, "to")
			step, _, err := eager.Tiles(from, to)
			if err != nil {
				rt.Fatal(err)
			}
			for _, f := range step {
				if old, ok := files[f.Path]; ok && !bytes.Equal(old, f.Data) {
					rt.Fatalf("%s changed", f.Path)
				}
				files[f.Path] = f.Data
			}
			from = to
		}
		var log AnchorLog
		for i := range late.Anchors() {
			a, _ := late.Anchor(i)
			log.Append(a)
		}
		for _, tile := range TilesFor(0, late.Anchors()) {
			want, err := log.TileData(tile)
			if err != nil || !bytes.Equal(files[tile.Path()], want) {
				rt.Fatalf("%s: %v", tile.Path(), err)
			}
		}
	})
}

// TestTreesProve: every entry is proved against every anchor that covers it,
// and only it.
func TestTreesProve(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trees, _ := drawTrees(rt)
		for seq := range trees.Entries() {
			tick, ok := trees.TickOfEntry(seq)
			if from, to := trees.EntriesOf(tick); !ok || seq < from || seq >= to {
				rt.Fatalf("entry %d is covered by tick %d, which covers %d to %d", seq, tick, from, to)
			}
			if proof, at, ok := trees.ProvePublic(seq); ok {
				a, _ := trees.Anchor(uint64(at - trees.First()))
				var commit Hash
				for _, p := range trees.public {
					if p.seq == seq {
						commit = p.commit
					}
				}
				if at != tick || proof.Check(BoardDepth, a.Board, commit) != nil {
					rt.Fatalf("entry %d on the board of tick %d", seq, at)
				}
			}
			for at := tick; at < trees.Next(); at++ {
				o, path, err := trees.ProveInner(seq, at)
				a, _ := trees.Anchor(uint64(at - trees.First()))
				if err != nil || o.Inner() != a.Inner {
					rt.Fatalf("opening of tick %d: %v", at, err)
				}
				if root, ok := runPath(path, int64(seq), int64(o.Size), trees.inner.at(0, int64(seq))); !ok || root != o.Root {
					rt.Fatalf("entry %d at tick %d", seq, at)
				}
			}
			if _, _, err := trees.ProveInner(seq, tick-1); err == nil && tick > trees.First() {
				rt.Fatalf("entry %d proved at the tick before its own", seq)
			}
		}
	})
}

func TestTreesRefuse(t *testing.T) {
	trees, err := NewTrees(testBlinding, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := trees.Extend(5); err != nil || trees.Anchors() != 0 {
		t.Errorf("anchors of nothing: %v", err)
	}
	if err := trees.Add(testEpoch, Hash{}, false); err != nil {
		t.Fatal(err)
	}
	if err := trees.Add(testEpoch.Add(-1*time.Microsecond), Hash{}, false); err == nil {
		t.Error("time ran backwards")
	}
	if err := trees.Extend(TickOf(testEpoch, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := trees.Add(TickOf(testEpoch, time.Minute).Instant(time.Minute), Hash{}, false); err == nil {
		t.Error("an entry under an anchor that is made")
	}
	for _, interval := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, -time.Minute} {
		if _, err := NewTrees(testBlinding, interval); err == nil {
			t.Errorf("an interval of %v", interval)
		}
	}
	if _, err := trees.TileData(Tile{Width: 2}); err == nil {
		t.Error("a tile beyond the log")
	}
	if _, err := trees.Anchor(1); err == nil {
		t.Error("an anchor beyond the log")
	}
}
