package cvd

import (
	"testing"
	"time"

	"forewarn/internal/form"
	"forewarn/internal/tlp"
)

// variant is an object in one of its states. It may depend on who asks: "their
// own copy" is another object for each.
type variant struct {
	state string
	of    func(a *Account) Object
}

func fixed(state string, o Object) variant {
	return variant{state, func(*Account) Object { return o }}
}

// family is objects of one kind, in every state that they can be in.
type family struct {
	name     string
	kind     ObjectKind
	variants []variant
}

// fixture is a world with every kind of object in every state, and somebody for
// every role who stands to them as closely as that role can: member 1 takes part
// everywhere; member 2 does too, and is never the one who asks.
type fixture struct {
	*world
	families []family
	// What is nobody's own: a copy, a part, a reading of member 2.
	foreign []Object
}

const (
	strangers = 5 // a member in good standing who takes part in nothing
	suspended = 6
	excluded  = 7
	gone      = 8
)

var (
	clerk      = num[Account](400) // another account of member 1
	oldClerk   = num[Account](401) // and a closed one
	gus        = num[Account](402) // a finder of nothing
	eve        = num[Account](403) // a closed account of the staff
	hal        = num[Account](404) // a case worker to whom the approver's role is lent
	lender     = num[Delegation](1)
	oldLending = num[Delegation](2)
)

func newFixture(tb testing.TB) *fixture {
	f := &fixture{world: newWorld(tb)}
	w := f.world
	w.found()
	for _, n := range []int{1, 2, strangers, suspended, excluded, gone} {
		w.admit(n)
	}
	w.do(alice, AddAccount{Account: clerk, Member: mem(1), Roles: RoleSet(MemberContact)})
	w.do(alice, AddAccount{Account: oldClerk, Member: mem(1), Roles: RoleSet(MemberContact)})
	w.do(adminOf(1), CloseAccount{oldClerk})
	w.do(alice, AddAccount{Account: gus, Roles: RoleSet(Finder)})
	w.do(alice, AddAccount{Account: eve, Roles: RoleSet(Coordinator, Approver)})
	w.do(alice, CloseAccount{eve})
	w.do(alice, AddAccount{Account: hal, Roles: RoleSet(CaseWorker)})
	w.do(alice, ChangeStanding{Member: mem(suspended), Standing: Suspended, Reason: blob(60)})
	w.do(alice, ChangeStanding{Member: mem(excluded), Standing: Excluded, Reason: blob(60)})
	w.do(alice, ChangeStanding{Member: mem(gone), Standing: Left, Reason: blob(60)})
	for i, a := range []AccountID{alice, bob, carol, dan} {
		w.enrol(a, HolderID(a), 500+i)
	}
	w.do(carol, Delegate{Delegation: lender, To: hal, Role: Approver, Starts: w.now, Ends: w.now.Add(24 * time.Hour)})
	w.do(carol, Delegate{Delegation: oldLending, To: bob, Role: Approver, Starts: w.now, Ends: w.now.Add(time.Hour)})
	w.do(carol, RevokeDelegation{oldLending})
	f.programme()
	f.cases()
	return f
}

func (f *fixture) family(name string, kind ObjectKind, v ...variant) {
	f.families = append(f.families, family{name, kind, v})
}

func (f *fixture) programme() {
	f.family("the programme", OnProgramme, fixed("", TheProgramme()))
	f.family("an account of the member", OnAccount, fixed("open", AnAccount(clerk)), fixed("closed", AnAccount(oldClerk)))
	f.family("their own account", OnAccount, variant{"", func(a *Account) Object { return AnAccount(a.ID) }})
	f.family("another account", OnAccount, fixed("open", AnAccount(gus)), fixed("closed", AnAccount(eve)))
	f.family("a member", OnMember, fixed("good", AMember(mem(1))), fixed("suspended", AMember(mem(suspended))),
		fixed("excluded", AMember(mem(excluded))), fixed("left", AMember(mem(gone))))
	f.family("their own keys", OnHolder, variant{"", func(a *Account) Object { return AHolder(a.HolderOf()) }})
	f.family("another's keys", OnHolder, fixed("", AHolder(holder(2))))
	w := f.world
	w.do(alice, SetIntake{Recipients: []string{recipient(9000)}})
	for i := range 2 {
		w.do(machine, ReceiveReport{Report: num[Report](9001 + i), Reference: hash32(9100 + i), Sealed: blob(9101), Size: 900, Credit: blob(9102)})
	}
	w.do(alice, SettleReport{Report: num[Report](9002)})
	var own []variant
	reporters := []AccountID{dan}
	for _, c := range columns {
		reporters = append(reporters, c.by)
	}
	for _, id := range reporters {
		w.do(id, ReceiveReport{Report: ReportID(id), Reference: [32]byte(append(id[:], id[:]...)), Sealed: blob(9103), Size: 900})
	}
	own = append(own, variant{"waiting", func(a *Account) Object { return AReport(ReportID(a.ID)) }})
	f.family("a report", OnReport, fixed("waiting", AReport(num[Report](9001))), fixed("settled", AReport(num[Report](9002))))
	f.family("a report of their own", OnReport, own...)
	f.family("a delegation", OnDelegation, fixed("in force", ADelegation(lender)), fixed("past", ADelegation(oldLending)))
}

