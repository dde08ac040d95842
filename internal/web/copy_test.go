package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/seal"
	"forewarn/internal/signin"
)

// machine is a program that comes with a token.
type machine struct {
	*browser
	token string
}

// machine issues somebody a token.
func (w *world) machine(who string, scope cvd.Scope) *machine {
	w.t.Helper()
	secret, err := signin.Secret(w.rand)
	ok(w.t, err)
	_, err = w.desk.Do(ctx, cvd.Actor{Account: w.who[who], Auth: entrylog.AuthFresh}, cvd.IssueToken{Account: w.who[who], Token: signin.KeyOf(secret), Scope: scope, Until: w.now.Add(24 * time.Hour)})
	ok(w.t, err)
	return &machine{&browser{w: w}, secret}
}

// ask sends a request, with more heads given by pairs.
func (m *machine) ask(method, path, body string, heads ...string) *http.Response {
	h := http.Header{"Authorization": {"Bearer " + m.token}}
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(heads); i += 2 {
		h.Set(heads[i], heads[i+1])
	}
	return m.do(method, apiBase+path, body, h)
}

// opened goes on to when the wave is open and anchored.
func (w *world) opened() {
	w.t.Helper()
	w.now = w.now.Add(2 * time.Hour)
	ok(w.t, w.desk.Log().Tick(ctx))
}

func decode[T any](t *testing.T, s string) (out T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	ok(t, d.Decode(&out))
	return out
}

type copyAnswer struct {
	Wave  cvd.WaveID
	State string
	Opens time.Time `json:"opens_at"`
	Why   string    `json:"why_not"`
	Proof []byte
	Had   bool `json:"fetched"`
	Files []struct {
		File, SaveAs string
		Save         string `json:"save_as"`
		Bytes        int
		SHA256       digest
	}
}

// TestDelivery: nothing shows of a copy before its time; the fetch is on the log
// before a byte leaves; what comes opens and is proved, and its receipt is lodged.
func TestDelivery(t *testing.T) {
	w := newWorld(t)
	c0, c1 := w.machine("c0", cvd.EveryScope), w.machine("c1", cvd.EveryScope)
	path := "/waves/" + w.wave.String() + "/copy"
	none := "/waves/" + cvd.WaveID{0: 1}.String() + "/copy"

	early := decode[copyAnswer](t, c0.wants(c0.ask("GET", path, ""), 200))
	if early.State != "sealed" || len(early.Files) != 0 || early.Had || early.Why == "" {
		t.Errorf("before its time: %+v", early)
	}
	for _, at := range []string{path, path + "/sealed", path + "/bulk", path + "/proof"} {
		method := "GET"
		if at == path {
			method = "POST"
		}
		for heads, want := range map[string]string{"": "not-yet", "bytes=0-1": "not-yet"} {
			r := c0.ask(method, at, "", "Range", heads)
			if r.Header.Get("ETag") != "" || r.Header.Get("Retry-After") != "3600" || r.Header.Get("Accept-Ranges") != "" {
				t.Errorf("%s, before its time: %v", at, r.Header)
			}
			if s := c0.wants(r, 409); !strings.Contains(s, want) {
				t.Error(s)
			}
		}
		if got, want := shape(t, c1.ask(method, at, "")), shape(t, c1.ask(method, strings.Replace(at, path, none, 1), "")); got != want {
			t.Errorf("%s: to another member it is\n%s\nand what isn't there is\n%s", at, got, want)
		}
	}

	w.opened()
	before := w.desk.Log().Size()
	if r := c0.ask("GET", path+"/sealed", ""); r.StatusCode != 409 || r.Header.Get("ETag") != "" || !strings.Contains(text(t, r), "not-fetched") {
		t.Errorf("a file before the fetch: %d", r.StatusCode)
	}
	if got := decode[copyAnswer](t, c0.wants(c0.ask("GET", path, ""), 200)); len(got.Files) != 0 || got.Had {
		t.Errorf("before the fetch: %+v", got)
	}
	if w.desk.Log().Size() != before {
		t.Error("looking made an entry")
	}
	got := decode[copyAnswer](t, c0.wants(c0.ask("POST", path, ""), 200))
	if w.desk.Log().Size() != before+1 || len(got.Files) != 1 || len(got.Proof) == 0 || got.Files[0].File != "sealed" || got.Files[0].Save != w.wave.Short()+".age" {
		t.Fatalf("%d entries, %+v", w.desk.Log().Size()-before, got)
	}
	files := map[string][]byte{"proof": got.Proof}
	if r := c0.ask("GET", path+"/proof", ""); r.Header.Get("Content-Disposition") != `attachment; filename="`+w.wave.Short()+`.proof"` || c0.wants(r, 200) != string(got.Proof) {
		t.Error("the proof as a file is another")
	}
	for _, f := range got.Files {
		r := c0.ask("GET", path+"/"+f.File, "")
		b := []byte(c0.wants(r, 200))
		if len(b) != f.Bytes || sha256.Sum256(b) != f.SHA256 || r.Header.Get("ETag") != `"`+f.SHA256.String()+`"` {
			t.Errorf("%s is not what was said", f.File)
		}
		if h := r.Header; h.Get("Content-Disposition") != `attachment; filename="`+f.Save+`"` || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox;") || h.Get("Content-Type") != "application/octet-stream" || h.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s: %v", f.File, h)
		}
		part := c0.ask("GET", path+"/"+f.File, "", "Range", "bytes=10-", "If-Range", r.Header.Get("ETag"))
		if s := c0.wants(part, 206); s != string(b[10:]) {
			t.Errorf("the rest of %s is another", f.File)
		}
		c0.wants(c0.ask("GET", path+"/"+f.File, "", "If-None-Match", r.Header.Get("ETag")), 304)
		files[f.File] = b
	}
	if r := c0.ask("HEAD", path+"/sealed", ""); r.StatusCode != 200 || text(t, r) != "" {
		t.Errorf("its head: %d", r.StatusCode)
	}
	c0.wants(c0.ask("GET", path+"/bulk", ""), 404)
	c0.wants(c0.ask("GET", path+"/other", ""), 404)
	if w.desk.Log().Size() != before+1 {
		t.Error("reading the files made entries")
	}
	if s := w.as("c0").wants(w.as("c0").get(path), 200); !strings.Contains(s, "--log-key") || !strings.Contains(s, "/log/") {
		t.Error("the page doesn't say what the copy is checked with:", s)
	}
	if r := c1.ask("GET", path+"/sealed", ""); r.StatusCode != 404 {
		t.Errorf("another member: %d", r.StatusCode)
	}

	ids, err := seal.ParseIdentities(w.keys.Identity)
	ok(t, err)
	if _, err := seal.OpenCopy(bytes.NewReader(files["sealed"]), ids, seal.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	proof, err := evidence.ParseCopyProof(files["proof"])
	ok(t, err)
	key, _ := ids.SigningKey()
	receipt, err := evidence.SignReceipt(key.Private(), proof, w.verifier, time.Minute)
	ok(t, err)
	lodge := `{"receipt":"` + base64.StdEncoding.EncodeToString(receipt.Marshal()) + `"}`
	if s := c0.wants(c0.ask("POST", "/receipts", lodge), 200); !strings.Contains(s, w.wave.String()) {
		t.Error(s)
	}
	c0.wants(c0.ask("POST", "/receipts", lodge), 200) // again is no other
	c0.wants(c0.ask("POST", "/receipts", `{"receipt":"AAAA"}`), 400)
	c0.wants(c0.ask("POST", "/receipts", `{"receipt":"`+base64.StdEncoding.EncodeToString(receipt.Marshal()[:40])+`"}`), 400)
	c1.wants(c1.ask("POST", "/receipts", lodge), 409)

	w.now = w.now.Add(61 * time.Minute)
	if r := c0.ask("GET", path+"/sealed", ""); r.StatusCode != 409 {
		t.Errorf("an hour after the fetch: %d", r.StatusCode)
	}
	_, err = w.desk.Do(ctx, cvd.Actor{Account: w.who["ana"], Auth: entrylog.AuthFresh}, cvd.Hold{Case: w.cs})
	ok(t, err)
	for method, at := range map[string]string{"GET": path + "/sealed", "POST": path} {
		if s := c0.wants(c0.ask(method, at, ""), 409); !strings.Contains(s, "not-now") {
			t.Error(s)
		}
	}
}

