package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// seen has the programme's own sensor show tokens of the case.
func (w *world) seen(values ...string) {
	w.t.Helper()
	src, err := w.desk.DeclareSource(ctx, w.by("ana"), coordinator.SourceSpec{Name: "edge sensor", Origin: cvd.OwnSensor, Grade: cvd.GradeB, Quota: 100})
	ok(w.t, err)
	b := coordinator.Batch{Source: src, Cases: []cvd.CaseID{w.cs}}
	for _, v := range values {
		b.Spots = append(b.Spots, coordinator.Spot{Clue: cvd.Token, Value: v, From: w.now.Add(-time.Hour), To: w.now.Add(-time.Minute), Excerpt: []byte(`<script>alert("` + v + `")</script>`)})
	}
	_, err = w.desk.Record(ctx, w.by("ana"), b)
	ok(w.t, err)
}

func (w *world) alarm() coordinator.AlarmView {
	w.t.Helper()
	v, err := w.desk.Alarm(ctx, w.by("ana"), w.cs)
	ok(w.t, err)
	return v
}

// looked is what the alarm's page posts with every act: what its reader saw.
func looked(t *testing.T, page string, more ...string) string {
	t.Helper()
	q := url.Values{}
	for _, name := range []string{"round", "up_to"} {
		_, rest, found := strings.Cut(page, `name="`+name+`" value="`)
		if !found {
			t.Fatalf("the page has no %s:\n%s", name, page)
		}
		value, _, _ := strings.Cut(rest, `"`)
		q.Set(name, value)
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q.Encode()
}

// TestAlarmOnPages: from the home page to the end of the embargo, as somebody who
// is called does it.
func TestAlarmOnPages(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour)
	path := "/alarms/" + w.cs.String()
	ana := w.as("ana")
	if s := ana.wants(ana.get("/home"), 200); strings.Contains(s, "Alarms") {
		t.Error("an alarm stands on the home page before anything was seen")
	}
	if s := ana.wants(ana.get(path), 200); !strings.Contains(s, "No alarm.") || strings.Contains(s, "/decide") {
		t.Errorf("no alarm: %s", s)
	}
	w.seen("00000000000000aa")
	home := ana.wants(ana.get("/home"), 200)
	for _, want := range []string{path, ">raised<", "due, and not called"} {
		if !strings.Contains(home, want) || strings.Index(home, want) > strings.Index(home, "What waits for you</h2>") {
			t.Errorf("the home page lacks %q, or has it late", want)
		}
	}
	page := ana.wants(ana.get(path), 200)
	for _, want := range []string{"Alarm 1 is raised.", "0 of 1 members had fetched a copy", "/acknowledge", `value="hold"`, `value="watch"`, `value="dismiss"`, path + "/end", "<svg", "&lt;script&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "Member 0") {
		t.Error("the page has a script of what was seen, or names a member")
	}
	if csp := ana.get(path).Header.Get("Content-Security-Policy"); !strings.Contains(csp, "sha256-") || strings.Contains(csp, "unsafe") {
		t.Errorf("the picture's style isn't let in by its hash: %s", csp)
	}
	ana.wants(ana.post(path+"/acknowledge", looked(t, page)), 303)
	if s := w.alarm().State; s != "acknowledged" {
		t.Errorf("acknowledged, it is %s", s)
	}
	page = ana.wants(ana.get(path), 200)
	if strings.Contains(page, "/acknowledge") {
		t.Error("what is acknowledged is offered again")
	}
	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "hold", "reason", "bytes are verified")), 303)
	page = ana.wants(ana.get(path), 200)
	if w.alarm().State != "held" || !strings.Contains(page, "Copies are held</strong> since") || !strings.Contains(page, "hold by ana: bytes are verified") {
		t.Errorf("held: %s", page)
	}
	// Whatever is decided later, it is held until it is lifted.
	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "watch")), 303)
	page = ana.wants(ana.get(path), 200)
	if w.alarm().State != "watched" || !strings.Contains(page, "Copies are held</strong> since") || !strings.Contains(ana.wants(ana.get("/home"), 200), "copies are held since") {
		t.Errorf("watched, and held: %s", page)
	}
	ana.wants(ana.post(path+"/lift", ""), 303)
	if page = ana.wants(ana.get(path), 200); strings.Contains(page, "Copies are held</strong>") {
		t.Error("lifted, it is still held")
	}
	ana.wants(ana.post(path+"/lift", ""), 409)

	// One that was decided by a hold doesn't say so when that is lifted.
	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "hold")), 303)
	ana.wants(ana.post(path+"/lift", ""), 303)
	page = ana.wants(ana.get(path), 200)
	if w.alarm().State != "no longer held" || !strings.Contains(page, "Alarm 1 is no longer held.") || !strings.Contains(ana.wants(ana.get("/home"), 200), "no longer held") {
		t.Errorf("no longer held: %s", page)
	}

	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "dismiss", "days", "7")), 409) // no reason
	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "dismiss", "days", "91", "reason", "x")), 400)
	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "end")), 400)
	ana.wants(ana.post(path+"/decide", "choice=hold"), 400)
	ana.wants(ana.post(path+"/decide", looked(t, page, "choice", "dismiss", "days", "7", "reason", "our own scanner")), 303)
	if v := w.alarm(); v.State != "dismissed" || v.Choices[0] == "end" {
		t.Errorf("dismissed: %s, %v", v.State, v.Choices)
	}
	if s := ana.wants(ana.get("/home"), 200); strings.Contains(s, "<h2>Alarms</h2>") || !strings.Contains(s, "alarm dismissed") {
		t.Error("what was dismissed stands first, or can't be found")
	}
	if s := ana.wants(ana.get(path+"/end"), 200); strings.Contains(s, "<form method=\"post\" action=\""+path) {
		t.Error("an end that isn't offered has a form")
	}
}

