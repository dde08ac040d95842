package herd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// step is how far the desk's clock is set, forth or back.
const step = 48 * time.Hour

// Clocks are a machine's, of which the wall clock is set by a file: seconds to add.
// They are what the desk under a herd goes by (serve.Config.Clocks), and not for any
// other.
func Clocks(file string) func() (wall time.Time, elapsed time.Duration) {
	begun := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0).Add(offset(file)), now.Sub(begun)
	}
}

func offset(file string) time.Duration {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// set sets the desk's clock. A file is put in the place of the other whole.
func (s *server) set(by time.Duration) error {
	name := s.file("clock")
	if err := os.WriteFile(name+".new", strconv.AppendInt(nil, int64(by/time.Second), 10), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// tells serves the true time, as somebody else's server does: the desk's third clock.
func (s *server) tells() (url string, stop func(), err error) {
	cert, err := tls.LoadX509KeyPair(s.file("cert.pem"), s.file("key.pem"))
	if err != nil {
		return "", nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13})
	if err != nil {
		return "", nil, err
	}
	h := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})} // Date says it
	go func() { _ = h.Serve(l) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return "https://localhost:" + port, func() { _ = h.Close() }, err
}

// shake sets the desk's clock forth and back, again and again; every second time it
// kills the desk meanwhile and starts it again on the wrong clock, every third time it
// suspends it. It begins before the opening, is at it when that comes, and leaves the
// clock right. It says how long the clock was wrong behind the opening.
func (h Herd) shake(ctx context.Context, s *server, opens time.Time) (stepped int, wrong time.Duration, err error) {
	defer func() { err = errors.Join(err, s.set(0)) }()
	rng := rand.New(rand.NewPCG(h.Seed, 1<<62))
	some := func(most int) time.Duration { return time.Duration(500+rng.IntN(most)) * time.Millisecond }
	for i := range h.Steps {
		by := step
		if i%2 == 1 {
			by = -step
		}
		// The last but one is forth just before the opening, the last back across it.
		switch left := time.Until(opens); {
		case i == h.Steps-2 && left > 4*time.Second:
			err = sleep(ctx, left-4*time.Second)
		case i == h.Steps-1 && left > time.Second:
			err = sleep(ctx, left-time.Second)
		}
		if err != nil {
			return stepped, wrong, err
		}
		h.Say(fmt.Sprintf("setting the desk's clock by %s", by))
		if err := s.set(by); err != nil {
			return stepped, wrong, err
		}
		stepped++
		if i%2 == 0 {
			if err := sleep(ctx, some(500)); err != nil {
				return stepped, wrong, err
			}
			s.kill()
			if err := s.start(ctx); err != nil {
				return stepped, wrong, fmt.Errorf("starting on a clock that is %s off: %w", by, err)
			}
		}
		if i%3 == 2 {
			s.signal(syscall.SIGSTOP)
			err := sleep(ctx, some(1500))
			s.signal(syscall.SIGCONT)
			if err != nil {
				return stepped, wrong, err
			}
		}
		if err := sleep(ctx, some(2000)); err != nil {
			return stepped, wrong, err
		}
		if err := s.set(0); err != nil {
			return stepped, wrong, err
		}
		if time.Now().After(opens) {
			wrong = time.Since(opens)
		}
		if err := sleep(ctx, some(500)); err != nil {
			return stepped, wrong, err
		}
	}
	return stepped, wrong, nil
}

func (s *server) signal(what syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(what)
	}
}
