package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The session in doc/lab.md prints what the page says.
func TestSessionOfTheLab(t *testing.T) {
	page, err := os.ReadFile("../../doc/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	_, session, found := strings.Cut(string(page), "\n## A session\n")
	session, _, ended := strings.Cut(session, "\n## ")
	if !found || !ended {
		t.Fatal("doc/lab.md has no session")
	}
	advisory, err := filepath.Abs("../../examples/advisory")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS("examples/advisory", os.DirFS(advisory)); err != nil {
		t.Fatal(err)
	}
	said, compared := "", 0
	for line := range strings.Lines(session) {
		text, is := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		word, _, _ := strings.Cut(text, " ")
		switch {
		case !is:
		case word == "forewarn":
			var out, errs strings.Builder
			if code := run(strings.Fields(text)[1:], strings.NewReader(""), &out, &errs); code != exitDone {
				t.Fatalf("%s: %d, %s", text, code, errs.String())
			}
			said = out.String()
		case word == "sed" || word == "paste" || word == "head":
			if out, err := exec.Command("sh", "-c", text).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", text, err, out)
			}
		default:
			if compared++; !strings.Contains("\n"+said, "\n"+text+"\n") {
				t.Errorf("it doesn't print %q, but\n%s", text, said)
			}
		}
	}
	if compared < 10 {
		t.Errorf("the page has %d lines of output", compared)
	}
}
