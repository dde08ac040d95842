package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// checkpointPages is how many pages the write-ahead log takes before a commit
// also moves them into the file (16 MiB): rarely enough that few commits wait
// for it, often enough that the log stays small.
const checkpointPages = 4096

// writer is the one connection that writes, with its statements.
type writer struct {
	mu   sync.Mutex // one transaction at a time
	path string
	db   *sql.DB
	lock *fileLock // nil until acquired

	// Prepared on first use, all on conn.
	conn                      *sql.Conn
	prepared                  []*sql.Stmt // all of them
	begin, commit, rollback   *sql.Stmt
	look, raise, resize, head *sql.Stmt
	insert                    *sql.Stmt

	row     []byte // scratch
	rowMost int    // rowBytes, but in tests
}

func newWriter(path string) (*writer, error) {
	db, err := connect(path, "rw", 1)
	if err != nil {
		return nil, err
	}
	return &writer{path: path, db: db, rowMost: rowBytes}, nil
}

func (w *writer) close() error {
	if w.conn != nil {
		// SQLite keeps a connection whose statements are not closed, and then
		// never folds the write-ahead log into the file.
		for _, stmt := range w.prepared {
			stmt.Close()
		}
		w.conn.Close()
	}
	err := w.db.Close()
	if w.lock != nil {
		w.lock.release()
	}
	return err
}

// connect prepares everything once. Statements belong to the one connection.
func (w *writer) connect(ctx context.Context) (err error) {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&w.begin, "BEGIN IMMEDIATE"}, {&w.commit, "COMMIT"}, {&w.rollback, "ROLLBACK"},
		{&w.look, "SELECT epoch, size FROM writer WHERE one = 1"},
		{&w.insert, "INSERT INTO entries VALUES (?, ?)"},
		{&w.resize, "UPDATE writer SET size = ? WHERE one = 1"},
		{&w.raise, "UPDATE writer SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch"},
		{&w.head, "UPDATE head SET note = ? WHERE one = 1"},
	} {
		if *p.to, err = conn.PrepareContext(ctx, p.text); err != nil {
			for _, stmt := range w.prepared {
				stmt.Close()
			}
			w.prepared = nil
			conn.Close()
			return classify(err)
		}
		w.prepared = append(w.prepared, *p.to)
	}
	w.conn = conn
	return nil
}

// within runs f in a transaction that is durable when within returns nil. Once
// begun it is not interrupted: a caller's context must not leave open whether
// an append was kept.
func (w *writer) within(ctx context.Context, f func(context.Context) error) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if _, err := w.begin.ExecContext(ctx); err != nil {
		return classify(err)
	}
	if err := f(ctx); err != nil {
		w.rollback.ExecContext(ctx)
		return classify(err)
	}
	if _, err := w.commit.ExecContext(ctx); err != nil {
		w.rollback.ExecContext(ctx) // SQLite keeps a transaction open that could not commit for being busy
		return classify(err)
	}
	return nil
}

// fence reads epoch and size within a transaction, and refuses an old epoch.
func (w *writer) fence(ctx context.Context, epoch uint64) (size entrylog.Seq, err error) {
	var newest, n int64
	if err := w.look.QueryRowContext(ctx).Scan(&newest, &n); err != nil {
		return 0, err
	}
	if epoch == 0 || epoch != uint64(newest) {
		return 0, fmt.Errorf("%w: this one's epoch is %d, the newest is %d", ledger.ErrFenced, epoch, newest)
	}
	return entrylog.Seq(n), nil
}

// Say tells those who find the log held what its holder does, in a few words that
// go on after "process N has it and": it is in the text of their ledger.ErrLocked.
// It says nothing while the log isn't held.
func (s *Store) Say(ctx context.Context, text string) error {
	w, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer s.done(w)
	if w.lock == nil {
		return nil
	}
	return fsError(w.lock.say(text))
}

