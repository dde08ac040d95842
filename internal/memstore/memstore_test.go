package memstore_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
)

// What the stores must do is in package storetest. Here is what only these do:
// to fail as they are told.

var errTold = errors.New("as told")

func TestFaults(t *testing.T) {
	ctx := context.Background()
	rec := []entrylog.Record{{Entry: []byte{1}}}
	for _, kept := range []bool{false, true} {
		s := memstore.New(memstore.Once(memstore.Append, 2, memstore.Fault{Err: errTold, Kept: kept}))
		epoch, err := s.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(ctx, 0, epoch, rec); err != nil {
			t.Fatalf("the first append: %v", err)
		}
		if err := s.Append(ctx, 1, epoch, rec); !errors.Is(err, errTold) {
			t.Fatalf("the second append: %v", err)
		}
		want := entrylog.Seq(1)
		if kept {
			want = 2
		}
		if n, err := s.Reopen(nil).Size(ctx); err != nil || n != want {
			t.Errorf("kept %v: %d entries, %v", kept, n, err)
		}
		if err := s.Append(ctx, want, epoch, rec); err != nil {
			t.Errorf("once is once: %v", err)
		}
	}
}

func TestPublishPart(t *testing.T) {
	ctx := context.Background()
	f := memstore.NewFolder(memstore.Once(memstore.Publish, 1, memstore.Fault{Err: errTold, Part: 1}))
	files := []ledger.File{{Path: "tile/0/000.p/1", Data: []byte{1}}, {Path: "checkpoint", Data: []byte{2}}}
	if err := f.Publish(ctx, files); !errors.Is(err, errTold) {
		t.Fatal(err)
	}
	if _, err := f.ReadFile(ctx, "tile/0/000.p/1"); err != nil {
		t.Error(err)
	}
	if _, err := f.ReadFile(ctx, "checkpoint"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the second of one file: %v", err)
	}
}

// TestCopyIsABackup: what happens to the log later is not in its copy.
func TestCopyIsABackup(t *testing.T) {
	ctx := context.Background()
	s := memstore.New(nil)
	epoch, _ := s.Acquire(ctx)
	_ = s.SetHead(ctx, epoch, []byte("old"))
	backup := s.Copy(nil)
	_ = s.Append(ctx, 0, epoch, []entrylog.Record{{Entry: []byte{1}}})
	_ = s.SetHead(ctx, epoch, []byte("new"))
	if n, _ := backup.Size(ctx); n != 0 {
		t.Errorf("%d entries in the backup", n)
	}
	if head, _ := backup.Head(ctx); string(head) != "old" {
		t.Errorf("head %q", head)
	}
}
