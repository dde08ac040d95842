package web

import (
	"net/url"
	"strings"
	"testing"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/seal"
)

// TestReportsPage: the staff see what came in and settle it; what it says is on no
// page, and others have no such page.
func TestReportsPage(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	if s := b.wants(b.get("/reports"), 200); !strings.Contains(s, "No report can come in.") {
		t.Error("it doesn't say that there is no key")
	}
	k, err := seal.Keygen(seal.X25519, dawn)
	ok(t, err)
	pub, err := k.Public()
	ok(t, err)
	ok(t, w.desk.SetIntake(ctx, w.by("ana"), []byte(strings.Join(pub.Recipients, "\n"))))
	var ids []cvd.ReportID
	for _, title := range []string{"The first flaw", "Spam"} {
		_, err := w.desk.TakeReport(ctx, cvd.Actor{}, coordinator.ReportText{Title: title, Text: "Its words", Credit: "Fay F."}, nil)
		ok(t, err)
	}
	ok(t, w.desk.View(func(p *cvd.Programme) error { ids = p.ReportOrder; return nil }))
	s := b.wants(b.get("/reports"), 200)
	for _, want := range []string{"2 reports", "2 not settled", ids[0].Short(), "somebody without an account", "forewarn report open"} {
		if !strings.Contains(s, want) {
			t.Errorf("it doesn't say %q", want)
		}
	}
	if strings.Contains(s, "The first flaw") || strings.Contains(s, "Its words") {
		t.Error("it shows what is sealed")
	}
	settle := func(as *browser, id cvd.ReportID, form string) int {
		return as.post("/reports/settle", "report="+id.String()+"&"+form).StatusCode
	}
	for _, form := range []string{"", "case=Layout+import&none=true", "case=No+such+case"} {
		if got := settle(b, ids[0], form); got != 422 && got != 400 {
			t.Errorf("%q: %d", form, got)
		}
	}
	for _, who := range []string{"ben", "c0", "otto", "fay"} {
		if got := settle(w.as(who), ids[0], "none=true"); got != 404 {
			t.Errorf("%s: %d", who, got)
		}
	}
	if got := settle(b, ids[0], "case=Layout+import"); got != 303 {
		t.Fatalf("to a case: %d", got)
	}
	if got := settle(b, ids[1], "none=true&reason=sold+things"); got != 303 {
		t.Fatalf("to none: %d", got)
	}
	s = b.wants(b.get("/reports"), 200)
	for _, want := range []string{"0 not settled", `case opened: <a href="/cases/` + w.cs.String(), "closed without a case", "sold things"} {
		if !strings.Contains(s, want) {
			t.Errorf("settled, it doesn't say %q", want)
		}
	}
	ok(t, w.desk.View(func(p *cvd.Programme) error {
		if p.Reports[ids[0]].Case != w.cs || p.Reports[ids[1]].Settled == nil || !p.Reports[ids[1]].Case.IsZero() {
			t.Error("the log has it otherwise")
		}
		return nil
	}))
}

// TestCorrectPage: a published advisory is corrected on a page, and its readers are
// told what was changed.
func TestCorrectPage(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	at := "/cases/" + w.cs.String()
	if r := b.get(at + "/correct"); r.StatusCode == 200 {
		t.Error("there is something to correct before anything is published")
	}
	w.publish(advisoryText1)
	b = w.as("ana")
	if s := b.wants(b.get(at), 200); !strings.Contains(s, at+"/correct") {
		t.Error("the case's page doesn't lead there")
	}
	if s := b.wants(b.get(at+"/correct"), 200); !strings.Contains(s, "The import runs before") {
		t.Error("it doesn't show what stands")
	}
	form := url.Values{"advisory": {"# What to do\n\nUpdate to 4.4."}, "change": {"4.3 was not enough"}}
	if r := b.post(at+"/correct", "advisory=x"); r.StatusCode == 303 {
		t.Error("corrected without a word to the readers")
	}
	for _, who := range []string{"ben", "cem", "c0", "otto"} {
		if r := w.as(who).post(at+"/correct", form.Encode()); r.StatusCode != 404 && r.StatusCode != 403 {
			t.Errorf("%s: %d", who, r.StatusCode)
		}
	}
	if r := b.post(at+"/correct", form.Encode()); r.StatusCode != 303 {
		t.Fatalf("%d", r.StatusCode)
	}
	anybody := w.as("")
	if s := anybody.wants(anybody.get("/advisories/"+w.cs.String()), 200); !strings.Contains(s, "Update to 4.4.") || !strings.Contains(s, "corrected: 4.3 was not enough") {
		t.Error("readers aren't told")
	}
}
