// Package timeline draws the case timeline: one horizontal axis from report to
// aftermath, the same picture on a page, in a report, in print and (in Unicode)
// in a terminal.
//
// A Model is facts with their times and the numbers of the entries that they
// come from. SVG and Text draw it; Rows says the same in words, in order of
// time, for those who can't see the picture, and stands in both. What isn't in
// the Model isn't drawn, and nothing in it is computed here but where on the
// axis it stands.
//
// The axis is linear, except that a long stretch in which nothing happened is
// cut short, and the cut is drawn: otherwise the five days that matter would be
// as wide as a hair.
//
// Do not read times off the picture to decide anything; read the entries.
package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/entrylog"
)

// Model is what is drawn. Times are UTC; a zero time is not drawn. An Entry of 0
// means that it does not stand in the log but follows from rules.
type Model struct {
	Title    string    // says what this is: "Case timeline"
	From, To time.Time // range of the axis; zero: from the first thing to the last

	Report    Point
	Patch     Point
	Release   Point // as it happened, or as planned
	Planned   bool  // the release has not happened
	EmbargoAt Point // where the embargo ended
	Broken    bool  // the embargo broke there, rather than ending as agreed

	Bands     []Band
	Fetches   []Fetch
	Answers   []Point
	Sightings []Sighting
	Duties    []Duty
}

// Point is something that happened at one time.
type Point struct {
	At    time.Time
	Label string
	Entry entrylog.Seq
}

// Band is a wave, from when it opened on.
type Band struct {
	Label   string // 'Wave 1'
	Level   string
	Holders int
	Opens   time.Time
	Ends    time.Time // held, cancelled or superseded; zero: still open at the end
	Entry   entrylog.Seq
}

// Fetch is a copy fetched.
type Fetch struct {
	At    time.Time
	Tier  string // lanes are in the order of names
	Entry entrylog.Seq
}

// Sighting is something seen, at some time within an interval.
type Sighting struct {
	From, To time.Time
	Label    string
	Entry    entrylog.Seq
}

// Duty is a stretch of time from which on somebody may know.
type Duty struct {
	From  time.Time
	Who   string // 'CN'
	Label string // 'authority of CN may know from here'
	Entry entrylog.Seq
}

// Row is one line of the picture's text twin.
type Row struct {
	From, To time.Time // To is zero unless it is an interval
	What     string
	Entries  string // 'entry 12', 'entries 12–40', or empty
}

// Rows says everything in the picture in words, in order of time.
func (m Model) Rows() []Row {
	var out []Row
	point := func(p Point, what string) {
		if !p.At.IsZero() {
			if p.Label != "" {
				what = p.Label
			}
			out = append(out, Row{From: p.At, What: what, Entries: entries(p.Entry, p.Entry)})
		}
	}
	point(m.Report, "Report")
	point(m.Patch, "Patch")
	point(m.Release, "Release")
	point(m.EmbargoAt, m.embargo())
	for _, b := range m.Bands {
		out = append(out, Row{From: b.Opens, What: fmt.Sprintf("%s opens: %s, %s", b.Label, b.Level, count(b.Holders, "holder")), Entries: entries(b.Entry, b.Entry)})
		if !b.Ends.IsZero() {
			out = append(out, Row{From: b.Ends, What: b.Label + " is no longer served"})
		}
	}
	out = append(out, m.fetchRows()...)
	out = append(out, m.answerRows()...)
	for _, s := range m.Sightings {
		r := Row{From: s.From, To: s.To, What: "Sighting: " + s.Label, Entries: entries(s.Entry, s.Entry)}
		if s.To.Equal(s.From) {
			r.To = time.Time{}
		}
		out = append(out, r)
	}
	for _, d := range m.Duties {
		out = append(out, Row{From: d.From, What: d.Label, Entries: entries(d.Entry, d.Entry)})
	}
	out = slices.DeleteFunc(out, func(r Row) bool { return r.From.IsZero() })
	slices.SortStableFunc(out, func(a, b Row) int { return a.From.Compare(b.From) })
	return out
}

