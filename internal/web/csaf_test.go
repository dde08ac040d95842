package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/csaf"
	"forewarn/internal/cvd"
)

const machineText = `The import runs before the [session check](https://docs.example/session "x").

# What to do

Read <https://portal.example/help> and [that](javascript:alert(1)).

Workarounds
-----------

Turn it **off**.

## Solution

Update to 4.2. See [the session check again](https://docs.example/session).

### Details

None.

# Affected

| Version | State |
|---|---|
| < 4.2 | affected |
`

// TestSections: a text is cut at its headings, and nothing of it is lost.
func TestSections(t *testing.T) {
	p, isText := renderProse([]byte(machineText))
	if !isText {
		t.Fatal("it is no text")
	}
	var titles []string
	for _, s := range p.Sections {
		titles = append(titles, s.Title)
		if s.Text == "" || strings.HasPrefix(s.Text, "#") || strings.HasPrefix(s.Text, "-") {
			t.Errorf("%q: %q", s.Title, s.Text)
		}
	}
	if got := strings.Join(titles, "|"); got != "|What to do|Workarounds|Solution|Affected" {
		t.Error(got)
	}
	if s := p.Sections[3].Text; !strings.HasPrefix(s, "Update to 4.2.") || !strings.HasSuffix(s, "### Details\n\nNone.") {
		t.Errorf("%q", s)
	}
	if len(p.Links) != 2 || p.Links[0] != (csaf.Reference{Category: "external", Summary: "session check", URL: "https://docs.example/session"}) || p.Links[1].URL != "https://portal.example/help" {
		t.Errorf("%+v", p.Links)
	}
	for text, want := range map[string]int{"": 0, "# a": 0, "#\n\nb": 1, "# a\nb": 1, "a\n=\n": 0, "a\n=\nb": 1, "a\n==\n=": 1, "# a\n---\nb": 1, "> # a\n\nb": 1, "#\n#\n": 1, "# a\r\n\r\nb": 1} {
		if p, _ := renderProse([]byte(text)); len(p.Sections) != want {
			t.Errorf("%q: %+v", text, p.Sections)
		}
	}
}

// documents has the world's case published with products, a credit and a correction,
// another one without products, and one whose text is itself CSAF. It gives the paths
// of their documents.
func (w *world) documents() (paths []string) {
	w.t.Helper()
	for _, name := range []string{"Larkspur Portal", "Larkspur Hub"} {
		_, err := w.desk.AddProduct(ctx, w.by("ana"), w.cs, name)
		ok(w.t, err)
	}
	own, err := os.ReadFile("../../examples/advisory/advisory.csaf.json")
	ok(w.t, err)
	plain := strings.NewReplacer("{{", "", "}}", "").Replace(string(own)) // one reader's copy has one of the words
	cases := []cvd.CaseID{w.cs}
	for _, title := range []string{"CVE-1900-1234: without a product", "A document"} {
		id, err := w.desk.OpenCase(ctx, w.by("ana"), coordinator.Opening{Title: title, Release: cvd.ReleaseTime{At: w.now.Add(time.Hour), Zone: "UTC"}})
		ok(w.t, err)
		cases = append(cases, id)
	}
	_, err = w.desk.Do(ctx, w.by("ana"), cvd.LinkCase{Case: w.cs, To: cases[1], Relation: cvd.Split})
	ok(w.t, err)
	for i, text := range []string{machineText, "\xff\xfe", plain} {
		_, err := w.desk.EndEmbargo(ctx, w.by("ana"), cases[i], "")
		ok(w.t, err)
		w.now = w.now.Add(time.Minute)
		ok(w.t, w.desk.Release(ctx, w.by("ana"), cases[i], []byte(text)))
		paths = append(paths, "/csaf/2026/"+cases[i].String()+".json")
	}
	w.now = w.now.Add(time.Hour)
	ok(w.t, w.desk.CorrectAdvisory(ctx, w.by("ana"), w.cs, []byte(machineText+"\n# Thanks\n\nTo all.\n"), "thanks were missing"))
	ok(w.t, w.desk.CorrectAdvisory(ctx, w.by("ana"), cases[2], []byte(plain+"\n"), "an empty line"))
	return paths
}

