package cvd

import (
	"fmt"
	"time"
)

func (b *SourceDeclared) apply(p *Programme, n Note) error {
	if b.Source.IsZero() {
		return fmt.Errorf("a source without an id")
	}
	if !b.Member.IsZero() {
		if _, err := find("member", p.Members, b.Member); err != nil {
			return err
		}
	}
	s := &Source{Note: n, ID: b.Source, Name: b.Name, Origin: b.Origin, Member: b.Member, Grade: b.Grade, Public: b.Public,
		Skew: micros(b.Skew), Lag: micros(b.Lag), Zone: b.Zone, Quota: b.Quota}
	old := p.Sources[b.Source]
	if old == nil {
		return add(p, "source", p.Sources, &p.SourceOrder, b.Source, s)
	}
	s.Dropped = old.Dropped
	put(p, p.Sources, b.Source, s)
	return nil
}

// micros is a duration that a body has; more than there can be is the most.
func micros(us uint64) time.Duration {
	return time.Duration(min(us, uint64(1<<63-1)/1000)) * time.Microsecond
}

func (b *SourceRetired) apply(p *Programme, n Note) error {
	s, err := find("source", p.Sources, b.Source)
	if err != nil {
		return err
	}
	set(p, &s.Retired, &n)
	return nil
}

func (b *SightingsRecorded) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	s, err := find("source", p.Sources, b.Source)
	if err != nil {
		return err
	}
	if !b.Stream.IsZero() {
		to := &ReadTo{n, b.Source, b.Generation, b.Head, b.HeadHash, b.End}
		put(p, c.Read, b.Stream, to)
		file := fileKey{b.Stream, b.Generation}
		if c.readTo[file] == nil {
			put(p, c.files, b.Stream, append(c.files[b.Stream], b.Generation))
		}
		put(p, c.readTo, file, to)
	}
	set(p, &s.Dropped, s.Dropped+uint64(b.Dropped))
	t := Tally{Hour: n.At}
	if old := c.Tallies[b.Source]; old != nil {
		t.Dropped = old.Dropped
		if n.At.Sub(old.Hour) < time.Hour {
			t.Hour, t.InHour = old.Hour, old.InHour
		}
	}
	t.InHour += b.counted()
	t.Dropped += uint64(b.Dropped)
	put(p, c.Tallies, b.Source, &t)
	raised := false
	for i := range b.Seen {
		row := b.Seen[i]
		push(p, &c.Seen, Seen{n, row, b.Source, s.Origin, s.Member, s.Public, b.Detail})
		if row.Effect >= Repeats {
			put(p, c.known, row.known(b.Source), true)
		}
		raised = raised || row.Effect == Raises
	}
	if raised {
		p.raise(c, n)
	}
	if first := b.evidence(s.Origin); first != nil {
		push(p, &c.Sightings, Sighting{n, first.Sighting, b.Detail, first.From, first.To, s.Grade})
	}
	return nil
}

// evidence is the row by which a batch stands among what an inquiry reads, with
// the first time of all: nil for what rests on somebody's word alone.
func (b *SightingsRecorded) evidence(o Origin) *SeenRow {
	var out *SeenRow
	for i := range b.Seen {
		r := b.Seen[i]
		switch {
		case !r.Bytes || o == Hearsay:
		case out == nil:
			out = &r
		default:
			if r.From.Before(out.From) {
				out.From = r.From // also when it isn't known: any may have been the first
			}
			if out.To.IsZero() || !r.To.IsZero() && r.To.Before(out.To) {
				out.To = r.To
			}
		}
	}
	return out
}

func (r *SeenRow) known(s SourceID) knownKey { return knownKey{Pair{s, r.Tag}, r.Bytes} }

// raise begins a round of an alarm.
func (p *Programme) raise(c *Case, n Note) {
	next := &Alarm{Round: 1, Raised: n}
	if a := c.Alarm; a != nil {
		next.Round, next.Decisions, next.Notices = a.Round+1, a.Decisions, a.Notices
	}
	set(p, &c.Alarm, next)
}

// alarmOf is a case's alarm in the round that an entry is about.
func (p *Programme) alarmOf(id CaseID, round uint32) (*Case, error) {
	c, err := find("case", p.Cases, id)
	if err == nil && (c.Alarm == nil || c.Alarm.Round != round) {
		err = fmt.Errorf("the alarm of case %s is not in round %d", id, round)
	}
	return c, err
}

func (b *AlarmAcknowledged) apply(p *Programme, n Note) error {
	c, err := p.alarmOf(b.Case, b.Round)
	if err != nil {
		return err
	}
	set(p, &c.Alarm.Acknowledged, &n)
	return nil
}

func (b *AlarmDecided) apply(p *Programme, n Note) error {
	c, err := p.alarmOf(b.Case, b.Round)
	if err != nil {
		return err
	}
	d := AlarmDecision{n, b.Round, b.Choice, b.UpTo, b.Reason}
	push(p, &c.Alarm.Decisions, d)
	set(p, &c.Alarm.Decision, &d)
	return nil
}

func (b *SuppressionSet) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if b.Suppression.IsZero() {
		return fmt.Errorf("a suppression without an id")
	}
	s := &Suppression{n, b.Suppression, b.Until, b.Reason, b.Pairs}
	replaced := false
	for i, old := range c.Suppressions {
		if old.ID == b.Suppression {
			set(p, &c.Suppressions[i], s)
			replaced = true
		}
	}
	if !replaced {
		push(p, &c.Suppressions, s)
	}
	// What is seen again once this is over is new again.
	for _, pair := range b.Pairs {
		sources := []SourceID{pair.Source}
		if pair.Source.IsZero() {
			sources = p.SourceOrder
		}
		for _, id := range sources {
			drop(p, c.known, knownKey{Pair{id, pair.Tag}, false})
			drop(p, c.known, knownKey{Pair{id, pair.Tag}, true})
		}
	}
	return nil
}

func (b *NoticeQueued) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if c.Alarm == nil {
		return fmt.Errorf("case %s has no alarm", b.Case)
	}
	if _, err := find("account", p.Accounts, b.Account); err != nil {
		return err
	}
	if err := add(p, "notice", p.Notices, &p.NoticeOrder, b.Notice,
		&Notice{Note: n, ID: b.Notice, Case: b.Case, Round: b.Round, Step: b.Step, Account: b.Account}); err != nil {
		return err
	}
	push(p, &c.Alarm.Notices, b.Notice)
	return nil
}

func (b *NoticeTried) apply(p *Programme, n Note) error {
	x, err := find("notice", p.Notices, b.Notice)
	if err != nil {
		return err
	}
	push(p, &x.Tries, NoticeTry{n, b.Outcome})
	return nil
}
