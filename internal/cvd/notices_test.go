package cvd

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// due is who is to be told, by words like "a wave opened 0 contact 1".
func (w *world) due() (out []string) {
	for _, x := range w.p.DeliveriesDue(w.now) {
		for _, id := range x.Accounts {
			out = append(out, fmt.Sprintf("%s %d %s", x.Why, x.Step, who(id)))
		}
	}
	slices.Sort(out)
	return out
}

func who(id AccountID) string {
	for name, x := range map[string]AccountID{"alice": alice, "bob": bob, "carol": carol, "dan": dan, "ines": ines} {
		if x == id {
			return name
		}
	}
	for n := 1; n < 9; n++ {
		switch id {
		case adminOf(n):
			return fmt.Sprint("admin ", n)
		case contactOf(n):
			return fmt.Sprint("contact ", n)
		}
	}
	return id.Short()
}

func (w *world) wants(t *testing.T, when string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := w.due(); !slices.Equal(got, want) {
		t.Errorf("%s: due are\n  %q, want\n  %q", when, got, want)
	}
}

// tell queues all that is due in one mailing, and says that it was sent.
func (w *world) tell(t *testing.T, n int) []*Delivery {
	t.Helper()
	for _, x := range w.p.DeliveriesDue(w.now) {
		w.do(ines, QueueDeliveries{num[Mailing](n), x.Why, x.About, x.Step, x.Accounts})
	}
	if left := w.due(); left != nil {
		t.Errorf("what is queued is due again: %q", left)
	}
	return w.p.MailOutbox(w.now)
}

func (w *world) outcome(o MailOutcome, ds ...*Delivery) {
	w.tb.Helper()
	var q RecordDeliveries
	for _, d := range ds {
		q.Rows = append(q.Rows, TriedRow{d.ID, o})
	}
	w.do(ines, q)
}

// Who works on reports is told of one that came, until somebody has read or settled
// it; and of many that come while one waits, once.
func TestReportsAreTold(t *testing.T) {
	w := bound(t)
	w.do(alice, SetIntake{[]string{recipient(9000)}})
	w.tell(t, 1)
	n := 0
	report := func(by AccountID) ReportID {
		n++
		w.do(by, ReceiveReport{Report: num[Report](n), Reference: hash32(9000 + n), Sealed: blob(1), Size: 900})
		return num[Report](n)
	}
	both := []string{"a report waits 0 alice", "a report waits 0 bob"}
	first := report(machine)
	w.wants(t, "a report from outside", both...)
	for range 20 {
		w.now = w.now.Add(time.Minute)
		report(machine)
	}
	w.wants(t, "twenty more while it waits", both...)
	w.tell(t, 2)
	w.do(bob, ReadReport{first})
	w.wants(t, "read")
	w.now = w.now.Add(Together + time.Minute)
	report(bob)
	w.wants(t, "one of their own, long after", "a report waits 0 alice")
	w.tell(t, 3)
	w.now = w.now.Add(Together + time.Minute)
	settled := report(machine)
	w.wants(t, "another, long after", both...)
	w.do(alice, SettleReport{Report: settled})
	w.wants(t, "settled")
	w.now = w.now.Add(time.Minute)
	report(machine)
	w.wants(t, "one just after all of that hour were settled", both...)
}

