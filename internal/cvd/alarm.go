package cvd

import (
	"slices"
	"time"

	"forewarn/internal/entrylog"
)

// AlarmState is where a case's alarm is at a time.
func (p *Programme) AlarmState(id CaseID, now time.Time) AlarmState {
	c := p.Cases[id]
	if c == nil || c.Alarm == nil {
		return NoAlarm
	}
	a, ended := c.Alarm, AlarmOver
	if a.Decision != nil && a.Decision.Choice == ChooseEnd {
		ended = AlarmEnded
	}
	switch {
	case c.Shredded != nil:
		return AlarmOver
	case !p.beforeRelease(id, now):
		return ended
	case a.Decision != nil && a.Decision.Choice == ChooseHold && c.Hold == nil:
		return AlarmUnheld
	case a.Decision != nil:
		return [...]AlarmState{ChooseHold: AlarmHeld, ChooseWatch: AlarmWatched, ChooseDismiss: AlarmDismissed, ChooseEnd: AlarmEnded}[a.Decision.Choice]
	case a.Acknowledged != nil:
		return AlarmInHand
	}
	return AlarmRaised
}

// beforeRelease reports whether there is something left to warn of.
func (p *Programme) beforeRelease(id CaseID, now time.Time) bool {
	phase := p.PhaseOf(id, now)
	return phase == PhaseEarly || phase == PhaseEmbargoed
}

// Weight is what a sighting counts for. The zero Weight counts for nothing.
type Weight uint8

const (
	WordOnly    Weight = iota // hearsay, or no bytes are held
	MemberBytes               // a member's source, which handed over what it saw
	OwnBytes                  // the programme's own sensor, likewise
)

var weightNames = []string{"word only", "member with bytes", "own with bytes"}

func (v Weight) String() string { return name(weightNames, v) }

// Weight is what the sighting counts for.
func (s *Seen) Weight() Weight {
	switch {
	case !s.Bytes:
		return WordOnly
	case s.Origin == OwnSensor:
		return OwnBytes
	case s.Origin == MemberSource:
		return MemberBytes
	}
	return WordOnly
}

// cover is the suppression of a pair: the last that was set and not lifted.
type cover struct {
	until time.Time
	seq   entrylog.Seq
}

// covers is the pairs of a case that were ever dismissed, for what comes with bytes
// or without. Who dismissed somebody's word has judged no bytes: these cover a pair
// only if some had been seen of it by then.
func (c *Case) covers(bytes bool) map[Pair]cover {
	m, held := map[Pair]cover{}, map[Pair]entrylog.Seq{} // since when bytes are
	if bytes {
		for _, s := range slices.Backward(c.Seen) {
			if s.Bytes {
				held[Pair{s.Source, s.Tag}], held[Pair{Tag: s.Tag}] = s.Seq, s.Seq
			}
		}
	}
	for _, s := range c.Suppressions {
		if !s.Until.After(s.At) {
			continue // lifted
		}
		for _, pair := range s.Pairs {
			if since, ok := held[pair]; bytes && (!ok || since > s.Seq) {
				continue
			}
			if was, ok := m[pair]; !ok || was.seq < s.Seq {
				m[pair] = cover{s.Until, s.Seq}
			}
		}
	}
	return m
}

// coverOf is what covers a pair, named with its source or without.
func coverOf(m map[Pair]cover, pair Pair) cover {
	a, b := m[pair], m[Pair{Tag: pair.Tag}]
	if b.seq > a.seq {
		return b
	}
	return a
}

// Stands gives the sightings that an alarm rests on: seen before release, and not
// dismissed since, in the order of the log.
func (p *Programme) Stands(id CaseID) (out []Seen) {
	c := p.Cases[id]
	if c == nil {
		return nil
	}
	covers := map[bool]map[Pair]cover{false: c.covers(false), true: c.covers(true)}
	for _, s := range c.Seen {
		if s.Effect >= Repeats && coverOf(covers[s.Bytes], Pair{s.Source, s.Tag}).seq <= s.Seq {
			out = append(out, s)
		}
	}
	return out
}

// Offer is what can be decided about an alarm, the most that the evidence carries
// first, and why no more.
type Offer struct {
	Choices []Choice
	Why     string
}

