package web

import (
	"bytes"
	"encoding/hex"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/seal"
)

// upload sends a file as a form of the site's own page would.
func (b *browser) upload(path, field string, file []byte) *http.Response {
	b.w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	f, err := m.CreateFormFile(field, "x")
	ok(b.w.t, err)
	_, err = f.Write(file)
	ok(b.w.t, err)
	ok(b.w.t, m.Close())
	return b.do("POST", path, body.String(), http.Header{"Content-Type": {m.FormDataContentType()}, "Sec-Fetch-Site": {"same-origin"}})
}

var ticketPath = regexp.MustCompile(`/d/[A-Za-z0-9_-]{43}`)

// TestCopyByTicket: a member fetches its copy from the page, without a cookie and
// once, opens it, lodges the receipt and answers.
func TestCopyByTicket(t *testing.T) {
	w := newWorld(t)
	b := w.as("c0")
	path := "/waves/" + w.wave.String()
	if s := b.wants(b.post(path+"/fetch", ""), 403); !strings.Contains(s, "it has not opened") {
		t.Error(s)
	}
	w.now = w.now.Add(time.Hour)
	ok(t, w.desk.Log().Tick(ctx))
	b = w.as("c0")
	if s := b.wants(b.get("/home"), 200); !strings.Contains(s, path+"/fetch") {
		t.Errorf("home doesn't offer the copy: %s", s)
	}
	before := w.desk.Log().Size()
	s := b.wants(b.post(path+"/fetch", ""), 200)
	if want := "--log-key " + strings.ReplaceAll(w.desk.Key, "+", "&#43;") + " --anchors " + w.site.Origin + "/log/</pre>"; !strings.Contains(s, want) {
		t.Errorf("the page says nothing like %q: %s", want, s)
	}
	links := ticketPath.FindAllString(s, -1)
	if len(links) != 2 || w.desk.Log().Size() == before {
		t.Fatalf("%d files are offered; entries: %d and %d", len(links), before, w.desk.Log().Size())
	}
	nobody := w.as("")
	nobody.wants(nobody.do("HEAD", links[0], "", nil), 404)
	r := nobody.get(links[0])
	sealed := []byte(nobody.wants(r, 200))
	for name, want := range map[string]string{"Content-Disposition": `attachment; filename="` + w.wave.Short() + `.age"`, "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'", "Content-Type": "application/octet-stream", "Set-Cookie": ""} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got, want := shape(t, nobody.get(links[0])), shape(t, nobody.get("/d/"+strings.Repeat("A", 43))); got != want {
		t.Errorf("a used ticket is\n%s\nand none is\n%s", got, want)
	}
	proof := []byte(nobody.wants(nobody.get(links[1]), 200))
	again := ticketPath.FindAllString(b.wants(b.post(path+"/fetch", ""), 200), -1)
	w.now = w.now.Add(ticketTime)
	nobody.wants(nobody.get(again[0]), 404)

	ids, err := seal.ParseIdentities(w.keys.Identity)
	ok(t, err)
	files, err := seal.OpenCopy(bytes.NewReader(sealed), ids, seal.DefaultLimits)
	if err != nil || len(files) != 1 || !strings.Contains(string(files[0].Data), "# A flaw") {
		t.Fatalf("%v %v", files, err)
	}
	p, err := evidence.ParseCopyProof(proof)
	ok(t, err)
	v, err := note.NewVerifier(w.desk.Key)
	ok(t, err)
	k, _ := ids.SigningKey()
	rec, err := evidence.SignReceipt(k.Private(), p, v, time.Minute)
	ok(t, err)

	b.wants(b.upload("/receipts", "receipt", []byte("no receipt")), 400)
	forged := *rec
	forged.Signature[3] ^= 1
	b.wants(b.upload("/receipts", "receipt", forged.Marshal()), 400)
	other := w.as("c1")
	other.wants(other.upload("/receipts", "receipt", rec.Marshal()), 409)
	b.wants(b.upload("/receipts", "receipt", rec.Marshal()), 303)
	if got := b.wants(b.get(path+"/receipt"), 200); got != string(rec.Marshal()) {
		t.Error("another receipt comes back")
	}
	other.wants(other.get(path+"/receipt"), 404)
	if s := b.wants(b.get("/cases/"+w.cs.String()), 200); !strings.Contains(s, "receipt lodged") || !strings.Contains(s, "c0, <time") {
		t.Errorf("the case's page doesn't know of it: %s", s)
	}
	if strings.Contains(s, "A flaw") {
		t.Error("a page carries the package's content")
	}
}

