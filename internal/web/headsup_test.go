package web

import (
	"encoding/json"
	"encoding/xml"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// announce has the world's case announced, for its planned release.
func (w *world) announce() cvd.HeadsUpID {
	w.t.Helper()
	id, err := w.desk.PublishHeadsUp(ctx, w.by("ana"), w.cs, coordinator.HeadsUpText{Headline: "An update for Larkspur Portal", Severity: "critical", Products: []string{"Larkspur Portal"}, Text: "Plan for *one* restart.\n\n<script>alert(1)</script>\n"}, cvd.ReleaseTime{}, "")
	ok(w.t, err)
	w.headsUp = id
	return id
}

// public is every page and answer that a stranger may look at.
func (w *world) public() map[string]string {
	b, out := w.as(""), map[string]string{}
	for _, p := range []string{"/", "/advisories", "/advisories.atom", "/heads-ups/" + w.headsUp.String()} {
		out[p] = b.wants(b.get(p), 200)
		if p != "/advisories.atom" {
			out["/api/v1"+p] = b.wants(b.get("/api/v1"+p), 200)
		}
	}
	return out
}

// TestHeadsUpOnPages lives one through, as the public and the staff see it.
func TestHeadsUpOnPages(t *testing.T) {
	w := newWorld(t)
	ana := w.as("ana")
	at := "/cases/" + w.cs.String()
	if s := ana.wants(ana.get(at), 200); !strings.Contains(s, "Announce it to the public…") {
		t.Error("the case's page doesn't offer it")
	}
	if s := ana.wants(ana.get(at+"/heads-up"), 200); !strings.Contains(s, `value="2026-05-11T09:00"`) || !strings.Contains(s, `name="zone" value="UTC"`) || strings.Contains(s, "Withdraw it") || strings.Count(s, "Layout import") != 3 {
		t.Errorf("the form: %s", s)
	}
	form := url.Values{"headline": {"An update for <Larkspur> Portal"}, "severity": {"critical"}, "products": {"Larkspur Portal\r\nLarkspur Hub"}, "planned": {"2026-05-11T11:00"}, "zone": {"Europe/Vienna"}, "text": {"Plan for *one* restart.\n\n<script>alert(1)</script> [x](javascript:alert(2))"}}
	ana.wants(ana.post(at+"/heads-up", form.Encode()), 400)
	form.Set("name", "Another")
	ana.wants(ana.post(at+"/heads-up", form.Encode()), 400)
	if got, err := w.desk.HeadsUps(ctx, cvd.HeadsUpAnnounced); err != nil || len(got) != 0 {
		t.Fatalf("%v, %v", got, err)
	}
	form.Set("name", "layout import")
	ana.wants(ana.post(at+"/heads-up", form.Encode()), 303)
	all, err := w.desk.HeadsUps(ctx, cvd.HeadsUpAnnounced)
	ok(t, err)
	if len(all) != 1 || !all[0].Planned.At.Equal(dawn.Add(240*time.Hour)) {
		t.Fatalf("%+v", all)
	}
	w.headsUp = all[0].HeadsUp
	page := "/heads-ups/" + w.headsUp.String()

	// It says what was written, and nothing of the case.
	var rev cvd.RevisionID
	ok(t, w.desk.View(func(p *cvd.Programme) error { rev = p.RevisionOrder[0]; return nil }))
	secret := []string{"Layout", w.cs.String(), w.cs.Short(), rev.String(), rev.Short(), w.wave.Short(), "A flaw", "Member 0"}
	for path, s := range w.public() {
		for _, x := range secret {
			if strings.Contains(s, x) {
				t.Errorf("%s says %q", path, x)
			}
		}
		if strings.Contains(s, "<script>alert") || strings.Contains(s, "javascript:alert(2)\"") {
			t.Errorf("%s holds what must not be there", path)
		}
		if plain := html.UnescapeString(s); !strings.Contains(plain, "An update for <Larkspur> Portal") && !strings.Contains(s, `An update for \u003cLarkspur\u003e Portal`) {
			t.Errorf("%s lacks the headline: %s", path, s)
		}
	}
	s := w.as("").wants(w.as("").get(page), 200)
	for _, want := range []string{"Will be published on Monday 11 May 2026, 09:00 UTC (Monday 11:00 in Europe/Vienna). Plan for it.", "<dd>critical</dd>", "Larkspur Portal, Larkspur Hub", "<em>one</em>", "announced</li>"} {
		if !strings.Contains(s, want) {
			t.Errorf("it lacks %q: %s", want, s)
		}
	}
	var api headsUpPageJSON
	ok(t, json.Unmarshal([]byte(w.public()["/api/v1"+page]), &api))
	if api.State != "announced" || api.Planned != "2026-05-11T09:00:00Z" || api.Zone != "Europe/Vienna" || api.Advisory != "" || len(api.Products) != 2 {
		t.Errorf("%+v", api)
	}

	// The shelf has the change at once, and a reader that has the old one is told.
	b := w.as("")
	tag := b.get("/advisories").Header.Get("ETag")
	form.Set("planned", "2026-05-12T11:00")
	ana.wants(ana.post(at+"/heads-up", form.Encode()), 409) // readers are told what was changed
	form.Set("change", "a day later")
	ana.wants(ana.post(at+"/heads-up", form.Encode()), 303)
	ana.wants(ana.post(at+"/heads-up", form.Encode()), 409) // it is so already
	if r := b.do("GET", "/advisories", "", http.Header{"If-None-Match": {tag}}); r.StatusCode != 200 || !strings.Contains(text(t, r), "2026-05-12 09:00 UTC") {
		t.Errorf("the list is the old one: %d", r.StatusCode)
	}
	if s := b.wants(b.get(page), 200); !strings.Contains(s, "changed: a day later") {
		t.Errorf("changed: %s", s)
	}
	if s := ana.wants(ana.get(at), 200); !strings.Contains(s, "the release is planned for another time") || !strings.Contains(s, "Change or withdraw the heads-up…") {
		t.Errorf("the case's page: %s", s)
	}
	if s := ana.wants(ana.get(at+"/heads-up"), 200); !strings.Contains(s, `value="2026-05-12T11:00"`) || !strings.Contains(s, "Larkspur Portal\nLarkspur Hub") || !strings.Contains(s, "Withdraw it") {
		t.Errorf("the form: %s", s)
	}

	// Its time passes.
	w.now = dawn.Add(265 * time.Hour)
	for path, want := range map[string]string{page: "Was announced for Tuesday 12 May 2026, 09:00 UTC (Tuesday 11:00 in Europe/Vienna); not published yet.", "/advisories": "not published yet", "/": "not published yet", "/advisories.atom": "not published yet"} {
		if s := w.public()[path]; !strings.Contains(s, want) || strings.Contains(s, "Plan for it") {
			t.Errorf("%s, overdue: %s", path, s)
		}
	}
	ana = w.as("ana")
	if s := ana.wants(ana.get(at), 200); !strings.Contains(s, "the public reads that nothing is published yet") || !strings.Contains(s, "The time that the public was told has passed") || !strings.Contains(s, at+`/heads-up">To the heads-up`) {
		t.Errorf("overdue, for its staff: %s", s)
	}

	// The advisory leads back, and the heads-up to it.
	ok(t, w.desk.Release(ctx, w.by("ana"), w.cs, []byte(advisoryText1)))
	if s := b.wants(b.get(page), 200); !strings.Contains(s, `<a href="/advisories/`+w.cs.String()+`">the advisory</a>`) {
		t.Errorf("met: %s", s)
	}
	if s := b.wants(b.get("/advisories/"+w.cs.String()), 200); !strings.Contains(s, `2026-05-01 09:00 UTC</time> <a href="`+page+`">announced</a>`) {
		t.Errorf("the advisory: %s", s)
	}
	for _, path := range []string{"/", "/advisories"} {
		if s := b.wants(b.get(path), 200); strings.Contains(s, "Larkspur") {
			t.Errorf("%s still announces it", path)
		}
	}
	ana.wants(ana.get(at+"/heads-up"), 404)
}

type headsUpPageJSON struct {
	State, Planned, Zone, Advisory string
	Products                       []string
}

// TestHeadsUpWithdrawn: it goes from the lists; its page and the feed say so; the
// advisory does not lead to it.
func TestHeadsUpWithdrawn(t *testing.T) {
	w := newWorld(t)
	id := w.announce()
	page, at := "/heads-ups/"+id.String(), "/cases/"+w.cs.String()
	b, ana := w.as(""), w.as("ana")
	type feed struct {
		Updated string `xml:"updated"`
		Entries []struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
			Summary string `xml:"summary"`
		} `xml:"entry"`
	}
	var first, second feed
	announced := b.wants(b.get("/advisories.atom"), 200)
	ok(t, xml.Unmarshal([]byte(announced), &first))
	w.now = w.now.Add(time.Minute)
	ana.wants(ana.post(at+"/heads-up/withdraw", ""), 400)
	ana.wants(ana.post(at+"/heads-up/withdraw", "reason=It+was+another+product."), 303)
	ana.wants(ana.post(at+"/heads-up/withdraw", "reason=again"), 409)
	withdrawn := b.wants(b.get("/advisories.atom"), 200)
	ok(t, xml.Unmarshal([]byte(withdrawn), &second))
	if len(first.Entries) != 1 || first.Entries[0].Title != "Announced: An update for Larkspur Portal" || first.Entries[0].ID != "tag:works.example,2026-05-01:forewarn/heads-ups/"+id.String() {
		t.Fatalf("%+v", first)
	}
	if e := second.Entries; len(e) != 1 || e[0].ID != first.Entries[0].ID || e[0].Title != "Withdrawn: An update for Larkspur Portal" || e[0].Summary != "Withdrawn: It was another product." || e[0].Updated <= first.Entries[0].Updated || second.Updated <= first.Updated {
		t.Errorf("%+v", second)
	}
	readFeeds(t, "1 1", announced, withdrawn)
	for _, path := range []string{"/", "/advisories"} {
		if s := b.wants(b.get(path), 200); strings.Contains(s, "Larkspur") {
			t.Errorf("%s still announces it", path)
		}
	}
	if s := b.wants(b.get(page), 200); !strings.Contains(s, "It was another product.") || strings.Contains(s, "Plan for it") {
		t.Errorf("withdrawn: %s", s)
	}
	w.publish(advisoryText1)
	if s := b.wants(b.get("/advisories/"+w.cs.String()), 200); strings.Contains(s, "heads-ups") {
		t.Error("the advisory leads to what was withdrawn")
	}
	if s := b.wants(b.get(page), 200); strings.Contains(s, w.cs.String()) {
		t.Error("what was withdrawn leads to the advisory")
	}
	w.now = w.now.Add(withdrawnStays + time.Minute)
	if s := b.wants(b.get("/advisories.atom"), 200); strings.Contains(s, "Withdrawn") {
		t.Errorf("the feed says so for ever: %s", s)
	}
	_, err := w.desk.Do(ctx, w.by("ana"), cvd.DestroyKey{Scope: cvd.CaseKey, ID: [16]byte(w.cs)})
	ok(t, err)
	if got, want := shape(t, b.get(page)), shape(t, b.get("/heads-ups/"+cvd.HeadsUpID{1}.String())); got != want {
		t.Errorf("gone: %s\nnone: %s", got, want)
	}
}

