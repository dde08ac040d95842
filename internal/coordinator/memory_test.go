package coordinator_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
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
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shelf is a folder in memory that serves coordinator.Keys and sealer.Vault.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
	ask   func(op string) fault
}

// fault is how one effect goes wrong; kept says that it happened all the same.
type fault struct {
	err  error
	kept bool
}

func (s *shelf) Read(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(b), nil
}

func (s *shelf) Write(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.ask("write")
	if f.err == nil || f.kept {
		s.files[name] = slices.Clone(data)
	}
	return f.err
}

func (s *shelf) Create(name string, data []byte) error {
	s.mu.Lock()
	_, there := s.files[name]
	s.mu.Unlock()
	if there {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return s.Write(name, data)
}

func (s *shelf) Destroy(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.ask("destroy")
	if f.err == nil || f.kept {
		delete(s.files, name)
	}
	return f.err
}

// Lock: one process has it, whose requests come one after another.
func (s *shelf) Lock() (func(), error) { return func() {}, nil }

func (s *shelf) List(folder string) (out []string, _ error) {
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

// heap keeps blobs in memory. What was put and not synced is lost in a crash.
type heap struct {
	mu      sync.Mutex
	blobs   map[[32]byte][]byte
	durable map[[32]byte]bool
	ask     func(op string) fault
}

func (h *heap) Put(_ context.Context, b []byte) (ref [32]byte, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.ask("put")
	ref = sha256.Sum256(b)
	if f.err == nil || f.kept {
		h.blobs[ref] = slices.Clone(b)
	}
	return ref, f.err
}

func (h *heap) Sync(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.ask("sync")
	if f.err == nil || f.kept {
		for ref := range h.blobs {
			h.durable[ref] = true
		}
	}
	return f.err
}

func (h *heap) Get(_ context.Context, ref [32]byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.blobs[ref]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(b), nil
}

func (h *heap) crash() {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.blobs, func(ref [32]byte, _ []byte) bool { return !h.durable[ref] })
}

// shared are dice for several goroutines.
type shared struct {
	mu sync.Mutex
	r  io.Reader
}

func (s *shared) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(b)
}

// press is the sealer with its faults.
type press struct {
	*sealer.Sealer
	ask func(op string) fault
}

func (p *press) Compile(ctx context.Context, q sealer.CompileRequest) (sealer.CompileResult, error) {
	f := p.ask("compile")
	if f.err != nil && !f.kept {
		return sealer.CompileResult{}, f.err
	}
	r, err := p.Sealer.Compile(ctx, q)
	if err == nil && f.err != nil {
		return sealer.CompileResult{}, f.err
	}
	return r, err
}

// Seal dies before its first parcel ("seal"), after it ("parcel"), or after all
// of them, before its statement ("statement").
func (p *press) Seal(ctx context.Context, q sealer.SealRequest, each func(sealer.Parcel) error) (sealer.SealResult, error) {
	if f := p.ask("seal"); f.err != nil && !f.kept {
		return sealer.SealResult{}, f.err
	}
	r, err := p.Sealer.Seal(ctx, q, func(parcel sealer.Parcel) error {
		f := p.ask("parcel")
		if f.err != nil && !f.kept {
			return f.err
		}
		if err := each(parcel); err != nil {
			return err
		}
		return f.err
	})
	if f := p.ask("statement"); f.err != nil {
		return sealer.SealResult{}, f.err
	}
	return r, err
}

func (p *press) WaveKey(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID) ([32]byte, error) {
	if f := p.ask("wave key"); f.err != nil {
		return [32]byte{}, f.err
	}
	return p.Sealer.WaveKey(ctx, pkg, w)
}

// works is a programme in memory that can be crashed and opened again.
type works struct {
	t       *testing.T
	now     time.Time
	store   *memstore.Store
	folder  *memstore.Folder
	outside *memstore.Outside
	keys    *shelf
	vault   *shelf
	blobs   *heap
	press   *press
	opt     ledger.Options
	vkey    string
	rand    io.Reader
	hook    func(op string) fault // asked before every effect; nil: none goes wrong
	beside  bool                  // desk is of another process than the log's writer
	live    bool                  // its clock is the machine's, or a bubble's

	desk     *coordinator.Desk
	serving  *coordinator.Desk // who has the log; the same unless beside
	ana, ben cvd.Actor
	holders  []cvd.HolderID
	actors   []cvd.Actor
	with     []seal.Identities
	cs       cvd.CaseID
	rev      cvd.RevisionID
}

var dawn = time.Date(2025, 5, 1, 9, 0, 0, 0, time.UTC)

const interval = time.Minute

