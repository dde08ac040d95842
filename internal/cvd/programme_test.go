package cvd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// TestDecideAll: later commands see what the earlier ones would do, and nothing
// of it remains.
func TestDecideAll(t *testing.T) {
	w := bound(t)
	m := mem(9)
	batch := []Command{
		AdmitMember{Member: m, Tier: 1},
		AddAccount{Account: adminOf(9), Member: m, Roles: RoleSet(MemberAdmin)},
		AddAccount{Account: contactOf(9), Member: m, Roles: RoleSet(MemberContact)},
		Invite{Case: case1, Role: AsDeployer, Members: []MemberID{m}},
	}
	before := w.p.StateHash()
	events, err := w.p.DecideAll(batch, Actor{Account: alice}, w.now)
	if err != nil || len(events) != 4 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if _, err := w.p.DecideAll(append(batch, batch[0]), Actor{Account: alice}, w.now); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "command 5 of 5") {
		t.Errorf("a batch with a refused command: %v", err)
	}
	if w.p.StateHash() != before || w.p.Members[m] != nil {
		t.Fatal("deciding changed the state")
	}
	w.fold(Actor{Account: alice}, events)
	if w.p.ConsentOf(case1, m, w.now) != Invited || len(w.p.Members[m].Accounts) != 2 {
		t.Error("what was decided did not happen")
	}
	if events, err := w.p.DecideAll(nil, Actor{}, w.now); events != nil || err != nil {
		t.Errorf("nothing to decide: %v, %v", events, err)
	}
}

func TestClock(t *testing.T) {
	w := bound(t)
	w.now = w.now.Add(-time.Microsecond)
	w.refused(alice, PublishTerms{Terms: num[Terms](30), Digest: hash32(1)}, "backwards")
	w.now = w.now.Add(time.Microsecond + 999*time.Nanosecond)
	w.draft(wave1, rev1, form.HeadsUp, w.now, audience(1)...)
	if at := w.p.Waves[wave1].OpensAt; at.Nanosecond()%1000 != 0 {
		t.Errorf("a time finer than the log can hold: %s", at)
	}
}

// TestApplyRefuses: what no version of the program can have written.
func TestApplyRefuses(t *testing.T) {
	w := opened(t)
	next := func() entrylog.Entry {
		return entrylog.Entry{Time: w.now, Actor: ref(alice), Kind: KindCommitmentNoted, Body: wire.Marshal(&CommitmentNoted{hash32(1)})}
	}
	of := func(by AccountID, f fact) func(*entrylog.Entry, *entrylog.Seq) {
		return func(e *entrylog.Entry, _ *entrylog.Seq) {
			e.Actor, e.Kind, e.Subject, e.Body = ref(by), kindOf(f), f.subject(), wire.Marshal(f)
		}
	}
	w.draft(num[Wave](2), rev1, form.HeadsUp, w.now.Add(day), audience(1)...)
	w.do(alice, EndEmbargo{Case: case1})
	w.do(alice, SetLegalHold{CaseKey, ref(case1), true, w.now.Add(day), blob(1)})
	st := w.statement(num[Wave](2))
	for name, c := range map[string]struct {
		class error
		spoil func(*entrylog.Entry, *entrylog.Seq)
	}{
		"a gap":                {ErrReplay, func(_ *entrylog.Entry, s *entrylog.Seq) { *s++ }},
		"a repetition":         {ErrReplay, func(_ *entrylog.Entry, s *entrylog.Seq) { *s-- }},
		"time backwards":       {ErrReplay, func(e *entrylog.Entry, _ *entrylog.Seq) { e.Time = e.Time.Add(-time.Microsecond) }},
		"an unknown kind":      {ErrUnknownKind, func(e *entrylog.Entry, _ *entrylog.Seq) { e.Kind = 35 }},
		"a later kind":         {ErrUnknownKind, func(e *entrylog.Entry, _ *entrylog.Seq) { e.Kind = KindNoticeTried + 1 }},
		"another subject":      {ErrReplay, func(e *entrylog.Entry, _ *entrylog.Seq) { e.Subject = ref(alice) }},
		"a body too long":      {wire.ErrFormat, func(e *entrylog.Entry, _ *entrylog.Seq) { e.Body = append(e.Body, 0) }},
		"a second founding":    {ErrReplay, of(alice, &ProgrammeFounded{Coordinator: num[Account](70), Sealer: num[Account](71)})},
		"an unknown member":    {ErrReplay, of(alice, &StandingChanged{mem(99), Suspended, blob(1)})},
		"an account twice":     {ErrReplay, of(alice, &AccountAdded{Account: bob})},
		"self-approval":        {ErrReplay, of(bob, &WaveApproved{num[Wave](2), w.p.Waves[num[Wave](2)].Digest, AccountID{}})},
		"approval by proxy":    {ErrReplay, of(ines, &WaveApproved{num[Wave](2), w.p.Waves[num[Wave](2)].Digest, bob})},
		"approval of another":  {ErrReplay, of(carol, &WaveApproved{num[Wave](2), hash32(1), AccountID{}})},
		"sealed unapproved":    {ErrReplay, of(machine, &waveSealed{st})},
		"changed when sealed":  {ErrReplay, of(bob, &WaveDrafted{Wave: wave1, Case: case1, Package: pkg1, Revision: rev1, Audience: audience(1)})},
		"an empty audience":    {ErrReplay, of(bob, &WaveDrafted{Wave: num[Wave](3), Case: case1, Package: pkg1, Revision: rev1})},
		"copies of a draft":    {ErrReplay, of(machine, &CopiesStored{Wave: num[Wave](2)})},
		"a copy for a guest":   {ErrReplay, of(machine, &CopiesStored{Wave: wave1, Copies: []StoredCopy{{Holder: holder(3)}}})},
		"a fetch by a guest":   {ErrReplay, of(contactOf(3), &CopyFetched{wave1, holder(3)})},
		"a fetch of nothing":   {ErrReplay, of(contactOf(1), &CopyFetched{num[Wave](9), holder(1)})},
		"another's receipt":    {ErrReplay, of(contactOf(1), &ReceiptLodged{Wave: wave1, Holder: holder(1)})},
		"shredding under hold": {ErrReplay, of(alice, &KeyDestroyed{CaseKey, ref(case1)})},
		"an end without start": {ErrReplay, of(alice, &EmbargoEnded{Case: case1})},
		"a lift without hold":  {ErrReplay, of(alice, &HoldLifted{Case: case1})},
		"agreed to nothing":    {ErrReplay, of(alice, &EmbargoAgreed{case1, 1})},
	} {
		e, seq, before := next(), w.p.Next, w.p.StateHash()
		c.spoil(&e, &seq)
		if err := w.p.Apply(seq, e); !errors.Is(err, c.class) {
			t.Errorf("%s: %v", name, err)
		}
		if w.p.StateHash() != before {
			t.Errorf("%s changed the state", name)
		}
	}
	e := next()
	e.Kind, e.Body = 0xFFFF, []byte("the ledger's own")
	if err := w.p.Apply(w.p.Next, e); err != nil {
		t.Errorf("the ledger's own kind: %v", err)
	}
	if err := w.p.Apply(w.p.Next, next()); err != nil {
		t.Error(err)
	}
	if err := New().Apply(0, next()); !errors.Is(err, ErrReplay) {
		t.Errorf("before the founding: %v", err)
	}
}

