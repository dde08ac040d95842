//go:build unix

package form

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used: on a shared machine a wall clock tells
// more about the neighbours.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
