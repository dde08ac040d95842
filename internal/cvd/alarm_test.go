package cvd

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// watch is a world with an embargoed case, two on duty and sources of each origin.
// Members 1 and 2 have one owner, member 3 is nobody's.
func watch(t *testing.T) (*world, CaseID) {
	w := newWorld(t)
	w.found()
	for n := 1; n <= 3; n++ {
		w.admit(n)
	}
	c := num[Case](1)
	w.embargo(c, 3)
	w.do(alice, DeclareGroup{num[Group](1), []MemberID{mem(1), mem(2)}})
	w.do(alice, AssignDuty{num[Duty](1), carol, 1, w.now, w.now.Add(24 * time.Hour)})
	w.do(alice, AssignDuty{num[Duty](2), alice, 2, w.now, w.now.Add(24 * time.Hour)})
	w.do(alice, DeclareSource{Source: own, Name: blob(1), Origin: OwnSensor, Grade: GradeB, Quota: 10})
	for n := 1; n <= 3; n++ {
		w.do(alice, DeclareSource{Source: num[Source](n), Name: blob(1), Origin: MemberSource, Member: mem(n), Quota: 10})
	}
	w.do(alice, DeclareSource{Source: rumour, Name: blob(1), Origin: Hearsay, Quota: 10})
	w.do(alice, DeclareSource{Source: pastes, Name: blob(1), Origin: OwnSensor, Public: true, Quota: 10})
	return w, c
}

var own, rumour, pastes = num[Source](10), num[Source](11), num[Source](12)

// saw records one thing and gives what it did.
func (w *world) saw(c CaseID, s SourceID, tag byte, bytes bool) Effect {
	w.tb.Helper()
	w.do(ines, RecordSightings{Case: c, Source: s, Detail: blob(1), Seen: []SeenRow{
		{Sighting: num[Sighting](len(w.log)), Clue: Token, Tag: Tag{tag}, Count: 1, Bytes: bytes}}})
	seen := w.p.Cases[c].Seen
	return seen[len(seen)-1].Effect
}

func (w *world) state(c CaseID, want AlarmState) {
	w.tb.Helper()
	if got := w.p.AlarmState(c, w.now); got != want {
		w.tb.Errorf("the alarm is %s, want %s", got, want)
	}
}

func (w *world) chose(c CaseID, x Choice) error {
	return w.try(carol, DecideAlarm{Case: c, Round: w.p.Cases[c].Alarm.Round, Choice: x, Reason: blob(9), Suppression: num[Suppression](len(w.log)), Until: w.now.Add(time.Hour)})
}

func TestAlarmRises(t *testing.T) {
	w, c := watch(t)
	w.state(c, NoAlarm)
	for _, step := range []struct {
		does  func() Effect
		want  Effect
		state AlarmState
	}{
		{func() Effect { return w.saw(c, own, 1, true) }, Raises, AlarmRaised},
		{func() Effect { return w.saw(c, own, 1, true) }, Repeats, AlarmRaised},
		{func() Effect { return w.saw(c, own, 2, true) }, Joins, AlarmRaised},
		{func() Effect { w.do(alice, AcknowledgeAlarm{c, 1}); return w.saw(c, own, 3, true) }, Joins, AlarmInHand},
		{func() Effect { _ = w.chose(c, ChooseWatch); return w.saw(c, own, 3, true) }, Repeats, AlarmWatched},
		{func() Effect { return w.saw(c, num[Source](1), 3, false) }, Raises, AlarmRaised}, // another source
		{func() Effect { _ = w.chose(c, ChooseHold); return w.saw(c, num[Source](1), 3, false) }, Repeats, AlarmHeld},
		{func() Effect { w.do(carol, LiftHold{Case: c}); return w.saw(c, num[Source](1), 3, false) }, Repeats, AlarmUnheld},
		{func() Effect { w.do(bob, Hold{Case: c}); return w.saw(c, num[Source](1), 3, false) }, Repeats, AlarmHeld},
		{func() Effect { return w.saw(c, num[Source](1), 3, true) }, Raises, AlarmRaised},
		{func() Effect { _ = w.chose(c, ChooseDismiss); return w.saw(c, own, 1, true) }, Suppressed, AlarmDismissed},
		{func() Effect { return w.saw(c, own, 9, true) }, Raises, AlarmRaised},
		{func() Effect { w.tick(2 * time.Hour); return w.saw(c, own, 1, true) }, Joins, AlarmRaised}, // the suppression is over
		{func() Effect { _ = w.chose(c, ChooseEnd); return w.saw(c, own, 7, true) }, AfterEmbargo, AlarmEnded},
	} {
		if got := step.does(); got != step.want {
			t.Errorf("after %d entries: it %s, want %s", len(w.log), got, step.want)
		}
		w.state(c, step.state)
	}
	if w.p.Cases[c].Hold == nil || w.p.Cases[c].Ended == nil || len(w.p.Cases[c].Suppressions) != 1 {
		t.Error("a decision was recorded without what follows from it")
	}
	if w.replay().StateHash() != w.p.StateHash() {
		t.Error("replay comes to another state")
	}
}

