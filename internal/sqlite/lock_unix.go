//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"forewarn/internal/ledger"
)

// fileLock is flock(2) on a file beside the log. The kernel gives it up with the
// process, however that ends; the file stays, and its text is for people.
type fileLock struct{ f *os.File }

func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("its lock file: %w", fsError(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := holderOf(f)
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ledger.ErrLocked, holder)
		}
		return nil, fmt.Errorf("its lock file: %w", err)
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("its lock file: %w", fsError(err))
	}
	return &fileLock{f}, nil
}

// maxSaid bounds what a holder says of itself.
const maxSaid = 512

// say tells those who wait what the holder does.
func (l *fileLock) say(text string) error {
	b := fmt.Appendf(nil, "pid %d\n%.*s\n", os.Getpid(), maxSaid-64, strings.ReplaceAll(text, "\n", " "))
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt(b, 0)
	return err
}

// holderOf reads who wrote the lock file last, and what it said of itself.
func holderOf(f *os.File) string {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, maxSaid))
	first, said, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	var pid int
	if n, _ := fmt.Sscanf(first, "pid %d", &pid); n != 1 {
		return "a process that has not said its number"
	}
	if said != "" {
		said = " and " + strings.ToValidUTF8(said, "")
	}
	return fmt.Sprintf("process %d has it%s", pid, said)
}

// release says so to the kernel: to close the file isn't enough while a process that
// was forked in between has it too, which it has until it is another program.
func (l *fileLock) release() {
	syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN)
	l.f.Close()
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fsError(err)
	}
	defer d.Close()
	return fsError(d.Sync())
}

func canWrite(dir string) bool { return syscall.Access(dir, 2) == nil }
