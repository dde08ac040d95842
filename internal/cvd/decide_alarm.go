package cvd

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
)

// ErrReadAlready: the log says that these bytes of the source were read. Begin
// where it says.
var ErrReadAlready = errors.New("this was read already")

// maxSuppression is how long one judgement keeps an alarm quiet.
const maxSuppression = 90 * 24 * time.Hour

func (c DeclareSource) asks(*Programme) (Action, Object) { return ActDeclareSource, TheProgramme() }

func (c DeclareSource) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	switch {
	case c.Source.IsZero():
		return nil, refuse("the source has no id")
	case p.Sources[c.Source] != nil && p.Sources[c.Source].Retired != nil:
		return nil, refuse("the source is retired: declare a new one")
	case c.Origin == NoOrigin || c.Origin > Hearsay:
		return nil, refuse("say whose source it is: own, member or hearsay")
	case (c.Origin == MemberSource) == c.Member.IsZero():
		return nil, refuse("a member's source names its member, and no other does")
	case c.Quota == 0:
		return nil, refuse("a source needs a quota: how many of its sightings an hour are recorded one by one")
	case c.Skew > uint64(365*24*time.Hour/time.Microsecond) || c.Lag > uint64(365*24*time.Hour/time.Microsecond):
		return nil, refuse("a clock that may be off by more than a year says nothing: leave its times out")
	}
	if !c.Member.IsZero() {
		if err := exists(p.Members, c.Member, "member"); err != nil {
			return nil, err
		}
	}
	b := SourceDeclared(c)
	return checked(&b)
}

func (c RetireSource) asks(*Programme) (Action, Object) { return ActDeclareSource, TheProgramme() }

func (c RetireSource) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := exists(p.Sources, c.Source, "source"); err != nil {
		return nil, err
	}
	if p.Sources[c.Source].Retired != nil {
		return nil, nil
	}
	b := SourceRetired(c)
	return yes(&b)
}

func (c RecordSightings) asks(*Programme) (Action, Object) { return ActRecordSighting, ACase(c.Case) }

func (c RecordSightings) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := SightingsRecorded(c)
	b.Seen = slices.Clone(c.Seen)
	s := p.Sources[c.Source]
	switch {
	case s == nil:
		return nil, refuse("there is no source %s", c.Source)
	case s.Retired != nil:
		return nil, refuse("source %s is retired: declare another", c.Source)
	case len(b.Seen) == 0 && b.Dropped == 0:
		return nil, nil
	case len(b.Seen) == 0:
		return nil, refuse("what is only counted goes with at least one that is described: else nobody would be called")
	case b.End < b.Begin || b.Stream.IsZero() && (b.Begin != 0 || b.End != 0 || b.Generation != 0 || b.Head != 0):
		return nil, refuse("what was read of the source ends before it begins, or of no file at all")
	}
	if at := p.Cases[c.Case].readTo[fileKey{b.Stream, b.Generation}]; at != nil && b.Begin < at.Offset {
		return nil, fmt.Errorf("%w: %w up to byte %d of file %d of its name; nothing was recorded twice", ErrRefused, ErrReadAlready, at.Offset, at.Generation)
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	p.effects(&b, now)
	// However much was recorded, one new thing always is: that calls people.
	if n, left := b.counted(), p.QuotaLeft(c.Case, c.Source, now); n > max(1, left) {
		return nil, refuse("the source may have %d more new things described this hour, and these are %d: describe the first, count what is above as dropped", left, n)
	}
	return checked(&b)
}

// check refuses rows that say nothing.
func (b *SightingsRecorded) check() error {
	ids := map[SightingID]bool{}
	for i := range b.Seen {
		r := &b.Seen[i]
		r.From, r.To = whole(r.From), whole(r.To)
		switch {
		case r.Sighting.IsZero() || ids[r.Sighting]:
			return refuse("each sighting needs an id of its own")
		case r.Clue == NoClue || r.Clue > Rule || r.Tag == Tag{}:
			return refuse("a sighting says what was seen")
		case r.Count == 0:
			return refuse("what was seen was seen at least once")
		case r.From.IsZero() != r.To.IsZero() || r.To.Before(r.From):
			return refuse("a sighting's interval ends (%s) before it begins (%s)", r.To, r.From)
		}
		ids[r.Sighting] = true
	}
	return nil
}

// effects says of each row what it does to the alarm.
func (p *Programme) effects(b *SightingsRecorded, now time.Time) {
	calls := true // whether something new calls people
	switch p.AlarmState(b.Case, now) {
	case AlarmRaised, AlarmInHand:
		calls = false
	}
	effectOf, known := p.EffectOf(b.Case, b.Source, now), map[knownKey]bool{}
	for i := range b.Seen {
		r := &b.Seen[i]
		r.Effect = effectOf(r)
		if r.Effect < Repeats {
			continue
		}
		if key := r.known(b.Source); known[key] {
			r.Effect = Repeats
		} else if known[key] = true; r.Effect == Joins && calls {
			r.Effect, calls = Raises, false
		}
	}
}

func (c AcknowledgeAlarm) asks(*Programme) (Action, Object) {
	return ActAcknowledgeAlarm, ACase(c.Case)
}

func (c AcknowledgeAlarm) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := AlarmAcknowledged(c)
	if err := p.sameRound(c.Case, c.Round); err != nil {
		return nil, err
	}
	if p.AlarmState(c.Case, now) != AlarmRaised {
		return nil, nil
	}
	return yes(&b)
}