// TestAnswersOnPages: an answer is given and its history shown, as text.
func TestAnswersOnPages(t *testing.T) {
	w := newWorld(t)
	product, err := w.desk.AddProduct(ctx, w.by("ana"), w.cs, "Portal <b>9</b>")
	ok(t, err)
	b := w.as("c0")
	path := "/cases/" + w.cs.String()
	if s := b.wants(b.get("/home"), 200); !strings.Contains(s, "Answer</strong> on Portal &lt;b&gt;9&lt;/b&gt;") {
		t.Errorf("the answer is not asked for: %s", s)
	}
	form := "product=" + product.String() + "&answer=in+progress&note=%3Cscript%3E%0A%1b%5B2J%E2%80%AE"
	b.wants(b.post(path+"/answers", form), 303)
	s := b.wants(b.get(path), 200)
	if !strings.Contains(s, "&lt;script&gt;&lt;0A&gt;&lt;1B&gt;[2J&lt;U&#43;202E&gt;") || !strings.Contains(s, "in progress</strong>, c0") {
		t.Errorf("the history: %s", s)
	}
	b.wants(b.post(path+"/answers", "product="+product.String()+"&answer=investigating"), 409) // it can't go back
	b.wants(b.post(path+"/answers", "product="+product.String()+"&answer=no+answer"), 400)
	b.wants(b.post(path+"/answers", "product="+w.cs.String()+"&answer=ready"), 409)
	other := w.as("c1")
	if got, want := shape(t, other.post(path+"/answers", form)), shape(t, other.post("/cases/"+cvd.CaseID{1}.String()+"/answers", form)); got != want {
		t.Errorf("a case of others is\n%s\nand none is\n%s", got, want)
	}
	if s := b.wants(b.get("/products"), 200); !strings.Contains(s, "in progress") || !strings.Contains(s, path) {
		t.Errorf("the products: %s", s)
	}
}

// TestConsentOnPages: an invitation shows nothing of a case until it is accepted.
func TestConsentOnPages(t *testing.T) {
	w := newWorld(t)
	holder, _, err := w.desk.Inbox(w.by("c1"))
	ok(t, err)
	_, _, err = w.desk.Invite(ctx, w.by("ana"), w.cs, []cvd.MemberID{cvd.MemberID(holder)}, w.now.Add(24*time.Hour))
	ok(t, err)
	b := w.as("c1")
	path := "/cases/" + w.cs.String()
	if s := b.wants(b.get("/home"), 200); !strings.Contains(s, "An invitation to a case") || !strings.Contains(s, "Enrol keys") || strings.Contains(s, "Layout import") {
		t.Errorf("home: %s", s)
	}
	s := b.wants(b.get(path), 200)
	if strings.Contains(s, "Layout import") || !strings.Contains(s, "in 23 h") && !strings.Contains(s, "in 24 h") {
		t.Errorf("before consent: %s", s)
	}
	b.wants(b.post(path+"/consent", "word=perhaps"), 400)
	b.wants(b.post(path+"/consent", "word=accept"), 303)
	if s := b.wants(b.get(path), 200); !strings.Contains(s, "Layout import") || !strings.Contains(s, "your member: signatory") {
		t.Errorf("after consent: %s", s)
	}
	b.wants(b.post(path+"/consent", "word=decline"), 303)
	if s := b.wants(b.get(path), 200); strings.Contains(s, "Layout import") {
		t.Error("who declined reads on")
	}
}

// TestRecallOnPages: who has a copy is asked to stop using it, and says so.
func TestRecallOnPages(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(time.Hour)
	ok(t, w.desk.Log().Tick(ctx))
	b := w.as("c0")
	b.wants(b.post("/waves/"+w.wave.String()+"/fetch", ""), 200)
	var rev cvd.RevisionID
	ok(t, w.desk.View(func(p *cvd.Programme) error { rev = p.Waves[w.wave].Revision; return nil }))
	why, err := w.desk.Reason(ctx, coordinator.CaseKey(w.cs), "the workaround breaks sessions")
	ok(t, err)
	_, err = w.desk.Do(ctx, w.by("ana"), cvd.IssueRecall{Revision: rev, Reason: why})
	ok(t, err)
	path := "/cases/" + w.cs.String()
	if s := b.wants(b.get("/home"), 200); !strings.Contains(s, "Stop using a revision") {
		t.Errorf("home: %s", s)
	}
	if s := b.wants(b.get(path), 200); !strings.Contains(s, "the workaround breaks sessions") || strings.Contains(s, "/fetch") {
		t.Errorf("the case: %s", s)
	}
	b.wants(b.post(path+"/recalls/acknowledge", ""), 303)
	if s := b.wants(b.get(path), 200); !strings.Contains(s, "your member acknowledged it") {
		t.Errorf("after: %s", s)
	}
	if s := b.wants(b.get("/home"), 200); strings.Contains(s, "Stop using a revision") {
		t.Error("it still waits")
	}
}

