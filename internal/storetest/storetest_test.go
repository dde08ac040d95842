package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
	"forewarn/internal/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) (ledger.Store, storetest.Reopen) {
		s := memstore.New(nil)
		return s, func() ledger.Store { return s.Reopen(nil) }
	})
}

func TestMemoryPublisher(t *testing.T) {
	storetest.RunPublisher(t, func(*testing.T) ledger.Publisher { return memstore.NewFolder(nil) })
}

func TestMemoryOutside(t *testing.T) {
	storetest.RunOutside(t, func(*testing.T) (o, again ledger.Outside) {
		m := memstore.NewOutside(nil)
		return m, m
	})
}

var errDisk = errors.New("the disk said no")

// effects is what a log, a folder and an outside checkpoint show for having had
// an operation.
type effects struct {
	store   *memstore.Store
	folder  *memstore.Folder
	outside *memstore.Outside
}

// Each row is an operation with an effect: do it, and see whether it happened.
var rows = []struct {
	op   memstore.Op
	do   func(e effects, epoch uint64) error
	seen func(e effects, epoch uint64) bool
}{
	{memstore.Acquire,
		func(e effects, _ uint64) error { _, err := e.store.Acquire(ctx); return err },
		func(e effects, epoch uint64) bool {
			return errors.Is(e.store.Append(ctx, 0, epoch, nil), ledger.ErrFenced)
		}},
	{memstore.Append,
		func(e effects, epoch uint64) error {
			return e.store.Append(ctx, 0, epoch, []entrylog.Record{storetest.Record(0, 9), storetest.Record(1, 9)})
		},
		func(e effects, _ uint64) bool { n, _ := e.store.Size(ctx); return n == 2 }},
	{memstore.SetHead,
		func(e effects, epoch uint64) error { return e.store.SetHead(ctx, epoch, []byte("head")) },
		func(e effects, _ uint64) bool { b, _ := e.store.Head(ctx); return string(b) == "head" }},
	{memstore.Publish,
		func(e effects, _ uint64) error {
			return e.folder.Publish(ctx, []ledger.File{{Path: "tile"}, {Path: "checkpoint"}})
		},
		func(e effects, _ uint64) bool { _, err := e.folder.ReadFile(ctx, "checkpoint"); return err == nil }},
	{memstore.Remove,
		func(e effects, _ uint64) error { return e.folder.Remove(ctx, []string{"old"}) },
		func(e effects, _ uint64) bool { _, err := e.folder.ReadFile(ctx, "old"); return err != nil }},
	{memstore.Save,
		func(e effects, _ uint64) error { return e.outside.Save(ctx, []byte("saved")) },
		func(e effects, _ uint64) bool { b, _ := e.outside.Load(ctx); return string(b) == "saved" }},
}

var ctx = context.Background()

// TestFaultTable shows that the two ways to fail are what tests of the ledger
// take them for: *failed* leaves nothing, *failed but persisted* leaves all; both
// return the error, and the next try is as if nothing had failed.
func TestFaultTable(t *testing.T) {
	covered := map[memstore.Op]bool{}
	for _, row := range rows {
		covered[row.op] = true
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/persisted=%v", row.op, kept), func(t *testing.T) {
				e := effects{memstore.New(nil), memstore.NewFolder(nil), memstore.NewOutside(nil)}
				epoch, err := e.store.Acquire(ctx)
				if err == nil {
					err = e.folder.Publish(ctx, []ledger.File{{Path: "old"}})
				}
				if err != nil {
					t.Fatal(err)
				}
				fault := memstore.Once(row.op, 1, memstore.Fault{Err: errDisk, Kept: kept})
				faulty := effects{e.store.Reopen(fault), e.folder, memstore.NewOutside(fault)}
				e.outside = faulty.outside
				e.folder.SetHook(fault)

				if err := row.do(faulty, epoch); !errors.Is(err, errDisk) {
					t.Errorf("the operation gave %v", err)
				}
				if row.seen(e, epoch) != kept {
					t.Errorf("the effect happened: %v, want %v", !kept, kept)
				}
				if kept && row.op == memstore.Append {
					return // the second try conflicts, as it should
				}
				if err := row.do(faulty, epoch); err != nil || !row.seen(e, epoch) {
					t.Errorf("the second try: %v", err)
				}
			})
		}
	}
	for _, op := range memstore.Writes {
		if !covered[op] {
			t.Errorf("%s has an effect and no row", op)
		}
	}
}