// TestAuditSees: the audit finds what it is there for.
func TestAuditSees(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"an own approval":     func(w *world) { w.p.Waves[wave1].Approval.By = bob },
		"a lender's approval": func(w *world) { w.p.Waves[wave1].Approval.For = bob },
		"another digest":      func(w *world) { w.p.Waves[wave1].Digest[0]++ },
		"no approval":         func(w *world) { w.p.Waves[wave1].Approval = nil },
		"nobody's wave":       func(w *world) { w.p.Waves[wave1].Audience = nil; w.p.Waves[wave1].Copies = nil },
		"a doubled audience":  func(w *world) { w.p.Waves[wave1].Audience[0] = w.p.Waves[wave1].Audience[1] },
		"too high a level":    func(w *world) { w.p.Revisions[rev1].Level = form.HeadsUp },
		"another statement":   func(w *world) { w.p.Waves[wave1].Statement.Level++ },
		"an early fetch":      func(w *world) { w.p.Waves[wave1].Copies[0].Fetches[0].At = start },
		"somebody's fetch":    func(w *world) { w.p.Waves[wave1].Copies[0].Fetches[0].Account = contactOf(2) },
		"a receipt from air": func(w *world) {
			w.p.Waves[wave1].Copies[0].Receipt = &Lodged{}
			w.p.Waves[wave1].Copies[0].Fetches = nil
		},
		"a leaderless house":   func(w *world) { w.p.Accounts[alice].Roles = RoleSet(CaseWorker) },
		"mixed roles":          func(w *world) { w.p.Accounts[bob].Roles |= RoleSet(Auditor) },
		"a generous break":     func(w *world) { w.p.Revisions[rev1].Break = form.PoC },
		"a holder twice":       func(w *world) { pk := w.p.Packages[pkg1]; pk.Issued = append(pk.Issued, pk.Issued[0]) },
		"copies of a draft":    func(w *world) { w.p.Waves[wave1].Statement = nil },
		"a fetch of air":       func(w *world) { w.p.Waves[wave1].Copies[0].Blob = BlobRef{} },
		"a lapsed wave's read": func(w *world) { w.p.Waves[wave1].LapsesAt = w.p.Waves[wave1].OpensAt },
	} {
		w := opened(t)
		w.do(contactOf(1), Fetch{wave1, holder(1)})
		if bad := w.p.Audit(w.now); bad != nil {
			t.Fatal(bad)
		}
		spoil(w)
		if w.p.Audit(w.now) == nil {
			t.Errorf("the audit does not see %s", name)
		}
	}
}

func TestNames(t *testing.T) {
	for r := Coordinator; r < roleEnd; r++ {
		if got, err := ParseRole(r.String()); err != nil || got != r {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	if _, err := ParseRole("none"); err == nil {
		t.Error("no role was parsed")
	}
	if RoleSet(Coordinator, Finder).String() != "coordinator, finder" || RoleSet(NoRole).Has(NoRole) || Roles(0xFFFF).Has(roleEnd) {
		t.Error("sets of roles")
	}
	for s := Good; s <= Left; s++ {
		if got, err := ParseStanding(s.String()); err != nil || got != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for s := NoAnswer; s <= Shipped; s++ {
		if got, err := ParseAnswer(s.String()); err != nil || got != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if got := Standing(77).String(); got != "unknown (77)" {
		t.Error(got)
	}
	if _, err := ParseUse("everything"); err == nil {
		t.Error("a use was made up")
	}
}
