package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
	"forewarn/internal/signin"
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keyFolder is a folder of keys in memory.
type keyFolder struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *keyFolder) Read(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.files[name]; ok {
		return slices.Clone(b), nil
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
}

func (s *keyFolder) Write(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[name] = slices.Clone(data)
	return nil
}

func (s *keyFolder) Create(name string, data []byte) error {
	if _, err := s.Read(name); err == nil {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return s.Write(name, data)
}

func (s *keyFolder) Destroy(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
	return nil
}

// Lock: one process has it, whose requests come one after another.
func (s *keyFolder) Lock() (func(), error) { return func() {}, nil }

func (s *keyFolder) List(folder string) (out []string, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.files {
		if rest, ok := strings.CutPrefix(name, folder+"/"); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out, nil
}

// heap keeps blobs in memory.
type heap struct {
	mu    sync.Mutex
	blobs map[[32]byte][]byte
}

func (h *heap) Put(_ context.Context, b []byte) ([32]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ref := sha256.Sum256(b)
	h.blobs[ref] = slices.Clone(b)
	return ref, nil
}

func (h *heap) Sync(context.Context) error { return nil }

func (h *heap) Get(_ context.Context, ref [32]byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b, ok := h.blobs[ref]; ok {
		return slices.Clone(b), nil
	}
	return nil, fs.ErrNotExist
}

// world is a programme in memory with a site on it, and somebody for every role.
type world struct {
	t     testing.TB
	now   time.Time
	desk  *coordinator.Desk
	store *memstore.Store
	kept  *memstore.SignIn
	site  *Site
	log   *bytes.Buffer
	rand  *rand.ChaCha8

	verifier note.Verifier // of the log

	who  map[string]cvd.AccountID // by handle
	cs   cvd.CaseID               // c0's member is a signatory of it, and c1's isn't in it
	wave cvd.WaveID
	keys seal.NewKeys // of c0's member
	fail memstore.Hook

	big     cvd.WaveID // of a world that was grown
	press   *sealer.Sealer
	member0 cvd.MemberID     // c0's
	headsUp cvd.HeadsUpID    // of the case, once it is announced
	loan    cvd.DelegationID // ben's role of approver, lent to cem for another case
}

const origin = "https://desk.example"

var dawn = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)

// roles is everybody who may come, by handle.
var roles = []struct {
	handle string
	roles  cvd.Roles
}{
	{"ana", cvd.RoleSet(cvd.Coordinator, cvd.CaseWorker)},
	{"ben", cvd.RoleSet(cvd.Approver)},
	{"cem", cvd.RoleSet(cvd.CaseWorker)},
	{"ines", cvd.RoleSet(cvd.Investigator)},
	{"otto", cvd.RoleSet(cvd.Auditor)},
	{"fay", cvd.RoleSet(cvd.Finder)},
}

func newWorld(t testing.TB) *world { return newWorldAt(t, origin) }

func newWorldAt(t testing.TB, at string) *world {
	t.Helper()
	w := &world{t: t, now: dawn, rand: rand.NewChaCha8([32]byte{7}), who: map[string]cvd.AccountID{}, log: new(bytes.Buffer), kept: memstore.NewSignIn()}
	skey, vkey, err := note.GenerateKey(w.rand, "works.example/forewarn")
	ok(t, err)
	signer, err := note.NewSigner(skey)
	ok(t, err)
	w.verifier, err = note.NewVerifier(vkey)
	ok(t, err)
	clock := func() time.Time { return w.now }
	press := &sealer.Sealer{Vault: &keyFolder{files: map[string][]byte{}}, Envelope: seal.Envelope{}, Clock: clock, Rand: w.rand}
	w.store = memstore.New(func(op memstore.Op) memstore.Fault {
		if w.fail != nil {
			return w.fail(op)
		}
		return memstore.Fault{}
	})
	w.desk, err = coordinator.Open(ctx, coordinator.Config{
		Store: w.store, Publisher: memstore.NewFolder(nil), Outside: memstore.NewOutside(nil), Key: vkey,
		Log:    ledger.Options{Signer: signer, Verifier: w.verifier, Origin: signer.Name(), Interval: time.Minute, Blinding: entrylog.Blinding(bytes.Repeat([]byte{9}, 32))},
		Sealer: press, Blobs: &heap{blobs: map[[32]byte][]byte{}}, Keys: &keyFolder{files: map[string][]byte{}}, Crypt: seal.Crypt{}, Clock: clock, Rand: w.rand,
	})
	ok(t, err)
	w.press = press
	w.people()
	w.work(press)
	w.site, err = New(Config{Desk: w.desk, SignIn: w.kept, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Rand: w.rand, Clock: clock, Origin: at,
		Idle: time.Hour, Absolute: 12 * time.Hour, Fresh: 5 * time.Minute})
	ok(t, err)
	return w
}

// add puts a page up that only a test has.
func (w *world) add(p Page) {
	w.site.pageList = append(w.site.pageList, p)
	w.site.mux.Handle(p.Pattern, w.site.page(&p))
	if p.Limit > 0 {
		w.site.limits[p.Pattern] = p.Limit
	}
}

func (w *world) by(handle string) cvd.Actor {
	return cvd.Actor{Account: w.who[handle], Auth: entrylog.AuthNone}
}

func (w *world) people() {
	var err error
	w.who["ana"], err = w.desk.Found(ctx, "works.example/forewarn", "Works", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Minute, []byte(coordinator.DefaultTerms))
	ok(w.t, err)
	for _, r := range roles[1:] {
		w.who[r.handle], err = w.desk.AddAccount(ctx, w.by("ana"), cvd.MemberID{}, r.roles, coordinator.Person{Handle: r.handle, Name: r.handle})
		ok(w.t, err)
	}
	for i := range 2 {
		handle := fmt.Sprintf("c%d", i)
		_, w.who[handle], err = w.desk.Admit(ctx, w.by("ana"), coordinator.Admission{Name: fmt.Sprintf("Member %d", i), Tier: 1, Contact: handle})
		ok(w.t, err)
		_, err = w.desk.AcceptTerms(ctx, w.by(handle))
		ok(w.t, err)
	}
}

// work opens a case, and a wave of it to the first member.
func (w *world) work(press *sealer.Sealer) {
	t := w.t
	holder, _, err := w.desk.Inbox(w.by("c0"))
	ok(t, err)
	w.member0 = cvd.MemberID(holder)
	w.cs, err = w.desk.OpenCase(ctx, w.by("ana"), coordinator.Opening{Title: "Layout import", Finder: w.who["fay"], Invite: []cvd.MemberID{cvd.MemberID(holder)},
		Release: cvd.ReleaseTime{At: dawn.Add(240 * time.Hour), Zone: "UTC"}})
	ok(t, err)
	ok(t, w.desk.Consent(ctx, w.by("c0"), w.cs, true))
	k, err := seal.Keygen(seal.X25519, dawn)
	ok(t, err)
	w.keys = k
	pub, err := k.Public()
	ok(t, err)
	_, err = w.desk.Do(ctx, w.by("c0"), cvd.EnrolKeys{Holder: holder, Recipients: pub.Recipients, Signing: pub.Signing})
	ok(t, err)
	ok(t, press.Accept(sealer.HolderKeys{Holder: holder, Recipients: pub.Recipients}))
	added, err := w.desk.AddRevision(ctx, w.by("ana"), w.cs, cvd.PackageID{}, 0, carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte("# A flaw\n\nIt {{answers|replies}} to callers who are {{not signed in|without a session}}. The constant is {{token:hex}}.\n")},
		{Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\n")},
	}})
	ok(t, err)
	w.wave, err = w.desk.DraftWave(ctx, w.by("ana"), cvd.DraftWave{Revision: added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: w.now.Add(time.Hour), Audience: []cvd.HolderID{holder}})
	ok(t, err)
	ok(t, w.desk.Approve(ctx, w.by("ben"), w.wave, nil))
	other, err := w.desk.OpenCase(ctx, w.by("ana"), coordinator.Opening{Title: "Another"})
	ok(t, err)
	w.loan, err = coordinator.NewID[cvd.DelegationID](w.desk)
	ok(t, err)
	_, err = w.desk.Do(ctx, w.by("ben"), cvd.Delegate{Delegation: w.loan, By: w.who["ben"], To: w.who["cem"], Role: cvd.Approver, Case: other, Starts: dawn, Ends: dawn.Add(48 * time.Hour)})
	ok(t, err)
}

