package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestProblemShape: whatever goes wrong on the API is a problem as RFC 9457 has
// it, of a type that is described, and nothing in it is from what was sent but a
// field's name.
func TestProblemShape(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	types := map[string]bool{}
	for _, p := range everyProblem() {
		types["/problems/"+p.Type] = true
	}
	big := `{"reason":"` + strings.Repeat("a", defaultLimit) + `"}`
	sent := http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}}
	alarm := apiBase + "/alarms/" + w.cs.String()
	for name, row := range map[string]struct {
		r      *http.Response
		status int
	}{
		"no such path":        {b.get(apiBase + "/nothing"), 404},
		"no such method":      {b.do("DELETE", apiBase+"/inbox", "", sent), 404},
		"a method of another": {b.do("PUT", alarm+"/decide", "{}", sent), 404},
		"nobody":              {w.as("").get(apiBase + "/home"), 401},
		"too long":            {b.do("POST", alarm+"/decide", big, sent), 413},
		"no JSON":             {b.do("POST", alarm+"/decide", "<x>evil</x>", sent), 400},
		"another kind":        {b.do("POST", alarm+"/decide", "evil", http.Header{"Content-Type": {"text/plain"}, "Sec-Fetch-Site": {"same-origin"}}), 400},
		"unknown field":       {b.do("POST", alarm+"/decide", `{"evil":1}`, sent), 400},
		"foreign":             {b.do("POST", alarm+"/decide", `{}`, http.Header{"Origin": {"https://evil.example"}}), 403},
		"another host":        {b.do("GET", apiBase+"/home", "", http.Header{"Host": {"evil.example"}}), 421},
		"refused":             {b.do("POST", alarm+"/lift", "", sent), 409},
		"no id":               {b.get(apiBase + "/alarms/evil"), 404},
	} {
		body := text(t, row.r)
		var p Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Errorf("%s: %v: %s", name, err, body)
			continue
		}
		if row.r.StatusCode != row.status || p.Status != row.status || !types[p.Type] || p.What == "" || p.Kept == "" || p.Do == "" || p.ID != row.r.Header.Get("X-Request-Id") {
			t.Errorf("%s: %d %s", name, row.r.StatusCode, body)
		}
		if row.r.Header.Get("Content-Type") != "application/problem+json" || name != "unknown field" && strings.Contains(body, "evil") {
			t.Errorf("%s: %v %s", name, row.r.Header, body)
		}
	}
}

// TestNoCORS: no other site's script may read an answer, whatever it asks.
func TestNoCORS(t *testing.T) {
	w := newWorld(t)
	b := w.as("c0")
	for _, p := range w.site.pageList {
		method, path := w.at(p.Pattern, true)
		for _, m := range []string{method, "OPTIONS"} {
			h := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {"authorization"}}
			r := b.do(m, path, "", h)
			for name := range r.Header {
				if strings.HasPrefix(name, "Access-Control-") && !strings.HasPrefix(p.Pattern, "GET /log/") {
					t.Errorf("%s %s says %s", m, p.Pattern, name)
				}
			}
		}
	}
}

// TestHeaderInjection: nothing that is sent ends up in an answer's heads.
func TestHeaderInjection(t *testing.T) {
	w := newWorld(t)
	b := w.as("c0")
	const evil = "x%0d%0aX-Evil:%20yes"
	for _, p := range w.site.pageList {
		method, path := w.at(p.Pattern, true)
		raw := anyPlaceholder.ReplaceAllString(strings.TrimPrefix(p.Pattern, method+" "), evil)
		for _, at := range []string{path + "?after=" + evil + "&words=" + evil + "&next=" + evil, raw} {
			h := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Range": {"bytes=0-" + evil}, "If-None-Match": {evil}, idempotencyHead: {`"` + evil + evil + `"`}, "X-Request-Id": {evil}}
			r := b.do(method, at, "scope="+evil+"&reason="+evil+"&name="+evil, h)
			for name, said := range r.Header {
				for _, s := range said {
					if name == "X-Evil" || strings.ContainsAny(s, "\r\n") || strings.Contains(s, "X-Evil") && name != "Location" {
						t.Errorf("%s: %s: %q", p.Pattern, name, s)
					}
				}
			}
			if s := r.Header.Get("Location"); strings.ContainsAny(s, "\r\n") {
				t.Errorf("%s: %q", p.Pattern, s)
			}
		}
	}
}