// TestOffers: what is offered is a function of what was seen by whom, and of
// nothing else; what isn't offered can't be decided.
func TestOffers(t *testing.T) {
	type sight struct {
		source SourceID
		bytes  bool
	}
	member := func(n int) SourceID { return num[Source](n) }
	for name, row := range map[string]struct {
		seen []sight
		end  bool
	}{
		"own sensor with bytes":                  {[]sight{{own, true}}, true},
		"own sensor without":                     {[]sight{{own, false}}, false},
		"one member":                             {[]sight{{member(1), true}}, false},
		"one member twice":                       {[]sight{{member(1), true}, {member(1), true}}, false},
		"two members of one owner":               {[]sight{{member(1), true}, {member(2), true}}, false},
		"two unrelated members":                  {[]sight{{member(1), true}, {member(3), true}}, true},
		"two unrelated members, one by its word": {[]sight{{member(1), true}, {member(3), false}}, false},
		"hearsay with bytes":                     {[]sight{{rumour, true}, {rumour, true}}, false},
		"a member and hearsay":                   {[]sight{{member(1), true}, {rumour, true}}, false},
	} {
		w, c := watch(t)
		for i, s := range row.seen {
			w.saw(c, s.source, byte(i+1), s.bytes)
		}
		o := w.p.OfferOf(c, w.now)
		if got := slices.Contains(o.Choices, ChooseEnd); got != row.end || o.Why == "" {
			t.Errorf("%s: the end is offered: %v (%s)", name, got, o.Why)
		}
		if err := w.chose(c, ChooseEnd); (err == nil) != row.end {
			t.Errorf("%s: choosing the end: %v", name, err)
		}
	}
	w, c := watch(t)
	if o := w.p.OfferOf(c, w.now); len(o.Choices) > 0 {
		t.Errorf("something is offered where nothing was seen: %v", o.Choices)
	}
	// What was dismissed supports nothing any more.
	w.saw(c, own, 1, true)
	w.do(alice, DecideAlarm{Case: c, Round: 1, Choice: ChooseDismiss, Reason: blob(1), Suppression: num[Suppression](1), Until: w.now.Add(time.Hour)})
	w.saw(c, rumour, 2, false)
	if o := w.p.OfferOf(c, w.now); slices.Contains(o.Choices, ChooseEnd) {
		t.Error("the end is offered on what was dismissed")
	}
}

// Whoever dismisses somebody's word has judged no bytes: these call people.
func TestDismissedWordCoversNoBytes(t *testing.T) {
	w, c := watch(t)
	w.saw(c, own, 1, false)
	w.do(alice, DecideAlarm{Case: c, Round: 1, Choice: ChooseDismiss, Reason: blob(1), Suppression: num[Suppression](1), Until: w.now.Add(time.Hour)})
	if e := w.saw(c, own, 1, false); e != Suppressed {
		t.Errorf("the same word again: %v", e)
	}
	if e := w.saw(c, own, 1, true); e != Raises {
		t.Errorf("the same with bytes: %v", e)
	}
	w.do(alice, DecideAlarm{Case: c, Round: 2, Choice: ChooseDismiss, Reason: blob(1), Suppression: num[Suppression](2), Until: w.now.Add(time.Hour)})
	if e := w.saw(c, own, 1, true); e != Suppressed {
		t.Errorf("bytes that were dismissed themselves: %v", e)
	}
}

// Rules and indicators match what anybody may send: they call, and end nothing.
func TestOnlyThePackageItselfOffersTheEnd(t *testing.T) {
	for clue := NoClue + 1; clue <= Rule; clue++ {
		w, c := watch(t)
		w.saw(c, own, 1, true)
		p := w.p.Cases[c]
		for i := range p.Seen {
			p.Seen[i].Clue = clue
		}
		if got, want := slices.Contains(w.p.OfferOf(c, w.now).Choices, ChooseEnd), clue == Token || clue == Text; got != want {
			t.Errorf("%v: the end is offered: %v", clue, got)
		}
	}
}

