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
	rows, err := tx.QueryContext(ctx, "SELECT seq, record FROM entry WHERE seq >= ? ORDER BY seq", int64(from))
	if err != nil {
		return s.readError(ctx, err, at())
	}
	defer rows.Close()
	var seq int64
	var raw sql.RawBytes
	for rows.Next() {
		select {
		case <-s.closed:
			return ledger.ErrClosed
		default:
		}
		if err := rows.Scan(&seq, &raw); err != nil {
			return damaged("cannot be read: %v", err)
		}
		if next >= size {
			return damaged("is there, beyond the last")
		}
		if entrylog.Seq(seq) != next {
			return damaged("is missing, entry %d follows", seq)
		}
		r, ok := parseRecord(raw)
		if !ok {
			return damaged("has %d bytes, which no entry has", len(raw))
		}
		if err := yield(next, r); err != nil {
			return err
		}
		next++
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
