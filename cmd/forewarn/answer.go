package main

import (
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type answerCmd struct {
	Case    string `arg:"" help:"Title or id."`
	Product string `arg:"" help:"Name or id."`
	State   string `arg:"" help:"not-affected, investigating, affected, in-progress, ready or shipped." enum:"not-affected,investigating,affected,in-progress,ready,shipped"`
	Note    string `help:"Versions, a reference, words; encrypted under the case's key."`
}

func (*answerCmd) Help() string {
	return "Example:\n  forewarn answer Layout \"Larkspur Portal\" ready --note \"signature 2231\" --as mia"
}

var answers = map[string]cvd.AnswerState{"not-affected": cvd.NotAffected, "investigating": cvd.Investigating, "affected": cvd.Affected, "in-progress": cvd.InProgress, "ready": cvd.Ready, "shipped": cvd.Shipped}

func (c *answerCmd) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		product, err := d.Product(a, by, id, c.Product)
		if err != nil {
			return err
		}
		if err := d.Answer(a, by, id, product, answers[c.State], c.Note); err != nil {
			return err
		}
		return a.done(fields{"case": id, "product": product, "answer": answers[c.State].String()}, "Answered: %s.", answers[c.State])
	})
}