// TestHeadsUpBounds: what is longer than a heads-up is none.
func TestHeadsUpBounds(t *testing.T) {
	w := newWorld(t)
	for name, x := range map[string]coordinator.HeadsUpText{
		"no headline":        {Headline: " "},
		"two lines":          {Headline: "a\nb"},
		"a long headline":    {Headline: strings.Repeat("ä", coordinator.MaxHeadline+1)},
		"a long severity":    {Headline: "a", Severity: strings.Repeat("b", coordinator.MaxSeverity+1)},
		"a nameless product": {Headline: "a", Products: []string{""}},
		"many products":      {Headline: "a", Products: strings.Split(strings.Repeat("p,", 50)+"p", ",")},
		"a long text":        {Headline: "a", Text: strings.Repeat("c", coordinator.MaxHeadsUp+1)},
		"no text":            {Headline: "a", Text: "\xff"},
	} {
		if _, err := w.desk.PublishHeadsUp(ctx, w.by("ana"), w.cs, x, cvd.ReleaseTime{}, ""); err == nil {
			t.Errorf("%s is announced", name)
		}
	}
	for _, who := range []string{"ben", "cem", "ines", "otto", "fay", "c0", "c1"} {
		if _, err := w.desk.PublishHeadsUp(ctx, w.by(who), w.cs, coordinator.HeadsUpText{Headline: "a"}, cvd.ReleaseTime{}, ""); err == nil {
			t.Errorf("%s announces", who)
		}
		if err := w.desk.WithdrawHeadsUp(ctx, w.by(who), w.cs, "x"); err == nil {
			t.Errorf("%s withdraws", who)
		}
	}
}
