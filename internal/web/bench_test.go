package web

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// bench makes a site whose process log goes nowhere.
func bench(b *testing.B) *world {
	w := newWorldAt(b, origin)
	w.site.Log = slog.New(slog.DiscardHandler)
	return w
}

// BenchmarkPages answers one page after another over a connection that is kept,
// and sets the time against a bare handler that sends as many bytes in the same
// run: 'ratio' is how often as long it takes.
func BenchmarkPages(b *testing.B) {
	w := bench(b)
	w.now = w.now.Add(3 * time.Minute)
	ok(b, w.desk.Log().Tick(ctx))
	secret, err := signin.Secret(w.rand)
	ok(b, err)
	_, err = w.desk.Do(ctx, w.by("c0"), cvd.IssueToken{Account: w.who["c0"], Token: signin.KeyOf(secret), Scope: cvd.ScopeRead, Until: w.now.Add(365 * 24 * time.Hour)})
	ok(b, err)
	cookie := w.site.cookieName() + "=" + w.as("c0").cookie
	server := httptest.NewServer(w.site)
	defer server.Close()
	for _, row := range []struct{ name, path, head, value string }{
		{"checkpoint", "/log/checkpoint", "", ""},
		{"style", "/static/style.css", "", ""},
		{"front", "/", "", ""},
		{"home", "/home", "Cookie", cookie},
		{"inbox", "/api/v1/inbox", "Authorization", "Bearer " + secret},
	} {
		b.Run(row.name, func(b *testing.B) {
			once := func(base string) int {
				r, err := http.NewRequest("GET", base+row.path, nil)
				ok(b, err)
				r.Host = w.site.origin.Host
				if row.head != "" {
					r.Header.Set(row.head, row.value)
				}
				got, err := http.DefaultClient.Do(r)
				ok(b, err)
				n, err := io.Copy(io.Discard, got.Body)
				ok(b, err)
				got.Body.Close()
				if got.StatusCode != 200 {
					b.Fatal(got.Status)
				}
				return int(n)
			}
			body := []byte(strings.Repeat("x", once(server.URL)))
			bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
			defer bare.Close()
			var ours, theirs time.Duration
			for b.Loop() {
				if row.head == "Authorization" {
					w.now = w.now.Add(time.Second) // so that the account's rate is no part of it
				}
				begun := time.Now()
				once(server.URL)
				middle := time.Now()
				once(bare.URL)
				ours, theirs = ours+middle.Sub(begun), theirs+time.Since(middle)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "ratio")
			b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "µs/page")
		})
	}
}

// BenchmarkAPI has 64 connections ask at once, as 64 members' machines do, and the
// same of a bare handler that sends the same status and bytes, by turns: 'ratio'
// is how many requests are answered for each of the bare one's. Both times are with
// the client's work, on the same cores, and through loopback.
func BenchmarkAPI(b *testing.B) {
	const connections, each = 64, 3
	w := bench(b)
	w.now = w.now.Add(3 * time.Minute)
	ok(b, w.desk.Log().Tick(ctx))
	secret, err := signin.Secret(w.rand)
	ok(b, err)
	_, err = w.desk.Do(ctx, w.by("c0"), cvd.IssueToken{Account: w.who["c0"], Token: signin.KeyOf(secret), Scope: cvd.ScopeRead, Until: w.now.Add(365 * 24 * time.Hour)})
	ok(b, err)
	server := httptest.NewServer(w.site)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true}}
	once := func(at, tag string) (status int, body []byte, now string) {
		r, err := http.NewRequest("GET", at, nil)
		ok(b, err)
		r.Host = w.site.origin.Host
		r.Header.Set("Authorization", "Bearer "+secret)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		got, err := client.Do(r)
		ok(b, err)
		body, err = io.ReadAll(got.Body)
		ok(b, err)
		got.Body.Close()
		return got.StatusCode, body, got.Header.Get("ETag")
	}
	crowd := func(at, tag string, want int) time.Duration {
		begun := time.Now()
		var all sync.WaitGroup
		for range connections {
			all.Go(func() {
				for range each {
					if got, _, _ := once(at, tag); got != want {
						b.Errorf("%s: %d", at, got)
					}
				}
			})
		}
		all.Wait()
		return time.Since(begun)
	}
	for _, row := range []struct {
		name, path string
		known      bool
	}{
		{"inbox", "/inbox", false},
		{"inbox-unchanged", "/inbox", true},
		{"description", "/openapi.json", false},
		{"description-unchanged", "/openapi.json", true},
	} {
		b.Run(row.name, func(b *testing.B) {
			w.now = w.now.Add(time.Minute)
			at := server.URL + apiBase + row.path
			want, body, tag := once(at, "")
			if !row.known {
				tag = ""
			} else {
				want, body = 304, nil
			}
			bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(want)
				w.Write(body)
			}))
			defer bare.Close()
			var ours, theirs time.Duration
			for b.Loop() {
				w.now = w.now.Add(time.Minute) // so that the account's rate is no part of it
				ours += crowd(at, tag, want)
				theirs += crowd(bare.URL, tag, want)
			}
			b.ReportMetric(float64(theirs)/float64(ours), "ratio")
			b.ReportMetric(float64(b.N*connections*each)/ours.Seconds(), "req/s")
		})
	}
}

// BenchmarkAccounts searches ten thousand accounts.
func BenchmarkAccounts(b *testing.B) {
	w := bench(b)
	var all []coordinator.Admission
	for i := range 10_000 {
		all = append(all, coordinator.Admission{Name: "Many " + itoa(uint64(i)), Tier: 1, Contact: "m" + itoa(uint64(i))})
	}
	_, err := w.desk.AdmitAll(ctx, w.by("ana"), all, nil)
	ok(b, err)
	ana := w.as("ana")
	for name, path := range map[string]string{"first": "/accounts", "search": "/accounts?words=m9876"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ana.wants(ana.get(path), 200)
			}
		})
	}
}

// FuzzLocal: whatever is asked for, what follows is a path of this site, as a
// browser would take it.
func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/home", "//evil.example", "/\\evil.example", "https://evil.example", "/%2f/evil.example", "/a?b=//c", "\t//evil.example"} {
		f.Add(s)
	}
	base, err := url.Parse(origin + "/sign-in")
	ok(f, err)
	f.Fuzz(func(t *testing.T, s string) {
		got := local(s)
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Errorf("local(%q) = %q leads to %v", s, got, u)
		}
	})
}

// FuzzFrom: any address is somebody, and never the text that was sent.
func FuzzFrom(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "192.0.2.1, 198.51.100.7", "[2001:db8::1]:443", "::ffff:192.0.2.1", "fe80::1%eth0", "nobody"} {
		f.Add(s)
	}
	s := &Site{Config: Config{Proxied: true}}
	f.Fuzz(func(t *testing.T, said string) {
		r := &http.Request{RemoteAddr: "198.51.100.1:1", Header: http.Header{"X-Forwarded-For": {said}}}
		got := s.from(r)
		if _, _, err := net.ParseCIDR(got); err != nil && got != "unknown" {
			t.Errorf("%q is counted as %q", said, got)
		}
	})
}
