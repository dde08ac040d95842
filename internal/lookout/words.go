package lookout

import (
	"fmt"
	"strings"
	"time"

	"forewarn/internal/coordinator"
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
func FirstWords(v coordinator.AlarmView, when func(time.Time) string) string {
	s := TimeWords(v.First, when)
	if v.Undated > 0 {
		s += fmt.Sprintf("; %d more without a time may be earlier", v.Undated)
	}
	return s
}

// TimeWords is an interval.
func TimeWords(b coordinator.Between, when func(time.Time) string) string {
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
func DroppedWords(v coordinator.AlarmView) string {
	if v.Dropped == 0 {
		return ""
	}
	return fmt.Sprintf("%d sightings of new things are above a source's quota: counted, not described.", v.Dropped)
}

// HadWords says how many members had a copy by the first sighting.
func HadWords(v coordinator.AlarmView) string {
	return fmt.Sprintf("%s of %d members had fetched a copy by then. Whose token it is, only an inquiry can tell.", v.Had, v.Had.Members)
}

// EffectWords says what a row did, and what can be said against it.
func EffectWords(s coordinator.SeenView, when func(time.Time) string) string {
	out := []string{s.Effect}
	if !s.Replayed.IsZero() {
		out = append(out, "replayed: public since "+when(s.Replayed))
	}
	if !s.Stands && (s.Effect == cvd.Joins.String() || s.Effect == cvd.Raises.String()) {
		out = append(out, "dismissed since")
	}
	return strings.Join(out, "; ")
}

// ClockWords says whether a clock runs.
func ClockWords(c coordinator.Clock) string {
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
func Commands(v coordinator.AlarmView) (out []string) {
	if v.State == cvd.AlarmRaised.String() {
		out = append(out, "forewarn alarm ack "+v.Case.Short())
	}
	for _, c := range v.Choices {
		how := strings.ReplaceAll(commands[c], "CASE", v.Case.Short())
		out = append(out, fmt.Sprintf("forewarn alarm decide %s %s --round %d --up-to %d", v.Case.Short(), how, v.Round, v.UpTo))
	}
	return out
}
