package coordinator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

type inbox struct {
	to  []string
	all []coordinator.Notice
	err error
}

func (b *inbox) Notify(_ context.Context, to coordinator.Person, n coordinator.Notice) error {
	b.to, b.all = append(b.to, to.Handle), append(b.all, n)
	return b.err
}

// TestAlarmFromSightingToEnd: what is known, who is called, what can be decided.
func TestAlarmFromSightingToEnd(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	w.sealedWave()
	ok(t, w.fetch(0, must(w.lastWave())))
	fetched := w.now
	w.pass(2 * time.Hour)
	ok(t, w.fetch(1, must(w.lastWave())))
	src := w.source()
	b := w.batch(src)
	// Seen at some time between before the first fetch and after it, but before the
	// second.
	for i := range b.Spots {
		b.Spots[i].From, b.Spots[i].To = fetched.Add(-time.Minute), fetched.Add(time.Minute)
	}
	got, err := w.desk.Record(ctx, w.ana, b)
	ok(t, err)
	if len(got) != 1 || got[0].Rows != 2 || got[0].Times != 3 || got[0].Effect != cvd.Raises {
		t.Fatalf("recorded: %+v", got)
	}
	if again, err := w.desk.Record(ctx, w.ana, b); err != nil || len(again) != 0 {
		t.Errorf("the same bytes again: %+v, %v", again, err)
	}
	v, err := w.desk.Alarm(ctx, w.ben, w.cs)
	ok(t, err)
	switch {
	case v.State != "raised" || v.Choices[0] != "end":
		t.Errorf("state %s, choices %v (%s)", v.State, v.Choices, v.Why)
	case v.Had != (coordinator.Narrowing{Least: 0, Most: 1, Members: 3}):
		t.Errorf("narrowed to %+v", v.Had)
	case len(v.Waves) != 1 || v.Waves[0].Then != "open":
		t.Errorf("waves: %+v", v.Waves)
	case len(v.Seen) != 2 || v.Seen[1].Value != "00000000000000aa" || v.Seen[1].Count != 2 || v.Seen[1].Excerpt != "GET /?t=aa":
		t.Errorf("seen: %+v", v.Seen)
	case len(v.Timeline.Sightings) != 1:
		t.Errorf("%d sightings are drawn", len(v.Timeline.Sightings))
	}
	// What a holder's name could be told from isn't there.
	text, err := json.Marshal(v)
	ok(t, err)
	if strings.Contains(string(text), "Member ") {
		t.Error("the view names a member")
	}
	var box inbox
	told, err := w.desk.Dispatch(ctx, w.ana, &box)
	ok(t, err)
	if !slices.Equal(box.to, []string{"ana"}) || told.Queued != 1 || !told.Next.Equal(v.Raised.Add(5*time.Minute)) {
		t.Errorf("called %v, next at %s", box.to, told.Next)
	}
	w.pass(5*time.Minute + time.Second)
	_, err = w.desk.Dispatch(ctx, w.ana, &box)
	ok(t, err)
	ok(t, w.desk.AcknowledgeAlarm(ctx, w.ben, w.cs))
	w.pass(time.Hour)
	_, err = w.desk.Dispatch(ctx, w.ana, &box)
	ok(t, err)
	if !slices.Equal(box.to, []string{"ana", "ben"}) {
		t.Errorf("called %v", box.to)
	}
	sizes := map[int]bool{}
	for _, n := range box.all {
		b, err := json.Marshal(n)
		ok(t, err)
		sizes[len(b)] = true
		if strings.Contains(string(b), w.cs.String()) || strings.Contains(string(b), "A case") {
			t.Errorf("a notice names the case: %s", b)
		}
	}
	if len(sizes) != 1 {
		t.Errorf("notices have %d sizes", len(sizes))
	}
	ended, err := w.desk.DecideAlarm(ctx, w.ana, w.cs, coordinator.Verdict{Choice: cvd.ChooseEnd, Reason: "exploited"})
	ok(t, err)
	if ended.Members == 0 {
		t.Error("the end sent nothing")
	}
	if v, err = w.desk.Alarm(ctx, w.ana, w.cs); err != nil || v.State != "ended" || len(v.Decisions) != 2 || v.Decisions[1].Reason != "exploited" {
		t.Errorf("after the end: %s, %+v, %v", v.State, v.Decisions, err)
	}
	w.audited("in the end")
}