// cases opens a case for each phase, each with a package, and a wave for each
// state in the one whose embargo binds.
func (f *fixture) cases() {
	w := f.world
	early, bound, lifted, public, gone := num[Case](1), num[Case](2), num[Case](3), num[Case](4), num[Case](5)
	w.do(alice, OpenCase{Case: early, Title: blob(6), Finder: fay})
	w.do(bob, Invite{Case: early, Role: AsVendor, Members: []MemberID{mem(1), mem(2)}})
	for _, c := range []CaseID{bound, lifted, public, gone} {
		w.embargo(c, 2)
	}
	for i, c := range []CaseID{early, bound, lifted, public, gone} {
		w.revise(c, num[Package](i+1), num[Revision](i+1))
	}
	f.waves(bound, num[Package](2), num[Revision](2))
	for _, c := range []CaseID{lifted, public, gone} {
		w.do(alice, EndEmbargo{Case: c})
	}
	w.do(alice, Release{Case: public})
	w.do(alice, DestroyKey{Scope: CaseKey, ID: ref(gone)})
	w.do(alice, AssignDuty{Duty: num[Duty](1), Account: alice, Rank: 1, Starts: w.now, Ends: w.now.Add(time.Hour)})
	w.do(alice, AssignDuty{Duty: num[Duty](2), Account: carol, Rank: 2, Starts: w.now, Ends: w.now.Add(time.Hour)})

	var cases, packages, parts []variant
	for i, c := range []CaseID{early, bound, lifted, public, gone} {
		phase := []string{"early", "embargoed", "lifted", "public", "shredded"}[i]
		cases = append(cases, fixed(phase, ACase(c)))
		packages = append(packages, fixed(phase, APackage(num[Package](i+1))))
		parts = append(parts, variant{phase, func(a *Account) Object { return APart(c, a.Member) }})
		f.foreign = append(f.foreign, APart(c, mem(2)))
	}
	f.family("a case", OnCase, cases...)
	f.family("a package", OnPackage, packages...)
	f.family("their own part in a case", OnPart, parts...)
}

func (f *fixture) waves(c CaseID, pk PackageID, r RevisionID) {
	w := f.world
	old := num[Revision](50)
	w.do(bob, MakeRevision{Revision: old, Package: pk, Title: blob(11), Source: blob(10), Form: hash32(12), SlotTable: hash32(13),
		Label: tlp.Red, Level: form.PoC, Break: form.Description, AlphaPico: 1_000_000})
	everybody := append(audience(2), HolderID(alice), HolderID(bob), HolderID(carol), HolderID(dan))
	var waves, copies []variant
	next := 0
	add := func(state string, r RevisionID, opens time.Time) WaveID {
		next++
		id := num[Wave](next)
		w.draft(id, r, form.Detection, opens, everybody...)
		w.do(dan, DraftWave{Wave: id, Revision: r, Purpose: Staged, Level: form.PoC, OpensAt: opens, Audience: everybody})
		waves = append(waves, fixed(state, AWave(id)))
		copies = append(copies, variant{state, func(a *Account) Object { return ACopy(id, a.HolderOf()) }})
		f.foreign = append(f.foreign, ACopy(id, holder(2)))
		return id
	}
	soon, later := w.now.Add(time.Hour), w.now.Add(48*time.Hour)
	w.seal(add("asked again", r, later))
	w.do(alice, MoveReleaseTime{Case: c, Release: ReleaseTime{w.now.Add(29 * 24 * time.Hour), "UTC"}, Reason: blob(61)})
	add("draft", r, later)
	w.do(carol, ApproveWave{add("approved", r, later), w.p.Waves[num[Wave](next)].Digest})
	w.seal(add("sealed", r, later))
	w.seal(add("open", r, soon))
	open := num[Wave](next)
	held := add("held", r, soon)
	w.seal(held)
	w.do(bob, Hold{Wave: held, Reason: blob(62)})
	cancelled := add("cancelled", r, later)
	w.seal(cancelled)
	w.do(bob, CancelWave{Wave: cancelled, Reason: blob(63)})
	superseded := add("superseded", old, soon)
	w.seal(superseded)
	w.now = soon
	for _, a := range []AccountID{contactOf(1), contactOf(2), alice, bob, carol, dan} {
		h := w.p.Accounts[a].HolderOf()
		w.do(a, Fetch{open, h})
		w.do(a, Fetch{superseded, h})
	}
	w.do(alice, IssueRecall{Revision: old, Reason: blob(64)})

	f.family("a wave", OnWave, waves...)
	f.family("their own copy", OnCopy, copies...)
	f.family("a revision", OnRevision, fixed("current", ARevision(r)), fixed("recalled", ARevision(old)))
	f.family("a revision they fetched", OnReading,
		variant{"current", func(a *Account) Object { return AReading(r, a.HolderOf()) }},
		variant{"recalled", func(a *Account) Object { return AReading(old, a.HolderOf()) }})
	f.foreign = append(f.foreign, AReading(r, holder(2)), AReading(old, holder(2)))
}
