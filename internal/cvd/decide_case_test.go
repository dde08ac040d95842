package cvd

import (
	"errors"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/tlp"
)

func TestEmbargo(t *testing.T) {
	w := bound(t)
	c := num[Case](2)
	state := func(want EmbargoState) {
		t.Helper()
		if got := w.p.EmbargoState(c, w.now); got != want {
			t.Errorf("the embargo is %s, wanted %s", got, want)
		}
	}
	at := func(d time.Duration) ReleaseTime { return ReleaseTime{w.now.Add(d), "UTC"} }
	w.do(bob, OpenCase{Case: c, Finder: fay})
	state(NoEmbargo)
	w.denied(alice, EndEmbargo{Case: c}, "no embargo of the case binds yet")
	w.refused(alice, AgreeEmbargo{c, 1}, "no proposal waits")
	w.refused(bob, ProposeEmbargo{Case: c, Release: at(0)}, "future")
	w.refused(bob, ProposeEmbargo{Case: c, Release: ReleaseTime{w.now.Add(week), ""}}, "zone")
	w.refused(bob, ProposeEmbargo{Case: c, Release: ReleaseTime{w.now.Add(week), "Vienna, Austria"}}, "zone")
	w.refused(bob, ProposeEmbargo{Case: c, Release: at(week), Expires: w.now}, "expired")
	w.denied(gus, ProposeEmbargo{Case: c, Release: at(week)}, "")
	w.do(fay, ProposeEmbargo{Case: c, Release: at(week), Expires: w.now.Add(day)})
	state(Proposed)
	w.tick(day)
	state(NoEmbargo)
	w.refused(alice, AgreeEmbargo{c, 1}, "no proposal waits")
	w.do(bob, ProposeEmbargo{Case: c, Release: at(week)})
	w.refused(alice, AgreeEmbargo{c, 1}, "proposal 2 waits")
	w.do(bob, Invite{Case: c, Role: AsVendor, Until: w.now.Add(day), Members: []MemberID{mem(2), mem(1), mem(1)}})
	w.refused(adminOf(1), GiveConsent{c, mem(1), Signatory, 2}, "nothing to sign")
	w.do(alice, AgreeEmbargo{c, 2})
	state(Active)
	w.refused(adminOf(1), GiveConsent{c, mem(1), Signatory, 1}, "embargo 2 binds")
	w.refused(adminOf(1), GiveConsent{c, mem(1), Lapsed, 2}, "from invited to lapsed")
	w.denied(contactOf(1), GiveConsent{c, mem(1), Signatory, 2}, "member-admin")
	w.denied(adminOf(1), GiveConsent{c, mem(2), Signatory, 2}, "nothing by that name")
	w.denied(adminOf(3), GiveConsent{c, mem(3), Signatory, 2}, "nothing by that name")
	w.do(adminOf(1), GiveConsent{c, mem(1), Signatory, 2})
	w.silent(adminOf(1), GiveConsent{c, mem(1), Signatory, 2})
	w.refused(bob, Invite{Case: c, Role: AsVendor, Members: []MemberID{mem(1)}}, "signatory already")
	w.refused(bob, Invite{Case: c, Role: AsVendor}, "nobody")
	w.refused(bob, Invite{Case: c, Members: []MemberID{mem(3)}}, "what they are")

	w.tick(day)
	if got := w.p.ConsentOf(c, mem(2), w.now); got != Lapsed {
		t.Errorf("an invitation that nobody answered is %s", got)
	}
	w.refused(adminOf(2), GiveConsent{c, mem(2), Signatory, 2}, "lapsed")
	w.do(bob, Invite{Case: c, Role: AsVendor, Members: []MemberID{mem(2)}})
	w.do(adminOf(2), GiveConsent{c, mem(2), Declined, 0})

	// The old embargo binds while another is proposed; agreed anew, it asks its
	// signatories again.
	w.do(bob, ProposeEmbargo{Case: c, Release: at(2 * week), Anew: true})
	state(Revise)
	if w.p.ConsentOf(c, mem(1), w.now) != Signatory {
		t.Error("a proposal changed a consent")
	}
	w.do(alice, AgreeEmbargo{c, 3})
	state(Active)
	if got := w.p.ConsentOf(c, mem(1), w.now); got != Lapsed {
		t.Errorf("after other terms the consent is %s", got)
	}
	w.do(adminOf(1), GiveConsent{c, mem(1), Signatory, 3})
	w.do(adminOf(1), GiveConsent{c, mem(1), Declined, 3})
	w.denied(alice, Release{Case: c}, "is embargoed")
	w.tick(2 * week)
	state(EmbargoLifted)
	w.denied(alice, EndEmbargo{Case: c}, "the embargo is over")
	w.denied(alice, MoveReleaseTime{Case: c, Release: at(day)}, "the embargo is over")
	w.do(alice, Release{Case: c})
	state(EmbargoLifted)
	w.denied(alice, Release{Case: c}, "the case is public already")
}