// Every occasion has its moment, tells those it is for, and is told once.
func TestOccasions(t *testing.T) {
	w := bound(t) // a case that binds for a month, members 1 to 3 signed
	// What was before it is over: nobody waits to be told but who was.
	w.tell(t, 1)

	opens := w.now.Add(40 * time.Hour)
	w.draft(wave1, rev1, form.Detection, opens, holder(1), holder(2))
	w.wants(t, "a draft", "approval is asked 0 carol", "approval is asked 0 dan")
	w.seal(wave1)
	w.wants(t, "sealed")
	w.now = opens.Add(-Reminder)
	w.wants(t, "a day before it opens", "a wave opens soon 0 contact 1", "a wave opens soon 0 contact 2")
	w.tell(t, 2)
	w.now = opens
	w.wants(t, "open", "a wave opened 0 contact 1", "a wave opened 0 contact 2")
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	w.wants(t, "one fetched", "a wave opened 0 contact 2")
	w.tell(t, 3)
	w.do(bob, Hold{Case: w.p.Waves[wave1].Case, Reason: blob(1)})
	w.wants(t, "held", "serving was stopped 0 contact 1", "serving was stopped 0 contact 2")
	w.do(alice, LiftHold{Case: w.p.Waves[wave1].Case})
	w.wants(t, "lifted")
	w.do(alice, IssueRecall{Revision: rev1, Reason: blob(1)})
	w.wants(t, "recalled", "a revision was recalled 0 contact 1")
	w.do(contactOf(1), AcknowledgeRecall{rev1, holder(1)})
	w.wants(t, "acknowledged")

	w.do(alice, PublishTerms{Terms: num[Terms](9), Text: blob(4), Digest: hash32(6), Binds: w.now.Add(48 * time.Hour)})
	w.do(adminOf(1), AcceptTerms{Member: mem(1), Terms: num[Terms](9), Digest: hash32(6)})
	if got := w.due(); slices.Contains(got, "terms are to be accepted 0 admin 1") || !slices.Contains(got, "terms are to be accepted 0 admin 2") {
		t.Errorf("new terms: %q", got)
	}
	w.tell(t, 4)
	w.now = w.now.Add(25 * time.Hour)
	if got := w.due(); !slices.Contains(got, "terms bind soon 0 admin 2") {
		t.Errorf("a day before they bind: %q", got)
	}
	w.tell(t, 5)

	c := w.p.Waves[wave1].Case
	w.admit(7)
	w.do(bob, Invite{Case: c, Role: AsVendor, Members: []MemberID{mem(7)}, Until: w.now.Add(60 * time.Hour)})
	w.wants(t, "invited", "consent is asked 0 admin 7")
	w.tell(t, 6)
	w.now = w.now.Add(37 * time.Hour)
	if got := w.due(); !slices.Contains(got, "an invitation lapses soon 0 admin 7") {
		t.Errorf("a day before the invitation lapses: %q", got)
	}
	w.do(adminOf(7), GiveConsent{c, mem(7), Signatory, 1})
	w.tell(t, 7)

	release := w.p.Cases[c].Embargo.Release.At
	w.now = release.Add(-Reminder)
	if got := w.due(); !slices.Contains(got, "a release is near 0 contact 7") {
		t.Errorf("a day before the release: %q", got)
	}
	w.tell(t, 8)
	w.do(alice, EndEmbargo{Case: c})
	if got := w.due(); !slices.Contains(got, "an embargo was ended 0 contact 1") {
		t.Errorf("ended: %q", got)
	}
	w.tell(t, 9)
	w.do(alice, Release{Case: c})
	if got := w.due(); !slices.Contains(got, "a case was released 0 contact 1") {
		t.Errorf("released: %q", got)
	}
	w.tell(t, 10)

	w.signIn() // the contact of member 1 has its access recovered
	w.wants(t, "recovered", "access is recovered 0 admin 1", "access is recovered 0 contact 1")
	w.tell(t, 11)
	w.now = w.now.Add(TellWithin)
	w.tell(t, 12)
	if bad := w.p.Audit(w.now); bad != nil {
		t.Error(bad)
	}
	if w.replay().StateHash() != w.p.StateHash() {
		t.Error("a replay comes to another state")
	}
}

