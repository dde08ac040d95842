package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/seal"
)

// publish ends the embargo of the world's case and releases it.
func (w *world) publish(advisory string) {
	w.t.Helper()
	_, err := w.desk.EndEmbargo(ctx, w.by("ana"), w.cs, "")
	ok(w.t, err)
	ok(w.t, w.desk.Release(ctx, w.by("ana"), w.cs, []byte(advisory)))
}

const advisoryText1 = "The import runs before the session check.\n\n# What to do\n\nUpdate to 4.2.\n\n# Affected\n\n| Version | State |\n|---|---|\n| < 4.2 | affected |\n\n# Credits\n\n<script>alert(1)</script>\n"

// TestAdvisoryOnPages: nothing of an embargoed case is public; once published it
// is, with what was corrected since.
func TestAdvisoryOnPages(t *testing.T) {
	w := newWorld(t)
	b := w.as("")
	path := "/advisories/" + w.cs.String()
	for _, p := range []string{path, path + "/text", "/api/v1" + path} {
		if got, want := shape(t, b.get(p)), shape(t, b.get(strings.ReplaceAll(p, w.cs.String(), cvd.CaseID{1}.String()))); got != want {
			t.Errorf("%s, embargoed:\n%s\nand none:\n%s", p, got, want)
		}
	}
	for _, p := range []string{"/", "/advisories", "/advisories.atom"} {
		if s := b.wants(b.get(p), 200); strings.Contains(s, "Layout import") || strings.Contains(s, w.cs.String()) {
			t.Errorf("%s names an embargoed case", p)
		}
	}
	w.publish(advisoryText1)
	s := b.wants(b.get(path), 200)
	for _, want := range []string{"Layout import", `<h2 id="s1">What to do</h2>`, `href="#s2">Affected</a>`, "In this advisory", `value="` + origin + path + `"`, "<td>affected</td>"} {
		if !strings.Contains(s, want) {
			t.Errorf("it lacks %q: %s", want, s)
		}
	}
	if strings.Contains(s, "alert(1)</script>") || strings.Contains(s, "ago") {
		t.Error("it holds what must not be there")
	}
	w.now = w.now.Add(time.Hour)
	if err := w.desk.CorrectAdvisory(ctx, w.by("ben"), w.cs, []byte("x"), "y"); err == nil {
		t.Error("an approver corrects")
	}
	ok(t, w.desk.CorrectAdvisory(ctx, w.by("ana"), w.cs, []byte("# What to do\n\nUpdate to 4.3."), "4.2 was not enough"))
	s = b.wants(b.get(path), 200)
	if !strings.Contains(s, "Update to 4.3") || !strings.Contains(s, "corrected: 4.2 was not enough") || strings.Contains(s, "Update to 4.2.") {
		t.Errorf("corrected: %s", s)
	}
	if s := b.wants(b.get(path+"/text"), 200); s != "# What to do\n\nUpdate to 4.3." {
		t.Error(s)
	}
	var api struct {
		Title, Text string
		Changes     []struct{ What string }
	}
	ok(t, json.Unmarshal([]byte(b.wants(b.get("/api/v1"+path), 200)), &api))
	if api.Title != "Layout import" || len(api.Changes) != 1 {
		t.Errorf("%+v", api)
	}
	size := w.desk.Log().Size()
	if err := w.desk.CorrectAdvisory(ctx, w.by("ana"), w.cs, []byte("# What to do\n\nUpdate to 4.3."), "again"); !errors.Is(err, cvd.ErrRefused) || w.desk.Log().Size() != size {
		t.Errorf("the same bytes again: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	ok(t, w.desk.CorrectAdvisory(ctx, w.by("ana"), w.cs, []byte("# What to do\n\nUpdate to 4.4."), "nor was 4.3"))
	s = b.wants(b.get(path), 200)
	if first, then := strings.Index(s, "4.2 was not enough"), strings.Index(s, "nor was 4.3"); first < 0 || then < first {
		t.Errorf("the timeline is out of order: %s", s)
	}
	member := w.as("c0")
	s = member.wants(member.get("/cases/"+w.cs.String()), 200)
	if strings.Contains(s, "until the release") || !strings.Contains(s, "yes, it is public") || !strings.Contains(s, "<dt>Published</dt>") || strings.Contains(s, "<dt>Release</dt>") {
		t.Errorf("a member's page after the release: %s", s)
	}
}

// TestShared: public pages are the same for all and can be kept: a tag, a time,
// packed where that is understood.
func TestShared(t *testing.T) {
	w := newWorld(t)
	w.announce()
	w.publish(advisoryText1)
	for _, path := range []string{"/", "/heads-ups/" + w.headsUp.String(), "/advisories", "/advisories/" + w.cs.String(), "/advisories/" + w.cs.String() + "/text", "/advisories.atom", "/log"} {
		r := w.as("").get(path)
		plain := text(t, r)
		if got := text(t, w.as("c0").get(path)); got != plain {
			t.Errorf("%s: who is signed in sees another page", path)
		}
		tag := r.Header.Get("ETag")
		if r.Header.Get("Cache-Control") != sharedFor || r.Header.Get("Vary") != "Accept-Encoding" || tag == "" || path != "/log" && r.Header.Get("Last-Modified") == "" || len(plain) > 100_000 {
			t.Errorf("%s: %v", path, r.Header)
		}
		if r := w.as("").do("GET", path, "", http.Header{"If-None-Match": {`"x", W/` + tag}}); r.StatusCode != 304 || text(t, r) != "" {
			t.Errorf("%s, known: %d", path, r.StatusCode)
		}
		r = w.as("").do("GET", path, "", http.Header{"Accept-Encoding": {"br, gzip;q=0.5"}})
		z, err := gzip.NewReader(r.Body)
		ok(t, err)
		b, err := io.ReadAll(z)
		ok(t, err)
		if r.Header.Get("Content-Encoding") != "gzip" || string(b) != plain || r.Header.Get("ETag") == tag {
			t.Errorf("%s, packed: %v", path, r.Header)
		}
		if r := w.as("").do("GET", path, "", http.Header{"Accept-Encoding": {"gzip;q=0, br"}}); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: packed for who can't unpack", path)
		}
	}
}

// TestFeeds: a feed reader that nobody here wrote takes both feeds for whole, and
// an entry's id stays when it is corrected.
func TestFeeds(t *testing.T) {
	w := newWorld(t)
	b := w.as("")
	empty := b.wants(b.get("/advisories.atom"), 200)
	w.publish(advisoryText1)
	first := b.wants(b.get("/advisories.atom"), 200)
	w.now = w.now.Add(time.Hour)
	ok(t, w.desk.CorrectAdvisory(ctx, w.by("ana"), w.cs, []byte("Again & again <b>"), "more"))
	second := b.wants(b.get("/advisories.atom"), 200)
	type feed struct {
		ID      string `xml:"id"`
		Updated string `xml:"updated"`
		Entries []struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
			Summary string `xml:"summary"`
		} `xml:"entry"`
	}
	var one, two feed
	ok(t, xml.Unmarshal([]byte(first), &one))
	ok(t, xml.Unmarshal([]byte(second), &two))
	if len(one.Entries) != 1 || one.Entries[0].Title != "Layout import" || one.Entries[0].Summary != "The import runs before the session check." {
		t.Fatalf("%+v", one)
	}
	if one.ID != two.ID || one.ID != "tag:works.example,2026-05-01:forewarn/advisories" || one.Entries[0].ID != two.Entries[0].ID || one.Updated == two.Updated || one.Entries[0].Updated == two.Entries[0].Updated {
		t.Errorf("%+v\n%+v", one, two)
	}

	c := w.as("c0")
	made := c.wants(c.post("/account/feed", ""), 200)
	_, address, _ := strings.Cut(made, origin+"/feed/")
	address = "/feed/" + address[:43] + ".atom"
	waiting := b.wants(b.get(address), 200)
	for _, leak := range []string{"Layout", "Member", w.cs.String(), w.cs.Short(), "c0", "copy"} {
		if strings.Contains(waiting, leak) {
			t.Errorf("the feed says %q: %s", leak, waiting)
		}
	}
	if tag := b.get(address).Header.Get("ETag"); b.do("GET", address, "", http.Header{"If-None-Match": {tag}}).StatusCode != 304 {
		t.Error("it is sent again")
	}
	if got, want := shape(t, b.get("/feed/"+strings.Repeat("A", 43)+".atom")), shape(t, b.get(strings.TrimSuffix(address, ".atom"))); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	readFeeds(t, "0 1 1", empty, second, waiting)
	// It opens nothing else, and is revoked like any token.
	secret := strings.TrimSuffix(strings.TrimPrefix(address, "/feed/"), ".atom")
	if r := b.do("GET", "/api/v1/inbox", "", http.Header{"Authorization": {"Bearer " + secret}}); r.StatusCode != 403 {
		t.Errorf("the feed's secret opens the API: %d", r.StatusCode)
	}
	account := c.wants(c.get("/account"), 200)
	_, hash, _ := strings.Cut(account, `name="token" value="`)
	c.wants(c.post("/account/tokens/revoke", "token="+hash[:64]), 303)
	b.wants(b.get(address), 404)
	if strings.Contains(w.log.String(), secret) {
		t.Error("the process log has the address")
	}
}

