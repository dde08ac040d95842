package cvd

import (
	"slices"
	"time"
)

// relation is how an account stands to an object. It also decides whether a
// member's or a finder's account may know that the object exists.
type relation struct {
	name  string
	holds func(p *Programme, a *Account, o Object, now time.Time) bool
}

var (
	ownMember = &relation{"their own member", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return !a.Member.IsZero() && ref(a.Member) == o.ID
	}}
	sameMember = &relation{"of their own member", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return !a.Member.IsZero() && p.Accounts[AccountID(o.ID)].Member == a.Member
	}}
	ownHolder = &relation{"their own", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return ref(a.HolderOf()) == o.ID
	}}
	itsFinder = &relation{"its finder", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return p.Cases[CaseID(o.ID)].Finder == a.ID
	}}
	participant = &relation{"participants", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return p.Cases[CaseID(o.ID)].Participants[a.Member] != nil
	}}
	signatory = &relation{"signatories", func(p *Programme, a *Account, o Object, now time.Time) bool {
		return p.ConsentOf(CaseID(o.ID), a.Member, now) == Signatory
	}}
	ownPart = &relation{"their own member's", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return !a.Member.IsZero() && HolderID(a.Member) == o.Holder
	}}
	knowsWave = &relation{"their audience's", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return p.knows(p.Waves[WaveID(o.ID)], a.HolderOf())
	}}
	ownCopy = &relation{"their own", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return o.Holder == a.HolderOf() && p.knows(p.Waves[WaveID(o.ID)], o.Holder)
	}}
	ownReading = &relation{"those who fetched it", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return o.Holder == a.HolderOf() && p.has(p.Revisions[RevisionID(o.ID)], o.Holder)
	}}
	itself = &relation{"their own account", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return ref(a.ID) == o.ID
	}}
	reporter = &relation{"their own", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return p.Reports[ReportID(o.ID)].By == a.ID
	}}
	delegator = &relation{"their own", func(p *Programme, a *Account, o Object, _ time.Time) bool {
		return p.Delegations[DelegationID(o.ID)].From == a.ID
	}}
)

// knows reports whether a holder may know that a wave exists: it is sealed, for
// them, and a member among them is in the case or is sent a break pack.
func (p *Programme) knows(w *Wave, h HolderID) bool {
	if w == nil || w.Statement == nil || w.place(h) < 0 {
		return false
	}
	if p.Members[MemberID(h)] == nil {
		return true
	}
	return w.Purpose == BreakPack || p.Cases[w.Case].Participants[MemberID(h)] != nil
}

// has reports whether a holder was ever given a copy of a revision.
func (p *Programme) has(r *Revision, h HolderID) bool {
	return slices.ContainsFunc(p.Packages[r.Package].Waves, func(id WaveID) bool {
		w := p.Waves[id]
		c := w.CopyOf(h)
		return w.Revision == r.ID && c != nil && len(c.Fetches) > 0
	})
}

// Readable is nil when a holder may read its copy of a wave at that time, and
// else a *Denied. It is the bar of Fetch; pages ask it to say what is missing.
func (p *Programme) Readable(h HolderID, id WaveID, now time.Time) error {
	w := p.Waves[id]
	if !p.knows(w, h) {
		return &Denied{ActFetch, whyNothing, hintWhat}
	}
	if why, hint := p.unreadable(w, h, now); why != "" {
		return &Denied{ActFetch, why, hint}
	}
	return nil
}

