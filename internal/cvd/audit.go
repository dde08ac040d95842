package cvd

import (
	"fmt"
	"slices"
	"time"

	"forewarn/internal/form"
)

// Audit looks the whole state over for what must never be so, at a time, and
// lists it. It is nil for a sound programme. It trusts nothing that Decide or
// Apply checked: simulations call it after every step, and whoever verifies a
// log at its end.
func (p *Programme) Audit(now time.Time) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !p.Founded.IsZero() && p.coordinators() == 0 {
		bad("nobody coordinates the programme")
	}
	for _, id := range p.AccountOrder {
		a := p.Accounts[id]
		if why := checkRoles(a.Roles, !a.Member.IsZero()); why != "" {
			bad("account %s: %s", id, why)
		}
	}
	for _, id := range p.WaveOrder {
		p.auditWave(p.Waves[id], now, bad)
	}
	for _, id := range p.CaseOrder {
		p.auditAlarm(p.Cases[id], bad)
	}
	p.auditDeliveries(bad)
	p.auditHeadsUps(bad)
	for _, id := range p.PackageOrder {
		seen := map[HolderID]bool{}
		for _, h := range p.Packages[id].Issued {
			if seen[h] {
				bad("package %s: holder %s is counted twice among the issued copies", id, h)
			}
			seen[h] = true
		}
	}
	for _, id := range p.RevisionOrder {
		if r := p.Revisions[id]; r.Break > form.Detection {
			bad("revision %s: its break pack goes up to %s", id, r.Break)
		}
	}
	return problems
}

func (p *Programme) auditWave(w *Wave, now time.Time, bad func(string, ...any)) {
	r := p.Revisions[w.Revision]
	switch {
	case len(w.Audience) == 0:
		bad("wave %s: an empty audience", w.ID)
	case !sortedIDs(w.Audience):
		bad("wave %s: the audience is not a set", w.ID)
	case w.Level > r.Level:
		bad("wave %s: level %s of a revision that goes up to %s", w.ID, w.Level, r.Level)
	case w.Purpose == BreakPack && w.Level > r.Break:
		bad("wave %s: a break pack at level %s, approved up to %s", w.ID, w.Level, r.Break)
	}
	if a := w.Approval; a != nil {
		if slices.Contains(w.Drafters, a.By) || slices.Contains(w.Drafters, a.For) {
			bad("wave %s: approved by one of those who drafted it", w.ID)
		}
		if a.Digest != w.Digest {
			bad("wave %s: the approval is of another draft", w.ID)
		}
	}
	if s := w.Statement; s != nil {
		if w.Purpose == Staged && w.Approval == nil {
			bad("wave %s: sealed without a second person", w.ID)
		}
		if s.Form != r.Form || s.Level != w.Level || !s.OpensAt.Equal(w.OpensAt) {
			bad("wave %s: its statement is not what was approved", w.ID)
		}
	} else if w.Copies != nil {
		bad("wave %s: copies stored before it was sealed", w.ID)
	}
	for i := range w.Copies {
		c, h := &w.Copies[i], w.Audience[i]
		for _, f := range c.Fetches {
			switch a := p.Accounts[f.Account]; {
			case f.At.Before(w.OpensAt):
				bad("wave %s: fetched at %s, before it opened", w.ID, f.At)
			case c.Blob.IsZero():
				bad("wave %s: a fetch of a copy of %s that was never stored", w.ID, h)
			case a == nil || a.HolderOf() != h:
				bad("wave %s: account %s fetched the copy of %s", w.ID, f.Account, h)
			case !w.LapsesAt.IsZero() && !f.At.Before(w.LapsesAt):
				bad("wave %s: fetched at %s, after it lapsed", w.ID, f.At)
			}
		}
		if c.Receipt != nil && len(c.Fetches) == 0 {
			bad("wave %s: a receipt of %s without a fetch", w.ID, h)
		}
		m := p.Members[MemberID(h)]
		if p.Readable(h, w.ID, now) != nil {
			continue
		}
		switch {
		case p.WaveState(w.ID, now) != StateOpen:
			bad("wave %s: readable and not open", w.ID)
		case w.Purpose == Preview && m != nil:
			bad("wave %s: a preview that a member can read", w.ID)
		case m != nil && (m.Standing != Good || len(m.Accepted) == 0):
			bad("wave %s: readable by %s without standing or terms", w.ID, h)
		case m != nil && w.Purpose == Staged && p.ConsentOf(w.Case, m.ID, now) != Signatory:
			bad("wave %s: readable by %s without consent", w.ID, h)
		}
	}
}

func (p *Programme) auditAlarm(c *Case, bad func(string, ...any)) {
	raises := uint32(0)
	for _, s := range c.Seen {
		if s.Effect == Raises {
			raises++
		}
	}
	a := c.Alarm
	switch {
	case a == nil && raises > 0:
		bad("case %s: something raised an alarm, and there is none", c.ID)
	case a == nil:
		return
	case a.Round != raises:
		bad("case %s: the alarm is in round %d and was raised %d times", c.ID, a.Round, raises)
	}
	for _, d := range a.Decisions {
		switch {
		case d.Round > a.Round:
			bad("case %s: a decision about round %d of %d", c.ID, d.Round, a.Round)
		case d.Choice == ChooseEnd && c.Ended == nil:
			bad("case %s: it was decided to end the embargo, and it was not ended", c.ID)
		}
	}
	// Steps have 256 numbers: the same comes again after as many calls, and no sooner.
	const again = 256 / len(Escalation)
	called := map[[2]uint32]time.Time{}
	for _, id := range a.Notices {
		x := p.Notices[id]
		step := [2]uint32{x.Round, uint32(x.Step)}
		if last, had := called[step]; had && x.At.Sub(last) < time.Duration(again)*Pauses[0] || x.Round > a.Round {
			bad("case %s: step %d of round %d was called twice, or before it was raised", c.ID, x.Step, x.Round)
		}
		called[step] = x.At
	}
}

// auditDeliveries wants nobody told of what isn't theirs, nor anything tried that was
// not queued before.
func (p *Programme) auditDeliveries(bad func(string, ...any)) {
	for _, id := range p.DeliveryOrder {
		d := p.Deliveries[id]
		if d.ID != DeliveryOf(d.Mailing, d.Account) || len(d.For) == 0 {
			bad("delivery %s: it is not that of account %s in its mailing, or tells of nothing", id, d.Account)
		}
		for _, t := range d.For {
			switch w := p.Waves[WaveID(t.About)]; {
			case t.Why != WaveOpened:
			case w == nil || w.Statement == nil || w.place(p.Accounts[d.Account].HolderOf()) < 0:
				bad("delivery %s: account %s was told of a wave that is not sealed for it", id, d.Account)
			case d.At.Before(w.OpensAt):
				bad("delivery %s: account %s was told that a wave opened at %s, before it did", id, d.Account, d.At)
			}
		}
		for _, t := range d.Tries {
			if t.Seq <= d.Seq {
				bad("delivery %s: it was tried before it was queued", id)
			}
		}
	}
}
