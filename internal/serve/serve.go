// Package serve runs a programme's desk as a service: one process that holds the
// log, answers browsers and this machine's commands, makes the anchors on time and
// finishes what was left undone.
//
//	listen ─► /healthz /readyz at once ─► open the programme (replay) ─► pages, socket
//	       ─► stop: no new requests, the last ones to their end, the log closed
//
// Config is the manual: every setting is a field of it, and the zero of each is
// what a small programme wants. The command fills it from flags, and tests start
// the same object.
//
// It decides nothing. Don't run it on a host that strangers can log in to: the
// folder holds the desk's keys. doc/serve.md says what each thief gains.
package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/relay"
	"forewarn/internal/sqlite"
	"forewarn/internal/web"
	"forewarn/internal/witness"
)

// Config is how a desk is served.
type Config struct {
	Dir string // the programme's folder

	// Listen is where browsers, or the proxy, come in; empty: 127.0.0.1:8443.
	// Without TLS and without a proxy it must be this machine's own address.
	Listen string

	// TLSCert and TLSKey are PEM files, read again when they change.
	TLSCert, TLSKey string

	// BehindProxy: a proxy on this host or network ends TLS. It must set
	// X-Forwarded-For, keep the Host, and be the only one who can reach Listen.
	BehindProxy bool

	// Origin is what browsers call the desk: https://HOST, with the port if it is
	// not 443. Passkeys are bound to the host for ever. Empty without TLS or proxy:
	// http://localhost with Listen's port.
	Origin string

	// Metrics is a loopback address for Prometheus, at /metrics; empty: none. They
	// show how busy the desk is, which is itself worth hiding.
	Metrics string

	// Witnesses are asked, each URL=VKEY, to cosign every new checkpoint of the anchors;
	// /log/checkpoint has what they gave. Anchors wait for none of them.
	Witnesses []string

	Idle     time.Duration // a session ends when it was not used for so long; 0: one hour
	Absolute time.Duration // and so long after it was begun; 0: twelve hours
	Fresh    time.Duration // how long a proof of who somebody is counts; 0: five minutes
	Deadline time.Duration // for stopping; 0: twenty seconds

	// Time is an https:// address whose answers' Date is a third clock, asked before the
	// programme is opened and every minute from then on; empty: the machine's own two
	// alone. Choose a server of somebody else's, near, without a cache before it.
	Time string

	Log *slog.Logger // of the process; nil: slog.Default()

	// Beside is what goes on beside the pages, with the same desk. What ends with an
	// error is begun again.
	Beside []Task

	// Rouse reaches who is on duty when the desk itself needs somebody: its clocks
	// came apart. Nil: the process log and /readyz alone say so.
	Rouse coordinator.Notifier

	// Calls: one of Beside calls who is on duty. What is said at the start of alarms
	// that are raised goes by it.
	Calls bool

	// Started, if not nil, is called once the programme is open and pages are
	// served, with the address that is listened on.
	Started func(net.Addr, string)

	// Clocks tells the wall clock, and how much time went by since any fixed moment;
	// nil: the machine's. It is for trials of a desk on clocks that are set. No flag of
	// serve gives it: who can set both clocks can open waves.
	Clocks func() (wall time.Time, elapsed time.Duration)

	// asking asks Time, in tests.
	asking http.RoundTripper
}

// Task is something that goes on until its context ends.
type Task struct {
	Name string // for the process log
	Run  func(context.Context, *coordinator.Desk) error
}

// ErrConfig: the settings don't go together. Nothing was started.
var ErrConfig = errors.New("these settings don't go together")

// ErrListen: an address can't be listened on. Nothing was started.
var ErrListen = errors.New("this address can't be listened on")

// filled checks the settings and fills in what is not said.
func (c Config) filled() (Config, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:8443")
	c.Idle, c.Absolute, c.Fresh = cmp.Or(c.Idle, time.Hour), cmp.Or(c.Absolute, 12*time.Hour), cmp.Or(c.Fresh, 5*time.Minute)
	c.Deadline, c.Log = cmp.Or(c.Deadline, 20*time.Second), cmp.Or(c.Log, slog.Default())
	host, port, err := net.SplitHostPort(c.Listen)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
		return c, bad("listen on HOST:PORT, not on %q", c.Listen)
	}
	tls := c.TLSCert != ""
	switch {
	case tls != (c.TLSKey != ""):
		return c, bad("TLS takes a certificate and its key")
	case tls && c.BehindProxy:
		return c, bad("either this process ends TLS, or a proxy does")
	case !tls && !c.BehindProxy && !loopback(host):
		return c, bad("%s can be reached from elsewhere: give a certificate and key, or say that a proxy is before it", c.Listen)
	case (tls || c.BehindProxy) && c.Origin == "":
		return c, bad("say what browsers call the desk: an origin like https://desk.example")
	case c.Time != "" && !strings.HasPrefix(c.Time, "https://"):
		return c, bad("a time that nobody signs is worth nothing: give an https:// address, not %q", c.Time)
	case c.Metrics != "":
		if h, _, err := net.SplitHostPort(c.Metrics); err != nil || !loopback(h) {
			return c, bad("metrics are for this machine alone (127.0.0.1:PORT), not for %q", c.Metrics)
		}
	}
	return c, nil
}

