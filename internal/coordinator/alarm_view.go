package coordinator

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/sighting"
	"forewarn/internal/timeline"
)

// AlarmView is what is known of a case's alarm. It names no member that could be
// where a sighting came from: whose token it is, the desk can't tell.
type AlarmView struct {
	Case     cvd.CaseID `json:"case"`
	Title    string     `json:"title"`
	State    string     `json:"state"`
	Round    uint32     `json:"round"`
	Raised   time.Time  `json:"raised,omitzero"`
	Embargo  string     `json:"embargo"`
	Release  time.Time  `json:"release,omitzero"`    // as planned last
	Released time.Time  `json:"released,omitzero"`   // when it was; zero: not yet
	Held     time.Time  `json:"held_since,omitzero"` // copies of the case are not served, whatever was decided since
	HeldBy   string     `json:"held_by,omitempty"`
	Now      time.Time  `json:"now"`
	UpTo     uint64     `json:"up_to"` // the last entry that this is made of

	Choices []string `json:"choices"` // what can be decided, the most first
	Why     string   `json:"why"`

	First   Between     `json:"first"`             // when the first of what stands happened, as far as it can be told
	Undated int         `json:"undated,omitempty"` // rows without a time that weigh something; then From isn't known
	Waves   []AlarmWave `json:"waves"`
	Had     Narrowing   `json:"had_a_copy"`
	Clocks  []Clock     `json:"clocks"`

	Seen         []SeenView        `json:"seen"`            // the newest
	Older        int               `json:"older,omitempty"` // rows that aren't among them
	Dropped      uint64            `json:"above_quota,omitempty"`
	Calls        []CallView        `json:"calls"`
	NextCall     time.Time         `json:"next_call,omitzero"` // past: it is due, and nobody made it yet
	NextCalled   string            `json:"next_called,omitempty"`
	Decisions    []DecisionView    `json:"decisions"`
	Suppressions []SuppressionView `json:"suppressions"`

	Timeline timeline.Model `json:"-"`
}

// Between is an interval; an end that isn't known is zero.
type Between struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// AlarmWave is a wave as it stood when the first sighting happened.
type AlarmWave struct {
	Label   string    `json:"label"`
	Level   string    `json:"level"`
	OpensAt time.Time `json:"opens_at"`
	Then    string    `json:"then"` // open, perhaps open, not open
	Holders int       `json:"holders"`
}

const notOpen = "not open"

// Narrowing counts members that had fetched a copy by the first sighting. It lies
// between Least and Most, because the sighting's time does.
type Narrowing struct {
	Least   int `json:"least"`
	Most    int `json:"most"`
	Members int `json:"of"` // in an audience of the case
}

// String is the number, or its bounds: "3 to 5".
func (n Narrowing) String() string {
	if n.Least == n.Most {
		return fmt.Sprint(n.Most)
	}
	return fmt.Sprintf("%d to %d", n.Least, n.Most)
}

// Clock is a duty that starts when somebody knows of an exploitation.
type Clock struct {
	Rule     string    `json:"rule"`
	Who      string    `json:"who"`
	Trigger  string    `json:"trigger"`
	Hours    int       `json:"hours"`
	Status   string    `json:"status"`
	From     time.Time `json:"from"` // in force
	Citation string    `json:"citation"`
	Due      time.Time `json:"due,omitzero"` // counted from when this desk knew
	Sure     bool      `json:"started"`      // on more than somebody's word
}

// SeenView is one row of what was seen.
type SeenView struct {
	Entry    uint64    `json:"entry"`
	At       time.Time `json:"recorded"`
	By       string    `json:"by"`
	Source   string    `json:"source"`
	Origin   string    `json:"origin"`
	Grade    string    `json:"grade"`
	Weight   string    `json:"weight"`
	Clue     string    `json:"clue"`
	Value    string    `json:"value,omitempty"` // empty: no longer readable
	Excerpt  string    `json:"excerpt,omitempty"`
	Field    string    `json:"field,omitempty"`
	Where    string    `json:"where,omitempty"`
	Line     int64     `json:"line,omitempty"`
	Count    uint32    `json:"count"`
	Time     Between   `json:"time"`
	Effect   string    `json:"effect"`
	Stands   bool      `json:"stands"`
	Replayed time.Time `json:"replayed_since,omitzero"` // it was public from then on
	Dropped  int       `json:"dropped,omitempty"`
}

