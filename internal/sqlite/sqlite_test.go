package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/storetest"
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t testing.TB, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%v, want: %v", err, class)
	}
}

func fresh(t *testing.T) (ledger.Store, storetest.Reopen) {
	dir, err := os.MkdirTemp("", "forewarn-sqlite-")
	ok(t, err)
	path := filepath.Join(dir, "log.db")
	var open []*Store
	t.Cleanup(func() {
		for _, s := range open {
			s.Close()
		}
		os.RemoveAll(dir)
	})
	keep := func(s *Store, err error) ledger.Store {
		ok(t, err)
		open = append(open, s)
		return s
	}
	return keep(Create(ctx, path)), func() ledger.Store { return keep(Open(ctx, path)) }
}

func TestStore(t *testing.T) { storetest.Run(t, fresh) }

// A name that is also a URI with a query must not become one.
func TestPathsWithSpecialCharacters(t *testing.T) {
	for _, name := range []string{"a b.db", "a?mode=memory.db", "a%20#x.db", "ä'\".db"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := Create(ctx, path)
		ok(t, err)
		ok(t, s.Close())
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	// A log with something in it, to be spoilt in various ways.
	good := filepath.Join(dir, "good.db")
	s, err := Create(ctx, good)
	ok(t, err)
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	ok(t, s.Append(ctx, 0, epoch, []entrylog.Record{storetest.Record(0, 10)}))
	ok(t, s.Close())
	altered := func(statements ...string) func(string) {
		return func(path string) {
			b, err := os.ReadFile(good)
			ok(t, err)
			ok(t, os.WriteFile(path, b, 0o600))
			db, err := sql.Open("sqlite", path)
			ok(t, err)
			defer db.Close()
			for _, s := range statements {
				_, err := db.Exec(s)
				ok(t, err)
			}
		}
	}
	for name, c := range map[string]struct {
		make func(path string)
		want error
	}{
		"missing":        {func(string) {}, fs.ErrNotExist},
		"folder":         {func(p string) { ok(t, os.Mkdir(p, 0o700)) }, ErrForeign},
		"text":           {func(p string) { ok(t, os.WriteFile(p, bytes.Repeat([]byte("hello\n"), 1000), 0o600)) }, ErrForeign},
		"empty":          {func(p string) { ok(t, os.WriteFile(p, nil, 0o600)) }, ErrForeign},
		"another's":      {altered("PRAGMA application_id = 7"), ErrForeign},
		"newer":          {altered("PRAGMA user_version = 2"), ErrNewer},
		"trigger":        {altered("CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries; END"), ledger.ErrDamaged},
		"view for table": {altered("ALTER TABLE entries RENAME TO e", "CREATE VIEW entries AS SELECT first, records FROM e"), ledger.ErrDamaged},
		"no table":       {altered("DROP TABLE writer"), ledger.ErrDamaged},
		"version 0":      {altered("PRAGMA user_version = 0"), ledger.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".db")
			c.make(path)
			before, _ := os.ReadFile(path)
			for _, open := range []func(context.Context, string) (*Store, error){Open, OpenReadOnly} {
				s, err := open(ctx, path)
				if err == nil {
					s.Close()
				}
				is(t, err, c.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			if len(before) > 0 {
				_, err := Create(ctx, path)
				is(t, err, fs.ErrExist)
				if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
					t.Error("Create changed the file")
				}
			}
		})
	}
	_, err = Create(ctx, good)
	is(t, err, fs.ErrExist)
	_, err = Create(ctx, filepath.Join(dir, "none", "log.db"))
	is(t, err, fs.ErrNotExist)
	// The beginning of a Create that a crash ended is taken up.
	begun := filepath.Join(dir, "begun.db")
	db, err := connect(begun, "rwc", 1)
	ok(t, err)
	ok(t, db.Ping())
	_, err = db.Exec("PRAGMA user_version = 0")
	ok(t, err)
	ok(t, db.Close())
	s, err = Create(ctx, begun)
	ok(t, err)
	ok(t, s.Close())
}

