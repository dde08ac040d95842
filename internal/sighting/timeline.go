package sighting

import (
	"cmp"
	"slices"
	"time"
)

// Timeline puts sightings in order as far as their times allow. It bounds one
// thing about a leak, and from one side only: NotLaterThan. Nothing seen says
// since when material was out.
type Timeline struct {
	Dated   []Sighting // by the start of their intervals, then the end, the source and the place
	Undated []Sighting // by source and place; they may be earlier than any other
}

// NewTimeline sorts sightings; the slice itself isn't touched.
func NewTimeline(sightings []Sighting) Timeline {
	var t Timeline
	for _, s := range sightings {
		if s.Time.Known() {
			t.Dated = append(t.Dated, s)
		} else {
			t.Undated = append(t.Undated, s)
		}
	}
	place := func(a, b Sighting) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Len, b.Len))
	}
	slices.SortStableFunc(t.Dated, func(a, b Sighting) int {
		return cmp.Or(a.Time.From.Compare(b.Time.From), a.Time.To.Compare(b.Time.To), place(a, b))
	})
	slices.SortStableFunc(t.Undated, place)
	return t
}

// First is when the first of the dated sightings happened. Each happened at
// some instant of its interval, so the first happened at or after the earliest
// start and at or before the earliest end: [min From, min To]. Which sighting
// it was may remain open. Undated sightings may be earlier.
func (t Timeline) First() Interval { return First(t.Dated) }

// NotLaterThan is the instant by which something had certainly been seen, and
// so had certainly left its holder; false if no sighting is dated. There is no
// counterpart at the other end.
func (t Timeline) NotLaterThan() (time.Time, bool) {
	v := t.First()
	return v.To, v.Known()
}

// Candidates are the dated sightings that may have been the first: those that
// no other certainly came before.
func (t Timeline) Candidates() []Sighting {
	first := t.First()
	i := 0
	for i < len(t.Dated) && !t.Dated[i].Time.From.After(first.To) {
		i++
	}
	return t.Dated[:i]
}

// First is the interval in which the first of the sightings with a known time
// happened, [min From, min To]; unknown if there are none.
func First(sightings []Sighting) Interval {
	var v Interval
	for _, s := range sightings {
		switch {
		case !s.Time.Known():
		case !v.Known():
			v = s.Time
		default:
			if s.Time.From.Before(v.From) {
				v.From = s.Time.From
			}
			if s.Time.To.Before(v.To) {
				v.To = s.Time.To
			}
		}
	}
	return v
}
