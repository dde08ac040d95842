package cvd

import (
	"time"
)

// contentRoles may be shown content: everybody else on the staff does without.
var contentRoles = RoleSet(Coordinator, CaseWorker, Approver)

// Eligible is nil when a holder may be put into a wave's audience at that time,
// and else a *Denied that says what is missing. For BreakPack the case's consent
// isn't asked for; Preview is for staff alone.
func (p *Programme) Eligible(h HolderID, c CaseID, purpose Purpose, now time.Time) error {
	if why, hint := p.unfit(c, purpose, h, now); why != "" {
		return &Denied{ActDraftWave, why, hint}
	}
	return nil
}

// Fit reports whether Eligible is nil, for counting thousands.
func (p *Programme) Fit(h HolderID, c CaseID, purpose Purpose, now time.Time) bool {
	why, _ := p.unfit(c, purpose, h, now)
	return why == ""
}

// unfit says why a holder may not be shown a case's content, whatever the state
// of the wave. Drafting, approving and reading a wave all ask it.
func (p *Programme) unfit(c CaseID, purpose Purpose, h HolderID, now time.Time) (why, hint string) {
	m, isMember := p.Members[MemberID(h)]
	switch a := p.Accounts[AccountID(h)]; {
	case !isMember && (a == nil || !p.active(a) || !a.Member.IsZero() || a.Roles&contentRoles == 0):
		return "only members, and staff who work on cases, hold copies", "leave it out of the audience"
	case isMember && purpose == Preview:
		return "previews are for staff", "make it a staged wave"
	case isMember && m.Standing != Good:
		return "the member is not in good standing", hintWho
	}
	if _, ok := p.KeysOf(h); !ok {
		return "there is no key to seal to", "enrol keys first"
	}
	if !isMember {
		return "", ""
	}
	if purpose == BreakPack {
		// What an embargo's end sends out is no secret for long; but nobody holds
		// a marked copy who was never told that copies are marked.
		if len(m.Accepted) == 0 {
			return "the programme's terms were never accepted", "accept them first"
		}
		return "", ""
	}
	if !p.TermsAccepted(m.ID, now) {
		return "the programme's terms are not accepted", "accept the terms that bind now first"
	}
	switch s := p.ConsentOf(c, m.ID, now); s {
	case Signatory:
	case NoConsent:
		return "the member is not invited to the case", "invite it first: forewarn case invite CASE"
	default:
		return "the member is no signatory of the case's embargo (" + s.String() + ")", "accept the invitation to the case first"
	}
	return "", ""
}

// Stored reports whether every copy of a sealed wave is stored.
func (w *Wave) Stored() bool {
	for i := range w.Copies {
		if w.Copies[i].Blob.IsZero() {
			return false
		}
	}
	return w.Copies != nil
}

// Unsealed lists the waves that the sealer has work with: approved ones, and
// sealed ones of which copies are missing.
func (p *Programme) Unsealed() (ids []WaveID) {
	for _, id := range p.WaveOrder {
		w := p.Waves[id]
		approved := w.Approval != nil || w.Purpose != Staged
		if p.over(w) || !approved || w.Statement != nil && w.Stored() {
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

// Stale lists the sealed waves with a copy that is sealed to keys which its
// holder has replaced: they are to be sealed again, to the keys in use.
func (p *Programme) Stale() (ids []WaveID) {
	for _, id := range p.WaveOrder {
		w := p.Waves[id]
		if p.over(w) {
			continue
		}
		for i := range w.Copies {
			if keys, ok := p.KeysOf(w.Audience[i]); ok && !w.Copies[i].Blob.IsZero() && keys.Seq != w.Copies[i].Keys {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}

func (p *Programme) over(w *Wave) bool {
	return w.Cancelled != nil || p.Revisions[w.Revision].Recall != nil
}
