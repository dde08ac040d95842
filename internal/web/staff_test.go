package web

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/hostile"
)

// parts makes a form with files, named as a browser names those of a folder.
func parts(t testing.TB, fields map[string]string, files ...[3]string) (body string, head http.Header) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, v := range fields {
		ok(t, w.WriteField(name, v))
	}
	for _, f := range files {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, f[0], f[1])}})
		ok(t, err)
		_, err = p.Write([]byte(f[2]))
		ok(t, err)
	}
	ok(t, w.Close())
	return b.String(), http.Header{"Content-Type": {w.FormDataContentType()}, "Sec-Fetch-Site": {"same-origin"}}
}

// went is where an act led to.
func (b *browser) went(r *http.Response) string {
	b.w.t.Helper()
	if r.StatusCode != 303 {
		b.w.t.Fatalf("%d %s", r.StatusCode, heading.FindString(text(b.w.t, r)))
	}
	return r.Header.Get("Location")
}

var heading = regexp.MustCompile(`<h1>[^<]*`)

// TestStaffAtWork works a case on the pages: opened, with a package that is
// uploaded and edited, a wave that a second person approves, and its end.
func TestStaffAtWork(t *testing.T) {
	w := newWorld(t)
	ana, ben := w.as("ana"), w.as("ben")
	at := ana.went(ana.post("/cases", "title=A+parser&products=Portal%0D%0ACloud&members=Member+0&release=2026-05-20T10:00&zone=Europe/Vienna&report=It+breaks"))
	s := ana.wants(ana.get(at), 200)
	for _, want := range []string{"A parser", "2026-05-20 08:00 UTC", "agreed in Europe/Vienna", "Member 0", "1 without a copy", "Add the package"} {
		if !strings.Contains(s, want) {
			t.Errorf("the case lacks %q", want)
		}
	}
	if s := ana.wants(ana.get(at+"/report"), 200); !strings.Contains(s, "It breaks") {
		t.Error(s)
	}

	// The package: refused before anything is kept, then taken, then edited.
	manifest := [3]string{"files", "pack/forewarn.yaml", "title: A flaw\ntlp: TLP:AMBER\npermitted-use:\n  tell-customers: from 2026-05-20T07:59:59Z\n  ship-signature: from 2026-05-20T08:00:00Z\n"}
	before := w.desk.Log().Size()
	body, head := parts(t, nil, manifest, [3]string{"files", "pack/advisory.md", "# A flaw\n\nIt {{answers|replies} badly.\n"})
	ana.wants(ana.do("POST", at+"/package", body, head), 409)
	if w.desk.Log().Size() != before {
		t.Error("a source that is refused was kept")
	}
	body, head = parts(t, nil, manifest, [3]string{"files", "pack/advisory.md", "# A flaw\n\nIt {{answers|replies}} badly.\n"})
	ana.went(ana.do("POST", at+"/package", body, head))
	s = ana.wants(ana.get(at+"/package"), 200)
	if !strings.Contains(s, "not even all of it names one") || !strings.Contains(s, "advisory.md") ||
		!strings.Contains(s, "tell-customers is allowed from 2026-05-20T07:59:59Z, before the release") || strings.Contains(s, "ship-signature is allowed") {
		t.Error(s)
	}
	s = ana.wants(ana.post(at+"/package/open", "file=advisory.md"), 200)
	draft := regexp.MustCompile(`name="draft" value="([0-9a-f]{64})"`).FindStringSubmatch(s)
	if draft == nil || !strings.Contains(s, "{{answers|replies}}") {
		t.Fatal(s)
	}
	edit := map[string]string{"draft": draft[1], "file": "advisory.md", "text": "# A flaw\r\n\r\nIt {{answers|replies}} {{badly|poorly}}.\r\n"}
	body, head = parts(t, edit)
	ana.went(ana.do("POST", at+"/package", body, head))
	if s := ana.wants(ana.do("POST", at+"/package", body, head), 409); !strings.Contains(s, "another draft was saved") {
		t.Error("an edit of a draft that is not the last was taken")
	}

	// The wave: nobody who is left out gets it unseen.
	who := "level=description&tiers=1&opens_at=2026-05-02T09:00"
	s = ana.wants(ana.get(at+"/waves/new?"+who), 200)
	if !strings.Contains(s, "Nobody would get it") || !strings.Contains(s, "no signatory") {
		t.Error(s)
	}
	ok(t, w.desk.Consent(ctx, w.by("c0"), caseAt(t, at), true))
	if s := ana.wants(ana.get(at+"/waves/new?"+who), 200); !strings.Contains(s, "1 holder would get it") {
		t.Error(s)
	}
	ana.wants(ana.post(at+"/waves", who+"&expect=2"), 409)
	ana.went(ana.post(ana.went(ana.post(at+"/waves", who+"&expect=1"))+"/cancel", "reason=no"))
	if s := ana.wants(ana.get(at), 200); !strings.Contains(s, "Draft a wave: those before were recalled or cancelled") {
		t.Error("after a wave that was cancelled, another isn't the first:", s)
	}
	wave := ana.went(ana.post(at+"/waves", who+"&expect=1"))
	if s := ana.wants(ana.get(wave), 200); !strings.Contains(s, "it takes the role approver") || strings.Contains(s, "/approve\"") {
		t.Error("whoever may not approve is offered it")
	}
	digest := regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`)
	seen := digest.FindStringSubmatch(ben.wants(ben.get(wave+"/approve"), 200))[1]
	id := strings.TrimPrefix(wave, "/waves/")
	ana.went(ana.post(at+"/waves", "level=heads-up&keep=true&amend="+id+"&opens_at=2026-05-02T10:00:30"))
	if s := ana.wants(ana.get(at+"/waves/new?amend="+id), 200); !strings.Contains(s, `step="1" value="2026-05-02T10:00:30"`) {
		t.Error("a change of something else would move the opening:", s)
	}
	if s := ben.wants(ben.post(wave+"/approve", "digest="+seen), 409); !strings.Contains(s, "changed since you looked") {
		t.Error(s)
	}
	seen = digest.FindStringSubmatch(ben.wants(ben.get(wave+"/approve"), 200))[1]
	ben.went(ben.post(wave+"/approve", "digest="+seen))
	if s := ana.wants(ana.get(wave), 200); !strings.Contains(s, "s-sealed") || !strings.Contains(s, "ben") {
		t.Error(s)
	}
	ana.went(ana.post(wave+"/hold", "reason=wait"))
	if s := ben.wants(ben.get(wave), 200); !strings.Contains(s, "held by ana") || !strings.Contains(s, "/lift") {
		t.Error(s)
	}
	ben.went(ben.post(wave+"/lift", ""))
	ana.went(ana.post(at+"/embargo/move", "release=2026-05-21T10:00:00Z&reason=late"))
	if s := ana.wants(ana.get("/cases?sort=waits"), 200); !strings.Contains(s, "asks for approval again") || strings.Index(s, "A parser") > strings.Index(s, "Another") {
		t.Error("what waits is not first")
	}
	s = ana.wants(ana.get(at+"/history?limit=5"), 200)
	if !strings.Contains(s, "release time moved") || !strings.Contains(s, "rel=\"next\"") {
		t.Error(s)
	}

	// The end asks for the whole name, and a proof.
	if s := ana.wants(ana.post(at+"/end", "name=A"), 400); !strings.Contains(s, "nothing was done") {
		t.Error(s)
	}
	ana.went(ana.post(at+"/end", "name=a+parser"))
	if s := ana.wants(ana.get(at+"/end"), 403); !strings.Contains(s, "the embargo is over") {
		t.Errorf("why it can't be ended again: %s", s)
	}
	// One release stands on the page: the planned one beside the real one is told as that.
	c0 := w.as("c0")
	for b, page := range map[*browser]string{ana: ana.wants(ana.get(at), 200), c0: c0.wants(c0.get(at), 200)} {
		if !strings.Contains(page, "<dt>Release</dt><dd>not yet; it was planned for <time") {
			t.Errorf("%v: ended early, the planned release stands as if it held: %s", b == ana, page)
		}
	}
	ana.went(ana.post(at+"/release", "name=A+parser&advisory=%23+Out"))
	if s := ana.wants(ana.get(at), 200); strings.Contains(s, "<dt>Release</dt>") || !strings.Contains(s, "<dt>Released</dt>") || !strings.Contains(s, "planned for 2026-05-21 10:00") {
		t.Error("released early:", s)
	}
	if s := ana.wants(ana.get(wave), 200); strings.Contains(s, "2026-05-21") {
		t.Error("the wave shows the planned release as the release:", s)
	}
	if s := w.as("").wants(w.as("").get("/advisories/"+strings.TrimPrefix(at, "/cases/")), 200); !strings.Contains(s, ">Out</h2>") {
		t.Error(s)
	}
}

func caseAt(t *testing.T, path string) (id cvd.CaseID) {
	t.Helper()
	ok(t, id.UnmarshalText([]byte(strings.TrimPrefix(path, "/cases/"))))
	return id
}

// TestImport: a file is looked at before it is done, what is refused is told by
// line, and the same file again does nothing.
func TestImport(t *testing.T) {
	w := newWorld(t)
	ana := w.as("ana")
	send := func(csv, token string) *http.Response {
		fields := map[string]string{}
		var files [][3]string
		if token != "" {
			fields["token"] = token
		} else {
			files = [][3]string{{"csv", "members.csv", csv}}
		}
		body, head := parts(t, fields, files...)
		return ana.do("POST", "/members/import", body, head)
	}
	before := w.desk.Log().Size()
	s := ana.wants(send("name,tier,jurisdictions,contact\nFresh,1,AT,fresh\n=1+2,0,,\nMember 0,7,,\nTwice,1,,t1\nTwice,1,,t2\nShort,1\n\u202egnp,1,,x\n", ""), 200)
	for _, want := range []string{"5 lines are refused", "is not a number from 1 to 255", "in tier 1", "is taken", "has 2 fields", "&lt;U&#43;202E&gt;"} {
		if !strings.Contains(s, want) {
			t.Errorf("it lacks %q: %s", want, s)
		}
	}
	if strings.Contains(s, "\u202e") || strings.Contains(s, `name="token"`) || w.desk.Log().Size() != before {
		t.Error("refused lines are shown as they came, or can be done")
	}
	good := "name,tier,jurisdictions,contact\nFresh,1,AT DE,fresh\nMember 0,1,,c0\n"
	token := regexp.MustCompile(`name="token" value="([^"]+)"`)
	found := token.FindStringSubmatch(ana.wants(send(good, ""), 200))
	if found == nil {
		t.Fatal("it can't be done")
	}
	body, head := parts(t, map[string]string{"token": found[1]})
	w.as("cem").wants(w.as("cem").do("POST", "/members/import", body, head), 404)
	ana.went(send("", found[1]))
	ana.wants(send("", found[1]), 400)
	if s := ana.wants(ana.get("/members?words=fresh"), 200); !strings.Contains(s, "AT DE") {
		t.Error(s)
	}
	if s := ana.wants(send(good, ""), 200); !strings.Contains(s, "All 2 are there already") || strings.Contains(s, `name="token"`) {
		t.Error(s)
	}
	w.now = w.now.Add(time.Minute)
	found = token.FindStringSubmatch(ana.wants(send("name,tier\nLater,2\n", ""), 200))
	w.now = w.now.Add(heldFor)
	ana.wants(send("", found[1]), 400)
}

