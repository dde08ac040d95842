package inquiry_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/leak"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
	"forewarn/internal/signin"
)

// passkey makes somebody a passkey with an invitation of another.
func (h *house) passkey(by, who, name, confirm string) {
	h.t.Helper()
	id := h.who[who].Account
	inv, err := h.desk.InviteAccount(ctx, h.who[by], id, time.Hour)
	ok(h.t, err)
	h.pass(time.Minute)
	if confirm != "" {
		ok(h.t, h.desk.ConfirmInvitation(ctx, h.who[confirm], id))
		h.pass(time.Minute)
	}
	_, err = h.desk.Do(ctx, h.who[who], cvd.AddCredential{Account: id, Credential: []byte(who + name), PublicKey: []byte("key"), Invitation: signin.KeyOf(inv.Secret)})
	ok(h.t, err)
	h.pass(time.Minute)
}

// Recoveries of the accounts of those who are named are in findings, on the page
// and in words, each with its entries; others' are not, nor what came after the
// freeze.
func TestRecoveriesAreTold(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	cara, err := h.desk.AddAccount(ctx, h.who["ana"], cvd.MemberID{}, cvd.RoleSet(cvd.Coordinator), coordinator.Person{Handle: "cara", Name: "Cara"})
	ok(t, err)
	h.who["cara"] = cvd.Actor{Account: cara, Auth: entrylog.AuthNone}
	leaked := excerpt(h.copy(1, 0), 0, 18)
	h.pass(24 * time.Hour)
	at := h.now.Add(4 * time.Hour) // when it is found

	for _, who := range []string{"c1", "c2"} {
		h.passkey("ana", who, "old", "")
		h.passkey("ana", who, "new", "cara")
	}
	ok(t, h.desk.LiftWait(ctx, h.who["cara"], h.who["c2"].Account, [32]byte{}, "called back"))
	h.pass(at.Sub(h.now) + time.Minute)
	h.passkey("cara", "c2", "newest", "ana") // after it was found
	h.pass(time.Hour)

	plain := h.clone2()
	defer plain.close()
	out, err := h.investigate(0, leaked, at)
	ok(t, err)
	f := out.Findings
	r := f.Recoveries
	if f.Version != evidence.FindingsVersion3 || r == nil || len(r.Accounts) != 2 || len(r.Log) != 0 {
		t.Fatalf("version %q, %+v", f.Version, r)
	}
	for i, want := range []struct {
		by, yes string
		lifted  bool
		before  bool
	}{{"Ana", "Cara", true, true}, {"Cara", "Ana", false, false}} {
		x := r.Accounts[i]
		if x.AccountName != "c2 of Member 2" || x.Name != "Member 2" || x.Invited.AccountName != want.by || x.Confirmed.AccountName != want.yes || (x.Lifted != nil) != want.lifted || x.Before != want.before || x.Added == 0 {
			t.Errorf("recovery %d: %+v", i+1, x)
		}
	}
	for what, text := range map[string]string{"page": string(out.Page), "text": leak.Text(&f, 4000)} {
		for _, want := range []string{"Recoveries", "c2", "Cara", evidence.RecoveriesMean[:60]} {
			if !strings.Contains(text, want) {
				t.Errorf("the %s doesn't say %q", what, want)
			}
		}
		if strings.Contains(text, "called back") || strings.Contains(text, "c1 of") {
			t.Errorf("the %s says why, or tells of others", what)
		}
	}
	var rival string
	for _, x := range f.Rivals {
		if x.Name == "A member" {
			rival = strings.Join(x.Seen, " ")
		}
	}
	if strings.Count(rival, "without its holder's fault") != 1 {
		t.Errorf("the rival says %q", rival)
	}
	vector(t, "recoveries", out.Dossier)

	// What is done after the freeze is no part of the same question asked again.
	ok(t, h.desk.LiftWait(ctx, h.who["ana"], h.who["c2"].Account, [32]byte{}, "x"))
	again, err := h.investigate(0, leaked, at)
	ok(t, err)
	if a, b := marshalled(t, &f), marshalled(t, &again.Findings); !bytes.Equal(a, b) {
		t.Error("asked again, it comes to other findings")
	}

	access := func(x *evidence.Access) { x.At = x.At.Add(time.Second) }
	tampered(h, out.Dossier, map[string]func(*evidence.Dossier, *evidence.Findings){
		"not told, by the version": func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries = nil },
		"of another holder":        func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Holder[0] ^= 1 },
		"another name":             func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Name = "Member 1" },
		"another account":          func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Account[0] ^= 1 },
		"nobody's account":         func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Added = 0 },
		"added by another entry":   func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Added++ },
		"another invitation": func(_ *evidence.Dossier, f *evidence.Findings) {
			f.Recoveries.Accounts[0].Invited = f.Recoveries.Accounts[1].Invited
		},
		"invited at another time":   func(_ *evidence.Dossier, f *evidence.Findings) { access(&f.Recoveries.Accounts[0].Invited) },
		"confirmed at another time": func(_ *evidence.Dossier, f *evidence.Findings) { access(&f.Recoveries.Accounts[0].Confirmed) },
		"made at another time":      func(_ *evidence.Dossier, f *evidence.Findings) { access(&f.Recoveries.Accounts[0].Made) },
		"lifted by another":         func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Lifted.Account[0] ^= 1 },
		"lifted, of another": func(_ *evidence.Dossier, f *evidence.Findings) {
			f.Recoveries.Accounts[1].Lifted, f.Recoveries.Accounts[0].Lifted = f.Recoveries.Accounts[0].Lifted, nil
		},
		"before":          func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[1].Before = true },
		"not before":      func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Before = false },
		"twice":           func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[1] = f.Recoveries.Accounts[0] },
		"none":            func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts = nil },
		"another meaning": func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Means = "It is their fault." },
		"a loss of the log": func(_ *evidence.Dossier, f *evidence.Findings) {
			f.Recoveries.Log = append(f.Recoveries.Log, r.Accounts[0].Made)
		},
		"an entry left out":  func(d *evidence.Dossier, _ *evidence.Findings) { d.Facts = d.Facts[:len(d.Facts)-1] },
		"an earlier version": func(_ *evidence.Dossier, f *evidence.Findings) { f.Version = evidence.FindingsVersion2 },
	})

	if out.Report.Steps[len(out.Report.Steps)-2].Name != "recoveries" || !strings.HasPrefix(out.Report.Steps[len(out.Report.Steps)-2].Detail, "2 recoveries of accounts and 0 declared") {
		t.Errorf("the step says %q", out.Report.Steps[len(out.Report.Steps)-2].Detail)
	}

	// A declared loss of the log is told, also where nobody is named.
	ok(t, plain.desk.DeclareRecovery(ctx, plain.who["ana"], ledger.Recovery{}, "the disk"))
	plain.pass(time.Minute)
	out, err = plain.investigate(0, []byte("Nothing of the package."), plain.now)
	ok(t, err)
	if r := out.Findings.Recoveries; r == nil || len(r.Accounts) != 0 || len(r.Log) != 1 || r.Log[0].AccountName != "Ana" || !strings.Contains(string(out.Page), "continued after a loss that Ana declared") {
		t.Errorf("a declared recovery: %+v", r)
	}
	tampered(plain, out.Dossier, map[string]func(*evidence.Dossier, *evidence.Findings){
		"by another":       func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Log[0].Account[0] ^= 1 },
		"at another time":  func(_ *evidence.Dossier, f *evidence.Findings) { access(&f.Recoveries.Log[0]) },
		"by another entry": func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Log[0].Entry-- },
	})
}