// TestTermsOnPages: terms are accepted as they were read, and nothing is readable
// before.
func TestTermsOnPages(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(time.Hour)
	ok(t, w.desk.Log().Tick(ctx))
	ok(t, w.desk.PublishTerms(ctx, w.by("ana"), []byte("New terms.\n<i>All of them.</i>")))
	b := w.as("c0")
	b.wants(b.post("/waves/"+w.wave.String()+"/fetch", ""), 403)
	home := b.wants(b.get("/home"), 200)
	if i, j := strings.Index(home, "Accept the terms"), strings.Index(home, "Fetch a copy"); i < 0 || j < i {
		t.Errorf("terms don't come first: %s", home)
	}
	s := b.wants(b.get("/terms"), 200)
	field := func(name string) string {
		_, rest, _ := strings.Cut(s, `name="`+name+`" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	if !strings.Contains(s, "&lt;i&gt;All of them.") {
		t.Errorf("the terms are not shown as text: %s", s)
	}
	seen := "terms=" + field("terms") + "&sha256=" + field("sha256")
	b.wants(b.post("/terms/accept", "terms="+field("terms")+"&sha256="+strings.Repeat("0", 64)), 409)
	ok(t, w.desk.PublishTerms(ctx, w.by("ana"), []byte("Newer terms, while they read.")))
	b.wants(b.post("/terms/accept", seen), 303) // what they read, they accepted
	b.wants(b.post("/waves/"+w.wave.String()+"/fetch", ""), 403)
	s = b.wants(b.get("/terms"), 200)
	b.wants(b.post("/terms/accept", "terms="+field("terms")+"&sha256="+field("sha256")), 303)
	b.wants(b.post("/waves/"+w.wave.String()+"/fetch", ""), 200)
	for who, status := range map[string]int{"ana": 200, "fay": 404, "otto": 404} {
		x := w.as(who)
		x.wants(x.get("/terms"), status)
	}
}

// TestKeysOnPages: new keys replace the old, with a proof, and what waits to be
// sealed anew is named.
func TestKeysOnPages(t *testing.T) {
	w := newWorld(t)
	k, err := seal.Keygen(seal.X25519, w.now)
	ok(t, err)
	pub, err := k.Public()
	ok(t, err)
	b := w.as("c0")
	if s := b.wants(b.get("/keys"), 200); !strings.Contains(s, w.wave.Short()) || strings.Contains(s, "waits to be sealed anew") {
		t.Errorf("the keys: %s", s)
	}
	form := "public=" + hexEscape(string(pub.Text(w.now)))
	secret := "public=" + hexEscape(string(k.Identity))
	if s := b.wants(b.post("/keys/enrol", secret), 409); strings.Contains(s, "AGE-SECRET-KEY-1") {
		t.Error("a secret that was pasted comes back")
	}
	b.wants(b.post("/keys/enrol", form), 303)
	s := b.wants(b.get("/keys"), 200)
	if !strings.Contains(s, pub.Recipients[0]) || !strings.Contains(s, "waits to be sealed anew") || !strings.Contains(s, "Earlier ones") {
		t.Errorf("after: %s", s)
	}
	other := w.as("c1")
	other.wants(other.post("/keys/enrol", form), 409) // another's
	b.wants(b.post("/keys/revoke", "reason=lost"), 400)
	b.wants(b.post("/keys/revoke", "reason=lost&sure=true"), 303)
	if s := b.wants(b.get("/keys"), 200); !strings.Contains(s, "No keys are in use") {
		t.Errorf("revoked: %s", s)
	}
	for who, status := range map[string]int{"ana": 200, "otto": 404, "fay": 404, "ines": 404} {
		x := w.as(who)
		x.wants(x.get("/keys"), status)
	}
}

// TestColleagues: a member's admin adds accounts to its own member.
func TestColleagues(t *testing.T) {
	w := newWorld(t)
	b := w.as("c0")
	b.wants(b.post("/colleagues", "handle=c0-two&name=Second"), 303)
	if s := b.wants(b.get("/accounts"), 200); !strings.Contains(s, "c0-two") || strings.Contains(s, ">c1<") {
		t.Errorf("accounts: %s", s)
	}
	b.wants(b.post("/colleagues", "handle=c0-two&name=Again"), 409)
	other := w.as("c1")
	if s := other.wants(other.get("/accounts"), 200); strings.Contains(s, "c0-two") {
		t.Error("another member sees it")
	}
	staff := w.as("ana")
	staff.wants(staff.post("/colleagues", "handle=x&name=X"), 403)
}

func hexEscape(s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		out.WriteString("%" + hex.EncodeToString([]byte{c}))
	}
	return out.String()
}
