package cvd

import (
	"slices"
	"strings"
	"time"

	"forewarn/internal/wire"
)

// yes is a decision to write these.
func yes(facts ...fact) ([]fact, error) { return facts, nil }

// newHolder says that an id may name a new thing: it is not zero and names nothing
// that could be taken for it.
func (p *Programme) newHolder(id [16]byte, what string) error {
	switch {
	case id == [16]byte{}:
		return refuse("the new %s has no id", what)
	case p.holderExists(id):
		return refuse("the id %s is taken: an id names one account or one member", wire.ID[Holder](id))
	}
	return nil
}

func unused[T any](m map[wire.ID[T]]*T, id wire.ID[T], what string) error {
	switch {
	case id.IsZero():
		return refuse("the new %s has no id", what)
	case m[id] != nil:
		return refuse("there is a %s %s already", what, id)
	}
	return nil
}

func exists[T any](m map[wire.ID[T]]*T, id wire.ID[T], what string) error {
	if m[id] == nil {
		return refuse("there is no %s %s", what, id)
	}
	return nil
}

func (c FoundProgramme) asks(*Programme) (Action, Object) { return ActFound, TheProgramme() }

func (c FoundProgramme) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	switch {
	case who.Account != c.Coordinator:
		return nil, refuse("a programme is founded by its first coordinator")
	case c.Sealer.IsZero() || c.Sealer == c.Coordinator:
		return nil, refuse("the sealer needs an account of its own")
	case !c.Roles.Has(Coordinator):
		return nil, refuse("the first account's roles (%s) lack coordinator", c.Roles)
	case c.Interval == 0:
		return nil, refuse("anchors need an interval of at least a second")
	case c.Origin == "" || len(c.Origin) > maxOrigin || strings.ContainsFunc(c.Origin, func(r rune) bool { return r <= ' ' || r > '~' || r == '+' }):
		return nil, refuse("origin %q: use a host and path, such as warn.example/programme, without spaces or '+'", c.Origin)
	}
	if why := checkRoles(c.Roles, false); why != "" {
		return nil, refuse("%s", why)
	}
	b := ProgrammeFounded(c)
	return yes(&b)
}

func (c AddAccount) asks(*Programme) (Action, Object) {
	if c.Member.IsZero() {
		return ActAddAccount, TheProgramme()
	}
	return ActAddAccount, AMember(c.Member)
}

func (c AddAccount) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := p.newHolder(c.Account, "account"); err != nil {
		return nil, err
	}
	if why := checkRoles(c.Roles, !c.Member.IsZero()); why != "" {
		return nil, refuse("%s", why)
	}
	if c.Roles.Has(Sealer) {
		return nil, refuse("a programme has one sealer, from its founding")
	}
	b := AccountAdded(c)
	return yes(&b)
}

func (c CloseAccount) asks(*Programme) (Action, Object) { return ActCloseAccount, AnAccount(c.Account) }

func (c CloseAccount) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := AccountClosed(c)
	return yes(&b)
}

func (c ChangePerson) asks(*Programme) (Action, Object) { return ActChangePerson, AnAccount(c.Account) }

func (c ChangePerson) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if c.Person.IsZero() {
		return nil, refuse("an account is somebody's")
	}
	b := PersonChanged(c)
	return yes(&b)
}

func (c AdmitMember) asks(*Programme) (Action, Object) { return ActAdmitMember, TheProgramme() }

func (c AdmitMember) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := p.newHolder(c.Member, "member"); err != nil {
		return nil, err
	}
	if c.Tier == 0 {
		return nil, refuse("a member needs a tier, from 1")
	}
	for _, j := range c.Jurisdictions {
		if j[0] < 'A' || j[0] > 'Z' || j[1] < 'A' || j[1] > 'Z' {
			return nil, refuse("%q is not a jurisdiction: use two capital letters (ISO 3166-1, or EU)", j)
		}
	}
	for _, pr := range c.Protects {
		if err := exists(p.Products, pr.Product, "product"); err != nil {
			return nil, err
		}
	}
	b := MemberAdmitted(c)
	return checked(&b)
}

