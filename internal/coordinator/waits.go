package coordinator

import (
	"context"

	"slices"
	"time"

	"forewarn/internal/cvd"
)

// Wait is one thing that somebody who takes part is asked for, or can expect.
type Wait struct {
	For     string        `json:"for"` // one of the words below
	Case    cvd.CaseID    `json:"case,omitzero"`
	Title   string        `json:"title,omitempty"` // the case's, for who may read it
	Wave    cvd.WaveID    `json:"wave,omitzero"`
	Level   string        `json:"level,omitempty"`
	Product cvd.ProductID `json:"product,omitzero"`
	Name    string        `json:"product_name,omitempty"`
	At      time.Time     `json:"at,omitzero"`       // since when it waits; of an opening, when it is
	Until   time.Time     `json:"until,omitzero"`    // when it can't be done any more
	Mine    bool          `json:"mine"`              // the actor may do it; else a colleague has to
	Why     string        `json:"why_not,omitempty"` // it can't be done now
}

// What waits, in the order in which it is dealt with: nothing is readable before
// terms, keys and consent.
const (
	WaitTerms      = "terms"      // to accept
	WaitKeys       = "keys"       // to enrol
	WaitInvitation = "invitation" // to accept or decline
	WaitRecall     = "recall"     // to acknowledge
	WaitCopy       = "copy"       // to fetch
	WaitAnswer     = "answer"     // on a product
	WaitOpening    = "opening"    // of a copy that is sealed already
)

var waitOrder = []string{WaitTerms, WaitKeys, WaitInvitation, WaitRecall, WaitCopy, WaitAnswer, WaitOpening}

// Waits gathers what waits for an account that fetches copies, the most pressing
// first. Of staff and finders it is the copies alone.
func (d *Desk) Waits(ctx context.Context, by cvd.Actor) (out []Wait, err error) {
	err = d.View(func(p *cvd.Programme) error {
		me := p.Accounts[by.Account]
		if me == nil {
			return ErrUnknown
		}
		w := waits{d.Names(ctx, p), p, by, me, d.at(p), nil}
		if !me.Member.IsZero() {
			w.member()
			for _, id := range p.CaseOrder {
				w.part(p.Cases[id])
			}
		}
		w.recalls()
		w.copies()
		out = w.out
		return nil
	})
	slices.SortStableFunc(out, func(a, b Wait) int { return slices.Index(waitOrder, a.For) - slices.Index(waitOrder, b.For) })
	return out, err
}

type waits struct {
	Names
	p   *cvd.Programme
	by  cvd.Actor
	me  *cvd.Account
	now time.Time
	out []Wait
}

func (w *waits) may(a cvd.Action, o cvd.Object) bool { return w.p.May(w.by, a, o, w.now) == nil }

// title is a case's, for who may read it.
func (w *waits) title(id cvd.CaseID) string {
	if !w.may(cvd.ActReadCase, cvd.ACase(id)) {
		return ""
	}
	return w.Case(id)
}

// member is what a member owes before it is shown anything.
func (w *waits) member() {
	m := w.p.Members[w.me.Member]
	if t := w.p.BindingTerms(w.now); t != nil && !w.p.TermsAccepted(m.ID, w.now) {
		w.out = append(w.out, Wait{For: WaitTerms, At: t.Binds, Mine: w.may(cvd.ActAcceptTerms, cvd.AMember(m.ID))})
	}
	if _, ok := w.p.KeysOf(cvd.HolderID(m.ID)); !ok {
		w.out = append(w.out, Wait{For: WaitKeys, At: m.Admitted.At, Mine: w.me.Roles.Has(cvd.MemberAdmin)})
	}
}

// part is what a case asks of a member: its word, and its answers once it knows of
// a wave.
func (w *waits) part(c *cvd.Case) {
	part := c.Participants[w.me.Member]
	if part == nil || c.Shredded != nil {
		return
	}
	consent, state := w.p.ConsentOf(c.ID, w.me.Member, w.now), w.p.EmbargoState(c.ID, w.now)
	if consent == cvd.Invited && (state != cvd.EmbargoLifted) {
		w.out = append(w.out, Wait{For: WaitInvitation, Case: c.ID, At: part.Invited.At, Until: part.Until, Mine: w.may(cvd.ActConsent, cvd.APart(c.ID, w.me.Member))})
	}
	if consent != cvd.Signatory || c.Released != nil || !w.may(cvd.ActAnswer, cvd.APart(c.ID, w.me.Member)) {
		return
	}
	for _, id := range c.Waves {
		if !w.may(cvd.ActViewWave, cvd.AWave(id)) {
			continue
		}
		for _, x := range c.Products {
			if said, _ := w.p.AnswerOf(c.ID, w.me.Member, x); said == cvd.NoAnswer {
				w.out = append(w.out, Wait{For: WaitAnswer, Case: c.ID, Title: w.title(c.ID), Product: x, Name: w.Product(x), At: w.p.Waves[id].OpensAt, Mine: true})
			}
		}
		return
	}
}

func (w *waits) recalls() {
	holder := w.me.HolderOf()
	for _, id := range w.p.RevisionOrder {
		r := w.p.Revisions[id]
		if r.Recall == nil || slices.ContainsFunc(r.Recall.Acknowledged, func(a cvd.RecallAck) bool { return a.Holder == holder }) {
			continue
		}
		if w.may(cvd.ActAcknowledgeRecall, cvd.AReading(id, holder)) {
			w.out = append(w.out, Wait{For: WaitRecall, Case: r.Case, Title: w.title(r.Case), At: r.Recall.At, Mine: true})
		}
	}
}

// copies are those that were not fetched yet: what can be fetched now, and what is
// sealed and will open.
func (w *waits) copies() {
	holder := w.me.HolderOf()
	for _, id := range w.p.WaveOrder {
		wave := w.p.Waves[id]
		if !slices.Contains(wave.Audience, holder) || !w.may(cvd.ActViewWave, cvd.AWave(id)) {
			continue
		}
		if c := wave.CopyOf(holder); c != nil && len(c.Fetches) > 0 {
			continue
		}
		line := Wait{For: WaitCopy, Case: wave.Case, Title: w.title(wave.Case), Wave: id, Level: wave.Level.String(), At: wave.OpensAt, Until: wave.LapsesAt, Mine: true}
		switch w.p.WaveState(id, w.now) {
		case cvd.StateOpen:
			if why := w.p.Readable(holder, id, w.now); why != nil {
				line.Why = whyNot(why)
			}
		case cvd.StateSealed:
			line.For = WaitOpening
		case cvd.StateHeld:
			line.For, line.Why = WaitOpening, "it is held for now"
		default:
			continue
		}
		w.out = append(w.out, line)
	}
}
