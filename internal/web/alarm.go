package web

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/timeline"
)

// alarmPage is a case's alarm as it is shown, with what its reader may do about it.
type alarmPage struct {
	*coordinator.AlarmView
	Wide  template.HTML  `json:"-"`
	Small template.HTML  `json:"-"`
	Rows  []timeline.Row `json:"-"`
	First string         `json:"-"`
	Had   string         `json:"-"`

	Refused string                 `json:"-"` // why what was sent was not done
	Act     bool                   `json:"may_decide"`
	Lift    bool                   `json:"may_lift"`
	End     bool                   `json:"may_end" doc:"To end the embargo is offered, and the caller's to decide."`
	NotEnd  string                 `json:"why_not_end,omitempty" doc:"It is offered, and not the caller's to decide: why."`
	Ends    coordinator.Ended      `json:"-"`
	Moment  func(time.Time) Moment `json:"-"`
	Stamp   func(time.Time) string `json:"-"`
}

// alarm shows a case's alarm.
func alarm(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	return v.alarm("alarm", id, nil)
}

// alarm renders a page about an alarm as it is now. With a refusal it says so and
// has the status of one.
func (v *Visit) alarm(name string, id cvd.CaseID, refused error) error {
	a, err := v.Desk().Alarm(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := alarmPage{AlarmView: &a, Rows: a.Timeline.Rows(), Moment: v.Moment, Stamp: v.stamp}
	page.First, page.Had = a.FirstWords(v.stamp), a.HadWords()
	frame := "c" + id.Short()
	page.Wide = v.Picture(timeline.SVG(a.Timeline, timeline.Options{Width: 960, ID: frame}))
	page.Small = v.Picture(timeline.SVG(a.Timeline, timeline.Options{Width: 328, ID: frame + "n"}))
	page.Act = v.May(cvd.ActDecideAlarm, cvd.ACase(id)) == nil
	page.Lift = !a.Held.IsZero() && v.May(cvd.ActLiftHold, cvd.ACase(id)) == nil
	if slices.Contains(a.Choices, cvd.ChooseEnd.String()) {
		proven := cvd.Actor{Account: v.By.Account, Auth: entrylog.AuthFresh} // the proof is asked for by the page that ends
		page.Ends, err = v.Desk().WouldEnd(proven, id)
		var denied *cvd.Denied
		switch {
		case err == nil:
			page.End = true
		case errors.As(err, &denied):
			page.NotEnd = denied.Why
		default:
			return err
		}
	}
	status := http.StatusOK
	if refused != nil {
		_, why, _ := strings.Cut(": "+refused.Error(), ": "+cvd.ErrRefused.Error()+": ") // what was asked for they know
		page.Refused, status = capital(cmp.Or(why, refused.Error())), http.StatusConflict
		noteError(v.Context(), refused, status)
	}
	return v.render(status, name, page)
}

// seenAlarm is what of an alarm its reader had seen when they decided.
type seenAlarm struct {
	Round int `json:"round" low:"1" high:"4294967295" doc:"The alarm's round, as it was read."`
	UpTo  int `json:"up_to" low:"1" high:"9007199254740991" doc:"The last entry that it was made of, as it was read: what came after refuses the decision."`
}

func (l seenAlarm) verdict(c cvd.Choice, reason string) coordinator.Verdict {
	return coordinator.Verdict{Choice: c, Round: uint32(l.Round), UpTo: entrylog.Seq(l.UpTo), Reason: reason}
}

// about reads what a case's alarm is told, after the policy was asked of the act.
func (v *Visit) about(act cvd.Action, into any) (id cvd.CaseID, err error) {
	if id, err = pathID[cvd.CaseID](v, "case"); err != nil {
		return id, err
	}
	if err = v.May(act, cvd.ACase(id)); err != nil {
		return id, err
	}
	return id, v.Ask(into)
}

// decided goes back to the alarm after an act. One that was refused, because the
// alarm changed or something is missing, shows it as it is now.
func (v *Visit) decided(name string, id cvd.CaseID, err error) error {
	switch {
	case errors.Is(err, coordinator.ErrNoPack), err != nil && v.API():
		return err // which a refusal is the cause of
	case errors.Is(err, cvd.ErrRefused) || errors.Is(err, errOtherCase):
		return v.alarm(name, id, err)
	case err != nil:
		return err
	}
	return v.Done("/alarms/"+id.String(), nil)
}

type acknowledgement struct {
	Round int `json:"round" low:"1" high:"4294967295" doc:"The alarm's round, as it was read."`
}

// acknowledgeAlarm says that somebody is looking. That more was seen meanwhile is
// no reason to call the next: only another round refuses it.
func acknowledgeAlarm(v *Visit) error {
	var in acknowledgement
	id, err := v.about(cvd.ActAcknowledgeAlarm, &in)
	if err != nil {
		return err
	}
	_, err = v.Desk().Do(v.Context(), v.By, cvd.AcknowledgeAlarm{Case: id, Round: uint32(in.Round)})
	return v.decided("alarm", id, err)
}

type alarmDecision struct {
	seenAlarm
	Choice string `json:"choice" need:"true" one:"hold,watch,dismiss" doc:"To end the embargo has an operation of its own."`
	Reason string `json:"reason" max:"2000" doc:"Needed to dismiss."`
	Days   int    `json:"days" low:"0" high:"90" doc:"For how long what is dismissed calls nobody; needed to dismiss."`
}

// decideAlarm holds, watches or dismisses. The end has a page of its own, which
// asks for a proof.
func decideAlarm(v *Visit) error {
	var in alarmDecision
	id, err := v.about(cvd.ActDecideAlarm, &in)
	if err != nil {
		return err
	}
	choice, err := cvd.ParseChoice(in.Choice)
	if err != nil {
		return err
	}
	q := in.verdict(choice, in.Reason)
	if choice == cvd.ChooseDismiss {
		if in.Days == 0 {
			return &FieldError{"days", "is missing"}
		}
		q.Until = v.Now().AddDate(0, 0, in.Days)
	}
	_, err = v.Desk().DecideAlarm(v.Context(), v.By, id, q)
	return v.decided("alarm", id, err)
}

// endPage says what the end of an embargo does, before it is done.
func endPage(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	return v.alarm("alarm-end", id, nil)
}

// errOtherCase: what was typed is not the case's name.
var errOtherCase = errors.New("that is not this case's name: nothing was ended")

type embargoEnd struct {
	seenAlarm
	Name   string `json:"name" max:"2000" doc:"The case's name, so that no other is ended by mistake."`
	Reason string `json:"reason" max:"2000"`
}

// endEmbargo ends an embargo for everybody.
func endEmbargo(v *Visit) error {
	var in embargoEnd
	id, err := v.about(cvd.ActDecideAlarm, &in)
	if err != nil {
		return err
	}
	if said, err := v.Desk().Case(v.Context(), v.By, in.Name); in.Name == "" || err != nil || said != id {
		return v.decided("alarm-end", id, errOtherCase)
	}
	out, err := v.Desk().DecideAlarm(v.Context(), v.By, id, in.verdict(cvd.ChooseEnd, in.Reason))
	if err != nil && out.Level > 0 {
		return fmt.Errorf("%w: %w", coordinator.ErrUnsealed, err)
	}
	return v.decided("alarm-end", id, err)
}

// liftHold serves copies again.
func liftHold(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	_, err = v.Desk().Do(v.Context(), v.By, cvd.LiftHold{Case: id})
	return v.decided("alarm", id, err)
}

// stamp is a time within a sentence, to the second: both ends of an interval may
// lie in one minute.
func (v *Visit) stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	out := t.UTC().Format("2006-01-02 15:04:05 UTC")
	if l := v.local(); l != nil {
		return t.In(l).Format("2006-01-02 15:04:05 MST") + " (" + out + ")"
	}
	return out
}
