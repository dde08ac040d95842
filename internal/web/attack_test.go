package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// oddTexts are what no page expects in any field.
var oddTexts = []string{"", "-1", "9223372036854775807", "99999999999999999999", "\xff\xfe", "\u202e\x1b[2J\r\nX: y",
	"9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00+14:00", "../../../etc/passwd", "%00", strings.Repeat("a", 300), strings.Repeat("7", 26)}

// usual is something that a field takes.
func (w *world) usual(f reflect.StructField) any {
	if one := f.Tag.Get("one"); one != "" {
		x, _, _ := strings.Cut(one, ",")
		if f.Type.Kind() == reflect.Slice {
			return []string{x}
		}
		return x
	}
	switch f.Type.Kind() {
	case reflect.Int:
		return number(f.Tag.Get("low"), 1)
	case reflect.Bool:
		return true
	case reflect.String:
		return "something"
	case reflect.Slice:
		if f.Type.Elem().Kind() == reflect.Uint8 {
			return []byte("x")
		}
		return []string{"something"}
	case reflect.Struct:
		if f.Type == reflect.TypeFor[time.Time]() {
			return dawn.Add(100 * time.Hour)
		}
	}
	return strings.Repeat("0", 26)
}

// TestOdd: no page, asked with anything by anybody, answers with a fault of ours.
func TestOdd(t *testing.T) {
	w := newWorld(t)
	w.opened()
	who := map[string]*browser{}
	for _, h := range []string{"", "ana", "c0"} {
		who[h] = w.as(h)
	}
	bad := 0
	for _, p := range w.site.pageList {
		if p.Op.In == nil || strings.Contains(p.Pattern, "sessions/end") {
			continue
		}
		method, path := w.at(p.Pattern, true)
		rt := reflect.TypeOf(p.Op.In)
		for at := range fieldsOf(reflect.New(rt).Elem()) {
			for _, odd := range oddTexts {
				sent := map[string]any{}
				form := []string{}
				for f := range fieldsOf(reflect.New(rt).Elem()) {
					if f.Name != at.Name {
						sent[fieldName(f)] = w.usual(f)
						form = append(form, fieldName(f)+"="+strings.Trim(fmt.Sprint(sent[fieldName(f)]), "[]"))
					}
				}
				sent[fieldName(at)] = odd
				if at.Type.Kind() == reflect.Slice {
					sent[fieldName(at)] = []string{odd}
				}
				form = append(form, fieldName(at)+"="+hexEscape(odd))
				body, _ := json.Marshal(sent)
				for name, b := range who {
					w.site.rates = buckets{have: map[[32]byte]bucket{}}
					kinds := map[string]string{"application/json": string(body), "application/x-www-form-urlencoded": strings.Join(form, "&")}
					if method == "GET" {
						kinds = map[string]string{"": ""}
					}
					for kind, text := range kinds {
						to := path
						if method == "GET" {
							to += "?" + strings.ReplaceAll(strings.Join(form, "&"), " ", "%20")
						}
						h := http.Header{"Sec-Fetch-Site": {"same-origin"}}
						if kind != "" {
							h["Content-Type"] = []string{kind}
						}
						r := b.do(method, to, text, h)
						if r.StatusCode >= 500 && bad < 40 {
							bad++
							var said strings.Builder
							for l := range strings.Lines(w.log.String()) {
								if strings.Contains(l, r.Header.Get("X-Request-Id")) {
									said.WriteString(l)
								}
							}
							t.Errorf("%s, %q, %s %q: %d %.600s", p.Pattern, name, fieldName(at), odd, r.StatusCode, said.String())
						}
						w.log.Reset()
					}
				}
			}
		}
	}
}

// TestTimesOutOfRange: a time that no log can hold is refused where it comes in, and
// the desk goes on.
func TestTimesOutOfRange(t *testing.T) {
	w := newWorld(t)
	b := w.as("fay") // a finder, who may propose an embargo
	for _, at := range []string{"9999-12-31T23:59:59-14:00", "0000-06-01T00:00:00Z", "0001-01-01T00:00:00+14:00"} {
		body, _ := json.Marshal(map[string]any{"release": at, "zone": "UTC"})
		r := b.do("POST", apiBase+"/cases/"+w.cs.String()+"/embargo", string(body), http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}})
		if s := text(t, r); r.StatusCode != 400 || !strings.Contains(s, `"field":"release"`) {
			t.Errorf("%s: %d %s", at, r.StatusCode, s)
		}
	}
	ok(t, w.desk.Consent(ctx, w.by("c0"), w.cs, false)) // the log is written as before
}

