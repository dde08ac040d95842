package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/signin"
	"forewarn/internal/wire"
)

// Visit is one request to one page.
type Visit struct {
	*http.Request
	By      cvd.Actor      // zero when nobody is signed in
	Session signin.Session // zero then too
	Page    *Page
	Files   []Upload // that the form came with, in its order
	ID      string   // of the request: in the answer's head, on error pages, in the process log

	site   *Site
	w      http.ResponseWriter
	styles []string // hashes of what may stand inline: pictures' own
	stale  bool     // the page asks for a proof, and there is none
	done   func()   // gives back the slot
	sent   []byte   // the body, if the request is no reading one

	changed time.Time // of a page that is the same for all
}

// visit serves a page to whoever asks.
func (s *Site) visit(w http.ResponseWriter, r *http.Request, p *Page) {
	v := &Visit{Request: r, Page: p, ID: requestID(r.Context()), site: s, w: w}
	serve := (*Visit).serve
	if p.Shared && v.reads() {
		serve = (*Visit).fromShelf
	}
	if err := serve(v); err != nil {
		v.problem(err)
	}
}

// serve is the way to the handler. What was sent is read before there is a slot,
// so that who sends slowly holds none.
func (v *Visit) serve() (err error) {
	if err := v.admit(); err != nil {
		return err
	}
	if err := v.limited(); err != nil {
		return err
	}
	forget, err := v.body()
	defer forget()
	if err != nil {
		return err
	}
	if v.done, err = v.site.slots.take(v.Context(), v.Page); err != nil {
		return err
	}
	defer v.release()
	return v.once(v.Page.Serve)
}

// body reads what was sent, so that what is too long, or no form, is told before a
// handler takes what is missing for empty. forget gives back the room that it takes.
func (v *Visit) body() (forget func(), err error) {
	if v.reads() {
		return func() {}, nil
	}
	of := v.site.slots.bodies
	if !v.SignedIn() {
		of = v.site.slots.strangers
	}
	b, forget, err := of.read(v.Body)
	if err != nil {
		return forget, err
	}
	v.sent, v.Body = b, io.NopCloser(bytes.NewReader(b))
	return forget, v.parse()
}

// parse reads a form.
func (v *Visit) parse() error {
	switch kind, _, _ := strings.Cut(v.Header.Get("Content-Type"), ";"); kind {
	case "application/json":
		return nil
	case "multipart/form-data":
		if v.Page.Files {
			return v.multipart()
		}
	case "", "application/x-www-form-urlencoded":
		if v.ParseForm() != nil {
			return errInput
		}
		return nil
	}
	return errInput
}

// admit finds out who comes, and whether they may.
func (v *Visit) admit() error {
	if v.Page.Who == Alike {
		return nil
	}
	if err := v.recognise(); err != nil {
		return err
	}
	switch {
	case v.Page.Who == Anyone:
		return nil
	case !v.SignedIn():
		return errSignIn
	}
	if v.Page.Act != cvd.NoAction {
		if err := v.May(v.Page.Act, cvd.TheProgramme()); errors.Is(err, cvd.ErrDenied) {
			return errNoPage // as for a form that goes nowhere
		} else if err != nil {
			return err
		}
	}
	if v.stale {
		return errProve
	}
	return nil
}

// recognise looks up the session that a request's cookie names, if any, or the
// token that it comes with: a machine is asked for no cookie and gets none. An
// account that was closed since, or a passkey that was revoked, has none.
func (v *Visit) recognise() error {
	if secret, machine := v.bearer(); machine {
		return v.asMachine(secret)
	}
	c, err := v.Cookie(v.site.cookieName())
	if err != nil {
		return nil
	}
	n, err := v.site.sessions.Find(v.Context(), c.Value, v.Now())
	switch {
	case errors.Is(err, signin.ErrNone):
		return nil
	case err != nil:
		return err
	}
	live, err := v.site.live(n)
	if err != nil || !live {
		return err
	}
	v.Session = n
	v.By = cvd.Actor{Account: cvd.AccountID(n.Account), Auth: entrylog.AuthSession}
	if v.Page.Fresh {
		if v.stale = !v.site.sessions.IsFresh(n, v.Now()); !v.stale {
			v.By.Auth = entrylog.AuthFresh
		}
	}
	return nil
}

// SignedIn reports whether somebody is.
func (v *Visit) SignedIn() bool { return !v.By.Account.IsZero() }

// Desk is what pages ask everything of.
func (v *Visit) Desk() *coordinator.Desk { return v.site.Config.Desk }

// Now is the programme's time.
func (v *Visit) Now() time.Time { return v.site.Clock().UTC().Truncate(time.Microsecond) }

