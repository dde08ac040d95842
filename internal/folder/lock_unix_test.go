//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package folder

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A lock is given up at once, also while a process that was just forked still has
// its file.
func TestLockReleasedWhileForked(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	l, err := Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	forked, err := syscall.Dup(int(l.(held).Fd())) // what a fork does to each file
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(forked)
	if _, err := Lock(name); err == nil {
		t.Error("it is locked twice")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
