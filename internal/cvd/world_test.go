package cvd

import (
	"encoding/base64"
	"encoding/binary"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

// start is when every test's world begins.
var start = time.Date(2031, 5, 12, 9, 0, 0, 0, time.UTC)

// num is an id for tests: the same number, the same id.
func num[T any](n int) (id wire.ID[T]) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	id[0] = 0x5a
	return id
}

func hash32(n int) (h [32]byte) {
	binary.BigEndian.PutUint64(h[24:], uint64(n))
	h[0] = 0xa5
	return h
}

func blob(n int) BlobRef { return BlobRef(hash32(n)) }

// world is a programme with its log in memory and a clock that tests move.
type world struct {
	tb  testing.TB
	p   *Programme
	log []entrylog.Entry
	now time.Time
}

func newWorld(tb testing.TB) *world { return &world{tb: tb, p: New(), now: start} }

func (w *world) tick(d time.Duration) { w.now = w.now.Add(d) }

// try decides a command and folds what comes of it.
func (w *world) try(who AccountID, c Command) error {
	return w.tryAs(Actor{Account: who}, c)
}

func (w *world) tryAs(who Actor, c Command) error {
	events, err := w.p.Decide(c, who, w.now)
	if err != nil {
		return err
	}
	w.fold(who, events)
	return nil
}

func (w *world) fold(who Actor, events []Event) {
	w.tb.Helper()
	for _, e := range events {
		entry := entrylog.Entry{Time: w.now, Auth: who.Auth, Actor: entrylog.Ref(who.Account), Kind: e.Kind, Subject: e.Subject, Body: wire.Marshal(e.Body)}
		if err := w.p.Apply(entrylog.Seq(len(w.log)), entry); err != nil {
			w.tb.Fatalf("what was decided does not fold: %v", err)
		}
		w.log = append(w.log, entry)
	}
}

// do is try for what must be allowed.
func (w *world) do(who AccountID, c Command) {
	w.tb.Helper()
	if err := w.try(who, c); err != nil {
		w.tb.Fatalf("%T by %s: %v", c, who.Short(), err)
	}
	if bad := w.p.Audit(w.now); bad != nil {
		w.tb.Fatalf("after %T: %v", c, bad)
	}
}

// replay folds the log into a new programme.
func (w *world) replay() *Programme {
	w.tb.Helper()
	p := New()
	for i, e := range w.log {
		if err := p.Apply(entrylog.Seq(i), e); err != nil {
			w.tb.Fatalf("replay: %v", err)
		}
	}
	return p
}

// The cast of founded worlds.
var (
	alice   = num[Account](1) // coordinator
	bob     = num[Account](2) // case worker
	carol   = num[Account](3) // approver
	dan     = num[Account](4) // approver
	ines    = num[Account](5) // investigator
	otto    = num[Account](6) // auditor
	fay     = num[Account](7) // finder
	machine = num[Account](9) // the sealer

	terms1 = num[Terms](20)
)

// found makes a programme with its staff and terms.
func (w *world) found() {
	w.tb.Helper()
	w.do(alice, FoundProgramme{Origin: "warn.example/alpha", Name: blob(1), Interval: 60, Coordinator: alice,
		Roles: RoleSet(Coordinator), Person: blob(2), Sealer: machine})
	for _, a := range []struct {
		id    AccountID
		roles Roles
	}{
		{bob, RoleSet(CaseWorker)}, {carol, RoleSet(Approver)}, {dan, RoleSet(Approver)},
		{ines, RoleSet(Investigator)}, {otto, RoleSet(Auditor)}, {fay, RoleSet(Finder)},
	} {
		w.do(alice, AddAccount{Account: a.id, Roles: a.roles, Person: blob(3)})
	}
	w.do(alice, PublishTerms{Terms: terms1, Text: blob(4), Digest: hash32(5)})
}

// Member n and its two accounts.
func mem(n int) MemberID        { return num[Member](100_000 + n) }
func adminOf(n int) AccountID   { return num[Account](200_000 + n) }
func contactOf(n int) AccountID { return num[Account](300_000 + n) }
func holder(n int) HolderID     { return HolderID(mem(n)) }
func signing(n int) [32]byte    { return hash32(7_000_000 + n) }

func recipient(n int) string {
	b := make([]byte, 51)
	binary.BigEndian.PutUint64(b[4:], uint64(n)+0x1122334455667788)
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(b)
}

