package cvd

import "time"

// states is a set of the states that objects of one kind can be in, bit s for
// state s.
type states uint16

// The states of objects that have no machine of their own.
const (
	present states = 1 << 0 // of what is always the same: programme, holder

	openAccount   states = 1 << 0
	closedAccount states = 1 << 1

	current  states = 1 << 0 // revisions
	recalled states = 1 << 1

	inForce states = 1 << 0 // delegations
	past    states = 1 << 1

	waitingReport states = 1 << 0
	settledReport states = 1 << 1
)

// Phase is how far a case is, as the policy sees it.
type Phase uint8

const (
	NoPhase        Phase = iota
	PhaseEarly           // no embargo binds yet
	PhaseEmbargoed       // one binds
	PhaseLifted          // it is over, and nothing was published yet
	PhasePublic          // released
	PhaseShredded        // the case's key is gone: its content is noise
)

var phaseNames = []string{"none", "early", "embargoed", "lifted", "public", "shredded"}

func (v Phase) String() string { return name(phaseNames, v) }

// PhaseOf is how far a case is at a time.
func (p *Programme) PhaseOf(id CaseID, now time.Time) Phase {
	c := p.Cases[id]
	switch {
	case c == nil:
		return NoPhase
	case c.Shredded != nil:
		return PhaseShredded
	case c.Released != nil:
		return PhasePublic
	}
	switch p.EmbargoState(id, now) {
	case NoEmbargo, Proposed:
		return PhaseEarly
	case Active, Revise:
		return PhaseEmbargoed
	}
	return PhaseLifted
}

// Embargoes is how many cases are under embargo at a time.
func (p *Programme) Embargoes(now time.Time) (n int) {
	for _, id := range p.CaseOrder {
		if p.PhaseOf(id, now) == PhaseEmbargoed {
			n++
		}
	}
	return n
}

// Sets of states, for the table.
func phases(list ...Phase) (s states)         { return setOf(list) }
func standings(list ...Standing) (s states)   { return setOf(list) }
func waveStates(list ...WaveState) (s states) { return setOf(list) }

func setOf[T ~uint8](list []T) (s states) {
	for _, v := range list {
		s |= 1 << v
	}
	return s
}

var (
	anyPhase   = phases(PhaseEarly, PhaseEmbargoed, PhaseLifted, PhasePublic, PhaseShredded)
	livePhase  = phases(PhaseEarly, PhaseEmbargoed, PhaseLifted, PhasePublic)
	waveMade   = waveStates(StateDraft, StateApproved, StateSealed, StateOpen, StateHeld)
	anyWave    = waveMade | waveStates(StateCancelled, StateSuperseded)
	waveServed = waveStates(StateSealed, StateOpen, StateHeld)
	admitted   = standings(Good, Suspended, Excluded, Left)
)

// kindOfObject says of a kind of object which state one is in (as a set of one;
// empty when it doesn't exist), which case it belongs to, and what a refusal
// says of the states.
type kindOfObject struct {
	state func(p *Programme, o Object, now time.Time) states
	of    func(p *Programme, o Object) CaseID
	said  []said // by state, for refusals; none: what isn't always allowed there never is
}

func ofNoCase(*Programme, Object) CaseID { return CaseID{} }

func ofCase(_ *Programme, o Object) CaseID { return CaseID(o.ID) }

func ofWave(p *Programme, o Object) CaseID { return p.Waves[WaveID(o.ID)].Case }

func ofRevision(p *Programme, o Object) CaseID { return p.Revisions[RevisionID(o.ID)].Case }

// objects is indexed by kind. The functions of caseOf are only called for what
// exists.
var objects = [objectEnd]kindOfObject{
	OnProgramme: {func(p *Programme, o Object, _ time.Time) states {
		if o != TheProgramme() {
			return 0
		}
		return present
	}, ofNoCase, nil},
	OnAccount: {func(p *Programme, o Object, _ time.Time) states {
		a := p.Accounts[AccountID(o.ID)]
		switch {
		case a == nil:
			return 0
		case a.Closed != nil:
			return closedAccount
		}
		return openAccount
	}, ofNoCase, accountSaid},
	OnMember: {func(p *Programme, o Object, _ time.Time) states {
		m := p.Members[MemberID(o.ID)]
		if m == nil {
			return 0
		}
		return standings(m.Standing)
	}, ofNoCase, standingSaid},
	OnCase: {phaseState, ofCase, phaseSaid},
	OnPackage: {func(p *Programme, o Object, now time.Time) states {
		pk := p.Packages[PackageID(o.ID)]
		if pk == nil {
			return 0
		}
		return phases(p.PhaseOf(pk.Case, now))
	}, func(p *Programme, o Object) CaseID { return p.Packages[PackageID(o.ID)].Case }, phaseSaid},
	OnRevision: {revisionState, ofRevision, revisionSaid},
	OnWave:     {waveState, ofWave, waveSaid},
	OnCopy: {func(p *Programme, o Object, now time.Time) states {
		w := p.Waves[WaveID(o.ID)]
		if w == nil || w.place(o.Holder) < 0 {
			return 0
		}
		return waveStates(p.WaveState(w.ID, now))
	}, ofWave, waveSaid},
	OnPart: {func(p *Programme, o Object, now time.Time) states {
		if c := p.Cases[CaseID(o.ID)]; c == nil || c.Participants[MemberID(o.Holder)] == nil {
			return 0
		}
		return phaseState(p, o, now)
	}, ofCase, phaseSaid},
	OnReading: {revisionState, ofRevision, revisionSaid},
	OnHolder: {func(p *Programme, o Object, _ time.Time) states {
		if !p.holderExists(HolderID(o.ID)) {
			return 0
		}
		return present
	}, ofNoCase, nil},
	OnDelegation: {func(p *Programme, o Object, now time.Time) states {
		d := p.Delegations[DelegationID(o.ID)]
		switch {
		case d == nil:
			return 0
		case d.Revoked != nil || !now.Before(d.Ends):
			return past
		}
		return inForce
	}, ofNoCase, delegationSaid},
	OnReport: {func(p *Programme, o Object, _ time.Time) states {
		r := p.Reports[ReportID(o.ID)]
		switch {
		case r == nil:
			return 0
		case r.Settled != nil:
			return settledReport
		}
		return waitingReport
	}, ofNoCase, nil},
}

func phaseState(p *Programme, o Object, now time.Time) states {
	if ph := p.PhaseOf(CaseID(o.ID), now); ph != NoPhase {
		return phases(ph)
	}
	return 0
}

func waveState(p *Programme, o Object, now time.Time) states {
	if s := p.WaveState(WaveID(o.ID), now); s != NoWave {
		return waveStates(s)
	}
	return 0
}

func revisionState(p *Programme, o Object, _ time.Time) states {
	r := p.Revisions[RevisionID(o.ID)]
	switch {
	case r == nil:
		return 0
	case r.Recall != nil:
		return recalled
	}
	return current
}