func must(id cvd.WaveID, _ cvd.WaveState, err error) cvd.WaveID {
	if err != nil {
		panic(err)
	}
	return id
}

// TestFailedCall: a call that fails is told, tried again, and has the next called.
func TestFailedCall(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	w.alarmed()
	box := inbox{err: errors.New("no signal")}
	told, err := w.desk.Dispatch(ctx, w.ana, &box)
	if err == nil || told.Failed != 1 || told.Next.After(w.now.Add(time.Second)) {
		t.Errorf("a failed call: %+v, %v", told, err)
	}
	box.err = nil
	told, err = w.desk.Dispatch(ctx, w.ana, &box)
	ok(t, err)
	if told.HandedOff != 1 || told.Next.Sub(w.now) > cvd.RetryAfter+time.Second {
		t.Errorf("the next: %+v", told)
	}
	w.pass(cvd.RetryAfter + time.Second)
	told, err = w.desk.Dispatch(ctx, w.ana, &box)
	ok(t, err)
	if !slices.Equal(box.to, []string{"ana", "ben", "ana"}) || box.all[0].ID != box.all[2].ID {
		t.Errorf("called %v", box.to)
	}
}

// TestAboveTheQuota: what is above a source's quota is counted, the source is read
// on, and of what is new something is always described.
func TestAboveTheQuota(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	src, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "loud", Origin: cvd.OwnSensor, Quota: 1})
	ok(t, err)
	spots := func(offset uint64, clue cvd.Clue, values ...string) (out []coordinator.Spot) {
		for _, v := range values {
			out = append(out, coordinator.Spot{Clue: clue, Value: v, Excerpt: []byte(v), Offset: offset})
		}
		return out
	}
	for i, step := range []struct {
		spots         []coordinator.Spot
		rows, dropped int
		effect        cvd.Effect
	}{
		{spots(0, cvd.Indicator, "a", "b", "c"), 1, 2, cvd.Raises},
		{spots(10, cvd.Indicator, "a", "b", "c"), 2, 1, cvd.Joins}, // the quota is gone; "b" is new all the same
		{spots(20, cvd.Indicator, "a", "b"), 2, 0, cvd.Repeats},
		{append(spots(30, cvd.Indicator, "a", "d", "e"), spots(31, cvd.Token, "00000000000000aa", "00000000000000bb")...), 4, 1, cvd.Joins},
	} {
		at := stretch
		at.Begin, at.End = uint64(10*i), uint64(10*i+10)
		got, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: src, Cases: []cvd.CaseID{w.cs}, At: &at, Spots: step.spots})
		ok(t, err)
		if got[0].Rows != step.rows || got[0].Dropped != step.dropped || got[0].Effect != step.effect {
			t.Errorf("step %d: recorded %+v, want %+v", i, got, step)
		}
	}
	at, err := w.desk.ReadSoFar(src, stretch.Path, []cvd.CaseID{w.cs})
	ok(t, err)
	if len(at) != 1 || at[0].Offset != 40 {
		t.Errorf("read to %+v", at)
	}
	v, err := w.desk.Alarm(ctx, w.ana, w.cs)
	ok(t, err)
	if v.Dropped != 4 || v.Seen[0].Value != "00000000000000bb" {
		t.Errorf("the view has %d dropped, and last %q", v.Dropped, v.Seen[0].Value)
	}
}

// TestFloodHidesNothing: known things, replayed for an hour, don't keep a token from
// the page.
func TestFloodHidesNothing(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	src, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "edge", Origin: cvd.OwnSensor, Quota: 4})
	ok(t, err)
	record := func(clue cvd.Clue, value string) cvd.Effect {
		got, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: src, Cases: []cvd.CaseID{w.cs}, Spots: []coordinator.Spot{{Clue: clue, Value: value, Excerpt: []byte("x")}}})
		ok(t, err)
		return got[0].Effect
	}
	for range 20 {
		record(cvd.Indicator, "path:/x")
		w.pass(50 * time.Second)
	}
	_, err = w.desk.DecideAlarm(ctx, w.ana, w.cs, coordinator.Verdict{Choice: cvd.ChooseWatch, Reason: "known"})
	ok(t, err)
	if e := record(cvd.Token, "00000000000000bb"); e != cvd.Raises {
		t.Errorf("a new token after a flood: %s", e)
	}
}