// TestCSAFOfAdvisories: what is published is offered to machines, where the format says,
// and nothing before it is.
func TestCSAFOfAdvisories(t *testing.T) {
	w := newWorld(t)
	b := w.as("")
	path := "/csaf/2026/" + w.cs.String() + ".json"
	for _, p := range []string{path, path + ".sha256"} {
		if got, want := shape(t, b.get(p)), shape(t, b.get(strings.ReplaceAll(p, w.cs.String(), cvd.CaseID{1}.String()))); got != want {
			t.Errorf("%s, embargoed:\n%s\nand none:\n%s", p, got, want)
		}
	}
	for _, p := range []string{"/csaf/", "/csaf/index.txt", "/csaf/changes.csv", "/.well-known/csaf/provider-metadata.json"} {
		if s := b.wants(b.get(p), 200); strings.Contains(s, w.cs.String()) {
			t.Errorf("%s names an embargoed case", p)
		}
	}
	b.wants(b.get("/csaf/2026/"), 404)
	paths := w.documents()
	r := b.get(path)
	tag, doc := r.Header.Get("ETag"), b.wants(r, 200)
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != sharedFor || r.Header.Get("Last-Modified") != "Fri, 01 May 2026 10:03:00 GMT" {
		t.Errorf("%v", r.Header)
	}
	if r := b.do("GET", path, "", http.Header{"If-None-Match": {tag}}); r.StatusCode != 304 {
		t.Errorf("known: %d", r.StatusCode)
	}
	sum := sha256.Sum256([]byte(doc))
	if s := b.wants(b.get(path+".sha256"), 200); s != hex.EncodeToString(sum[:])+"  "+w.cs.String()+".json\n" {
		t.Error(s)
	}
	if s := b.wants(b.get(path+".sha512"), 200); len(s) != 128+2+len(w.cs.String()+".json\n") {
		t.Error(s)
	}
	var d struct {
		Document struct {
			Category string
			Tracking struct {
				History []struct{ Date, Summary string } `json:"revision_history"`
			}
			References []struct{ Summary, URL string }
		}
		Vulnerabilities []struct {
			Remediations []struct{ Category, Details string }
		}
	}
	ok(t, json.Unmarshal([]byte(doc), &d))
	if h := d.Document.Tracking.History; d.Document.Category != "csaf_security_advisory" || len(h) != 2 || h[1].Summary != "thanks were missing" || h[1].Date != "2026-05-01T10:03:00Z" {
		t.Errorf("%+v", d)
	}
	if refs := d.Document.References; len(refs) != 5 || refs[0].URL != origin+path || refs[4].Summary != "This one is split from it: CVE-1900-1234: without a product" {
		t.Errorf("%+v", refs)
	}
	if x := d.Vulnerabilities; len(x) != 1 || len(x[0].Remediations) != 2 || x[0].Remediations[0].Details != "Turn it **off**." {
		t.Errorf("%+v", x)
	}
	for i, name := range []string{strings.Replace(path, "2026", "2025", 1), strings.TrimSuffix(path, ".json"), strings.ToUpper(path), path + ".sha1", path + ".sha256.sha256", "/csaf/2025/"} {
		if r := b.get(name); r.StatusCode != 404 {
			t.Errorf("%d, %s: %d", i, name, r.StatusCode)
		}
	}
	if s := b.wants(b.get("/csaf/index.txt"), 200); strings.Count(s, "\n") != 3 || !strings.Contains(s, "2026/"+w.cs.String()+".json\n") {
		t.Error(s)
	}
	if s := b.wants(b.get("/csaf/changes.csv"), 200); !strings.HasSuffix(s, "\"2026-05-01T09:02:00Z\"\n") || strings.Count(s, "\n") != 3 {
		t.Error(s)
	}
	if s := b.wants(b.get("/csaf/"), 200); !strings.Contains(s, `href="2026/"`) || !strings.Contains(s, `href="index.txt"`) {
		t.Error(s)
	}
	if s := b.wants(b.get("/csaf/2026/"), 200); !strings.Contains(s, `href="`+w.cs.String()+`.json.sha512"`) {
		t.Error(s)
	}
	if s := b.wants(b.get("/advisories/"+w.cs.String()), 200); !strings.Contains(s, `rel="alternate" type="application/json" href="`+path+`"`) {
		t.Error(s)
	}
	if s := b.wants(b.get("/advisories.atom"), 200); strings.Count(s, `type="application/json" href="`+origin+`/csaf/`) != len(paths) {
		t.Error(s)
	}
	if s := b.wants(b.get("/.well-known/csaf/provider-metadata.json"), 200); !strings.Contains(s, `"last_updated": "2026-05-01T10:03:00Z"`) {
		t.Error(s)
	}
	plain := newWorldAt(t, "http://localhost:8443").as("")
	plain.wants(plain.get("/.well-known/csaf/provider-metadata.json"), 404)
}