func (p *Programme) sameRound(id CaseID, round uint32) error {
	switch a := p.Cases[id].Alarm; {
	case a == nil:
		return refuse("the case has no alarm: nothing was seen")
	case a.Round != round:
		return refuse("the alarm was raised again since you looked: look again")
	}
	return nil
}

// DecideAlarm is a decision about a case's alarm, together with what follows from
// it: the hold, the embargo's end, or the suppression of what was dismissed.
type DecideAlarm struct {
	Case   CaseID
	Round  uint32
	Choice Choice
	UpTo   entrylog.Seq // the last entry that was seen: refused if more was seen, or decided, since; zero: whatever there is
	Reason BlobRef

	Revision RevisionID // ChooseEnd: as in EndEmbargo
	Level    form.Level

	Suppression SuppressionID // ChooseDismiss: its id, and until when
	Until       time.Time
}

func (c DecideAlarm) asks(*Programme) (Action, Object) { return ActDecideAlarm, ACase(c.Case) }

func (c DecideAlarm) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := p.sameRound(c.Case, c.Round); err != nil {
		return nil, err
	}
	standing := p.Stands(c.Case)
	if c.UpTo != 0 && slices.ContainsFunc(standing, func(s Seen) bool { return s.Seq > c.UpTo && s.Effect > Repeats }) {
		return nil, refuse("more was seen since you looked: look again")
	}
	if last := p.Cases[c.Case].Alarm.Decision; c.UpTo != 0 && last != nil && last.Seq > c.UpTo {
		return nil, refuse("somebody decided since you looked: look again")
	}
	if o := p.OfferOf(c.Case, now); !slices.Contains(o.Choices, c.Choice) {
		return nil, refuse("%s is not offered: %s", c.Choice, o.Why)
	}
	b := &AlarmDecided{c.Case, c.Round, c.Choice, c.UpTo, c.Reason}
	if b.UpTo == 0 && len(standing) > 0 {
		b.UpTo = standing[len(standing)-1].Seq
	}
	var follows []fact
	var err error
	switch c.Choice {
	case ChooseHold:
		follows, err = p.also(Hold{Case: c.Case, Reason: c.Reason}, who, now)
	case ChooseEnd:
		follows, err = p.also(EndEmbargo{c.Case, c.Revision, c.Level, c.Reason}, who, now)
	case ChooseDismiss:
		if c.Reason.IsZero() {
			return nil, refuse("say why it is dismissed: it will not call anybody again")
		}
		q := SetSuppression{Suppression: c.Suppression, Case: c.Case, Until: c.Until, Reason: c.Reason}
		for _, s := range standing {
			if pair := (Pair{s.Source, s.Tag}); len(q.Pairs) < maxPairs && !slices.Contains(q.Pairs, pair) {
				q.Pairs = append(q.Pairs, pair)
			}
		}
		follows, err = p.also(q, who, now)
	}
	if err != nil {
		return nil, err
	}
	return append([]fact{b}, follows...), nil
}

// also decides what follows from another verb, under its own policy.
func (p *Programme) also(c Command, who Actor, now time.Time) ([]fact, error) {
	action, object := c.asks(p)
	if err := p.May(who, action, object, now); err != nil {
		return nil, err
	}
	return c.decide(p, who, now)
}

// SetSuppression keeps pairs from raising an alarm until a time, or, with a time
// that is past, lifts that.
type SetSuppression SuppressionSet

func (c SetSuppression) asks(*Programme) (Action, Object) { return ActSuppress, ACase(c.Case) }

func (c SetSuppression) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := SuppressionSet(c)
	b.Until = whole(b.Until)
	switch {
	case c.Suppression.IsZero():
		return nil, refuse("the suppression has no id")
	case len(c.Pairs) == 0:
		return nil, refuse("a suppression names what it keeps quiet")
	case c.Reason.IsZero():
		return nil, refuse("a suppression needs a reason: the next person will ask")
	case b.Until.Sub(now) > maxSuppression:
		return nil, refuse("a suppression lasts %d days at most, so that somebody looks again", maxSuppression/(24*time.Hour))
	}
	return checked(&b)
}

func (c QueueNotice) asks(*Programme) (Action, Object) { return ActNotify, ACase(c.Case) }

func (c QueueNotice) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := unused(p.Notices, c.Notice, "notice"); err != nil {
		return nil, err
	}
	due, _ := p.Calls(c.Case, now)
	if !slices.ContainsFunc(due, func(d Due) bool { return d.Round == c.Round && d.Step == c.Step && d.Account == c.Account }) {
		return nil, refuse("no such notice is due: it was queued, somebody acknowledged the alarm, or the roster changed")
	}
	b := NoticeQueued(c)
	return yes(&b)
}

func (c RecordNotice) asks(p *Programme) (Action, Object) {
	if x := p.Notices[c.Notice]; x != nil {
		return ActNotify, ACase(x.Case)
	}
	return ActNotify, ACase(CaseID{})
}

func (c RecordNotice) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	x := p.Notices[c.Notice]
	switch n := len(x.Tries); {
	case c.Outcome == NoOutcome || c.Outcome > NotHanded:
		return nil, refuse("a notice was handed on, or it was not")
	case n > 0 && x.Tries[n-1].Outcome == HandedOff:
		return nil, nil
	}
	b := NoticeTried(c)
	return yes(&b)
}
