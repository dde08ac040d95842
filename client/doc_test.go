package client_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"forewarn/client"
)

// TestDocumentedCommands runs the commands that doc/api.md shows, as they stand.
func TestDocumentedCommands(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("curl is not installed, and FOREWARN_TEST_ALL=1")
		}
		t.Skip("curl is not installed")
	}
	b, err := os.ReadFile("../doc/api.md")
	ok(t, err)
	_, rest, _ := strings.Cut(string(b), "```sh\n")
	script, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("doc/api.md shows no commands")
	}
	d := served()
	c, err := client.New(d.url, d.token, client.Options{})
	ok(t, err)
	ok(t, opened(t.Context(), c, d.wave))
	sh := exec.Command("bash", "-euo", "pipefail", "-c", script)
	sh.Dir = t.TempDir()
	sh.Env = append(os.Environ(), "DESK="+d.url, "TOKEN="+d.token)
	out, err := sh.CombinedOutput()
	if err != nil || string(out) != "304\n"+d.wave[:8]+".age\n"+d.wave[:8]+".proof\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
