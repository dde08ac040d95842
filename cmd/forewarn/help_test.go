package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/alecthomas/kong"

	"forewarn/internal/serve"
)

// commands are all commands that do something, by their words.
func commands(t *testing.T) (out [][]string) {
	t.Helper()
	k, err := kong.New(&cli{}, kong.Name("forewarn"))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(*kong.Node, []string)
	walk = func(n *kong.Node, words []string) {
		for _, c := range n.Children {
			if c.Type == kong.CommandNode && !c.Hidden {
				walk(c, append(words[:len(words):len(words)], c.Name))
			}
		}
		if n.Leaf() && len(words) > 0 {
			out = append(out, words)
		}
	}
	walk(k.Model.Node, nil)
	return out
}

// Every command's help comes with an example that is its own, and exit code 0.
func TestHelp(t *testing.T) {
	for _, words := range commands(t) {
		var out, errw bytes.Buffer
		name := "forewarn " + strings.Join(words, " ")
		if code := run(append(words, "--help"), nil, &out, &errw); code != exitDone {
			t.Errorf("%s --help: exit code %d: %s", name, code, errw.String())
		}
		_, example, ok := strings.Cut(out.String(), "Example:\n")
		usual := strings.Contains(example, name) || strings.Contains(example, "forewarn --dir programme "+strings.Join(words, " "))
		if !ok || !usual || !strings.HasPrefix(out.String(), "Usage: "+name) {
			t.Errorf("%s --help shows no example of it:\n%s", name, out.String())
		}
		if errw.Len() > 0 {
			t.Errorf("%s --help: %s", name, errw.String())
		}
	}
}

// The script json runs every command with --json.
func TestEveryCommandHasJSON(t *testing.T) {
	script, err := os.ReadFile("testdata/script/json.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range commands(t) {
		if words[len(words)-1] == "serve" {
			continue // a process, whose standard output is its protocol
		}
		name := "\nexec forewarn " + strings.Join(words, " ")
		found := false
		for _, line := range strings.Split(string(script), "\n") {
			line = strings.TrimPrefix(line, "[tool:wrk] ")
			if strings.HasPrefix("\n"+line, name) && strings.Contains(line, "--json") {
				found = true
			}
		}
		if !found {
			t.Errorf("json.txtar doesn't try '%s --json'", strings.TrimPrefix(name, "\nexec "))
		}
	}
}

// The README's first programme is the one that the script first_programme runs.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil || !strings.Contains(string(readme), "forewarn init ") {
		t.Skip("the README shows no programme")
	}
	var shown strings.Builder // without indentation
	for _, line := range strings.Split(string(readme), "\n") {
		shown.WriteString("\n" + strings.TrimSpace(line))
	}
	for _, name := range []string{"testdata/quickstart.sh", "testdata/leak.sh"} {
		lines, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(shown.String(), "\n"+string(lines)) {
			t.Errorf("README.md doesn't show the lines of %s, which are tested", name)
		}
	}
}

// TestHintOfAnAddress: whoever is refused an address learns who may have it.
func TestHintOfAnAddress(t *testing.T) {
	for err, want := range map[error]string{syscall.EADDRINUSE: "ss -ltnp", syscall.EACCES: "below 1024"} {
		if got := hint(fmt.Errorf("%w: %w", serve.ErrListen, err)); !strings.Contains(got, want) {
			t.Errorf("%v: %s", err, got)
		}
	}
}