// readFeeds has Python's feedparser read feeds. want is how many entries each has.
func readFeeds(t *testing.T, want string, docs ...string) {
	t.Helper()
	python := ""
	for _, p := range []string{"python3", "/usr/bin/python3"} { // the first may be another than the system's, whose packages have it
		if python == "" && exec.Command(p, "-c", "import feedparser").Run() == nil {
			python = p
		}
	}
	if python == "" {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("python3-feedparser is not installed, and FOREWARN_TEST_ALL=1")
		}
		t.Skip("python3-feedparser is not installed: no foreign reader tries the feeds")
	}
	args := []string{"-c", `
import feedparser, sys
n = []
for name in sys.argv[1:]:
    f = feedparser.parse(open(name, "rb").read())
    assert not f.bozo, f.bozo_exception
    assert f.version == "atom10", f.version
    assert f.feed.id.startswith("tag:") and f.feed.title and f.feed.updated_parsed and f.feed.author, f.feed
    for e in f.entries:
        assert e.id.startswith("tag:") and e.title and e.updated_parsed and e.link, e
    n.append(str(len(f.entries)))
print(" ".join(n))
`}
	for i, doc := range docs {
		args = append(args, filepath.Join(t.TempDir(), itoa(uint64(i))+".atom"))
		ok(t, os.WriteFile(args[len(args)-1], []byte(doc), 0o600))
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%v: %s\n%s", err, out, docs)
	}
}