// credential is a passkey of somebody, made with an invitation the first time.
func (w *world) credential(handle string) (hash [32]byte) {
	w.t.Helper()
	id := w.who[handle]
	ok(w.t, w.desk.View(func(p *cvd.Programme) error {
		if have := p.Accounts[id].Credentials; len(have) > 0 {
			hash = have[0].Hash()
		}
		return nil
	}))
	if hash != [32]byte{} {
		return hash
	}
	x := []byte("passkey of " + handle)
	_, err := w.desk.Do(ctx, cvd.Actor{Account: id}, cvd.AddCredential{Account: id, Credential: x, PublicKey: []byte("key"), Invitation: signin.KeyOf(w.invite("ana", handle))})
	ok(w.t, err)
	return sha256.Sum256(x)
}

// invite gives an invitation's secret.
func (w *world) invite(by, handle string) string {
	w.t.Helper()
	secret, err := signin.Secret(w.rand)
	ok(w.t, err)
	_, err = w.desk.Do(ctx, w.by(by), cvd.InviteAccount{Account: w.who[handle], Invitation: signin.KeyOf(secret), Until: w.now.Add(72 * time.Hour)})
	ok(w.t, err)
	return secret
}

// browser is somebody at a browser; nobody signed in when the handle is empty.
type browser struct {
	w        *world
	cookie   string
	ceremony string
	from     string // address; empty: httptest's
}