// CallView is one call of one person.
type CallView struct {
	Notice  cvd.NoticeID `json:"notice"`
	Round   uint32       `json:"round"`
	Step    int          `json:"step"`
	Who     string       `json:"who"`
	Queued  time.Time    `json:"queued"`
	Outcome string       `json:"outcome"` // waits, handed off, failed
	At      time.Time    `json:"at,omitzero"`
	Tries   int          `json:"tries"`
}

// DecisionView is an acknowledgement or a decision.
type DecisionView struct {
	Round  uint32    `json:"round"`
	Choice string    `json:"choice"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	Entry  uint64    `json:"entry"`
}

// SuppressionView is what calls nobody, and why.
type SuppressionView struct {
	Until  time.Time `json:"until"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Things int       `json:"things"`
	Reason string    `json:"reason,omitempty"`
	Entry  uint64    `json:"entry"`
}

//go:embed clocks.json
var clocksJSON []byte

var clocks = func() (out []Clock) {
	if err := json.Unmarshal(clocksJSON, &out); err != nil {
		panic(err) // it is embedded above, and tested
	}
	return out
}()

// Alarm gathers what is known of a case's alarm.
func (d *Desk) Alarm(ctx context.Context, by cvd.Actor, id cvd.CaseID) (v AlarmView, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewAlarm, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		v = AlarmView{Case: id, Title: n.Case(id), State: p.AlarmState(id, now).String(), Embargo: p.EmbargoState(id, now).String(),
			Now: now, UpTo: uint64(p.Next - 1), Choices: []string{}, Waves: []AlarmWave{}, Clocks: []Clock{}, Seen: []SeenView{},
			Calls: []CallView{}, Decisions: []DecisionView{}, Suppressions: []SuppressionView{}}
		if c.Embargo != nil {
			v.Release = c.Embargo.Release.At
		}
		if c.Released != nil {
			v.Released = c.Released.At
		}
		offer := p.OfferOf(id, now)
		v.Why = offer.Why
		for _, x := range offer.Choices {
			v.Choices = append(v.Choices, x.String())
		}
		known := d.seen(ctx, p, c, &v)
		d.decided(ctx, n, c, &v)
		if c.Alarm != nil {
			v.Round, v.Raised = c.Alarm.Round, c.Alarm.Raised.At
			calls(p, n, c, &v)
			v.Clocks = started(p, id)
			v.Waves, v.Had = narrow(p, c, v.First, known)
		}
		v.NextCall, v.NextCalled = nextCall(p, n, id, now)
		if c.Hold != nil {
			v.Held, v.HeldBy = c.Hold.At, n.Account(c.Hold.By)
		}
		var err error
		v.Timeline, err = d.picture(ctx, p, c)
		return err
	})
	return v, err
}

// maxSeenRows bounds what is shown of a flood.
const maxSeenRows = 200

