package herd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// Offsets are how far a desk's clocks are from this machine's.
type Offsets struct {
	Wall    time.Duration `json:"wall"`    // ahead, of the one that can be set
	Elapsed time.Duration `json:"elapsed"` // of the time that went by: behind by as long as the machine slept
}

// Clocks are a desk's clocks that are set from outside while it runs: a file has
// their Offsets. One that can't be read sets nothing.
func Clocks(file string) func() (wall time.Time, elapsed time.Duration) {
	begun := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		var o Offsets
		if b, err := os.ReadFile(file); err == nil {
			_ = json.Unmarshal(b, &o)
		}
		return now.Round(0).Add(o.Wall), now.Sub(begun) + o.Elapsed
	}
}

// set writes them, all at once.
func (o Offsets) set(file string) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// step is something that befalls the desk's machine: at a part of the time before
// the opening (−1 to 0), or so many seconds after it.
type step struct {
	at   float64
	what string
	do   func(*trial) error
}

// trial is a desk whose clocks are set.
type trial struct {
	ctx   context.Context
	s     *server
	now   Offsets
	slept time.Time // when it fell asleep
}

func (t *trial) wall(d time.Duration) error { t.now.Wall = d; return t.now.set(t.s.clocks) }
func (t *trial) restart() error             { t.s.kill(); return t.s.start(t.ctx) }

const days = 48 * time.Hour

// steps are what befalls it: each kind of wrong clock while the desk runs, each while
// it starts, and a sleep across the opening. Sleeping stops the process and the time
// that it notices going by.
var steps = []step{
	{-1, "the clock is set 48 h ahead", func(t *trial) error { return t.wall(days) }},
	{-0.8, "the clock is set right", func(t *trial) error { return t.wall(0) }},
	{-0.7, "the clock is set 48 h back", func(t *trial) error { return t.wall(-days) }},
	{-0.6, "the desk is killed and starts 48 h back", (*trial).restart},
	{-0.45, "the clock is set 48 h ahead", func(t *trial) error { return t.wall(days) }},
	{-0.4, "the desk is killed and starts 48 h ahead", (*trial).restart},
	{-0.2, "the machine sleeps", func(t *trial) error { t.slept = time.Now(); return t.s.signal(syscall.SIGSTOP) }},
	{4, "the machine wakes", func(t *trial) error {
		t.now.Elapsed -= time.Since(t.slept)
		return errors.Join(t.now.set(t.s.clocks), t.s.signal(syscall.SIGCONT))
	}},
	{5, "the clock is set 48 h back", func(t *trial) error { return t.wall(-days) }},
	{8, "the clock is set right", func(t *trial) error { return t.wall(0) }},
	{9, "the desk is killed and starts with a right clock", (*trial).restart},
}

// befall goes through the steps, each at its time or as soon after it as it can.
func (h Herd) befall(ctx context.Context, opens time.Time, s *server) error {
	before := min(time.Minute, h.Lead/2) // ten thousand members make a start take ten seconds
	t := &trial{ctx: ctx, s: s}
	for _, x := range steps {
		at := opens.Add(time.Duration(x.at * float64(before)))
		if x.at > 0 {
			at = opens.Add(time.Duration(x.at * float64(time.Second)))
		}
		if err := sleep(ctx, time.Until(at)); err != nil {
			return err
		}
		h.Say(fmt.Sprintf("%+.1f s: %s", time.Since(opens).Seconds(), x.what))
		if err := x.do(t); err != nil {
			return fmt.Errorf("%s: %w", x.what, err)
		}
	}
	return nil
}

// timeTakes is how long the time server takes: a desk that serves before it heard the
// time is seen to.
const timeTakes = 700 * time.Millisecond

// tellTime is somebody else's server, whose answers have the right Date.
func (s *server) tellTime() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	s.time = "https://localhost:" + port
	of := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(timeTakes) }), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = of.ServeTLS(l, s.file("cert.pem"), s.file("key.pem")) }()
	s.ends = append(s.ends, func() { _ = of.Close() })
	return nil
}

// ready asks /readyz all the while: for how long the desk said that its clocks are
// apart, and when, from the opening on, it was ready and stayed so.
func (c *crowd) ready(ctx context.Context) (apart time.Duration, since time.Duration) {
	v := c.visitor("")
	defer v.client.CloseIdleConnections()
	last, was := time.Now(), false
	for sleep(ctx, 100*time.Millisecond) == nil {
		brief, cancel := context.WithTimeout(ctx, time.Second)
		a, err := v.once(brief, http.MethodGet, "/readyz", "")
		cancel()
		now := time.Now()
		is := err == nil && a.status == http.StatusOK
		if err == nil && strings.Contains(string(a.body), "the clock jumped") {
			apart += now.Sub(last)
		}
		if is && !was {
			since = time.Since(c.opens)
		}
		last, was = now, is
	}
	return apart, since
}