// TestQuotaOfManyCases: each case that something may be of has a row of it, however
// many there are.
func TestQuotaOfManyCases(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	src, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "edge", Origin: cvd.OwnSensor, Quota: 2})
	ok(t, err)
	cases := []cvd.CaseID{w.cs}
	for range 2 {
		id, err := w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "x"})
		ok(t, err)
		cases = append(cases, id)
	}
	got, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: src, Cases: cases, Spots: []coordinator.Spot{{Clue: cvd.Indicator, Value: "path:/x", Excerpt: []byte("x")}}})
	ok(t, err)
	if len(got) != 3 {
		t.Fatalf("recorded in %d cases", len(got))
	}
	for _, r := range got {
		if r.Rows != 1 || r.Effect != cvd.Raises {
			t.Errorf("recorded %+v", r)
		}
	}
}

// TestWhatEndsBehind: of a stretch that was read in part, what ends in the rest is
// new, wherever it begins.
func TestWhatEndsBehind(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	src := w.source()
	_, err := w.desk.Record(ctx, w.ana, w.batch(src)) // to byte 100
	ok(t, err)
	at := stretch
	at.Begin, at.End = 50, 150
	got, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: src, Cases: []cvd.CaseID{w.cs}, At: &at, Spots: []coordinator.Spot{
		{Clue: cvd.Text, Value: "a", Offset: 60, End: 100, Excerpt: []byte("a")},
		{Clue: cvd.Text, Value: "b", Offset: 90, End: 101, Excerpt: []byte("b")},
	}})
	ok(t, err)
	if len(got) != 1 || got[0].Times != 1 || got[0].Effect != cvd.Joins {
		t.Errorf("recorded %+v", got)
	}
}

// TestFirstIsOfWhatWeighs: somebody's word moves neither the first sighting nor who
// had a copy; a row without a time leaves open that it was before all others.
func TestFirstIsOfWhatWeighs(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	w.sealedWave()
	before := w.now
	w.pass(2 * time.Hour)
	ok(t, w.fetch(0, must(w.lastWave())))
	w.pass(2 * time.Hour)
	src := w.source()
	view := func() coordinator.AlarmView {
		v, err := w.desk.Alarm(ctx, w.ana, w.cs)
		ok(t, err)
		return v
	}
	see := func(value string, at time.Time) {
		_, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: src, Cases: []cvd.CaseID{w.cs}, Spots: []coordinator.Spot{
			{Clue: cvd.Token, Value: value, Excerpt: []byte("x"), From: at, To: at}}})
		ok(t, err)
	}
	at := w.now.Add(-time.Hour)
	see("00000000000000aa", at)
	r, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "rumour", Origin: cvd.Hearsay, Quota: 120})
	ok(t, err)
	_, err = w.desk.Report(ctx, w.ana, r, w.cs, "somebody said", before.Add(-time.Hour), before.Add(-time.Hour))
	ok(t, err)
	if v := view(); !v.First.From.Equal(at) || v.Had.Least != 1 || v.Had.Most != 1 || v.Waves[0].Then != "open" {
		t.Errorf("after a word: first %v, had %v, waves %+v", v.First, v.Had, v.Waves)
	}
	see("00000000000000ab", time.Time{})
	if v := view(); !v.First.From.IsZero() || !v.First.To.Equal(at) || v.Undated != 1 || v.Had.Least != 0 || v.Had.Most != 1 || v.Waves[0].Then != "perhaps open" {
		t.Errorf("with one undated: first %v, had %v, waves %+v", v.First, v.Had, v.Waves)
	}
}

func TestReportIsWordOnly(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	src, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "a friend", Origin: cvd.Hearsay, Quota: 10})
	ok(t, err)
	got, err := w.desk.Report(ctx, w.ana, src, w.cs, "somebody sells it", time.Time{}, time.Time{})
	ok(t, err)
	v, err := w.desk.Alarm(ctx, w.ana, w.cs)
	ok(t, err)
	if got.Effect != cvd.Raises || v.Choices[0] != "hold" || v.Seen[0].Weight != "word only" || v.First != (coordinator.Between{}) || len(v.Timeline.Sightings) != 0 {
		t.Errorf("hearsay: %+v", v)
	}
	for _, c := range v.Clocks {
		if c.Sure {
			t.Errorf("%s starts surely on somebody's word", c.Rule)
		}
	}
}

