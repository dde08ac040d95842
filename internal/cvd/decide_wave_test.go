package cvd

import (
	"testing"
	"time"

	"forewarn/internal/form"
	"forewarn/internal/tlp"
)

func TestSecondPerson(t *testing.T) {
	w := bound(t)
	draft := DraftWave{Wave: wave1, Revision: rev1, Purpose: Staged, Level: form.Detection, OpensAt: w.now.Add(day), Audience: audience(2)}
	yes := func() ApproveWave { return ApproveWave{wave1, w.p.Waves[wave1].Digest} }
	w.do(carol, draft)
	w.denied(carol, yes(), "had a hand")
	w.denied(alice, yes(), "role approver")
	w.refused(dan, ApproveWave{wave1, hash32(1)}, "look again")
	w.do(dan, yes())
	if s := w.p.WaveState(wave1, w.now); s != StateApproved {
		t.Errorf("approved, and %s", s)
	}
	// Any change voids the approval, and makes its author a drafter.
	before := w.p.Waves[wave1].Digest
	for name, change := range map[string]func(*DraftWave){
		"level":    func(c *DraftWave) { c.Level = form.Description },
		"audience": func(c *DraftWave) { c.Audience = audience(1) },
		"opens":    func(c *DraftWave) { c.OpensAt = w.now.Add(2 * day) },
		"lapses":   func(c *DraftWave) { c.LapsesAt = w.now.Add(3 * day) },
	} {
		changed := draft
		change(&changed)
		w.do(bob, changed)
		if w.p.WaveState(wave1, w.now) != StateDraft || w.p.Waves[wave1].Digest == before {
			t.Errorf("a change of the %s leaves the approval", name)
		}
		w.denied(carol, yes(), "had a hand")
		w.do(dan, yes())
	}
	w.do(dan, draft)
	w.denied(dan, yes(), "had a hand")
	w.denied(carol, yes(), "had a hand")

	// Lent roles: never to approve what the lender drafted.
	w.do(carol, Delegate{Delegation: num[Delegation](1), To: ines, Role: Approver, Starts: w.now.Add(time.Hour), Ends: w.now.Add(day)})
	w.denied(ines, yes(), "role approver")
	w.tick(time.Hour)
	w.denied(ines, yes(), "lent you the role")
	w.refused(carol, Delegate{Delegation: num[Delegation](2), To: fay, Role: Approver, Starts: w.now, Ends: w.now.Add(day)}, "of the staff")
	w.refused(carol, Delegate{Delegation: num[Delegation](2), To: carol, Role: Approver, Starts: w.now, Ends: w.now.Add(day)}, "another account")
	w.refused(carol, Delegate{Delegation: num[Delegation](2), To: ines, Role: Coordinator, Starts: w.now, Ends: w.now.Add(day)}, "is approver")
	w.refused(carol, Delegate{Delegation: num[Delegation](2), By: dan, To: ines, Role: Approver, Starts: w.now, Ends: w.now.Add(day)}, "who has a role")
	w.refused(carol, Delegate{Delegation: num[Delegation](2), To: ines, Role: Approver, Starts: w.now, Ends: w.now}, "must end after")
	w.refused(ines, Delegate{Delegation: num[Delegation](2), To: bob, Role: Approver, Starts: w.now, Ends: w.now.Add(day)}, "can't be lent on")
	eva := num[Account](60)
	w.do(alice, AddAccount{Account: eva, Roles: RoleSet(Approver)})
	w.do(eva, Delegate{Delegation: num[Delegation](2), To: ines, Role: Approver, Case: case1, Starts: w.now, Ends: w.now.Add(day)})
	trial := func(name string, want bool) {
		t.Helper()
		if got := w.p.May(Actor{Account: ines}, ActApproveWave, AWave(wave1), w.now) == nil; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	trial("a role that was lent", true)
	w.do(eva, RevokeDelegation{num[Delegation](2)})
	trial("a role that was taken back", false)
	w.do(eva, Delegate{Delegation: num[Delegation](3), To: ines, Role: Approver, Case: case1, Starts: w.now, Ends: w.now.Add(time.Hour)})
	w.now = w.now.Add(time.Hour)
	trial("a role whose time is over", false)
	w.now = w.now.Add(-time.Hour)
	w.do(ines, yes())
	if a := w.p.Waves[wave1].Approval; a.By != ines || a.For != eva {
		t.Errorf("approved by %s for %s", a.By, a.For)
	}
	w.do(alice, CloseAccount{eva})
	w.do(bob, draft)
	trial("a role whose lender is gone", false)
}

func TestDrafting(t *testing.T) {
	w := bound(t)
	w.do(bob, MakeRevision{Revision: num[Revision](2), Package: pkg1, Source: blob(1), Form: hash32(1), SlotTable: hash32(2), Label: tlp.Red, Level: form.Detection, AlphaPico: 1_000_000})
	good := DraftWave{Wave: wave1, Revision: num[Revision](2), Purpose: Staged, Level: form.Detection, OpensAt: w.now.Add(day), Audience: audience(3)}
	for words, spoil := range map[string]func(*DraftWave){
		"no id":               func(c *DraftWave) { c.Wave = WaveID{} },
		"is nobody":           func(c *DraftWave) { c.Audience = nil },
		"has content from":    func(c *DraftWave) { c.Level = form.PoC },
		"level none":          func(c *DraftWave) { c.Level = 0 },
		"which is past":       func(c *DraftWave) { c.OpensAt = w.now.Add(-time.Second) },
		"lapse before":        func(c *DraftWave) { c.LapsesAt = c.OpensAt },
		"the release time":    func(c *DraftWave) { c.OpensAt = w.now.Add(31 * day) },
		"not invited":         func(c *DraftWave) { c.Audience = audience(4) },
		"only members":        func(c *DraftWave) { c.Audience = append(c.Audience, HolderID(otto)) },
		"no key to seal to":   func(c *DraftWave) { c.Audience = append(c.Audience, HolderID(bob)) },
		"say what the wave":   func(c *DraftWave) { c.Purpose = NoPurpose },
		"previews are for":    func(c *DraftWave) { c.Purpose = Preview },
		"this one was not":    func(c *DraftWave) { c.Purpose = BreakPack },
		"no wave":             func(c *DraftWave) { c.Widens = num[Wave](7) },
		"to widen":            func(c *DraftWave) { c.Widens = wave1 },
		"can't be in the aud": func(c *DraftWave) { c.Audience = []HolderID{num[Holder](12345)} },
	} {
		c := good
		spoil(&c)
		w.refused(bob, c, words)
	}
	w.denied(bob, DraftWave{Wave: wave1, Revision: num[Revision](9)}, "nothing by that name")
	w.do(bob, good)

	other := good
	other.Purpose = Preview
	w.refused(bob, other, "another purpose")

	wide := good
	wide.Wave, wide.Widens, wide.Audience = num[Wave](2), wave1, audience(1)
	w.refused(bob, wide, "already")
	w.do(adminOf(4), EnrolKeys{Holder: holder(4), Recipients: []string{recipient(44)}, Signing: signing(44)})
	w.do(bob, Invite{Case: case1, Role: AsDeployer, Members: []MemberID{mem(4)}})
	w.do(adminOf(4), GiveConsent{case1, mem(4), Signatory, 1})
	wide.Audience = []HolderID{holder(4)}
	wide.Revision, wide.Level = rev1, form.PoC
	w.refused(bob, wide, "or less")
	wide.Level = form.Detection
	w.do(bob, wide)
	w.denied(bob, ApproveWave{num[Wave](2), w.p.Waves[num[Wave](2)].Digest}, "role approver")

	w.do(alice, IssueRecall{Revision: num[Revision](2)})
	w.denied(bob, good, "was recalled")
	if w.p.WaveState(wave1, w.now) != StateSuperseded {
		t.Error("a wave of a recalled revision lives on")
	}
	w.refused(bob, DraftWave{Wave: wave1, Revision: rev1, Purpose: Staged, Level: form.HeadsUp, OpensAt: w.now.Add(day), Audience: audience(1)}, "can't change any more")

	// Between drafting and approving a member may fall out.
	w.do(alice, ChangeStanding{Member: mem(4), Standing: Suspended})
	w.refused(carol, ApproveWave{num[Wave](2), w.p.Waves[num[Wave](2)].Digest}, "not in good standing")
}

func TestPreview(t *testing.T) {
	w := bound(t)
	w.enrol(bob, HolderID(bob), 501)
	w.do(bob, DraftWave{Wave: wave1, Revision: rev1, Purpose: Preview, Level: form.PoC, OpensAt: w.now, Audience: []HolderID{HolderID(bob)}})
	if s := w.p.WaveState(wave1, w.now); s != StateApproved {
		t.Errorf("a preview is %s", s)
	}
	w.seal(wave1)
	w.do(bob, Fetch{wave1, HolderID(bob)})
	w.denied(alice, Fetch{wave1, HolderID(bob)}, "nothing by that name")
	if w.p.Issued(pkg1) != 1 {
		t.Error("a preview's copy is not counted among the issued")
	}
	if w.p.Revisions[rev1].Vouched != nil {
		t.Error("a preview vouched for the break pack")
	}
}

func TestMoveReleaseTime(t *testing.T) {
	w := opened(t) // wave1 is open
	draft, approved, sealed, early := num[Wave](2), num[Wave](3), num[Wave](4), num[Wave](5)
	for _, id := range []WaveID{draft, approved, sealed, early} {
		w.draft(id, rev1, form.PoC, w.now.Add(2*day), audience(2)...)
	}
	for _, id := range []WaveID{approved, sealed} {
		w.do(carol, ApproveWave{id, w.p.Waves[id].Digest})
	}
	w.do(machine, RecordSealed{w.statement(sealed)})
	w.store(sealed)
	w.refused(alice, MoveReleaseTime{Case: case1, Release: w.p.Cases[case1].Embargo.Release}, "already")
	w.do(alice, MoveReleaseTime{Case: case1, Release: ReleaseTime{w.now.Add(3 * day), "UTC"}})
	for id, want := range map[WaveID]WaveState{wave1: StateOpen, draft: StateDraft, approved: StateDraft, sealed: StateHeld, early: StateDraft} {
		if got := w.p.WaveState(id, w.now); got != want {
			t.Errorf("wave %s is %s, wanted %s", id.Short(), got, want)
		}
	}
	// It stays shut past its time until somebody says yes again.
	w.tick(2 * day)
	w.denied(contactOf(1), Fetch{sealed, holder(1)}, "held")
	w.denied(bob, ApproveWave{sealed, w.p.Waves[sealed].Digest}, "role approver")
	w.do(dan, ApproveWave{sealed, w.p.Waves[sealed].Digest})
	w.do(contactOf(1), Fetch{sealed, holder(1)})
	// Moved before a wave's opening: it can't be approved as it is.
	w.draft(num[Wave](6), rev1, form.PoC, w.now.Add(20*time.Hour), audience(2)...)
	w.do(alice, MoveReleaseTime{Case: case1, Release: ReleaseTime{w.now.Add(10 * time.Hour), "UTC"}})
	w.refused(carol, ApproveWave{num[Wave](6), w.p.Waves[num[Wave](6)].Digest}, "draft it again")
}

func TestHoldsAndCancelling(t *testing.T) {
	w := opened(t)
	w.refused(alice, LiftHold{Wave: wave1}, "no such hold")
	w.do(bob, Hold{Wave: wave1})
	w.silent(bob, Hold{Wave: wave1})
	w.do(bob, Hold{Case: case1})
	w.do(carol, LiftHold{Case: case1})
	if w.p.WaveState(wave1, w.now) != StateHeld {
		t.Error("lifting the case's hold lifted the wave's")
	}
	w.denied(bob, LiftHold{Wave: wave1}, "role coordinator or approver")
	w.refused(alice, Hold{Case: num[Case](3), Wave: wave1}, "no case")
	w.do(alice, LiftHold{Wave: wave1})
	w.denied(bob, CancelWave{Wave: wave1}, "is open")
	w.do(bob, Hold{Wave: wave1})
	w.do(bob, CancelWave{Wave: wave1})
	if w.p.WaveState(wave1, w.now) != StateCancelled {
		t.Error("not cancelled")
	}

	w = opened(t)
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	w.do(bob, Hold{Wave: wave1})
	w.refused(bob, CancelWave{Wave: wave1}, "fetched already")
}