// May asks the policy about something, outside of what the desk asks itself.
func (v *Visit) May(a cvd.Action, o cvd.Object) error {
	return v.Desk().View(func(p *cvd.Programme) error { return p.May(v.By, a, o, v.Now()) })
}

// View looks at the programme's state, as coordinator.Desk.View does, with the
// names of things. Inside of it ask p.May, not v.May: looking while one looks can
// wait for ever.
func (v *Visit) View(f func(*cvd.Programme, coordinator.Names) error) error {
	return v.Desk().View(func(p *cvd.Programme) error { return f(p, v.Desk().Names(v.Context(), p)) })
}

// Render sends a page: the template of that name in the frame, with data as its
// dot; to programs the data itself, as JSON.
func (v *Visit) Render(name string, data any) error {
	return v.render(http.StatusOK, name, data)
}

func (v *Visit) render(status int, name string, data any) error {
	if v.API() {
		b, err := json.Marshal(data)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			v.send(status, "application/json", append(b, '\n'))
			return nil
		}
		return v.answer(append(b, '\n'))
	}
	t, ok := templates[name]
	if !ok {
		return errors.New("web: there is no template " + name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "frame", frame{v.chrome(), data}); err != nil {
		return err
	}
	v.w.Header().Set("Content-Security-Policy", policy(v.styles))
	if v.Page.Shared && status == http.StatusOK {
		return v.shared("text/html; charset=utf-8", v.changed, b.Bytes())
	}
	v.send(status, "text/html; charset=utf-8", b.Bytes())
	return nil
}

// send is the end of every answer that has a body. Its reader may be slow, so it holds
// no slot meanwhile.
func (v *Visit) send(status int, contentType string, b []byte) {
	v.release()
	v.w.Header().Set("Content-Type", contentType)
	v.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	v.w.WriteHeader(status)
	if v.Method != http.MethodHead {
		_, _ = v.w.Write(b) // the reader went away
	}
}

// Redirect sends the reader to a path of this site, as what follows an act.
func (v *Visit) Redirect(path string) error {
	v.w.Header().Set("Location", local(path))
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// longestPath is above any of ours. What is kept for strangers is kept small.
const longestPath = 512

// local is a path of this site, whatever was asked for: "/" for all that could
// lead elsewhere.
func local(path string) string {
	u, err := url.Parse(path)
	switch {
	case len(path) > longestPath, err != nil, u.Scheme != "", u.Host != "", u.User != nil, u.Opaque != "",
		!strings.HasPrefix(path, "/"), strings.HasPrefix(path, "//"),
		strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }):
		return "/"
	}
	return path
}

// Field is a field of the form that was sent, without the spaces around it.
func (v *Visit) Field(name string) string { return strings.TrimSpace(v.PostFormValue(name)) }

// Picture lets a picture that was drawn here stand in the page, with the style
// that it carries. Never give it text from elsewhere.
func (v *Visit) Picture(svg string) template.HTML {
	if _, rest, ok := strings.Cut(svg, "<style>"); ok {
		if css, _, ok := strings.Cut(rest, "</style>"); ok {
			sum := sha256.Sum256([]byte(css))
			v.styles = append(v.styles, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
	}
	return template.HTML(svg)
}

// chrome is what the frame shows around a page.
type chrome struct {
	Programme string
	Who       string // handle; empty: nobody is signed in
	Nav       []navItem
	Here      string
	Path      string // of this page, to come back to
	Public    bool   // the page is the same for all
}

type navItem struct {
	Name, Path string
	Here       bool
}

type frame struct {
	Chrome chrome
	Data   any
}

func (v *Visit) chrome() (c chrome) {
	var roles cvd.Roles
	_ = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		c.Programme = n.Programme()
		if v.SignedIn() {
			c.Who, roles = n.Account(v.By.Account), p.Accounts[v.By.Account].Roles
		}
		return nil
	})
	c.Path, c.Public = v.URL.Path, v.Page.Shared
	if !v.SignedIn() {
		return c
	}
	for _, p := range v.site.pageList {
		if p.Nav == "" || p.For != 0 && p.For&roles == 0 || p.Act != cvd.NoAction && v.May(p.Act, cvd.TheProgramme()) != nil {
			continue
		}
		path := strings.TrimPrefix(p.Pattern, "GET ")
		c.Nav = append(c.Nav, navItem{p.Nav, path, v.reads() && path == v.URL.Path})
	}
	return c
}

// pathID is the id that stands in a path. What is no id names nothing.
func pathID[T ~[16]byte](v *Visit, name string) (id T, err error) {
	ref, err := wire.ParseID[struct{}](v.PathValue(name))
	if err != nil {
		return id, errNoPage
	}
	return T(ref), nil
}