// TestCopyOnPages: a person does the same with a browser.
func TestCopyOnPages(t *testing.T) {
	w := newWorld(t)
	b, path := w.as("c0"), "/waves/"+w.wave.String()+"/copy"
	if s := b.wants(b.get(path), 200); !strings.Contains(s, "Not now") || strings.Contains(s, "<form method=\"post\" action=\"/waves") {
		t.Error(s)
	}
	w.opened()
	b = w.as("c0")
	if s := b.wants(b.get("/inbox"), 200); !strings.Contains(s, path) {
		t.Error("the inbox doesn't lead there")
	}
	if s := b.wants(b.get(path), 200); !strings.Contains(s, "Fetch the copy") || strings.Contains(s, ".age") {
		t.Error(s)
	}
	b.wants(b.get(path+"/sealed"), 409)
	b.wants(b.post(path, ""), 303)
	if s := b.wants(b.get(path), 200); !strings.Contains(s, w.wave.Short()+".age") {
		t.Error(s)
	}
	if s := b.wants(b.get(path+"/sealed"), 200); !strings.HasPrefix(s, "age-encryption.org/v1\n") {
		t.Errorf("%.40q", s)
	}
}

// TestScopes: a token does what it is for, and nothing that asks for a proof.
func TestScopes(t *testing.T) {
	w := newWorld(t)
	w.opened()
	for scope := cvd.ScopeRead; scope <= cvd.EveryScope; scope <<= 1 {
		m := w.machine("ana", scope)
		for _, p := range w.site.pageList {
			if !p.api {
				continue
			}
			method, path := w.at(p.Pattern, true)
			r := m.ask(method, strings.TrimPrefix(path, apiBase), "")
			refused := strings.Contains(text(t, r), "/problems/scope")
			if refused != (p.Who == SignedIn && p.Scope != scope) || refused && r.StatusCode != 403 {
				t.Errorf("%s, for %s: %d", p.Pattern, scope, r.StatusCode)
			}
		}
		w.now = w.now.Add(time.Minute) // the bucket fills
	}
	if r := w.as("").get("/api/v1/inbox"); r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %d %v", r.StatusCode, r.Header)
	}
}
