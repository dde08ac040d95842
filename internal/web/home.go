package web

import (
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// home is what waits for whoever is signed in: their copies, and the cases that
// they may know of.
func home(v *Visit) error {
	_, inbox, err := v.Desk().Inbox(v.By)
	if err != nil {
		return err
	}
	cases, err := v.Desk().Cases(v.Context(), v.By)
	if err != nil {
		return err
	}
	alarms, err := v.Desk().Alarms(v.Context(), v.By) // none for members
	if err != nil {
		return err
	}
	var page struct {
		Alarms  []alarmLine
		Waiting []waitingLine
		Cases   []caseLine
		Staff   bool
		Member  string
		People  bool // whether there are accounts to look after
		Told    []recoveryLine
	}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		me := p.Accounts[v.By.Account]
		if page.Staff = me.Member.IsZero(); !page.Staff {
			page.Member = n.Member(me.Member)
		}
		page.People = !page.Staff || p.May(v.By, cvd.ActListMembers, cvd.TheProgramme(), v.Now()) == nil
		page.Told = v.recoveries(p, n, me)
		for _, w := range inbox {
			line := waitingLine{Wave: w.Wave.Short(), State: w.State.String(), Opens: v.Moment(w.OpensAt), Fetched: w.Fetched, Why: w.Why}
			if p.May(v.By, cvd.ActReadCase, cvd.ACase(w.Case), v.Now()) == nil {
				line.Case = n.Case(w.Case)
			}
			page.Waiting = append(page.Waiting, line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	states := map[cvd.CaseID]string{}
	for _, a := range alarms {
		states[a.Case] = a.State
		if !calm[a.State] {
			page.Alarms = append(page.Alarms, alarmLine{"/alarms/" + a.Case.String(), a.Title, a.State, a.NextCalled,
				v.Moment(a.Raised), v.Moment(a.NextCall), v.Moment(a.Held), a.Due})
		}
	}
	for _, c := range cases {
		line := caseLine{ID: c.Case.Short(), Alarm: states[c.Case], Path: "/alarms/" + c.Case.String(), Title: c.Title, Embargo: c.Embargo.String(), Release: v.Moment(c.Release), Waves: c.Waves}
		if !page.Staff {
			line.Consent = c.Consent.String()
		}
		page.Cases = append(page.Cases, line)
	}
	return v.Render("home", page)
}

type waitingLine struct {
	Wave, Case, State, Why string
	Opens                  Moment
	Fetched                bool
}

type caseLine struct {
	ID, Title, Embargo, Consent string
	Alarm, Path                 string // the alarm's state, and where it is; empty: none was raised
	Release                     Moment
	Waves                       int
}

// calm are the states of alarms about which nothing is to be done: they stand with
// their case, and not first.
var calm = map[string]bool{cvd.AlarmDismissed.String(): true, cvd.AlarmEnded.String(): true, cvd.AlarmOver.String(): true}

// alarmLine is an alarm that stands first.
type alarmLine struct {
	Path, Title, State, Who string
	Raised, Next, Held      Moment
	Due                     bool // the next call is due, and was not made
}

type recoveryLine struct {
	Handle string
	At     Moment
}

// toldFor is how long a recovery stands on the home page of those who should
// know of it.
const toldFor = 30 * 24 * time.Hour

// recoveries are the accounts whose access was recovered lately: those of one's
// own member; for the staff who list accounts, all.
func (v *Visit) recoveries(p *cvd.Programme, n coordinator.Names, me *cvd.Account) (out []recoveryLine) {
	all := p.May(v.By, cvd.ActListMembers, cvd.TheProgramme(), v.Now()) == nil
	for _, id := range slices.Backward(p.AccountOrder) {
		a := p.Accounts[id]
		if !all && id != me.ID && (me.Member.IsZero() || a.Member != me.Member) {
			continue
		}
		for i := range a.Credentials {
			if x := &a.Credentials[i]; x.Recovery && v.Now().Sub(x.At) < toldFor {
				out = append(out, recoveryLine{n.Account(id), v.Moment(x.At)})
			}
		}
	}
	return out
}