// TestStaleDecision: what was decided on an alarm that changed since the page was
// shown is refused, and the page is shown as it is now.
func TestStaleDecision(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour)
	path := "/alarms/" + w.cs.String()
	w.seen("00000000000000aa")
	ana, ben := w.as("ana"), w.as("ben")
	old := ana.wants(ana.get(path), 200)
	w.seen("00000000000000bb")
	for _, choice := range []string{"hold", "watch", "dismiss"} {
		s := ana.wants(ana.post(path+"/decide", looked(t, old, "choice", choice, "days", "7", "reason", "x")), 409)
		if !strings.Contains(s, "More was seen since you looked") || !strings.Contains(s, "00000000000000bb") {
			t.Errorf("%s: %s", choice, s)
		}
	}
	if s := ana.wants(ana.post(path+"/end", looked(t, old, "name", "Layout import")), 409); !strings.Contains(s, "More was seen since you looked") {
		t.Errorf("end: %s", s)
	}
	if v := w.alarm(); v.State != "raised" || len(v.Decisions) != 0 {
		t.Fatalf("a stale decision was kept: %s %+v", v.State, v.Decisions)
	}
	// More of the same alarm is no reason to call the next: it can be acknowledged.
	ana.wants(ana.post(path+"/acknowledge", looked(t, old)), 303)
	// Two decide at once: the second is shown what the first did.
	now := ana.wants(ana.get(path), 200)
	ben.wants(ben.post(path+"/decide", looked(t, now, "choice", "watch")), 303)
	if s := ana.wants(ana.post(path+"/decide", looked(t, now, "choice", "dismiss", "days", "1", "reason", "x")), 409); !strings.Contains(s, "Somebody decided since you looked") || !strings.Contains(s, "watch by ben") {
		t.Errorf("the second: %s", s)
	}
	// Another round can't be acknowledged with the first one's page.
	w.seen("00000000000000cc")
	if s := ana.wants(ana.post(path+"/acknowledge", looked(t, now)), 409); w.alarm().Round != 2 || !strings.Contains(s, "raised again since you looked") {
		t.Errorf("round %d: %s", w.alarm().Round, s)
	}
}

