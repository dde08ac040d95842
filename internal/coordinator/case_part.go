package coordinator

import (
	"context"
	"slices"
	"time"

	"forewarn/internal/cvd"
)

// Part is a case as those see it who take part in it: a member's accounts, or
// its finder. It says nothing of other members.
type Part struct {
	Case     cvd.CaseID    `json:"case"`
	Title    string        `json:"title"`
	Embargo  string        `json:"embargo"`
	Release  time.Time     `json:"release,omitzero"`
	Zone     string        `json:"zone,omitempty"` // in which it was agreed
	Consent  string        `json:"consent,omitempty"`
	Products []PartProduct `json:"products"`
	Waves    []PartWave    `json:"waves"`
}

// PartProduct is an affected product, and the member's last answer on it.
type PartProduct struct {
	Product cvd.ProductID `json:"product"`
	Name    string        `json:"name"`
	Answer  string        `json:"answer,omitempty"`
}

// PartWave is a wave with a copy for the holder.
type PartWave struct {
	Wave     cvd.WaveID        `json:"wave"`
	Level    string            `json:"level"`
	State    string            `json:"state"`
	OpensAt  time.Time         `json:"opens_at"`
	Fetched  bool              `json:"fetched"`
	Received bool              `json:"received"`
	Why      string            `json:"why_not,omitempty"` // it can't be fetched now
	Uses     map[string]string `json:"permitted_use"`     // ruling by use: yes, no, or the instant from which
}

// Part gathers a case for somebody who takes part in it.
func (d *Desk) Part(ctx context.Context, by cvd.Actor, id cvd.CaseID) (Part, error) {
	out := Part{Case: id, Products: []PartProduct{}, Waves: []PartWave{}}
	err := d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActReadCase, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n, me := p.Cases[id], d.Names(ctx, p), p.Accounts[by.Account]
		out.Title, out.Embargo = n.Case(id), p.EmbargoState(id, now).String()
		if c.Embargo != nil {
			out.Release, out.Zone = c.Embargo.Release.At, c.Embargo.Release.Zone
		}
		member := !me.Member.IsZero()
		if member {
			out.Consent = p.ConsentOf(id, me.Member, now).String()
		}
		for _, x := range c.Products {
			line := PartProduct{Product: x, Name: n.Product(x)}
			if member {
				state, _ := p.AnswerOf(id, me.Member, x)
				line.Answer = state.String()
			}
			out.Products = append(out.Products, line)
		}
		for _, w := range c.Waves {
			if holder := me.HolderOf(); slices.Contains(p.Waves[w].Audience, holder) && p.May(by, cvd.ActViewWave, cvd.AWave(w), now) == nil {
				out.Waves = append(out.Waves, partWave(p, p.Waves[w], holder, now))
			}
		}
		return nil
	})
	return out, err
}

func partWave(p *cvd.Programme, w *cvd.Wave, holder cvd.HolderID, now time.Time) PartWave {
	row := PartWave{Wave: w.ID, Level: w.Level.String(), State: p.WaveState(w.ID, now).String(), OpensAt: w.OpensAt, Uses: map[string]string{}}
	if why := p.Readable(holder, w.ID, now); why != nil {
		row.Why = whyNot(why)
	}
	if c := w.CopyOf(holder); c != nil {
		row.Fetched, row.Received = len(c.Fetches) > 0, c.Receipt != nil
	}
	for u, r := range p.Revisions[w.Revision].Rulings {
		said := r.Verdict.String()
		if r.Verdict == cvd.From {
			said = r.From.UTC().Format(time.RFC3339)
		}
		row.Uses[cvd.Use(u).String()] = said
	}
	return row
}
