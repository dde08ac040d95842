package cvd

import (
	"errors"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// A heads-up is what a programme says to everybody of a case that is still under
// embargo: that something is coming, and when to have people ready. It is public under
// an id of its own, which says nothing of the case until that is released. What it
// says was written for it; nothing is taken from the case.
//
// It is not the level of a package that carries the same name in some programmes:
// that one goes to members.

// HeadsUpPublished publishes a heads-up, or what it says from now on.
type HeadsUpPublished struct {
	HeadsUp HeadsUpID
	Case    CaseID
	Planned ReleaseTime // when the publication is announced for
	Text    BlobRef     // all that readers are told; under the case's key
	Change  BlobRef     // what was changed, for readers; zero exactly when it is new
}

func (b *HeadsUpPublished) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 77.
func (b *HeadsUpPublished) Wire(c *wire.Coder) {
	b.HeadsUp.Wire(c)
	b.Case.Wire(c)
	b.Planned.Wire(c)
	b.Text.Wire(c)
	b.Change.Wire(c)
}

// HeadsUpWithdrawn takes a heads-up back. Its page stays and says so.
type HeadsUpWithdrawn struct {
	HeadsUp HeadsUpID
	Case    CaseID
	Reason  BlobRef // for readers; under the case's key
}

func (b *HeadsUpWithdrawn) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 78.
func (b *HeadsUpWithdrawn) Wire(c *wire.Coder) {
	b.HeadsUp.Wire(c)
	b.Case.Wire(c)
	b.Reason.Wire(c)
}

// HeadsUp is what is, or was, announced of a case.
type HeadsUp struct {
	ID        HeadsUpID
	Case      CaseID
	Said      []Announcement // as it was published, and each change; the last one counts
	Withdrawn *Note
	Reason    BlobRef
}

// Announcement is what a heads-up says from one time on.
type Announcement struct {
	Note
	Planned ReleaseTime
	Text    BlobRef
	Change  BlobRef
}

// Now is what it says.
func (h *HeadsUp) Now() Announcement { return h.Said[len(h.Said)-1] }

// The verbs.
type (
	PublishHeadsUp  HeadsUpPublished // anew, or a change of the one that is announced
	WithdrawHeadsUp HeadsUpWithdrawn
)

func (c PublishHeadsUp) asks(*Programme) (Action, Object) { return ActPublishHeadsUp, ACase(c.Case) }

func (c PublishHeadsUp) decide(p *Programme, _ Actor, now time.Time) ([]fact, error) {
	b := HeadsUpPublished(c)
	if err := checkRelease(&b.Planned, now); err != nil {
		return nil, err
	}
	h := p.HeadsUpOf(c.Case)
	switch {
	case c.Text.IsZero():
		return nil, refuse("the heads-up's text is missing")
	case h == nil && !c.Change.IsZero():
		return nil, refuse("there is no heads-up to change: it was withdrawn, or never published")
	case h == nil:
		if err := unused(p.HeadsUps, c.HeadsUp, "heads-up"); err != nil {
			return nil, err
		}
	case h.ID != c.HeadsUp:
		return nil, refuse("the case has another heads-up, of %s: change that one, or withdraw it first", h.Said[0].At.Format(time.RFC3339))
	case c.Change.IsZero():
		return nil, refuse("say what was changed: readers are told")
	}
	return checked(&b)
}

func (c WithdrawHeadsUp) asks(*Programme) (Action, Object) { return ActWithdrawHeadsUp, ACase(c.Case) }

func (c WithdrawHeadsUp) decide(p *Programme, _ Actor, _ time.Time) ([]fact, error) {
	switch h := p.HeadsUpOf(c.Case); {
	case h == nil || h.ID != c.HeadsUp:
		return nil, refuse("that is no heads-up of the case, or it was withdrawn already")
	case c.Reason.IsZero():
		return nil, refuse("say why: readers are told")
	}
	b := HeadsUpWithdrawn(c)
	return yes(&b)
}

func (b *HeadsUpPublished) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	h := p.HeadsUps[b.HeadsUp]
	if h == nil {
		h = &HeadsUp{ID: b.HeadsUp, Case: b.Case}
		if err := add(p, "heads-up", p.HeadsUps, &p.HeadsUpOrder, b.HeadsUp, h); err != nil {
			return err
		}
		push(p, &c.HeadsUps, b.HeadsUp)
	} else if h.Case != b.Case || h.Withdrawn != nil {
		return errHeadsUp
	}
	push(p, &h.Said, Announcement{n, b.Planned, b.Text, b.Change})
	return nil
}