// TestEvidence: an inquiry reads what was held, and nobody's word.
func TestEvidence(t *testing.T) {
	w, c := watch(t)
	w.saw(c, own, 1, false)
	w.saw(c, rumour, 1, true)
	w.saw(c, num[Source](1), 2, false)
	if n := len(w.p.Cases[c].Sightings); n != 0 {
		t.Errorf("%d sightings without bytes, or hearsay, are evidence", n)
	}
	w.saw(c, own, 1, true)
	if n := len(w.p.Cases[c].Sightings); n != 1 {
		t.Errorf("%d sightings are evidence, want 1", n)
	}
}

// TestEscalation: the roster is called down at 0, 5, 10 and 15 minutes, sooner
// where a call fails, and no further than an acknowledgement.
func TestEscalation(t *testing.T) {
	w, c := watch(t)
	raised := w.now
	w.saw(c, own, 1, true)
	queue := func() (who []AccountID) {
		due, _ := w.p.NoticesDue(w.now)
		for _, d := range due {
			w.do(ines, QueueNotice{num[Notice](len(w.log)), d.Case, d.Round, d.Step, d.Account})
			who = append(who, d.Account)
		}
		if again, _ := w.p.NoticesDue(w.now); len(again) > 0 {
			t.Errorf("what was queued is due again: %v", again)
		}
		return who
	}
	next := func(after time.Duration) {
		t.Helper()
		_, at := w.p.NoticesDue(w.now)
		if want := raised.Add(after); !at.Equal(want) && !(after == 0 && at.IsZero()) {
			t.Errorf("the next is due at %s, want %s", at, want)
		}
	}
	if who := queue(); !slices.Equal(who, []AccountID{carol}) {
		t.Errorf("called first: %v", who)
	}
	next(5 * time.Minute)
	w.tick(4 * time.Minute)
	if who := queue(); who != nil {
		t.Errorf("called too early: %v", who)
	}
	w.tick(time.Minute)
	if who := queue(); !slices.Equal(who, []AccountID{alice}) {
		t.Errorf("called second: %v", who)
	}
	// The second call fails: the third isn't waited for.
	out, _ := w.p.Outbox(w.now)
	if len(out) != 2 {
		t.Fatalf("%d notices in the outbox", len(out))
	}
	w.do(ines, RecordNotice{out[0].ID, HandedOff})
	w.do(ines, RecordNotice{out[1].ID, NotHanded})
	w.tick(time.Second)
	if who := queue(); !slices.Equal(who, []AccountID{dan}) {
		t.Errorf("called after a failure: %v", who)
	}
	next(15 * time.Minute)
	// What failed is tried again, and given up in the end.
	for try := 1; try < MaxTries; try++ {
		w.tick(RetryAfter)
		out, _ := w.p.Outbox(w.now)
		if !slices.ContainsFunc(out, func(n *Notice) bool { return n.Account == alice }) {
			t.Fatalf("try %d is not due", try+1)
		}
		for _, n := range out {
			if n.Account == alice {
				w.do(ines, RecordNotice{n.ID, NotHanded})
			}
		}
	}
	w.tick(RetryAfter)
	if out, _ := w.p.Outbox(w.now); len(out) != 1 || out[0].Account != dan {
		t.Errorf("the outbox has %d, want dan's", len(out))
	}
	w.do(dan, AcknowledgeAlarm{c, 1})
	w.tick(time.Hour)
	if out, _ := w.p.Outbox(w.now); len(out) > 0 || queue() != nil {
		t.Error("people are called although somebody acknowledged")
	}
	next(0)
	if err := w.try(ines, QueueNotice{num[Notice](999), c, 1, 3, alice}); !errors.Is(err, ErrRefused) {
		t.Errorf("a notice that isn't due: %v", err)
	}
	// A dispatcher that was away calls everybody who is due by then.
	w.do(dan, DecideAlarm{Case: c, Round: 1, Choice: ChooseWatch})
	w.saw(c, own, 2, true)
	w.tick(20 * time.Minute)
	if who := queue(); len(who) != len(Escalation) {
		t.Errorf("%d are called after a long time, want %d", len(who), len(Escalation))
	}
}

