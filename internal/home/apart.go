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
		select {
		case rooms <- struct{}{}:
			defer func() { <-rooms }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		self, err := self()
		if err != nil {
			return nil, err
		}
		r := apart.Runner{Tasks: hostile.Tasks, Program: self, Said: func(s string) { slog.Error("a process apart fell", "said", s) }}
		return r.Do(ctx, task, in)
	}
}

// rooms bounds how many there are at once: each may take a gigabyte.
var rooms = make(chan struct{}, 2)

// self is this very program, also where another version was put in its place since.
func self() (string, error) {
	const running = "/proc/self/exe"
	if _, err := os.Stat(running); err == nil {
		return running, nil
	}
	return os.Executable()
}
