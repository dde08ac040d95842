package sqlite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/storetest"
)

// Children of these tests are this binary, told by its environment what to do.
const (
	childPath = "FOREWARN_TEST_SQLITE_PATH"
	childDo   = "FOREWARN_TEST_SQLITE_DO"
)

var childTasks = map[string]func(path string) error{
	"append until killed": func(path string) error {
		s, err := Open(ctx, path)
		if err != nil {
			return err
		}
		return storetest.AppendUntilKilled(s, os.Stdout)
	},
	// Ten appends and heads, each acknowledged by one line.
	"append ten": func(path string) error {
		s, err := Open(ctx, path)
		if err != nil {
			return err
		}
		defer s.Close()
		epoch, err := s.Acquire(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("ack epoch %d\n", epoch)
		for i := range entrylog.Seq(10) {
			if err := s.Append(ctx, i, epoch, []entrylog.Record{storetest.Record(i, 300)}); err != nil {
				return err
			}
			fmt.Printf("ack entry %d\n", i)
		}
		if err := s.SetHead(ctx, epoch, []byte("head")); err != nil {
			return err
		}
		fmt.Println("ack head")
		return nil
	},
	"append until full": appendUntilFull,
}

func TestMain(m *testing.M) {
	if task, is := childTasks[os.Getenv(childDo)]; is {
		if err := task(os.Getenv(childPath)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(path, task string, before ...string) *exec.Cmd {
	args := append(before, os.Args[0], "-test.run=^$")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childPath+"="+path, childDo+"="+task)
	return cmd
}

func TestKilledWriterLosesNothing(t *testing.T) {
	s, reopen := fresh(t)
	path := s.(*Store).path
	ok(t, s.Close())
	storetest.Killed(t, func() *exec.Cmd { return child(path, "append until killed") }, reopen)
}

// What the kernel was asked for: between the last write to the log's files and
// each acknowledgement there is a sync of the file written to.
func TestSyncBeforeAcknowledgement(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("strace is not installed and FOREWARN_TEST_ALL=1")
		}
		t.Skip("strace is not installed")
	}
	s, _ := fresh(t)
	path := s.(*Store).path
	ok(t, s.Close())
	out := filepath.Join(t.TempDir(), "trace")
	cmd := child(path, "append ten", strace, "-f", "-qq", "-y", "-o", out, "-e", "trace=write,pwrite64,fsync,fdatasync,ftruncate")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("strace cannot trace here: %v %s", err, b)
	}
	trace, err := os.ReadFile(out)
	ok(t, err)
	wrote := regexp.MustCompile(`(?:pwrite64|write|ftruncate)\(\d+<([^>]*)>`)
	synced := regexp.MustCompile(`(?:fsync|fdatasync)\(\d+<([^>]*)>`)
	dirty := map[string]bool{}
	acks, syncs := 0, 0
	for _, line := range strings.Split(string(trace), "\n") {
		if strings.Contains(line, `"ack `) {
			if acks++; syncs == 0 {
				t.Errorf("nothing was synced before %s", line)
			}
			if len(dirty) > 0 {
				t.Errorf("%v were written and not synced before %s", dirty, line)
			}
			syncs = 0
		} else if m := wrote.FindStringSubmatch(line); m != nil && (m[1] == path || m[1] == path+"-wal") {
			dirty[m[1]] = true
		} else if m := synced.FindStringSubmatch(line); m != nil {
			delete(dirty, m[1])
			syncs++
		}
	}
	if acks != 12 {
		t.Errorf("%d acknowledgements in the trace, want 12\n%s", acks, trace)
	}
}

// A disk that fills up: the append that does not fit is an error, what was
// acknowledged is there, and the log goes on when there is room again.
func TestFullDisk(t *testing.T) {
	s, reopen := fresh(t)
	path := s.(*Store).path
	ok(t, s.Close())
	out, err := child(path, "append until full").Output()
	var acked entrylog.Seq
	for _, line := range strings.Split(string(out), "\n") {
		if line == "no limit here" {
			t.Skip("this system does not limit the size of files")
		}
		fmt.Sscanf(line, "%d", &acked)
	}
	if err == nil || acked == 0 {
		t.Fatalf("%v after %d acknowledgements", err, acked)
	}
	h := reopen()
	n := entrylog.Seq(0)
	ok(t, h.Read(ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error { n++; return nil }))
	if n < acked {
		t.Errorf("%d entries, %d were acknowledged", n, acked)
	}
	epoch, err := h.Acquire(ctx)
	ok(t, err)
	ok(t, h.Append(ctx, n, epoch, []entrylog.Record{storetest.Record(n, 300)}))
}
