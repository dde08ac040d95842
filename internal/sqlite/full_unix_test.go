//go:build linux

package sqlite

import (
	"fmt"
	"os/signal"
	"syscall"

	"forewarn/internal/entrylog"
	"forewarn/internal/storetest"
)

// appendUntilFull lets no file of this process grow beyond 1 MiB, which the log
// meets as it would a full disk.
func appendUntilFull(path string) error {
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	epoch, err := s.Acquire(ctx)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		fmt.Println("no limit here")
		return err
	}
	for at := entrylog.Seq(0); ; at++ {
		if err := s.Append(ctx, at, epoch, []entrylog.Record{storetest.Record(at, 3000)}); err != nil {
			return err
		}
		fmt.Println(at + 1)
	}
}