// TestCalledOn: while nobody acknowledges, the roster is called on and on, with a
// pause behind each pass, whether calls fail or not; what was missed is not made up.
func TestCalledOn(t *testing.T) {
	for _, row := range []struct {
		outcome Outcome
		passes  []time.Duration // when each begins
	}{
		{HandedOff, []time.Duration{0, 30 * time.Minute, 75 * time.Minute, 150 * time.Minute, 225 * time.Minute}},
		{NotHanded, []time.Duration{0, 15 * time.Minute, 45 * time.Minute, 105 * time.Minute, 165 * time.Minute}},
	} {
		w, c := watch(t)
		w.saw(c, own, 1, true)
		raised := w.p.Cases[c].Alarm.Raised.At
		var who []AccountID
		// Days of it: more than steps have numbers.
		for range 400 {
			due, next := w.p.NoticesDue(w.now)
			if len(due) == 0 {
				w.tick(next.Sub(w.now))
				continue
			}
			if n := len(who); n%len(Escalation) == 0 && n/len(Escalation) < len(row.passes) {
				if want := raised.Add(row.passes[n/len(Escalation)]); due[0].At.Sub(want).Abs() > time.Second {
					t.Errorf("%s: pass %d begins at %s, want %s", row.outcome, n/len(Escalation), due[0].At.Sub(raised), want.Sub(raised))
				}
			}
			everybody := w.p.Called(w.now)
			if len(due) != 1 || due[0].Account != everybody[len(who)%len(everybody)] {
				t.Fatalf("%s: call %d: %v", row.outcome, len(who), due)
			}
			who = append(who, due[0].Account)
			id := num[Notice](len(w.log))
			w.do(ines, QueueNotice{id, c, due[0].Round, due[0].Step, due[0].Account})
			w.do(ines, RecordNotice{id, row.outcome})
		}
		if len(who) < 130 {
			t.Errorf("%s: %d calls", row.outcome, len(who))
		}
		w.tick(30 * 24 * time.Hour)
		due, next := w.p.NoticesDue(w.now)
		if len(due) > len(Escalation) || next.Sub(w.now) > time.Hour {
			t.Errorf("%s: after a month %d are due, the next in %s", row.outcome, len(due), next.Sub(w.now))
		}
	}
}

// TestReadOnce: bytes that were read are not read again, by whoever tries.
func TestReadOnce(t *testing.T) {
	w, c := watch(t)
	read := func(generation, begin, end uint64) error {
		return w.try(ines, RecordSightings{Case: c, Source: own, Detail: blob(1), Stream: num[Stream](1), Generation: generation, Begin: begin, End: end,
			Seen: []SeenRow{{Sighting: num[Sighting](len(w.log)), Clue: Token, Tag: Tag{1}, Count: 1, Bytes: true}}})
	}
	for i, row := range []struct {
		generation, begin, end uint64
		taken                  bool
	}{
		{1, 0, 100, true}, {1, 0, 100, false}, {1, 99, 200, false}, {1, 100, 200, true}, {1, 500, 600, true},
		{2, 0, 50, true}, {1, 599, 800, false}, {2, 40, 60, false}, {2, 70, 65, false},
		{1, 600, 800, true}, {2, 40, 60, false}, {2, 50, 60, true}, // two read, and one is behind
	} {
		err := read(row.generation, row.begin, row.end)
		if (err == nil) != row.taken {
			t.Errorf("row %d: %v", i, err)
		}
		if err != nil && row.end >= row.begin && !errors.Is(err, ErrReadAlready) {
			t.Errorf("row %d: %v, want ErrReadAlready", i, err)
		}
	}
	if at := w.p.Cases[c].Read[num[Stream](1)]; at.Generation != 2 || at.Offset != 60 {
		t.Errorf("read to %+v", at)
	}
	if all := w.p.Cases[c].Files(num[Stream](1)); len(all) != 2 || all[0].Offset != 800 || all[1].Offset != 60 {
		t.Errorf("files: %+v", all)
	}
}