// checked is a decision whose body comes from outside in lists that could be
// out of order or too long: what does not encode is refused here, in words.
func checked(f fact) ([]fact, error) {
	if _, err := wire.Append(nil, f); err != nil {
		return nil, refuse("%v", err)
	}
	return yes(f)
}

func (c ChangeStanding) asks(*Programme) (Action, Object) {
	return ActChangeStanding, AMember(c.Member)
}

func (c ChangeStanding) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if from := p.Members[c.Member].Standing; !Standings.Can(from, c.Standing, "StandingChanged") {
		return nil, refuse("a member's standing can't go from %s to %s", from, c.Standing)
	}
	b := StandingChanged(c)
	return yes(&b)
}

func (c PublishTerms) asks(*Programme) (Action, Object) { return ActPublishTerms, TheProgramme() }

func (c PublishTerms) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	switch {
	case c.Terms.IsZero():
		return nil, refuse("the new terms have no id")
	case p.termsOf(c.Terms) != nil:
		return nil, refuse("there are terms %s already", c.Terms)
	case c.Digest == [32]byte{}:
		return nil, refuse("the terms' digest is missing: it is what members accept")
	}
	b := TermsPublished(c)
	b.Binds = whole(b.Binds)
	if b.Binds.Before(now) {
		b.Binds = now
	}
	return yes(&b)
}

func (c AcceptTerms) asks(*Programme) (Action, Object) { return ActAcceptTerms, AMember(c.Member) }

func (c AcceptTerms) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	t := p.termsOf(c.Terms)
	switch {
	case t == nil:
		return nil, refuse("there are no terms %s", c.Terms)
	case t.Digest != c.Digest:
		return nil, refuse("the text that was accepted is not that of terms %s: read them again", c.Terms)
	}
	for _, a := range p.Members[c.Member].Accepted {
		if a.Terms == c.Terms {
			return nil, nil
		}
	}
	b := TermsAccepted(c)
	return yes(&b)
}

func (c AddProduct) asks(*Programme) (Action, Object) {
	if c.Case.IsZero() {
		return ActAddProduct, TheProgramme()
	}
	return ActAddProduct, ACase(c.Case)
}

func (c AddProduct) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if !c.Vendor.IsZero() {
		if err := exists(p.Members, c.Vendor, "member"); err != nil {
			return nil, err
		}
	}
	known := p.Products[c.Product] != nil
	switch {
	case c.Product.IsZero():
		return nil, refuse("the new product has no id")
	case known && c.Case.IsZero():
		return nil, refuse("there is a product %s already", c.Product)
	case known && slices.Contains(p.Cases[c.Case].Products, c.Product):
		return nil, nil
	}
	b := ProductAdded(c)
	return yes(&b)
}

func (c DeclareGroup) asks(*Programme) (Action, Object) { return ActDeclareGroup, TheProgramme() }

func (c DeclareGroup) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if c.Group.IsZero() {
		return nil, refuse("the group has no id")
	}
	b := GroupDeclared(c)
	b.Members = SortIDs(append([]MemberID(nil), c.Members...))
	for _, id := range b.Members {
		if err := exists(p.Members, id, "member"); err != nil {
			return nil, err
		}
		if g := p.Members[id].Group; !g.IsZero() && g != c.Group {
			return nil, refuse("member %s is in group %s: a member has one owner; take it out there first", id, g)
		}
	}
	return checked(&b)
}

func (c AssignDuty) asks(*Programme) (Action, Object) { return ActAssignDuty, TheProgramme() }