// again is how long a task that ended waits to be begun again.
const again = 10 * time.Second

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// server is a desk that is being served.
type server struct {
	Config
	clock   *clock
	metrics *metrics
	site    atomic.Pointer[web.Site]
	desk    atomic.Pointer[home.Desk]
	kept    *sqlite.SignIn
	peers   []*witness.Peer
	ending  atomic.Bool
	addr    net.Addr
	dead    chan error // the log has stopped, and why
}

// Run serves until the context ends, then stops in order. It returns nil when it
// was stopped so. Errors: ErrConfig, those of home, ledger.ErrLocked when another
// process has the log, ErrListen; nothing is served then. With ledger.ErrDead an append
// failed while it served: whoever starts services starts it again, and commands can have
// the log meanwhile.
func Run(ctx context.Context, c Config) (err error) {
	if c, err = c.filled(); err != nil {
		return err
	}
	s := &server{Config: c, clock: newClock(c.Clocks), dead: make(chan error, 1)}
	for _, w := range c.Witnesses {
		p, err := witness.ParsePeer(w)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		s.peers = append(s.peers, p)
	}
	s.metrics = newMetrics(s)
	h, err := home.OpenOn(c.Dir, home.Machine{Clock: s.clock.Now})
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w (--listen %s): %w", ErrListen, c.Listen, err)
	}
	s.addr = l.Addr()
	l = Bounded(l, c.BehindProxy)
	public := s.httpServer(s)
	if c.TLSCert != "" {
		cert := &certificate{cert: c.TLSCert, key: c.TLSKey, log: c.Log}
		if _, err := cert.get(nil); err != nil {
			return errors.Join(fmt.Errorf("%w: %w", ErrConfig, err), l.Close())
		}
		public.TLSConfig = &tls.Config{GetCertificate: cert.get, MinVersion: tls.VersionTLS12}
	}
	servers := []*http.Server{public}
	failed := make(chan error, 3)
	go func() {
		if public.TLSConfig != nil {
			failed <- public.ServeTLS(l, "", "")
			return
		}
		failed <- public.Serve(l)
	}()
	if c.Metrics != "" {
		m, err := listen.Listen(ctx, "tcp", c.Metrics)
		if err != nil {
			return errors.Join(fmt.Errorf("%w (--metrics %s): %w", ErrListen, c.Metrics, err), public.Close())
		}
		private := s.httpServer(s.metrics.handler())
		servers = append(servers, private)
		go func() { failed <- private.Serve(m) }()
	}
	work, stop := context.WithCancel(ctx)
	var hands sync.WaitGroup
	err = s.open(work, h, &hands)
	if err == nil {
		if local := s.local(failed); local != nil {
			servers = append(servers, local)
		}
		if s.Started != nil {
			s.Started(s.addr, s.Origin)
		}
		select {
		case <-ctx.Done():
		case err = <-failed:
		case err = <-s.dead:
		}
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // it was stopped while it began, which is in order
	}
	return errors.Join(err, s.close(servers, stop, &hands))
}

// local lets this machine's commands write. Where no socket can be made it is nil:
// that is no reason not to serve the others.
func (s *server) local(failed chan<- error) *http.Server {
	door, err := relay.Listen(filepath.Join(s.Dir, "desk"))
	if err != nil {
		s.Log.Error("commands of this machine can't write while the desk is served", "error", err.Error())
		return nil
	}
	local := s.httpServer(relay.Handler(s.desk.Load()))
	local.WriteTimeout = 0 // a sealing takes as long as it takes
	go func() { failed <- local.Serve(door) }()
	return local
}

// httpServer has the limits that every connection is held to.
func (s *server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: 32 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 90 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: 32}, // more than a page of ours needs; 250 on each of a network's connections would be very many
	}
}

// patience is how long a command may have the log while a desk is to be served.
const patience = 10 * time.Second

