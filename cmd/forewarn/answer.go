package main

import (
	"maps"

	"forewarn/client"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/wire"
)

type answerCmd struct {
	Case    string `arg:"" help:"Title or id."`
	Product string `arg:"" help:"Name or id."`
	State   string `arg:"" help:"not-affected, investigating, affected, in-progress, ready or shipped." enum:"not-affected,investigating,affected,in-progress,ready,shipped"`
	Note    string `help:"Versions, a reference, words; encrypted under the case's key."`
	remote
}

func (*answerCmd) Help() string {
	return `With --server, from a machine without the programme's folder. The token takes the scopes answer, and read to look names up.

Example:
  forewarn answer Layout "Larkspur Portal" ready --note "signature 2231" --as mia`
}

var answers = map[string]cvd.AnswerState{"not-affected": cvd.NotAffected, "investigating": cvd.Investigating, "affected": cvd.Affected, "in-progress": cvd.InProgress, "ready": cvd.Ready, "shipped": cvd.Shipped}

func (c *answerCmd) Run(a *app) error {
	if c.Server != "" {
		return c.answerTo(a)
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		product, err := d.Product(a, by, id, c.Product)
		if err != nil {
			return err
		}
		if err := d.Answer(a, by, id, product, answers[c.State], c.Note); err != nil {
			return err
		}
		return c.answered(a, id, product)
	})
}

func (c *answerCmd) answered(a *app, id cvd.CaseID, product cvd.ProductID) error {
	return a.done(fields{"case": id, "product": product, "answer": answers[c.State].String()}, "Answered: %s.", answers[c.State])
}

// answerTo answers to a desk elsewhere.
func (c *answerCmd) answerTo(a *app) error {
	desk, err := c.client(a, client.Options{})
	if err != nil {
		return err
	}
	cases, err := desk.Cases(a)
	if err != nil {
		return err
	}
	titles := map[cvd.CaseID]string{}
	for _, x := range cases {
		if id, err := wire.ParseID[cvd.Case](x.ID); err == nil {
			titles[id] = x.Title
		}
	}
	id, err := coordinator.Find(c.Case, "case", "the desk's page Home", maps.All(titles))
	if err != nil {
		return err
	}
	products, err := desk.Products(a, id.String())
	if err != nil {
		return err
	}
	names := map[cvd.ProductID]string{}
	for _, x := range products {
		if id, err := wire.ParseID[cvd.Product](x.ID); err == nil {
			names[id] = x.Name
		}
	}
	product, err := coordinator.Find(c.Product, "product", "the case's page", maps.All(names))
	if err != nil {
		return err
	}
	if err := desk.Answer(a, id.String(), product.String(), answers[c.State].String(), c.Note); err != nil {
		return err
	}
	return c.answered(a, id, product)
}