// unreadable says why a holder who knows of a wave can't read its copy now.
func (p *Programme) unreadable(w *Wave, h HolderID, now time.Time) (why, hint string) {
	switch s := p.WaveState(w.ID, now); s {
	case StateOpen:
	case StateSealed:
		return "it has not opened", "come back at " + w.OpensAt.UTC().Format(time.RFC3339)
	case StateSuperseded:
		return "its revision was recalled: stop using it", "acknowledge the recall; look for a later wave"
	case StateHeld:
		return "it is held for now", "come back later; nothing is lost"
	default:
		return "it is " + s.String(), hintWhat
	}
	if !w.LapsesAt.IsZero() && !now.Before(w.LapsesAt) {
		return "it was readable until " + w.LapsesAt.UTC().Format(time.RFC3339), "ask the case's coordinator"
	}
	if why, hint := p.unfit(w.Case, w.Purpose, h, now); why != "" {
		return why, hint
	}
	c := w.CopyOf(h)
	if c == nil {
		return "the copy is still being sealed", "come back in a moment"
	}
	if keys, _ := p.KeysOf(h); c.Keys != keys.Seq {
		return "the copy is sealed to keys that are not in use any more", "it is being sealed to the new ones; come back later"
	}
	return "", ""
}

// The bars of single actions.

func readable(p *Programme, _ *Account, o Object, now time.Time) (why, hint string) {
	return p.unreadable(p.Waves[WaveID(o.ID)], o.Holder, now)
}

func secondPerson(p *Programme, a *Account, o Object, now time.Time) (why, hint string) {
	w := p.Waves[WaveID(o.ID)]
	if w.Statement != nil && !w.Reask {
		return "it does not wait for an approval", "lift the hold instead"
	}
	if w.draftedBy(a.ID) {
		return "you had a hand in drafting it", "somebody else must approve it"
	}
	if _, ok := p.lenderFor(a, w, now); !ok {
		return "who lent you the role had a hand in drafting it", "somebody else must approve it"
	}
	return "", ""
}

func onDuty(p *Programme, a *Account, _ Object, now time.Time) (why, hint string) {
	if !slices.Contains(p.OnDuty(now), a.ID) {
		return "you are not on duty", "call who is, or have yourself put on the roster"
	}
	return "", ""
}

func noLegalHold(p *Programme, _ *Account, o Object, _ time.Time) (why, hint string) {
	scope := PersonKey
	if o.Kind == OnCase {
		scope = CaseKey
	}
	if hold, _ := p.keyed(scope, o.ID); hold != nil && *hold != nil {
		return "it is under a legal hold until it is lifted", "see the hold's reason and review date"
	}
	return "", ""
}

func aPerson(p *Programme, _ *Account, o Object, _ time.Time) (why, hint string) {
	if p.Accounts[AccountID(o.ID)].Roles.Has(Sealer) {
		return "nobody signs in as the sealer", "name a person's account"
	}
	return "", ""
}

func settled(_ *Programme, a *Account, _ Object, now time.Time) (why, hint string) {
	if until := a.UnsettledUntil(); now.Before(until) {
		return "access to this account was recovered less than a day ago", "wait until " + until.UTC().Format(time.RFC3339) + ", or use another account of the member"
	}
	return "", ""
}

// vouches is whoever can say of a recovery that it was the account's person: not
// who began it, nor who would be let in by it.
func vouches(p *Programme, a *Account, o Object, _ time.Time) (why, hint string) {
	b := p.Accounts[AccountID(o.ID)]
	if b.ID == a.ID {
		return "nobody vouches for themselves", "ask another coordinator, who did not make the invitation"
	}
	if x := b.recovered(); x != nil && b.invitationOf(x).By == a.ID {
		return "you made the invitation that it was recovered with", "another coordinator speaks to its person, by another way, and lifts the wait"
	}
	return "", ""
}

func notSealer(p *Programme, a *Account, o Object, _ time.Time) (why, hint string) {
	b := p.Accounts[AccountID(o.ID)]
	if b.Roles.Has(Sealer) {
		return "the sealer's account belongs to the programme", "close the programme instead"
	}
	if b.Roles.Has(Coordinator) && p.coordinators() == 1 {
		return "it is the last coordinator's", "add another coordinator first"
	}
	return "", ""
}

func (p *Programme) coordinators() (n int) {
	for _, a := range p.Accounts {
		if a.Closed == nil && a.Roles.Has(Coordinator) {
			n++
		}
	}
	return n
}
