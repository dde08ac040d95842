package web

import (
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// inboxPage is what waits for somebody.
type inboxPage struct {
	Waves []inboxLine `json:"waves"`
}

type inboxLine struct {
	Wave    cvd.WaveID `json:"wave"`
	Case    cvd.CaseID `json:"case"`
	Title   string     `json:"title,omitempty" doc:"The case's, for who may read it."`
	State   string     `json:"state"`
	OpensAt Moment     `json:"opens_at"`
	Fetched bool       `json:"fetched"`
	Why     string     `json:"why_not,omitempty" doc:"Why the copy can't be fetched now."`
}

// inbox is what waits, for people and for machines that poll.
func inbox(v *Visit) error {
	_, list, err := v.Desk().Inbox(v.By)
	if err != nil {
		return err
	}
	page := inboxPage{Waves: []inboxLine{}}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		for _, w := range list {
			line := inboxLine{Wave: w.Wave, Case: w.Case, State: w.State.String(), OpensAt: v.Moment(w.OpensAt), Fetched: w.Fetched, Why: w.Why}
			if p.May(v.By, cvd.ActReadCase, cvd.ACase(w.Case), v.Now()) == nil {
				line.Title = n.Case(w.Case)
			}
			page.Waves = append(page.Waves, line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("inbox", page)
}
