package lookout

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	markup "html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/timeline"
)

// board is a Desk with one alarm, whatever it is asked.
type board struct {
	Desk
	views []coordinator.AlarmView
}

func (b board) Refresh(context.Context) error { return nil }

func (b board) Alarms(context.Context, cvd.Actor) (out []coordinator.AlarmLine, err error) {
	for _, v := range b.views {
		out = append(out, coordinator.AlarmLine{Case: v.Case, State: v.State})
	}
	return out, nil
}

func (b board) Alarm(_ context.Context, _ cvd.Actor, id cvd.CaseID) (v coordinator.AlarmView, err error) {
	for _, x := range b.views {
		if x.Case == id {
			v = x
		}
	}
	return v, nil
}

func alarmed() board {
	at := time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)
	return board{views: []coordinator.AlarmView{{
		Case: cvd.CaseID{1}, Title: `<script>alert("title")</script>`, State: "raised", Round: 2, Raised: at, Now: at.Add(time.Minute), UpTo: 77,
		Embargo: "active", Release: at.Add(48 * time.Hour), Choices: []string{"end", "hold", "watch", "dismiss"}, Why: "a sensor saw it",
		First: coordinator.Between{From: at.Add(-2 * time.Hour), To: at.Add(-time.Hour)}, Had: coordinator.Narrowing{Least: 3, Most: 5, Members: 9},
		NextCall: at.Add(5 * time.Minute), NextCalled: "ben",
		Seen:     []coordinator.SeenView{{Entry: 70, Source: "edge", Clue: "token", Value: "<b>", Excerpt: `"><img src=x onerror=alert(1)>`, Count: 3, Effect: "raises", Stands: true}},
		Timeline: timeline.Model{Report: timeline.Point{At: at.Add(-72 * time.Hour)}, Sightings: []timeline.Sighting{{From: at.Add(-2 * time.Hour), To: at.Add(-time.Hour), Label: "in telemetry"}}},
	}}}
}

func TestPage(t *testing.T) {
	b, err := (&Pages{Desk: alarmed()}).Page(context.Background(), cvd.CaseID{})
	if err != nil {
		t.Fatal(err)
	}
	html := string(b)
	for _, want := range []string{
		"Alarm 2 is raised", "in 4 min 0 s", "3 to 5 of 9 members had fetched a copy", "between 2026-11-26 01:00:00 UTC",
		"forewarn alarm ack ", "--reason WHY --round 2 --up-to 77", "end --yes ", "<svg", `http-equiv="refresh" content="10"`, "onerror=alert(1)&gt;",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "<img", "<form", "<a ", "javascript:", "http://", "https://"} {
		if strings.Contains(strings.ReplaceAll(html, "http://www.w3.org/2000/svg", ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	// Every style on it is let in by its hash; nothing else is.
	for _, m := range regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(html, -1) {
		h := sha256.Sum256([]byte(m[1]))
		if !strings.Contains(markup.UnescapeString(html), "'sha256-"+base64.StdEncoding.EncodeToString(h[:])+"'") {
			t.Errorf("a style of the page is not let in: %.60q", m[1])
		}
	}
	if strings.Contains(html, " style=") || strings.Contains(html, "unsafe-inline") {
		t.Error("styles stand where the policy doesn't let them in")
	}
}

func TestEmptyPage(t *testing.T) {
	b, err := (&Pages{Desk: board{}}).Page(context.Background(), cvd.CaseID{})
	if err != nil || !strings.Contains(string(b), "<h1>No alarm</h1>") || !strings.Contains(string(b), `content="2"`) {
		t.Errorf("%v: %.400s", err, b)
	}
}

// TestWhoIsAnswered: one path of one host, and only what reads.
func TestWhoIsAnswered(t *testing.T) {
	h := (&Pages{Desk: alarmed()}).handler("127.0.0.1:8474", "/secret/")
	for _, row := range []struct {
		method, host, path string
		code               int
	}{
		{"GET", "127.0.0.1:8474", "/secret/", 200},
		{"HEAD", "127.0.0.1:8474", "/secret/", 200},
		{"POST", "127.0.0.1:8474", "/secret/", 405},
		{"GET", "127.0.0.1:8474", "/", 404},
		{"GET", "127.0.0.1:8474", "/secret", 404},
		{"GET", "127.0.0.1:8474", "/secret/x", 404},
		{"GET", "attacker.example:8474", "/secret/", 404},
		{"GET", "localhost:8474", "/secret/", 404},
	} {
		r := httptest.NewRequest(row.method, row.path, nil)
		r.Host = row.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != row.code {
			t.Errorf("%s %s%s: %d, want %d", row.method, row.host, row.path, w.Code, row.code)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s %s%s: headers %v", row.method, row.host, row.path, w.Header())
		}
		if w.Code != 200 && strings.Contains(w.Body.String(), "Alarm 2") {
			t.Error("the page is told with a refusal")
		}
	}
}

func TestServe(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "localhost:0", "192.0.2.1:0", "127.0.0.1", "x"} {
		if err := (&Pages{Desk: board{}}).Serve(context.Background(), address, func(string) { t.Errorf("%s is served", address) }); err == nil {
			t.Errorf("%s: no error", address)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	url, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- (&Pages{Desk: alarmed()}).Serve(ctx, "127.0.0.1:0", func(u string) { url <- u })
	}()
	r, err := http.Get(<-url)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil || r.StatusCode != 200 || !strings.Contains(string(b), "Alarm 2 is raised") {
		t.Errorf("%d %v", r.StatusCode, err)
	}
	stop()
	if err := <-ended; err != context.Canceled {
		t.Errorf("it ended with %v", err)
	}
}
