package coordinator

import (
	"context"
	"fmt"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

// SourceSpec is a source as people declare it.
type SourceSpec struct {
	Name      string
	Origin    cvd.Origin
	Member    cvd.MemberID // of cvd.MemberSource
	Grade     cvd.Grade
	Public    bool
	Skew, Lag time.Duration
	Zone      string // an IANA name; empty: UTC
	Quota     uint32 // new things an hour, in each case
}

// DeclareSource declares a source; one of that name is declared anew.
func (d *Desk) DeclareSource(ctx context.Context, by cvd.Actor, s SourceSpec) (cvd.SourceID, error) {
	q := cvd.DeclareSource{Origin: s.Origin, Member: s.Member, Grade: s.Grade, Public: s.Public,
		Skew: uint64(max(0, s.Skew.Microseconds())), Lag: uint64(max(0, s.Lag.Microseconds())), Zone: s.Zone, Quota: s.Quota}
	if err := checkName("the source's name", s.Name); err != nil {
		return q.Source, err
	}
	var err error
	if q.Source, err = NewID[cvd.SourceID](d); err != nil {
		return q.Source, err
	}
	if err := d.View(func(p *cvd.Programme) error {
		for _, id := range p.SourceOrder {
			if x := p.Sources[id]; x.Retired == nil && d.named(ctx, ProgrammeKey, x.Name) == s.Name {
				q.Source = id
			}
		}
		_, err := p.Decide(q, by, d.at(p)) // before anything is written
		return err
	}); err != nil {
		return q.Source, err
	}
	if q.Name, err = d.PutText(ctx, ProgrammeKey, Named{s.Name}); err != nil {
		return q.Source, err
	}
	_, err = d.Do(ctx, by, q)
	return q.Source, err
}

// Source finds a source by name, id, or the beginning of either.
func (d *Desk) Source(ctx context.Context, by cvd.Actor, said string) (id cvd.SourceID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = Find(said, "source", "forewarn source list", func(yield func(cvd.SourceID, string) bool) {
			if p.May(by, cvd.ActListSources, cvd.TheProgramme(), d.at(p)) != nil {
				return
			}
			for _, id := range p.SourceOrder {
				if x := p.Sources[id]; x.Retired == nil && !yield(id, d.named(ctx, ProgrammeKey, x.Name)) {
					return
				}
			}
		})
		return err
	})
	return id, err
}

// Source is a source's name.
func (n Names) Source(id cvd.SourceID) string {
	if s, ok := n.p.Sources[id]; ok {
		return n.d.named(n.ctx, ProgrammeKey, s.Name)
	}
	return gone
}

// ClockOf is what was declared of a source's clock.
func (d *Desk) ClockOf(id cvd.SourceID) (c sighting.Clock, err error) {
	err = d.View(func(p *cvd.Programme) error {
		s, ok := p.Sources[id]
		if !ok {
			return fmt.Errorf("%w: there is no such source", ErrUnknown)
		}
		c.Skew, c.Lag = s.Skew, s.Lag
		if s.Zone == "" {
			return nil
		}
		var err error
		if c.Zone, err = time.LoadLocation(s.Zone); err != nil {
			return fmt.Errorf("the zone of source %s: %w", id.Short(), err)
		}
		return nil
	})
	return c, err
}