func (m Model) embargo() string {
	if m.Broken {
		return "Embargo broken"
	}
	return "Embargo ends"
}

// release is what stands at its rule.
func (m Model) release() string {
	if m.Planned {
		return "planned release"
	}
	return "release"
}

// fetchRows sums fetches up by tier and day.
func (m Model) fetchRows() (out []Row) {
	type group struct {
		Row
		tier        string
		n           int
		first, last entrylog.Seq
	}
	byDay := map[string]*group{}
	for _, f := range m.Fetches {
		k := f.At.UTC().Format(time.DateOnly) + f.Tier
		g := byDay[k]
		if g == nil {
			g = &group{Row: Row{From: f.At}, tier: f.Tier, first: f.Entry, last: f.Entry}
			byDay[k] = g
		}
		if f.At.Before(g.From) {
			g.From = f.At
		}
		if f.At.After(g.To) {
			g.To = f.At
		}
		g.n++
		g.first, g.last = min(g.first, f.Entry), max(g.last, f.Entry)
	}
	var groups []*group
	for _, g := range byDay {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.tier, b.tier), a.To.Compare(b.To))
	})
	for _, g := range groups {
		g.What, g.Entries = count(g.n, "fetch")+", "+g.tier, entries(g.first, g.last)
		if g.n > 1 {
			g.Entries = "among " + g.Entries
		}
		if g.To.Equal(g.From) {
			g.To = time.Time{}
		}
		out = append(out, g.Row)
	}
	return out
}

// manyAnswers are summed up by day, as fetches are.
const manyAnswers = 12

func (m Model) answerRows() (out []Row) {
	if len(m.Answers) <= manyAnswers {
		for _, a := range m.Answers {
			out = append(out, Row{From: a.At, What: a.Label, Entries: entries(a.Entry, a.Entry)})
		}
		return out
	}
	days := Model{}
	for _, a := range m.Answers {
		days.Fetches = append(days.Fetches, Fetch{At: a.At, Entry: a.Entry})
	}
	for _, r := range days.fetchRows() {
		n, _, _ := strings.Cut(r.What, " ")
		r.What = n + " more members ready"
		if n == "1" {
			r.What = "1 more member ready"
		}
		out = append(out, r)
	}
	return out
}

// sightingLabel numbers the lanes of sightings where there are several: the
// earliest first.
func sightingLabel(i, of int) string {
	if of == 1 {
		return "Sighting"
	}
	return fmt.Sprintf("Sighting %d", i+1)
}

func count(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "h"):
		return fmt.Sprintf("%d %ses", n, one)
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func entries(a, b entrylog.Seq) string {
	switch {
	case a == 0:
		return ""
	case a == b:
		return fmt.Sprintf("entry %d", a)
	}
	return fmt.Sprintf("entries %d–%d", a, b)
}

// Pictures have a lane each for so many of the first sightings and duties; the
// rest share one.
const ownLanes = 4

// shared splits off what shares a lane.
func shared[T any](all []T) (own, rest []T) {
	if len(all) <= ownLanes {
		return all, nil
	}
	return all[:ownLanes-1], all[ownLanes-1:]
}

// tiers are the tiers of fetches, sorted.
func (m Model) tiers() []string {
	var out []string
	for _, f := range m.Fetches {
		out = append(out, f.Tier)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// stamp is how the text twin gives a time.
func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

// When is a row's time in words.
func (r Row) When() string {
	if r.To.IsZero() {
		return stamp(r.From)
	}
	if a, b := r.From.UTC(), r.To.UTC(); a.YearDay() == b.YearDay() && a.Year() == b.Year() {
		return a.Format("2 Jan 2006 15:04") + "–" + b.Format("15:04 UTC")
	}
	return stamp(r.From) + " – " + stamp(r.To)
}
