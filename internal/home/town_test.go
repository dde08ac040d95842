package home_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/seal"
)

// clock is a time that only moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var (
	ctx     = context.Background()
	founded = time.Date(2025, 5, 1, 9, 0, 0, 0, time.UTC)
	// release is when the town's embargo ends by itself.
	release = founded.Add(12 * time.Hour)
)

const tick = time.Minute

// reader is somebody who holds copies: a member, or one of the staff.
type reader struct {
	id    cvd.HolderID
	actor cvd.Actor
	keys  seal.Identities
}

// town is a small programme on real files, with everything up to a compiled
// package: staff, members who agreed to everything, a case under embargo.
type town struct {
	t       testing.TB
	dir     string
	clock   *clock
	home    *home.Home
	desk    *home.Desk
	who     map[string]cvd.Actor
	staff   map[string]*reader
	members []*reader
	cs      cvd.CaseID
	product cvd.ProductID
	added   coordinator.Added
	verify  note.Verifier
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func as(id cvd.AccountID) cvd.Actor { return cvd.Actor{Account: id, Auth: entrylog.AuthNone} }

// dice are repeatable.
func dice(name string) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], name)
	return rand.NewChaCha8(seed)
}

// found founds a town in a new folder.
func found(t testing.TB, members int) *town {
	t.Helper()
	tn := bare(t, filepath.Join(t.TempDir(), "p"), t.Name())
	tn.people(members)
	tn.openCase()
	tn.addPackage()
	return tn
}

// bare has its first person and nothing else.
func bare(t testing.TB, dir, seed string) *town {
	t.Helper()
	tn := &town{t: t, dir: dir, clock: &clock{now: founded}, who: map[string]cvd.Actor{}, staff: map[string]*reader{}}
	tn.create(tick, home.Machine{Clock: tn.clock.Now, Rand: dice(seed), SealerInside: true})
	t.Cleanup(func() { tn.desk.Close() })
	return tn
}

// create lays the folder out and founds the programme with its first person.
func (tn *town) create(every time.Duration, m home.Machine) {
	tn.t.Helper()
	var err error
	tn.home, err = home.Create(ctx, tn.dir, home.Founding{Origin: "town.example/forewarn", Tick: every, Machine: m})
	ok(tn.t, err)
	tn.verify, err = note.NewVerifier(tn.home.LogKey())
	ok(tn.t, err)
	tn.desk, err = tn.home.Desk(ctx)
	ok(tn.t, err)
	ana, err := tn.desk.Found(ctx, tn.home.Origin(), "Town early warning", coordinator.Person{Handle: "ana", Name: "Ana Lindqvist"}, every, []byte(coordinator.DefaultTerms))
	ok(tn.t, err)
	tn.who["ana"] = as(ana)
}

// people adds staff, of whom ana and cleo have keys, and members who accepted
// the terms.
func (tn *town) people(members int) {
	tn.t.Helper()
	for _, p := range []struct {
		handle string
		role   cvd.Role
	}{{"ben", cvd.Approver}, {"cleo", cvd.CaseWorker}, {"dev", cvd.CaseWorker}, {"ina", cvd.Investigator}, {"ada", cvd.Auditor}} {
		id, err := tn.desk.AddAccount(ctx, tn.who["ana"], cvd.MemberID{}, cvd.RoleSet(p.role), coordinator.Person{Handle: p.handle, Name: "Person " + p.handle})
		ok(tn.t, err)
		tn.who[p.handle] = as(id)
	}
	for _, h := range []string{"ana", "cleo"} {
		r := &reader{id: cvd.HolderID(tn.who[h].Account), actor: tn.who[h]}
		tn.enrol(r)
		tn.staff[h] = r
	}
	for i := range members {
		tn.members = append(tn.members, tn.admit(i+1))
	}
}

