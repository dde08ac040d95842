package cvd

import (
	"fmt"
	"slices"
	"time"
)

func (b *ProgrammeFounded) apply(p *Programme, n Note) error {
	if b.Coordinator.IsZero() || b.Sealer.IsZero() || b.Coordinator == b.Sealer {
		return fmt.Errorf("a programme begins with two accounts")
	}
	if b.Interval == 0 {
		return fmt.Errorf("anchors need an interval")
	}
	set(p, &p.Origin, b.Origin)
	set(p, &p.Name, b.Name)
	set(p, &p.Interval, time.Duration(b.Interval)*time.Second)
	set(p, &p.Founded, n.At)
	set(p, &p.Sealer, b.Sealer)
	for _, a := range []*Account{
		{ID: b.Coordinator, Roles: b.Roles, Person: b.Person, Added: n},
		{ID: b.Sealer, Roles: RoleSet(Sealer), Added: n},
	} {
		if err := add(p, "account", p.Accounts, &p.AccountOrder, a.ID, a); err != nil {
			return err
		}
	}
	return nil
}

func (b *AccountAdded) apply(p *Programme, n Note) error {
	var m *Member
	if !b.Member.IsZero() {
		var err error
		if m, err = find("member", p.Members, b.Member); err != nil {
			return err
		}
	}
	a := &Account{ID: b.Account, Member: b.Member, Roles: b.Roles, Person: b.Person, Added: n}
	if err := add(p, "account", p.Accounts, &p.AccountOrder, b.Account, a); err != nil {
		return err
	}
	if m != nil {
		push(p, &m.Accounts, b.Account)
	}
	return nil
}

func (b *AccountClosed) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	if a.Closed != nil {
		return fmt.Errorf("account %s is closed already", b.Account)
	}
	set(p, &a.Closed, &n)
	return nil
}

func (b *PersonChanged) apply(p *Programme, _ Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	set(p, &a.Person, b.Person)
	return nil
}

func (b *MemberAdmitted) apply(p *Programme, n Note) error {
	return add(p, "member", p.Members, &p.MemberOrder, b.Member, &Member{
		ID: b.Member, Name: b.Name, Tier: b.Tier, Jurisdictions: b.Jurisdictions, Protects: b.Protects,
		Admitted: n, Standing: Good,
	})
}

func (b *StandingChanged) apply(p *Programme, n Note) error {
	m, err := find("member", p.Members, b.Member)
	if err != nil {
		return err
	}
	set(p, &m.Standing, b.Standing)
	push(p, &m.Standings, StandingNote{n, b.Standing, b.Reason})
	return nil
}

func (b *TermsPublished) apply(p *Programme, n Note) error {
	if p.termsOf(b.Terms) != nil {
		return fmt.Errorf("terms %s exist already", b.Terms)
	}
	push(p, &p.Terms, &Terms{n, b.Terms, uint32(len(p.Terms) + 1), b.Text, b.Digest, b.Binds})
	return nil
}