// TestReportOnPages: anybody reports, without an account; the desk can't read it,
// whoever has the key can, and its sender learns how it stands by a reference.
func TestReportOnPages(t *testing.T) {
	w := newWorld(t)
	b := w.as("")
	if s := b.wants(b.get("/report"), 200); !strings.Contains(s, "has not set up its key") {
		t.Error(s)
	}
	b.wants(b.post("/report", "title=a&text=b"), 409)
	k, err := seal.Keygen(seal.X25519, w.now)
	ok(t, err)
	ok(t, w.desk.SetIntake(ctx, w.by("ana"), []byte(k.Recipient+"\n")))
	if s := b.wants(b.get("/report"), 200); !strings.Contains(s, "age -r "+k.Recipient) {
		t.Error(s)
	}
	b.wants(b.post("/report", "title=a"), 400)
	b.wants(b.post("/report", "title=a&text=b&credit=%0A"), 200) // an empty line is none
	s := b.wants(b.post("/report", "title=The+import&text=%3Cscript%3E&credit=Fay+%3Cb%3E&contact=fay@example.com&deadline=2026-07-01T09:00&zone=UTC"), 200)
	reference := referenceIn(t, s)
	b.wants(b.upload("/report", "sealed", []byte("plain")), 409)
	armoured := sealedReport(t, k.Recipient)
	b.wants(b.upload("/report", "sealed", armoured), 200)

	list, err := w.desk.Reports(ctx, w.by("ana"))
	ok(t, err)
	if len(list) != 3 || list[1].Credit != "Fay <b>" {
		t.Fatalf("%+v", list)
	}
	if s := b.wants(b.post("/report/status", "reference="+strings.ToLower(reference)), 200); !strings.Contains(s, "<h1>Received</h1>") || !strings.Contains(s, `value="Fay &lt;b&gt;"`) || strings.Contains(s, list[1].Report.String()) {
		t.Errorf("received: %s", s)
	}
	b.wants(b.post("/report/status", "reference=AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"), 400)
	body, head := parts(t, map[string]string{"reference": reference})
	if s := b.wants(b.do("POST", "/report/status", body, head), 200); !strings.Contains(s, "<h1>Received</h1>") {
		t.Error("a form sent in parts isn't understood")
	}
	sealed, err := w.desk.OpenReport(ctx, w.by("ana"), list[1].Report)
	ok(t, err)
	ids, err := seal.ParseIdentities(k.Identity)
	ok(t, err)
	r, err := seal.Open(bytes.NewReader(sealed), ids)
	ok(t, err)
	plain, err := io.ReadAll(r)
	ok(t, err)
	if !strings.Contains(string(plain), `"title":"The import"`) || !strings.Contains(string(plain), `"deadline":"2026-07-01T09:00:00Z"`) {
		t.Errorf("%s", plain)
	}
	for _, who := range []string{"ben", "otto", "c0", "fay"} {
		if _, err := w.desk.OpenReport(ctx, w.by(who), list[1].Report); err == nil {
			t.Errorf("%s opens a report", who)
		}
	}
	if s := b.wants(b.post("/report/status", "reference="+reference), 200); !strings.Contains(s, "<h1>Being looked at</h1>") {
		t.Errorf("read: %s", s)
	}
	ok(t, w.desk.SettleReport(ctx, w.by("ana"), list[1].Report, w.cs, ""))
	if s := b.wants(b.post("/report/credit", "credit=F.+Y.&reference="+reference), 200); !strings.Contains(s, "<h1>Case opened</h1>") || !strings.Contains(s, `value="F. Y."`) || strings.Contains(s, w.cs.String()) {
		t.Errorf("settled: %s", s)
	}
	w.publish("Text.")
	if s := b.wants(b.post("/report/status", "reference="+reference), 200); !strings.Contains(s, "<h1>Advisory published</h1>") || !strings.Contains(s, "/advisories/"+w.cs.String()) {
		t.Errorf("published: %s", s)
	}
	b.wants(b.post("/report/credit", "credit=Else&reference="+reference), 409)
	if s := b.wants(b.get("/advisories/"+w.cs.String()), 200); !strings.Contains(s, "Reported by</dt><dd>F. Y.") {
		t.Errorf("the advisory: %s", s)
	}
	if s := w.as("ana").wants(w.as("ana").get("/home"), 200); !strings.Contains(s, "2 reports wait") {
		t.Errorf("a coordinator's home: %s", s)
	}
	if s := w.as("ben").wants(w.as("ben").get("/home"), 200); strings.Contains(s, "reports wait") {
		t.Error("an approver is told of reports")
	}
	// A finder's own stand on their home page, and nobody else's.
	fay := w.as("fay")
	fay.wants(fay.post("/report", "title=Mine&text=b&credit=Fay+herself"), 200)
	if s := fay.wants(fay.get("/home"), 200); !strings.Contains(s, "<td>Fay herself</td>") || strings.Count(s, "<td>received") != 1 {
		t.Errorf("home: %s", s)
	}
	// What becomes nothing is closed, and the name with it destroyed.
	ok(t, w.desk.SettleReport(ctx, w.by("ana"), list[2].Report, cvd.CaseID{}, "spam"))
	for _, secret := range []string{reference, "The import", "fay@example.com", "F. Y."} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the process log holds %q", secret)
		}
	}
}