// admit admits member n with an admin, a contact, keys and accepted terms.
func (w *world) admit(n int) {
	w.tb.Helper()
	w.do(alice, AdmitMember{Member: mem(n), Name: blob(100 + n), Tier: uint8(n%3 + 1), Jurisdictions: []Jurisdiction{{'A', 'T'}}})
	w.do(alice, AddAccount{Account: adminOf(n), Member: mem(n), Roles: RoleSet(MemberAdmin)})
	w.do(adminOf(n), AddAccount{Account: contactOf(n), Member: mem(n), Roles: RoleSet(MemberContact)})
	w.do(adminOf(n), AcceptTerms{Member: mem(n), Terms: terms1, Digest: hash32(5)})
	w.enrol(adminOf(n), holder(n), n)
}

func (w *world) enrol(by AccountID, h HolderID, n int) {
	w.tb.Helper()
	w.do(by, EnrolKeys{Holder: h, Recipients: []string{recipient(n)}, Signing: signing(n)})
}

// embargo opens a case whose embargo binds for a month, with members 1 to n as
// signatories.
func (w *world) embargo(id CaseID, members int) {
	w.tb.Helper()
	w.do(alice, OpenCase{Case: id, Title: blob(6), Finder: fay})
	w.do(alice, ProposeEmbargo{Case: id, Release: ReleaseTime{w.now.Add(30 * 24 * time.Hour), "Europe/Vienna"}})
	w.do(alice, AgreeEmbargo{id, 1})
	var list []MemberID
	for n := range members {
		list = append(list, mem(n+1))
	}
	w.do(bob, Invite{Case: id, Role: AsProtector, Members: list})
	for n := range members {
		w.do(adminOf(n+1), GiveConsent{id, mem(n + 1), Signatory, 1})
	}
}

// revise makes a package of the case with one revision up to PoC.
func (w *world) revise(id CaseID, pk PackageID, r RevisionID) {
	w.tb.Helper()
	w.do(bob, SaveDraft{Package: pk, Case: id, Source: blob(10)})
	w.do(bob, MakeRevision{Revision: r, Package: pk, Title: blob(11), Source: blob(10), Form: hash32(12), SlotTable: hash32(13),
		Label: tlp.AmberStrict, Level: form.PoC, Break: form.Detection, AlphaPico: 1_000_000})
}

func audience(members int) (list []HolderID) {
	for n := range members {
		list = append(list, holder(n+1))
	}
	return list
}

// statement is what an honest sealer says of a wave.
func (w *world) statement(id WaveID) evidence.WaveStatement {
	wave := w.p.Waves[id]
	r := w.p.Revisions[wave.Revision]
	return evidence.WaveStatement{
		Wave: ref(id), Package: ref(wave.Package), Revision: ref(wave.Revision), Case: ref(wave.Case),
		Level: wave.Level, OpensAt: wave.OpensAt, Form: r.Form, SlotTable: r.SlotTable, Bias: hash32(14),
		Profile: fpcode.Single, Decoder: "single/1", AlphaPico: w.p.Packages[wave.Package].AlphaPico,
		Issued: hash32(15), Depth: 14, Root: hash32(16),
	}
}

func leaf(id WaveID, h HolderID) (l entrylog.Hash) {
	copy(l[:16], id[:])
	copy(l[16:], h[:])
	return l
}

// seal approves a wave by carol and seals and stores it whole.
func (w *world) seal(id WaveID) {
	w.tb.Helper()
	if w.p.WaveState(id, w.now) == StateDraft {
		w.do(carol, ApproveWave{id, w.p.Waves[id].Digest})
	}
	w.do(machine, RecordSealed{w.statement(id)})
	w.store(id)
}

func (w *world) store(id WaveID) {
	w.tb.Helper()
	c := StoreCopies{Wave: id}
	for i, h := range w.p.Waves[id].Audience {
		keys, _ := w.p.KeysOf(h)
		c.Copies = append(c.Copies, StoredCopy{Holder: h, Keys: keys.Seq, Leaf: leaf(id, h), Blob: blob(50_000 + i), Size: 1000})
	}
	w.do(machine, c)
}

func (w *world) receipt(id WaveID, h HolderID) evidence.Receipt {
	keys, _ := w.p.KeysOf(h)
	return evidence.Receipt{Origin: w.p.Origin, Tick: entrylog.Tick(w.now.Unix() / 60), AnchorSize: 7, AnchorRoot: hash32(17),
		Leaf: leaf(id, h), Key: keys.Signing, Signature: [64]byte{1: byte(len(w.log))}}
}

func (w *world) draft(id WaveID, r RevisionID, level form.Level, opens time.Time, who ...HolderID) {
	w.tb.Helper()
	w.do(bob, DraftWave{Wave: id, Revision: r, Purpose: Staged, Level: level, OpensAt: opens, Audience: who})
}