func newWorks(t *testing.T) *works {
	t.Helper()
	w := &works{t: t, now: dawn, rand: &shared{r: rand.NewChaCha8([32]byte{7})}}
	w.store, w.folder, w.outside = memstore.New(nil), memstore.NewFolder(w.kept("anchors/")), memstore.NewOutside(w.kept("outside/"))
	w.keys = &shelf{files: map[string][]byte{}, ask: w.asking("keys/")}
	w.vault = &shelf{files: map[string][]byte{}, ask: w.asking("vault/")}
	w.blobs = &heap{blobs: map[[32]byte][]byte{}, durable: map[[32]byte]bool{}, ask: w.asking("blobs/")}
	skey, vkey, err := note.GenerateKey(w.rand, "works.example/forewarn")
	ok(t, err)
	signer, err := note.NewSigner(skey)
	ok(t, err)
	verifier, err := note.NewVerifier(vkey)
	ok(t, err)
	w.vkey = vkey
	w.opt = ledger.Options{Signer: signer, Verifier: verifier, Origin: signer.Name(), Interval: interval, Blinding: entrylog.Blinding(bytes.Repeat([]byte{9}, 32))}
	w.staffPress()
	w.open()
	id, err := w.desk.Found(ctx, w.opt.Origin, "Works", coordinator.Person{Handle: "ana", Name: "Ana"}, interval, []byte(coordinator.DefaultTerms))
	ok(t, err)
	w.ana = cvd.Actor{Account: id, Auth: entrylog.AuthNone}
	id, err = w.desk.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Approver), coordinator.Person{Handle: "ben", Name: "Ben"})
	ok(t, err)
	w.ben = cvd.Actor{Account: id, Auth: entrylog.AuthNone}
	w.cs, err = w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "A case"})
	ok(t, err)
	_, err = w.desk.SetEmbargo(ctx, w.ana, w.cs, cvd.ReleaseTime{At: dawn.Add(240 * time.Hour), Zone: "UTC"})
	ok(t, err)
	for i := range 3 {
		m, acc, err := w.desk.Admit(ctx, w.ana, coordinator.Admission{Name: fmt.Sprintf("Member %d", i), Tier: 1, Contact: fmt.Sprintf("c%d", i), ContactMail: fmt.Sprintf("c%d@member.example", i)})
		ok(t, err)
		by := cvd.Actor{Account: acc, Auth: entrylog.AuthNone}
		w.holders, w.actors = append(w.holders, cvd.HolderID(m)), append(w.actors, by)
		w.with = append(w.with, seal.Identities{})
		ok(t, w.enrol(i))
		_, err = w.desk.AcceptTerms(ctx, by)
		ok(t, err)
		_, err = w.desk.Do(ctx, w.ana, cvd.Invite{Case: w.cs, Role: cvd.AsProtector, Members: []cvd.MemberID{m}})
		ok(t, err)
		ok(t, w.desk.Consent(ctx, by, w.cs, true))
	}
	ok(t, w.addPackage())
	return w
}

func (w *works) enrol(i int) error {
	k, err := seal.Keygen(seal.X25519, dawn)
	ok(w.t, err)
	with, err := seal.ParseIdentities(k.Identity)
	ok(w.t, err)
	pub, err := k.Public()
	ok(w.t, err)
	_, err = w.desk.Do(ctx, w.actors[i], cvd.EnrolKeys{Holder: w.holders[i], Recipients: pub.Recipients, Signing: pub.Signing})
	if err == nil {
		w.with[i] = with
		// As a person at the sealer would, who asked the holder.
		err = w.press.Accept(sealer.HolderKeys{Holder: w.holders[i], Recipients: pub.Recipients})
	}
	return err
}