func (c AssignDuty) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := DutyAssigned(c)
	b.Starts, b.Ends = whole(b.Starts), whole(b.Ends)
	a := p.Accounts[c.Account]
	switch {
	case c.Duty.IsZero():
		return nil, refuse("the duty has no id")
	case a == nil || !p.active(a) || a.Roles&ends == 0:
		return nil, refuse("only coordinators and approvers can be on duty: they can end an embargo")
	case c.Rank == 0:
		return nil, refuse("a duty needs a rank, from 1")
	case b.Ends.Before(b.Starts):
		return nil, refuse("the duty ends (%s) before it starts (%s)", b.Ends, b.Starts)
	}
	return yes(&b)
}

func (c Delegate) asks(*Programme) (Action, Object) { return ActDelegate, TheProgramme() }

func (c Delegate) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := DelegationGranted(c)
	b.Starts, b.Ends = whole(b.Starts), whole(b.Ends)
	to := p.Accounts[c.To]
	switch {
	case !c.By.IsZero() && c.By != who.Account:
		return nil, refuse("only the person who has a role can lend it")
	case c.Role != Approver:
		return nil, refuse("the role that can be lent is approver")
	case !p.Accounts[who.Account].Roles.Has(c.Role):
		return nil, refuse("a role that was lent can't be lent on")
	case c.To == who.Account || to == nil || !p.active(to) || to.Roles&staffRoles == 0:
		return nil, refuse("a role is lent to another account of the staff")
	case !b.Starts.Before(b.Ends) || !now.Before(b.Ends):
		return nil, refuse("the delegation runs from %s to %s: it must end after it starts, and in the future", b.Starts, b.Ends)
	}
	if !c.Case.IsZero() {
		if err := exists(p.Cases, c.Case, "case"); err != nil {
			return nil, err
		}
	}
	if err := unused(p.Delegations, c.Delegation, "delegation"); err != nil {
		return nil, err
	}
	b.By = who.Account
	return yes(&b)
}

func (c RevokeDelegation) asks(*Programme) (Action, Object) {
	return ActRevokeDelegation, ADelegation(c.Delegation)
}

func (c RevokeDelegation) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := DelegationRevoked(c)
	return yes(&b)
}

// keyedObject is the object of a key: a case, or an account or a member. It
// needs no look at the state: a person's id is asked about as both.
func keyedObject(p *Programme, scope KeyScope, id [16]byte) Object {
	switch {
	case scope == CaseKey:
		return ACase(id)
	case scope == PersonKey && p.Members[id] != nil:
		return AMember(id)
	case scope == PersonKey:
		return AnAccount(id)
	}
	return Object{}
}

func (c SetLegalHold) asks(p *Programme) (Action, Object) {
	return ActSetLegalHold, keyedObject(p, c.Scope, c.ID)
}

func (c SetLegalHold) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	hold, shredded := p.keyed(c.Scope, c.ID)
	b := LegalHoldSet(c)
	b.Review = whole(b.Review)
	switch {
	case c.On && !b.Review.After(now):
		return nil, refuse("a legal hold needs a review date in the future")
	case c.On && *shredded != nil:
		return nil, refuse("the key is destroyed already: there is nothing left to hold")
	case !c.On && *hold == nil:
		return nil, refuse("there is no legal hold to lift")
	case !c.On:
		b.Review = time.Time{}
	}
	return yes(&b)
}

func (c DestroyKey) asks(p *Programme) (Action, Object) {
	return ActDestroyKey, keyedObject(p, c.Scope, c.ID)
}

func (c DestroyKey) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if _, shredded := p.keyed(c.Scope, c.ID); *shredded != nil {
		return nil, nil
	}
	b := KeyDestroyed(c)
	return yes(&b)
}

func (c DeclareRecovery) asks(*Programme) (Action, Object) { return ActDeclareRecovery, TheProgramme() }

func (c DeclareRecovery) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := RecoveryDeclared(c)
	return yes(&b)
}

func (c NoteCommitment) asks(*Programme) (Action, Object) { return ActNoteCommitment, TheProgramme() }

func (c NoteCommitment) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if c.Commitment == [32]byte{} {
		return nil, refuse("the commitment is empty")
	}
	b := CommitmentNoted(c)
	return yes(&b)
}