// TestKeysLost: who looks at a member whose keys were revoked in the middle of a
// wave sees what was handed out under them.
func TestKeysLost(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(2 * time.Hour)
	ok(t, w.desk.Log().Tick(ctx))
	_, err := w.desk.Fetch(ctx, w.by("c0"), w.wave, cvd.HolderID(w.member0))
	ok(t, err)
	ana := w.as("ana")
	at := "/members/" + w.member0.String()
	ana.went(ana.post(at+"/revoke", "reason=lost"))
	s := ana.wants(ana.get(at), 200)
	for _, want := range []string{"revoked", "exposed", "waits to be sealed anew", "none in use"} {
		if !strings.Contains(s, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	ana.went(ana.post(at+"/standing", "standing=suspended&reason=under+review"))
	if s := ana.wants(ana.get(at), 200); !strings.Contains(s, "under review") || !strings.Contains(s, "s-suspended") {
		t.Error(s)
	}
	ana.went(ana.post("/members/groups", "members=Member+0%0AMember+1"))
	if s := ana.wants(ana.get(at), 200); !strings.Contains(s, "Owned with") {
		t.Error(s)
	}
}

// TestSourceOf: a folder is taken without the folder that all of it is in, an
// archive as its files, and nothing that could stand elsewhere.
func TestSourceOf(t *testing.T) {
	paths := func(files ...Upload) string {
		src, err := sourceOf(files, inPlace)
		if err != nil {
			return err.Error()
		}
		var out []string
		for _, f := range src.Files {
			out = append(out, f.Path)
		}
		return strings.Join(out, " ")
	}
	file := func(path string) Upload { return Upload{"files", path, []byte("x")} }
	var z, tr bytes.Buffer
	zw, tw := zip.NewWriter(&z), tar.NewWriter(&tr)
	for _, p := range []string{"pack/", "pack/a.md", "pack/rules/b.yar"} {
		_, err := zw.Create(p)
		ok(t, err)
	}
	ok(t, zw.Close())
	ok(t, tw.WriteHeader(&tar.Header{Name: "a.md", Typeflag: tar.TypeReg, Mode: 0o600}))
	ok(t, tw.WriteHeader(&tar.Header{Name: "b", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}))
	ok(t, tw.Close())
	for want, got := range map[string]string{
		"a.md rules/b.yar":  paths(file("pack/rules/b.yar"), file("pack/a.md")),
		"a.md b.md":         paths(file("a.md"), file("b.md")),
		"a/x.md b.md":       paths(file("b.md"), file("a/x.md")),
		"a.md rules/b.yar ": paths(Upload{"archive", "pack.zip", z.Bytes()}) + " ",
		"files can't be taken: \"b\": it is no regular file; put what a link leads to in its place":                             paths(Upload{"archive", "pack.tar", tr.Bytes()}),
		"files can't be taken: \"pack/.git/x\": a hidden file or folder; it is easily overlooked, so leave it out or rename it": paths(file("pack/.git/x"), file("pack/a.md")),
		"files can't be taken: \"a.md\": it is there twice":                                                                     paths(file("a.md"), file("a.md")),
		"files is missing: choose the package's folder, or an archive of it":                                                    paths(),
		"files is an archive that can't be read: make it anew":                                                                  paths(Upload{"archive", "x.zip", []byte("PK\x03\x04 nothing")}),
	} {
		if got != want {
			t.Errorf("%q, and not %q", got, want)
		}
	}
	for _, p := range []string{"../a", "/a", "a/../b", "a//b", "con", "a\x00b", "a\u202eb", "pack/../../a"} {
		if got := paths(file(p), file("z.md")); !strings.Contains(got, "can't be taken") {
			t.Errorf("%q is taken: %s", p, got)
		}
	}
	// A small archive that unpacks to more than a source may be.
	z.Reset()
	zw = zip.NewWriter(&z)
	big := make([]byte, carrier.MaxTotal/8+1)
	for i := range 8 {
		f, err := zw.Create(fmt.Sprint("f", i))
		ok(t, err)
		_, err = f.Write(big)
		ok(t, err)
	}
	ok(t, zw.Close())
	if got := paths(Upload{"archive", "bomb.zip", z.Bytes()}); !strings.Contains(got, "when it is unpacked") {
		t.Error(got)
	}
}

// FuzzSourceOf: whatever is uploaded, what is taken has names that any system can
// have, and no more bytes than a source.
func FuzzSourceOf(f *testing.F) {
	var z, tr bytes.Buffer
	zw, tw := zip.NewWriter(&z), tar.NewWriter(&tr)
	_, err := zw.Create("pack/a.md")
	ok(f, err)
	ok(f, zw.Close())
	ok(f, tw.WriteHeader(&tar.Header{Name: "a.md", Typeflag: tar.TypeReg, Mode: 0o600}))
	ok(f, tw.Close())
	f.Add("pack.zip", z.Bytes())
	f.Add("pack.tar", tr.Bytes())
	f.Add("../a.md", []byte("text"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		src, err := sourceOf([]Upload{{"files", name, data}}, inPlace)
		if err != nil {
			return
		}
		for _, x := range src.Files {
			if form.CheckPath(x.Path) != nil || len(x.Data) > carrier.MaxFile {
				t.Errorf("%q of %q is taken", x.Path, name)
			}
		}
	})
}

// FuzzRoster: whatever the file, each of its lines is an admission or refused.
func FuzzRoster(f *testing.F) {
	for _, s := range []string{"name,tier\nA,1\n", "\ufeffname,tier,contact\n\"A\n\",0,\n", "tier\n", "name,tier\nA,1,2\n", "name,tier\n\"A"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := coordinator.ReadRoster(b)
		if err != nil {
			return
		}
		for i, r := range rows {
			if r.Wrong == "" && r.Tier == 0 || r.Line < 2 || i > 0 && r.Line <= rows[i-1].Line {
				t.Errorf("line %d: %+v", i, r)
			}
		}
	})
}

// TestListsOfPrograms: programs get a long list in parts that are the list.
func TestListsOfPrograms(t *testing.T) {
	w := newWorld(t)
	ana := w.as("ana")
	var got []string
	for after := ""; ; {
		var page struct {
			Members []struct{ Name string }
			Of      int
			Next    string
		}
		ok(t, json.Unmarshal([]byte(ana.wants(ana.get("/api/v1/members?sort=-name&limit=1&after="+url.QueryEscape(after)), 200)), &page))
		for _, m := range page.Members {
			got = append(got, m.Name)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if strings.Join(got, ",") != "Member 1,Member 0" {
		t.Error(got)
	}
}

// TestNotOnDuty: a coordinator who isn't on duty is told why they can't end an
// embargo, on the page that would offer it.
func TestNotOnDuty(t *testing.T) {
	w := newWorld(t)
	path := "/cases/" + w.cs.String()
	if s := w.as("ana").wants(w.as("ana").get(path), 200); strings.Contains(s, "not on duty") || !strings.Contains(s, path+"/end") {
		t.Error("the end is not offered to the only coordinator")
	}
	_, err := w.desk.Do(ctx, w.by("ana"), cvd.AssignDuty{Duty: cvd.DutyID{1}, Account: w.who["ben"], Rank: 1, Starts: w.now, Ends: w.now.Add(time.Hour)})
	ok(t, err)
	for who, want := range map[string]bool{"ana": true, "ben": false} {
		b := w.as(who)
		s := b.wants(b.get(path), 200)
		if got := strings.Contains(s, "not by you: you are not on duty"); got != want {
			t.Errorf("%s is told that they are not on duty: %v", who, got)
		}
	}
	// The page that ends says it too, to whoever may see the case, and only to them.
	for who, want := range map[string]string{"ana": "you are not on duty", "ben": "End the embargo of", "cem": "it takes the role", "ines": "it takes the role", "c0": "", "fay": "", "otto": ""} {
		b := w.as(who)
		status := map[bool]int{true: 404, false: 403}[want == ""]
		if who == "ben" {
			status = 200
		}
		if s := b.wants(b.get(path+"/end"), status); !strings.Contains(s, want) || strings.Contains(s, "<form method=\"post\" action=\""+path) != (who == "ben") {
			t.Errorf("%s: %s", who, s)
		}
		if who == "ben" {
			continue
		}
		if r := b.get("/api/v1" + path + "/end"); r.StatusCode != status {
			t.Errorf("%s, as a program: %d", who, r.StatusCode)
		}
	}
}

// TestStamp: both ends of an interval may lie in one minute.
func TestStamp(t *testing.T) {
	at := time.Date(2026, 5, 1, 10, 0, 7, 0, time.UTC)
	for zone, want := range map[string]string{"": "2026-05-01 10:00:07 UTC", "Europe/Vienna": "2026-05-01 12:00:07 CEST (2026-05-01 10:00:07 UTC)"} {
		v := &Visit{}
		v.Session.Zone = zone
		if got := v.stamp(at); got != want {
			t.Errorf("%q: %s", zone, got)
		}
	}
}

func inPlace(b []byte) ([]hostile.File, error) {
	return (&coordinator.Desk{}).Unpack(context.Background(), b)
}
