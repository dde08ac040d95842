package timeline

import (
	"slices"
	"time"
)

// axis maps times to [0, 1].
type axis struct {
	knots []knot // ascending in both
}

// knot is where the scale changes.
type knot struct {
	at  time.Time
	x   float64
	cut bool // the stretch that begins here is cut short
}

// A stretch without events is drawn as at most this part of the whole range.
const longest = 1.0 / 6

// newAxis spans the model's range. Nothing in the model gives an axis of one
// day.
func newAxis(m Model) axis {
	events := m.events()
	from, to := m.From, m.To
	if len(events) > 0 {
		first, last := events[0], events[len(events)-1]
		pad := max(last.Sub(first)/40, 2*time.Hour)
		if from.IsZero() {
			from = first.Add(-pad)
		}
		if to.IsZero() {
			to = last.Add(2 * pad)
		}
	}
	if !from.Before(to) {
		to = from.Add(24 * time.Hour)
	}
	events = slices.DeleteFunc(events, func(t time.Time) bool { return t.Before(from) || t.After(to) })
	events = append(append([]time.Time{from}, events...), to)
	most := time.Duration(float64(to.Sub(from)) * longest)
	a := axis{knots: []knot{{at: from}}}
	total := 0.0
	for i := 1; i < len(events); i++ {
		gap := events[i].Sub(events[i-1])
		if gap <= 0 {
			continue
		}
		last := &a.knots[len(a.knots)-1]
		last.cut = gap > most
		total += float64(min(gap, most))
		a.knots = append(a.knots, knot{at: events[i], x: total})
	}
	for i := range a.knots {
		a.knots[i].x /= total
	}
	return a
}

// events are all times in the model, sorted.
func (m Model) events() []time.Time {
	var out []time.Time
	for _, r := range m.Rows() {
		out = append(out, r.From, r.To)
	}
	out = slices.DeleteFunc(out, time.Time.IsZero)
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// x is where t stands; times outside the range stand at its ends.
func (a axis) x(t time.Time) float64 {
	n := len(a.knots)
	if !t.After(a.knots[0].at) {
		return 0
	}
	i, _ := slices.BinarySearchFunc(a.knots, t, func(k knot, t time.Time) int { return k.at.Compare(t) })
	if i >= n {
		return 1
	}
	l, r := a.knots[i-1], a.knots[i]
	return l.x + (r.x-l.x)*float64(t.Sub(l.at))/float64(r.at.Sub(l.at))
}

// cuts are the middles of the stretches that are cut short.
func (a axis) cuts() (out []float64) {
	for i, k := range a.knots {
		if k.cut && i+1 < len(a.knots) {
			out = append(out, (k.x+a.knots[i+1].x)/2)
		}
	}
	return out
}

// label is a date on the axis.
type label struct {
	x    float64 // of its tick
	at   float64 // of its left end
	text string
}

var steps = []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 96 * time.Hour, 168 * time.Hour, 336 * time.Hour, 672 * time.Hour}

// labels are dates at round steps, apart from one another and not inside a cut.
// char is the width of a character, as a part of the axis.
func (a axis) labels(char float64) (out []label) {
	first, last := a.knots[0].at, a.knots[len(a.knots)-1].at
	drawn, wide := time.Duration(0), 0.0 // of time that is not cut
	for i := 1; i < len(a.knots); i++ {
		if !a.knots[i-1].cut {
			drawn += a.knots[i].at.Sub(a.knots[i-1].at)
			wide += a.knots[i].x - a.knots[i-1].x
		}
	}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if float64(s)*wide >= 9*char*float64(drawn) {
			step = s
			break
		}
	}
	year, end := 0, -1.0
	limit := 4000 // labels that could stand; a range of centuries has none
	for t := first.UTC().Truncate(24 * time.Hour); t.Before(last) && limit > 0; t, limit = t.Add(step), limit-1 {
		if t.Before(first) || a.inCut(t) {
			continue
		}
		l := label{x: a.x(t), text: t.Format("2 Jan")}
		switch {
		case t.Year() != year:
			l.text = t.Format("2 Jan 2006")
		case step < 24*time.Hour && t.Hour() != 0:
			l.text = t.Format("15:04")
		}
		size := float64(len(l.text)) * char
		l.at = max(0, min(l.x-size/2, 1-size))
		if l.at < end+2*char || l.x > 1-char {
			continue
		}
		year, end = t.Year(), l.at+size
		out = append(out, l)
	}
	return out
}

func (a axis) inCut(t time.Time) bool {
	for i := 1; i < len(a.knots); i++ {
		if a.knots[i-1].cut && t.After(a.knots[i-1].at) && t.Before(a.knots[i].at) {
			return true
		}
	}
	return false
}