func referenceIn(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `class="reference"><code>`)
	if !found {
		t.Fatalf("no reference: %s", page)
	}
	return rest[:29]
}

func sealedReport(t *testing.T, recipient string) []byte {
	t.Helper()
	b, err := seal.Crypt{}.SealTo([]string{recipient}, []byte("mine"))
	ok(t, err)
	return b
}

// TestReportsAreBounded: one network can't flood, and all together neither.
func TestReportsAreBounded(t *testing.T) {
	w := newWorld(t)
	k, err := seal.Keygen(seal.X25519, w.now)
	ok(t, err)
	ok(t, w.desk.SetIntake(ctx, w.by("ana"), []byte(k.Recipient)))
	b := w.as("")
	b.from = "192.0.2.1:1"
	for i := range reportTries + 1 {
		if r := b.post("/report", "title=a&text=b"); (r.StatusCode == 429) != (i == reportTries) {
			t.Fatalf("report %d: %d", i, r.StatusCode)
		}
	}
	for i := range reportsADay {
		b.from = "198.18." + itoa(uint64(i)) + ".1:1"
		if r := b.post("/report", "title=a&text=b"); r.StatusCode == 503 {
			if i < reportsADay-reportTries {
				t.Errorf("full after %d", i)
			}
			return
		}
	}
	t.Error("there is no end to it")
}

