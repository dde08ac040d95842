package leak

import (
	"slices"
	"strings"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/timeline"
)

// Timeline is the case timeline of the inputs. Waves to staff only, the vendor's
// own previews, are left out: nobody outside could read them.
func Timeline(in Inputs) timeline.Model {
	f := in.Facts
	m := timeline.Model{Title: "Case timeline", Report: point(f.Reported, "Report")}
	if f.Released.At.IsZero() {
		m.Release, m.Planned = point(f.Release, "Release, planned"), true
	} else {
		m.Release = point(f.Released, "Release")
	}
	switch {
	case len(f.Breaches) > 0:
		m.EmbargoAt, m.Broken = point(f.Breaches[0], "Embargo broken"), true
	case !f.Ended.At.IsZero():
		m.EmbargoAt = point(f.Ended, "Embargo ended early")
	}
	tiers := map[string]string{}
	for _, h := range f.Holders {
		tiers[h.ID.String()] = h.Tier
	}
	staff := map[string]bool{}
	for i, w := range f.Waves {
		if w.Staff {
			staff[w.ID.String()] = true
			continue
		}
		m.Bands = append(m.Bands, timeline.Band{Label: capital(evidence.WaveLabel(i)), Level: w.Level.String(), Holders: len(w.Holders), Opens: w.OpensAt, Ends: w.Ends, Entry: w.Entry})
	}
	for _, a := range f.Fetches {
		if !staff[a.Wave.String()] {
			m.Fetches = append(m.Fetches, timeline.Fetch{At: a.At, Tier: tiers[a.Holder.String()], Entry: a.Entry})
		}
	}
	for _, a := range f.Answers {
		m.Answers = append(m.Answers, timeline.Point{At: a.At, Label: a.Who + ": " + a.What, Entry: a.Entry})
	}
	m.Sightings = sightings(in.Seen)
	m.Duties = dutyMarks(in)
	return m
}

func point(e Event, label string) timeline.Point {
	return timeline.Point{At: e.At, Label: label, Entry: e.Entry}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// sightings are those with a known time, earliest first. Of what was seen with
// one label from one source, only the first is drawn. What is only known to have
// been there by some time stands at that time.
func sightings(seen []Seen) (out []timeline.Sighting) {
	seen = slices.Clone(seen)
	for i := range seen {
		if t := &seen[i].Time; t.From.IsZero() && !t.To.IsZero() {
			t.From = t.To
			seen[i].Label += " (by then)"
		}
	}
	slices.SortStableFunc(seen, func(a, b Seen) int { return a.Time.From.Compare(b.Time.From) })
	had := map[[2]string]bool{}
	for _, s := range seen {
		k := [2]string{s.Label, s.Source}
		if s.Time.Known() && !had[k] {
			had[k] = true
			out = append(out, timeline.Sighting{From: s.Time.From, To: s.Time.To, Label: s.Label, Entry: s.Entry})
		}
	}
	return out
}

// dutyMarks are the duties that can have run out by the time anything in the
// case still happened.
func dutyMarks(in Inputs) (out []timeline.Duty) {
	j := &judge{in: in, holder: map[entrylog.Ref]*Holder{}}
	for i := range in.Facts.Holders {
		j.holder[in.Facts.Holders[i].ID] = &in.Facts.Holders[i]
	}
	for _, d := range j.duties() {
		out = append(out, timeline.Duty{From: d.From, Who: d.Jurisdiction, Label: "authority of " + d.Jurisdiction + " may know from here"})
	}
	return out
}