func (p *Programme) termsOf(id TermsID) *Terms {
	for _, t := range p.Terms {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (b *TermsAccepted) apply(p *Programme, n Note) error {
	m, err := find("member", p.Members, b.Member)
	if err != nil {
		return err
	}
	t := p.termsOf(b.Terms)
	if t == nil {
		return fmt.Errorf("there are no terms %s", b.Terms)
	}
	push(p, &m.Accepted, Acceptance{n, t.ID, t.Number})
	return nil
}

func (p *Programme) holderExists(h HolderID) bool {
	return p.Members[MemberID(h)] != nil || p.Accounts[AccountID(h)] != nil
}

func (b *KeysEnrolled) apply(p *Programme, n Note) error {
	if !p.holderExists(b.Holder) {
		return fmt.Errorf("there is no holder %s", b.Holder)
	}
	sets := slices.Clone(p.Keys[b.Holder])
	if last := len(sets) - 1; last >= 0 && sets[last].Ended == nil {
		sets[last].Ended = &n
	}
	put(p, p.Keys, b.Holder, append(sets, KeySet{Note: n, Recipients: b.Recipients, Signing: b.Signing}))
	for _, line := range b.Recipients {
		put(p, p.keyOwner, line, b.Holder)
	}
	put(p, p.keyOwner, string(b.Signing[:]), b.Holder)
	return nil
}

func (b *KeysRevoked) apply(p *Programme, n Note) error {
	sets := slices.Clone(p.Keys[b.Holder])
	last := len(sets) - 1
	if last < 0 || sets[last].Ended != nil || sets[last].Signing != b.Signing {
		return fmt.Errorf("these are not the keys in use of holder %s", b.Holder)
	}
	sets[last].Ended, sets[last].Revoked = &n, true
	put(p, p.Keys, b.Holder, sets)
	return nil
}

func (b *ProductAdded) apply(p *Programme, n Note) error {
	var c *Case
	if !b.Case.IsZero() {
		var err error
		if c, err = find("case", p.Cases, b.Case); err != nil {
			return err
		}
	}
	if p.Products[b.Product] == nil {
		if err := add(p, "product", p.Products, &p.ProductOrder, b.Product, &Product{n, b.Product, b.Vendor, b.Name}); err != nil {
			return err
		}
	} else if c == nil || slices.Contains(c.Products, b.Product) {
		return fmt.Errorf("product %s exists already", b.Product)
	}
	if c != nil {
		push(p, &c.Products, b.Product)
	}
	return nil
}

func (b *GroupDeclared) apply(p *Programme, n Note) error {
	members := make([]*Member, len(b.Members))
	for i, id := range b.Members {
		m, err := find("member", p.Members, id)
		if err != nil {
			return err
		}
		if !m.Group.IsZero() && m.Group != b.Group {
			return fmt.Errorf("member %s is in another group", id)
		}
		members[i] = m
	}
	if g := p.Groups[b.Group]; g == nil {
		if err := add(p, "group", p.Groups, &p.GroupOrder, b.Group, &Group{n, b.Group, b.Members}); err != nil {
			return err
		}
	} else {
		for _, id := range g.Members {
			set(p, &p.Members[id].Group, GroupID{})
		}
		put(p, p.Groups, b.Group, &Group{n, b.Group, b.Members})
	}
	for _, m := range members {
		set(p, &m.Group, b.Group)
	}
	return nil
}

func (b *DutyAssigned) apply(p *Programme, n Note) error {
	if _, err := find("account", p.Accounts, b.Account); err != nil {
		return err
	}
	d := &Duty{n, b.Duty, b.Account, b.Rank, b.Starts, b.Ends}
	if p.Duties[b.Duty] == nil {
		return add(p, "duty", p.Duties, &p.DutyOrder, b.Duty, d)
	}
	put(p, p.Duties, b.Duty, d)
	return nil
}

func (b *DelegationGranted) apply(p *Programme, n Note) error {
	for _, id := range []AccountID{b.By, b.To} {
		if _, err := find("account", p.Accounts, id); err != nil {
			return err
		}
	}
	return add(p, "delegation", p.Delegations, &p.DelegationOrder, b.Delegation,
		&Delegation{n, b.Delegation, b.By, b.To, b.Role, b.Case, b.Starts, b.Ends, nil})
}

func (b *DelegationRevoked) apply(p *Programme, n Note) error {
	d, err := find("delegation", p.Delegations, b.Delegation)
	if err != nil {
		return err
	}
	if d.Revoked != nil {
		return fmt.Errorf("delegation %s is revoked already", b.Delegation)
	}
	set(p, &d.Revoked, &n)
	return nil
}

// keyed is a thing with a key of its own, which can be held or destroyed.
func (p *Programme) keyed(scope KeyScope, id [16]byte) (hold **LegalHold, shredded **Note) {
	if scope == CaseKey {
		if c := p.Cases[CaseID(id)]; c != nil {
			return &c.LegalHold, &c.Shredded
		}
		return nil, nil
	}
	if scope == PersonKey {
		if a := p.Accounts[AccountID(id)]; a != nil {
			return &a.LegalHold, &a.Shredded
		}
		if m := p.Members[MemberID(id)]; m != nil {
			return &m.LegalHold, &m.Shredded
		}
	}
	return nil, nil
}

func (b *LegalHoldSet) apply(p *Programme, n Note) error {
	hold, _ := p.keyed(b.Scope, b.ID)
	if hold == nil {
		return fmt.Errorf("there is no %s %s with a key", b.Scope, b.ID)
	}
	if !b.On {
		set(p, hold, nil)
		return nil
	}
	set(p, hold, &LegalHold{n, b.Review, b.Reason})
	return nil
}

func (b *KeyDestroyed) apply(p *Programme, n Note) error {
	hold, shredded := p.keyed(b.Scope, b.ID)
	switch {
	case hold == nil:
		return fmt.Errorf("there is no %s %s with a key", b.Scope, b.ID)
	case *hold != nil:
		return fmt.Errorf("the key of %s %s is under a legal hold", b.Scope, b.ID)
	case *shredded != nil:
		return fmt.Errorf("the key of %s %s is destroyed already", b.Scope, b.ID)
	}
	set(p, shredded, &n)
	return nil
}

func (b *RecoveryDeclared) apply(p *Programme, n Note) error {
	push(p, &p.Recoveries, Recovery{n, b.AnchorSize, b.AnchorRoot, b.Reason})
	return nil
}

func (b *CommitmentNoted) apply(p *Programme, n Note) error {
	push(p, &p.Commitments, Commitment{n, b.Commitment})
	return nil
}
