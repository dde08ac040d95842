package smtp

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Relay is a mail server that takes notices for everybody.
type Relay struct {
	Host     string
	Port     int
	TLS      bool // from the first byte; else STARTTLS, which only this machine's own may lack
	User     string
	Password string         // never printed
	Roots    *x509.CertPool // who may vouch for it; nil: whom this machine trusts
}

// Name is how people know it.
func (r Relay) Name() string { return net.JoinHostPort(r.Host, strconv.Itoa(r.Port)) }

func (r Relay) loopback() bool {
	a, err := netip.ParseAddr(r.Host)
	return r.Host == "localhost" || err == nil && a.IsLoopback()
}

// ParseRelay reads smtp://[USER@]HOST[:PORT], port 587 if none is said, or smtps://
// for TLS from the first byte, port 465. A password has no place in it.
func ParseRelay(s string) (r Relay, err error) {
	bad := func(why string) (Relay, error) { return Relay{}, fmt.Errorf("%w: %s", ErrConfig, why) }
	u, err := url.Parse(s)
	if err != nil { // which quotes what may have a password in it
		return bad("a mail server is smtp://[USER@]HOST[:PORT]")
	}
	switch u.Scheme {
	case "smtp":
		r.Port = 587
	case "smtps":
		r.Port, r.TLS = 465, true
	default:
		return bad("a mail server is smtp://[USER@]HOST[:PORT], or smtps:// for TLS from the first byte")
	}
	if _, has := u.User.Password(); has {
		return bad("a password doesn't stand on a command line, where others can read it: give --smtp-password-file, or FOREWARN_SMTP_PASSWORD in the environment")
	}
	if u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return bad("a mail server is smtp://[USER@]HOST[:PORT] and nothing more")
	}
	r.Host, r.User = u.Hostname(), u.User.Username()
	if p := u.Port(); p != "" {
		if r.Port, err = strconv.Atoi(p); err != nil || r.Port < 1 || r.Port > 65535 {
			return bad("a port is a number up to 65535")
		}
	}
	return r, nil
}

// maxAddress is RFC 5321's limit of a path, less its brackets.
const maxAddress = 254

// harmless is the addresses that notices are sent to, as HTML has them (which is RFC
// 5321 without quotes, comments and literals): none can begin another line, name, or
// address.
var harmless = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~` + "`" + `-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

// plainURL reports whether a link is one that can stand in a message as it is.
func plainURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(s) <= 500 && regexp.MustCompile(`^[!-~]+$`).MatchString(s)
}

// Backoff is how long a relay that failed is passed over, at first and at most.
const (
	firstBackoff = time.Second
	mostBackoff  = time.Minute
)

// relay is one with its connections, and how it went lately.
type relay struct {
	Relay
	room chan struct{} // as many as may be used at a time
	idle stack         // connections that are not used now

	mu    sync.Mutex
	until time.Time     // it is passed over until then; zero: it is well
	since time.Time     // it began to fail, or was last tried since
	delay time.Duration // of the last time
	lost  int           // notices that it gave no answer to but to hang up, since it last gave one
}

// enter waits for so long for one of a relay's connections to be free.
func (r *relay) enter(ctx context.Context, most time.Duration) bool {
	select {
	case r.room <- struct{}{}:
		return true
	default:
	}
	enough := time.NewTimer(most)
	defer enough.Stop()
	select {
	case r.room <- struct{}{}:
		return true
	case <-enough.C:
	case <-ctx.Done():
	}
	return false
}

func (r *relay) leave() { <-r.room }

// rest hangs up on one connection that is not used.
func (r *relay) rest() {
	if c := r.idle.pop(); c != nil {
		c.hangUp()
	}
}

// stack is connections, of which the one that was used last is used first.
type stack struct {
	mu    sync.Mutex
	conns []*conn
}

func (s *stack) push(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
}

func (s *stack) pop() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.conns)
	if n == 0 {
		return nil
	}
	c := s.conns[n-1]
	s.conns = s.conns[:n-1]
	return c
}

// ready reports whether to ask it. Once its time is over one hand tries it, and the
// others go on passing it over meanwhile. soon: it began to fail, or is being tried, since so
// shortly ago that it is worth waiting whether it is well again.
func (r *relay) ready(now time.Time, shortly time.Duration) (ready, soon bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.until) {
		return false, now.Sub(r.since) < shortly
	}
	if !r.until.IsZero() {
		r.until, r.since = now.Add(mostBackoff), now
	}
	return true, true
}

func (r *relay) failed(now time.Time, note func(string, ...any), why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until.IsZero() {
		r.since = now
		note("mail server %s: %v; others are asked, and it is tried again", r.Name(), why)
	} else if now.Before(r.until) && now.Add(r.delay).After(r.until) {
		return // by several hands at once: it counts as one failure
	}
	r.delay = min(max(2*r.delay, firstBackoff), mostBackoff)
	r.until = now.Add(r.delay)
}

// silent notes that a notice was not answered to, but by hanging up, and reports whether
// that is the relay's fault: it answered to none since as many as it has connections. One
// that says so when it hangs up is well as soon as it says so to fewer.
func (r *relay) silent(v verdict) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost++; r.lost < cap(r.room) {
		return false
	}
	if v == busy {
		r.lost = 0
	}
	return true
}

// well notes that it got as far as a recipient, and whether it answered then.
func (r *relay) well(note func(string, ...any), answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.until.IsZero() {
		note("mail server %s: well again", r.Name())
	}
	r.until, r.delay = time.Time{}, 0
	if answered {
		r.lost = 0
	}
}