// judged finds a tool that judges, or skips.
func judged(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatalf("%s is not installed, and FOREWARN_TEST_ALL=1", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// onDisk writes the documents to a folder, under their own names.
func (w *world) onDisk(paths []string) (files []string) {
	dir, b := w.t.TempDir(), w.as("")
	for _, p := range paths {
		name := filepath.Join(dir, filepath.Base(p))
		ok(w.t, os.WriteFile(name, []byte(b.wants(b.get(p), 200)), 0o600))
		files = append(files, name)
	}
	return files
}

// TestCSAFIsValid: gocsaf's validator takes every kind of document that is offered.
func TestCSAFIsValid(t *testing.T) {
	validator := judged(t, "csaf_validator")
	w := newWorld(t)
	for _, name := range w.onDisk(w.documents()) {
		cmd := exec.Command(validator, name)
		out, err := cmd.CombinedOutput()
		// 4 is the bit for 'no remote validator was named', which none is.
		if code := cmd.ProcessState.ExitCode(); code&^4 != 0 || !strings.Contains(string(out), "passes the schema validation") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestCSAFPassesMandatoryTests: so does csaf-validator-lib, which has the standard's
// mandatory tests.
func TestCSAFPassesMandatoryTests(t *testing.T) {
	node, at := judged(t, "node"), os.Getenv("FOREWARN_NPM")
	if at == "" {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("FOREWARN_NPM names no folder with npm's csaf-validator-lib, and FOREWARN_TEST_ALL=1")
		}
		t.Skip("FOREWARN_NPM names no folder with npm's csaf-validator-lib")
	}
	at, err := filepath.Abs(at)
	ok(t, err)
	w := newWorld(t)
	files := w.onDisk(w.documents())
	out, err := exec.Command(node, append([]string{"../../examples/testdata/csaf.mjs", at}, files...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "3 documents, ") {
		t.Errorf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(files[0])
	ok(t, err)
	ok(t, os.WriteFile(files[0], []byte(strings.Replace(string(b), `"version": "2"`, `"version": "3"`, 1)), 0o600))
	if out, err := exec.Command(node, "../../examples/testdata/csaf.mjs", at, files[0]).CombinedOutput(); err == nil {
		t.Errorf("the judge lets anything pass: %s", out)
	}
}

// TestCSAFProvider: gocsaf's checker, which fetches all of it as an aggregator would,
// finds that the desk is what its metadata say: a csaf_provider.
func TestCSAFProvider(t *testing.T) {
	checker := judged(t, "csaf_checker")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	at := "https://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
	w := newWorldAt(t, at)
	paths := w.documents()
	s := httptest.NewUnstartedServer(w.site)
	s.Listener.Close()
	s.Listener = l
	s.StartTLS()
	defer s.Close()
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(limit, checker, "--insecure", strings.TrimPrefix(at, "https://"))
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	ok(t, err)
	var report struct {
		Domains []struct {
			Passed       bool
			Role         string
			Requirements []struct {
				Num         int
				Description string
				Messages    []struct {
					Type int // 2: an error
					Text string
				}
			}
		}
	}
	ok(t, json.Unmarshal(out, &report))
	if len(report.Domains) != 1 {
		t.Fatalf("%s", out)
	}
	for _, r := range report.Domains[0].Requirements {
		for _, m := range r.Messages {
			// Not offered, for one other way is enough: security.txt, a name in the DNS, ROLIE, signatures.
			if m.Type == 2 && r.Num != 8 && r.Num != 10 && (r.Num < 15 || r.Num == 18) {
				t.Errorf("%d %s: %s", r.Num, r.Description, m.Text)
			}
		}
	}
	if !report.Domains[0].Passed || report.Domains[0].Role != "csaf_provider" || len(paths) != 3 {
		t.Errorf("%s", out)
	}
}
