package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/storetest"
)

// TestWhatWasNotSyncedIsWrittenAgain: a sync fails, the writer ends, and the next one
// finds in the write-ahead log what the system holds in memory and believes to be on
// the disk. When the power goes later, nothing that the next one acknowledged goes.
func TestWhatWasNotSyncedIsWrittenAgain(t *testing.T) {
	files := func(from string) (db, wal []byte) {
		db, err := os.ReadFile(from)
		ok(t, err)
		wal, err = os.ReadFile(from + "-wal")
		ok(t, err)
		return db, wal
	}
	lay := func(db, wal []byte) string {
		path := filepath.Join(t.TempDir(), "log.db")
		ok(t, os.WriteFile(path, db, 0o600))
		ok(t, os.WriteFile(path+"-wal", wal, 0o600))
		return path
	}
	append1 := func(s *Store, at entrylog.Seq) {
		epoch, err := s.Acquire(ctx)
		ok(t, err)
		ok(t, s.Append(ctx, at, epoch, []entrylog.Record{storetest.Record(at, 2000)}))
	}
	s, _ := fresh(t)
	append1(s.(*Store), 0)
	before := lay(files(s.(*Store).path)) // the sync of this failed, and its writer was killed
	_, unsynced := files(before)

	next, err := Open(ctx, before)
	ok(t, err)
	append1(next, 1) // acknowledged
	db, wal := files(before)
	ok(t, next.Close())
	const block = 512
	for i := 0; i+block <= min(len(wal), len(unsynced)); i += block {
		if bytes.Equal(wal[i:i+block], unsynced[i:i+block]) {
			clear(wal[i : i+block]) // nobody wrote it again, so it never reached the disk
		}
	}
	after, err := Open(ctx, lay(db, wal))
	ok(t, err)
	defer after.Close()
	if n, err := after.Size(ctx); err != nil || n != 2 {
		t.Errorf("of two entries, the second of them acknowledged, %d are left (%v)", n, err)
	}
}
