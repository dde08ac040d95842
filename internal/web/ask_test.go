package web

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
)

type asked struct {
	Text  string       `json:"text" need:"true" max:"5"`
	Tick  bool         `json:"tick"`
	N     int          `json:"n" low:"1" high:"9"`
	At    time.Time    `json:"at"`
	Case  cvd.CaseID   `json:"case"`
	Cases []cvd.CaseID `json:"cases"`
	Words []string     `json:"words" max:"3"`
}

// TestAsk: a form and a program's JSON come to the same, and what is wrong is said
// by its field.
func TestAsk(t *testing.T) {
	w := newWorld(t)
	var got asked
	w.add(Page{Pattern: "POST /ask", Who: Anyone, Serve: func(v *Visit) error {
		got = asked{}
		if err := v.Ask(&got); err != nil {
			return err
		}
		return v.Done("/", nil)
	}})
	id := w.cs.String()
	b := w.as("")
	program := func(body string) *http.Response {
		return b.do("POST", "/ask", body, http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}})
	}
	want := asked{"héllo", true, 3, time.Date(2026, 5, 1, 7, 0, 0, 0, time.UTC), w.cs, []cvd.CaseID{w.cs, w.cs}, []string{"a", "b"}}
	if r := b.post("/ask", "text=+héllo+&tick=on&n=3&at=2026-05-01T09:00&zone=Europe/Vienna&case="+id+"&cases="+id+"&cases="+id+"&words=a&words=&words=b&other=x"); r.StatusCode != 303 || !reflect.DeepEqual(got, want) {
		t.Errorf("form: %d %+v", r.StatusCode, got)
	}
	if r := program(`{"text":"héllo","tick":true,"n":3,"at":"2026-05-01T07:00:00Z","case":"` + id + `","cases":["` + id + `","` + id + `"],"words":["a","b"]}`); r.StatusCode != 303 || !reflect.DeepEqual(got, want) {
		t.Errorf("program: %d %+v", r.StatusCode, got)
	}
	for form, says := range map[string]string{
		"n=3":                    "text is missing",
		"text=123456&n=3":        "text is longer than 5",
		"text=a&n=0":             "n is not between 1 and 9",
		"text=a":                 "n is not between 1 and 9",
		"text=a&n=x":             "n is not a whole number",
		"text=a&n=3&at=tomorrow": "at is not a time",
		"text=a&n=3&at=2026-05-01T09:00&zone=No/Where": "at has a zone",
		"text=a&n=3&case=zz":                           "case is not one",
		"text=a&n=3&words=abcd":                        "words is longer than 3",
		"text=%ff&n=3":                                 "text is not text",
	} {
		if s := b.wants(b.post("/ask", form), 400); !strings.Contains(s, says) {
			t.Errorf("%s: %s", form, s)
		}
	}
	for body, says := range map[string]string{
		`{"text":"a","n":3,"more":1}`: `"field":"more"`,
		`{"text":1,"n":3}`:            `"field":"text"`,
		`[`:                           `"type":"/problems/input"`,
		`{"text":"a","n":3}{}`:        `"type":"/problems/input"`,
		`{"n":3}`:                     `"field":"text"`,
	} {
		r := program(body)
		if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Error(got)
		}
		if s := b.wants(r, 400); !strings.Contains(s, says) {
			t.Errorf("%s: %s", body, s)
		}
	}
}

// TestCut: the parts of a list are the list, whatever their size.
func TestCut(t *testing.T) {
	list := strings.Split("a b c d e f g", " ")
	self := func(s string) string { return s }
	for limit := 1; limit < 9; limit++ {
		var all []string
		w := window{Limit: limit}
		for {
			part, next, err := cut(list, w, self)
			ok(t, err)
			all = append(all, part...)
			if w.After = next; next == "" {
				break
			}
		}
		if !reflect.DeepEqual(all, list) {
			t.Errorf("%d: %q", limit, all)
		}
	}
	if _, _, err := cut(list, window{After: "x"}, self); err == nil {
		t.Error("a place that isn't there is one")
	}
}

// TestTwin: a program gets what a page shows, and can ask whether it changed.
func TestTwin(t *testing.T) {
	w := newWorld(t)
	b := w.as("c0")
	r := b.get("/api/v1/inbox")
	if s := b.wants(r, 200); !strings.Contains(s, w.wave.String()) || !strings.Contains(s, `"opens_at":"2026-05-01T10:00:00Z"`) {
		t.Error(s)
	}
	if s := b.wants(b.get("/inbox"), 200); !strings.Contains(s, "<table>") {
		t.Error(s)
	}
	tag := r.Header.Get("ETag")
	if r := b.do("GET", "/api/v1/inbox", "", http.Header{"If-None-Match": {`"x", W/` + tag}}); r.StatusCode != 304 || text(t, r) != "" {
		t.Errorf("%d", r.StatusCode)
	}
	if r := w.as("c1").do("GET", "/api/v1/inbox", "", http.Header{"If-None-Match": {tag}}); r.StatusCode != 200 {
		t.Errorf("another's: %d", r.StatusCode)
	}
}