// Acquire implements ledger.Store: it takes the lock file beside the log, with
// flock(2) where there is one, and raises the epoch.
func (s *Store) Acquire(ctx context.Context) (epoch uint64, err error) {
	w, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer s.done(w)
	if w.lock == nil {
		if w.lock, err = lockFile(s.path + ".lock"); err != nil {
			return 0, fmt.Errorf("log %q: %w", s.path, err)
		}
		defer func() {
			if err != nil {
				w.lock.release()
				w.lock = nil
			}
		}()
	}
	if err = w.settle(ctx); err != nil {
		return 0, err
	}
	err = w.within(ctx, func(ctx context.Context) error {
		return w.raise.QueryRowContext(ctx).Scan(&epoch)
	})
	return epoch, err
}

// settleMillis is how long readers are waited for.
const settleMillis = 1_000

// settle moves what an earlier writer left in the write-ahead log into the file. When
// that one ended because a sync failed, the system may hold pages in memory that it
// believes to be on the disk and never writes again; a power failure would then cut the
// log off there, with all that was appended and synced behind. Moved, they are written
// and synced anew. Where a reader keeps the old log in use it is moved as far as it can
// be.
func (w *writer) settle(ctx context.Context) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	for _, q := range []string{fmt.Sprintf("PRAGMA busy_timeout = %d", settleMillis), "PRAGMA wal_checkpoint(TRUNCATE)", fmt.Sprintf("PRAGMA busy_timeout = %d", busyMillis)} {
		if _, err := w.conn.ExecContext(ctx, q); err != nil {
			return classify(err)
		}
	}
	return nil
}

// write begins an operation that writes; the caller calls done after.
func (s *Store) write(ctx context.Context) (*writer, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	if s.readOnly {
		s.use.RUnlock()
		return nil, ledger.ErrReadOnly
	}
	s.writer.mu.Lock()
	return s.writer, nil
}

func (s *Store) done(w *writer) {
	w.mu.Unlock()
	s.use.RUnlock()
}

// Append implements ledger.Store.
func (s *Store) Append(ctx context.Context, at entrylog.Seq, epoch uint64, recs []entrylog.Record) error {
	w, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer s.done(w)
	for i, r := range recs {
		if len(r.Entry) == 0 || len(r.Entry) > entrylog.MaxEntry {
			return fmt.Errorf("record %d of the append has %d bytes; 1 to %d are kept. Nothing was kept", i, len(r.Entry), entrylog.MaxEntry)
		}
	}
	err = w.within(ctx, func(ctx context.Context) error {
		size, err := w.fence(ctx, epoch)
		if err != nil {
			return err
		}
		if size != at {
			return fmt.Errorf("%w: it has %d entries, not %d", ledger.ErrConflict, size, at)
		}
		if len(recs) == 0 {
			return nil
		}
		if err := w.insertAll(ctx, at, recs); err != nil {
			return err
		}
		_, err = w.resize.ExecContext(ctx, int64(at)+int64(len(recs)))
		return err
	})
	if err != nil {
		return err
	}
	if len(recs) > 0 {
		s.grown.send()
	}
	return nil
}

func (w *writer) insertAll(ctx context.Context, at entrylog.Seq, recs []entrylog.Record) error {
	for len(recs) > 0 {
		var rest []entrylog.Record
		w.row, rest = cutRow(w.row, recs, w.rowMost)
		if _, err := w.insert.ExecContext(ctx, int64(at), w.row); err != nil {
			return err
		}
		at += entrylog.Seq(len(recs) - len(rest))
		recs = rest
	}
	if cap(w.row) > 2*entrylog.MaxEntry {
		w.row = nil
	}
	return nil
}

// SetHead implements ledger.Store.
func (s *Store) SetHead(ctx context.Context, epoch uint64, head []byte) error {
	if len(head) > maxHead {
		return fmt.Errorf("a head of %d bytes; at most %d are kept. Nothing was kept", len(head), maxHead)
	}
	w, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer s.done(w)
	return w.within(ctx, func(ctx context.Context) error {
		if _, err := w.fence(ctx, epoch); err != nil {
			return err
		}
		_, err := w.head.ExecContext(ctx, append([]byte{}, head...))
		return err
	})
}