// take opens the desk, after a command that has it for a moment. Another one that is
// served is not waited for.
func take(ctx context.Context, h *home.Home) (*home.Desk, error) {
	for until := time.Now().Add(patience); ; {
		d, err := h.Desk(ctx)
		if !errors.Is(err, ledger.ErrLocked) {
			return d, err
		}
		if served, e := h.Served(ctx); served || e != nil || time.Now().After(until) {
			return nil, fmt.Errorf("the programme is served, or written to, already: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// open replays the programme and puts the pages up.
func (s *server) open(ctx context.Context, h *home.Home, hands *sync.WaitGroup) error {
	begun := time.Now()
	source := timeSource{s.Time, &http.Client{Transport: s.asking, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if s.Time != "" {
		s.hearFirst(ctx, &source)
	}
	d, err := take(ctx, h)
	if err != nil {
		return err
	}
	s.desk.Store(d)
	if err := s.doubts(d); err != nil {
		return err
	}
	kept, err := sqlite.OpenSignIn(ctx, filepath.Join(s.Dir, "desk", "ephemeral.db"))
	if err != nil {
		return err
	}
	s.kept = kept
	if s.Origin == "" {
		_, port, err := net.SplitHostPort(s.addr.String())
		if err != nil {
			return err
		}
		s.Origin = "http://localhost:" + port
	}
	verifier, err := note.NewVerifier(h.LogKey())
	if err != nil {
		return err
	}
	anchors := &cosigned{Publisher: d.Publisher}
	d.Publisher = anchors // what pages read; the log has its own
	site, err := web.New(web.Config{
		Desk: d.Desk, SignIn: kept, Log: s.Log, Rand: h.Machine.Rand, Clock: s.clock.Now, Origin: s.Origin, Proxied: s.BehindProxy,
		Idle: s.Idle, Absolute: s.Absolute, Fresh: s.Fresh, Watch: s.metrics.request,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s.site.Store(site)
	s.Log.Info("serving", "origin", s.Origin, "listen", s.addr.String(), "entries", uint64(d.Log().Size()), "opened_in", time.Since(begun))
	if err := d.Say(ctx, "serves the desk: sign in at "+s.Origin+", or stop it"); err != nil {
		return err
	}
	if err := s.alarms(d); err != nil {
		return err
	}
	if err := s.entrances(d); err != nil {
		return err
	}
	hands.Go(func() { s.tick(ctx, d) })
	hands.Go(func() { s.finish(ctx, d) })
	hands.Go(func() {
		s.every(ctx, 10*time.Minute, func() error { roomy(); return kept.Sweep(ctx, s.clock.Now()) }, "sweeping sessions")
	})
	hands.Go(func() { s.watch(ctx, d) })
	if s.Time != "" {
		hands.Go(func() { s.every(ctx, time.Minute, func() error { return s.hear(ctx, &source) }, "asking for the time") })
	}
	hands.Go(func() { _ = d.Warm(ctx) })
	for _, p := range s.peers {
		hands.Go(func() { s.witnessing(ctx, d, anchors, p, verifier) })
	}
	for _, t := range s.Beside {
		hands.Go(func() { s.every(ctx, again, func() error { return t.Run(ctx, d.Desk) }, t.Name) })
	}
	return nil
}

// close stops in order, and within the deadline: what is asked for is answered,
// nothing new is, and the log is closed last.
func (s *server) close(servers []*http.Server, stop func(), hands *sync.WaitGroup) (err error) {
	s.ending.Store(true)
	served := s.site.Load() != nil
	if served {
		s.Log.Info("stopping")
	}
	within, done := context.WithTimeout(context.Background(), s.Deadline)
	defer done()
	// All at once: a slow download is no reason to go on taking commands, nor to cut them
	// off once the time is over.
	errs := make([]error, len(servers))
	var doors sync.WaitGroup
	for i, x := range servers {
		doors.Go(func() {
			if e := x.Shutdown(within); e != nil {
				errs[i] = errors.Join(fmt.Errorf("some requests did not end within %s: %w", s.Deadline, e), x.Close())
			}
		})
	}
	doors.Wait()
	err = errors.Join(errs...)
	stop()
	hands.Wait()
	if s.kept != nil {
		err = errors.Join(err, s.kept.Close())
	}
	if d := s.desk.Load(); d != nil {
		err = errors.Join(err, d.Close())
	}
	if served {
		s.Log.Info("stopped")
	}
	return err
}

// ServeHTTP answers what is asked before there is a programme to ask, and passes
// on the rest.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		plain(w, http.StatusOK, "ok")
		return
	case "/readyz":
		if why := s.unready(); why != "" {
			plain(w, http.StatusServiceUnavailable, why)
			return
		}
		plain(w, http.StatusOK, "ok")
		return
	}
	if site := s.site.Load(); site != nil {
		site.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "5")
	plain(w, http.StatusServiceUnavailable, "The programme is being opened. Nothing was changed. Come back in a few seconds.")
}

func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// unready says why requests should go elsewhere, or be held; empty: they needn't.
func (s *server) unready() string {
	d := s.desk.Load()
	switch {
	case s.site.Load() == nil:
		return "opening"
	case s.ending.Load():
		return "stopping"
	case d.Log().View(func() {}) != nil:
		return "the log has stopped"
	case s.clock.Jumped():
		return "the clock jumped"
	case s.behind(d) > jump:
		return "the clock is behind the log"
	}
	return ""
}