func TestLockTellsItsHolder(t *testing.T) {
	s, reopen := fresh(t)
	_, err := s.Acquire(ctx)
	ok(t, err)
	_, err = reopen().Acquire(ctx)
	is(t, err, ledger.ErrLocked)
	if want := fmt.Sprintf("process %d has it", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
	// What it does it says in a few words, on one line, and the next holder doesn't.
	ok(t, s.(*Store).Say(ctx, "serves the desk\n"+strings.Repeat("é", 600)))
	_, err = reopen().Acquire(ctx)
	if want := fmt.Sprintf("process %d has it and serves the desk éé", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 700 || !utf8.ValidString(err.Error()) {
		t.Errorf("%v does not say %q", err, want)
	}
	ok(t, s.Close())
	next := reopen()
	ok(t, next.(*Store).Say(ctx, "nothing, for it has no lock"))
	_, err = next.Acquire(ctx)
	ok(t, err)
	if _, err = reopen().Acquire(ctx); err == nil || strings.Contains(err.Error(), " and ") {
		t.Errorf("the next holder says what the last one did: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	s, _ := fresh(t)
	path := s.(*Store).path
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	ok(t, s.Append(ctx, 0, epoch, []entrylog.Record{storetest.Record(0, 10)}))
	r, err := OpenReadOnly(ctx, path) // beside the writer
	ok(t, err)
	defer r.Close()
	if n, err := r.Size(ctx); n != 1 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	_, err = r.Acquire(ctx)
	is(t, err, ledger.ErrReadOnly)
	is(t, r.Append(ctx, 1, epoch, nil), ledger.ErrReadOnly)
	is(t, r.SetHead(ctx, epoch, nil), ledger.ErrReadOnly)
	ok(t, s.Append(ctx, 1, epoch, []entrylog.Record{storetest.Record(1, 10)}))
	if n, err := r.Size(ctx); n != 2 || err != nil {
		t.Errorf("size %d, %v: the writer's next append is not seen", n, err)
	}
}

// A file copied to a medium on which nothing can be written still reads.
func TestReadOnlyMedium(t *testing.T) {
	s, _ := fresh(t)
	path := s.(*Store).path
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	ok(t, s.Append(ctx, 0, epoch, []entrylog.Record{storetest.Record(0, 10)}))
	ok(t, s.Close())
	dir := filepath.Dir(path)
	ok(t, os.Chmod(dir, 0o500))
	defer os.Chmod(dir, 0o700)
	if canWrite(dir) {
		t.Skip("this account may write everywhere")
	}
	r, err := OpenReadOnly(ctx, path)
	ok(t, err)
	defer r.Close()
	if n, err := r.Size(ctx); n != 1 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
}

// Another program holds the file for writing for a moment: the append waits.
func TestBusyIsWaitedFor(t *testing.T) {
	s, _ := fresh(t)
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	db, err := connect(s.(*Store).path, "rw", 1)
	ok(t, err)
	defer db.Close()
	conn, err := db.Conn(ctx)
	ok(t, err)
	_, err = conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	ok(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Append(ctx, 0, epoch, []entrylog.Record{storetest.Record(0, 10)}) }()
	_, err = conn.ExecContext(ctx, "COMMIT")
	ok(t, err)
	ok(t, conn.Close())
	ok(t, <-done)
}

func TestLimits(t *testing.T) {
	s, _ := fresh(t)
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	for _, size := range []int{0, entrylog.MaxEntry + 1} {
		if err := s.Append(ctx, 0, epoch, []entrylog.Record{storetest.Record(0, 5), storetest.Record(1, size)}); err == nil {
			t.Errorf("a record of %d bytes was kept", size)
		}
	}
	if err := s.SetHead(ctx, epoch, make([]byte, maxHead+1)); err == nil {
		t.Error("too large a head was kept")
	}
	if n, err := s.Size(ctx); n != 0 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
}
