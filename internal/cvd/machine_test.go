package cvd

import (
	"slices"
	"testing"

	"forewarn/internal/evidence"
)

func TestStatesDoc(t *testing.T) {
	golden(t, "../../doc/states.md", Diagrams())
}

// sound checks a machine by itself: it names kinds of entries that exist, and
// every state can be reached.
func sound[S interface {
	~uint8
	String() string
}](t *testing.T, m *Machine[S], last S, ownKinds bool) {
	reached := map[S]bool{0: true}
	for range last + 1 {
		for _, s := range m.Steps {
			if reached[s.From] {
				reached[s.To] = true
			}
		}
	}
	for s := S(0); s <= last; s++ {
		if !reached[s] {
			t.Errorf("%s: nothing leads to %q", m.Name, s)
		}
	}
	for i, s := range m.Steps {
		if slices.Contains(m.Steps[:i], s) {
			t.Errorf("%s: the step from %q to %q by %s stands twice", m.Name, s.From, s.To, s.By)
		}
		if s.To == 0 && s.By != Time {
			t.Errorf("%s: %s leads back to the beginning", m.Name, s.By)
		}
		known := s.By == Time || s.By == Acts || !ownKinds
		for k := range kinds {
			known = known || kinds[k].name == s.By
		}
		if !known {
			t.Errorf("%s: there is no kind of entry %s", m.Name, s.By)
		}
	}
}

func TestMachines(t *testing.T) {
	sound(t, &Embargoes, EmbargoLifted, true)
	sound(t, &WaveStates, StateSuperseded, true)
	sound(t, &Consents, Lapsed, true)
	sound(t, &Standings, Left, true)
	sound(t, &AnswerStates, Shipped, true)
	sound(t, &Alarms, AlarmOver, true)
	sound(t, &Deliveries, DeliveryAcknowledged, true)
	sound(t, &HeadsUps, HeadsUpGone, true)
	sound(t, &FindingsStages, evidence.Withdrawn, false)
}