func (b *HeadsUpWithdrawn) apply(p *Programme, n Note) error {
	h, err := find("heads-up", p.HeadsUps, b.HeadsUp)
	if err != nil {
		return err
	}
	if h.Case != b.Case || h.Withdrawn != nil {
		return errHeadsUp
	}
	set(p, &h.Withdrawn, &n)
	set(p, &h.Reason, b.Reason)
	return nil
}

var errHeadsUp = errors.New("the heads-up is of another case, or was withdrawn")

// HeadsUpOf is what a case announces: its heads-up that was not withdrawn, or nil.
func (p *Programme) HeadsUpOf(id CaseID) *HeadsUp {
	c := p.Cases[id]
	if c == nil {
		return nil
	}
	for _, x := range slices.Backward(c.HeadsUps) {
		if h := p.HeadsUps[x]; h.Withdrawn == nil {
			return h
		}
	}
	return nil
}

// HeadsUpState is how a heads-up stands.
type HeadsUpState uint8

const (
	NoHeadsUp        HeadsUpState = iota
	HeadsUpAnnounced              // its time is to come
	HeadsUpOverdue                // its time came, and nothing was published
	HeadsUpWithdrew               // taken back
	HeadsUpMet                    // the case is released
	HeadsUpGone                   // the case's key is gone, and with it what was said
)

var headsUpNames = []string{"none", "announced", "overdue", "withdrawn", "published", "gone"}

func (v HeadsUpState) String() string { return name(headsUpNames, v) }

// HeadsUpState says how a heads-up stands at a time.
func (p *Programme) HeadsUpState(id HeadsUpID, now time.Time) HeadsUpState {
	h := p.HeadsUps[id]
	if h == nil {
		return NoHeadsUp
	}
	switch c := p.Cases[h.Case]; {
	case c.Shredded != nil:
		return HeadsUpGone
	case h.Withdrawn != nil:
		return HeadsUpWithdrew
	case c.Released != nil:
		return HeadsUpMet
	case now.Before(h.Now().Planned.At):
		return HeadsUpAnnounced
	}
	return HeadsUpOverdue
}

// HeadsUps is the life of a heads-up. One whose time comes without a release is
// overdue until it is changed, withdrawn or met.
var HeadsUps = Machine[HeadsUpState]{"Heads-up", headsUpSteps()}

func headsUpSteps() (steps []Step[HeadsUpState]) {
	steps = []Step[HeadsUpState]{
		{NoHeadsUp, HeadsUpAnnounced, "HeadsUpPublished"},
		{HeadsUpAnnounced, HeadsUpOverdue, Time},
		{HeadsUpOverdue, HeadsUpAnnounced, "HeadsUpPublished"},
	}
	for _, from := range []HeadsUpState{HeadsUpAnnounced, HeadsUpOverdue} {
		steps = append(steps, Step[HeadsUpState]{from, HeadsUpWithdrew, "HeadsUpWithdrawn"}, Step[HeadsUpState]{from, HeadsUpMet, "Released"})
	}
	for from := HeadsUpAnnounced; from < HeadsUpGone; from++ {
		steps = append(steps, Step[HeadsUpState]{from, HeadsUpGone, "KeyDestroyed"})
	}
	return steps
}

// auditHeadsUps wants one heads-up of a case announced at most, and none without words.
func (p *Programme) auditHeadsUps(bad func(string, ...any)) {
	live := map[CaseID]bool{}
	for _, id := range p.HeadsUpOrder {
		h := p.HeadsUps[id]
		for i, s := range h.Said {
			if s.Text.IsZero() || s.Change.IsZero() != (i == 0) {
				bad("heads-up %s: change %d says nothing, or not what was changed", id, i)
			}
		}
		if h.Withdrawn == nil {
			if live[h.Case] {
				bad("case %s: more than one heads-up is announced", h.Case)
			}
			live[h.Case] = true
		}
	}
}