// admit makes a member with an account, keys, and accepted terms.
func (tn *town) admit(n int) *reader {
	tn.t.Helper()
	r := tn.newcomer(n)
	tn.enrol(r)
	_, err := tn.desk.AcceptTerms(ctx, r.actor)
	ok(tn.t, err)
	return r
}

// newcomer has an account and nothing else.
func (tn *town) newcomer(n int) *reader {
	tn.t.Helper()
	m, acc, err := tn.desk.Admit(ctx, tn.who["ana"], coordinator.Admission{Name: fmt.Sprintf("Member %d", n), Tier: 1, Jurisdictions: []string{"SE"}, Contact: fmt.Sprintf("contact%d", n)})
	ok(tn.t, err)
	return &reader{id: cvd.HolderID(m), actor: as(acc)}
}

func (tn *town) enrol(r *reader) {
	tn.t.Helper()
	k, err := seal.Keygen(seal.X25519, founded)
	ok(tn.t, err)
	r.keys, err = seal.ParseIdentities(k.Identity)
	ok(tn.t, err)
	pub, err := k.Public()
	ok(tn.t, err)
	_, err = tn.desk.Do(ctx, r.actor, cvd.EnrolKeys{Holder: r.id, Recipients: pub.Recipients, Signing: pub.Signing})
	ok(tn.t, err)
}

// openCase opens a case under an embargo that all members consent to.
func (tn *town) openCase() {
	tn.t.Helper()
	var err error
	tn.cs, err = tn.desk.OpenCase(ctx, tn.who["ana"], coordinator.Opening{Title: "Portal: a case for tests", Report: []byte("what the reporter sent\n")})
	ok(tn.t, err)
	tn.product, err = tn.desk.AddProduct(ctx, tn.who["ana"], tn.cs, "Portal")
	ok(tn.t, err)
	_, err = tn.desk.SetEmbargo(ctx, tn.who["ana"], tn.cs, cvd.ReleaseTime{At: tn.clock.Now().Add(release.Sub(founded)), Zone: "Europe/Stockholm"})
	ok(tn.t, err)
	for _, m := range tn.members {
		tn.invite(m)
		ok(tn.t, tn.desk.Consent(ctx, m.actor, tn.cs, true))
	}
}

func (tn *town) invite(m *reader) {
	tn.t.Helper()
	_, err := tn.desk.Do(ctx, tn.who["ana"], cvd.Invite{Case: tn.cs, Role: cvd.AsProtector, Members: []cvd.MemberID{cvd.MemberID(m.id)}})
	ok(tn.t, err)
}

func (tn *town) addPackage() {
	tn.t.Helper()
	var err error
	tn.added, err = tn.desk.AddRevision(ctx, tn.who["cleo"], tn.cs, cvd.PackageID{}, 0, source())
	ok(tn.t, err)
}

// source is a package with enough marks to tell copies apart, tokens, and a
// bulk file that all copies share.
func source() carrier.Source {
	var text strings.Builder
	text.WriteString("# Portal: layout import\n\n")
	for i := range 64 {
		fmt.Fprintf(&text, "Sentence %d says that the import {{answers|replies}} to callers who are {{not signed in|without a session}}.\n\n", i)
	}
	text.WriteString("The constant is {{token:hex#trace}}.\n")
	return carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte(text.String())},
		{Path: "forewarn.yaml", Data: []byte("title: Portal layout import\ntlp: TLP:AMBER\nbulk:\n  - samples/*\n")},
		{Path: "poc/probe.py", Data: []byte("# A harmless stand-in\nTRACE = \"{{token:hex#trace}}\"\n")},
		{Path: "samples/table.csv", Data: []byte(strings.Repeat("a,b,c\n", 500))},
	}}
}

// wave drafts, approves and seals a wave to readers, opening soon.
func (tn *town) wave(level form.Level, to ...*reader) cvd.WaveID {
	tn.t.Helper()
	id := tn.draft(level, to...)
	ok(tn.t, tn.desk.Approve(ctx, tn.who["ben"], id, nil))
	return id
}

