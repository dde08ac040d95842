package home_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	mrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/serve"
	"forewarn/internal/wire"
)

const (
	serverDir   = "FOREWARN_TEST_HOME_SERVER"
	commandsDir = "FOREWARN_TEST_HOME_COMMANDS"
)

// serveTown is the child that serves the desk, until it is killed.
func serveTown(dir string) error {
	for {
		err := serve.Run(ctx, serve.Config{Dir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
			Started: func(net.Addr, string) { fmt.Println("ready") }})
		if !errors.Is(err, ledger.ErrLocked) { // a command has it
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// commandsIn is the child that runs one command after another, until it is killed.
// It prints what it was told is kept, and what it was told isn't.
func commandsIn(dir string) error {
	signal.Ignore(syscall.SIGPIPE)
	var r roster
	b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "roster.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	var lines sync.Mutex
	say(&lines, "ready")
	for i := 0; ; i++ {
		if err := command(dir, r, i, &lines); err != nil && !errors.Is(err, ledger.ErrLocked) &&
			!errors.Is(err, ledger.ErrUnreached) && !errors.Is(err, ledger.ErrUncertain) {
			return err
		}
	}
}

// command is one command: it notes something, or has a wave sealed.
func command(dir string, r roster, i int, lines *sync.Mutex) (err error) {
	h, err := home.Open(dir)
	if err != nil {
		return err
	}
	d, err := h.Join(ctx)
	if err != nil {
		time.Sleep(2 * time.Millisecond)
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if i%6 != 5 {
		var c cvd.NoteCommitment
		rand.Read(c.Commitment[:])
		sealed, err := d.Do(ctx, as(r.Ana), c)
		switch {
		case err == nil:
			say(lines, "entry %d %x", sealed[0].Seq, c.Commitment)
		case errors.Is(err, ledger.ErrUnreached):
			say(lines, "unkept %x", c.Commitment)
		}
		return err
	}
	q := cvd.DraftWave{Revision: r.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: time.Now().Add(2 * time.Second), Audience: r.Holders}
	id, err := d.DraftWave(ctx, as(r.Ana), q)
	if err != nil {
		return err
	}
	if err := d.Approve(ctx, as(r.Ben), id, nil); err != nil {
		// The process that seals may die: the approval is kept, and somebody resumes.
		say(lines, "unsealed %s %v", id, err)
		return nil
	}
	var statement []byte
	if err := d.View(func(p *cvd.Programme) error {
		statement = wire.Marshal(p.Waves[id].Statement)
		return nil
	}); err != nil {
		return err
	}
	say(lines, "sealed %s %x", id, statement)
	return nil
}

// child is a process that is killed.
type child struct {
	cmd   *exec.Cmd
	said  *bytes.Buffer
	ready chan struct{}
	done  chan struct{}
	mu    sync.Mutex
	lines []string // whole ones
}

func (tn *town) child(env string) *child {
	tn.t.Helper()
	c := &child{cmd: exec.Command(must(os.Executable()), "-test.run=^$"), said: new(bytes.Buffer), ready: make(chan struct{}), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), env+"="+tn.dir)
	c.cmd.Stderr = c.said
	out, err := c.cmd.StdoutPipe()
	ok(tn.t, err)
	ok(tn.t, c.cmd.Start())
	go func() {
		defer close(c.done)
		in := bufio.NewReader(out)
		for n := 0; ; n++ {
			s, err := in.ReadString('\n')
			if err != nil {
				return // what the kill cut off is no promise
			}
			if n == 0 {
				close(c.ready)
				continue
			}
			c.mu.Lock()
			c.lines = append(c.lines, strings.TrimSpace(s))
			c.mu.Unlock()
		}
	}()
	return c
}

func (c *child) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lines)
}

// kill ends it at once. That it lived until then is part of the test.
func (c *child) kill(t testing.TB) {
	t.Helper()
	_ = c.cmd.Process.Kill()
	<-c.done
	err := c.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("it ended by itself: %v\n%s", err, c.said)
	}
}

