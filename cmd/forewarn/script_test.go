package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden texts of the scripts anew")

// The scripts in testdata/script run the real binary, sealer process included.
func TestMain(m *testing.M) {
	// They wait for anchors more than they compute; -parallel still has the last word.
	flag.Set("test.parallel", "8")
	// What these tests see of logs is not for whoever runs them to remember.
	if os.Getenv("FOREWARN_STATE") == "" {
		dir, err := os.MkdirTemp("", "forewarn-state-")
		if err != nil {
			panic(err)
		}
		os.Setenv("FOREWARN_STATE", dir)
	}
	testscript.Main(m, map[string]func(){"forewarn": main})
}

func TestScripts(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	advisory := filepath.Join(here, "../../examples/advisory")
	stages := newStages(t, advisory)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           tools(t),
		Setup: func(e *testscript.Env) error {
			e.Setenv("ADVISORY", advisory)
			e.Setenv("QUICKSTART", filepath.Join(here, "testdata", "quickstart.sh"))
			e.Setenv("LEAK", filepath.Join(here, "testdata", "leak.sh"))
			e.Setenv("FOREWARN_DIR", filepath.Join(e.WorkDir, "prog"))
			e.Setenv("FOREWARN_AS", "ana")
			e.Setenv("TZ", "UTC")
			e.Setenv("FOREWARN_STATE", filepath.Join(e.WorkDir, "state"))
			e.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"programme": stages.copy,
			"refused":   refused,
			"quick":     quick,
			"misused":   misused,
			"let":       let,
			"json":      checkJSON,
			"flip":      flip,
			"log":       stages.log,

			"mailserver": mailserver,
			"token":      tokenFor,
			"passkey":    passkeyFor,
			"approve":    approve,
			"free":       free,
			"ready":      ready,
		},
	})
}

// refused runs a command that must exit with 1, say why with a hint on standard
// error, and nothing on standard output.
func refused(ts *testscript.TestScript, neg bool, args []string) { ends(ts, neg, args, exitRefused) }

// quick runs a command that must be done at once: far within what one waits for
// another that has the log, also on a machine that others use.
func quick(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: quick PROGRAM ARGS")
	}
	begun := time.Now()
	ts.Check(ts.Exec(args[0], args[1:]...))
	took := time.Since(begun)
	ts.Logf("[%d ms]", took.Milliseconds())
	if took > 10*time.Second {
		ts.Fatalf("it took %v", took)
	}
}

// misused is the same for a command line that can't be meant.
func misused(ts *testscript.TestScript, neg bool, args []string) { ends(ts, neg, args, exitUsage) }

func ends(ts *testscript.TestScript, neg bool, args []string, code int) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: refused|misused PROGRAM ARGS")
	}
	err := ts.Exec(args[0], args[1:]...)
	out, errw := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit) || exit.ExitCode() != code:
		ts.Fatalf("it ended with %v, want exit status %d", err, code)
	case out != "":
		ts.Fatalf("it wrote %q on standard output", out)
	case !strings.HasPrefix(errw, "forewarn: ") || !strings.Contains(errw, "\nhint: ") || strings.HasSuffix(errw, "hint: \n"):
		ts.Fatalf("it said %q, want what happened and a hint", errw)
	}
}

// let sets a variable to what a pattern's group matches in standard output.
func let(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: let NAME PATTERN")
	}
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no match for %q in %q", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], m[len(m)-1])
}

// checkJSON checks that standard output is one JSON value and no more, and
// values in it: path=text, where a path is of keys and indexes, and len is
// a length. It sets a variable with NAME:=path.
func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		ts.Fatalf("not JSON: %v", err)
	}
	if d.More() {
		ts.Fatalf("more than one JSON value")
	}
	for _, a := range args {
		if name, path, ok := strings.Cut(a, ":="); ok {
			x, err := at(v, path)
			ts.Check(err)
			ts.Setenv(name, fmt.Sprint(x))
			continue
		}
		path, want, ok := strings.Cut(a, "=")
		x, err := at(v, path)
		ts.Check(err)
		if ok && fmt.Sprint(x) != want {
			ts.Fatalf("%s is %v, want %s", path, x, want)
		}
	}
}

func at(v any, path string) (any, error) {
	for _, key := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			y, ok := x[key]
			if !ok {
				return nil, fmt.Errorf("there is no %q in %q", key, path)
			}
			v = y
		case []any:
			if key == "len" {
				v = len(x)
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return nil, fmt.Errorf("there is no %q in %q, a list of %d", key, path, len(x))
			}
			v = x[i]
		default:
			return nil, fmt.Errorf("nothing is below %q in %q", key, path)
		}
	}
	return v, nil
}

// flip turns one bit of a file: at an offset, or from the end when negative.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	i, err := strconv.Atoi(args[1])
	ts.Check(err)
	if i < 0 {
		i += len(b)
	}
	b[i] ^= 1
	ts.Check(os.WriteFile(name, b, 0o600))
}

// tools are the condition [tool:NAME]: that a program is here which isn't ours. One
// that is missing has lines skipped, which is said, and is an error when every tool
// has to be here. [exec:NAME], which testscript knows itself, would skip in silence.
func tools(t *testing.T) func(string) (bool, error) {
	return func(cond string) (bool, error) {
		name, ok := strings.CutPrefix(cond, "tool:")
		if !ok {
			return false, fmt.Errorf("there is no condition %q", cond)
		}
		_, err := exec.LookPath(name)
		switch {
		case err == nil:
			return true, nil
		case os.Getenv("FOREWARN_TEST_ALL") == "1":
			return false, fmt.Errorf("%s is not installed, and FOREWARN_TEST_ALL=1", name)
		}
		t.Logf("lines of a script are skipped: %s is not installed", name)
		return false, nil
	}
}

// TestTools: a tool that is missing is an error when all are asked for, and no script
// asks otherwise than by [tool:NAME].
func TestTools(t *testing.T) {
	for all, want := range map[string]bool{"": false, "1": true} {
		t.Setenv("FOREWARN_TEST_ALL", all)
		here, err := tools(t)("tool:no-such-tool-anywhere")
		if here || (err != nil) != want {
			t.Errorf("FOREWARN_TEST_ALL=%s: %v, %v", all, here, err)
		}
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range scripts {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("[exec:")) || bytes.Contains(b, []byte("[!exec:")) {
			t.Errorf("%s asks for a tool by exec: ask by [tool:NAME]", name)
		}
	}
}

// log notes how long the programme's log is and what it says ('log mark'), or
// checks that it is still so ('log same').
func (s *stages) log(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("forewarn", "verify", "log", "--json", "--dir", ts.Getenv("FOREWARN_DIR"))
	b, err := cmd.Output()
	ts.Check(err)
	var v struct {
		Entries int
		State   string
	}
	ts.Check(json.Unmarshal(b, &v))
	now := fmt.Sprintf("%d entries, state %s", v.Entries, v.State)
	switch {
	case len(args) == 1 && args[0] == "mark":
		ts.Setenv("LOG", now)
	case len(args) == 1 && args[0] == "same":
		if was := ts.Getenv("LOG"); was != now {
			ts.Fatalf("the log had %s, and has %s", was, now)
		}
	default:
		ts.Fatalf("usage: log mark|same")
	}
}

// trimmed is for comparing with what people see.
func trimmed(b []byte) string { return string(bytes.TrimSpace(b)) }