// TestReplayed: a token that is seen again after it was public is shown as that.
func TestReplayed(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	w.alarmed()
	src, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "paste site", Origin: cvd.OwnSensor, Public: true, Quota: 10})
	ok(t, err)
	spot := coordinator.Spot{Clue: cvd.Token, Value: "00000000000000aa", Excerpt: []byte("aa")}
	for _, s := range []cvd.SourceID{src, src} {
		w.pass(time.Minute)
		_, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: s, Cases: []cvd.CaseID{w.cs}, Spots: []coordinator.Spot{spot}})
		ok(t, err)
	}
	v, err := w.desk.Alarm(ctx, w.ana, w.cs)
	ok(t, err)
	var replayed []bool
	for _, s := range v.Seen {
		replayed = append(replayed, !s.Replayed.IsZero())
	}
	if !slices.Equal(replayed, []bool{true, false, false, false}) {
		t.Errorf("replayed, newest first: %v", replayed)
	}
}

// A few words of a text, planted, keep quiet about no longer excerpt and none from
// elsewhere.
func TestExcerptsAreThingsByThemselves(t *testing.T) {
	of := func(from, words int) string {
		return coordinator.SpotOf(sighting.Sighting{What: sighting.What{Quote: sighting.Quote{Ref: "a/b", From: from, Words: words}}}).Value
	}
	if of(10, 12) != of(14, 13) {
		t.Error("about the same excerpt is two things")
	}
	for _, other := range []string{of(10, 24), of(10, 300), of(400, 12)} {
		if other == of(10, 12) {
			t.Errorf("%q stands for a longer excerpt or another", other)
		}
	}
}

// TestTwoReaders: two who read one path record each thing once, wherever each of
// them began and whichever is ahead; one reader tells files apart that begin alike.
func TestTwoReaders(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	src := w.source()
	n := 0
	record := func(head string, left coordinator.Left, begin, end uint64) (times int) {
		n++
		got, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: src, Cases: []cvd.CaseID{w.cs},
			At:    &coordinator.Stretch{Path: "/a.log", Head: []byte(head), Begin: begin, End: end, Left: left},
			Spots: []coordinator.Spot{{Clue: cvd.Token, Value: "00000000000000aa", Offset: end - 1, End: end, Excerpt: []byte("x")}}})
		ok(t, err)
		for _, r := range got {
			times += r.Times
		}
		return times
	}
	left := coordinator.Left{}
	for i, row := range []struct {
		head       string
		left       coordinator.Left
		begin, end uint64
		times      int
	}{
		{"second file", nil, 0, 100, 1},                   // one reader began here
		{"second file and more of it", nil, 0, 100, 0},    // the other comes from further back
		{"second file and more of it", nil, 100, 300, 1},  // and is ahead
		{"second file and more of it", nil, 100, 300, 0},  //
		{"first file", nil, 0, 50, 1},                     // what only the other had read
		{"second file and more of it", nil, 100, 300, 0},  // nobody is behind for it
		{"second file and more of it", nil, 300, 400, 1},  //
		{"second file and more of it", left, 400, 410, 1}, //
		{"second file and more of it", left, 0, 30, 1},    // this reader has left the one that begins alike
		{"second fil", nil, 0, 10, 1},                     // shorter than what the log knows: another
	} {
		if i == 8 {
			ok(t, w.desk.Leave(src, "/a.log", []byte(row.head), []cvd.CaseID{w.cs}, left))
			if len(left[w.cs]) != 1 {
				t.Errorf("left: %v", left)
			}
		}
		if got := record(row.head, row.left, row.begin, row.end); got != row.times {
			t.Errorf("row %d: %d recorded, want %d", i, got, row.times)
		}
	}
}

