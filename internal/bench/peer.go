package bench

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"forewarn/internal/machine"
)

// ErrAbsent is a peer that this machine hasn't got.
var ErrAbsent = errors.New("the peer is not installed")

// A peer scans a file for the same things in one thread.
type peer interface {
	// run gives the processor's time and the number of matches.
	run(ctx context.Context, file string) (cpu time.Duration, matches int64, err error)
	version() string
}

// needs is what a peer looks for: regular expressions or, if literal, texts.
type needs struct {
	literal  bool
	patterns []string
}

func (n needs) write(dir string) (string, error) {
	name := filepath.Join(dir, "patterns")
	return name, os.WriteFile(name, []byte(strings.Join(n.patterns, "\n")+"\n"), 0o600)
}

// peers are those that are known, by name.
var peers = map[string]func(ctx context.Context, n needs, dir string) (peer, error){
	"rg":        newRipgrep,
	"hyperscan": newHyperscan,
	"json":      func(context.Context, needs, string) (peer, error) { return decodeJSON{}, nil },
}

// ripgrep counts matches; it prints nothing else.
type ripgrep struct {
	args []string
	says string
}

func newRipgrep(ctx context.Context, n needs, dir string) (peer, error) {
	out, err := exec.CommandContext(ctx, "rg", "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%w: rg: %w", ErrAbsent, err)
	}
	patterns, err := n.write(dir)
	if err != nil {
		return nil, err
	}
	r := &ripgrep{args: []string{"--no-config", "--no-unicode", "--threads", "1", "--text", "--count-matches", "--no-filename", "--dfa-size-limit", "1G", "--regex-size-limit", "1G", "-f", patterns}}
	if n.literal {
		r.args = append(r.args, "--fixed-strings")
	}
	r.says, _, _ = strings.Cut(string(out), "\n")
	return r, nil
}

func (r *ripgrep) version() string { return r.says }

func (r *ripgrep) run(ctx context.Context, file string) (time.Duration, int64, error) {
	cmd := exec.CommandContext(ctx, "rg", append(r.args, file)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: no match
		return 0, 0, fmt.Errorf("rg: %w", err)
	}
	var n int64
	fmt.Sscan(string(out), &n)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), n, nil
}

//go:embed hyperscan.c.txt
var hyperscanSource []byte

// hyperscan is a program of a page around the library, made when it is needed.
type hyperscan struct{ program, mode, patterns, says string }

func newHyperscan(ctx context.Context, n needs, dir string) (peer, error) {
	h := &hyperscan{program: filepath.Join(dir, "peer"), mode: "regex"}
	if n.literal {
		h.mode = "literals"
	}
	source := h.program + ".c"
	if err := os.WriteFile(source, hyperscanSource, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "cc", "-O2", "-o", h.program, source, "-lhs")
	if out, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(out), "\n")
		return nil, fmt.Errorf("%w: it needs cc and libhyperscan-dev (or libvectorscan-dev): %w: %s", ErrAbsent, err, first)
	}
	var err error
	h.patterns, err = n.write(dir)
	return h, err
}

func (h *hyperscan) version() string { return h.says }

func (h *hyperscan) run(ctx context.Context, file string) (time.Duration, int64, error) {
	out, err := exec.CommandContext(ctx, h.program, h.mode, h.patterns, file).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return 0, 0, fmt.Errorf("hyperscan: %w: %s", err, bytes.TrimSpace(exit.Stderr))
	} else if err != nil {
		return 0, 0, fmt.Errorf("hyperscan: %w", err)
	}
	lines := strings.Split(string(out), "\n")
	var compiled, took float64
	var n int64
	if len(lines) < 4 {
		return 0, 0, fmt.Errorf("hyperscan printed %q", out)
	}
	fmt.Sscan(lines[1], &compiled)
	fmt.Sscan(lines[2], &took)
	fmt.Sscan(lines[3], &n)
	h.says = fmt.Sprintf("Hyperscan %s, %d patterns compiled in %.1f s", lines[0], countLines(h.patterns), compiled)
	return time.Duration(took * float64(time.Second)), n, nil
}

func countLines(file string) (n int) {
	b, _ := os.ReadFile(file)
	return bytes.Count(b, []byte("\n"))
}

// decodeJSON reads every record with encoding/json, as a scanner that parses
// first would have to, and looks for nothing.
type decodeJSON struct{}

func (decodeJSON) version() string {
	return "encoding/json of " + runtime.Version() + ", reading the records alone"
}

func (decodeJSON) run(_ context.Context, file string) (time.Duration, int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	before := machine.Self()
	for dec := json.NewDecoder(bufio.NewReaderSize(f, 1<<20)); ; {
		var v map[string]any
		if err := dec.Decode(&v); err == io.EOF {
			return machine.Self() - before, 0, nil
		} else if err != nil {
			return 0, 0, err
		}
	}
}
