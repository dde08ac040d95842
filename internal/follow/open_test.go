package follow

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A pipe beside a log is passed over, not waited for.
func TestPipesAreNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log.1")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := open(path)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, errNoFile) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it is waited for")
	}
}
