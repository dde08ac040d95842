package web

import (
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// dutyPage is the roster.
type dutyPage struct {
	coordinator.DutyView
	Can    map[string]bool        `json:"-"`
	Zone   string                 `json:"-"`
	Starts string                 `json:"-"`
	Ends   string                 `json:"-"`
	Moment func(time.Time) Moment `json:"-"`
}

func duty(v *Visit) error {
	d, err := v.Desk().Duties(v.Context(), v.By)
	if err != nil {
		return err
	}
	now := v.Now().Truncate(time.Minute)
	return v.Render("duty", dutyPage{d, v.canAll(cvd.TheProgramme(), []cvd.Action{cvd.ActAssignDuty, cvd.ActDelegate}), v.zone(),
		v.inField(now, v.zone()), v.inField(now.AddDate(0, 0, 7), v.zone()), v.Moment})
}

type turnIn struct {
	Account cvd.AccountID `json:"account" need:"true" doc:"A coordinator or an approver."`
	Rank    int           `json:"rank" need:"true" low:"1" high:"255" doc:"1 is called first."`
	Starts  time.Time     `json:"starts" need:"true" doc:"From when."`
	Ends    time.Time     `json:"ends" need:"true" doc:"Until when."`
	Zone    string        `json:"zone" doc:"The zone of times that were said without one."`
}

type turnOut struct {
	Duty cvd.DutyID `json:"duty"`
}

func assignDuty(v *Visit) error {
	var in turnIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	id, err := coordinator.NewID[cvd.DutyID](v.Desk())
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.AssignDuty{Duty: id, Account: in.Account, Rank: uint8(in.Rank), Starts: in.Starts, Ends: in.Ends}); err != nil {
		return err
	}
	return v.Done("/duty", turnOut{id})
}

type loanIn struct {
	To     cvd.AccountID `json:"to" need:"true" doc:"Who stands in for you as approver."`
	Starts time.Time     `json:"starts" need:"true" doc:"From when."`
	Ends   time.Time     `json:"ends" need:"true" doc:"Until when."`
	Zone   string        `json:"zone" doc:"The zone of times that were said without one."`
	Case   string        `json:"case" doc:"Title or id: only for this case; for all, if nothing is said."`
}

type loanOut struct {
	Delegation cvd.DelegationID `json:"delegation"`
}

func delegate(v *Visit) error {
	var in loanIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.May(cvd.ActDelegate, cvd.TheProgramme()); err != nil {
		return err
	}
	q := cvd.Delegate{By: v.By.Account, To: in.To, Role: cvd.Approver, Starts: in.Starts, Ends: in.Ends}
	var err error
	if in.Case != "" {
		if q.Case, err = v.Desk().Case(v.Context(), v.By, in.Case); err != nil {
			return notOne(err, "case", "case")
		}
	}
	if q.Delegation, err = coordinator.NewID[cvd.DelegationID](v.Desk()); err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, q); err != nil {
		return err
	}
	return v.Done("/duty", loanOut{q.Delegation})
}

func revokeLoan(v *Visit) error {
	id, err := pathID[cvd.DelegationID](v, "delegation")
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.RevokeDelegation{Delegation: id}); err != nil {
		return err
	}
	return v.Done("/duty", nil)
}
