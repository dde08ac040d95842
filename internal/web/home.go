package web

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// home is what waits for whoever is signed in. A person who is shown it has looked,
// and the log says so, if anything was told them since they last did something: one
// entry at most for each notice, however often they look. A program that reads it,
// a HEAD and a browser that fetches ahead are nobody looking.
func home(v *Visit) error {
	err := showHome(v)
	if err != nil || v.API() || v.Method != http.MethodGet || v.Header.Get("Sec-Purpose") != "" {
		return err
	}
	if err := v.Desk().SeeNotices(v.Context(), v.By); err != nil {
		noteError(v.Context(), err, http.StatusInternalServerError) // the page was shown
	}
	return nil
}

// showHome shows their copies, and the cases that they may know of.
func showHome(v *Visit) error {
	switch member, err := v.takesPart(); {
	case err != nil:
		return err
	case member && !v.API():
		return memberHome(v)
	}
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
	waits, err := v.Desk().Waits(v.Context(), v.By)
	if err != nil {
		return err
	}
	decisions, err := v.decisions()
	if err != nil {
		return err
	}
	page := homePage{Decisions: decisions, Waits: append([]coordinator.Wait{}, waits...), Alarms: []alarmLine{}, Waiting: []waitingLine{}, Cases: []caseLine{}, Told: []recoveryLine{}}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		me := p.Accounts[v.By.Account]
		if page.Staff = me.Member.IsZero(); !page.Staff {
			page.Member = n.Member(me.Member)
		}
		page.People = !page.Staff || p.May(v.By, cvd.ActListMembers, cvd.TheProgramme(), v.Now()) == nil
		page.Told = append(page.Told, v.recoveries(p, n, me)...)
		if page.Staff && me.Roles.Has(cvd.Coordinator) {
			for _, a := range p.Accounts {
				if n := len(a.Invitations); n > 0 && a.Closed == nil {
					i := a.Invitations[n-1]
					if i.Recovery && i.Confirmed == nil && i.Used == nil && v.Now().Before(i.Until) {
						page.Recoveries++
					}
				}
			}
		}
		if p.May(v.By, cvd.ActListReports, cvd.TheProgramme(), v.Now()) == nil {
			page.Reports, _ = p.WaitingReports()
		}
		for _, w := range inbox {
			line := waitingLine{ID: w.Wave, Wave: w.Wave.Short(), State: w.State.String(), Opens: v.Moment(w.OpensAt), Fetched: w.Fetched, Why: w.Why}
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
			page.Alarms = append(page.Alarms, alarmLine{a.Case, "/alarms/" + a.Case.String(), a.Title, a.State, a.NextCalled,
				v.Moment(a.Raised), v.Moment(a.NextCall), v.Moment(a.Held), a.Due})
		}
	}
	if page.Staff && len(cases) > homeCases {
		cases, page.More = cases[:homeCases], len(cases)-homeCases
	}
	for _, c := range cases {
		line := caseLine{Case: c.Case, ID: c.Case.Short(), Alarm: states[c.Case], Path: "/alarms/" + c.Case.String(), At: "/cases/" + c.Case.String(), Title: c.Title, Embargo: c.Embargo.String(), Release: v.Moment(c.Release), Waves: c.Waves}
		if !page.Staff {
			line.Consent = c.Consent.String()
		}
		page.Cases = append(page.Cases, line)
	}
	if !v.API() {
		page.Can = v.canAll(cvd.TheProgramme(), homeActs)
		page.Can["investigate"], err = v.has(cvd.Investigator)
		if err != nil {
			return err
		}
	}
	return v.Render("home", page)
}

// homeActs are what the staff's home page leads to.
var homeActs = []cvd.Action{cvd.ActListCases, cvd.ActOpenCase, cvd.ActViewLog, cvd.ActListReports}

// has reports whether the reader has a role. It is for what a page leads to: the
// desk says what they may do there.
func (v *Visit) has(r cvd.Role) (yes bool, err error) {
	err = v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		yes = p.Accounts[v.By.Account].Roles.Has(r)
		return nil
	})
	return yes, err
}

