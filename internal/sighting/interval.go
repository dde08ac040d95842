package sighting

import (
	"fmt"
	"time"
)

// Interval is when something happened, as far as it can be told: at some
// instant from From to To, both included. Either both ends are known or
// neither is; the zero Interval is unknown. Ends are whole microseconds UTC,
// rounded outwards.
type Interval struct{ From, To time.Time }

// Known reports whether the interval says anything.
func (v Interval) Known() bool { return !v.From.IsZero() && !v.To.IsZero() }

// between makes an interval of two instants in either order.
func between(a, b time.Time) Interval {
	if b.Before(a) {
		a, b = b, a
	}
	a = a.UTC().Truncate(time.Microsecond)
	if t := b.UTC().Truncate(time.Microsecond); t.Before(b) {
		b = t.Add(time.Microsecond)
	}
	return Interval{a, b.UTC()}
}

// Widen moves the ends apart. Widening what is unknown leaves it unknown.
func (v Interval) Widen(before, after time.Duration) Interval {
	if !v.Known() {
		return Interval{}
	}
	return between(v.From.Add(-before), v.To.Add(after))
}

// Hull is the smallest interval that holds both. It is unknown if either is:
// what may have been at any time may have been outside the other.
func (v Interval) Hull(o Interval) Interval {
	if !v.Known() || !o.Known() {
		return Interval{}
	}
	if o.From.Before(v.From) {
		v.From = o.From
	}
	if o.To.After(v.To) {
		v.To = o.To
	}
	return v
}

// Contains reports whether the instant may have been it.
func (v Interval) Contains(t time.Time) bool {
	return v.Known() && !t.Before(v.From) && !t.After(v.To)
}

// Order is how two intervals stand in time. It is Allen's algebra reduced to
// what a finding may rest on: one certainly came first, or it can't be said.
type Order uint8

const (
	Unordered Order = iota // they overlap, or one is unknown
	Before                 // the first certainly came before the second
	After                  // the first certainly came after the second
)

// Against says how v stands to o.
func (v Interval) Against(o Interval) Order {
	switch {
	case !v.Known() || !o.Known():
		return Unordered
	case v.To.Before(o.From):
		return Before
	case o.To.Before(v.From):
		return After
	}
	return Unordered
}

// String gives both ends in UTC, or one when they are the same.
func (v Interval) String() string {
	const layout = "2006-01-02T15:04:05.000000Z"
	switch {
	case !v.Known():
		return "unknown"
	case v.From.Equal(v.To):
		return v.From.Format(layout)
	}
	return fmt.Sprintf("%s … %s", v.From.Format(layout), v.To.Format(layout))
}

// Clock is what is declared about a source's clock. The zero Clock believes
// every time that the source states, to its granularity.
type Clock struct {
	// Skew is how far the source's clock may be off, in either direction.
	Skew time.Duration

	// Lag is how long after a request its record may have been stamped:
	// Suricata stamps an http record when the transaction is over. A W3C log
	// that has a time-taken field needs none.
	Lag time.Duration

	// Zone is a local zone in which the source may have written times that
	// carry no offset, although its format says UTC. The time is then either:
	// the interval runs from the earlier reading to the later. Nil: UTC.
	//
	// Of a format that has local times and tells nothing of the zone (syslog's of
	// RFC 3164) it is the zone; nil leaves them anywhere on Earth.
	Zone *time.Location

	// Year is the year of times that state none (RFC 3164), as the source would have
	// written it: by its own clock, in its own zone. 0: see Within.
	Year int

	// Within is when the source was written, as far as that is known otherwise: a
	// time without a year is in any year that lets it be in here. Unknown leaves
	// such times unknown, unless Year is given.
	Within Interval
}

func (c Clock) check() error {
	if c.Skew < 0 || c.Lag < 0 {
		return fmt.Errorf("%w: a clock's skew and lag are how far it may be off, and are not negative", ErrScanner)
	}
	if c.Within != (Interval{}) && (!c.Within.Known() || c.Within.To.Before(c.Within.From)) {
		return fmt.Errorf("%w: a source is written from one instant to a later one", ErrScanner)
	}
	return nil
}

// inAYear is what a stamp leaves open whose year isn't written: from the first
// year that it may be of to the last. A date such as 29 February comes again
// within eight years.
func (c Clock) inAYear(stampOf func(year int) (stamp, bool)) (v Interval) {
	if c.Year != 0 {
		if s, ok := stampOf(c.Year); ok {
			v = c.interval(s)
		}
		return v
	}
	if !c.Within.Known() {
		return v
	}
	look := func(year, step int) Interval {
		for range 10 {
			if s, ok := stampOf(year); ok {
				if v := c.interval(s); v.Against(c.Within) == Unordered {
					return v
				}
			}
			year += step
		}
		return Interval{}
	}
	return look(c.Within.From.Year()-1, 1).Hull(look(c.Within.To.Year()+1, -1))
}

// interval is what a stamp leaves open under this clock.
func (c Clock) interval(s stamp) Interval {
	lo, hi := s.at, s.at
	switch {
	case s.zoned:
	case c.Zone != nil:
		at := inZone(s.at, c.Zone)
		if s.local {
			lo, hi = at[0], at[0]
		}
		for _, t := range at {
			if t.Before(lo) {
				lo = t
			}
			if t.After(hi) {
				hi = t
			}
		}
	case s.local:
		lo, hi = lo.Add(-14*time.Hour), hi.Add(12*time.Hour) // from UTC+14 to UTC-12
	}
	hi = hi.Add(s.grain)
	if s.or.After(hi) {
		hi = s.or
	}
	return between(lo, hi).Widen(c.Skew+c.Lag, c.Skew)
}

// inZone gives the instants that a wall clock in zone may have meant when it
// showed t's date and time: two where the clock is set back, and two, one on
// either side, for the hour that setting it forward leaves out.
func inZone(t time.Time, zone *time.Location) []time.Time {
	var out []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := t.Add(near).In(zone).Zone()
		out = append(out, t.Add(-time.Duration(offset)*time.Second))
	}
	return out
}
