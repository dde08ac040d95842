package web

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
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
	Wide, Small template.HTML
	Rows        []timeline.Row
	First, Had  string

	Refused   string // why what was sent was not done
	Act, Lift bool   // whether they may decide, and lift the hold
	End       bool   // offered, and theirs to decide
	NotEnd    string // offered, and why it isn't theirs
	Ends      coordinator.Ended
	Moment    func(time.Time) Moment
	Stamp     func(time.Time) string
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

// about is the alarm that a form is about, after the policy was asked of the act.
// The round and the last entry are those that its reader saw.
func (v *Visit) about(act cvd.Action) (id cvd.CaseID, round uint32, upTo entrylog.Seq, err error) {
	if id, err = pathID[cvd.CaseID](v, "case"); err != nil {
		return id, 0, 0, err
	}
	if err = v.May(act, cvd.ACase(id)); err != nil {
		return id, 0, 0, err
	}
	n, bad := strconv.ParseUint(v.Field("round"), 10, 32)
	last, worse := strconv.ParseUint(v.Field("up-to"), 10, 64)
	if bad != nil || worse != nil || n == 0 || last == 0 {
		return id, 0, 0, errInput
	}
	return id, uint32(n), entrylog.Seq(last), nil
}

// decided goes back to the alarm after an act. One that was refused, because the
// alarm changed or something is missing, shows it as it is now.
func (v *Visit) decided(name string, id cvd.CaseID, err error) error {
	switch {
	case errors.Is(err, coordinator.ErrNoPack):
		return err // which a refusal is the cause of
	case errors.Is(err, cvd.ErrRefused) || errors.Is(err, errOtherCase):
		return v.alarm(name, id, err)
	case err != nil:
		return err
	}
	return v.Redirect("/alarms/" + id.String())
}

// acknowledgeAlarm says that somebody is looking. That more was seen meanwhile is
// no reason to call the next: only another round refuses it.
func acknowledgeAlarm(v *Visit) error {
	id, round, _, err := v.about(cvd.ActAcknowledgeAlarm)
	if err != nil {
		return err
	}
	_, err = v.Desk().Do(v.Context(), v.By, cvd.AcknowledgeAlarm{Case: id, Round: round})
	return v.decided("alarm", id, err)
}

// decideAlarm holds, watches or dismisses. The end has a page of its own, which
// asks for a proof.
func decideAlarm(v *Visit) error {
	id, round, upTo, err := v.about(cvd.ActDecideAlarm)
	if err != nil {
		return err
	}
	q := coordinator.Verdict{Round: round, UpTo: upTo, Reason: v.Field("reason")}
	if q.Choice, err = cvd.ParseChoice(v.Field("choice")); err != nil || q.Choice == cvd.ChooseEnd {
		return errInput
	}
	if q.Choice == cvd.ChooseDismiss {
		days, err := strconv.Atoi(v.Field("days"))
		if err != nil || days < 1 || days > 90 {
			return errInput
		}
		q.Until = v.Now().AddDate(0, 0, days)
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

// endEmbargo ends an embargo for everybody.
func endEmbargo(v *Visit) error {
	id, round, upTo, err := v.about(cvd.ActDecideAlarm)
	if err != nil {
		return err
	}
	if said, err := v.Desk().Case(v.Context(), v.By, v.Field("name")); v.Field("name") == "" || err != nil || said != id {
		return v.decided("alarm-end", id, errOtherCase)
	}
	out, err := v.Desk().DecideAlarm(v.Context(), v.By, id, coordinator.Verdict{Choice: cvd.ChooseEnd, Round: round, UpTo: upTo, Reason: v.Field("reason")})
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

// stamp is a time within a sentence.
func (v *Visit) stamp(t time.Time) string {
	m := v.Moment(t)
	switch {
	case t.IsZero():
		return "–"
	case m.Local != "":
		return m.Local + " (" + m.UTC + ")"
	}
	return m.UTC
}