// seen tells what was seen, the newest first, and gives when the desk knew of the
// first that weighs anything. Somebody's word dates nothing: it counts against
// nobody. One row without a time may have been before all others.
func (d *Desk) seen(ctx context.Context, p *cvd.Programme, c *cvd.Case, v *AlarmView) (known time.Time) {
	n := d.Names(ctx, p)
	stands := map[cvd.SightingID]bool{}
	var dated []sighting.Sighting
	for _, s := range p.Stands(c.ID) {
		stands[s.Sighting] = true
		if s.Weight() == cvd.WordOnly {
			continue
		}
		if known.IsZero() {
			known = s.At
		}
		if s.From.IsZero() || s.To.IsZero() {
			v.Undated++
		}
		dated = append(dated, sighting.Sighting{Observation: sighting.Observation{Time: sighting.Interval{From: s.From, To: s.To}}})
	}
	first := sighting.First(dated)
	v.First = Between{first.From, first.To}
	if v.Undated > 0 {
		v.First.From = time.Time{}
	}
	if known.IsZero() && len(c.Seen) > 0 {
		known = c.Seen[0].At // that it is somebody's word leaves all in doubt
	}
	for _, id := range p.SourceOrder {
		if t := c.Tallies[id]; t != nil {
			v.Dropped += t.Dropped
		}
	}
	texts := map[cvd.BlobRef]batchText{}
	for _, s := range slices.Backward(c.Seen) {
		if len(v.Seen) == maxSeenRows {
			v.Older = len(c.Seen) - maxSeenRows
			break
		}
		row := SeenView{Entry: uint64(s.Seq), At: s.At, By: n.Account(s.By), Source: n.Source(s.Source), Origin: s.Origin.String(),
			Grade: p.Sources[s.Source].Grade.String(), Weight: s.Weight().String(), Clue: s.Clue.String(), Count: s.Count,
			Time: Between{s.From, s.To}, Effect: s.Effect.String(), Stands: stands[s.Sighting]}
		if at, seq := c.PublicSince(s.Tag); s.Clue == cvd.Token && !at.IsZero() && seq < s.Seq {
			row.Replayed = at
		}
		text, ok := texts[s.Detail]
		if !ok && d.Text(ctx, CaseKey(c.ID), s.Detail, &text) == nil {
			texts[s.Detail] = text
		}
		for _, g := range text.Spots {
			if g.ID == s.Sighting {
				row.Value, row.Excerpt, row.Field, row.Where, row.Line = g.Value, sighting.Printable(g.Excerpt), g.Field, text.Path, g.Line
				row.Dropped = text.Dropped
			}
		}
		v.Seen = append(v.Seen, row)
	}
	return known
}

func (d *Desk) reason(ctx context.Context, id cvd.CaseID, ref cvd.BlobRef) string {
	return d.reasonUnder(ctx, CaseKey(id), ref)
}

func (d *Desk) decided(ctx context.Context, n Names, c *cvd.Case, v *AlarmView) {
	if a := c.Alarm; a != nil {
		for _, x := range a.Decisions {
			v.Decisions = append(v.Decisions, DecisionView{x.Round, x.Choice.String(), n.Account(x.By), x.At, d.reason(ctx, c.ID, x.Reason), uint64(x.Seq)})
		}
		if x := a.Acknowledged; x != nil {
			v.Decisions = append(v.Decisions, DecisionView{a.Round, "acknowledged", n.Account(x.By), x.At, "", uint64(x.Seq)})
		}
		slices.SortFunc(v.Decisions, func(x, y DecisionView) int { return int(x.Entry) - int(y.Entry) })
	}
	for _, s := range c.Suppressions {
		v.Suppressions = append(v.Suppressions, SuppressionView{s.Until, n.Account(s.By), s.At, len(s.Pairs), d.reason(ctx, c.ID, s.Reason), uint64(s.Seq)})
	}
}

// nextCall is who is called next for a case, and when: a time that is past when
// the call is due and wasn't made; zero when nobody is.
func nextCall(p *cvd.Programme, n Names, id cvd.CaseID, now time.Time) (time.Time, string) {
	due, next := p.Calls(id, now)
	if len(due) > 0 {
		next = due[0]
	}
	if next.Account.IsZero() {
		return time.Time{}, ""
	}
	return next.At, n.Account(next.Account)
}

func calls(p *cvd.Programme, n Names, c *cvd.Case, v *AlarmView) {
	for _, id := range c.Alarm.Notices {
		x := p.Notices[id]
		row := CallView{Notice: id, Round: x.Round, Step: int(x.Step) + 1, Who: n.Account(x.Account), Queued: x.At, Outcome: "waits", Tries: len(x.Tries)}
		if len(x.Tries) > 0 {
			last := x.Tries[len(x.Tries)-1]
			row.Outcome, row.At = last.Outcome.String(), last.At
		}
		v.Calls = append(v.Calls, row)
	}
}

