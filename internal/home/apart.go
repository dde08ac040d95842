package home

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"forewarn/internal/apart"
	"forewarn/internal/coordinator"
	"forewarn/internal/hostile"
)

// Whatever program this is, when it is started as a process apart it is one, and
// nothing else of it runs: a test that started itself would do so without end.
func init() {
	asked := os.Getenv(apart.Asked)
	if asked == "" {
		return
	}
	if err := apart.Serve(hostile.Tasks, asked, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Apart does what bytes need that nobody vouches for in processes of their own, which
// are this program again.
func (m Machine) Apart() coordinator.Apart {
	if m.SealerInside {
		return nil
	}
	return func(ctx context.Context, task string, in []byte) ([]byte, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		r := apart.Runner{Tasks: hostile.Tasks, Program: self, Said: func(s string) { slog.Error("a process apart fell", "said", s) }}
		return r.Do(ctx, task, in)
	}
}