// endless is a body without an end, of which is counted what was read.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) { e.read += len(b); return len(b), nil }
func (e *endless) Close() error               { return nil }

// TestLongBodies: of what somebody sends who may not, no more is read than of any
// form; and what is held at once of all long ones is bounded, while short ones and
// the end of an embargo find room.
func TestLongBodies(t *testing.T) {
	w := newWorld(t)
	w.opened()
	for _, p := range w.site.pageList {
		method, path := w.at(p.Pattern, true)
		if p.Limit <= reportLimit || method == "GET" {
			continue
		}
		for _, who := range []string{"c0", "fay", "otto"} {
			e := new(endless)
			r := w.as(who).request(method, path, "x")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Body, r.ContentLength = e, -1
			w.site.ServeHTTP(httptest.NewRecorder(), r)
			if e.read > 2*defaultLimit {
				t.Errorf("%s, %s: %d bytes are read", p.Pattern, who, e.read)
			}
		}
	}

	w.site.slots.bodies = newRoom(4 << 20)
	gate, entered := make(chan struct{}), make(chan struct{}, 4)
	w.add(Page{Pattern: "POST /long", Limit: 3 << 20, Serve: func(v *Visit) error { entered <- struct{}{}; <-gate; return v.Done("/", nil) }})
	ana := w.as("ana")
	long := "x=" + strings.Repeat("a", 2<<20)
	var herd sync.WaitGroup
	herd.Go(func() { w.as("ana").post("/long", long) })
	<-entered
	herd.Go(func() { w.as("ana").post("/long", long[:1<<20]) })
	<-entered
	ana.wants(ana.post("/long", long), 503)
	ana.wants(ana.post("/cases/"+w.cs.String()+"/hold", "reason="+strings.Repeat("a", 1000)), 303)
	ana.wants(w.as("").post("/report", "title=x&text=y&product="+strings.Repeat("a", 100<<10)), 400) // which has room of its own, and is too long a field
	close(gate)
	herd.Wait()
	ana.wants(ana.post("/long", long), 303)
	if left := w.site.slots.bodies.left.Load(); left != 4<<20 {
		t.Errorf("%d bytes of room are left of %d", left, 4<<20)
	}
}

// TestActsAreBounded: who is signed in does not fill the log, and none of it keeps
// anybody from deciding about an alarm.
func TestActsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.opened()
	w.seen("00000000000000aa")
	id, err := w.desk.AddProduct(ctx, w.by("ana"), w.cs, "Portal")
	ok(t, err)
	b, before := w.as("c0"), w.desk.Log().Size()
	for i := range 3 * accountBurst {
		b.post("/cases/"+w.cs.String()+"/answers", fmt.Sprintf("product=%s&answer=%s&note=%d", id, []string{"investigating", "affected"}[i%2], i))
	}
	if n := w.desk.Log().Size() - before; n < 10 || n > accountBurst+10 {
		t.Errorf("%d entries at once", n)
	}
	ana := w.as("ana")
	for range accountBurst + 1 {
		ana.post("/cases/"+w.cs.String()+"/lift", "")
	}
	ana.wants(ana.post("/cases/"+w.cs.String()+"/lift", ""), 429)
	path := "/alarms/" + w.cs.String()
	page := ana.wants(ana.get(path+"/end"), 200)
	ana.wants(ana.post(path+"/end", looked(t, page, "name", "Layout import", "reason", "exploited")), 303)
}

// TestSlowReaders: who reads a page slowly holds no place that others wait for.
func TestSlowReaders(t *testing.T) {
	w := newWorldAt(t, "http://localhost")
	w.site.slots.wait = 50 * time.Millisecond
	w.add(Page{Pattern: "GET /long", Serve: func(v *Visit) error {
		v.send(200, "text/plain", make([]byte, 16<<20))
		return nil
	}})
	ana := w.as("ana")
	s := httptest.NewServer(w.site)
	defer s.Close()
	for range commonSlots {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		ok(t, err)
		defer c.Close()
		_, err = fmt.Fprintf(c, "GET /long HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\n\r\n", w.site.cookieName(), ana.cookie)
		ok(t, err)
		_, err = io.ReadFull(c, make([]byte, 1000)) // it is being sent
		ok(t, err)
	}
	ana.wants(ana.get("/home"), 200)
}