// OfferOf is the one rule of what is offered: the end on the word of the
// programme's own sensor, or of two members that are not under common ownership,
// each with the bytes; else to hold and verify. Nothing without bytes counts. Nor do
// rules and indicators: anybody's probe may match a rule that is public, and only a
// token or an excerpt shows that the package is out.
func (p *Programme) OfferOf(id CaseID, now time.Time) (o Offer) {
	switch p.AlarmState(id, now) {
	case NoAlarm:
		return Offer{Why: "nothing was seen"}
	case AlarmEnded, AlarmOver:
		return Offer{Why: "the embargo is over"}
	}
	own := false
	parties := map[entrylog.Ref]bool{}
	other := false
	for _, s := range p.Stands(id) {
		if s.Clue != Token && s.Clue != Text {
			other = other || s.Weight() > WordOnly
			continue
		}
		switch s.Weight() {
		case OwnBytes:
			own = true
		case MemberBytes:
			parties[p.party(s.Member)] = true
		}
	}
	o.Choices = []Choice{ChooseHold, ChooseWatch, ChooseDismiss}
	switch {
	case p.PhaseOf(id, now) != PhaseEmbargoed:
		o.Why = "no embargo binds yet that could be ended"
	case own:
		o.Why = "a sensor of the programme's own saw it, and what it saw is held"
		o.Choices = slices.Insert(o.Choices, 0, ChooseEnd)
	case len(parties) > 1:
		o.Why = "members that are not under common ownership saw it, and what they saw is held"
		o.Choices = slices.Insert(o.Choices, 0, ChooseEnd)
	case len(parties) == 1:
		o.Why = "one member saw it: hold, and have it verified by an own sensor or an unrelated member"
	case other:
		o.Why = "a rule or an indicator matched, which others than readers of the package can bring about: hold, and look for what shows that it is out"
	default:
		o.Why = "it is somebody's word, without the bytes: hold, and ask for them"
	}
	return o
}

// party is who stands behind a member's word: its owner, where one is known.
func (p *Programme) party(m MemberID) entrylog.Ref {
	if x := p.Members[m]; x != nil && !x.Group.IsZero() {
		return ref(x.Group)
	}
	return ref(m)
}

// PublicSince is when a thing that was seen in a case was public: the first
// sighting of it by a public source, or the release. From then on it can have
// been copied from there. Zero: not that is known.
func (c *Case) PublicSince(tag Tag) (at time.Time, by entrylog.Seq) {
	for _, s := range c.Seen {
		if s.Tag == tag && s.Public {
			return s.At, s.Seq
		}
	}
	if c.Released != nil {
		return c.Released.At, c.Released.Seq
	}
	return time.Time{}, 0
}

// Escalation is how long after an alarm was raised the next on the roster is
// called, while nobody has acknowledged it. After that comes a pause, of Pauses the
// next and then the last for good, and the roster is called on from where it was.
var (
	Escalation = [...]time.Duration{0, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}
	Pauses     = [...]time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour}
)

// MaxTries is how often one notice is tried before it is given up, and RetryAfter
// the least time between two tries.
const (
	MaxTries   = 3
	RetryAfter = 30 * time.Second
)

// Due is a notice that should go out.
type Due struct {
	Case    CaseID
	Round   uint32
	Step    uint8
	Account AccountID // zero: there is nobody to call
	At      time.Time // since when
}

