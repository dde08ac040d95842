package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// bounces takes every notice as if it left, but those to these addresses.
type bounces map[string]bool

func (b bounces) Mail(_ context.Context, _ time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
	for _, m := range out {
		if b[m.To] {
			done(m, coordinator.ErrBounced)
		} else {
			done(m, nil)
		}
	}
}

func (w *world) deliver(with bounces) {
	w.t.Helper()
	_, err := w.desk.Deliver(ctx, w.by("ana"), with, w.now)
	ok(w.t, err)
}

// TestHomeIsLooking: a person who is shown Home has looked, and that is one entry
// for however many looks; who was told nothing, a program, a HEAD and a browser that
// fetches ahead make none.
func TestHomeIsLooking(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour) // the wave is open
	b, other := w.as("c0"), w.as("c1")
	w.deliver(nil)
	unseen := func() (yes bool) {
		ok(t, w.desk.View(func(p *cvd.Programme) error { yes = p.Unseen(w.who["c0"]); return nil }))
		return yes
	}
	if !unseen() {
		t.Fatal("nobody was told of the wave")
	}
	size := w.desk.Log().Size()
	looks := func(what string, want int, look func() *http.Response) {
		t.Helper()
		if r := look(); r.StatusCode != 200 {
			t.Errorf("%s: %d", what, r.StatusCode)
		}
		if got := int(w.desk.Log().Size() - size); got != want {
			t.Errorf("%s: %d entries, want %d", what, got, want)
		}
		size = w.desk.Log().Size()
	}
	looks("a program", 0, func() *http.Response { return b.get(apiBase + "/home") })
	looks("a HEAD", 0, func() *http.Response { return b.do("HEAD", "/home", "", nil) })
	looks("fetching ahead", 0, func() *http.Response {
		return b.do("GET", "/home", "", http.Header{"Sec-Purpose": {"prefetch"}})
	})
	looks("another page", 0, func() *http.Response { return b.get("/account") })
	looks("who was told nothing", 0, func() *http.Response { return other.get("/home") })
	if !unseen() {
		t.Error("what was no looking counted as one")
	}
	looks("a person", 1, func() *http.Response { return b.get("/home") })
	looks("again", 0, func() *http.Response { return b.get("/home") })
	if unseen() {
		t.Error("the log doesn't say that they looked")
	}
}

// TestNotReachedOnPages: who is not reached stands out on the wave's page, the case's
// and the board, to those who may view that.
func TestNotReachedOnPages(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour)
	b := w.as("ana")
	wave, board, cs := "/waves/"+w.wave.String(), "/cases", "/cases/"+w.cs.String()
	want := func(path, what string) {
		t.Helper()
		if said := text(t, b.get(path)); !strings.Contains(said, what) {
			t.Errorf("%s doesn't say %q", path, what)
		}
	}
	want(wave, ">not told<")
	var mail string
	ok(t, w.desk.View(func(p *cvd.Programme) error { mail = w.desk.Names(ctx, p).Person(w.who["c0"]).Mail; return nil }))
	w.deliver(bounces{mail: true})
	want(wave, `<strong class="due">not reached</strong>`)
	want(wave, "1 holder was not reached.")
	want(cs, "1 holder was not reached.")
	want(cs+"?sort=missed", `Member 0</a> <strong class="due">not reached</strong>`)
	want(board, `<td class="figure"><strong class="due">1</strong></td>`)
	want(apiBase+wave, `"notice":"not reached"`)
	want(apiBase+cs, `"not_reached":true`)

	looked := w.as("c0")
	if r := looked.get("/home"); r.StatusCode != 200 {
		t.Fatal(r.Status)
	}
	want(wave, ">seen<")
	for _, path := range []string{wave, cs, board} {
		if strings.Contains(text(t, b.get(path)), `class="due">not reached`) {
			t.Errorf("%s: who looked is not reached", path)
		}
	}
}

// TestHomeLeadsWhereOneMay: the staff's home page offers everybody what they may do,
// and nothing else: each of its links is a page to its reader.
func TestHomeLeadsWhereOneMay(t *testing.T) {
	w := newWorld(t)
	for who, want := range map[string]struct{ links, not []string }{
		"ana":  {[]string{"/entries", "/log", "/cases", "/reports"}, []string{"forewarn investigate"}},
		"ben":  {[]string{"/cases"}, []string{"/entries", "/reports", "/cases/new"}},
		"ines": {[]string{"/entries", "/cases", "forewarn investigate"}, []string{"/reports", "/cases/new"}},
		"otto": {[]string{"/entries", "/log"}, []string{"/cases", "/reports", "What waits for you", "No case yet"}},
	} {
		b := w.as(who)
		_, main, _ := strings.Cut(b.wants(b.get("/home"), 200), "<main")
		for _, x := range want.links {
			if !strings.Contains(main, x) {
				t.Errorf("%s isn't led to %s", who, x)
			}
		}
		for _, x := range want.not {
			if strings.Contains(main, x) {
				t.Errorf("%s is led to %s", who, x)
			}
		}
		for part := range strings.SplitSeq(main, `href="`) {
			if path, _, ok := strings.Cut(part, `"`); ok && strings.HasPrefix(path, "/") {
				b.wants(b.get(path), 200)
			}
		}
	}
}
