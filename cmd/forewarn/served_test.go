package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/serve"
)

// TestWhileServed: how long the real binary takes to look and to write while the
// desk is served. FOREWARN_TEST_ENTRIES=100000 makes the log as long as that first.
func TestWhileServed(t *testing.T) {
	n := 1000
	if s := os.Getenv("FOREWARN_TEST_ENTRIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "prog")
	h, err := home.Create(t.Context(), dir, home.Founding{Origin: "works.example/forewarn", Tick: time.Minute})
	ok(err)
	d, err := h.Desk(t.Context())
	ok(err)
	ana, err := d.Found(t.Context(), "works.example/forewarn", "Works", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Minute, []byte(coordinator.DefaultTerms))
	ok(err)
	for at := 0; at < n; at += 1000 {
		var all []cvd.Command
		for i := range min(1000, n-at) {
			c := cvd.NoteCommitment{Commitment: [32]byte{1}}
			binary.BigEndian.PutUint64(c.Commitment[1:], uint64(at+i))
			all = append(all, c)
		}
		_, err := d.Do(t.Context(), cvd.Actor{Account: ana}, all...)
		ok(err)
	}
	ok(d.Close())

	ctx, stop := context.WithCancel(t.Context())
	started, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		ended <- serve.Run(ctx, serve.Config{Dir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Started: func(net.Addr, string) { started <- true }})
	}()
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	self, err := os.Executable()
	ok(err)
	for _, c := range []struct {
		what string
		args []string
	}{
		{"nothing", []string{"version"}},
		{"case list", []string{"case", "list"}},
		{"account invite", []string{"account", "invite", "ana"}},
	} {
		var took []time.Duration
		for range 5 {
			cmd := exec.Command(self, c.args...)
			cmd.Args[0] = "forewarn" // testscript.Main knows the program by it
			cmd.Env = append(os.Environ(), "FOREWARN_DIR="+dir, "FOREWARN_AS=ana")
			var said bytes.Buffer
			cmd.Stderr = &said
			begun := time.Now()
			if err := cmd.Run(); err != nil {
				t.Fatalf("%s: %v: %s", c.what, err, said.String())
			}
			took = append(took, time.Since(begun))
		}
		slices.Sort(took)
		t.Logf("%s: %s (median of 5, from %s to %s), with %d entries", c.what, took[2].Round(time.Millisecond), took[0].Round(time.Millisecond), took[4].Round(time.Millisecond), n)
		if took[2] > 30*time.Second {
			t.Errorf("%s waits for something", c.what)
		}
	}
	stop()
	ok(<-ended)
}