func marshalled(t *testing.T, f *evidence.Findings) []byte {
	t.Helper()
	b, err := f.Marshal()
	ok(t, err)
	return b
}

// An account of the staff that holds a copy of its own is told of too: nothing has
// to show that it is somebody's.
func TestRecoveryOfStaff(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	ana := h.who["ana"]
	for _, handle := range []string{"cara", "dana"} {
		id, err := h.desk.AddAccount(ctx, ana, cvd.MemberID{}, cvd.RoleSet(cvd.Coordinator), coordinator.Person{Handle: handle, Name: handle})
		ok(t, err)
		h.who[handle] = cvd.Actor{Account: id, Auth: entrylog.AuthNone}
	}
	dana := cvd.HolderID(h.who["dana"].Account)
	k, err := seal.Keygen(seal.X25519, dawn)
	ok(t, err)
	pub, err := k.Public()
	ok(t, err)
	with, err := seal.ParseIdentities(k.Identity)
	ok(t, err)
	_, err = h.desk.Do(ctx, h.who["dana"], cvd.EnrolKeys{Holder: dana, Recipients: pub.Recipients, Signing: pub.Signing})
	ok(t, err)
	var rev cvd.RevisionID
	ok(t, h.desk.View(func(p *cvd.Programme) error { rev = p.Waves[h.waves[0]].Revision; return nil }))
	id, err := h.desk.DraftWave(ctx, h.who["dana"], cvd.DraftWave{Revision: rev, Purpose: cvd.Preview, Level: form.Description, OpensAt: h.now, Audience: []cvd.HolderID{dana}})
	ok(t, err)
	_, err = h.desk.Resume(ctx, nil)
	ok(t, err)
	h.pass(2 * time.Minute)
	ok(t, h.desk.Log().Tick(ctx))

	h.passkey("ana", "dana", "old", "")
	h.passkey("ana", "dana", "new", "cara")
	h.who["c4"], h.members, h.with, h.waves = h.who["dana"], append(h.members, dana), append(h.with, with), append(h.waves, id)
	ok(t, h.desk.LiftWait(ctx, h.who["cara"], h.who["dana"].Account, [32]byte{}, "met her"))
	leaked := excerpt(h.copy(3, 1), 0, 18)
	h.pass(time.Hour)
	out, err := h.investigate(0, leaked, h.now)
	ok(t, err)
	f := out.Findings
	if len(f.Accused) != 1 || !f.Accused[0].Staff || f.Recoveries == nil || len(f.Recoveries.Accounts) != 1 {
		t.Fatalf("%s: %+v", f.Statement, f.Recoveries)
	}
	if x := f.Recoveries.Accounts[0]; x.Added != 0 || x.Account != x.Holder || x.Lifted == nil || !x.Before {
		t.Errorf("%+v", x)
	}
	if !strings.Contains(string(out.Page), "without its holder") {
		t.Error("no rival speaks of it")
	}
	tampered(h, out.Dossier, map[string]func(*evidence.Dossier, *evidence.Findings){
		"somebody's": func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Added = 1 },
		"another's":  func(_ *evidence.Dossier, f *evidence.Findings) { f.Recoveries.Accounts[0].Account[0] ^= 1 },
	})
}
