//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sqlite

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A lock is given up at once, also while a process that was just forked still has
// its file.
func TestLockReleasedWhileForked(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	l, err := lockFile(name)
	if err != nil {
		t.Fatal(err)
	}
	forked, err := syscall.Dup(int(l.f.Fd())) // what a fork does to each file
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(forked)
	if _, err := lockFile(name); err == nil {
		t.Error("it is locked twice")
	}
	l.release()
	again, err := lockFile(name)
	if err != nil {
		t.Fatal(err)
	}
	again.release()
}
