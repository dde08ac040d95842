package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestWitnessIsBounded: who holds connections to a witness, and does nothing, takes none
// of the files that it needs for its own.
func TestWitnessIsBounded(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash, to limit its files with")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "watch")
	run := func(args string) *exec.Cmd { // with 64 files
		return exec.CommandContext(t.Context(), bash, "-c", `ulimit -n 64; exec -a forewarn "$0" `+args, self, dir)
	}
	if b, err := run(`witness init "$1" --name witness.example/w1`).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	cmd := run(`witness serve "$1" --listen 127.0.0.1:0`)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	said, err := bufio.NewReader(out).ReadString('\n')
	go io.Copy(io.Discard, out)
	at := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(said)
	if err != nil || at == "" {
		t.Fatalf("it says %q, %v", said, err)
	}
	for range 100 {
		c, err := net.Dial("tcp", at)
		if err != nil {
			break // the system has no room for more that wait
		}
		defer c.Close()
		_, _ = io.WriteString(c, "POST ")
	}
	open := 0
	for range 20 { // until it took in as many as it does
		time.Sleep(50 * time.Millisecond)
		all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
		if err != nil {
			t.Skip(err)
		}
		open = max(open, len(all))
	}
	if open < 40 || open > 60 {
		t.Errorf("with a hundred who do nothing it has %d of 64 files open", open)
	}
}