// TestReportsOfOne: a stranger with one address, or all of one network's, leaves room for
// everybody else's reports, however long they go on.
func TestReportsOfOne(t *testing.T) {
	w := newWorld(t)
	k, err := seal.Keygen(seal.X25519, w.now)
	ok(t, err)
	ok(t, w.desk.SetIntake(ctx, w.by("ana"), []byte(k.Recipient)))
	b := w.as("")
	for _, network := range []string{"203.0.113.%d:1", "[2001:db8:0:%x::1]:1"} {
		taken := 0
		for i := range 300 {
			b.from = fmt.Sprintf(network, i/2%250)
			if b.post("/report", "title=a&text=b").StatusCode == 200 {
				taken++
			}
			w.now = w.now.Add(time.Minute)
		}
		if taken != reportTriesADay {
			t.Errorf("%s: %d are taken", network, taken)
		}
	}
	b.from = "198.51.100.7:1"
	b.wants(b.post("/report", "title=a&text=b"), 200)
}

// TestLogOnPages: what is public of the log, and what auditors see.
func TestLogOnPages(t *testing.T) {
	w := newWorld(t)
	ok(t, w.desk.Log().Tick(ctx))
	w.now = w.now.Add(5 * time.Minute)
	ok(t, w.desk.Log().Tick(ctx))
	b := w.as("")
	signed, cp := w.desk.Log().Checkpoint()
	if s := html.UnescapeString(b.wants(b.get("/log"), 200)); !strings.Contains(s, strings.Split(string(signed), "\n")[2]) {
		t.Errorf("no checkpoint: %s", s)
	}
	var c consistencyShown
	ok(t, json.Unmarshal([]byte(b.wants(b.get("/api/v1/log/consistency?from=1&to="+itoa(cp.Size)), 200)), &c))
	checkConsistency(t, c)
	b.wants(b.get("/log/consistency?from=1&to="+itoa(cp.Size+1)), 400)
	b.wants(b.get("/log/consistency?from=2&to=1"), 400)
	otto := w.as("otto")
	s := otto.wants(otto.get("/entries?from=0&kind=TermsPublished"), 200)
	if !strings.Contains(s, "<td>TermsPublished</td>") || strings.Contains(s, "<td>CaseOpened</td>") || strings.Contains(s, "Layout import") {
		t.Errorf("entries: %s", s)
	}
	lines := strings.Split(strings.TrimSpace(otto.wants(otto.get("/entries/export"), 200)), "\n")
	if len(lines) != int(w.desk.Log().Size()) || !json.Valid([]byte(lines[3])) {
		t.Errorf("%d lines", len(lines))
	}
	if s := otto.wants(otto.get("/entries/export?as=csv"), 200); !strings.HasPrefix(s, "entry,time,kind,actor,auth,subject\n0,") {
		t.Errorf("%.200s", s)
	}
	otto.wants(otto.get("/entries/1/proof"), 200)
	otto.wants(otto.get("/entries/999999/proof"), 404)
	otto.wants(otto.get("/entries/x/proof"), 404)
	// As a spreadsheet reads it that parts cells by semicolons, or by tabs.
	if got := strings.Join(cells("a;=1", "a\n=1", "a\t@x;-1", "＝1", "a=1;b", "\t=1"), "|"); got != "a;'=1|a\n'=1|a\t'@x;'-1|'＝1|a=1;b|'\t'=1" {
		t.Errorf("%q", got)
	}
	if got := strings.Join(cells("=1+1", "+x", "-x", "@x", "\tx", "\rx", "x=", ""), "|"); got != "'=1+1|'+x|'-x|'@x|'\tx|'\rx|x=|" {
		t.Errorf("%q", got)
	}
}