// Called is who is called at a time, first to last: who is on duty, then everybody
// else who could decide.
func (p *Programme) Called(now time.Time) []AccountID {
	ids := slices.Clone(p.OnDuty(now))
	for _, id := range p.AccountOrder {
		if a := p.Accounts[id]; p.active(a) && a.Roles&ends != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Calls are an alarm's calls that should be queued at a time, and the next; zero:
// there is none. Each is due when its time has come, or when the one before it has
// failed. Nothing of it is stored: it follows from the roster, the notices and the
// clock. While nobody acknowledges or decides, the roster is called on and on; of
// a time when nobody called, only the last pass is made up for.
func (p *Programme) Calls(id CaseID, now time.Time) (due []Due, next Due) {
	if p.AlarmState(id, now) != AlarmRaised {
		return nil, Due{}
	}
	a := p.Cases[id].Alarm
	queued := map[uint8][]*Notice{}
	for _, n := range a.Notices {
		if x := p.Notices[n]; x.Round == a.Round {
			queued[x.Step] = append(queued[x.Step], x)
		}
	}
	who := p.Called(now)
	at := a.Raised.At
	for pass := 0; ; pass++ {
		begun, pause := at, Pauses[min(pass, len(Pauses)-1)]
		if begun.After(now) {
			return due, p.call(id, pass*len(Escalation), who, begun)
		}
		due = nil
		failed := begun // when the step before this one failed; zero: it didn't
		for i, after := range Escalation {
			n := pass*len(Escalation) + i
			at = begun.Add(after)
			if !failed.IsZero() && failed.Before(at) {
				at = failed
			}
			if at.After(now) {
				return due, p.call(id, n, who, at)
			}
			// Steps are numbered on from pass to pass, and after 255 from 0: which pass one
			// is of, its time says.
			of := slices.IndexFunc(queued[uint8(n)], func(x *Notice) bool {
				return !x.At.Before(begun) && x.At.Before(begun.Add(Escalation[len(Escalation)-1]+pause))
			})
			failed = time.Time{}
			if of < 0 && len(who) > 0 {
				due = append(due, p.call(id, n, who, at))
			} else if of >= 0 {
				if tries := queued[uint8(n)][of].Tries; len(tries) > 0 && tries[0].Outcome == NotHanded {
					failed = tries[0].At
				}
			}
		}
		at = at.Add(pause)
	}
}

// call is the nth call of an alarm. Behind the last person begins the first again.
func (p *Programme) call(id CaseID, n int, who []AccountID, at time.Time) Due {
	d := Due{Case: id, Round: p.Cases[id].Alarm.Round, Step: uint8(n), At: at}
	if len(who) > 0 {
		d.Account = who[n%len(who)]
	}
	return d
}

// NoticesDue is every notice that should be queued at a time, and when the next
// will be; zero: none will.
func (p *Programme) NoticesDue(now time.Time) (due []Due, next time.Time) {
	for _, id := range p.CaseOrder {
		d, n := p.Calls(id, now)
		due = append(due, d...)
		if !n.At.IsZero() && (next.IsZero() || n.At.Before(next)) {
			next = n.At
		}
	}
	return due, next
}

// Outbox is the notices that were queued and neither handed on nor given up, of
// alarms that still call, and when one that failed may be tried again; zero: none.
func (p *Programme) Outbox(now time.Time) (out []*Notice, next time.Time) {
	for _, c := range p.CaseOrder {
		if p.AlarmState(c, now) != AlarmRaised {
			continue
		}
		a := p.Cases[c].Alarm
		for _, id := range a.Notices {
			x := p.Notices[id]
			n := len(x.Tries)
			switch {
			case x.Round != a.Round || n > 0 && x.Tries[n-1].Outcome == HandedOff || n >= MaxTries:
			case n > 0 && now.Before(x.Tries[n-1].At.Add(RetryAfter)):
				if at := x.Tries[n-1].At.Add(RetryAfter); next.IsZero() || at.Before(next) {
					next = at
				}
			default:
				out = append(out, x)
			}
		}
	}
	return out, next
}

// Tried is the notices of alarms that still call that were queued from an entry on,
// and handed on by somebody, or not for now.
func (p *Programme) Tried(now time.Time, from entrylog.Seq) (out []*Notice) {
	for _, c := range p.CaseOrder {
		if p.AlarmState(c, now) != AlarmRaised {
			continue
		}
		a := p.Cases[c].Alarm
		for _, id := range slices.Backward(a.Notices) {
			x := p.Notices[id]
			if x.Seq < from || x.Round != a.Round {
				break
			}
			if len(x.Tries) > 0 {
				out = append(out, x)
			}
		}
	}
	return out
}

// QuotaLeft is how many new things of a source may still be described in a case
// within the hour. Not counted are tokens, which prove themselves, and what calls
// nobody anyway: what is known already, and what was dismissed.
func (p *Programme) QuotaLeft(id CaseID, source SourceID, now time.Time) uint32 {
	s, c := p.Sources[source], p.Cases[id]
	if s == nil || c == nil {
		return 0
	}
	if t := c.Tallies[source]; t != nil && now.Sub(t.Hour) < time.Hour {
		return s.Quota - min(s.Quota, t.InHour)
	}
	return s.Quota
}

// counted reports whether a row is one that a quota bounds.
func (r *SeenRow) counted() bool {
	return r.Clue != Token && r.Effect != Repeats && r.Effect != Suppressed
}

func (b *SightingsRecorded) counted() (n uint32) {
	for i := range b.Seen {
		if b.Seen[i].counted() {
			n++
		}
	}
	return n
}

// EffectOf gives what a row of a source does in a case at a time, by itself: what
// is new Joins, and raises the alarm where it is the first to (see RecordSightings).
func (p *Programme) EffectOf(id CaseID, source SourceID, now time.Time) func(*SeenRow) Effect {
	c := p.Cases[id]
	if c == nil || !p.beforeRelease(id, now) {
		return func(*SeenRow) Effect { return AfterEmbargo }
	}
	covers := map[bool]map[Pair]cover{false: c.covers(false), true: c.covers(true)}
	return func(r *SeenRow) Effect {
		key := r.known(source)
		switch {
		case now.Before(coverOf(covers[r.Bytes], key.pair).until):
			return Suppressed
		case c.known[key]:
			return Repeats
		}
		return Joins
	}
}

// LeastQuota is how many new things of a source may still be described within the
// hour, in the case where these are fewest.
func (p *Programme) LeastQuota(source SourceID, now time.Time) uint32 {
	s := p.Sources[source]
	if s == nil {
		return 0
	}
	least := s.Quota
	for _, id := range p.CaseOrder {
		least = min(least, p.QuotaLeft(id, source, now))
	}
	return least
}
