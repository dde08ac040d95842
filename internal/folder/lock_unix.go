//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package folder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Lock takes flock(2) on a file, making it where it is missing, or returns
// ErrHeld. The kernel gives it up with the process, however that ends; the file
// stays, empty.
func Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, bare(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %q", ErrHeld, name)
		}
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	return held{f}, nil
}

// held is a locked file. To close it isn't enough to give it up while a process that
// was forked in between has it too, which it has until it is another program.
type held struct{ *os.File }

func (h held) Close() error {
	syscall.Flock(int(h.Fd()), syscall.LOCK_UN)
	return h.File.Close()
}

// lockName is the file that is locked. It is empty, and stays.
const lockName = "lock"

// Lock waits until nobody else has the folder locked, in this process or another,
// with flock(2): the kernel gives it up with the process, however that ends.
func (p Private) Lock() (unlock func(), err error) {
	f, err := p.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE|nonblock, 0o600)
	if err != nil {
		return nil, p.fail(lockName, err)
	}
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, p.fail(lockName, err)
	}
	return func() { held{f}.Close() }, nil
}