// within waits until something holds.
func within(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// A desk is served while two command lines work, and either side is killed at any
// moment. What was acknowledged is there, once; what was said not to be kept isn't;
// the log verifies; and whoever is left works on.
//
// FOREWARN_KILL_ROUNDS=200 is the long run.
func TestKilledWhileServed(t *testing.T) {
	t.Parallel()
	rounds := 4
	if s := os.Getenv(killRounds); s != "" {
		var err error
		rounds, err = strconv.Atoi(s)
		ok(t, err)
	}
	rng := mrand.New(dice("killed while served"))
	var tn *town
	var all *promises
	var unkept map[string]bool
	entries, waves, nothing := 0, 0, 0
	for round := range rounds {
		if round%20 == 0 {
			tn = realTown(t, t.TempDir(), 3)
			all = &promises{entries: map[entrylog.Seq][32]byte{}, sealed: map[cvd.WaveID][]byte{}}
			unkept = map[string]bool{}
		}
		// From at once to a second; more often soon.
		life := time.Duration(1e9 * math.Pow(rng.Float64(), 2))
		server := tn.child(serverDir)
		<-server.ready
		commands := []*child{tn.child(commandsDir), tn.child(commandsDir)}
		for _, c := range commands {
			<-c.ready
		}
		time.Sleep(life)
		goesOn := func(who string, c *child) {
			before := c.count()
			within(t, who, func() bool { return c.count() > before+1 })
		}
		switch who := rng.IntN(3); who {
		case 0:
			server.kill(t)
			for _, c := range commands {
				goesOn("a command after the server was killed", c)
			}
		case 1:
			commands[0].kill(t)
			goesOn("a command beside one that was killed", commands[1])
			server.kill(t)
		default:
			server.kill(t)
			commands[0].kill(t)
		}
		for _, c := range commands {
			if c.cmd.ProcessState == nil {
				c.kill(t)
			}
			last := &promises{entries: map[entrylog.Seq][32]byte{}, sealed: map[cvd.WaveID][]byte{}}
			for _, l := range c.lines {
				if f := strings.Fields(l); f[0] == "unkept" {
					unkept[f[1]] = true
					nothing++
				}
				last.take(l)
			}
			for n, x := range last.entries {
				if _, twice := all.entries[n]; twice {
					t.Errorf("entry %d was acknowledged to two", n)
				}
				all.entries[n] = x
			}
			for id, s := range last.sealed {
				all.sealed[id] = s
			}
			entries, waves = entries+len(last.entries), waves+len(last.sealed)
			for _, s := range last.problems {
				t.Errorf("a child printed: %s", s)
			}
		}
		tn.kept(all, &promises{})
		tn.once(all, unkept)
		if t.Failed() {
			t.Fatalf("round %d of %d: they lived for %s", round+1, rounds, life)
		}
	}
	t.Logf("%d rounds: %d entries and %d sealed waves were acknowledged, none lost or doubled; %d were said not to be kept, and aren't", rounds, entries, waves, nothing)
}

// once checks that nothing is on the log twice, nor what was said not to be there.
func (tn *town) once(all *promises, unkept map[string]bool) {
	tn.t.Helper()
	d, err := must(home.Open(tn.dir)).Look(ctx)
	ok(tn.t, err)
	defer d.Close()
	times := map[[32]byte]int{}
	ok(tn.t, d.View(func(p *cvd.Programme) error {
		for _, c := range p.Commitments {
			times[c.Value]++
			if unkept[fmt.Sprintf("%x", c.Value)] {
				tn.t.Errorf("entry %d was said not to be kept", c.Seq)
			}
		}
		return nil
	}))
	for c, n := range times {
		if n != 1 {
			tn.t.Errorf("%x is on the log %d times", c, n)
		}
	}
	for n, c := range all.entries {
		if times[c] != 1 {
			tn.t.Errorf("entry %d was acknowledged and is there %d times", n, times[c])
		}
	}
}
