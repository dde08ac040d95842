//go:build unix

package keep_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"forewarn/internal/folder"
	"forewarn/internal/keep"
)

// A pipe in a file's place is no file, and nobody waits for what comes through it.
func TestPipeInABackup(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest, at := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "again")
	w.backup(dest)
	name := glob(t, dest, "desk/blobs/*/*")
	ok(t, os.Remove(name))
	ok(t, syscall.Mkfifo(name, 0o600))
	k := w.kept(w.sealed(keep.OfDesk), w.sealed(keep.OfSealer))
	if _, err := keep.Restore(ctx, dest, k, at, keep.Choices{}, w.exam()); !errors.Is(err, folder.ErrDamaged) {
		t.Error(err)
	}
}
