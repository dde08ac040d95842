package cvd

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

// refused wants a command refused, with a reason that holds these words, and
// nothing written.
func (w *world) refused(who AccountID, c Command, words string) {
	w.tb.Helper()
	w.fails(who, c, words, ErrRefused)
}

// denied wants a command denied by the policy.
func (w *world) denied(who AccountID, c Command, words string) {
	w.tb.Helper()
	w.fails(who, c, words, ErrDenied)
}

func (w *world) fails(who AccountID, c Command, words string, class error) {
	w.tb.Helper()
	_, err := w.p.Decide(c, Actor{Account: who}, w.now)
	if !errors.Is(err, class) || !strings.Contains(err.Error(), words) {
		w.tb.Errorf("%T: %v; wanted %v, with %q", c, err, class, words)
	}
}

// silent wants a command that is allowed and changes nothing.
func (w *world) silent(who AccountID, c Command) {
	w.tb.Helper()
	if events, err := w.p.Decide(c, Actor{Account: who}, w.now); err != nil || len(events) != 0 {
		w.tb.Errorf("%T: %v, %v; wanted neither", c, events, err)
	}
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// The one case, package, revision and wave of these tests.
var (
	case1 = num[Case](1)
	pkg1  = num[Package](1)
	rev1  = num[Revision](1)
	wave1 = num[Wave](1)
)

// bound is a world with four members, three of them signatories of a case, and
// a revision.
func bound(t *testing.T) *world {
	w := newWorld(t)
	w.found()
	for n := 1; n <= 4; n++ {
		w.admit(n)
	}
	w.embargo(case1, 3)
	w.revise(case1, pkg1, rev1)
	return w
}

// opened is bound with a wave to members 1 and 2 that has just opened.
func opened(t *testing.T) *world {
	w := bound(t)
	w.draft(wave1, rev1, form.Detection, w.now.Add(day), audience(2)...)
	w.seal(wave1)
	w.tick(day)
	return w
}

func TestFounding(t *testing.T) {
	good := FoundProgramme{Origin: "warn.example/alpha", Interval: 60, Coordinator: alice, Roles: RoleSet(Coordinator), Sealer: machine}
	for words, spoil := range map[string]func(*FoundProgramme){
		"founded by":            func(c *FoundProgramme) { c.Coordinator = bob },
		"account of its own":    func(c *FoundProgramme) { c.Sealer = alice },
		"lack coordinator":      func(c *FoundProgramme) { c.Roles = RoleSet(Approver) },
		"interval":              func(c *FoundProgramme) { c.Interval = 0 },
		"origin":                func(c *FoundProgramme) { c.Origin = "two words" },
		"stay apart":            func(c *FoundProgramme) { c.Roles = RoleSet(Coordinator, Auditor) },
		"without spaces or '+'": func(c *FoundProgramme) { c.Origin = "a+b" },
	} {
		w, c := newWorld(t), good
		spoil(&c)
		w.refused(alice, c, words)
	}
	w := newWorld(t)
	w.denied(AccountID{}, good, "")
	w.denied(alice, PublishTerms{}, "no programme yet")
	w.do(alice, good)
	w.denied(alice, good, "nothing by that name")
}

func TestAccounts(t *testing.T) {
	w := bound(t)
	w.refused(alice, AddAccount{Account: bob, Roles: RoleSet(Auditor)}, "is taken")
	w.refused(alice, AddAccount{Account: AccountID(mem(1)), Roles: RoleSet(Auditor)}, "is taken")
	w.refused(alice, AddAccount{Roles: RoleSet(Auditor)}, "no id")
	w.refused(alice, AddAccount{Account: num[Account](50)}, "at least one role")
	w.refused(alice, AddAccount{Account: num[Account](50), Roles: RoleSet(CaseWorker, Auditor)}, "stay apart")
	w.refused(alice, AddAccount{Account: num[Account](50), Roles: RoleSet(MemberAdmin)}, "name it")
	w.refused(alice, AddAccount{Account: num[Account](50), Roles: RoleSet(Sealer)}, "one sealer")
	w.refused(alice, AddAccount{Account: num[Account](50), Member: mem(1), Roles: RoleSet(Approver)}, "nothing else")
	w.denied(adminOf(1), AddAccount{Account: num[Account](50), Member: mem(2), Roles: RoleSet(MemberContact)}, "nothing by that name")
	w.denied(adminOf(1), AddAccount{Account: num[Account](50), Roles: RoleSet(Approver)}, "nothing by that name")
	w.denied(adminOf(1), CloseAccount{contactOf(2)}, "nothing by that name")
	w.denied(alice, CloseAccount{alice}, "last coordinator")
	w.denied(alice, CloseAccount{machine}, "sealer")
	w.do(alice, AddAccount{Account: num[Account](50), Roles: RoleSet(Coordinator, Approver)})
	w.do(alice, CloseAccount{alice})
	w.denied(alice, OpenCase{Case: num[Case](2)}, "is closed")
	w.denied(num[Account](50), CloseAccount{alice}, "closed")
}

func TestMembers(t *testing.T) {
	w := bound(t)
	w.refused(alice, AdmitMember{Member: mem(1), Tier: 1}, "is taken")
	w.refused(alice, AdmitMember{Member: mem(9)}, "tier")
	w.refused(alice, AdmitMember{Member: mem(9), Tier: 1, Jurisdictions: []Jurisdiction{{'a', 't'}}}, "jurisdiction")
	w.refused(alice, AdmitMember{Member: mem(9), Tier: 1, Jurisdictions: []Jurisdiction{{'D', 'E'}, {'A', 'T'}}}, "ascending")
	w.refused(alice, AdmitMember{Member: mem(9), Tier: 1, Protects: []Protects{{num[Product](1), 1}}}, "no product")
	w.refused(alice, ChangeStanding{Member: mem(1), Standing: Good}, "from good to good")
	w.do(alice, ChangeStanding{Member: mem(1), Standing: Suspended})
	w.denied(adminOf(1), AddAccount{Account: num[Account](50), Member: mem(1), Roles: RoleSet(MemberContact)}, "not in good standing")
	w.do(alice, ChangeStanding{Member: mem(1), Standing: Good})
	w.do(alice, ChangeStanding{Member: mem(1), Standing: Excluded})
	w.denied(alice, ChangeStanding{Member: mem(1), Standing: Good}, "is excluded")

	w.do(alice, DeclareGroup{num[Group](1), []MemberID{mem(3), mem(2), mem(3)}})
	w.refused(alice, DeclareGroup{num[Group](2), []MemberID{mem(3)}}, "one owner")
	w.do(alice, DeclareGroup{num[Group](1), []MemberID{mem(2)}})
	w.do(alice, DeclareGroup{num[Group](2), []MemberID{mem(3)}})
	if w.p.Members[mem(3)].Group != num[Group](2) || w.p.Members[mem(2)].Group != num[Group](1) {
		t.Error("groups do not follow what was declared last")
	}
}

func TestTerms(t *testing.T) {
	w := opened(t)
	terms2 := num[Terms](21)
	w.refused(alice, PublishTerms{Terms: terms1, Digest: hash32(5)}, "already")
	w.refused(alice, PublishTerms{Terms: terms2}, "digest")
	w.do(alice, PublishTerms{Terms: terms2, Digest: hash32(6), Binds: w.now.Add(day)})
	w.refused(adminOf(1), AcceptTerms{mem(1), terms2, hash32(5)}, "read them again")
	w.denied(contactOf(1), AcceptTerms{mem(1), terms2, hash32(6)}, "member-admin")
	w.denied(adminOf(2), AcceptTerms{mem(1), terms2, hash32(6)}, "nothing by that name")
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	w.tick(day)
	w.denied(contactOf(1), Fetch{wave1, holder(1)}, "terms")
	w.do(adminOf(1), AcceptTerms{mem(1), terms2, hash32(6)})
	w.silent(adminOf(1), AcceptTerms{mem(1), terms2, hash32(6)})
	w.do(contactOf(1), Fetch{wave1, holder(1)})
}

func TestNoTermsNoContent(t *testing.T) {
	w := newWorld(t)
	w.do(alice, FoundProgramme{Origin: "warn.example/alpha", Interval: 60, Coordinator: alice, Roles: RoleSet(Coordinator, Approver), Sealer: machine})
	if w.p.TermsAccepted(mem(1), w.now) || w.p.BindingTerms(w.now) != nil {
		t.Error("terms that nobody published are accepted")
	}
}

func TestKeys(t *testing.T) {
	w := opened(t)
	enrol := func(n int, sign [32]byte, lines ...string) EnrolKeys {
		return EnrolKeys{Holder: holder(n), Recipients: lines, Signing: sign}
	}
	w.refused(adminOf(1), enrol(1, signing(11)), "0 recipients")
	w.refused(adminOf(1), enrol(1, [32]byte{}, recipient(11)), "signing key is missing")
	for _, line := range []string{"", "age1", "age1" + strings.Repeat("Q", 58), "age1" + strings.Repeat("q", 58) + "\n", recipient(1) + " comment",
		"ssh-dss AAAA", "ssh-rsa !!!", "# age1" + strings.Repeat("q", 58), "ssh-ed25519  " + recipient(1)[12:], "ssh-ed25519 " + base64.StdEncoding.EncodeToString([]byte("short"))} {
		w.refused(adminOf(1), enrol(1, signing(11), line), "is not a recipient")
	}
	w.refused(adminOf(1), enrol(1, signing(11), recipient(11), recipient(11)), "twice")
	w.refused(adminOf(1), enrol(1, signing(11), recipient(2)), "another holder's")
	w.refused(adminOf(1), enrol(1, signing(2), recipient(11)), "another holder's")
	w.denied(contactOf(1), enrol(1, signing(11), recipient(11)), "member-admin")
	w.denied(adminOf(2), enrol(1, signing(11), recipient(11)), "nothing by that name")
	w.denied(alice, enrol(1, signing(11), recipient(11)), "nothing by that name")

	// A copy that is sealed to old keys is not served until it is sealed again.
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	w.do(adminOf(1), enrol(1, signing(11), recipient(11), "age1"+strings.Repeat("q", 58)))
	w.denied(contactOf(1), Fetch{wave1, holder(1)}, "keys that are not in use")
	if got := w.p.Stale(); len(got) != 1 || got[0] != wave1 {
		t.Errorf("stale waves: %v", got)
	}
	w.store(wave1)
	if w.p.Stale() != nil {
		t.Error("still stale after sealing again")
	}
	size := len(w.log)
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	if len(w.log) != size+1 {
		t.Error("another sealing of the copy was fetched without an entry")
	}

	w.do(adminOf(1), RevokeKeys{Holder: holder(1)})
	w.denied(contactOf(1), Fetch{wave1, holder(1)}, "no key")
	w.refused(adminOf(1), RevokeKeys{Holder: holder(1)}, "no keys")
	w.refused(adminOf(1), enrol(1, signing(11), recipient(12)), "was revoked")
	w.refused(adminOf(1), enrol(1, signing(12), recipient(11)), "was revoked")
	w.do(adminOf(1), enrol(1, signing(12), recipient(12)))
	w.do(alice, RevokeKeys{Holder: holder(1)})
	if len(w.p.Keys[holder(1)]) != 3 {
		t.Errorf("%d key sets are remembered", len(w.p.Keys[holder(1)]))
	}
}

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
	w.denied(alice, EndEmbargo{Case: c}, "is early")
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
	state(Exited)
	w.denied(alice, EndEmbargo{Case: c}, "is lifted")
	w.denied(alice, MoveReleaseTime{Case: c, Release: at(day)}, "is lifted")
	w.do(alice, Release{Case: c})
	state(Exited)
	w.denied(alice, Release{Case: c}, "is public")
}

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
		"no signatory":        func(c *DraftWave) { c.Audience = audience(4) },
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
	w.denied(bob, good, "is recalled")
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

