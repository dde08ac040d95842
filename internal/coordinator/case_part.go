package coordinator

import (
	"context"
	"slices"
	"time"

	"forewarn/internal/cvd"
)

// Part is a case as those see it who take part in it: a member's accounts, or
// its finder. It says nothing of other members. Before its member consented, it
// has no title, no product and no wave.
type Part struct {
	Case      cvd.CaseID    `json:"case"`
	Title     string        `json:"title"`
	Embargo   string        `json:"embargo"`
	Release   time.Time     `json:"release,omitzero"`
	Zone      string        `json:"zone,omitempty"` // in which it was agreed
	Consent   string        `json:"consent,omitempty"`
	Until     time.Time     `json:"answer_invitation_until,omitzero"` // when an invitation lapses that waits for a word
	Consents  bool          `json:"may_consent,omitempty"`            // the actor may give its member's word now
	Answers   bool          `json:"may_answer,omitempty"`
	Released  time.Time     `json:"released,omitzero"`  // it is public since
	Published time.Time     `json:"published,omitzero"` // and there is an advisory
	Products  []PartProduct `json:"products"`
	Waves     []PartWave    `json:"waves"`
	Recalls   []PartRecall  `json:"recalls,omitempty"`
}

// PartProduct is an affected product, and the member's last answer on it.
type PartProduct struct {
	Product cvd.ProductID `json:"product"`
	Name    string        `json:"name"`
	Answer  string        `json:"answer,omitempty"`
	Said    []PartAnswer  `json:"said,omitempty"` // all of its answers, the newest first
	Next    []string      `json:"may_become,omitempty"`
}

// PartAnswer is one answer that the member gave.
type PartAnswer struct {
	Answer string    `json:"answer"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Note   string    `json:"note,omitempty"`
}

// PartWave is a wave with a copy for the holder.
type PartWave struct {
	Wave      cvd.WaveID        `json:"wave"`
	Revision  uint32            `json:"revision"`
	Level     string            `json:"level"`
	Label     string            `json:"tlp"`
	State     string            `json:"state"`
	OpensAt   time.Time         `json:"opens_at"`
	LapsesAt  time.Time         `json:"lapses_at,omitzero"`
	Size      uint64            `json:"size,omitempty"` // bytes of the sealed file
	Fetched   bool              `json:"fetched"`
	Received  bool              `json:"received"`
	ReceiptAt time.Time         `json:"receipt_at,omitzero"`
	Why       string            `json:"why_not,omitempty"` // it can't be fetched now
	Uses      map[string]string `json:"permitted_use"`     // ruling by use: yes, no, or the instant from which
	Fetches   []PartFetch       `json:"fetches,omitempty"` // by colleagues
}

// PartFetch is a fetch by one of the holder's accounts.
type PartFetch struct {
	Who string    `json:"who"`
	At  time.Time `json:"at"`
}

// PartRecall is a revision that the holder was given and is asked to stop using.
type PartRecall struct {
	Revision     uint32    `json:"revision"`
	At           time.Time `json:"at"`
	Reason       string    `json:"reason,omitempty"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
}

