package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CopyTo writes the log as it is at one moment to a new file, compact and in one
// piece, while others read and write: SQLite's VACUUM INTO, which holds up no
// writer. The copy is a log like any other, durable when CopyTo returns. It is
// fs.ErrExist when there is a file already, and nothing is left after an error.
func (s *Store) CopyTo(ctx context.Context, path string) (err error) {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.use.RUnlock()
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("log %q: %w; nothing was changed", path, fs.ErrExist)
	}
	// Whoever may not read the log may not read the copy, from its first byte on.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("log %q: %w", path, fsError(err))
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path)
		}
	}()
	// A connection of its own: those for reading refuse whatever looks like a write.
	db, err := connect(s.path, "ro", 1)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "PRAGMA query_only = 0"); err != nil {
		return fmt.Errorf("log %q: %w", s.path, classify(err))
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("log %q, copied to %q: %w", s.path, path, classify(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("log %q: %w", path, fsError(err))
	}
	return syncFolder(filepath.Dir(path))
}