// as signs somebody in, past the passkey.
func (w *world) as(handle string) *browser {
	w.t.Helper()
	b := &browser{w: w}
	if handle != "" {
		secret, err := w.site.sessions.Begin(ctx, signin.Key{}, signin.Session{Account: w.who[handle], Credential: w.credential(handle)}, w.now)
		ok(w.t, err)
		b.cookie = secret
	}
	return b
}

func (b *browser) get(path string) *http.Response { return b.do("GET", path, "", nil) }

// post sends a form as the site's own page would.
func (b *browser) post(path, form string) *http.Response {
	return b.do("POST", path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

// request is what a browser would send.
func (b *browser) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = b.w.site.origin.Host
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.cookie != "" {
		r.AddCookie(&http.Cookie{Name: b.w.site.cookieName(), Value: b.cookie})
	}
	if b.ceremony != "" {
		r.AddCookie(&http.Cookie{Name: b.w.site.ceremonyCookie(), Value: b.ceremony})
	}
	if b.from != "" {
		r.RemoteAddr = b.from
	}
	return r
}

func (b *browser) do(method, path, body string, h http.Header) *http.Response {
	b.w.t.Helper()
	r := b.request(method, path, body)
	for k, v := range h {
		r.Header[k] = v
	}
	if h.Get("Host") != "" {
		r.Host = h.Get("Host")
	}
	rec := httptest.NewRecorder()
	b.w.site.ServeHTTP(rec, r)
	out := rec.Result()
	for _, c := range out.Cookies() {
		switch c.Name {
		case b.w.site.cookieName():
			b.cookie = c.Value
		case b.w.site.ceremonyCookie():
			b.ceremony = c.Value
		}
	}
	return out
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	ok(t, err)
	return string(b)
}