func TestSealing(t *testing.T) {
	w := bound(t)
	w.draft(wave1, rev1, form.Detection, w.now.Add(day), audience(2)...)
	w.denied(machine, RecordSealed{w.statement(wave1)}, "is draft")
	w.do(carol, ApproveWave{wave1, w.p.Waves[wave1].Digest})
	w.denied(alice, RecordSealed{w.statement(wave1)}, "role sealer")
	for words, spoil := range map[string]func(*evidence.WaveStatement){
		"statement's case":      func(s *evidence.WaveStatement) { s.Case = ref(num[Case](9)) },
		"package or revision":   func(s *evidence.WaveStatement) { s.Revision = ref(num[Revision](9)) },
		"statement's level":     func(s *evidence.WaveStatement) { s.Level++ },
		"statement's opening":   func(s *evidence.WaveStatement) { s.OpensAt = s.OpensAt.Add(time.Microsecond) },
		"statement's Form":      func(s *evidence.WaveStatement) { s.Form[0]++ },
		"is not what was":       func(s *evidence.WaveStatement) { s.SlotTable[0]++ },
		"statement's allowance": func(s *evidence.WaveStatement) { s.AlphaPico++ },
		"leaves something":      func(s *evidence.WaveStatement) { s.Root = entrylog.Hash{} },
		"something out":         func(s *evidence.WaveStatement) { s.Bias = [32]byte{} },
		"leaves":                func(s *evidence.WaveStatement) { s.Decoder = "" },
		"tree of depth":         func(s *evidence.WaveStatement) { s.Depth = 0 },
	} {
		s := w.statement(wave1)
		spoil(&s)
		w.refused(machine, RecordSealed{s}, words)
	}
	s := w.statement(wave1)
	s.Wave = ref(num[Wave](9))
	w.denied(machine, RecordSealed{s}, "nothing by that name")
	if got := w.p.Unsealed(); len(got) != 1 || got[0] != wave1 {
		t.Errorf("for the sealer to do: %v", got)
	}
	if err := w.tryAs(Actor{machine, entrylog.AuthSystem}, RecordSealed{w.statement(wave1)}); err != nil {
		t.Fatal(err)
	}
	w.denied(machine, RecordSealed{w.statement(wave1)}, "is sealed")
	w.denied(carol, ApproveWave{wave1, w.p.Waves[wave1].Digest}, "is sealed")

	keys, _ := w.p.KeysOf(holder(1))
	stored := StoredCopy{Holder: holder(1), Keys: keys.Seq, Leaf: leaf(wave1, holder(1)), Blob: blob(1), Size: 1}
	for words, spoil := range map[string]func(*StoredCopy){
		"not in the wave's aud": func(c *StoredCopy) { c.Holder = holder(3) },
		"is not stored":         func(c *StoredCopy) { c.Blob = BlobRef{} },
		"not stored":            func(c *StoredCopy) { c.Size = 0 },
		"not in use":            func(c *StoredCopy) { c.Keys++ },
	} {
		c := stored
		spoil(&c)
		w.refused(machine, StoreCopies{Wave: wave1, Copies: []StoredCopy{c}}, words)
	}
	w.refused(machine, StoreCopies{Wave: wave1}, "no copies")
	w.refused(machine, StoreCopies{Wave: wave1, Copies: []StoredCopy{stored, stored}}, "ascending")
	w.do(machine, StoreCopies{Wave: wave1, Bulk: blob(2), Copies: []StoredCopy{stored}})
	w.refused(machine, StoreCopies{Wave: wave1, Bulk: blob(3), Copies: []StoredCopy{stored}}, "bulk")
	stored.Leaf[0]++
	w.refused(machine, StoreCopies{Wave: wave1, Copies: []StoredCopy{stored}}, "another than")
	if got := w.p.Unsealed(); len(got) != 1 || w.p.Waves[wave1].Stored() {
		t.Errorf("a copy is missing, and for the sealer to do: %v", got)
	}
	w.store(wave1)
	if w.p.Unsealed() != nil || !w.p.Waves[wave1].Stored() {
		t.Error("the sealer is still not done")
	}

	// Later waves of a package keep its bias and decoder.
	w.draft(num[Wave](2), rev1, form.PoC, w.now.Add(day), audience(3)...)
	w.do(carol, ApproveWave{num[Wave](2), w.p.Waves[num[Wave](2)].Digest})
	s = w.statement(num[Wave](2))
	s.Bias[0]++
	w.refused(machine, RecordSealed{s}, "earlier waves")
	w.seal2(num[Wave](2))
	if w.p.Issued(pkg1) != 3 {
		t.Errorf("%d issued; holders count once", w.p.Issued(pkg1))
	}
}

