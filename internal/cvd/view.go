package cvd

import (
	"slices"
	"time"

	"forewarn/internal/entrylog"
)

// EmbargoState is where a case's embargo is at a time; NoEmbargo for a case that
// doesn't exist.
func (p *Programme) EmbargoState(id CaseID, now time.Time) EmbargoState {
	c := p.Cases[id]
	switch {
	case c == nil:
		return NoEmbargo
	case c.Ended != nil || c.Released != nil || c.Embargo != nil && !now.Before(c.Embargo.Release.At):
		return EmbargoLifted
	case c.Embargo == nil && c.waiting(now) == nil:
		return NoEmbargo
	case c.Embargo == nil:
		return Proposed
	case c.waiting(now) == nil:
		return Active
	}
	return Revise
}

// waiting is the proposal that can be agreed at a time, or nil.
func (c *Case) waiting(now time.Time) *Proposal {
	if len(c.Proposals) == 0 {
		return nil
	}
	pr := &c.Proposals[len(c.Proposals)-1]
	if pr.Agreed != nil || !pr.Expires.IsZero() && !now.Before(pr.Expires) || !now.Before(pr.Release.At) {
		return nil
	}
	return pr
}

func binds(s EmbargoState) bool { return s == Active || s == Revise }

// WaveState is where a wave is at a time; NoWave for one that doesn't exist.
func (p *Programme) WaveState(id WaveID, now time.Time) WaveState {
	w := p.Waves[id]
	switch {
	case w == nil:
		return NoWave
	case w.Cancelled != nil:
		return StateCancelled
	case p.Revisions[w.Revision].Recall != nil:
		return StateSuperseded
	case w.Statement == nil && w.Purpose == Staged && w.Approval == nil:
		return StateDraft
	case w.Statement == nil:
		return StateApproved
	case w.Hold != nil || w.Reask || p.Cases[w.Case].Hold != nil:
		return StateHeld
	case now.Before(w.OpensAt):
		return StateSealed
	}
	return StateOpen
}

// ConsentOf is a member's stance in a case at a time.
func (p *Programme) ConsentOf(id CaseID, m MemberID, now time.Time) Consent {
	c := p.Cases[id]
	if c == nil {
		return NoConsent
	}
	part := c.Participants[m]
	switch {
	case part == nil:
		return NoConsent
	case part.Consent == Invited && !part.Until.IsZero() && !now.Before(part.Until):
		return Lapsed
	}
	return part.Consent
}

// KeysOf is the key set that is in use for a holder.
func (p *Programme) KeysOf(h HolderID) (KeySet, bool) {
	sets := p.Keys[h]
	if len(sets) == 0 || sets[len(sets)-1].Ended != nil {
		return KeySet{}, false
	}
	return sets[len(sets)-1], true
}

// BindingTerms is the terms that content needs accepted at a time; nil when
// there are none yet, and then nobody has accepted them.
func (p *Programme) BindingTerms(now time.Time) *Terms {
	for _, t := range slices.Backward(p.Terms) {
		if !now.Before(t.Binds) {
			return t
		}
	}
	return nil
}

// TermsAccepted reports whether a member accepted the terms that bind at a time,
// or later ones.
func (p *Programme) TermsAccepted(m MemberID, now time.Time) bool {
	t, member := p.BindingTerms(now), p.Members[m]
	return t != nil && member != nil && slices.ContainsFunc(member.Accepted, func(a Acceptance) bool { return a.Number >= t.Number })
}

// Issued is how many distinct holders copies of a package were sealed for.
func (p *Programme) Issued(id PackageID) int {
	if pk := p.Packages[id]; pk != nil {
		return len(pk.Issued)
	}
	return 0
}

// Exposure is one line of who had a copy: a fetch, or a sealed copy that nobody
// fetched (then Account is zero).
type Exposure struct {
	Wave       WaveID
	Holder     HolderID
	Account    AccountID
	FetchedAt  time.Time
	Seq        entrylog.Seq // of the fetch's entry
	ReceiptAt  time.Time    // of the holder's last receipt; zero: fetched, not received
	ReceiptSeq entrylog.Seq
}

// Exposure lists every sealed copy of a package and who was given it, wave after
// wave, holders ascending, fetches in order.
func (p *Programme) Exposure(id PackageID) []Exposure {
	pk := p.Packages[id]
	if pk == nil {
		return nil
	}
	var out []Exposure
	for _, wid := range pk.Waves {
		w := p.Waves[wid]
		if w.Statement == nil {
			continue
		}
		for i, h := range w.Audience {
			line := Exposure{Wave: wid, Holder: h}
			c := w.CopyOf(h)
			if c == nil || len(c.Fetches) == 0 {
				out = append(out, line)
				continue
			}
			if r := w.Copies[i].Receipt; r != nil {
				line.ReceiptAt, line.ReceiptSeq = r.At, r.Seq
			}
			for _, f := range c.Fetches {
				line.Account, line.FetchedAt, line.Seq = f.Account, f.At, f.Seq
				out = append(out, line)
			}
		}
	}
	return out
}

// AnswerOf is a member's answer about a product in a case, and all it ever gave,
// first to last.
func (p *Programme) AnswerOf(id CaseID, m MemberID, pr ProductID) (AnswerState, []Answer) {
	c := p.Cases[id]
	if c == nil {
		return NoAnswer, nil
	}
	var history []Answer
	last := NoAnswer
	for _, i := range c.answers[answerKey{m, pr}] {
		history = append(history, c.Answers[i])
		last = c.Answers[i].State
	}
	return last, history
}

// OnDuty is who is to be called at a time, first to last. When nobody is on the
// roster, every coordinator is: an embargo must never be one that nobody may
// end.
func (p *Programme) OnDuty(now time.Time) []AccountID {
	var turns []*Duty
	for _, id := range p.DutyOrder {
		d := p.Duties[id]
		if !now.Before(d.Starts) && now.Before(d.Ends) && p.Accounts[d.Account].Closed == nil {
			turns = append(turns, d)
		}
	}
	slices.SortStableFunc(turns, func(a, b *Duty) int { return int(a.Rank) - int(b.Rank) })
	var ids []AccountID
	for _, d := range turns {
		if !slices.Contains(ids, d.Account) {
			ids = append(ids, d.Account)
		}
	}
	if ids != nil {
		return ids
	}
	for _, id := range p.AccountOrder {
		if a := p.Accounts[id]; a.Closed == nil && a.Roles.Has(Coordinator) {
			ids = append(ids, id)
		}
	}
	return ids
}

// HolderOf is the holder that an account fetches for: its member, or itself.
func (a *Account) HolderOf() HolderID {
	if !a.Member.IsZero() {
		return HolderID(a.Member)
	}
	return HolderID(a.ID)
}