// TestEndOnPages: the end of an embargo says what it does, and takes a proof and
// the case's name.
func TestEndOnPages(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour)
	path := "/alarms/" + w.cs.String() + "/end"
	w.seen("00000000000000aa")
	ana := w.as("ana")
	page := ana.wants(ana.get(path), 200)
	if !strings.Contains(page, "End the embargo of Layout import") || !strings.Contains(page, "undone") || !strings.Contains(page, "The break pack, description, is sealed and there to fetch for 1 member in good standing") {
		t.Errorf("it doesn't say what happens: %s", page)
	}
	for _, name := range []string{"", "another", "Works"} {
		if s := ana.wants(ana.post(path, looked(t, page, "name", name)), 409); !strings.Contains(s, "not this case&#39;s name") {
			t.Errorf("%q: %s", name, s)
		}
	}
	w.now = w.now.Add(6 * time.Minute) // the proof is too old
	if r := ana.get(path); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/prove?next="+url.QueryEscape(path) {
		t.Errorf("no proof: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	if s := ana.wants(ana.post(path, looked(t, page, "name", "Layout import")), 403); !strings.Contains(s, "/prove?next="+url.QueryEscape(path)) || w.alarm().State != "raised" {
		t.Errorf("without a proof: %s", s)
	}
	again := w.as("ana") // with a new proof
	again.wants(again.post(path, looked(t, page, "name", "Layout import", "reason", "exploited")), 303)
	if v := w.alarm(); v.State != "ended" || v.Decisions[0].Reason != "exploited" {
		t.Errorf("ended: %s, %+v", v.State, v.Decisions)
	}
	if _, waits, err := w.desk.Inbox(w.by("c0")); err != nil || len(waits) != 2 {
		t.Errorf("the break pack went to nobody: %+v, %v", waits, err)
	}
	if s := again.wants(again.get(strings.TrimSuffix(path, "/end")), 200); !strings.Contains(s, "Alarm 1 is ended.") || !strings.Contains(s, "Nothing is left to decide") {
		t.Errorf("after the end: %s", s)
	}
	// Once the case is public, the plan is no more: it says when it was released.
	if s := again.wants(again.get(strings.TrimSuffix(path, "/end")), 200); !strings.Contains(s, "; the release is still to come, and was planned for <time") || strings.Contains(s, "was released") {
		t.Errorf("before the release: %s", s)
	}
	ok(t, w.desk.Release(ctx, w.by("ana"), w.cs, nil))
	if s := again.wants(again.get(strings.TrimSuffix(path, "/end")), 200); strings.Contains(s, "planned for <time") || !strings.Contains(s, "; was released <time") {
		t.Errorf("after the release: %s", s)
	}
}

// TestWhoDecides: all staff see an alarm; who may not decide is shown no form and
// refused, and members see nothing of it.
func TestWhoDecides(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour)
	w.seen("00000000000000aa")
	path := "/alarms/" + w.cs.String()
	saw := w.alarm()
	said := fmt.Sprintf("choice=hold&round=%d&up_to=%d", saw.Round, saw.UpTo)
	for who, want := range map[string]struct{ see, decide int }{
		"cem": {200, 403}, "ines": {200, 403}, "otto": {404, 403}, "fay": {404, 403}, "c0": {404, 403}, "c1": {404, 403},
	} {
		b := w.as(who)
		r := b.get(path)
		s := text(t, r)
		if r.StatusCode != want.see || strings.Contains(s, "/decide") || strings.Contains(s, "/acknowledge") {
			t.Errorf("%s sees: %d", who, r.StatusCode)
		}
		for _, act := range []string{"/decide", "/acknowledge", "/end"} {
			if r := b.post(path+act, said); r.StatusCode != want.decide {
				t.Errorf("%s, %s: %d", who, act, r.StatusCode)
			}
		}
		if s := b.wants(b.get("/home"), 200); strings.Contains(s, path) != (want.see == 200) {
			t.Errorf("%s's home page has the alarm: %v", who, want.see != 200)
		}
	}
	if s := w.alarm(); s.State != "raised" || len(s.Decisions) > 0 {
		t.Errorf("it is %s", s.State)
	}
}