func (w *world) seal2(id WaveID) {
	w.tb.Helper()
	w.do(machine, RecordSealed{w.statement(id)})
	w.store(id)
}

func TestReading(t *testing.T) {
	read := Fetch{wave1, holder(1)}
	for name, at := range map[string]struct {
		words  string
		happen func(*world)
	}{
		"too early":      {"has not opened", func(w *world) { w.now = w.now.Add(-time.Microsecond) }},
		"held":           {"held for now", func(w *world) { w.do(bob, Hold{Wave: wave1}) }},
		"case held":      {"held for now", func(w *world) { w.do(bob, Hold{Case: case1}) }},
		"recalled":       {"recalled", func(w *world) { w.do(alice, IssueRecall{Revision: rev1}) }},
		"consent gone":   {"declined", func(w *world) { w.do(adminOf(1), GiveConsent{case1, mem(1), Declined, 1}) }},
		"no keys":        {"no key", func(w *world) { w.do(adminOf(1), RevokeKeys{Holder: holder(1)}) }},
		"suspended":      {"not in good standing", func(w *world) { w.do(alice, ChangeStanding{Member: mem(1), Standing: Suspended}) }},
		"account closed": {"is closed", func(w *world) { w.do(alice, CloseAccount{contactOf(1)}) }},
		"asked anew": {"lapsed", func(w *world) {
			w.do(alice, ProposeEmbargo{Case: case1, Release: ReleaseTime{w.now.Add(week), "UTC"}, Anew: true})
			w.do(alice, AgreeEmbargo{case1, 2})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := opened(t)
			if w.p.Readable(holder(1), wave1, w.now) != nil || w.p.May(Actor{Account: contactOf(1)}, ActFetch, ACopy(wave1, holder(1)), w.now) != nil {
				t.Fatal("not readable at all")
			}
			at.happen(w)
			// Ask the policy: Decide would refuse a clock that runs backwards.
			err := w.p.May(Actor{Account: contactOf(1)}, ActFetch, ACopy(wave1, holder(1)), w.now)
			if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), at.words) {
				t.Errorf("%v; wanted %q", err, at.words)
			}
			if name != "account closed" && w.p.Readable(holder(1), wave1, w.now) == nil {
				t.Error("denied, and called readable")
			}
		})
	}
	w := opened(t)
	w.denied(contactOf(1), Fetch{wave1, holder(2)}, "nothing by that name")
	w.denied(contactOf(3), Fetch{wave1, holder(3)}, "nothing by that name")
	w.denied(alice, Fetch{wave1, holder(1)}, "nothing by that name")
	w.denied(contactOf(1), Fetch{num[Wave](9), holder(1)}, "nothing by that name")
	w.do(contactOf(1), read)
	w.silent(contactOf(1), read)
	w.do(adminOf(1), read) // another account is another entry
	if len(w.p.Exposure(pkg1)) != 3 {
		t.Errorf("exposure: %+v", w.p.Exposure(pkg1))
	}

	// A wave whose time ends.
	w.do(bob, DraftWave{Wave: num[Wave](2), Revision: rev1, Purpose: Staged, Level: form.HeadsUp, OpensAt: w.now, LapsesAt: w.now.Add(time.Hour), Audience: audience(1)})
	w.seal(num[Wave](2))
	w.do(contactOf(1), Fetch{num[Wave](2), holder(1)})
	w.tick(time.Hour)
	w.denied(contactOf(1), Fetch{num[Wave](2), holder(1)}, "was readable until")

	// Sealed, open, and its copy not stored yet.
	w.draft(num[Wave](3), rev1, form.HeadsUp, w.now, audience(1)...)
	w.do(carol, ApproveWave{num[Wave](3), w.p.Waves[num[Wave](3)].Digest})
	w.do(machine, RecordSealed{w.statement(num[Wave](3))})
	w.denied(contactOf(1), Fetch{num[Wave](3), holder(1)}, "still being sealed")
}

