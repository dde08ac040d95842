package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"forewarn/internal/ledger"
	"forewarn/internal/signin"
)

// SignIn keeps sign-in's items in a file of its own, beside the log and not of
// it. The file may be deleted while nothing runs; then people sign in again. So
// one that can't be read is made anew.
type SignIn struct{ db *sql.DB }

var _ signin.Store = (*SignIn)(nil)

const signinVersion = 1

var signinSchema = []string{
	"CREATE TABLE items (kind TEXT NOT NULL, key BLOB NOT NULL, owner BLOB NOT NULL, value BLOB NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID",
	"CREATE INDEX owned ON items (kind, owner)",
	"CREATE INDEX lapsing ON items (expires)",
	"CREATE TABLE counts (kind TEXT NOT NULL, key BLOB NOT NULL, n INTEGER NOT NULL, ends INTEGER NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID",
	fmt.Sprintf("PRAGMA user_version = %d", signinVersion),
}

// OpenSignIn opens the file, and makes it where it is missing, of another
// version, or damaged: what it holds counts, answers to Idempotency-Keys among it, so
// nothing else is a reason. One process at a time may have it: the one that
// writes the log.
func OpenSignIn(ctx context.Context, path string) (*SignIn, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s, err := openSignIn(ctx, path)
	if err == nil {
		return s, nil
	}
	// What stands in its way goes by: a full disk, a start that is stopped again.
	if err = classify(err); !errors.Is(err, ErrForeign) && !errors.Is(err, ledger.ErrDamaged) {
		return nil, fmt.Errorf("sessions %q: %w", path, err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("sessions %q: %w", path, err)
		}
	}
	if s, err = openSignIn(ctx, path); err != nil {
		return nil, fmt.Errorf("sessions %q: %w", path, err)
	}
	return s, nil
}

func openSignIn(ctx context.Context, path string) (*SignIn, error) {
	// Only its owner reads it: it says who was signed in, when.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	db, err := connect(path, "rw", 1)
	if err != nil {
		return nil, err
	}
	s := &SignIn{db}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *SignIn) prepare(ctx context.Context) error {
	var version, tables int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	// What is kept may be lost in a crash of the machine, so a commit needs no
	// sync; what is dropped must not come back, so Drop syncs.
	for _, q := range []string{"PRAGMA secure_delete = ON", "PRAGMA synchronous = NORMAL"} {
		if _, err := s.db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	switch {
	case version == signinVersion:
		var sound string
		if err := s.db.QueryRowContext(ctx, "PRAGMA quick_check").Scan(&sound); err != nil || sound != "ok" {
			return fmt.Errorf("it is damaged (%s): %w", sound, ErrForeign)
		}
		return nil
	case version != 0 || tables != 0:
		return ErrForeign
	}
	for _, q := range signinSchema {
		if _, err := s.db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Close gives back the file.
func (s *SignIn) Close() error { return s.db.Close() }

// Put implements signin.Store.
func (s *SignIn) Put(ctx context.Context, it signin.Item) error {
	_, err := s.db.ExecContext(ctx, "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)", it.Kind, it.Key[:], it.Owner[:], bytesOf(it.Value), it.Expires.UnixMicro())
	return err
}

// bytesOf is never nil, which SQLite would take for NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Add implements signin.Store.
func (s *SignIn) Add(ctx context.Context, it signin.Item, now time.Time) error {
	r, err := s.db.ExecContext(ctx, `INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (kind, key) DO UPDATE SET owner = ?3, value = ?4, expires = ?5 WHERE expires <= ?6`,
		it.Kind, it.Key[:], it.Owner[:], bytesOf(it.Value), it.Expires.UnixMicro(), now.UnixMicro())
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, signin.ErrTaken)
	}
	return nil
}

// Replace implements signin.Store.
func (s *SignIn) Replace(ctx context.Context, it signin.Item) error {
	r, err := s.db.ExecContext(ctx, "UPDATE items SET owner = ?, value = ?, expires = ? WHERE kind = ? AND key = ?", it.Owner[:], bytesOf(it.Value), it.Expires.UnixMicro(), it.Kind, it.Key[:])
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, signin.ErrNone)
	}
	return nil
}

// Get implements signin.Store.
func (s *SignIn) Get(ctx context.Context, kind string, key signin.Key, now time.Time) (signin.Item, error) {
	return s.one(ctx, "SELECT owner, value, expires FROM items WHERE kind = ? AND key = ?", kind, key, now)
}

// Take implements signin.Store.
func (s *SignIn) Take(ctx context.Context, kind string, key signin.Key, now time.Time) (signin.Item, error) {
	return s.one(ctx, "DELETE FROM items WHERE kind = ? AND key = ? RETURNING owner, value, expires", kind, key, now)
}

func (s *SignIn) one(ctx context.Context, query, kind string, key signin.Key, now time.Time) (signin.Item, error) {
	it := signin.Item{Kind: kind, Key: key}
	var owner []byte
	var expires int64
	err := s.db.QueryRowContext(ctx, query, kind, key[:]).Scan(&owner, &it.Value, &expires)
	it.Expires = time.UnixMicro(expires).UTC()
	copy(it.Owner[:], owner)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && !now.Before(it.Expires):
		return signin.Item{}, signin.ErrNone
	case err != nil:
		return signin.Item{}, err
	}
	return it, nil
}

// Drop implements signin.Store.
func (s *SignIn) Drop(ctx context.Context, kind string, key signin.Key) error {
	if _, err := s.db.ExecContext(ctx, "DELETE FROM items WHERE kind = ? AND key = ?", kind, key[:]); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, "PRAGMA wal_checkpoint(FULL)")
	return err
}

// Owned implements signin.Store.
func (s *SignIn) Owned(ctx context.Context, kind string, owner [16]byte, now time.Time) (out []signin.Item, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT key, value, expires FROM items WHERE kind = ? AND owner = ? AND expires > ? ORDER BY key", kind, owner[:], now.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		it := signin.Item{Kind: kind, Owner: owner}
		var key []byte
		var expires int64
		if err := rows.Scan(&key, &it.Value, &expires); err != nil {
			return nil, err
		}
		copy(it.Key[:], key)
		it.Expires = time.UnixMicro(expires).UTC()
		out = append(out, it)
	}
	return out, rows.Err()
}

// Count implements signin.Store.
func (s *SignIn) Count(ctx context.Context, kind string, key signin.Key, now time.Time, window time.Duration) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `INSERT INTO counts VALUES (?1, ?2, 1, ?4)
		ON CONFLICT (kind, key) DO UPDATE SET n = CASE WHEN ends <= ?3 THEN 1 ELSE n + 1 END, ends = CASE WHEN ends <= ?3 THEN ?4 ELSE ends END
		RETURNING n`, kind, key[:], now.UnixMicro(), now.Add(window).UnixMicro()).Scan(&n)
	return n, err
}

// Sweep implements signin.Store.
func (s *SignIn) Sweep(ctx context.Context, now time.Time) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM items WHERE expires <= ?", now.UnixMicro())
	_, err2 := s.db.ExecContext(ctx, "DELETE FROM counts WHERE ends <= ?", now.UnixMicro())
	return errors.Join(err, err2)
}
