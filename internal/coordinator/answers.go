package coordinator

import (
	"context"
	"time"

	"forewarn/internal/cvd"
)

// AnswerRow is what one member said last about one product of a case. Silence is a
// row too.
type AnswerRow struct {
	Member  cvd.MemberID  `json:"member"`
	Name    string        `json:"name"`
	Tier    uint8         `json:"tier"`
	Product cvd.ProductID `json:"product"`
	Of      string        `json:"product_name"`
	Answer  string        `json:"answer"` // 'no answer' for silence
	At      time.Time     `json:"at,omitzero"`
	By      string        `json:"by,omitempty"` // handle
	Note    string        `json:"note,omitempty"`
}

// Answers is the last answer of every member who is invited to a case and didn't
// decline, on each of its products, in the order of invitation. It is for who may
// view answers, and leaves out what is destroyed.
func (d *Desk) Answers(ctx context.Context, by cvd.Actor, id cvd.CaseID) (out []AnswerRow, err error) {
	out = []AnswerRow{}
	if err := d.Warm(ctx); err != nil {
		return nil, err
	}
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewAnswers, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		said := map[saidKey]*cvd.Answer{}
		for i := range c.Answers {
			a := &c.Answers[i]
			said[saidKey{a.Member, a.Product}] = a
		}
		for _, m := range c.ParticipantOrder {
			if p.ConsentOf(id, m, now) == cvd.Declined {
				continue
			}
			for _, x := range c.Products {
				row := AnswerRow{Member: m, Name: n.Member(m), Tier: p.Members[m].Tier, Product: x, Of: n.Product(x), Answer: cvd.NoAnswer.String()}
				if a := said[saidKey{m, x}]; a != nil {
					row.Answer, row.At, row.By = a.State.String(), a.At, n.Account(a.By)
					row.Note = d.reason(ctx, id, a.Text)
				}
				out = append(out, row)
			}
		}
		return nil
	})
	return out, err
}
