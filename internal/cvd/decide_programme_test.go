package cvd

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"forewarn/internal/form"
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
	w.denied(alice, ChangeStanding{Member: mem(1), Standing: Good}, "was excluded")

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

	// The keys that are in use, once more, are no entry, and no copy waits for them.
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	before := len(w.log)
	w.do(adminOf(1), enrol(1, signing(1), recipient(1)))
	if len(w.log) != before || w.p.Stale() != nil {
		t.Errorf("the same keys again: %d entries, stale %v", len(w.log)-before, w.p.Stale())
	}

	// A copy that is sealed to old keys is not served until it is sealed again.
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
	w.denied(bob, SaveDraft{pkg1, case1, blob(1)}, "was destroyed")

	w.denied(alice, DestroyKey{PersonKey, ref(fay)}, "is open")
	w.denied(alice, DestroyKey{PersonKey, ref(mem(1))}, "is in good standing")
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
