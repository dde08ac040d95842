package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
)

// TestTurn: readers and writers take turns at one log, and it stays one log.
func TestTurn(t *testing.T) {
	ctx := context.Background()
	w := grown(t)
	seen := &state{}
	r, err := ledger.OpenReader(ctx, w.store.Reopen(nil), w.opt, seen.apply)
	if err != nil {
		t.Fatal(err)
	}
	turn := func(n uint64) error {
		return r.Turn(ctx, w.store.Reopen(nil), w.folder, w.outside, func() error {
			for i := range n {
				if _, err := r.Append(ctx, []ledger.Draft{{Kind: kindPublic, Body: body(i)}}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for round := range uint64(5) {
		if err := w.log.Close(); err != nil {
			t.Fatal(err)
		}
		if err := turn(round); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		w.mustVerify()
		if _, err := r.Append(ctx, nil); !errors.Is(err, ledger.ErrReadOnly) {
			t.Errorf("round %d: appending after the turn: %v", round, err)
		}
		w.clock.Add(90 * time.Second)
		w.open()
		if w.state.entries != seen.entries || w.state.sum != seen.sum {
			t.Errorf("round %d: another writer sees %d entries, the reader saw %d", round, w.state.entries, seen.entries)
		}
		w.append(kindPlain, round)
		w.clock.Add(90 * time.Second)
		w.tick()
		w.mustVerify()
	}
	if err := r.Refresh(ctx); err != nil || r.Anchors() != w.log.Anchors() || seen.sum != w.state.sum {
		t.Errorf("in the end: %v, %d anchors of %d", err, r.Anchors(), w.log.Anchors())
	}
	if err := w.log.Turn(ctx, w.store, w.folder, w.outside, func() error { return nil }); err == nil {
		t.Error("a writer takes a turn")
	}
}

// TestTurnOfAnotherFolder: a reader that saw more than the folder now has does not
// write to it, nor one that saw something else.
func TestTurnOfAnotherFolder(t *testing.T) {
	ctx := context.Background()
	w := grown(t)
	older := w.store.Copy(nil)
	w.clock.Add(90 * time.Second)
	w.append(kindPlain, 1)
	w.clock.Add(90 * time.Second)
	w.tick()
	seen := &state{}
	r, err := ledger.OpenReader(ctx, w.store.Reopen(nil), w.opt, seen.apply)
	if err != nil {
		t.Fatal(err)
	}
	w.log.Close()
	err = r.Turn(ctx, older, w.folder, w.outside, func() error {
		_, err := r.Append(ctx, []ledger.Draft{{Kind: kindPlain, Body: body(1)}})
		return err
	})
	if err == nil {
		t.Error("it wrote to an older folder")
	}
	w.open()
	w.mustVerify()
}

// TestTurnFaults: whatever effect of a turn goes wrong, the log is whole, and what
// was acknowledged is in it.
func TestTurnFaults(t *testing.T) {
	ctx := context.Background()
	for _, kept := range []bool{false, true} {
		for n := 0; ; n++ {
			w := grown(t)
			seen := &state{}
			r, err := ledger.OpenReader(ctx, w.store.Reopen(nil), w.opt, seen.apply)
			if err != nil {
				t.Fatal(err)
			}
			w.log.Close()
			w.clock.Add(90 * time.Second)
			i, before := 0, seen.entries
			hook := func(op memstore.Op) memstore.Fault {
				if !write(op) {
					return memstore.Fault{}
				}
				if i++; i == n+1 {
					return memstore.Fault{Err: errors.New("fault"), Kept: kept}
				}
				return memstore.Fault{}
			}
			w.folder.SetHook(hook)
			w.outside.SetHook(hook)
			acked := false
			err = r.Turn(ctx, w.store.Reopen(hook), w.folder, w.outside, func() error {
				_, err := r.Append(ctx, []ledger.Draft{{Kind: kindPlain, Body: body(9)}})
				acked = err == nil
				return err
			})
			if err == nil && !acked {
				t.Errorf("effect %d: no error and no entry", n+1)
			}
			w.open()
			w.mustVerify()
			if acked && w.state.entries != before+1 {
				t.Errorf("effect %d, kept %v: an acknowledged entry is lost", n+1, kept)
			}
			if i <= n {
				if n < 3 {
					t.Errorf("a turn has only %d effects", n)
				}
				break
			}
		}
	}
}