func TestEndOfEmbargo(t *testing.T) {
	w := bound(t)
	end := EndEmbargo{Case: case1, Revision: rev1, Level: form.Detection}
	w.refused(alice, end, "no second person")
	w.refused(alice, EndEmbargo{Case: case1, Level: form.Detection}, "without a revision")
	w.draft(wave1, rev1, form.Detection, w.now.Add(day), audience(2)...)
	w.seal(wave1)
	w.refused(alice, EndEmbargo{Case: case1, Revision: rev1, Level: form.PoC}, "up to detection")
	w.refused(alice, EndEmbargo{Case: case1, Revision: num[Revision](9), Level: form.Detection}, "no revision")
	w.do(alice, AssignDuty{num[Duty](1), carol, 1, w.now, w.now.Add(time.Hour)})
	w.denied(alice, end, "not on duty")
	w.denied(bob, end, "role coordinator or approver")
	if err := w.tryAs(Actor{carol, entrylog.AuthSession}, end); !errors.Is(err, ErrDenied) {
		t.Errorf("without fresh proof: %v", err)
	}
	w.do(carol, end)
	if w.p.EmbargoState(case1, w.now) != EmbargoLifted {
		t.Error("the embargo lives on")
	}
	w.denied(carol, end, "the embargo is over")
	everybody := audience(4) // member 4 is in no case
	pack := DraftWave{Wave: num[Wave](2), Revision: rev1, Purpose: BreakPack, Level: form.Indicators, OpensAt: w.now, Audience: everybody}
	w.refused(carol, pack, "lower level")
	pack.Level = form.Detection
	w.do(carol, pack)
	w.seal(num[Wave](2))
	w.do(contactOf(4), Fetch{num[Wave](2), holder(4)})
	w.refused(bob, DraftWave{Wave: num[Wave](3), Revision: rev1, Purpose: Staged, Level: form.PoC, OpensAt: w.now, Audience: audience(1)}, "the embargo is over")
	if err := w.p.Eligible(holder(4), case1, Staged, w.now); err == nil {
		t.Error("whoever is in no case is eligible for its waves")
	}
	if err := w.p.Eligible(holder(4), case1, BreakPack, w.now); err != nil {
		t.Error(err)
	}
}

func TestRevisions(t *testing.T) {
	w := bound(t)
	good := MakeRevision{Revision: num[Revision](2), Package: pkg1, Source: blob(1), Form: hash32(1), SlotTable: hash32(2), Label: tlp.Amber, Level: form.PoC, Break: form.Detection, AlphaPico: 1_000_000}
	for words, spoil := range map[string]func(*MakeRevision){
		"already":         func(c *MakeRevision) { c.Revision = rev1 },
		"stored source":   func(c *MakeRevision) { c.Source = BlobRef{} },
		"compiled Form":   func(c *MakeRevision) { c.Form = [32]byte{} },
		"TLP":             func(c *MakeRevision) { c.Label = tlp.Unset },
		"highest level":   func(c *MakeRevision) { c.Level = 0 },
		"up to detection": func(c *MakeRevision) { c.Break = form.Indicators },
		"own level":       func(c *MakeRevision) { c.Level = form.Description },
		"1 to 10¹²":       func(c *MakeRevision) { c.AlphaPico = 0 },
		"was fixed":       func(c *MakeRevision) { c.AlphaPico++ },
		"ruling on":       func(c *MakeRevision) { c.Rulings[TellCustomers] = Ruling{Verdict: From} },
		"tell-customers":  func(c *MakeRevision) { c.Rulings[TellCustomers] = Ruling{Verdict: Yes, From: w.now} },
	} {
		c := good
		spoil(&c)
		w.refused(bob, c, words)
	}
	good.Rulings = Rulings{DeployPatch: {Verdict: Yes}, TellCustomers: {From, w.now.Add(day)}}
	w.do(bob, good)
	r := w.p.Revisions[good.Revision]
	if r.Number != 2 || !r.Rulings.May(DeployPatch, w.now) || r.Rulings.May(ShareWithMember, w.now) || r.Rulings.May(TellCustomers, w.now) ||
		!r.Rulings.May(TellCustomers, w.now.Add(day)) || r.Rulings.May(useEnd, w.now) {
		t.Errorf("revision: %+v", r)
	}
	w.refused(bob, SaveDraft{pkg1, case1, BlobRef{}}, "not stored")
	w.refused(bob, SaveDraft{PackageID{}, case1, blob(1)}, "no id")
	w.do(bob, OpenCase{Case: num[Case](2)})
	w.refused(bob, SaveDraft{pkg1, num[Case](2), blob(1)}, "another case")
	w.denied(ines, OpenDraft{pkg1}, "role")
	w.do(carol, OpenDraft{pkg1})
	if reads := w.p.Packages[pkg1].Reads; len(reads) != 1 || reads[0].By != carol || reads[0].Source != blob(10) {
		t.Errorf("who read the draft: %+v", reads)
	}
}

