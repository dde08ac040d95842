package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"forewarn/internal/coordinator"
	"forewarn/internal/signin"
)

// Config is what a Site is made of.
type Config struct {
	Desk     *coordinator.Desk
	SignIn   signin.Store
	Log      *slog.Logger
	Rand     io.Reader
	Clock    func() time.Time
	Origin   string                                               // "https://desk.example": what browsers call the site
	Proxied  bool                                                 // requests come from a proxy that sets X-Forwarded-For
	Idle     time.Duration                                        // a session ends when it was not used for so long
	Absolute time.Duration                                        // and so long after it was begun
	Fresh    time.Duration                                        // how long a proof counts as fresh
	Watch    func(pattern string, status int, took time.Duration) // of every request; may be nil
}

// Site serves the pages. It is an http.Handler, and safe for concurrent use.
type Site struct {
	Config
	origin   *url.URL
	sessions signin.Sessions
	pageList []Page
	slots    slots
	about    asset // the description of the API
	rates    buckets
	limits   map[string]int64 // of bodies, by pattern; those that aren't the usual
	heads    http.Header
	rp       *webauthn.WebAuthn
	mux      *http.ServeMux
	handler  http.Handler
	shelf    shelf
	held     holding
}

// New makes a site.
func New(c Config) (*Site, error) {
	u, err := url.Parse(c.Origin)
	switch {
	case err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%w: %q: say https://HOST, with the port if it is not 443", ErrOrigin, c.Origin)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%w: %q: without TLS only this machine itself can be served (http://localhost:PORT)", ErrOrigin, c.Origin)
	}
	u.Host = strings.ToLower(u.Host)
	if u.Port() == "443" && u.Scheme == "https" || u.Port() == "80" && u.Scheme == "http" {
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port()) // browsers leave it out
	}
	c.Origin = u.Scheme + "://" + u.Host
	s := &Site{Config: c, origin: u, mux: http.NewServeMux(), slots: newSlots(), rates: buckets{have: map[[32]byte]bucket{}}}
	s.sessions = signin.Sessions{Store: c.SignIn, Rand: c.Rand, Idle: c.Idle, Absolute: c.Absolute, Fresh: c.Fresh}
	if s.rp, err = s.relyingParty(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOrigin, err)
	}
	about, err := Describe()
	if err != nil {
		return nil, err
	}
	s.about = newAsset(about, "application/json")
	s.limits, s.heads = map[string]int64{}, heads(s.secure())
	for _, p := range s.pages() {
		s.pageList = append(s.pageList, p)
		if p.Op.Name != "" {
			s.pageList = append(s.pageList, p.forPrograms())
		}
	}
	for i := range s.pageList {
		p := &s.pageList[i]
		s.mux.Handle(p.Pattern, s.page(p))
		if p.Limit > 0 {
			s.limits[p.Pattern] = p.Limit
		}
	}
	s.handler, err = s.guard(http.HandlerFunc(s.route))
	return s, err
}

// ErrOrigin: the site can't be called that.
var ErrOrigin = errors.New("not an origin that can be served")

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// secure reports whether browsers come by TLS.
func (s *Site) secure() bool { return s.origin.Scheme == "https" }

// route finds the page. A path or a method that is in no row is answered as one
// page that isn't there.
func (s *Site) route(w http.ResponseWriter, r *http.Request) {
	if traceOf(r.Context()).pattern == "" {
		s.visit(w, r, &Page{Who: Anyone, Serve: func(*Visit) error { return errNoPage }})
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Site) page(p *Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.visit(w, r, p) })
}
