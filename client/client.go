// Package client is what a member's own program imports to talk to a desk: it
// polls the inbox, fetches sealed copies, lodges receipts and gives answers.
//
//	desk, err := client.New("https://desk.example", token, client.Options{Log: log})
//	err = desk.Poll(ctx, 5*time.Minute, func(waves []client.Wave) error {
//		…
//		delivery, err := desk.Copy(ctx, wave.ID, sealed, bulk)
//		…
//	})
//
// What comes is sealed: package forewarn opens it, checks it and signs a receipt.
// Requests that fail for a reason that passes are sent again, with a growing wait,
// or the one that the desk asks for; an act goes with an Idempotency-Key, so that
// it is done once however often it is sent. Other errors are *Problem, as the desk
// says them, to be told apart with errors.Is: client.NotYet, client.NotThere.
//
// A token is as good as its scope for whoever holds it: keep it in a file that
// only its machine reads, and never on a command line. Don't use the package to
// watch what the desk publishes for anybody; that needs no token, and any client
// of C2SP's tlog-tiles reads the log.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"forewarn"
)

// Options say how a Client works. The zero value is usable.
type Options struct {
	// Log is the programme's log, from another way than the desk. With it, proofs
	// are checked before a copy is fetched; without it, that is left to whoever
	// opens the copy.
	Log forewarn.Log

	// Proof, if given, is called with a copy's proof before the copy's bytes are
	// asked for. An error ends the fetch. It is the place to compare the log with
	// what was seen of it before.
	Proof func(proof []byte) error

	// Progress, if given, is called as a file comes: bytes so far, of all.
	Progress func(file string, done, all int64)

	HTTP  *http.Client  // nil: one that follows no redirect
	Tries int           // of one request; 0: six
	Wait  time.Duration // the longest between two tries; 0: one minute. A desk that asks for more gets no more tries
	Rand  io.Reader     // of keys and waits; nil: the machine's

	// Sleep waits; nil: as time goes by.
	Sleep func(context.Context, time.Duration) error
}

// Client talks to one desk as one account. It is safe for concurrent use.
type Client struct {
	Options
	base  *url.URL
	token string
}

// ErrServer: that address or token can't be used.
var ErrServer = errors.New("not a desk's address and token")

// New makes a client of a desk, by the address that browsers use and a token that
// was made on the account's page.
func New(server, token string, o Options) (*Client, error) {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, fmt.Errorf("%w: %q: say https://HOST", ErrServer, server)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, fmt.Errorf("%w: %q: without TLS a token is for everybody on the way; only this machine itself is asked so", ErrServer, server)
	case token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, fmt.Errorf("%w: a token is one word, as the account's page showed it", ErrServer)
	}
	if o.Tries == 0 {
		o.Tries = 6
	}
	if o.Wait == 0 {
		o.Wait = time.Minute
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	h := http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 90 * time.Second,
	}}
	if o.HTTP != nil {
		h = *o.HTTP
	}
	// A redirect could lead the token elsewhere; the API has none.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.HTTP = &h
	return &Client{Options: o, base: u.JoinPath("api", "v1"), token: token}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// request is one that may be sent several times.
type request struct {
	method string
	path   []string
	in     any // JSON; nil: nothing
	heads  http.Header
}

// do sends a request until it is answered: with success, with 304 where that was
// asked for, or with a problem that no waiting will mend. The answer's body is the
// caller's to close.
func (c *Client) do(ctx context.Context, q request) (*http.Response, error) {
	var body []byte
	var err error
	if q.in != nil {
		if body, err = json.Marshal(q.in); err != nil {
			return nil, err
		}
	}
	key := ""
	if q.method != http.MethodGet {
		if key, err = c.key(); err != nil {
			return nil, err
		}
	}
	for try := 1; ; try++ {
		r, err := c.send(ctx, q, body, key)
		if err == nil {
			return r, nil
		}
		wait, passes := c.passes(err, try)
		if !passes || try >= c.Tries || ctx.Err() != nil {
			return nil, err
		}
		if serr := c.Sleep(ctx, wait); serr != nil {
			return nil, errors.Join(serr, err)
		}
	}
}

