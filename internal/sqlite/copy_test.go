package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"forewarn/internal/entrylog"
)

// A copy is made while a writer writes. It is a whole log: as long as the log was
// at some moment of the copying, with the head of that moment, and nothing torn.
func TestCopyTo(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s, err := Create(ctx, filepath.Join(dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	epoch, err := s.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	record := func(i int) entrylog.Record { return entrylog.Record{Entry: fmt.Appendf(nil, "entry %d", i)} }
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if err := s.Append(ctx, entrylog.Seq(i), epoch, []entrylog.Record{record(i)}); err != nil {
				ended <- err
				return
			}
			if err := s.SetHead(ctx, epoch, fmt.Appendf(nil, "head %d", i+1)); err != nil {
				ended <- err
				return
			}
		}
	}()
	var last entrylog.Seq
	for n := range 5 {
		before, err := s.Size(ctx)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, fmt.Sprintf("copy-%d.db", n))
		if err := s.CopyTo(ctx, to); err != nil {
			t.Fatal(err)
		}
		if i, err := os.Stat(to); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("the copy's mode: %v %v", i.Mode(), err)
		}
		c, err := OpenReadOnly(ctx, to)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		if err := c.Read(ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
			if want := record(seen); int(seq) != seen || string(r.Entry) != string(want.Entry) {
				t.Errorf("entry %d of the copy is %q", seq, r.Entry)
			}
			seen++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		size, _ := c.Size(ctx)
		head, _ := c.Head(ctx)
		if size < before || int(size) != seen || size < last {
			t.Errorf("the copy has %d entries, of which %d were read; the log had %d", size, seen, before)
		}
		// The head follows its entry in a transaction of its own.
		if h := string(head); size > 0 && h != fmt.Sprintf("head %d", size) && h != fmt.Sprintf("head %d", size-1) && size > 1 {
			t.Errorf("a copy of %d entries has %q", size, h)
		}
		last = size
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.CopyTo(ctx, to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("over a copy that is there: %v", err)
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := s.CopyTo(ctx, filepath.Join(dir, "missing", "copy.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a folder that isn't there: %v", err)
	}
}