func TestReceipts(t *testing.T) {
	w := opened(t)
	lodge := func(spoil func(*evidence.Receipt)) LodgeReceipt {
		r := w.receipt(wave1, holder(1))
		spoil(&r)
		return LodgeReceipt{wave1, holder(1), r}
	}
	good := lodge(func(*evidence.Receipt) {})
	w.refused(contactOf(1), good, "never fetched")
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Origin = "other.example" }), "for the log")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Key[0]++ }), "not in use")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Leaf[0]++ }), "another copy")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Tick += 2 }), "still to come")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Tick = 1 << 63 }), "still to come")
	w.denied(contactOf(2), good, "nothing by that name")
	w.denied(alice, good, "nothing by that name")
	w.do(bob, Hold{Case: case1})
	w.do(contactOf(1), good) // evidence is welcome while serving is held
	w.silent(contactOf(1), good)
	if r := w.p.Waves[wave1].CopyOf(holder(1)).Receipt; r == nil || r.Signature != good.Receipt.Signature {
		t.Error("the receipt is not kept")
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
	if w.p.EmbargoState(case1, w.now) != Exited {
		t.Error("the embargo lives on")
	}
	w.denied(carol, end, "is lifted")
	everybody := audience(4) // member 4 is in no case
	pack := DraftWave{Wave: num[Wave](2), Revision: rev1, Purpose: BreakPack, Level: form.Indicators, OpensAt: w.now, Audience: everybody}
	w.refused(carol, pack, "lower level")
	pack.Level = form.Detection
	w.do(carol, pack)
	w.seal(num[Wave](2))
	w.do(contactOf(4), Fetch{num[Wave](2), holder(4)})
	w.refused(bob, DraftWave{Wave: num[Wave](3), Revision: rev1, Purpose: Staged, Level: form.PoC, OpensAt: w.now, Audience: audience(1)}, "case is lifted")
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
	w.denied(contactOf(1), ack, "is current")
	w.do(alice, IssueRecall{Revision: rev1})
	w.denied(alice, IssueRecall{Revision: rev1}, "is recalled")
	w.denied(contactOf(2), AcknowledgeRecall{rev1, holder(2)}, "nothing by that name")
	w.do(contactOf(1), ack)
	w.silent(contactOf(1), ack)
	w.denied(contactOf(1), Fetch{wave1, holder(1)}, "stop using it")
}