// started are the duties that what stands may have started. They count from when
// the desk knew, and are sure only of what is held.
func started(p *cvd.Programme, id cvd.CaseID) []Clock {
	out := []Clock{}
	var since time.Time
	sure := false
	for _, s := range p.Stands(id) {
		if held := s.Weight() > cvd.WordOnly; since.IsZero() || held && !sure {
			since, sure = s.At, held
		}
	}
	for _, c := range clocks {
		if since.IsZero() || since.Before(c.From) {
			continue
		}
		c.Due, c.Sure = since.Add(time.Duration(c.Hours)*time.Hour), sure
		out = append(out, c)
	}
	return out
}

// narrow says which waves were open at the first sighting, and how many members
// had a copy. What isn't known of its time counts as doubt: it was by then.
func narrow(p *cvd.Programme, c *cvd.Case, first Between, recorded time.Time) ([]AlarmWave, Narrowing) {
	to := first.To
	if to.IsZero() {
		to = recorded
	}
	waves := []AlarmWave{}
	var n Narrowing
	holders, least, most := map[cvd.HolderID]bool{}, map[cvd.HolderID]bool{}, map[cvd.HolderID]bool{}
	for i, id := range c.Waves {
		w := p.Waves[id]
		if w.Statement == nil || w.Purpose == cvd.Preview {
			continue
		}
		row := AlarmWave{Label: WaveLabel(i, w), Level: w.Level.String(), OpensAt: w.OpensAt, Holders: len(w.Audience), Then: notOpen}
		switch {
		case !first.From.IsZero() && !w.OpensAt.After(first.From):
			row.Then = "open"
		case !w.OpensAt.After(to):
			row.Then = "perhaps open"
		}
		waves = append(waves, row)
		for _, h := range w.Audience {
			if p.Members[cvd.MemberID(h)] == nil {
				continue
			}
			holders[h] = true
			copied := w.CopyOf(h)
			if copied == nil || len(copied.Fetches) == 0 {
				continue
			}
			at := copied.Fetches[0].At
			least[h] = least[h] || !first.From.IsZero() && !at.After(first.From)
			most[h] = most[h] || !at.After(to)
		}
	}
	count := func(m map[cvd.HolderID]bool) (k int) {
		for _, yes := range m {
			if yes {
				k++
			}
		}
		return k
	}
	n.Least, n.Most, n.Members = count(least), count(most), len(holders)
	return waves, n
}

// AlarmLine is one case's alarm in a list.
type AlarmLine struct {
	Case   cvd.CaseID   `json:"case"`
	Title  string       `json:"title"`
	State  string       `json:"state"`
	Round  uint32       `json:"round"`
	Raised time.Time    `json:"raised"`
	Seen   int          `json:"seen"`
	Entry  entrylog.Seq `json:"entry"`

	NextCall   time.Time `json:"next_call,omitzero"` // as in AlarmView
	NextCalled string    `json:"next_called,omitempty"`
	Due        bool      `json:"call_due,omitempty"` // and not made
	Held       time.Time `json:"held_since,omitzero"`
}

// Alarms lists the cases that had one, those that call first.
func (d *Desk) Alarms(ctx context.Context, by cvd.Actor) (out []AlarmLine, err error) {
	order := map[string]int{}
	err = d.View(func(p *cvd.Programme) error {
		now, names := d.at(p), d.Names(ctx, p)
		for _, id := range p.CaseOrder {
			c := p.Cases[id]
			if c.Alarm == nil || p.May(by, cvd.ActViewAlarm, cvd.ACase(id), now) != nil {
				continue
			}
			s := p.AlarmState(id, now)
			order[s.String()] = int(s)
			l := AlarmLine{Case: id, Title: d.title(ctx, c), State: s.String(), Round: c.Alarm.Round, Raised: c.Alarm.Raised.At, Seen: len(c.Seen), Entry: c.Alarm.Raised.Seq}
			l.NextCall, l.NextCalled = nextCall(p, names, id, now)
			l.Due = l.NextCalled != "" && !l.NextCall.After(now)
			if c.Hold != nil {
				l.Held = c.Hold.At
			}
			out = append(out, l)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b AlarmLine) int { return order[a.State] - order[b.State] })
	return out, err
}