// Part gathers a case for somebody who takes part in it.
func (d *Desk) Part(ctx context.Context, by cvd.Actor, id cvd.CaseID) (Part, error) {
	out := Part{Case: id, Products: []PartProduct{}, Waves: []PartWave{}}
	err := d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewCase, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n, me := p.Cases[id], d.Names(ctx, p), p.Accounts[by.Account]
		out.Embargo = p.EmbargoState(id, now).String()
		if c.Embargo != nil {
			out.Release, out.Zone = c.Embargo.Release.At, c.Embargo.Release.Zone
		}
		if !me.Member.IsZero() {
			out.Consent = p.ConsentOf(id, me.Member, now).String()
			out.Consents = p.May(by, cvd.ActConsent, cvd.APart(id, me.Member), now) == nil
			if part := c.Participants[me.Member]; part.Consent == cvd.Invited {
				out.Until = part.Until
			}
		}
		if c.Released != nil {
			out.Released = c.Released.At
		}
		if published(c) {
			out.Published = c.Released.At
		}
		if p.May(by, cvd.ActReadCase, cvd.ACase(id), now) != nil {
			return nil
		}
		out.Title = n.Case(id)
		out.Answers = p.May(by, cvd.ActAnswer, cvd.APart(id, me.Member), now) == nil
		for _, x := range c.Products {
			out.Products = append(out.Products, d.partProduct(ctx, p, n, c, me.Member, x))
		}
		holder := me.HolderOf()
		for _, w := range c.Waves {
			if slices.Contains(p.Waves[w].Audience, holder) && p.May(by, cvd.ActViewWave, cvd.AWave(w), now) == nil {
				out.Waves = append(out.Waves, partWave(p, n, p.Waves[w], holder, now))
			}
		}
		for _, r := range p.RevisionOrder {
			rev := p.Revisions[r]
			if rev.Case != id || rev.Recall == nil || p.May(by, cvd.ActAcknowledgeRecall, cvd.AReading(r, holder), now) != nil {
				continue
			}
			line := PartRecall{Revision: rev.Number, At: rev.Recall.At}
			var why Reason
			if !rev.Recall.Reason.IsZero() && d.Text(ctx, CaseKey(id), rev.Recall.Reason, &why) == nil {
				line.Reason = why.Reason
			}
			if i := slices.IndexFunc(rev.Recall.Acknowledged, func(a cvd.RecallAck) bool { return a.Holder == holder }); i >= 0 {
				line.Acknowledged = rev.Recall.Acknowledged[i].At
			}
			out.Recalls = append(out.Recalls, line)
		}
		return nil
	})
	return out, err
}

func (d *Desk) partProduct(ctx context.Context, p *cvd.Programme, n Names, c *cvd.Case, m cvd.MemberID, x cvd.ProductID) PartProduct {
	line := PartProduct{Product: x, Name: n.Product(x)}
	if m.IsZero() {
		return line
	}
	state, said := p.AnswerOf(c.ID, m, x)
	line.Answer = state.String()
	for to := cvd.NotAffected; to <= cvd.Shipped; to++ {
		if cvd.AnswerStates.Can(state, to, "AnswerGiven") {
			line.Next = append(line.Next, to.String())
		}
	}
	for _, a := range slices.Backward(said) {
		row := PartAnswer{Answer: a.State.String(), At: a.At, By: n.Account(a.By)}
		var note Reason
		if !a.Text.IsZero() && d.Text(ctx, CaseKey(c.ID), a.Text, &note) == nil {
			row.Note = note.Reason
		}
		line.Said = append(line.Said, row)
	}
	return line
}

func partWave(p *cvd.Programme, n Names, w *cvd.Wave, holder cvd.HolderID, now time.Time) PartWave {
	rev := p.Revisions[w.Revision]
	row := PartWave{Wave: w.ID, Revision: rev.Number, Level: w.Level.String(), Label: rev.Label.String(), State: p.WaveState(w.ID, now).String(),
		OpensAt: w.OpensAt, LapsesAt: w.LapsesAt}
	if why := p.Readable(holder, w.ID, now); why != nil {
		row.Why = whyNot(why)
	}
	if c := w.CopyOf(holder); c != nil {
		row.Fetched, row.Received, row.Size = len(c.Fetches) > 0, c.Receipt != nil, c.Size
		if c.Receipt != nil {
			row.ReceiptAt = c.Receipt.At
		}
		for _, f := range slices.Backward(c.Fetches) {
			row.Fetches = append(row.Fetches, PartFetch{n.Account(f.Account), f.At})
		}
	}
	row.Uses = usesOf(rev.Rulings)
	return row
}

// usesOf is what may be done with what a package says: yes, no, or from when on, by
// use.
func usesOf(rulings cvd.Rulings) map[string]string {
	out := map[string]string{}
	for u, r := range rulings {
		out[cvd.Use(u).String()] = r.Verdict.String()
		if r.Verdict == cvd.From {
			out[cvd.Use(u).String()] = r.From.UTC().Format(time.RFC3339)
		}
	}
	return out
}
