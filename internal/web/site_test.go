package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/memstore"
)

func TestFrontAndHome(t *testing.T) {
	w := newWorld(t)
	page := text(t, w.as("").get("/"))
	for _, want := range []string{"<h1>Works</h1>", w.desk.Key[:20], "Nothing is published yet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the front lacks %q", want)
		}
	}
	if strings.Contains(page, "Layout import") {
		t.Error("the front names a case")
	}
	home := text(t, w.as("c0").get("/home"))
	for _, want := range []string{"Member 0", "Layout import", "sealed", "/cases/" + w.cs.String()} {
		if !strings.Contains(home, want) {
			t.Errorf("a member's home lacks %q", want)
		}
	}
	if other := text(t, w.as("c1").get("/home")); strings.Contains(other, "Layout import") || strings.Contains(other, w.cs.Short()) {
		t.Error("another member sees the case")
	}
	if desk := text(t, w.as("ana").get("/home")); !strings.Contains(desk, w.cs.Short()) || !strings.Contains(desk, "Layout import") {
		t.Error("the staff's home lacks the case")
	}
	if r := w.as("").get("/home"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/sign-in?next=%2Fhome" {
		t.Errorf("a stranger's home: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestAnchorsAreServed(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(3 * time.Minute)
	ok(t, w.desk.Log().Tick(ctx))
	b := w.as("")
	signed, cp := w.desk.Log().Checkpoint()
	if got := text(t, b.get("/log/checkpoint")); got != string(signed) {
		t.Errorf("the checkpoint is %q", got)
	}
	if cp.Size == 0 {
		t.Fatal("nothing is anchored")
	}
	if r := b.get("/log/tile/0/000.p/" + itoa(cp.Size)); r.StatusCode != 200 || len(text(t, r)) != int(cp.Size)*32 {
		t.Errorf("a tile: %d", r.StatusCode)
	}
	for _, p := range []string{"/log/", "/log/x", "/log/tile/0/999", "/log/tile/../checkpoint", "/log/..%2fkeys%2flog", "/log/recovery-1/checkpoint", "/log/recovery-1/../../keys"} {
		if r := b.get(p); r.StatusCode != 404 && r.StatusCode != 307 {
			t.Errorf("%s: %d", p, r.StatusCode)
		}
	}
}

func itoa(n uint64) string { b, _ := json.Marshal(n); return string(b) }

// TestHeads: every answer, whatever it is, says what a browser may do with it.
func TestHeads(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	for _, r := range []*http.Response{b.get("/"), b.get("/home"), b.get("/nothing"), b.get("/static/style.css"), b.do("PUT", "/home", "", nil), b.do("GET", "/", "", http.Header{"Host": {"other.example"}})} {
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=63072000"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%d: %s is %q", r.StatusCode, name, got)
			}
		}
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%d: policy %q", r.StatusCode, csp)
		}
		if len(r.Header.Get("X-Request-Id")) != 16 {
			t.Errorf("%d: id %q", r.StatusCode, r.Header.Get("X-Request-Id"))
		}
	}
	if r := b.do("GET", "/", "", http.Header{"Host": {"other.example"}}); r.StatusCode != 421 {
		t.Errorf("another host: %d", r.StatusCode)
	}
	for host, status := range map[string]int{"DESK.example": 200, "desk.example:443": 200, "desk.example:8443": 421, "desk.example.evil.example": 421, "": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		rec := httptest.NewRecorder()
		w.site.ServeHTTP(rec, r)
		if rec.Code != status {
			t.Errorf("host %q: %d", host, rec.Code)
		}
	}
	if r := b.get("/static/style.css"); r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style: %v", r.Header)
	}
	if page := text(t, b.get("/home")); strings.Contains(page, "style=") || strings.Contains(page, "onclick") || strings.Contains(page, "<script>") {
		t.Error("something stands inline")
	}
}

// TestProblems: an error is a page, with an id that finds it in the process log.
func TestProblems(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	r := b.get("/nothing")
	if page := text(t, r); r.StatusCode != 404 || !strings.Contains(page, r.Header.Get("X-Request-Id")) || !strings.Contains(page, "Nothing was changed.") {
		t.Errorf("%d %s", r.StatusCode, page)
	}
	// A failed append ends the writer: every page says so, and the log why.
	w.fail = func(op memstore.Op) memstore.Fault {
		if op == memstore.Append {
			return memstore.Fault{Err: errors.New("the disk is full")}
		}
		return memstore.Fault{}
	}
	if _, err := w.desk.AddAccount(ctx, w.by("ana"), cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), coordinator.Person{Handle: "ada", Name: "Ada"}); err == nil {
		t.Fatal("the append did not fail")
	}
	w.log.Reset()
	r = b.get("/home")
	if page := text(t, r); r.StatusCode != 503 || !strings.Contains(page, "the desk has stopped") || strings.Contains(page, "disk is full") {
		t.Errorf("%d %s", r.StatusCode, page)
	}
	var line struct{ Level, ID, Page, Error string }
	ok(t, json.Unmarshal(w.log.Bytes(), &line))
	if line.ID != r.Header.Get("X-Request-Id") || line.Level != "ERROR" || line.Page != "GET /home" || !strings.Contains(line.Error, "disk is full") {
		t.Errorf("logged: %s", w.log)
	}
}

// TestPanic: a handler that panics is one bad answer, and the next is good.
func TestPanic(t *testing.T) {
	w := newWorld(t)
	w.add(Page{Pattern: "GET /panic", Who: Anyone, Serve: func(*Visit) error { panic("a secret") }})
	if r := w.as("").get("/panic"); r.StatusCode != 500 || strings.Contains(text(t, r), "a secret") {
		t.Errorf("%d", r.StatusCode)
	}
	if !strings.Contains(w.log.String(), "a secret") || !strings.Contains(w.log.String(), "site_test.go") {
		t.Errorf("the process log doesn't say where: %s", w.log)
	}
	if r := w.as("").get("/"); r.StatusCode != 200 {
		t.Errorf("after it: %d", r.StatusCode)
	}
}

func TestLocal(t *testing.T) {
	for in, want := range map[string]string{
		"/home": "/home", "/cases/x?y=z": "/cases/x?y=z", "": "/", "home": "/",
		"//evil.example": "/", "/" + strings.Repeat("a", 600): "/", "https://evil.example/": "/", "/\\evil.example": "/", "/\t/evil.example": "/",
		"\\\\evil.example": "/", "javascript:alert(1)": "/", "/a\r\nSet-Cookie: x": "/", "///evil.example": "/",
	} {
		if got := local(in); got != want {
			t.Errorf("local(%q) = %q, want %q", in, got, want)
		}
	}
}