// TestOnly: what is of one case's package is recorded in that case alone, and what
// may be of any in all of them.
func TestOnly(t *testing.T) {
	w := newWorks(t)
	defer w.desk.Close()
	other, err := w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "Another case"})
	ok(t, err)
	at := stretch
	got, err := w.desk.Record(ctx, w.ana, coordinator.Batch{Source: w.source(), Cases: []cvd.CaseID{w.cs, other}, At: &at, Spots: []coordinator.Spot{
		{Clue: cvd.Rule, Value: "theirs", Offset: 1, Excerpt: []byte("a"), Only: []cvd.CaseID{other}},
		{Clue: cvd.Token, Value: "00000000000000aa", Offset: 5, Excerpt: []byte("b")},
	}})
	ok(t, err)
	if len(got) != 2 || got[0].Times != 1 || got[1].Times != 2 {
		t.Errorf("recorded %+v", got)
	}
}

// TestGrouped: many rows of one thing are one line, those that stand come first,
// and what was dismissed says so, whatever it did.
func TestGrouped(t *testing.T) {
	at := func(s int) coordinator.Between {
		from := time.Date(2026, 5, 1, 9, 0, s, 0, time.UTC)
		return coordinator.Between{From: from, To: from.Add(time.Second)}
	}
	row := func(clue cvd.Clue, value string, e cvd.Effect, stands bool, time coordinator.Between) coordinator.SeenView {
		return coordinator.SeenView{Source: "edge", Weight: "own with bytes", Clue: clue.String(), Value: value, Count: 2, Effect: e.String(), Stands: stands, Time: time}
	}
	v := coordinator.AlarmView{Seen: []coordinator.SeenView{
		row(cvd.Token, "aa", cvd.Repeats, false, at(9)),
		row(cvd.Text, "a.md#33.1", cvd.Joins, true, at(8)),
		row(cvd.Text, "a.md#4.2", cvd.Repeats, true, at(3)),
		row(cvd.Text, "b.md#4.2", cvd.Joins, true, at(3)),
		row(cvd.Text, "a.md#0.1", cvd.Raises, true, at(5)),
		row(cvd.Text, "b.md#4.3", cvd.Joins, true, coordinator.Between{}),
		row(cvd.Token, "aa", cvd.Suppressed, false, at(1)),
	}}
	var got []string
	for _, g := range v.Grouped() {
		got = append(got, fmt.Sprintf("%s %d %d %s %s", g.Value, g.Rows, g.Times, g.Time.Words(func(t time.Time) string { return t.Format("05") }), g.Words(nil)))
	}
	want := []string{"a.md 3 6 between 03 and 04 " + cvd.Raises.String(), "b.md 2 4 not known " + cvd.Joins.String(),
		"aa 1 2 between 09 and 10 " + cvd.Repeats.String() + "; dismissed since", "aa 1 2 between 01 and 02 " + cvd.Suppressed.String()}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestBeforeAnyWave: what was seen before a wave opened isn't put to who had a copy,
// and where nothing has a time, nothing is said to be earlier.
func TestBeforeAnyWave(t *testing.T) {
	v := coordinator.AlarmView{Waves: []coordinator.AlarmWave{{Then: "not open"}}, Undated: 2}
	if s := v.HadWords(); !strings.HasPrefix(s, "No wave was open by then") {
		t.Error(s)
	}
	if s := v.FirstWords(nil); s != "not known: nothing that was seen has a time" {
		t.Error(s)
	}
	v.Waves = append(v.Waves, coordinator.AlarmWave{Then: "perhaps open"})
	if s := v.HadWords(); !strings.Contains(s, "had fetched a copy") {
		t.Error(s)
	}
}

// TestLastCalls: of many calls the last are shown, and the others counted.
func TestLastCalls(t *testing.T) {
	var v coordinator.AlarmView
	for i := range 20 {
		if n := len(v.LastCalls()) + v.EarlierCalls(); n != i || len(v.LastCalls()) > 12 {
			t.Errorf("%d calls: %d are shown, %d counted", i, len(v.LastCalls()), v.EarlierCalls())
		}
		v.Calls = append(v.Calls, coordinator.CallView{Step: i + 1})
	}
	if last := v.LastCalls(); last[len(last)-1].Step != 20 {
		t.Errorf("the last shown is %d", last[len(last)-1].Step)
	}
}
