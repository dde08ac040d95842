//go:build linux

package folder

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forewarn/internal/ledger"
)

const childDir = "FOREWARN_TEST_FOLDER_CHILD"

// TestMain runs the traced child instead of the tests when asked to.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		p, err := OpenPublisher(dir)
		if err == nil {
			err = p.Publish(ctx, []ledger.File{
				{Path: "tile/0/000", Data: []byte("a")}, {Path: "tile/0/001", Data: []byte("b")}, {Path: "tile/1/000", Data: []byte("c")},
				{Path: "checkpoint", Data: []byte("d")},
			})
		}
		if err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// What the kernel was asked for, in order: every file is synced before it gets
// its name, every folder after its last new name, and the checkpoint gets its
// name only then.
func TestPublishSyncsInOrder(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("strace is not installed and FOREWARN_TEST_ALL=1")
		}
		t.Skip("strace is not installed")
	}
	dir, out := filepath.Join(t.TempDir(), "anchors"), filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-qq", "-y", "-o", out, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,mkdirat", os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("strace cannot trace here: %v %s", err, b)
	}
	trace, err := os.ReadFile(out)
	ok(t, err)

	fsync := regexp.MustCompile(`fsync\(\d+<([^>]*)>`)
	rename := regexp.MustCompile(`renameat2?\(\d+<([^>]*)>, "([^"]*)", \d+<[^>]*>, "([^"]*)"`)
	synced, unsynced := map[string]bool{}, map[string]bool{} // files synced; folders with a name not yet synced
	var named []string
	syncs := map[string]int{}
	for _, line := range strings.Split(string(trace), "\n") {
		if m := fsync.FindStringSubmatch(line); m != nil {
			synced[m[1]] = true
			delete(unsynced, m[1])
			syncs[m[1]]++
		}
		if m := rename.FindStringSubmatch(line); m != nil {
			if !synced[filepath.Join(m[1], m[2])] {
				t.Errorf("named before it was synced: %s", line)
			}
			if m[3] == "checkpoint" && len(unsynced) > 0 {
				t.Errorf("the checkpoint was named before the folders %v were synced", unsynced)
			}
			unsynced[m[1]] = true
			named = append(named, m[3])
		}
	}
	if len(named) != 4 || named[3] != "checkpoint" {
		t.Errorf("named %q, want three tiles and then the checkpoint\n%s", named, trace)
	}
	if len(unsynced) != 0 {
		t.Errorf("folders %v were never synced", unsynced)
	}
	for _, d := range []string{"", "tile", "tile/0", "tile/1"} {
		// The top holds the new folder tile, and then the checkpoint.
		if want := map[bool]int{true: 2, false: 1}[d == ""]; syncs[filepath.Join(dir, d)] != want {
			t.Errorf("folder %q was synced %d times, want %d", d, syncs[filepath.Join(dir, d)], want)
		}
	}
}
