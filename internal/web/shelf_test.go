package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
)

// TestShelf: a page that is the same for all is made once, until something happens
// that it could show: then whoever asks next sees that.
func TestShelf(t *testing.T) {
	w := newWorld(t)
	made := 0
	w.add(Page{Pattern: "GET /made", Who: Alike, Shared: true, Serve: func(v *Visit) error {
		made++
		if v.URL.RawQuery == "fails" {
			return errNoPage
		}
		v.changed = dawn
		return v.Render("join", nil)
	}})
	b := w.as("")
	first := b.get("/made")
	body, tag := text(t, first), first.Header.Get("ETag")
	for _, who := range everybody {
		if got := text(t, w.as(who).get("/made")); got != body {
			t.Errorf("%s sees another page", who)
		}
	}
	if r := b.do("GET", "/made", "", http.Header{"If-None-Match": {tag}}); r.StatusCode != 304 || text(t, r) != "" || r.Header.Get("Content-Length") != "" || r.Header.Get("ETag") != tag {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := b.do("HEAD", "/made", "", nil); r.StatusCode != 200 || text(t, r) != "" || r.Header.Get("Content-Length") != first.Header.Get("Content-Length") {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if id := b.get("/made").Header.Get("X-Request-Id"); id != "" {
		t.Error("an id was kept with a page")
	}
	made0 := made // signing people in made entries
	b.get("/made")
	if made != made0 {
		t.Error("it was made again, and nothing had happened")
	}
	packed := b.do("GET", "/made", "", http.Header{"Accept-Encoding": {"gzip"}})
	if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("ETag") == tag || made != made0+1 {
		t.Errorf("packed: %v, made %d times more", packed.Header, made-made0)
	}
	for i, happens := range []func(){
		func() {
			_, err := w.desk.Do(ctx, w.by("ana"), cvd.Hold{Case: w.cs})
			ok(t, err)
		},
		func() { w.now = w.now.Add(2 * time.Minute); ok(t, w.desk.Log().Tick(ctx)) },
		func() { w.now = w.now.Add(shelfTime) },
	} {
		before := made
		happens()
		b.get("/made")
		b.get("/made")
		if made != before+1 {
			t.Errorf("event %d: made %d times", i, made-before)
		}
	}
	before := made
	for range 2 {
		if r := b.get("/made?fails"); r.StatusCode != 404 {
			t.Error(r.StatusCode)
		}
		b.get("/made?" + strings.Repeat("x", shelfKey))
	}
	if made != before+4 {
		t.Errorf("what failed, or was too long, was kept: %d", made-before)
	}
}
