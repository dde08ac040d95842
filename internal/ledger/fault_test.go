package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
)

var errFault = errors.New("the disk said no")

// script drives a world through appends, ticks, a restart and a long pause, and
// remembers what was acknowledged. It stops at the first error.
type script struct {
	acked []ledger.Sealed
	seen  [][]byte // every checkpoint that was ever published
}

func (s *script) run(w *world, hook memstore.Hook, audit func(step string)) error {
	if err := w.tryOpen(hook); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	audit("open")
	for i := range 6 {
		kind := kindPlain
		if i%2 == 1 {
			kind = kindPublic
		}
		got, err := w.log.Append(context.Background(), []ledger.Draft{
			{Kind: kind, Body: body(1)}, {Kind: kindPlain, Body: body(1)}})
		s.acked = append(s.acked, got...)
		audit("append")
		if err != nil {
			return fmt.Errorf("append: %w", err)
		}
		w.clock.Add(time.Duration(i) * 37 * time.Second)
		err = w.log.Tick(context.Background())
		audit("tick")
		if err != nil {
			return fmt.Errorf("tick: %w", err)
		}
	}
	w.clock.Add(300 * time.Minute) // fills a tile, so that partial ones are removed
	err := w.log.Tick(context.Background())
	audit("long tick")
	return err
}

// check audits the world and all that was promised so far.
func (s *script) check(w *world, step string) {
	w.t.Helper()
	rep := w.verify()
	if !rep.OK() {
		w.t.Fatalf("after %s: %v", step, rep.Problems)
	}
	if int(rep.Entries) < len(s.acked) {
		w.t.Fatalf("after %s: %d entries kept, %d acknowledged", step, rep.Entries, len(s.acked))
	}
	if cp := w.folder.Files()["checkpoint"]; cp != nil && (len(s.seen) == 0 || !bytes.Equal(cp, s.seen[len(s.seen)-1])) {
		s.seen = append(s.seen, cp)
	}
	// No two signatures contradict: what is there now continues all that was.
	for _, cp := range s.seen {
		r, err := ledger.Verify(context.Background(), w.store.Reopen(nil), w.folder.Copy(nil), w.opt, cp, nil)
		if err != nil || !r.OK() {
			w.t.Fatalf("after %s: an earlier checkpoint is contradicted: %v %v", step, err, r.Problems)
		}
	}
}

// TestFaults lets every operation fail at each of its calls, without and with
// its effect, audits the world after every step, and then starts anew.
func TestFaults(t *testing.T) {
	ops := append(append([]memstore.Op{}, memstore.Writes...), memstore.Reads...)
	for _, op := range ops {
		for _, f := range []memstore.Fault{
			{Err: errFault},
			{Err: errFault, Kept: true},
			{Err: errFault, Part: 1},
			{Err: errFault, Part: 3},
		} {
			if f.Part > 0 && op != memstore.Publish || f.Kept && !write(op) {
				continue
			}
			for nth := 1; ; nth++ {
				fired := false
				hook := memstore.Once(op, nth, f)
				watched := func(o memstore.Op) memstore.Fault {
					got := hook(o)
					fired = fired || got.Err != nil
					return got
				}
				t.Run(fmt.Sprintf("%s/%d/kept=%v/part=%d", op, nth, f.Kept, f.Part), func(t *testing.T) {
					w := bareWorld(t)
					s := &script{}
					err := s.run(w, watched, func(step string) { s.check(w, step) })
					if err != nil && !errors.Is(err, errFault) {
						t.Fatalf("the fault came back as %v", err)
					}
					if fired && err == nil && op != memstore.Remove && op != memstore.Publish && op != memstore.Save {
						t.Errorf("the fault was swallowed")
					}
					// A dead writer stays dead; a failed tick is made up for.
					if w.log != nil {
						_, err := w.log.Append(context.Background(), []ledger.Draft{{Kind: kindPlain}})
						if dead := fired && op == memstore.Append; dead != errors.Is(err, ledger.ErrDead) {
							t.Errorf("append after the fault: %v", err)
						} else if dead != errors.Is(w.log.View(func() {}), ledger.ErrDead) {
							t.Errorf("view after the fault")
						}
						if err == nil {
							s.acked = append(s.acked, ledger.Sealed{})
						}
					}
					s.check(w, "the fault")
					w.clock.Add(time.Minute)
					w.open()
					s.check(w, "starting anew")
					if int(w.state.entries) < len(s.acked) {
						t.Errorf("%d entries folded, %d acknowledged", w.state.entries, len(s.acked))
					}
					w.append(kindPublic, 1)
					w.clock.Add(time.Minute)
					w.tick()
					s.check(w, "going on")
				})
				if !fired {
					break
				}
			}
		}
	}
}

func write(op memstore.Op) bool {
	for _, w := range memstore.Writes {
		if w == op {
			return true
		}
	}
	return false
}

// bareWorld has nothing open yet.
func bareWorld(t testing.TB) *world {
	c := &clock{now: genesis}
	return &world{t: t, clock: c, store: memstore.New(nil), folder: memstore.NewFolder(nil), outside: memstore.NewOutside(nil), opt: options(t, c)}
}

