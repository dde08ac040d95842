package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// followEvery is how often Follow looks for what other processes appended.
const followEvery = 100 * time.Millisecond

// Size implements ledger.Store.
func (s *Store) Size(ctx context.Context) (entrylog.Seq, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.use.RUnlock()
	return s.sizeIn(ctx, s.readers)
}

// queryer is a pool of connections, or one.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) sizeIn(ctx context.Context, q queryer) (entrylog.Seq, error) {
	var n int64
	if err := q.QueryRowContext(ctx, "SELECT size FROM writer WHERE one = 1").Scan(&n); err != nil {
		return 0, s.readError(ctx, err, "the number of its entries")
	}
	if n < 0 {
		return 0, fmt.Errorf("%w: the number of its entries is %d", ledger.ErrDamaged, n)
	}
	return entrylog.Seq(n), nil
}

// Head implements ledger.Store.
func (s *Store) Head(ctx context.Context) ([]byte, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.use.RUnlock()
	var head []byte
	if err := s.readers.QueryRowContext(ctx, "SELECT note FROM head WHERE one = 1").Scan(&head); err != nil {
		return nil, s.readError(ctx, err, "its head")
	}
	return head, nil
}

// Read implements ledger.Store. One Read sees one snapshot.
func (s *Store) Read(ctx context.Context, from entrylog.Seq, yield func(entrylog.Seq, entrylog.Record) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.use.RUnlock()
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return s.readError(ctx, err, "it")
	}
	defer tx.Rollback()
	size, err := s.sizeIn(ctx, tx)
	if err != nil || from > size {
		return err
	}
	next := from
	at := func() string { return fmt.Sprintf("entry %d of %d", next, size) }
	damaged := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s %s; restore the log from a copy", ledger.ErrDamaged, at(), fmt.Sprintf(format, args...))
	}
	// The row that from lies in is the last that begins at or before it.
	rows, err := tx.QueryContext(ctx, `SELECT first, records FROM entries
		WHERE first >= (SELECT coalesce(max(first), 0) FROM entries WHERE first <= ?) ORDER BY first`, int64(from))
	if err != nil {
		return s.readError(ctx, err, at())
	}
	defer rows.Close()
	var first int64
	var row sql.RawBytes
	started := false
	for rows.Next() {
		if err := rows.Scan(&first, &row); err != nil {
			return damaged("cannot be read: %v", err)
		}
		if !started && first >= 0 && entrylog.Seq(first) <= from {
			next = entrylog.Seq(first)
		}
		started = true
		if entrylog.Seq(first) != next {
			return damaged("is missing, entry %d follows", first)
		}
		for rest := []byte(row); len(rest) > 0 || len(row) == 0; next++ {
			select {
			case <-s.closed:
				return ledger.ErrClosed
			default:
			}
			if next >= size {
				return damaged("is there, beyond the last")
			}
			var r entrylog.Record
			var whole bool
			if r, rest, whole = cutRecord(rest); !whole {
				return damaged("is not whole in the row that begins with entry %d", first)
			}
			if next < from {
				continue
			}
			if err := yield(next, r); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return s.readError(ctx, err, at())
	}
	if next < size {
		return damaged("is missing, and all after it")
	}
	return nil
}

// readError says what could not be read. It prefers the caller's own reason to
// what SQLite made of it.
func (s *Store) readError(ctx context.Context, err error, what string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: %s is gone; restore the log from a copy", ledger.ErrDamaged, what)
	case damagedBy(err):
		return fmt.Errorf("%w: %s cannot be read: %w; restore the log from a copy", ledger.ErrDamaged, what, err)
	}
	return fmt.Errorf("reading %s: %w", what, classify(err))
}

// Follow implements ledger.Store. Appends of this process wake it at once,
// those of others are seen within a tenth of a second.
func (s *Store) Follow(ctx context.Context, n entrylog.Seq) (entrylog.Seq, error) {
	poll := time.NewTicker(followEvery)
	defer poll.Stop()
	for {
		grown := s.grown.wait()
		size, err := s.Size(ctx)
		if err != nil || size > n {
			return size, err
		}
		select {
		case <-grown:
		case <-poll.C:
		case <-s.closed:
			return 0, ledger.ErrClosed
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// waking wakes everybody who waits.
type waking struct {
	mu sync.Mutex
	ch chan struct{}
}

func (g *waking) init() { g.ch = make(chan struct{}) }

func (g *waking) wait() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ch
}

func (g *waking) send() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.ch)
	g.ch = make(chan struct{})
}
