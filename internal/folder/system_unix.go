//go:build unix

package folder

import (
	"os"
	"path/filepath"
	"syscall"
)

// nonblock keeps the opening of a named pipe from waiting for its other end.
const nonblock = syscall.O_NONBLOCK

func syncDir(d *os.File) error { return d.Sync() }

func parentOf(dir string) string { return filepath.Dir(filepath.Clean(dir)) }

// exposed reports whether accounts other than the owner may use the file.
func exposed(info os.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