// FuzzAsk: whatever is sent to any operation, as a form or as JSON, is read into
// what its limits allow, or refused by a field that it has; it never panics.
func FuzzAsk(f *testing.F) {
	for _, s := range []string{"", "x=y", `{}`, `{"round":1,"up_to":2,"choice":"hold"}`, "round=1&up_to=9&choice=dismiss&days=91", `{"scope":["read","all"],"days":3}`,
		"scope=read&scope=fetch&days=366", "receipt=AAAA", `{"receipt":"AAAA"}`, `{"receipt":1}`, "after=x&limit=201", `{"round":-1}`, `{"round":1e400}`, "session=zz", `[]`, `{"a":{"b":[`, "words=%ff", `{"name":"\ud800"}`} {
		f.Add(s)
	}
	rows := []Page{}
	for _, p := range new(Site).pages() {
		if p.Op.In != nil {
			rows = append(rows, p)
		}
	}
	site := &Site{origin: &url.URL{Scheme: "https", Host: "desk.example"}, slots: newSlots()}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range rows {
			method, _, _ := strings.Cut(p.Pattern, " ")
			for _, kind := range []string{"application/json", "application/x-www-form-urlencoded"} {
				r := httptest.NewRequest(method, "/", strings.NewReader(s))
				r.Header.Set("Content-Type", kind)
				if method == "GET" {
					r.URL.RawQuery = s
				}
				v := &Visit{Request: r, Page: &p, site: site}
				if _, err := v.body(); err != nil {
					continue
				}
				in := reflect.New(reflect.TypeOf(p.Op.In))
				if v.Ask(in.Interface()) != nil {
					continue
				}
				for sf, x := range fieldsOf(in.Elem()) {
					one, most := sf.Tag.Get("one"), number(sf.Tag.Get("max"), 200)
					switch got := x.Interface().(type) {
					case string:
						if utf8.RuneCountInString(got) > most || !utf8.ValidString(got) || got != "" && one != "" && !strings.Contains(","+one+",", ","+got+",") {
							t.Errorf("%s: %s is %q", p.Op.Name, sf.Name, got)
						}
					case int:
						if low, high := number(sf.Tag.Get("low"), 0), number(sf.Tag.Get("high"), 1<<31-1); method == "POST" && (got < low || got > high) {
							t.Errorf("%s: %s is %d", p.Op.Name, sf.Name, got)
						}
					}
					if sf.Tag.Get("need") == "true" && x.IsZero() {
						t.Errorf("%s: %s is missing", p.Op.Name, sf.Name)
					}
				}
			}
		}
	})
}

// FuzzOperations: whatever is sent to any operation, by somebody who may do much,
// is answered as described, and never by a fault of ours.
func FuzzOperations(f *testing.F) {
	f.Add(uint8(0), "", "")
	f.Add(uint8(3), `{"round":1,"up_to":40,"choice":"hold","reason":"x"}`, "application/json")
	f.Add(uint8(7), "scope=read&days=3", "application/x-www-form-urlencoded")
	f.Add(uint8(16), `{"receipt":"AAAA"}`, "application/json")
	w := newWorld(f)
	w.opened()
	rows := []Page{}
	for _, p := range w.site.pageList {
		if p.api {
			rows = append(rows, p)
		}
	}
	ana, c0 := w.as("ana"), w.as("c0")
	f.Fuzz(func(t *testing.T, n uint8, body, kind string) {
		w.t = t
		w.site.rates = buckets{have: map[[32]byte]bucket{}} // no rate here
		p := rows[int(n)%len(rows)]
		if strings.HasSuffix(p.Pattern, "/end") || strings.HasPrefix(p.Pattern, "POST "+apiBase+"/account/sessions") {
			return // the world is used again
		}
		method, path := w.at(p.Pattern, true)
		for _, b := range []*browser{ana, c0} {
			if len(kind) > 100 || strings.ContainsFunc(kind, func(r rune) bool { return r < ' ' || r > '~' }) {
				kind = "application/json"
			}
			r := b.do(method, path, body, http.Header{"Content-Type": {kind}, "Sec-Fetch-Site": {"same-origin"}})
			if r.StatusCode >= 500 {
				t.Errorf("%s: %d %s", p.Pattern, r.StatusCode, text(t, r))
			}
		}
	})
}
