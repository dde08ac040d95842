package sighting

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawInterval(t *rapid.T, label string) Interval {
	if rapid.IntRange(0, 9).Draw(t, label+" unknown") == 0 {
		return Interval{}
	}
	a := time.Unix(rapid.Int64Range(1, 60).Draw(t, label+" from"), 0).UTC()
	return Interval{a, a.Add(time.Duration(rapid.Int64Range(0, 20).Draw(t, label+" width")) * time.Second)}
}

// Every choice of instants within the intervals has its first within First,
// among the Candidates, and both ends are reached.
func TestFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Sighting {
			s := Sighting{Observation: Observation{Time: drawInterval(t, "time"), Offset: rapid.Int64Range(0, 1000).Draw(t, "offset")}}
			return s
		}), 0, 8).Draw(t, "sightings")
		before := slices.Clone(all)
		line := NewTimeline(all)
		for i := range all {
			if all[i].Offset != before[i].Offset {
				t.Fatal("NewTimeline touched its argument")
			}
		}
		first := line.First()
		if last, ok := line.NotLaterThan(); ok != first.Known() || !last.Equal(first.To) {
			t.Fatal("NotLaterThan isn't the end of First")
		}
		if first.Known() != (len(line.Dated) > 0) || len(line.Dated)+len(line.Undated) != len(all) {
			t.Fatal("sightings were lost")
		}
		if !first.Known() {
			return
		}
		lowest, highest := first.To.Add(time.Hour), time.Time{}
		for range 20 {
			var when time.Time
			at := -1
			for i, s := range line.Dated {
				d := s.Time.To.Sub(s.Time.From)
				x := s.Time.From.Add(time.Duration(rapid.Int64Range(0, int64(d)).Draw(t, "instant")))
				if at < 0 || x.Before(when) {
					when, at = x, i
				}
			}
			if !first.Contains(when) {
				t.Fatalf("the first was at %v, outside %v", when, first)
			}
			if at >= len(line.Candidates()) {
				t.Fatalf("sighting %d came first and is no candidate", at)
			}
		}
		for _, s := range line.Dated {
			if s.Time.From.Before(lowest) {
				lowest = s.Time.From
			}
			if highest.IsZero() || s.Time.To.Before(highest) {
				highest = s.Time.To
			}
		}
		if !lowest.Equal(first.From) || !highest.Equal(first.To) {
			t.Fatalf("First is %v, its bounds are %v and %v", first, lowest, highest)
		}
	})
}

func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawInterval(t, "a"), drawInterval(t, "b")
		mirror := map[Order]Order{Before: After, After: Before, Unordered: Unordered}
		if got := a.Against(b); b.Against(a) != mirror[got] {
			t.Fatalf("%v to %v is %d, the other way round %d", a, b, got, b.Against(a))
		} else if got == Before && !a.To.Before(b.From) {
			t.Fatalf("%v isn't certainly before %v", a, b)
		}
		h := a.Hull(b)
		if h.Known() != (a.Known() && b.Known()) {
			t.Fatal("the hull of something unknown is unknown")
		}
		if h.Known() && (!h.Contains(a.From) || !h.Contains(a.To) || !h.Contains(b.From) || !h.Contains(b.To)) {
			t.Fatalf("%v doesn't hold %v and %v", h, a, b)
		}
		if w := a.Widen(time.Second, time.Minute); w.Known() != a.Known() {
			t.Fatal("widening made something known")
		}
	})
}
