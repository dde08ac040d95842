package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type writes struct {
	n     int
	bytes strings.Builder
}

func (w *writes) Write(b []byte) (int, error) { w.n++; return w.bytes.Write(b) }

// Many sightings are written in few blocks, and all of them.
func TestSightingsAreWrittenInBlocks(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(log, []byte(strings.Repeat("so and mark! so\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, how := range [][]string{nil, {"--json"}} {
		var out, errs writes
		code := run(append([]string{"scan", log, "--indicator", "constant:mark!", "--dir", filepath.Join(dir, "none")}, how...), strings.NewReader(""), &out, &errs)
		if n := strings.Count(out.bytes.String(), "mark!"); code != 0 || n < 5000 || out.n > 50 {
			t.Errorf("%v: code %d, %d sightings in %d writes; %s", how, code, n, out.n, errs.bytes.String())
		}
	}
}
