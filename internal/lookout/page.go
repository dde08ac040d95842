package lookout

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
	"forewarn/internal/timeline"
)

//go:embed page.css
var pageCSS string

//go:embed page.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"when": stamp, "first": func(v *coordinator.AlarmView) string { return v.FirstWords(stamp) },
	"time":    func(b coordinator.Between) string { return b.Words(stamp) },
	"in":      distance,
	"capital": func(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] },
	"effect":  func(s coordinator.SeenView) string { return s.Words(stamp) },
	"short":   func(s string) string { return sighting.Printable([]byte(s)) },
}).Parse(pageText))

// Desk is what pages are made from.
type Desk interface {
	Looker
	Alarm(context.Context, cvd.Actor, cvd.CaseID) (coordinator.AlarmView, error)
	Alarms(context.Context, cvd.Actor) ([]coordinator.AlarmLine, error)
	Case(context.Context, cvd.Actor, string) (cvd.CaseID, error)
}

// Pages shows alarms to one person, on the machine where it runs. It shows and
// changes nothing. Whoever knows the address can read it: it is no sign-in.
type Pages struct {
	Desk Desk
	By   cvd.Actor
	Only cvd.CaseID // zero: all cases

	mu sync.Mutex // one refresh at a time
}

// Intervals, in seconds, at which the page asks for itself again: soon while there
// is nothing on it, and calmly while there is something to act upon.
const (
	askSoon   = 2
	askOften  = 4
	askCalmly = 10
)

type shown struct {
	*coordinator.AlarmView
	Wide, Narrow template.HTML
	Rows         []timeline.Row
}

type pageData struct {
	CSS    template.CSS
	Policy string
	Every  int
	Now    time.Time
	Lines  []coordinator.AlarmLine
	Alarms []shown
}

// policy lets the page's own styles in, by their hashes, and nothing else: no
// script, no picture, no form, nothing remote.
func policy(styles ...string) string {
	src, had := "", map[string]bool{}
	for _, s := range styles {
		if !had[s] {
			had[s] = true
			h := sha256.Sum256([]byte(s))
			src += " 'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
		}
	}
	return "default-src 'none'; style-src" + src + "; base-uri 'none'; form-action 'none'"
}

// styleOf is the style that a picture brings.
func styleOf(svg string) string {
	_, s, _ := strings.Cut(svg, "<style>")
	s, _, _ = strings.Cut(s, "</style>")
	return s
}

// Page is the alarms of one case, or of all when it is zero.
func (p *Pages) Page(ctx context.Context, only cvd.CaseID) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.Desk.Refresh(ctx); err != nil {
		return nil, err
	}
	d := pageData{CSS: template.CSS(pageCSS), Every: askSoon, Now: time.Now()}
	lines, err := p.Desk.Alarms(ctx, p.By)
	if err != nil {
		return nil, err
	}
	styles := []string{pageCSS}
	for _, l := range lines {
		if !only.IsZero() && l.Case != only {
			continue
		}
		v, err := p.Desk.Alarm(ctx, p.By, l.Case)
		if err != nil {
			return nil, err
		}
		d.Every = max(d.Every, askOften)
		if l.State == cvd.AlarmRaised.String() || l.State == cvd.AlarmInHand.String() {
			d.Every = askCalmly
		}
		id := "c" + l.Case.Short()
		d.Lines = append(d.Lines, l)
		wide, narrow := timeline.SVG(v.Timeline, timeline.Options{Width: 960, ID: id}), timeline.SVG(v.Timeline, timeline.Options{Width: 328, ID: id + "n"})
		styles = append(styles, styleOf(wide), styleOf(narrow))
		// Both are made of escaped text only.
		d.Alarms = append(d.Alarms, shown{&v, template.HTML(wide), template.HTML(narrow), v.Timeline.Rows()})
	}
	d.Policy = policy(styles...)
	var b bytes.Buffer
	err = page.Execute(&b, d)
	return b.Bytes(), err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	utc := t.UTC().Format("2006-01-02 15:04:05 UTC")
	if _, off := t.Local().Zone(); off == 0 {
		return utc
	}
	return t.Local().Format("2006-01-02 15:04:05 MST") + " (" + utc + ")"
}

// distance is how far away an instant is.
func distance(t, now time.Time) string {
	d := t.Sub(now).Round(time.Second)
	word := "in %s"
	if d < 0 {
		d, word = -d, "%s ago"
	}
	s := d.String()
	switch {
	case d >= 48*time.Hour:
		s = fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour:
		s = fmt.Sprintf("%d h %d min", d/time.Hour, d/time.Minute%60)
	case d >= time.Minute:
		s = fmt.Sprintf("%d min %d s", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf(word, s)
}

// ErrNotLocal: the page is for this machine alone.
var ErrNotLocal = errors.New("the page is served to this machine alone: use 127.0.0.1 or [::1] and a port")

// Serve serves the page until the context ends. ready is told its address.
func (p *Pages) Serve(ctx context.Context, address string, ready func(url string)) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%w, not %q", ErrNotLocal, address)
	}
	var l net.ListenConfig
	listener, err := l.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	var secret [20]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return err
	}
	path := "/" + strings.ToLower(base32.StdEncoding.EncodeToString(secret[:])) + "/"
	s := &http.Server{Handler: p.handler(listener.Addr().String(), path), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	ready("http://" + listener.Addr().String() + path)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		s.Close()
		return ctx.Err()
	}
}

// handler answers one path of one host. A page of another site that has its name
// point here (DNS rebinding) asks for another host.
func (p *Pages) handler(host, path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for k, v := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			h.Set(k, v)
		}
		switch {
		case r.Host != host || subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(path)) != 1:
			http.Error(w, "Nothing is here.", http.StatusNotFound)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "This page only shows. Decide with the commands on it.", http.StatusMethodNotAllowed)
		default:
			b, err := p.Page(r.Context(), p.Only)
			if err != nil {
				http.Error(w, "The alarms can't be shown: "+err.Error()+"\nNothing was changed. 'forewarn alarm list' shows them too.", http.StatusInternalServerError)
				return
			}
			h.Set("Content-Type", "text/html; charset=utf-8")
			w.Write(b)
		}
	})
}
