//go:build unix

package serve

import (
	"math"
	"syscall"
)

// maxConnections is how many connections leave the desk files to open. Go has raised
// the limit to the hard one.
func maxConnections() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return connectionsOfOne
	}
	files := int(min(uint64(r.Cur), math.MaxInt32))
	return max(1, files-min(filesKept, files/4))
}