func TestKeysOfBlobs(t *testing.T) {
	w := bound(t)
	w.denied(alice, DestroyKey{CaseKey, ref(case1)}, "is embargoed")
	w.do(alice, EndEmbargo{Case: case1})
	hold := SetLegalHold{CaseKey, ref(case1), true, w.now.Add(week), blob(1)}
	w.refused(alice, SetLegalHold{CaseKey, ref(case1), true, w.now, blob(1)}, "review date")
	w.refused(alice, SetLegalHold{CaseKey, ref(case1), false, w.now, blob(1)}, "no legal hold")
	w.do(alice, hold)
	w.denied(alice, DestroyKey{CaseKey, ref(case1)}, "legal hold")
	w.do(alice, SetLegalHold{CaseKey, ref(case1), false, time.Time{}, blob(1)})
	w.do(alice, DestroyKey{CaseKey, ref(case1)})
	w.silent(alice, DestroyKey{CaseKey, ref(case1)})
	w.denied(bob, SaveDraft{pkg1, case1, blob(1)}, "shredded")

	w.denied(alice, DestroyKey{PersonKey, ref(fay)}, "is open")
	w.denied(alice, DestroyKey{PersonKey, ref(mem(1))}, "is good")
	w.denied(alice, DestroyKey{NoKey, ref(fay)}, "")
	w.denied(alice, DestroyKey{CaseKey, ref(fay)}, "nothing by that name")
	w.do(alice, CloseAccount{fay})
	w.do(alice, SetLegalHold{PersonKey, ref(fay), true, w.now.Add(week), blob(1)})
	w.denied(alice, DestroyKey{PersonKey, ref(fay)}, "legal hold")
	w.do(alice, SetLegalHold{PersonKey, ref(fay), false, time.Time{}, blob(1)})
	w.do(alice, DestroyKey{PersonKey, ref(fay)})
	w.denied(otto, DestroyKey{PersonKey, ref(fay)}, "role coordinator")
}

