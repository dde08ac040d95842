package cvd

import (
	"fmt"
	"strings"
	"time"

	"forewarn/internal/entrylog"
)

// Denied says what isn't allowed, why, and what would help. Whoever may not know
// of an object is told the same, word for word, whether it exists or not.
type Denied struct {
	Action Action
	Why    string
	Hint   string
}

// Error is one line.
func (d *Denied) Error() string {
	return fmt.Sprintf("not allowed: %s: %s; %s", d.Action, d.Why, d.Hint)
}

// Is makes errors.Is(err, ErrDenied) hold.
func (d *Denied) Is(target error) bool { return target == ErrDenied }

// grant is one line of the policy: these roles may do it to such an object, in
// these of its states, when the relation holds.
type grant struct {
	on    ObjectKind
	roles Roles
	when  *relation // nil: no relation is needed
	in    states
}

// rule is everything about one action. Its zero value allows nothing.
type rule struct {
	grants []grant
	bars   []bar // each may say why not, to somebody who may know
	fresh  bool  // needs a person who proved themselves again, just now
}

// bar is a last condition, checked when everything else allows. It returns why
// not and a hint, or nothing.
type bar func(p *Programme, a *Account, o Object, now time.Time) (why, hint string)

// Words that must not depend on what exists.
const (
	whyWho     = "this account is not known, is closed, or its member is not in good standing"
	hintWho    = "ask a coordinator of the programme"
	whyNothing = "there is nothing by that name that you may do this to"
	hintWhat   = "check the name, or ask the case's coordinator"
)

// May is the only policy: nil when who may do a to o at that time, and else a
// *Denied. What the table (rules) doesn't allow is denied.
func (p *Programme) May(who Actor, a Action, o Object, now time.Time) error {
	deny := func(why, hint string) error { return &Denied{a, why, hint} }
	if a == NoAction || a >= actEnd || o.Kind == NoObject || o.Kind >= objectEnd || who.Account.IsZero() || who.Auth > entrylog.AuthSystem {
		return deny(whyWho, hintWho)
	}
	if p.Founded.IsZero() {
		if a == ActFound && o == TheProgramme() {
			return nil
		}
		return deny("there is no programme yet", "found one first")
	}
	acc := p.Accounts[who.Account]
	if acc == nil || !p.active(acc) || !suits(acc, who.Auth) {
		return deny(whyWho, hintWho)
	}
	r := &rules[a]
	exists := objects[o.Kind].state(p, o, now)
	roles := acc.Roles
	if exists != 0 {
		roles |= p.lent(acc, objects[o.Kind].of(p, o), now)
	} else {
		roles |= p.lent(acc, CaseID{}, now)
	}
	// The first three questions are asked of all grants before the next one, so
	// that what is answered doesn't tell which grant came closest.
	var wanted Roles
	var role, related bool
	var in states
	for i := range r.grants {
		g := &r.grants[i]
		wanted |= g.roles
		if g.roles&roles == 0 {
			continue
		}
		role = true
		if g.on == o.Kind && exists != 0 && (g.when == nil || g.when.holds(p, acc, o, now)) {
			related = true
			in |= g.in
		}
	}
	switch {
	case len(r.grants) == 0:
		return deny(whyNothing, hintWhat)
	case !role:
		return deny("it takes the role "+orList(wanted), "ask somebody who has it")
	case !related:
		return deny(whyNothing, hintWhat)
	case in&exists == 0:
		return deny(o.Kind.refusal(exists, in))
	}
	for _, b := range r.bars {
		if why, hint := b(p, acc, o, now); why != "" {
			return deny(why, hint)
		}
	}
	if r.fresh && who.Auth == entrylog.AuthSession {
		return deny("it takes proof of who you are, just now", "sign in again for this, then repeat it")
	}
	return nil
}

func orList(s Roles) string { return strings.ReplaceAll(s.String(), ", ", " or ") }

// suits reports whether an account can be known in such a way. The programme
// itself acts only as the sealer, and nobody signs in as the sealer.
func suits(a *Account, auth entrylog.Auth) bool {
	if a.Roles.Has(Sealer) {
		return auth == entrylog.AuthSystem || auth == entrylog.AuthNone
	}
	return auth != entrylog.AuthSystem
}

// active reports whether an account can do anything at all.
func (p *Programme) active(a *Account) bool {
	if a.Closed != nil {
		return false
	}
	if a.Member.IsZero() {
		return true
	}
	m := p.Members[a.Member]
	return m != nil && m.Standing == Good
}

// lent is the roles that others lent an account for a case, at a time. A
// delegation is worth what its giver still has.
func (p *Programme) lent(a *Account, c CaseID, now time.Time) (s Roles) {
	for _, id := range p.DelegationOrder {
		if d := p.Delegations[id]; d.To == a.ID && p.lends(d, c, now) {
			s |= RoleSet(d.Role)
		}
	}
	return s
}

func (p *Programme) lends(d *Delegation, c CaseID, now time.Time) bool {
	from := p.Accounts[d.From]
	return d.Revoked == nil && !now.Before(d.Starts) && now.Before(d.Ends) &&
		(d.Case.IsZero() || d.Case == c) &&
		from != nil && p.active(from) && from.Roles.Has(d.Role)
}

// lenderFor is who lent an account the approver's role for a wave, leaving out
// lenders who drafted it; zero when it has the role itself or nobody did.
func (p *Programme) lenderFor(a *Account, w *Wave, now time.Time) (lender AccountID, ok bool) {
	if a.Roles.Has(Approver) {
		return AccountID{}, true
	}
	for _, id := range p.DelegationOrder {
		d := p.Delegations[id]
		if d.To == a.ID && d.Role == Approver && p.lends(d, w.Case, now) && !w.draftedBy(d.From) {
			return d.From, true
		}
	}
	return AccountID{}, false
}

func (w *Wave) draftedBy(a AccountID) bool {
	for _, d := range w.Drafters {
		if d == a {
			return true
		}
	}
	return false
}
