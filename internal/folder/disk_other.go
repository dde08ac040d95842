//go:build !(linux || darwin || freebsd)

package folder

import (
	"errors"
	"io/fs"
)

// errNoTelling: this system is not asked.
var errNoTelling = errors.ErrUnsupported

// Free can't be told here.
func Free(string) (uint64, error) { return 0, errNoTelling }

// SameDisk can't be told here.
func SameDisk(string, string) (bool, error) { return false, errNoTelling }

// Access is how a file or folder stands open to others.
type Access struct {
	Path    string
	Mode    fs.FileMode
	Foreign bool
}

// EachAccess can't be told here.
func EachAccess(string, func(Access)) error { return errNoTelling }
