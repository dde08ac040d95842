//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package folder

import (
	"fmt"
	"io"
	"os"
)

// Lock makes the file and holds nobody off: there is no flock here. Run one
// process only.
func Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, bare(err))
	}
	return f, nil
}

// Lock does nothing where there is no flock: let one process at a time use the
// folder there.
func (p Private) Lock() (unlock func(), err error) { return func() {}, nil }