// The contact, then the backup contact, then not reached; whoever looks ends it.
func TestBackup(t *testing.T) {
	w := bound(t)
	w.tell(t, 1)
	w.draft(wave1, rev1, form.Detection, w.now.Add(time.Hour), audience(3)...)
	w.seal(wave1)
	w.tick(time.Hour)
	w.tell(t, 2)
	reach := func() (out []Reach) {
		for _, r := range w.p.WaveReaching(wave1, w.now) {
			out = append(out, r.Reach)
		}
		return out
	}
	is := func(when string, want ...Reach) {
		t.Helper()
		if got := reach(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	sent := w.p.MailOutbox(w.now)
	if len(sent) != 3 {
		t.Fatalf("%d wait to be sent, want 3", len(sent))
	}
	byAccount := func(id AccountID) *Delivery { all := w.p.DeliveriesTo(id); return all[len(all)-1] }
	w.outcome(MailSent, byAccount(contactOf(1)), byAccount(contactOf(2)))
	w.outcome(MailBounced, byAccount(contactOf(3)))
	if out := w.p.MailOutbox(w.now); out != nil {
		t.Errorf("%d wait after they were sent or bounced", len(out))
	}
	is("told", Telling, Telling, Telling)
	w.wants(t, "bounced", "a wave opened 1 admin 3")
	w.tell(t, 3)
	w.outcome(MailSent, byAccount(adminOf(3)))
	w.do(contactOf(1), SeeNotices{contactOf(1)})
	if n := len(w.log); w.try(contactOf(1), SeeNotices{contactOf(1)}) != nil || len(w.log) != n {
		t.Error("looking twice is written twice")
	}
	is("one looked", Reached, Telling, Telling)
	w.tick(BackupAfter - time.Minute)
	w.wants(t, "before a contact's time is over")
	w.tick(time.Minute)
	w.wants(t, "after it", "a wave opened 1 admin 2")
	is("after it", Reached, Telling, NotReached)
	w.tell(t, 4)
	w.tick(BackupAfter)
	is("in the end", Reached, NotReached, NotReached)
	w.wants(t, "nobody is left to tell")
	w.do(contactOf(3), Fetch{wave1, holder(3)})
	is("fetched", Reached, NotReached, Reached)
	// A bounce that comes as mail, hours later.
	late := byAccount(contactOf(2))
	w.outcome(MailBounced, late)
	if s := w.p.DeliveryState(late.ID); s != DeliveryBounced {
		t.Errorf("a late bounce leaves it %s", s)
	}
	if n := len(w.log); w.try(ines, RecordDeliveries{[]TriedRow{{late.ID, MailBounced}, {late.ID, MailSent}}}) != nil || len(w.log) != n {
		t.Error("the same bounce is written twice")
	}
}

// A notice that no server takes is tried again after each delay, and given up.
func TestMailRetries(t *testing.T) {
	w := bound(t)
	w.tell(t, 1)
	w.draft(wave1, rev1, form.Detection, w.now.Add(time.Hour), holder(1))
	w.seal(wave1)
	w.tick(time.Hour)
	d := w.tell(t, 2)[0]
	for _, after := range MailRetries {
		w.outcome(MailFailed, d)
		w.tick(after - time.Second)
		if out := w.p.MailOutbox(w.now); slices.Contains(out, d) {
			t.Errorf("tried again %s after it failed", after-time.Second)
		}
		w.tick(time.Second)
		if out := w.p.MailOutbox(w.now); !slices.Contains(out, d) {
			t.Errorf("not tried again %s after it failed", after)
		}
	}
	w.outcome(MailFailed, d)
	if s := w.p.DeliveryState(d.ID); s != DeliveryFailed {
		t.Errorf("in the end it is %s", s)
	}
}

// Several things in one mailing make one notice; nobody is told what isn't due.
func TestOneNotice(t *testing.T) {
	w := bound(t)
	w.tell(t, 1)
	for _, id := range []WaveID{wave1, num[Wave](77)} {
		w.draft(id, rev1, form.Detection, w.now.Add(time.Hour), holder(1))
		w.seal(id)
	}
	w.tick(time.Hour)
	w.tell(t, 2)
	all := w.p.DeliveriesTo(contactOf(1))
	if d := all[len(all)-1]; len(d.For) != 2 || d.ID != DeliveryOf(num[Mailing](2), contactOf(1)) {
		t.Errorf("two waves in one mailing: %+v", d)
	}
	for name, q := range map[string]QueueDeliveries{
		"again":      {num[Mailing](3), WaveOpened, ref(wave1), 0, []AccountID{contactOf(1)}},
		"a stranger": {num[Mailing](3), WaveOpened, ref(wave1), 0, []AccountID{contactOf(2)}},
		"no wave":    {num[Mailing](3), WaveOpened, ref(num[Case](9)), 0, []AccountID{contactOf(1)}},
		"no mailing": {MailingID{}, WaveOpened, ref(wave1), 0, []AccountID{contactOf(1)}},
		"nobody":     {num[Mailing](3), WaveOpened, ref(wave1), 0, nil},
		"no reason":  {num[Mailing](3), NoWhy, ref(wave1), 0, []AccountID{contactOf(1)}},
		"a strange":  {num[Mailing](3), whyEnd, ref(wave1), 0, []AccountID{contactOf(1)}},
	} {
		if err := w.try(ines, q); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.try(contactOf(1), QueueDeliveries{num[Mailing](3), WaveOpened, ref(wave1), 0, []AccountID{contactOf(1)}}); !errors.Is(err, ErrDenied) {
		t.Errorf("a member's account queues: %v", err)
	}
	if err := w.try(contactOf(1), SeeNotices{contactOf(2)}); !errors.Is(err, ErrDenied) {
		t.Errorf("another's notices are seen: %v", err)
	}
}

// A log that tells of what there isn't doesn't fold.
func TestTellingOfNothing(t *testing.T) {
	w := bound(t)
	before := w.p.StateHash()
	for name, b := range map[string]fact{
		"a case for a wave":     &DeliveriesQueued{num[Mailing](1), WaveOpened, ref(case1), 0, []AccountID{contactOf(1)}},
		"no revision":           &DeliveriesQueued{num[Mailing](1), RecallMade, ref(num[Revision](99)), 0, []AccountID{contactOf(1)}},
		"no terms":              &DeliveriesQueued{num[Mailing](1), TermsAsked, ref(case1), 0, []AccountID{contactOf(1)}},
		"nobody that there is":  &DeliveriesQueued{num[Mailing](1), CaseReleased, ref(case1), 0, []AccountID{num[Account](999)}},
		"a third contact":       &DeliveriesQueued{num[Mailing](1), CaseReleased, ref(case1), 2, []AccountID{contactOf(1)}},
		"no delivery":           &DeliveriesTried{[]TriedRow{{num[Delivery](1), MailSent}}},
		"an account that isn't": &DeliveriesSeen{num[Account](999)},
	} {
		e := entrylog.Entry{Time: w.now, Actor: entrylog.Ref(ines), Kind: kindOf(b), Subject: b.subject(), Body: wire.Marshal(b)}
		if err := w.p.Apply(w.p.Next, e); !errors.Is(err, ErrReplay) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.p.StateHash() != before {
		t.Error("what was refused changed the state")
	}
}

// What began long ago is told nobody: a programme that gets a mail server late
// doesn't send what is past.
func TestNothingOld(t *testing.T) {
	w := bound(t)
	w.draft(wave1, rev1, form.Detection, w.now.Add(time.Hour), audience(2)...)
	w.seal(wave1)
	w.tick(time.Hour + TellWithin)
	for _, x := range w.p.DeliveriesDue(w.now) {
		if x.Why == WaveOpened {
			t.Errorf("%s is told after a week", x.Why)
		}
	}
}

// What is due to thousands of members is found in a moment, and takes few entries.
func TestManyMembers(t *testing.T) {
	const members = 5_000
	w := newWorld(t)
	w.found()
	for n := 1; n <= members; n++ {
		w.admitQuick(n)
	}
	w.embargo(num[Case](1), members)
	w.revise(num[Case](1), num[Package](1), num[Revision](1))
	w.draft(num[Wave](1), num[Revision](1), form.Detection, w.now.Add(time.Hour), audience(members)...)
	w.seal(num[Wave](1))
	w.tick(time.Hour)
	begun := time.Now()
	due := w.p.DeliveriesDue(w.now)
	t.Logf("found %d in %s", members, time.Since(begun))
	var accounts []AccountID
	for _, x := range due {
		if x.Why == WaveOpened {
			accounts = x.Accounts
		}
	}
	if len(accounts) != members {
		t.Fatalf("%d are due, want %d", len(accounts), members)
	}
	before := len(w.log)
	var all []Command
	for part := range slices.Chunk(accounts, MaxTold) {
		all = append(all, QueueDeliveries{num[Mailing](1), WaveOpened, ref(num[Wave](1)), 0, part})
	}
	events, err := w.p.DecideAll(all, Actor{Account: ines}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.fold(Actor{Account: ines}, events)
	begun = time.Now()
	out := w.p.MailOutbox(w.now)
	t.Logf("outbox of %d in %s; %d entries", len(out), time.Since(begun), len(w.log)-before)
	if len(out) != members || len(w.log)-before > 3 {
		t.Errorf("%d wait, queued in %d entries", len(out), len(w.log)-before)
	}
}