// TestAnchorsRegenerate runs one history with and without restarts and stalls at
// random points: the published bytes are the same in the end.
func TestAnchorsRegenerate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			wait    time.Duration
			entries int
			public  bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				wait:    time.Duration(rapid.Int64Range(0, 200_000_000).Draw(rt, "µs")) * time.Microsecond,
				entries: rapid.IntRange(0, 3).Draw(rt, "entries"),
				public:  rapid.Bool().Draw(rt, "public"),
			}
		}), 1, 30).Draw(rt, "steps")
		restart := rapid.SliceOfN(rapid.IntRange(0, 5), len(steps), len(steps)).Draw(rt, "restart")

		run := func(disturbed bool) (*world, map[string][]byte) {
			w := bareWorld(t)
			w.open()
			for i, s := range steps {
				w.clock.Add(s.wait)
				kind := kindPlain
				if s.public {
					kind = kindPublic
				}
				for range s.entries {
					w.append(kind, uint64(i))
				}
				if !disturbed {
					w.tick()
				} else if restart[i] == 0 {
					w.open()
				} else if restart[i] == 1 {
					// Dies between signing and publishing.
					_ = w.tryOpen(memstore.Once(memstore.Publish, 1, memstore.Fault{Err: errFault, Part: 1}))
					w.open()
				}
			}
			w.clock.Add(time.Minute)
			w.tick()
			w.mustVerify()
			return w, w.folder.Files()
		}
		calm, files := run(false)
		other, disturbed := run(true)
		// The disturbed run made fewer partial tiles; those it has, and all
		// that the last checkpoint needs, are the same. Entries' salts are not.
		if calm.log.Size() != other.log.Size() || calm.log.Anchors() != other.log.Anchors() {
			rt.Fatalf("%d entries, %d anchors and %d, %d", calm.log.Size(), calm.log.Anchors(), other.log.Size(), other.log.Anchors())
		}
		for path := range disturbed {
			if _, ok := files[path]; !ok {
				rt.Errorf("%s is there only after restarts", path)
			}
		}
		// The very same records give the very same bytes on an empty folder.
		again := memstore.NewFolder(nil)
		if _, err := ledger.Open(context.Background(), other.store.Reopen(nil), again, other.outside, other.opt, nil); err != nil {
			rt.Fatal(err)
		}
		for path, b := range again.Files() {
			if !bytes.Equal(b, disturbed[path]) {
				rt.Errorf("%s is made differently anew", path)
			}
		}
	})
}

// TestTimes checks the rules on which anchors depend.
func TestTimes(t *testing.T) {
	w := newWorld(t)
	boundary := genesis.Truncate(time.Minute).Add(time.Minute)
	w.clock.now = boundary
	a := w.append(kindPublic, 1)
	if !a.Entry.Time.Equal(boundary) {
		t.Fatalf("entry of %v at %v", a.Entry.Time, boundary)
	}
	w.tick()
	if w.log.Anchors() != 1 {
		t.Fatalf("%d anchors: an entry on the boundary is covered by that very tick", w.log.Anchors())
	}
	b := w.append(kindPublic, 1)
	if want := boundary.Add(time.Microsecond); !b.Entry.Time.Equal(want) {
		t.Errorf("after the anchor an entry is of %v, want %v", b.Entry.Time, want)
	}
	w.clock.now = genesis.Add(-time.Hour)
	c := w.append(kindPlain, 1)
	if c.Entry.Time.Before(b.Entry.Time) {
		t.Errorf("time ran backwards: %v", c.Entry.Time)
	}
	w.tick()
	w.open()
	w.append(kindPlain, 1)
	w.mustVerify()

	w.clock.now = genesis.Add(6 * 366 * 24 * time.Hour)
	if _, err := w.log.Append(context.Background(), []ledger.Draft{{Kind: kindPlain}}); !errors.Is(err, ledger.ErrClock) {
		t.Errorf("a clock six years ahead: %v", err)
	}
	if err := w.log.Tick(context.Background()); !errors.Is(err, ledger.ErrClock) {
		t.Errorf("a tick six years ahead: %v", err)
	}
	w.clock.now = genesis.Add(2 * time.Minute)
	w.append(kindPlain, 1)
	w.tick()
	w.mustVerify()
}

// TestMissedTicks fills a hundred days of ticks at once: one checkpoint, one
// batch, no partial tile in between.
func TestMissedTicks(t *testing.T) {
	w := newWorld(t)
	w.append(kindPublic, 1)
	var saves, batches int
	count := func(op memstore.Op) memstore.Fault {
		switch op {
		case memstore.Save:
			saves++
		case memstore.Publish:
			batches++
		}
		return memstore.Fault{}
	}
	w.clock.Add(100 * 24 * time.Hour)
	start := time.Now()
	if err := w.tryOpen(count); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d anchors in %v", w.log.Anchors(), time.Since(start))
	if w.log.Anchors() != 100*24*60 || saves != 1 || batches != 1 {
		t.Errorf("%d anchors with %d checkpoints in %d batches, want 144000, 1, 1", w.log.Anchors(), saves, batches)
	}
	partial := 0
	for path := range w.folder.Files() {
		if tile, err := entrylog.ParseTilePath(path); err == nil && tile.Width != 256 {
			partial++
		}
	}
	if partial != 4 { // three levels and the last bundle
		t.Errorf("%d partial tiles, want 4", partial)
	}
	w.mustVerify()
}