// TestMarksStayIn: nothing that the public is told has a mark of the case's package;
// braces of its own it may have.
func TestMarksStayIn(t *testing.T) {
	w := newWorld(t)
	marked := "One. {{flaw|weakness}} of the import.\n"
	_, err := w.desk.AddRevision(ctx, w.by("ana"), w.cs, cvd.PackageID{}, 0, carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte("# A " + marked)}, {Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\n")},
	}})
	ok(t, err)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, cvd.ErrRefused) || !strings.Contains(err.Error(), "line 2 has a mark of the package") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = w.desk.PublishHeadsUp(ctx, w.by("ana"), w.cs, coordinator.HeadsUpText{Headline: "It comes", Text: marked}, cvd.ReleaseTime{}, "")
	refused("a heads-up", err)
	_, err = w.desk.EndEmbargo(ctx, w.by("ana"), w.cs, "")
	ok(t, err)
	before := w.desk.Log().Size()
	refused("a release", w.desk.Release(ctx, w.by("ana"), w.cs, []byte("Two.\n"+marked)))
	if w.desk.Log().Size() != before {
		t.Error("something was written")
	}
	ok(t, w.desk.Release(ctx, w.by("ana"), w.cs, []byte("A template {{7|attr}} is run.\n")))
	refused("a correction", w.desk.CorrectAdvisory(ctx, w.by("ana"), w.cs, []byte("Two.\n"+marked), "said better"))
}

// TestHomeOfStaff: what waits for a decision stands on the page that staff begin at.
func TestHomeOfStaff(t *testing.T) {
	w := newWorld(t)
	q := cvd.DraftWave{Purpose: cvd.Staged, OpensAt: w.now.Add(2 * time.Hour)}
	ok(t, w.desk.View(func(p *cvd.Programme) error {
		x := p.Waves[w.wave]
		q.Revision, q.Level, q.Audience = x.Revision, x.Level, x.Audience
		return nil
	}))
	wave, err := w.desk.DraftWave(ctx, w.by("ana"), q)
	ok(t, err)
	for _, who := range []string{"ana", "ben"} {
		s := w.as(who).wants(w.as(who).get("/home"), 200)
		if !strings.Contains(s, "<h2>Decisions</h2>") || !strings.Contains(s, "asks for approval") || !strings.Contains(s, "/waves/"+wave.String()) {
			t.Errorf("%s isn't told at home of what waits: %s", who, s)
		}
	}
}
