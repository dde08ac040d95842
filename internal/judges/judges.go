// Package judges runs the tools that members run, Suricata and YARA, on a text of
// rules and a corpus. It is the one place that starts them.
//
// A run is bounded in time, has a folder of its own that is removed, and a
// configuration that is ours: nothing of this machine's own rules, variables or
// plugins has a part in the verdict, and rules may neither run scripts nor write.
//
// Do not use it to detect anything, and do not show its verdicts as a member's.
package judges

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/equivalence"
)

// limit is for one run of one tool.
const limit = 2 * time.Minute

// Installed are the judges of this machine. One whose tool is missing is among
// them and says so.
func Installed() []equivalence.Judge {
	find := func(name string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return path
	}
	return []equivalence.Judge{equivalence.Sigma{}, Suricata{find("suricata")}, YARA{find("yara")}}
}

// work is a folder for one run.
type work struct{ dir string }

// run starts a tool in a new folder with its own files and the corpus in it, and
// gives what it wrote. The folder is the caller's to remove, whatever happens.
func run(ctx context.Context, path string, own map[string]string, files []equivalence.File, args ...string) (out []byte, w work, err error) {
	if path == "" {
		return nil, w, equivalence.ErrAbsent
	}
	if w.dir, err = os.MkdirTemp("", "forewarn-judge-"); err != nil {
		return nil, w, err
	}
	for name, text := range own {
		if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
			return nil, w, err
		}
	}
	if err := os.Mkdir(w.path("corpus"), 0o700); err != nil {
		return nil, w, err
	}
	for i, f := range files {
		// The corpus' own names may be anything.
		if err := os.WriteFile(filepath.Join(w.path("corpus"), strconv.Itoa(i)), f.Data, 0o600); err != nil {
			return nil, w, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = w.dir, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}, time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return nil, w, fmt.Errorf("%w: %s took longer than %v", equivalence.ErrUnjudged, filepath.Base(path), limit)
	case ctx.Err() != nil:
		return nil, w, ctx.Err()
	case errors.As(err, &exit):
		return nil, w, fmt.Errorf("%w: %s says: %s", equivalence.ErrNoParse, filepath.Base(path), complaint(w, stdout.String()+stderr.String()))
	case err != nil:
		return nil, w, fmt.Errorf("%w: %w", equivalence.ErrUnjudged, err)
	}
	return stdout.Bytes(), w, nil
}

func (w work) path(name string) string { return filepath.Join(w.dir, name) }

func (w work) remove() {
	if w.dir != "" {
		os.RemoveAll(w.dir)
	}
}

// complaint is the first line of a tool's output that says what is wrong.
func complaint(w work, out string) string {
	first := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(strings.ReplaceAll(line, w.dir+string(filepath.Separator), ""))
		if first == "" {
			first = line
		}
		if low := strings.ToLower(line); strings.Contains(low, "error") {
			first = line
			break
		}
	}
	if len(first) > 300 {
		first = first[:300] + "…"
	}
	return strings.ToValidUTF8(first, "?")
}
