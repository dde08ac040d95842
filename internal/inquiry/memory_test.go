package inquiry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/inquiry"
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

// fault is how one effect goes wrong; kept says that it happened all the same.
type fault struct {
	err  error
	kept bool
}

// shelf is a folder in memory.
type shelf struct {
	files map[string][]byte
	ask   func(string) fault
}

func (s *shelf) Read(name string) ([]byte, error) {
	b, ok := s.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(b), nil
}

func (s *shelf) Write(name string, data []byte) error {
	f := s.ask("write")
	if f.err == nil || f.kept {
		s.files[name] = slices.Clone(data)
	}
	return f.err
}

func (s *shelf) Create(name string, data []byte) error {
	if _, there := s.files[name]; there {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return s.Write(name, data)
}

func (s *shelf) Destroy(name string) error { delete(s.files, name); return nil }

// Lock: one process has it, whose requests come one after another.
func (s *shelf) Lock() (func(), error) { return func() {}, nil }

func (s *shelf) List(folder string) (out []string, _ error) {
	for name := range s.files {
		if rest, ok := strings.CutPrefix(name, folder+"/"); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out, nil
}

// heap keeps blobs. What was put and not synced is lost in a crash.
type heap struct {
	blobs   map[[32]byte][]byte
	durable map[[32]byte]bool
	ask     func(string) fault
}

func newHeap(ask func(string) fault) *heap {
	return &heap{blobs: map[[32]byte][]byte{}, durable: map[[32]byte]bool{}, ask: ask}
}

func (h *heap) Put(_ context.Context, b []byte) (ref [32]byte, err error) {
	f := h.ask("put")
	ref = sha256.Sum256(b)
	if f.err == nil || f.kept {
		h.blobs[ref] = slices.Clone(b)
	}
	return ref, f.err
}

func (h *heap) Sync(context.Context) error {
	f := h.ask("sync")
	if f.err == nil || f.kept {
		for ref := range h.blobs {
			h.durable[ref] = true
		}
	}
	return f.err
}

func (h *heap) Get(_ context.Context, ref [32]byte) ([]byte, error) {
	b, ok := h.blobs[ref]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(b), nil
}

func (h *heap) crash() {
	maps.DeleteFunc(h.blobs, func(ref [32]byte, _ []byte) bool { return !h.durable[ref] })
}

// domain is where one log is kept.
type domain struct {
	store   *memstore.Store
	folder  *memstore.Folder
	outside *memstore.Outside
	blobs   *heap
	opt     ledger.Options
	vkey    string
}

// house is a programme with an inquiry in memory, which can be crashed and opened
// again: two investigators, an approver, members, and cases with a sealed wave
// each.
type house struct {
	profile fpcode.Profile // of cases to come; zero: the sealer's
	t       testing.TB
	now     time.Time
	rand    *rand.ChaCha8
	hook    func(string) fault // asked before every effect; nil: none goes wrong
	desks   domain
	inq     domain
	keys    *shelf
	vault   *shelf
	press   *sealer.Sealer
	desk    *coordinator.Desk
	office  *inquiry.Office
	who     map[string]cvd.Actor
	members []cvd.HolderID
	with    []seal.Identities
	cases   []cvd.CaseID
	waves   []cvd.WaveID
}

var dawn = time.Date(2025, 5, 1, 9, 0, 0, 0, time.UTC)

func (h *house) asking(part string) func(string) fault {
	return func(op string) fault {
		if h.hook == nil {
			return fault{}
		}
		return h.hook(part + op)
	}
}

func (h *house) kept(part string) memstore.Hook {
	ask := h.asking(part)
	return func(op memstore.Op) memstore.Fault {
		if !slices.Contains(memstore.Writes, op) {
			return memstore.Fault{}
		}
		f := ask(string(op))
		return memstore.Fault{Err: f.err, Kept: f.kept}
	}
}

func (h *house) domain(name, origin string) (d domain) {
	d.store, d.folder, d.outside = memstore.New(nil), memstore.NewFolder(h.kept(name+"anchors/")), memstore.NewOutside(h.kept(name+"outside/"))
	d.blobs = newHeap(h.asking(name + "blobs/"))
	skey, vkey, err := note.GenerateKey(h.rand, origin)
	ok(h.t, err)
	signer, err := note.NewSigner(skey)
	ok(h.t, err)
	verifier, err := note.NewVerifier(vkey)
	ok(h.t, err)
	d.vkey = vkey
	d.opt = ledger.Options{Signer: signer, Verifier: verifier, Origin: origin, Interval: time.Minute, Blinding: entrylog.Blinding(bytes.Repeat([]byte{9}, 32))}
	return d
}

// newHouse makes a programme with so many members and cases.
func newHouse(t testing.TB, members, cases int) *house {
	t.Helper()
	h := &house{t: t, now: dawn, rand: rand.NewChaCha8([32]byte{7}), who: map[string]cvd.Actor{}}
	h.keys = &shelf{files: map[string][]byte{}, ask: h.asking("keys/")}
	h.vault = &shelf{files: map[string][]byte{}, ask: h.asking("vault/")}
	h.desks, h.inq = h.domain("desk/", "house.example/forewarn"), h.domain("inquiry/", "house.example/forewarn/inquiry")
	h.open()
	ana, err := h.desk.Found(ctx, h.desks.opt.Origin, "House", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Minute, []byte(coordinator.DefaultTerms))
	ok(t, err)
	h.who["ana"] = cvd.Actor{Account: ana, Auth: entrylog.AuthNone}
	for handle, role := range map[string]cvd.Role{"ben": cvd.Approver, "ina": cvd.Investigator, "ivo": cvd.Investigator} {
		id, err := h.desk.AddAccount(ctx, h.who["ana"], cvd.MemberID{}, cvd.RoleSet(role), coordinator.Person{Handle: handle, Name: "Person " + handle})
		ok(t, err)
		h.who[handle] = cvd.Actor{Account: id, Auth: entrylog.AuthNone}
	}
	for i := range members {
		m, acc, err := h.desk.Admit(ctx, h.who["ana"], coordinator.Admission{Name: fmt.Sprintf("Member %d", i+1), Tier: 1, Contact: fmt.Sprintf("c%d", i+1)})
		ok(t, err)
		by := cvd.Actor{Account: acc, Auth: entrylog.AuthNone}
		h.who[fmt.Sprintf("c%d", i+1)] = by
		k, err := seal.Keygen(seal.X25519, dawn)
		ok(t, err)
		with, err := seal.ParseIdentities(k.Identity)
		ok(t, err)
		pub, err := k.Public()
		ok(t, err)
		h.members, h.with = append(h.members, cvd.HolderID(m)), append(h.with, with)
		_, err = h.desk.Do(ctx, by, cvd.EnrolKeys{Holder: cvd.HolderID(m), Recipients: pub.Recipients, Signing: pub.Signing})
		ok(t, err)
		_, err = h.desk.AcceptTerms(ctx, by)
		ok(t, err)
	}
	for i := range cases {
		h.addCase(fmt.Sprintf("Case %d", i+1))
	}
	h.pass(2 * time.Hour)
	return h
}

func (h *house) addCase(title string) {
	h.t.Helper()
	cs, err := h.desk.OpenCase(ctx, h.who["ana"], coordinator.Opening{Title: title})
	ok(h.t, err)
	_, err = h.desk.SetEmbargo(ctx, h.who["ana"], cs, cvd.ReleaseTime{At: h.now.Add(2400 * time.Hour), Zone: "UTC"})
	ok(h.t, err)
	for i, m := range h.members {
		_, err = h.desk.Do(ctx, h.who["ana"], cvd.Invite{Case: cs, Role: cvd.AsProtector, Members: []cvd.MemberID{cvd.MemberID(m)}})
		ok(h.t, err)
		ok(h.t, h.desk.Consent(ctx, h.who[fmt.Sprintf("c%d", i+1)], cs, true))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n", title)
	for i := range 48 {
		fmt.Fprintf(&text, "Sentence %d of %s says that the import {{answers|replies}} to callers who are {{not signed in|without a session}}.\n\n", i, title)
	}
	added, err := h.desk.AddRevision(ctx, h.who["ana"], cs, cvd.PackageID{}, h.profile, carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte(text.String())},
		{Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\n")},
	}})
	ok(h.t, err)
	id, err := h.desk.DraftWave(ctx, h.who["ana"], cvd.DraftWave{Revision: added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: h.now.Add(time.Hour), Audience: h.members})
	ok(h.t, err)
	ok(h.t, h.desk.Approve(ctx, h.who["ben"], id, nil))
	h.cases, h.waves = append(h.cases, cs), append(h.waves, id)
}

// copy is what a member has of a case's advisory.
func (h *house) copy(member, cs int) []byte {
	h.t.Helper()
	del, err := h.desk.Fetch(ctx, h.who[fmt.Sprintf("c%d", member+1)], h.waves[cs], h.members[member])
	ok(h.t, err)
	files, err := seal.OpenCopy(bytes.NewReader(del.Sealed), h.with[member], seal.DefaultLimits)
	ok(h.t, err)
	files, _ = seal.TakeBulkKey(files)
	for _, f := range files {
		if f.Path == "advisory.md" {
			return f.Data
		}
	}
	h.t.Fatal("there is no advisory")
	return nil
}

// excerpt is the paragraphs from one to another of a text, headings not counted.
func excerpt(text []byte, from, to int) []byte {
	return bytes.Join(bytes.Split(text, []byte("\n\n"))[1+from:1+to], []byte("\n\n"))
}

func specimen(data []byte, at time.Time) inquiry.Specimen {
	return inquiry.Specimen{Specimen: form.Specimen{Name: "paste.txt", Data: data}, Found: evidence.Window{To: at}}
}

// clone is the same house, closed, in another memory.
func (h *house) clone(t testing.TB) *house {
	c := &house{t: t, now: h.now, rand: rand.NewChaCha8([32]byte{8}), who: h.who, members: h.members, with: h.with, cases: h.cases, waves: h.waves}
	c.keys = &shelf{files: maps.Clone(h.keys.files), ask: c.asking("keys/")}
	c.vault = &shelf{files: maps.Clone(h.vault.files), ask: c.asking("vault/")}
	copied := func(d domain, name string) domain {
		d.store, d.folder, d.outside = d.store.Copy(nil), d.folder.Copy(c.kept(name+"anchors/")), d.outside.Copy(c.kept(name+"outside/"))
		d.blobs = &heap{blobs: maps.Clone(d.blobs.blobs), durable: maps.Clone(d.blobs.durable), ask: c.asking(name + "blobs/")}
		return d
	}
	c.desks, c.inq = copied(h.desks, "desk/"), copied(h.inq, "inquiry/")
	return c
}

func (h *house) open() {
	h.t.Helper()
	h.press = &sealer.Sealer{Vault: h.vault, Envelope: seal.Envelope{}, Clock: h.clock, Rand: h.rand}
	h.desks.store = h.desks.store.Reopen(h.kept("desk/store/"))
	d, err := coordinator.Open(ctx, coordinator.Config{
		Store: h.desks.store, Publisher: h.desks.folder, Outside: h.desks.outside, Log: h.desks.opt, Key: h.desks.vkey,
		Sealer: h.press, Blobs: h.desks.blobs, Keys: h.keys, Crypt: seal.Crypt{}, Clock: h.clock, Rand: h.rand,
	})
	ok(h.t, err)
	h.desk = d
	h.inq.store = h.inq.store.Reopen(h.kept("inquiry/store/"))
	o, err := inquiry.Open(ctx, inquiry.Config{
		Store: h.inq.store, Publisher: h.inq.folder, Outside: h.inq.outside, Blobs: h.inq.blobs, Log: h.inq.opt, Key: h.inq.vkey,
		Sealer: h.press, Clock: h.clock, Rand: h.rand,
	})
	ok(h.t, err)
	o.Wait = func(until time.Time) error { h.pass(max(0, until.Sub(h.now))); return nil }
	h.office = o
}

func (h *house) clock() time.Time { return h.now }

func (h *house) pass(d time.Duration) { h.now = h.now.Add(d) }

func (h *house) close() {
	h.office.Close()
	h.desk.Close()
}

// crash ends both processes at once, with what they had not made durable, and
// starts others in a world that is well again.
func (h *house) crash() {
	h.t.Helper()
	h.hook = nil
	h.close()
	h.desks.blobs.crash()
	h.inq.blobs.crash()
	h.open()
}

// investigate asks about a case as ina.
func (h *house) investigate(cs int, data []byte, at time.Time, edits ...*form.Edits) (inquiry.Outcome, error) {
	q := inquiry.Question{Case: h.cases[cs], Specimens: []inquiry.Specimen{specimen(data, at)}}
	if len(edits) > 0 {
		q.Edits = edits[0]
	}
	return h.office.Investigate(ctx, h.desk, h.who["ina"], q)
}

// entries counts the kinds on the inquiry's log as it is kept, after a check of all
// of it.
func (h *house) entries(when string) map[entrylog.Kind]int {
	h.t.Helper()
	opt := h.inq.opt
	opt.Known, opt.Public = inquiry.Known, inquiry.Public
	calm := h.inq.store.Reopen(nil)
	r, err := ledger.Verify(ctx, calm, h.inq.folder.Copy(nil), opt, nil, nil)
	ok(h.t, err)
	for _, x := range r.Problems {
		h.t.Errorf("%s: %s", when, x)
	}
	out := map[entrylog.Kind]int{}
	ok(h.t, calm.Read(ctx, 0, func(_ entrylog.Seq, r entrylog.Record) error {
		e, err := entrylog.ParseEntry(r.Entry)
		out[e.Kind]++
		return err
	}))
	return out
}
