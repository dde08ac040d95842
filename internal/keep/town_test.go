package keep_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/keep"
	"forewarn/internal/seal"
)

var (
	ctx     = context.Background()
	founded = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// works is a small programme on real files: two members, one case, and waves.
type works struct {
	t       testing.TB
	dir     string
	now     time.Time
	home    *home.Home
	desk    *home.Desk
	ana     cvd.Actor
	ben     cvd.Actor
	members []cvd.HolderID
	actors  []cvd.Actor
	cs      cvd.CaseID
	added   coordinator.Added
	to      seal.Recipients
	ids     seal.Identities
}

func found(t testing.TB) *works {
	t.Helper()
	w := &works{t: t, dir: filepath.Join(t.TempDir(), "p"), now: founded}
	var err error
	w.home, err = home.Create(ctx, w.dir, home.Founding{Origin: "works.example/forewarn", Tick: time.Minute,
		Machine: home.Machine{Clock: func() time.Time { return w.now }, SealerInside: true}})
	ok(t, err)
	w.desk, err = w.home.Desk(ctx)
	ok(t, err)
	t.Cleanup(func() { w.desk.Close() })
	ana, err := w.desk.Found(ctx, w.home.Origin(), "Works", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Minute, []byte(coordinator.DefaultTerms))
	ok(t, err)
	w.ana = cvd.Actor{Account: ana}
	ben, err := w.desk.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Approver), coordinator.Person{Handle: "ben", Name: "Ben"})
	ok(t, err)
	w.ben = cvd.Actor{Account: ben}
	w.cs, err = w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "Portal: a case", Report: []byte("what the reporter sent\n")})
	ok(t, err)
	_, err = w.desk.AddProduct(ctx, w.ana, w.cs, "Portal")
	ok(t, err)
	_, err = w.desk.SetEmbargo(ctx, w.ana, w.cs, cvd.ReleaseTime{At: founded.Add(12 * time.Hour), Zone: "Europe/Stockholm"})
	ok(t, err)
	for i := range 2 {
		m, acc, err := w.desk.Admit(ctx, w.ana, coordinator.Admission{Name: fmt.Sprintf("Member %d", i), Tier: 1, Jurisdictions: []string{"SE"}, Contact: fmt.Sprintf("contact%d", i)})
		ok(t, err)
		who := cvd.Actor{Account: acc}
		k, err := seal.Keygen(seal.X25519, founded)
		ok(t, err)
		pub, err := k.Public()
		ok(t, err)
		_, err = w.desk.Do(ctx, who, cvd.EnrolKeys{Holder: cvd.HolderID(m), Recipients: pub.Recipients, Signing: pub.Signing})
		ok(t, err)
		_, err = w.desk.AcceptTerms(ctx, who)
		ok(t, err)
		_, err = w.desk.Do(ctx, w.ana, cvd.Invite{Case: w.cs, Role: cvd.AsProtector, Members: []cvd.MemberID{m}})
		ok(t, err)
		ok(t, w.desk.Consent(ctx, who, w.cs, true))
		w.members, w.actors = append(w.members, cvd.HolderID(m)), append(w.actors, who)
	}
	var text strings.Builder
	text.WriteString("# Portal: layout import\n\n")
	for i := range 16 {
		fmt.Fprintf(&text, "Sentence %d says that the import {{answers|replies}} to callers who are {{not signed in|without a session}}.\n\n", i)
	}
	w.added, err = w.desk.AddRevision(ctx, w.ana, w.cs, cvd.PackageID{}, 0, carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte(text.String())},
		{Path: "forewarn.yaml", Data: []byte("title: Portal layout import\ntlp: TLP:AMBER\n")},
	}})
	ok(t, err)
	w.wave()
	w.tick()
	k, err := seal.Keygen(seal.X25519, founded)
	ok(t, err)
	w.ids, err = seal.ParseIdentities(k.Identity)
	ok(t, err)
	w.to, err = seal.ParseRecipients([]byte(k.Recipient))
	ok(t, err)
	return w
}

// wave seals a wave to everybody.
func (w *works) wave() {
	w.t.Helper()
	id, err := w.desk.DraftWave(ctx, w.ana, cvd.DraftWave{Revision: w.added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: w.now.Add(time.Minute), Audience: append([]cvd.HolderID{}, w.members...)})
	ok(w.t, err)
	ok(w.t, w.desk.Approve(ctx, w.ben, id, nil))
}

func (w *works) tick() {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	ok(w.t, w.desk.Log().Tick(ctx))
}

func (w *works) backup(dest string) keep.Made {
	w.t.Helper()
	out, err := keep.Backup(ctx, w.home, dest, keep.Quiet)
	ok(w.t, err)
	return out
}

// sealed is a domain's keys, put aside.
func (w *works) sealed(of keep.Domain) []byte {
	w.t.Helper()
	var b bytes.Buffer
	_, err := keep.SealKeys(ctx, w.home, of, w.to, &b, keep.Quiet)
	ok(w.t, err)
	return b.Bytes()
}

// kept opens what was put aside.
func (w *works) kept(files ...[]byte) *keep.Kept {
	w.t.Helper()
	k := new(keep.Kept)
	for _, f := range files {
		_, err := k.OpenKeys(bytes.NewReader(f), w.ids, w.home)
		ok(w.t, err)
	}
	return k
}

func (w *works) exam() keep.Exam { return keep.Exam{Now: w.now, Progress: keep.Quiet} }

// grades are the checks that are not ok, as 'name grade'.
func grades(checks []keep.Check) (out []string) {
	for _, c := range checks {
		if c.Grade != keep.OK {
			out = append(out, fmt.Sprintf("%s %s", c.Name, c.Grade))
		}
	}
	return out
}

func (w *works) examine(p *keep.Parts, err error) []keep.Check {
	w.t.Helper()
	ok(w.t, err)
	defer p.Close()
	checks, err := keep.Examine(ctx, p, w.exam())
	ok(w.t, err)
	return checks
}

func (w *works) examineBackup(dir string, k *keep.Kept) []keep.Check {
	w.t.Helper()
	m, err := keep.LoadManifest(dir)
	ok(w.t, err)
	return w.examine(keep.OpenBackup(ctx, dir, m, k))
}

// grep names the files below a folder that hold some bytes.
func grep(t testing.TB, dir string, what []byte) (out []string) {
	t.Helper()
	ok(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if bytes.Contains(b, what) {
			out = append(out, p)
		}
		return err
	}))
	return out
}
