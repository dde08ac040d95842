package web

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"forewarn/internal/sealer"
)

// policy is the Content-Security-Policy: nothing but this site's own files, and
// styles of pictures that were drawn here, by their hashes.
func policy(styles []string) string {
	return "default-src 'none'; style-src 'self'" + strings.Join(append([]string{""}, styles...), " ") +
		"; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

var plainPolicy = policy(nil)

const (
	defaultLimit = 64 << 10 // bytes of a body
	handlerTime  = 60 * time.Second
)

// guard is what every request passes before it comes to a page.
func (s *Site) guard(next http.Handler) (http.Handler, error) {
	cross := http.NewCrossOriginProtection()
	if err := cross.AddTrustedOrigin(s.origin.Scheme + "://" + s.origin.Host); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOrigin, err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		if k := s.shelved(r); k != nil && s.hostOf(r) == s.origin.Host {
			// Nothing can go wrong with it, and nobody is known: it is counted, and has no
			// line in the process log.
			status := k.send(w, r)
			if s.Watch != nil {
				s.Watch(k.pattern, status, time.Since(begun))
			}
			return
		}
		var raw [8]byte
		_, err := io.ReadFull(s.Rand, raw[:])
		t := &trace{id: hex.EncodeToString(raw[:])}
		_, t.pattern = s.mux.Handler(r)
		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), traceKey{}, t), handlerTime)
		defer cancel()
		r = r.WithContext(ctx)
		out := &counted{ResponseWriter: w}
		defer func() {
			if caught := recover(); caught != nil {
				if caught == http.ErrAbortHandler {
					panic(caught)
				}
				t.err = fmt.Errorf("panic: %v", caught)
				t.stack = string(debug.Stack())
				if out.status == 0 {
					s.refuse(out, r, errPanic)
				}
			}
			s.record(r, t, out, time.Since(begun))
		}()
		maps.Copy(out.Header(), s.heads)
		out.Header()["X-Request-Id"] = []string{t.id}
		r.Body = http.MaxBytesReader(out, r.Body, cmp.Or(s.limits[t.pattern], defaultLimit))
		switch {
		case err != nil:
			s.refuse(out, r, fmt.Errorf("drawing an id: %w", err))
		case s.hostOf(r) != s.origin.Host:
			s.refuse(out, r, errHost)
		case cross.Check(r) != nil:
			s.refuse(out, r, errForeign)
		default:
			next.ServeHTTP(out, r)
		}
	}), nil
}

var errPanic = fmt.Errorf("a handler panicked")

// heads is what every answer says.
func heads(secure bool) http.Header {
	h := http.Header{
		"Content-Security-Policy":      {plainPolicy},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {"camera=(), microphone=(), geolocation=()"},
		"Cache-Control":                {"no-store"},
	}
	if secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
	return h
}

// hostOf is the host that a request names, as the origin has it: in small
// letters, and without the port that goes without saying.
func (s *Site) hostOf(r *http.Request) string {
	usual := ":80"
	if s.secure() {
		usual = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(r.Host), usual)
}

// refuse answers a request that comes to no page.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	v := &Visit{Request: r, Page: &Page{}, ID: requestID(r.Context()), site: s, w: w}
	v.problem(err)
}

// trace is what is noted of a request for the process log.
type trace struct {
	id      string
	pattern string // of the page; empty: none
	err     error
	stack   string
}

type traceKey struct{}

func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	if t == nil {
		t = &trace{}
	}
	return t
}

func requestID(ctx context.Context) string { return traceOf(ctx).id }

// noteError keeps an error for the process log. What a visitor did wrong is not
// one, and its text may hold what they sent.
func noteError(ctx context.Context, err error, status int) {
	if t := traceOf(ctx); (status >= 500 || errors.Is(err, sealer.ErrRefused)) && t.err == nil {
		t.err = err
	}
}

// record writes a request's line into the process log: its pattern and never its
// path, which may name a case.
func (s *Site) record(r *http.Request, t *trace, out *counted, took time.Duration) {
	pattern := cmp.Or(t.pattern, "none")
	if s.Watch != nil {
		s.Watch(pattern, out.status, took)
	}
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("id", t.id), slog.String("page", pattern), slog.Int("status", out.status),
		slog.Int64("bytes", out.bytes), slog.Duration("took", took),
	}
	if t.err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", t.err.Error()))
	}
	if t.stack != "" {
		attrs = append(attrs, slog.String("stack", t.stack))
	}
	s.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// counted notes what is sent.
type counted struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counted) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// from is whom tries are counted for: the address that a request comes from, or
// its network where one person has many.
func (s *Site) from(r *http.Request) string {
	said := r.RemoteAddr
	if f := r.Header.Values("X-Forwarded-For"); s.Proxied && len(f) > 0 {
		last := f[len(f)-1] // what the proxy itself added; all before it anybody can write
		said = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	}
	a, err := netip.ParseAddr(said)
	if err != nil {
		ap, err := netip.ParseAddrPort(said)
		if err != nil {
			return "unknown"
		}
		a = ap.Addr()
	}
	a = a.Unmap()
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

// around is what a network, as from has it, is part of: as much as one customer of a
// provider gets with ease.
func around(network string) string {
	p, err := netip.ParsePrefix(network)
	if err != nil {
		return network
	}
	bits := 24
	if p.Addr().Is6() {
		bits = 48
	}
	p, _ = p.Addr().Prefix(bits)
	return p.String()
}
