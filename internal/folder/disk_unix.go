//go:build linux || darwin || freebsd

package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Free is how many bytes this account can still write to a folder's disk.
func Free(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("the disk of %q: %w", dir, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}

// SameDisk reports whether two files or folders are on one device. Two folders of
// one disk with several partitions are told to be on two.
func SameDisk(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, fmt.Errorf("%q: %w", a, bare(err))
	}
	y, err := os.Stat(b)
	if err != nil {
		return false, fmt.Errorf("%q: %w", b, bare(err))
	}
	return x.Sys().(*syscall.Stat_t).Dev == y.Sys().(*syscall.Stat_t).Dev, nil
}

// Access is how a file or folder stands open to others.
type Access struct {
	Path    string // relative to the folder looked at
	Mode    fs.FileMode
	Foreign bool // it belongs to another account than this process's
}

// EachAccess tells of every file and folder in and below dir. What goes away
// meanwhile is left out, and so is what is in folders that this account can't read.
func EachAccess(dir string, yield func(Access)) error {
	me := uint32(os.Geteuid())
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) && p != dir {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		yield(Access{filepath.ToSlash(rel), info.Mode(), info.Sys().(*syscall.Stat_t).Uid != me})
		return nil
	})
}
