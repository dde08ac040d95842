package coordinator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

// Effects says of each effect of a sighting what it means to a person.
var Effects = map[cvd.Effect]string{
	cvd.NoEffect:     "nothing was new",
	cvd.AfterEmbargo: "no embargo is left to warn of",
	cvd.Suppressed:   "dismissed before; nobody is called",
	cvd.Repeats:      "known already; nobody is called",
	cvd.Joins:        "new; somebody was called already",
	cvd.Raises:       "new; it raises the alarm",
}

// FirstWords says when the first sighting was, as far as it can be told.
func (v *AlarmView) FirstWords(when func(time.Time) string) string {
	s := v.First.Words(when)
	switch {
	case v.Undated > 0 && v.First.To.IsZero():
		s += ": nothing that was seen has a time"
	case v.Undated > 0:
		s += fmt.Sprintf("; %d more without a time may be earlier", v.Undated)
	}
	return s
}

// Words is the interval.
func (b Between) Words(when func(time.Time) string) string {
	switch {
	case b.To.IsZero():
		return "not known"
	case b.From.IsZero():
		return "by " + when(b.To)
	case b.From.Equal(b.To):
		return when(b.From)
	}
	return "between " + when(b.From) + " and " + when(b.To)
}

// DroppedWords says how much is above the quotas; empty: nothing.
func (v *AlarmView) DroppedWords() string {
	if v.Dropped == 0 {
		return ""
	}
	return fmt.Sprintf("%d sightings of new things are above a source's quota: counted, not described.", v.Dropped)
}

// NextWords says what is so of whoever is called next; empty: nobody is.
func (v *AlarmView) NextWords() string {
	switch {
	case v.NextCall.IsZero():
		return ""
	case v.NextCall.After(v.Now):
		return "Next called, unless acknowledged"
	}
	return "Due to be called, and nobody called yet"
}

// HadWords says how many members had a copy by the first sighting.
func (v *AlarmView) HadWords() string {
	if len(v.Waves) > 0 && !slices.ContainsFunc(v.Waves, func(w AlarmWave) bool { return w.Then != notOpen }) {
		return "No wave was open by then: either the source's clock is wrong, or it is out from before, by drafts, the report or whoever found it."
	}
	return fmt.Sprintf("%s of %d members had fetched a copy by then. Whose token it is, only an inquiry can tell.", v.Had, v.Had.Members)
}

// Words says what a row did, and what can be said against it.
func (s SeenView) Words(when func(time.Time) string) string {
	out := []string{s.Effect}
	if !s.Replayed.IsZero() {
		out = append(out, "replayed: public since "+when(s.Replayed))
	}
	if !s.Stands && slices.Contains([]string{cvd.Repeats.String(), cvd.Joins.String(), cvd.Raises.String()}, s.Effect) {
		out = append(out, "dismissed since")
	}
	return strings.Join(out, "; ")
}

// Words says whether a clock runs.
func (c Clock) Words() string {
	if c.Sure {
		return "runs, if " + c.Who + " " + c.Trigger
	}
	return "would run if this is verified and " + c.Who + " " + c.Trigger
}

// commands by choice, in the words of the command line.
var commands = map[string]string{
	cvd.ChooseEnd.String():     "end --yes CASE --reason WHY",
	cvd.ChooseHold.String():    "hold --reason WHY",
	cvd.ChooseWatch.String():   "watch",
	cvd.ChooseDismiss.String(): "dismiss --reason WHY",
}

// commandOrder is the order in which decisions stand everywhere: what can be taken
// back before what can't, and what needs no act last.
var commandOrder = []string{cvd.ChooseHold.String(), cvd.ChooseEnd.String(), cvd.ChooseWatch.String(), cvd.ChooseDismiss.String()}

// Commands are the exact commands of what can be decided about an alarm as it is
// shown, but for the reason: refused if it changed since.
func (v *AlarmView) Commands() (out []string) {
	if v.State == cvd.AlarmRaised.String() {
		out = append(out, "forewarn alarm ack "+v.Case.Short())
	}
	for _, c := range commandOrder {
		if !slices.Contains(v.Choices, c) {
			continue
		}
		how := strings.ReplaceAll(commands[c], "CASE", v.Case.Short())
		out = append(out, fmt.Sprintf("forewarn alarm decide %s %s --round %d --up-to %d", v.Case.Short(), how, v.Round, v.UpTo))
	}
	return out
}

// lastCalls is how many calls are shown: an alarm that nobody acknowledges has
// people called for as long as it lasts.
const lastCalls = 12

// LastCalls is the calls that are shown, the last.
func (v *AlarmView) LastCalls() []CallView { return v.Calls[v.EarlierCalls():] }

// EarlierCalls is how many calls aren't shown.
func (v *AlarmView) EarlierCalls() int { return max(0, len(v.Calls)-lastCalls) }

// SeenGroup is rows that a reader takes for one: of one source, of one thing, or of
// one text, and with one effect.
type SeenGroup struct {
	SeenView        // the newest; its Time is the first of all, or unknown where one is
	Rows     int    // how many
	Times    uint64 // sightings
}

// excerpt is what SpotOf says of which excerpt of a text it is.
var excerpt = regexp.MustCompile(`#[0-9]+\.[0-9]+$`)

// Grouped is the rows that are shown, in groups: those that stand before those that
// don't, the newest first.
func (v *AlarmView) Grouped() (out []SeenGroup) {
	type key struct{ source, weight, clue, value, effect string }
	at := map[key]int{}
	for _, s := range v.Seen {
		value := s.Value
		if s.Clue == cvd.Text.String() {
			value = excerpt.ReplaceAllString(value, "")
		}
		// Without its effect, what was new and what repeats it would be two lines.
		k := key{s.Source, s.Weight, s.Clue, value, fmt.Sprint(s.Stands, s.Effect == cvd.Suppressed.String())}
		i, had := at[k]
		if !had {
			at[k] = len(out)
			s.Value = value
			out = append(out, SeenGroup{s, 1, uint64(s.Count)})
			continue
		}
		g := &out[i]
		g.Rows, g.Times = g.Rows+1, g.Times+uint64(s.Count)
		if s.Effect == cvd.Raises.String() || g.Effect == cvd.Repeats.String() {
			g.Effect = s.Effect
		}
		if g.Time.To.IsZero() || s.Time.To.IsZero() {
			g.Time = Between{}
		} else {
			first := sighting.First([]sighting.Sighting{dated(Spot{From: g.Time.From, To: g.Time.To}), dated(Spot{From: s.Time.From, To: s.Time.To})})
			g.Time = Between{first.From, first.To}
		}
	}
	slices.SortStableFunc(out, func(a, b SeenGroup) int {
		switch {
		case a.Stands == b.Stands:
			return 0
		case a.Stands:
			return -1
		}
		return 1
	})
	return out
}
