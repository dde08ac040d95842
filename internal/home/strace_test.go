//go:build linux

package home_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

// What the kernel was asked for, in order: before the desk says that an entry, a
// sealed wave or a fetch is done, the log was written and then synced; before a
// wave's statement is on the log, the blobs were synced.
func TestSyncsBeforeAcknowledging(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("strace is not installed and FOREWARN_TEST_ALL=1")
		}
		t.Skip("strace is not installed")
	}
	dir := t.TempDir()
	tn := realTown(t, dir, 2)
	r := roster{Ana: tn.who["ana"].Account, Ben: tn.who["ben"].Account, Case: tn.cs, Revision: tn.added.Revision, Steps: 4}
	for _, m := range tn.members {
		r.Accounts, r.Holders = append(r.Accounts, m.actor.Account), append(r.Holders, m.id)
	}
	// A wave that is open and anchored by the time the child fetches.
	tn.desk, err = tn.home.Desk(ctx)
	ok(t, err)
	id, err := tn.desk.DraftWave(ctx, tn.who["ana"], cvd.DraftWave{Revision: r.Revision, Purpose: cvd.Staged, Level: form.PoC, OpensAt: time.Now().Add(200 * time.Millisecond), Audience: r.Holders})
	ok(t, err)
	ok(t, tn.desk.Approve(ctx, tn.who["ben"], id, nil))
	ok(t, tn.desk.Close())
	r.Waves = []cvd.WaveID{id}
	tn.roster(r)
	time.Sleep(1200 * time.Millisecond)

	out := filepath.Join(dir, "trace")
	cmd := exec.Command(strace, "-f", "-qq", "-y", "-s", "60", "-o", out, "-e", "trace=write,pwrite64,fsync,fdatasync", os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+tn.dir)
	if b, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(b), "ptrace") && os.Getenv("FOREWARN_TEST_ALL") != "1" {
			t.Skipf("strace cannot trace here: %v", err)
		}
		t.Fatalf("the traced child: %v\n%s", err, b)
	}
	trace, err := os.ReadFile(out)
	ok(t, err)

	// A call that another thread interrupts stands in two lines: it is done at
	// the second.
	var (
		begun  = regexp.MustCompile(`^(\d+)\s+(\w+)\(\d+<([^>]*)>(.*)`)
		ended  = regexp.MustCompile(`^(\d+)\s+<\.\.\. (\w+) resumed>`)
		acks   = regexp.MustCompile(`"(entry|sealed|copy) `)
		asked  = map[string][2]string{} // thread → call, file
		counts = map[string]int{}
		dirty  = map[string]bool{} // files written and not synced
		wrote  int                 // to the log, since the last acknowledgement
	)
	log := filepath.Join(tn.dir, "desk", "log.db")
	done := func(call, file string) {
		if strings.Contains(call, "sync") {
			delete(dirty, file)
		}
	}
	for _, line := range strings.Split(string(trace), "\n") {
		if m := ended.FindStringSubmatch(line); m != nil {
			done(asked[m[1]][0], asked[m[1]][1])
			continue
		}
		m := begun.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		call, file, rest := m[2], m[3], m[4]
		asked[m[1]] = [2]string{call, file}
		switch {
		case strings.Contains(call, "write") && strings.HasPrefix(file, log):
			if strings.HasSuffix(file, "-shm") {
				break
			}
			for f := range dirty {
				if strings.Contains(f, "/desk/blobs/") {
					t.Errorf("the log is written while blob %s is not synced", f)
				}
			}
			dirty[file] = true
			wrote++
		case strings.Contains(call, "write") && strings.Contains(file, "/desk/blobs/"):
			dirty[file] = true
			counts["blob"]++
		case call == "write" && acks.MatchString(rest):
			k := acks.FindStringSubmatch(rest)[1]
			counts[k]++
			if dirty[log+"-wal"] || dirty[log] {
				t.Errorf("acknowledged before the log was synced: %s", line)
			}
			// A member's second fetch of a copy is the first one.
			if wrote == 0 && (k != "copy" || counts[k] <= len(r.Holders)) {
				t.Errorf("acknowledged, and nothing was written to the log: %s", line)
			}
			wrote = 0
		}
		if !strings.Contains(line, "<unfinished ...>") {
			done(call, file)
		}
	}
	if counts["entry"] != r.Steps || counts["sealed"] != r.Steps || counts["copy"] < len(r.Holders) || counts["blob"] < r.Steps*len(r.Holders) {
		t.Errorf("the trace shows %v", counts)
	}
	t.Logf("acknowledged after a sync: %v", counts)
}
