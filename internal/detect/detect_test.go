package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// published is the folder of published rules, which is not part of this
// repository.
func published(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("FOREWARN_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(dir, "sigma/*.yml"))
	if err != nil || len(files) == 0 {
		t.Skipf("skipped: no sigma/*.yml; FOREWARN_DATA names the folder of published rules")
	}
	return files
}

func setOf(t testing.TB, files []string) *Set {
	t.Helper()
	s := &Set{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(filepath.Base(name), string(text)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// How many of the published rules may be judged on every record, or on none.
const (
	mostSlow     = 20
	mostUnserved = 2 // of Windows' own events
)

func TestPublished(t *testing.T) {
	rules, reports := setOf(t, published(t)).Rules()
	n := map[Class]int{}
	for _, r := range reports {
		n[r.Class]++
		t.Log(r)
	}
	shortest, all := map[int]int{}, 0
	for _, r := range rules {
		for _, s := range r.Needles {
			shortest[len(s)]++
			all++
			if testing.Verbose() && strings.Contains(common, s) {
				t.Logf("%s: common: %q of %d", r.Ref, s, len(r.Needles))
			}
		}
	}
	t.Logf("%d rules, %d needles, by length %v; %v", len(rules), all, shortest, n)
	if n[Unsupported] > 0 || n[Unserved] > mostUnserved || n[Slow] > mostSlow {
		t.Errorf("%v", n)
	}
}