func TestAnswers(t *testing.T) {
	w := opened(t)
	product := num[Product](1)
	w.do(bob, AddProduct{Product: product, Case: case1, Name: blob(1)})
	w.silent(bob, AddProduct{Product: product, Case: case1})
	w.refused(bob, AddProduct{Product: product}, "already")
	say := func(n int, s AnswerState, text int) GiveAnswer {
		return GiveAnswer{case1, mem(n), product, s, blob(text)}
	}
	if s, h := w.p.AnswerOf(case1, mem(1), product); s != NoAnswer || h != nil {
		t.Errorf("before any answer: %s, %v", s, h)
	}
	w.refused(contactOf(1), say(1, NoAnswer, 1), "can't go")
	w.refused(contactOf(1), GiveAnswer{case1, mem(1), num[Product](2), Ready, blob(1)}, "not of this case")
	w.denied(contactOf(1), say(2, Ready, 1), "nothing by that name")
	w.denied(contactOf(4), say(4, Ready, 1), "nothing by that name")
	w.do(contactOf(1), say(1, Ready, 1))
	w.silent(contactOf(1), say(1, Ready, 1))
	w.do(contactOf(1), say(1, Ready, 2))
	w.refused(contactOf(1), say(1, Investigating, 1), "can't go")
	w.do(contactOf(1), say(1, Shipped, 1))
	if s, h := w.p.AnswerOf(case1, mem(1), product); s != Shipped || len(h) != 3 || h[0].State != Ready {
		t.Errorf("%s, %v", s, h)
	}
	w.do(adminOf(2), GiveConsent{case1, mem(2), Declined, 1})
	w.refused(contactOf(2), say(2, NotAffected, 1), "signatories")
}

func TestRecall(t *testing.T) {
	w := opened(t)
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	ack := AcknowledgeRecall{rev1, holder(1)}
	w.denied(contactOf(1), ack, "was not recalled")
	w.do(alice, IssueRecall{Revision: rev1})
	w.denied(alice, IssueRecall{Revision: rev1}, "was recalled")
	w.denied(contactOf(2), AcknowledgeRecall{rev1, holder(2)}, "nothing by that name")
	w.do(contactOf(1), ack)
	w.silent(contactOf(1), ack)
	w.denied(contactOf(1), Fetch{wave1, holder(1)}, "stop using it")
}

func TestCases(t *testing.T) {
	w := bound(t)
	w.refused(bob, OpenCase{Case: case1}, "already")
	w.refused(bob, OpenCase{Case: num[Case](2), Finder: bob}, "no finder's")
	w.refused(bob, OpenCase{Case: num[Case](2), Reported: w.now.Add(time.Second)}, "future")
	w.refused(bob, OpenCase{Case: num[Case](2), Products: []ProductID{num[Product](1)}}, "no product")
	w.do(bob, OpenCase{Case: num[Case](2), Reported: w.now.Add(-day)})
	w.refused(bob, LinkCase{case1, case1, Split}, "itself")
	w.refused(bob, LinkCase{case1, num[Case](3), Split}, "no case")
	w.refused(bob, LinkCase{case1, num[Case](2), NoRelation}, "how the cases")
	w.do(bob, LinkCase{num[Case](2), case1, Incomplete})
	w.silent(bob, LinkCase{num[Case](2), case1, Incomplete})
	sight := RecordSighting{num[Sighting](1), case1, blob(1), w.now.Add(-day), w.now.Add(-time.Hour), GradeC}
	w.do(ines, sight)
	w.refused(ines, sight, "id of its own")
	sight.Sighting = num[Sighting](2)
	sight.From, sight.To = sight.To, sight.From
	w.refused(ines, sight, "ends")
	sight.From, sight.To = w.now.Add(day), time.Time{}
	w.refused(ines, sight, "future")
	sight.From = time.Time{}
	w.do(ines, sight)
	w.refused(alice, DeclareBreach{case1, mem(99), time.Time{}, blob(1)}, "no member")
	w.refused(alice, DeclareBreach{case1, mem(1), w.now.Add(1 * time.Second), blob(1)}, "future")
	w.refused(ines, NoteCommitment{}, "empty")
}