type homePage struct {
	Alarms []alarmLine `json:"alarms"`

	Decisions []decisionLine `json:"decisions" doc:"Of staff: what waits for somebody's decision, in the cases that most waits in first."`

	Waiting    []waitingLine      `json:"waiting"`
	Cases      []caseLine         `json:"cases"`
	Staff      bool               `json:"staff"`
	Member     string             `json:"member,omitempty"`
	People     bool               `json:"may_list_accounts"`
	Told       []recoveryLine     `json:"recovered" doc:"Accounts whose access was recovered lately."`
	Reports    int                `json:"reports,omitempty" doc:"For who works on reports: how many came in that nobody has settled."`
	Recoveries int                `json:"recoveries,omitempty" doc:"For coordinators: how many recoveries of access wait for a second one."`
	Waits      []coordinator.Wait `json:"waits" doc:"Of a member: what it is asked for, the most pressing first."`
	Can        map[string]bool    `json:"-"`
	More       int                `json:"more_cases,omitempty" doc:"Cases that aren't among them."`
}

// decisionLine is one decision that somebody waits for.
type decisionLine struct {
	Case  cvd.CaseID `json:"case"`
	Title string     `json:"title"`
	What  string     `json:"what"`
	At    string     `json:"-"`
}

// homeDecisions is how many decisions stand on the staff's home page; the board has
// all.
const homeDecisions = 20

// decisions are those that wait in the cases whose board the reader may see.
func (v *Visit) decisions() ([]decisionLine, error) {
	out := []decisionLine{}
	rows, err := v.Desk().CaseBoard(v.Context(), v.By, "", "-waits")
	if errors.Is(err, cvd.ErrDenied) {
		return out, nil
	}
	for _, r := range rows {
		for _, x := range r.Decisions {
			if !x.Due || len(out) == homeDecisions {
				continue
			}
			at := "/cases/" + r.Case.String()
			if !x.Wave.IsZero() {
				at = "/waves/" + x.Wave.String()
			}
			out = append(out, decisionLine{r.Case, r.Title, x.What, at})
		}
	}
	return out, err
}

// homeCases is how many cases stand on the staff's home page; the board has all.
const homeCases = 10

type waitingLine struct {
	ID      cvd.WaveID `json:"wave"`
	Wave    string     `json:"-"`
	Case    string     `json:"case_title,omitempty"`
	State   string     `json:"state"`
	Why     string     `json:"why_not,omitempty" doc:"Why the copy can't be fetched now."`
	Opens   Moment     `json:"opens_at"`
	Fetched bool       `json:"fetched"`
}

type caseLine struct {
	Case    cvd.CaseID `json:"case"`
	ID      string     `json:"-"`
	Title   string     `json:"title,omitempty"`
	Embargo string     `json:"embargo"`
	Consent string     `json:"consent,omitempty"`
	Alarm   string     `json:"alarm,omitempty" doc:"The alarm's state; nothing when none was raised."`
	Path    string     `json:"-"`
	At      string     `json:"-"`
	Release Moment     `json:"release"`
	Waves   int        `json:"waves"`
}

// calm are the states of alarms about which nothing is to be done: they stand with
// their case, and not first.
var calm = map[string]bool{cvd.AlarmDismissed.String(): true, cvd.AlarmEnded.String(): true, cvd.AlarmOver.String(): true}

// alarmLine is an alarm that stands first.
type alarmLine struct {
	Case   cvd.CaseID `json:"case"`
	Path   string     `json:"-"`
	Title  string     `json:"title"`
	State  string     `json:"state"`
	Who    string     `json:"called_next,omitempty"`
	Raised Moment     `json:"raised"`
	Next   Moment     `json:"next_call"`
	Held   Moment     `json:"held_since"`
	Due    bool       `json:"due" doc:"The next call is due, and was not made."`
}

type recoveryLine struct {
	Account cvd.AccountID `json:"account"`
	Handle  string        `json:"handle"`
	At      Moment        `json:"at"`
	Lifted  Moment        `json:"wait_lifted"`
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
				line := recoveryLine{Account: id, Handle: n.Account(id), At: v.Moment(x.At)}
				if x.Lifted != nil {
					line.Lifted = v.Moment(x.Lifted.At)
				}
				out = append(out, line)
			}
		}
	}
	return out
}
