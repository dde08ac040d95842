package coordinator_test

import (
	"context"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// bell is a notifier whose handing on goes wrong like any other effect.
type bell struct {
	w   *works
	ask func(op string) fault
}

// rung is every notice that reached somebody, over crashes.
var rung = map[*works][]coordinator.Notice{}

func (b bell) Notify(_ context.Context, _ coordinator.Person, n coordinator.Notice) error {
	f := b.ask("notify")
	if f.err == nil || f.kept {
		rung[b.w] = append(rung[b.w], n)
	}
	return f.err
}

func (w *works) source() cvd.SourceID {
	id, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "edge sensor", Origin: cvd.OwnSensor, Grade: cvd.GradeB, Quota: 100})
	ok(w.t, err)
	return id
}

var stretch = coordinator.Stretch{Path: "/var/log/edge.json", Head: []byte("what the file begins with"), Begin: 0, End: 100}

func (w *works) batch(source cvd.SourceID) coordinator.Batch {
	at := stretch
	return coordinator.Batch{Source: source, Cases: []cvd.CaseID{w.cs}, At: &at, Spots: []coordinator.Spot{
		{Clue: cvd.Token, Value: "00000000000000aa", From: w.now.Add(-time.Hour), To: w.now.Add(-time.Minute), Offset: 10, Line: 1, Excerpt: []byte("GET /?t=aa")},
		{Clue: cvd.Token, Value: "00000000000000aa", From: w.now.Add(-time.Hour), To: w.now.Add(-time.Minute), Offset: 40, Line: 2, Excerpt: []byte("GET /?t=aa")},
		{Clue: cvd.Indicator, Value: "path:/x", Offset: 60, Line: 3, Excerpt: []byte("GET /x")},
	}}
}

// edge is the source that earlier steps declared.
func (w *works) edge() (id cvd.SourceID, err error) {
	err = w.desk.View(func(p *cvd.Programme) error { id = p.SourceOrder[0]; return nil })
	return id, err
}

func (w *works) alarmed() {
	w.t.Helper()
	_, err := w.desk.Record(ctx, w.ana, w.batch(w.source()))
	ok(w.t, err)
}

// decide decides, unless it was decided.
func (w *works) decide(x cvd.Choice) error {
	decided := false
	if err := w.desk.View(func(p *cvd.Programme) error {
		decided = p.Cases[w.cs].Alarm.Decision != nil
		return nil
	}); err != nil {
		return err
	}
	if decided {
		_, err := w.desk.Resume(ctx, nil)
		return err
	}
	_, err := w.desk.DecideAlarm(ctx, w.ana, w.cs, coordinator.Verdict{Choice: x, Reason: "seen at the edge", Until: w.now.Add(time.Hour)})
	return err
}

var alarmDeeds = []deed{
	{"declare a source", func(*works) {},
		func(w *works) error {
			_, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "edge sensor", Origin: cvd.OwnSensor, Quota: 100})
			return err
		},
		func(w *works, p *cvd.Programme) bool { return len(p.Sources) == 1 }},
	{"retire a source", func(w *works) { w.source() },
		func(w *works) error {
			id, err := w.edge()
			if err != nil {
				return err
			}
			_, err = w.desk.Do(ctx, w.ana, cvd.RetireSource{Source: id})
			return err
		},
		func(w *works, p *cvd.Programme) bool { return p.Sources[p.SourceOrder[0]].Retired != nil }},
	{"record sightings", func(w *works) { w.source() },
		func(w *works) error {
			id, err := w.edge()
			if err != nil {
				return err
			}
			_, err = w.desk.Record(ctx, w.ana, w.batch(id))
			return err
		},
		func(w *works, p *cvd.Programme) bool {
			times := 0
			for _, s := range p.Cases[w.cs].Seen {
				times += int(s.Count)
			}
			return times == 3 && len(p.Cases[w.cs].Seen) == 2 && p.AlarmState(w.cs, w.now) == cvd.AlarmRaised
		}},
	{"call who is on duty", func(w *works) { w.alarmed(); delete(rung, w) },
		func(w *works) error {
			_, err := w.desk.Dispatch(ctx, w.ana, bell{w, w.asking("bell/")})
			if err != nil {
				w.pass(cvd.RetryAfter + time.Second)
			}
			return err
		},
		func(w *works, p *cvd.Programme) bool {
			reached := map[cvd.NoticeID]bool{}
			for _, n := range rung[w] {
				if p.Notices[n.ID] == nil {
					w.t.Errorf("a notice was handed on that the log doesn't have")
				}
				reached[n.ID] = true
			}
			if len(p.Notices) == 0 {
				return false
			}
			for id, n := range p.Notices {
				if len(n.Tries) == 0 || n.Tries[len(n.Tries)-1].Outcome != cvd.HandedOff || !reached[id] {
					return false
				}
			}
			return true
		}},
	{"acknowledge an alarm", func(w *works) { w.alarmed() },
		func(w *works) error { return w.desk.AcknowledgeAlarm(ctx, w.ana, w.cs) },
		func(w *works, p *cvd.Programme) bool { return p.Cases[w.cs].Alarm.Acknowledged != nil }},
	{"decide to hold", func(w *works) { w.alarmed() },
		func(w *works) error { return w.decide(cvd.ChooseHold) },
		func(w *works, p *cvd.Programme) bool {
			return p.AlarmState(w.cs, w.now) == cvd.AlarmHeld && p.Cases[w.cs].Hold != nil
		}},
	{"dismiss an alarm", func(w *works) { w.alarmed() },
		func(w *works) error { return w.decide(cvd.ChooseDismiss) },
		func(w *works, p *cvd.Programme) bool {
			return p.AlarmState(w.cs, w.now) == cvd.AlarmDismissed && len(p.Cases[w.cs].Suppressions) == 1
		}},
	{"decide to end", func(w *works) { w.sealedWave(); w.alarmed() },
		func(w *works) error { return w.decide(cvd.ChooseEnd) },
		func(w *works, p *cvd.Programme) bool {
			pack := p.Waves[p.WaveOrder[len(p.WaveOrder)-1]]
			return p.Cases[w.cs].Ended != nil && pack.Purpose == cvd.BreakPack && pack.Stored()
		}},
}
