package web

import (
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// memberHomePage is what waits for somebody who takes part, the most pressing
// first.
type memberHomePage struct {
	Member  string                   `json:"member,omitempty"`
	Waits   []coordinator.Wait       `json:"waits"`
	Cases   []memberHomeCase         `json:"cases"`
	People  bool                     `json:"-"`
	Told    []recoveryLine           `json:"-"`
	Reports []coordinator.ReportView `json:"reports,omitempty"`

	Moment func(time.Time) Moment `json:"-"`
}

type memberHomeCase struct {
	Case    cvd.CaseID `json:"case"`
	Title   string     `json:"title,omitempty"`
	Embargo string     `json:"embargo"`
	Consent string     `json:"consent,omitempty"`
	Release Moment     `json:"release"`
}

// memberHome is the home page of members' accounts and of finders.
func memberHome(v *Visit) error {
	waits, err := v.Desk().Waits(v.Context(), v.By)
	if err != nil {
		return err
	}
	cases, err := v.Desk().Cases(v.Context(), v.By)
	if err != nil {
		return err
	}
	reports, err := v.Desk().Reports(v.Context(), v.By)
	if err != nil {
		return err
	}
	page := memberHomePage{Reports: reports, Waits: append([]coordinator.Wait{}, waits...), Cases: []memberHomeCase{}, Moment: v.Moment}
	for _, c := range cases {
		line := memberHomeCase{Case: c.Case, Title: c.Title, Embargo: c.Embargo.String(), Release: v.Moment(c.Release)}
		if c.Consent != cvd.NoConsent {
			line.Consent = c.Consent.String()
		}
		page.Cases = append(page.Cases, line)
	}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		me := p.Accounts[v.By.Account]
		if page.People = !me.Member.IsZero(); page.People {
			page.Member = n.Member(me.Member)
		}
		page.Told = v.recoveries(p, n, me)
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("home-member", page)
}

// takesPart reports whether an account is a member's or a finder's.
func (v *Visit) takesPart() (yes bool, err error) {
	err = v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		me := p.Accounts[v.By.Account]
		yes = !me.Member.IsZero() || me.Roles.Has(cvd.Finder)
		return nil
	})
	return yes, err
}
