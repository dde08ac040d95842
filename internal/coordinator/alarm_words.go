package coordinator

import (
	"fmt"
	"strings"
	"time"

	"forewarn/internal/cvd"
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
	if v.Undated > 0 {
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
	return fmt.Sprintf("%s of %d members had fetched a copy by then. Whose token it is, only an inquiry can tell.", v.Had, v.Had.Members)
}

// Words says what a row did, and what can be said against it.
func (s SeenView) Words(when func(time.Time) string) string {
	out := []string{s.Effect}
	if !s.Replayed.IsZero() {
		out = append(out, "replayed: public since "+when(s.Replayed))
	}
	if !s.Stands && (s.Effect == cvd.Joins.String() || s.Effect == cvd.Raises.String()) {
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

// Commands are the exact commands of what can be decided about an alarm as it is
// shown, but for the reason: refused if it changed since.
func (v *AlarmView) Commands() (out []string) {
	if v.State == cvd.AlarmRaised.String() {
		out = append(out, "forewarn alarm ack "+v.Case.Short())
	}
	for _, c := range v.Choices {
		how := strings.ReplaceAll(commands[c], "CASE", v.Case.Short())
		out = append(out, fmt.Sprintf("forewarn alarm decide %s %s --round %d --up-to %d", v.Case.Short(), how, v.Round, v.UpTo))
	}
	return out
}