func (w *works) addPackage() error {
	added, err := w.desk.AddRevision(ctx, w.ana, w.cs, cvd.PackageID{}, 0, carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte("# A flaw\n\nIt {{answers|replies}} to callers who are {{not signed in|without a session}}. The constant is {{token:hex}}.\n")},
		{Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\nbulk:\n  - samples/*\n")},
		{Path: "samples/table.csv", Data: []byte(strings.Repeat("a,b,c\n", 50))},
	}})
	if err == nil {
		w.rev = added.Revision
	}
	return err
}

func (w *works) staffPress() {
	w.press = &press{ask: w.asking("sealer/"), Sealer: &sealer.Sealer{Vault: w.vault, Envelope: seal.Envelope{}, Clock: func() time.Time { return w.now }, Rand: w.rand}}
}

// asking gives a part of the works its way to ask what goes wrong.
func (w *works) asking(part string) func(string) fault {
	return func(op string) fault {
		if w.hook == nil {
			return fault{}
		}
		return w.hook(part + op)
	}
}

// kept is asking for the memory store's parts; only what has an effect is asked.
func (w *works) kept(part string) memstore.Hook {
	ask := w.asking(part)
	return func(op memstore.Op) memstore.Fault {
		if !slices.Contains(memstore.Writes, op) {
			return memstore.Fault{}
		}
		f := ask(string(op))
		return memstore.Fault{Err: f.err, Kept: f.kept}
	}
}

// clone is the same works, closed, in another memory.
func (w *works) clone(t *testing.T) *works {
	c := &works{t: t, now: w.now, beside: w.beside, opt: w.opt, vkey: w.vkey, rand: w.rand, ana: w.ana, ben: w.ben, cs: w.cs, rev: w.rev,
		holders: w.holders, actors: w.actors, with: slices.Clone(w.with)}
	c.store, c.folder, c.outside = w.store.Copy(nil), w.folder.Copy(c.kept("anchors/")), w.outside.Copy(c.kept("outside/"))
	c.keys = &shelf{files: maps.Clone(w.keys.files), ask: c.asking("keys/")}
	c.vault = &shelf{files: maps.Clone(w.vault.files), ask: c.asking("vault/")}
	c.blobs = &heap{blobs: maps.Clone(w.blobs.blobs), durable: maps.Clone(w.blobs.durable), ask: c.asking("blobs/")}
	c.staffPress()
	return c
}

// open opens the desk as a process that starts.
func (w *works) open() {
	w.t.Helper()
	ok(w.t, w.start())
}

func (w *works) start() error {
	w.store = w.store.Reopen(w.kept("store/"))
	c := coordinator.Config{
		Store: w.store, Publisher: w.folder, Outside: w.outside, Log: w.opt, Key: w.vkey,
		Sealer: w.press, Blobs: w.blobs, Keys: w.keys, Crypt: seal.Crypt{},
		Clock: func() time.Time { return w.now }, Rand: w.rand,
	}
	if w.live {
		c.Clock = time.Now
	}
	d, err := coordinator.Open(ctx, c)
	if err != nil {
		return err
	}
	w.desk, w.serving = d, d
	if w.beside {
		c.Store, c.Publisher, c.Outside, c.Through = w.store.Reopen(nil), nil, nil, &relayed{d, w.asking("relay/")}
		if d, err = coordinator.OpenReader(ctx, c); err == nil {
			w.desk = d
		}
	}
	return err
}

// end closes both desks, as far as there are.
func (w *works) end() {
	if w.desk != nil {
		w.desk.Close()
		w.serving.Close()
	}
}

// relayed is the way to the serving desk, with its faults: what is asked doesn't
// arrive, or the answer is lost.
type relayed struct {
	coordinator.Serving
	ask func(op string) fault
}

func (r *relayed) lossy(op string, do func() error) error {
	f := r.ask(op)
	if f.err == nil || f.kept {
		if err := do(); err != nil {
			return err
		}
	}
	if f.err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrUncertain, f.err)
	}
	return nil
}

func (r *relayed) Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	return r.lossy("take", func() error { return r.Serving.Take(ctx, at, recs, under) })
}

func (r *relayed) Tick(ctx context.Context) error {
	return r.lossy("tick", func() error { return r.Serving.Tick(ctx) })
}

func (r *relayed) Seal(ctx context.Context, id cvd.WaveID, progress func(done, all int)) error {
	return r.lossy("seal", func() error { return r.Serving.Seal(ctx, id, progress) })
}

// crash ends the process at once, with what it had not made durable, and starts
// another one in a world that is well again.
func (w *works) crash() {
	w.t.Helper()
	w.end()
	w.blobs.crash()
	w.hook = nil
	w.open()
}

// goOn has time go on by itself from now on. It is for bubbles, whose time can wait
// until then.
func (w *works) goOn() {
	w.t.Helper()
	time.Sleep(time.Until(w.now))
	w.end()
	w.live = true
	w.open()
}

func (w *works) pass(d time.Duration) { w.now = w.now.Add(d) }

// wave drafts a wave to everybody.
func (w *works) draft() (cvd.WaveID, error) {
	return w.desk.DraftWave(ctx, w.ana, cvd.DraftWave{Revision: w.rev, Purpose: cvd.Staged, Level: form.Indicators, OpensAt: w.now.Add(time.Hour), Audience: w.holders})
}

// audited wants the world to be whole, as an auditor sees it from what is kept,
// and as the desk sees it itself.
func (w *works) audited(when string) (p *cvd.Programme) {
	w.t.Helper()
	opt := w.opt
	opt.Known, opt.Public = cvd.Known, cvd.Public
	calm := w.store.Reopen(nil)
	r, err := ledger.Verify(ctx, calm, w.folder.Copy(nil), opt, nil, nil)
	ok(w.t, err)
	f, err := coordinator.Audit(ctx, calm, w.blobs)
	ok(w.t, err)
	for _, x := range append(r.Problems, f.Problems...) {
		w.t.Errorf("%s: %s", when, x)
	}
	p = cvd.New()
	ok(w.t, calm.Read(ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
		e, err := entrylog.ParseEntry(r.Entry)
		if err != nil {
			return err
		}
		return p.Apply(seq, e)
	}))
	for _, s := range p.Audit(w.now) {
		w.t.Errorf("%s: %s", when, s)
	}
	return p
}