func (tn *town) draft(level form.Level, to ...*reader) cvd.WaveID {
	tn.t.Helper()
	q := cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Staged, Level: level, OpensAt: tn.clock.Now().Add(10 * time.Minute)}
	for _, r := range to {
		q.Audience = append(q.Audience, r.id)
	}
	id, err := tn.desk.DraftWave(ctx, tn.who["ana"], q)
	ok(tn.t, err)
	return id
}

// fetch is what a member's machine does: fetch, open, verify, compare.
func (tn *town) fetch(r *reader, id cvd.WaveID) (coordinator.Delivery, []form.Output, error) {
	del, err := tn.desk.Fetch(ctx, r.actor, id, r.id)
	if err != nil {
		return del, nil, err
	}
	files, err := seal.OpenCopy(bytes.NewReader(del.Sealed), r.keys, seal.DefaultLimits)
	if err != nil {
		return del, nil, err
	}
	files, key := seal.TakeBulkKey(files)
	if len(del.Bulk) > 0 {
		if _, err := seal.OpenBulk(del.Bulk, key, seal.DefaultLimits); err != nil {
			return del, nil, err
		}
	}
	if _, err := del.Proof.Verify(tn.verify, tn.home.Interval()); err != nil {
		return del, nil, err
	}
	if form.CopyHash(files) != del.Proof.Copy {
		return del, nil, errors.New("the files are not those that were committed to")
	}
	return del, files, nil
}

// sign signs a receipt and lodges it.
func (tn *town) sign(r *reader, del coordinator.Delivery) {
	tn.t.Helper()
	key, _ := r.keys.SigningKey()
	receipt, err := evidence.SignReceipt(key.Private(), &del.Proof, tn.verify, tn.home.Interval())
	ok(tn.t, err)
	_, err = tn.desk.LodgeReceipt(ctx, r.actor, r.id, receipt)
	ok(tn.t, err)
}

// reopen closes the desk and opens it again, as after a restart.
func (tn *town) reopen() {
	tn.t.Helper()
	ok(tn.t, tn.desk.Close())
	var err error
	tn.home, err = home.OpenOn(tn.dir, tn.home.Machine)
	ok(tn.t, err)
	tn.desk, err = tn.home.Desk(ctx)
	ok(tn.t, err)
}

// state is the hash of the folded programme.
func (tn *town) state() (h [32]byte) {
	tn.t.Helper()
	ok(tn.t, tn.desk.View(func(p *cvd.Programme) error {
		h = p.StateHash()
		return nil
	}))
	return h
}

// audit verifies everything from the files alone and wants it clean. It returns
// the state's hash as the files have it.
func (tn *town) audit() [32]byte {
	tn.t.Helper()
	problems, state := audit(tn.t, tn.home)
	if len(problems) > 0 {
		tn.t.Fatalf("the audit found:\n%s", strings.Join(problems, "\n"))
	}
	return state
}

// audit lists all problems of a folder.
func audit(t testing.TB, h *home.Home) (problems []string, state [32]byte) {
	t.Helper()
	against, err := folder.ReadFile(h.OutsideFile(), 1<<16)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	r, folded, err := h.Verify(ctx, false, against, nil)
	if err != nil {
		return []string{"verify: " + err.Error()}, folded.State
	}
	for _, p := range append(r.Problems, folded.Problems...) {
		problems = append(problems, p.String())
	}
	return problems, folded.State
}

// listing is every file below a folder with its size and, if asked, its bytes.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var out strings.Builder
	ok(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		// Files that SQLite keeps beside the log come and go.
		if strings.HasSuffix(p, "-shm") || strings.HasSuffix(p, "-wal") || strings.HasSuffix(p, "log.db") {
			return nil
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		fmt.Fprintf(&out, "%s %d %s\n", rel, len(b), shortHash(b))
		return err
	}))
	return out.String()
}

func shortHash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}
