package cvd

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
)

var update = flag.Bool("update", false, "write doc/access.md, doc/states.md and missing golden files anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	old, now := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(old), len(now)) {
		var a, b string
		if i < len(old) {
			a = old[i]
		}
		if i < len(now) {
			b = now[i]
		}
		if a != b {
			t.Fatalf("%s is not what the program does, at line %d:\n  file    %s\n  program %s\nIf the program is right, run: go test ./internal/cvd -update", path, i+1, a, b)
		}
	}
}

// who stands for a role in the table.
var columns = []struct {
	role Role
	by   AccountID
}{
	{Coordinator, alice}, {CaseWorker, bob}, {Approver, carol}, {Investigator, ines}, {Auditor, otto},
	{MemberAdmin, adminOf(1)}, {MemberContact, contactOf(1)}, {Finder, fay}, {Sealer, machine},
}

// TestAccessTable asks the policy about every action, every object in every
// state, and every role, and compares with the table that people read.
func TestAccessTable(t *testing.T) {
	f := newFixture(t)
	var b strings.Builder
	b.WriteString(`# Who may do what

Printed by asking the policy (` + "`cvd.May`" + `) about every action, on every kind of object, in every state that it can be in, for every
role. **What is not in this table is denied**: so is everything to nobody, to accounts that are not known or closed, to
accounts of members that are suspended, excluded or gone, and to everybody about objects that they have no part in. They
are told the same whether such an object exists or not.

*yes*: in every state; *not x*: in every state but x; otherwise the states in which it is allowed. † asks a signed-in person for proof of who they are,
just now. Roles add up; a lent role counts as one's own, but nobody approves what they, or who lent them the role, drafted.
A coordinator or approver ends an embargo while on duty; when nobody is on the roster, every coordinator is.

Members' accounts and finders stand here in what is theirs: member accounts in cases that their member takes part in as a
signatory (when the case is early: invited), with waves that they are in the audience of; finders in cases that they reported.

`)
	b.WriteString("| action | on |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.role)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(columns)) + "\n")
	asked, allowed := 0, map[Action]bool{}
	for a := NoAction + 1; a < actEnd; a++ {
		for _, fam := range f.families {
			row, any := "", false
			for _, c := range columns {
				var in []string
				for _, v := range fam.variants {
					asked++
					if f.p.May(Actor{Account: c.by}, a, v.of(f.p.Accounts[c.by]), f.now) == nil {
						in = append(in, v.state)
					}
				}
				cell := strings.Join(in, ", ")
				if left := fam.without(in); len(left) == 1 && len(in) > 2 {
					cell = "not " + left[0]
				}
				switch {
				case len(in) == len(fam.variants):
					cell = "yes"
				case len(in) == 0:
					cell = "·"
				}
				any = any || len(in) > 0
				row += " " + cell + " |"
			}
			if any {
				allowed[a] = true
				mark := ""
				if rules[a].fresh {
					mark = " †"
				}
				fmt.Fprintf(&b, "| %s%s | %s |%s\n", a, mark, fam.name, row)
			}
		}
	}
	for a := ActFound + 1; a < actEnd; a++ {
		if !allowed[a] {
			t.Errorf("%s: nobody may do it to anything", a)
		}
	}
	if asked < 10_000 {
		t.Errorf("only %d questions were asked", asked)
	}
	golden(t, "../../doc/access.md", b.String())
}

// without is the states of a family that are not among some.
func (fam *family) without(in []string) (left []string) {
	for _, v := range fam.variants {
		if !slices.Contains(in, v.state) {
			left = append(left, v.state)
		}
	}
	return left
}

// all calls f with every action and every object of the fixture, as an account
// would mean it.
func (f *fixture) all(acc *Account, do func(Action, Object)) {
	for a := range actEnd + 1 {
		for _, fam := range f.families {
			for _, v := range fam.variants {
				do(a, v.of(acc))
			}
		}
		for _, o := range f.foreign {
			do(a, o)
		}
	}
}

func TestDeniedEverywhere(t *testing.T) {
	f := newFixture(t)
	for name, who := range map[string]Actor{
		"nobody":              {},
		"an unknown account":  {Account: num[Account](999)},
		"a closed account":    {Account: oldClerk},
		"closed staff":        {Account: eve},
		"a suspended admin":   {Account: adminOf(suspended)},
		"a suspended contact": {Account: contactOf(suspended)},
		"an excluded admin":   {Account: adminOf(excluded)},
		"a member that left":  {Account: adminOf(gone)},
		"the system as alice": {Account: alice, Auth: entrylog.AuthSystem},
		"a login as machine":  {Account: machine, Auth: entrylog.AuthFresh},
		"a strange authority": {Account: alice, Auth: entrylog.AuthSystem + 1},
	} {
		acc := f.p.Accounts[who.Account]
		if acc == nil {
			acc = &Account{ID: who.Account}
		}
		f.all(acc, func(a Action, o Object) {
			if err := f.p.May(who, a, o, f.now); !errors.Is(err, ErrDenied) {
				t.Errorf("%s may %s on %v", name, a, o)
			}
		})
	}
	for _, c := range columns {
		for a := range actEnd + 1 {
			for _, o := range []Object{{}, {Kind: objectEnd}, {Kind: 200}, {Kind: OnCase}, {Kind: OnCopy}, {Kind: OnProgramme, Holder: holder(1)}} {
				if f.p.May(Actor{Account: c.by}, a, o, f.now) == nil {
					t.Errorf("%s may %s on %v", c.role, a, o)
				}
			}
		}
		if f.p.May(Actor{Account: c.by}, NoAction, TheProgramme(), f.now) == nil {
			t.Errorf("%s may do nothing in particular", c.role)
		}
		if New().May(Actor{Account: c.by}, ActViewLog, TheProgramme(), f.now) == nil {
			t.Errorf("%s may look at a programme that isn't", c.role)
		}
	}
}

// TestForeign: a copy, a part, a reading in somebody else's name is nobody's,
// whatever the role.
func TestForeign(t *testing.T) {
	f := newFixture(t)
	for _, c := range columns {
		for a := range actEnd {
			for _, o := range f.foreign {
				if f.p.May(Actor{Account: c.by}, a, o, f.now) == nil {
					t.Errorf("%s may %s on another's %s", c.role, a, o.Kind)
				}
			}
		}
	}
}

// TestStrangers: who has no part in an object is denied everything about it, in
// the same words as if it did not exist.
func TestStrangers(t *testing.T) {
	f := newFixture(t)
	for _, id := range []AccountID{adminOf(strangers), contactOf(strangers), gus, otto} {
		who, acc := Actor{Account: id}, f.p.Accounts[id]
		f.all(acc, func(a Action, o Object) {
			if o.Kind == OnProgramme || o == AHolder(acc.HolderOf()) || o == AnAccount(id) || o == AReport(ReportID(id)) {
				return
			}
			err := f.p.May(who, a, o, f.now)
			if err == nil {
				t.Errorf("%s, a stranger, may %s on %s", acc.Roles, a, o.Kind)
				return
			}
			nothing := o
			nothing.ID = entrylog.Ref(num[Case](987_654))
			if other := f.p.May(who, a, nothing, f.now); other == nil || other.Error() != err.Error() {
				t.Errorf("%s, %s on %s that exists: %v; that does not: %v", acc.Roles, a, o.Kind, err, other)
			}
		})
	}
}

// TestUnsealed: a member of the audience does not learn of a wave before it is
// sealed, also not by what it is told when it asks.
func TestUnsealed(t *testing.T) {
	f := newFixture(t)
	for _, id := range []WaveID{num[Wave](2), num[Wave](3)} {
		if s := f.p.WaveState(id, f.now); s != StateDraft && s != StateApproved {
			t.Fatalf("the fixture's wave is %s", s)
		}
		for _, by := range []AccountID{adminOf(1), contactOf(1)} {
			for a := range actEnd {
				for _, o := range []Object{AWave(id), ACopy(id, holder(1))} {
					nothing := o
					nothing.ID = entrylog.Ref(num[Case](987_654))
					err, other := f.p.May(Actor{Account: by}, a, o, f.now), f.p.May(Actor{Account: by}, a, nothing, f.now)
					if err == nil || other == nil || err.Error() != other.Error() {
						t.Errorf("%s on an unsealed %s: %v; on none: %v", a, o.Kind, err, other)
					}
				}
			}
			if err := f.p.Readable(holder(1), id, f.now); err == nil || err.Error() != f.p.Readable(holder(1), num[Wave](99), f.now).Error() {
				t.Errorf("an unsealed wave: %v", err)
			}
		}
	}
}

// TestDrafters: who had a hand in a wave may do all that others of the role may,
// but approve it.
func TestDrafters(t *testing.T) {
	f := newFixture(t)
	f.do(alice, AssignDuty{Duty: num[Duty](3), Account: dan, Rank: 3, Starts: f.now, Ends: f.now.Add(time.Hour)})
	other := f.p.Accounts[dan]
	for _, fam := range f.families {
		if fam.kind == OnDelegation {
			continue // carol's own
		}
		for _, v := range fam.variants {
			for a := range actEnd {
				c := f.p.May(Actor{Account: carol}, a, v.of(f.p.Accounts[carol]), f.now) == nil
				d := f.p.May(Actor{Account: dan}, a, v.of(other), f.now) == nil
				if d != (c && a != ActApproveWave) {
					t.Errorf("%s on %s %s: carol %v, dan %v", a, fam.name, v.state, c, d)
				}
			}
		}
	}
}

// TestFresh: what asks for fresh proof is refused to a mere session, and nothing
// else is.
func TestFresh(t *testing.T) {
	f := newFixture(t)
	for _, c := range columns {
		if c.role == Sealer {
			continue
		}
		acc := f.p.Accounts[c.by]
		f.all(acc, func(a Action, o Object) {
			local := f.p.May(Actor{Account: c.by}, a, o, f.now) == nil
			session := f.p.May(Actor{c.by, entrylog.AuthSession}, a, o, f.now) == nil
			proved := f.p.May(Actor{c.by, entrylog.AuthFresh}, a, o, f.now) == nil
			if proved != local || a < actEnd && session != (local && !rules[a].fresh) {
				t.Errorf("%s, %s on %s: local %v, session %v, fresh %v", c.role, a, o.Kind, local, session, proved)
			}
		})
	}
	for _, a := range []Action{ActApproveWave, ActEndEmbargo, ActEnrolKeys, ActRevokeKeys} {
		if !rules[a].fresh {
			t.Errorf("%s asks for no fresh proof", a)
		}
	}
}

// TestRefusals: who may know what state something is in is told so in plain words,
// and what to do next.
func TestRefusals(t *testing.T) {
	f := newFixture(t)
	early, bound, lifted, public := ACase(num[Case](1)), ACase(num[Case](2)), ACase(num[Case](3)), ACase(num[Case](4))
	for _, x := range []struct {
		a         Action
		o         Object
		why, hint string
	}{
		{ActRelease, early, "no embargo of the case binds yet", "agree one first: forewarn case embargo CASE"},
		{ActRelease, bound, "the case is embargoed", "end the embargo first: forewarn case end CASE"},
		{ActRelease, public, "the case is public already", tooLate},
		{ActCorrectAdvisory, lifted, "the embargo is over, and the case was not released yet", "release it first: forewarn case release CASE"},
		{ActInvite, lifted, "the embargo is over, and the case was not released yet", tooLate},
	} {
		var d *Denied
		if err := f.p.May(Actor{Account: alice}, x.a, x.o, f.now); !errors.As(err, &d) || d.Why != x.why || d.Hint != x.hint {
			t.Errorf("%s: %v", x.a, err)
		}
	}
	told := 0
	for _, c := range columns {
		f.all(f.p.Accounts[c.by], func(a Action, o Object) {
			var d *Denied
			if errors.As(f.p.May(Actor{Account: c.by}, a, o, f.now), &d) && d.Why == notNow {
				t.Errorf("%s, %s on %s: the state has no words", c.role, a, o.Kind)
			}
			told++
		})
	}
	if told < 1000 {
		t.Errorf("only %d questions were asked", told)
	}
}

// TestEveryActionHasARule: an action that nobody may do is a mistake, and so is
// a name missing from a list.
func TestEveryActionHasARule(t *testing.T) {
	for a := ActFound + 1; a < actEnd; a++ {
		if len(rules[a].grants) == 0 {
			t.Errorf("%s: nobody may do it", a)
		}
		for _, g := range rules[a].grants {
			if g.in == 0 || g.roles == 0 || g.on == NoObject {
				t.Errorf("%s: a grant that allows nothing: %+v", a, g)
			}
		}
	}
	if len(actionNames) != int(actEnd) || len(objectNames) != int(objectEnd) || len(roleNames) != int(roleEnd) || len(useNames) != int(useEnd) {
		t.Error("names are missing")
	}
}