func TestOnDuty(t *testing.T) {
	w := bound(t)
	list := func(want ...AccountID) {
		t.Helper()
		got := w.p.OnDuty(w.now)
		if len(got) != len(want) {
			t.Fatalf("%v on duty, wanted %v", got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%v on duty, wanted %v", got, want)
			}
		}
	}
	list(alice) // an empty roster calls the coordinators
	w.refused(alice, AssignDuty{num[Duty](1), bob, 1, w.now, w.now}, "only coordinators and approvers")
	w.refused(alice, AssignDuty{num[Duty](1), dan, 0, w.now, w.now}, "rank")
	w.refused(alice, AssignDuty{num[Duty](1), dan, 1, w.now, w.now.Add(-1 * time.Second)}, "before it starts")
	w.do(alice, AssignDuty{num[Duty](1), dan, 2, w.now, w.now.Add(day)})
	w.do(alice, AssignDuty{num[Duty](2), carol, 1, w.now, w.now.Add(day)})
	w.do(alice, AssignDuty{num[Duty](3), dan, 3, w.now, w.now.Add(day)})
	list(carol, dan)
	w.do(alice, AssignDuty{num[Duty](2), carol, 1, w.now, w.now})
	list(dan)
	w.do(alice, CloseAccount{dan})
	list(alice)
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
		"a later kind":         {ErrUnknownKind, func(e *entrylog.Entry, _ *entrylog.Seq) { e.Kind = 46 }},
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
