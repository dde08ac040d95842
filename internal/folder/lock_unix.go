//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package folder

import (
	"errors"
	"os"
	"syscall"
)

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
	return func() { f.Close() }, nil
}