func (c *Client) send(ctx context.Context, q request, body []byte, key string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, c.base.JoinPath(q.path...).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, said := range q.heads {
		r.Header[name] = said
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept", "application/json")
	if q.in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	out, err := c.HTTP.Do(r)
	if err != nil {
		return nil, &unanswered{err}
	}
	good := out.StatusCode >= 200 && out.StatusCode < 300 || out.StatusCode == http.StatusNotModified
	if good && q.method == http.MethodGet {
		return out, nil
	}
	defer out.Body.Close()
	if !good {
		return nil, problemOf(out)
	}
	// What an act came to is read here, where it can be asked for again under its key.
	b, err := io.ReadAll(io.LimitReader(out.Body, longest))
	if err != nil {
		return nil, &unanswered{err}
	}
	out.Body = io.NopCloser(bytes.NewReader(b))
	return out, nil
}

// ErrUnanswered: it isn't known whether the request arrived; it was sent under one key,
// as often as Options.Tries says. What is asked anew has another key: look first whether
// it was done.
var ErrUnanswered = errors.New("the desk did not answer")

type unanswered struct{ err error }

func (e *unanswered) Error() string   { return ErrUnanswered.Error() + ": " + e.err.Error() }
func (e *unanswered) Unwrap() []error { return []error{ErrUnanswered, e.err} }

// key draws an Idempotency-Key.
func (c *Client) key() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return "", err
	}
	return `"` + hex.EncodeToString(b[:]) + `"`, nil
}

// passes says whether an error may pass, and how long to wait before the next try:
// as long as the desk asks for, else a random part of a time that doubles.
func (c *Client) passes(err error, try int) (wait time.Duration, ok bool) {
	var p *Problem
	var u *unanswered
	switch {
	case errors.As(err, &u):
	case errors.As(err, &p) && (p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable || p.Status == http.StatusBadGateway || p.Status == http.StatusGatewayTimeout || errors.Is(p, UnderWay)):
		if p.RetryAfter > c.Wait {
			return 0, false
		}
	default:
		return 0, false
	}
	most := min(c.Wait, 500*time.Millisecond<<min(try-1, 10))
	wait = c.within(most)
	if p != nil {
		wait += p.RetryAfter // and a little, so that not all come back at once
	}
	return min(wait, c.Wait), true
}

// within is a random time up to most.
func (c *Client) within(most time.Duration) time.Duration {
	n, err := rand.Int(c.Rand, big.NewInt(int64(max(1, most))))
	if err != nil {
		return most
	}
	return time.Duration(n.Int64())
}

// post does something and decodes what came of it, unless out is nil.
func (c *Client) post(ctx context.Context, in, out any, path ...string) error {
	r, err := c.do(ctx, request{method: http.MethodPost, path: path, in: in})
	if err != nil {
		return err
	}
	return decode(r, out)
}

// longest bounds an answer that is read whole.
const longest = 64 << 20

func decode(r *http.Response, out any) error {
	defer r.Body.Close()
	if out == nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, longest))
	if err != nil {
		return &unanswered{err}
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("the desk's answer can't be read: is it one? %w", err)
	}
	return nil
}

// Problem is why the desk did not do what it was asked (RFC 9457).
type Problem struct {
	Type     string `json:"type"` // a path that stays
	Status   int    `json:"status"`
	Title    string `json:"title"`           // what happened
	Field    string `json:"field,omitempty"` // of what was sent, that is wrong
	Kept     string `json:"kept"`
	Do       string `json:"do"`
	Instance string `json:"instance"` // the request's id, by which the desk's process log has it

	RetryAfter time.Duration `json:"-"` // when to try again; 0: nothing was said
}

// The problems that a program goes on after: compare with errors.Is.
var (
	NotYet      = &Problem{Type: "/problems/not-yet"}      // it has not opened; RetryAfter says when it will
	NotNow      = &Problem{Type: "/problems/not-now"}      // held, recalled, or something is missing: the title says what
	NotAnchored = &Problem{Type: "/problems/not-anchored"} // come back after the next anchor
	NotThere    = &Problem{Type: "/problems/not-there"}    // or not for this account
	BadToken    = &Problem{Type: "/problems/token"}        // it lapsed, or was revoked
	BadScope    = &Problem{Type: "/problems/scope"}        // the token is not for this
	Refused     = &Problem{Type: "/problems/refused"}      // by the programme's rules: the title says why
	UnderWay    = &Problem{Type: "/problems/under-way"}    // the same request is being done
)

// Error is what happened and what was kept; Do says what to do.
func (p *Problem) Error() string {
	s := strings.TrimSuffix(p.Title, ".")
	if p.Kept != "" {
		s += ". " + strings.TrimSuffix(p.Kept, ".")
	}
	if p.Instance != "" {
		s += " (request " + p.Instance + ")"
	}
	return s
}

// Is compares the type.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Type != "" && t.Type == p.Type
}

// problemOf reads an answer that is no success. One that isn't the desk's own, but
// that of something before it, is a problem all the same.
func problemOf(r *http.Response) *Problem {
	p := &Problem{}
	b, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if kind != "application/problem+json" || json.Unmarshal(b, p) != nil || p.Title == "" {
		p = &Problem{Title: "The desk's address answers " + r.Status, Do: "See whether it is the desk that answers there"}
	}
	p.Status = r.StatusCode
	if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && n > 0 && n < 1<<31 {
		p.RetryAfter = time.Duration(n) * time.Second
	}
	return p
}