// TestQuota: a quota bounds how many new things are described, in each case by
// itself. It never keeps something new from calling people.
func TestQuota(t *testing.T) {
	w, c := watch(t)
	row := func(clue Clue, tags ...byte) RecordSightings {
		q := RecordSightings{Case: c, Source: own, Detail: blob(1)}
		for _, tag := range tags {
			q.Seen = append(q.Seen, SeenRow{Sighting: num[Sighting](len(w.log)*10 + len(q.Seen)), Clue: clue, Tag: Tag{tag}, Count: 1, Bytes: true})
		}
		return q
	}
	w.do(ines, row(Indicator, 1))
	for range 50 {
		w.do(ines, row(Indicator, 1)) // known: whatever repeats takes nothing of it
	}
	if left := w.p.QuotaLeft(c, own, w.now); left != 9 {
		t.Fatalf("after one new thing %d of 10 are left", left)
	}
	for tag := range byte(9) {
		w.do(ines, row(Indicator, 2+tag))
	}
	if err := w.try(ines, row(Indicator, 20, 21)); !errors.Is(err, ErrRefused) {
		t.Errorf("two above the quota: %v", err)
	}
	if err := w.try(ines, RecordSightings{Case: c, Source: own, Dropped: 5}); !errors.Is(err, ErrRefused) {
		t.Errorf("counted and not described: %v", err)
	}
	_ = w.chose(c, ChooseWatch)
	q := row(Indicator, 20)
	q.Dropped = 5
	w.do(ines, q)
	w.state(c, AlarmRaised)
	_ = w.chose(c, ChooseWatch)
	w.do(ines, row(Token, 30, 31, 32)) // tokens prove themselves
	w.state(c, AlarmRaised)
	if s := w.p.Sources[own]; s.Dropped != 5 || w.p.Cases[c].Tallies[own].Dropped != 5 || w.p.QuotaLeft(c, own, w.now) != 0 {
		t.Errorf("%d were dropped", s.Dropped)
	}
	other := num[Case](2)
	w.embargo(other, 3)
	if left := w.p.QuotaLeft(other, own, w.now); left != 10 || w.p.LeastQuota(own, w.now) != 0 {
		t.Errorf("of another case %d are left", left)
	}
	w.tick(time.Hour)
	w.do(ines, row(Indicator, 40, 41))
	if w.replay().StateHash() != w.p.StateHash() {
		t.Error("replay comes to another state")
	}
}

// TestDecidedOnWhatWasSeen: a decision is about what its maker had seen.
func TestDecidedOnWhatWasSeen(t *testing.T) {
	w, c := watch(t)
	w.saw(c, own, 1, true)
	seen := w.p.Next - 1
	w.saw(c, own, 2, true)
	if err := w.try(carol, DecideAlarm{Case: c, Round: 1, Choice: ChooseWatch, UpTo: seen}); !errors.Is(err, ErrRefused) {
		t.Errorf("on an older view: %v", err)
	}
	if err := w.try(carol, DecideAlarm{Case: c, Round: 1, Choice: ChooseDismiss, Suppression: num[Suppression](1), Until: w.now.Add(time.Hour)}); !errors.Is(err, ErrRefused) {
		t.Errorf("dismissed without a reason: %v", err)
	}
	if err := w.try(dan, DecideAlarm{Case: c, Round: 1, Choice: ChooseEnd}); !errors.Is(err, ErrDenied) {
		t.Errorf("ended by somebody who is not on duty: %v", err)
	}
	seen = w.p.Next - 1
	w.do(carol, DecideAlarm{Case: c, Round: 1, Choice: ChooseWatch, UpTo: seen})
	// Nor is one that was made on what stood before another decision.
	if err := w.try(carol, DecideAlarm{Case: c, Round: 1, Choice: ChooseHold, UpTo: seen}); !errors.Is(err, ErrRefused) {
		t.Errorf("decided before another decision was seen: %v", err)
	}
	w.do(carol, DecideAlarm{Case: c, Round: 1, Choice: ChooseHold, UpTo: w.p.Next - 1})
	w.saw(c, own, 3, true)
	if err := w.try(carol, DecideAlarm{Case: c, Round: 1, Choice: ChooseHold}); !errors.Is(err, ErrRefused) {
		t.Errorf("on an older round: %v", err)
	}
}

func TestPublicSince(t *testing.T) {
	w, c := watch(t)
	w.saw(c, own, 1, true)
	if at, _ := w.p.Cases[c].PublicSince(Tag{1}); !at.IsZero() {
		t.Error("public before anybody could see it")
	}
	w.tick(time.Minute)
	public := w.now
	w.saw(c, pastes, 1, true)
	w.tick(time.Minute)
	w.saw(c, own, 1, true)
	if at, _ := w.p.Cases[c].PublicSince(Tag{1}); !at.Equal(public) {
		t.Errorf("public since %s, want %s", at, public)
	}
}

// TestEvidenceOfUndatedRows: the first time of a batch has no beginning where a row
// of it has none.
func TestEvidenceOfUndatedRows(t *testing.T) {
	at := time.Unix(1e9, 0).UTC()
	for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} {
		rows := []SeenRow{{Bytes: true}, {Bytes: true, From: at, To: at.Add(time.Hour)}, {Bytes: true, From: at.Add(time.Minute), To: at.Add(time.Minute)}}
		b := &SightingsRecorded{}
		for _, i := range order {
			b.Seen = append(b.Seen, rows[i])
		}
		if got := b.evidence(OwnSensor); !got.From.IsZero() || !got.To.Equal(at.Add(time.Minute)) {
			t.Errorf("%v: from %s to %s", order, got.From, got.To)
		}
	}
}
