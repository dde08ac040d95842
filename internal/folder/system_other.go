//go:build !unix

package folder

import (
	"os"
	"path/filepath"
)

const nonblock = 0

// syncDir does nothing where folders cannot be synced: there the file system
// orders its own names.
func syncDir(*os.File) error { return nil }

func parentOf(dir string) string { return filepath.Dir(filepath.Clean(dir)) }

// exposed cannot tell where modes are not kept.
func exposed(os.FileInfo) bool { return false }
