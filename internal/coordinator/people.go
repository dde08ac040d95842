package coordinator

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// DefaultTerms are used when a programme brings none of its own. They say what a
// member has to know before it sees content.
const DefaultTerms = `Terms of the early-warning programme

1. What you receive is under embargo until its release time or its authorised end. You use it only as the rulings of each package allow.
2. Every copy is marked individually. Wording, order and constants differ between members, without changing what anything means or matches. When material leaks, the marks say whose copy it derives from.
3. Each time one of your accounts fetches a copy, that is recorded for good. Opening it makes a receipt that your key signs.
4. You keep copies to the people who need them, and tell the programme at once when one may have gone further.
5. You tell the programme which laws oblige you to pass on what you receive, to whom, and by when.
6. The programme may stop serving you. What the log says of you stays in it; the names behind it can be made unreadable.
`

// Found starts a programme on an empty log: the first coordinator, the sealer's
// account, the terms.
func (d *Desk) Found(ctx context.Context, origin, name string, who Person, tick time.Duration, terms []byte) (cvd.AccountID, error) {
	id, err := NewID[cvd.AccountID](d)
	if err != nil {
		return id, err
	}
	seal, err := NewID[cvd.AccountID](d)
	if err != nil {
		return id, err
	}
	called, err := d.PutText(ctx, ProgrammeKey, Named{name})
	if err != nil {
		return id, err
	}
	person, err := d.PutText(ctx, PersonKey(id), who)
	if err != nil {
		return id, err
	}
	by := cvd.Actor{Account: id, Auth: entrylog.AuthNone}
	if _, err := d.Do(ctx, by, cvd.FoundProgramme{
		Origin: origin, Name: called, Interval: uint32(tick / time.Second), Coordinator: id,
		Roles: cvd.RoleSet(cvd.Coordinator, cvd.CaseWorker), Person: person, Sealer: seal,
	}); err != nil {
		return id, err
	}
	return id, d.PublishTerms(ctx, by, terms)
}

// PublishTerms makes a text the programme's terms from now on.
func (d *Desk) PublishTerms(ctx context.Context, by cvd.Actor, text []byte) error {
	id, err := NewID[cvd.TermsID](d)
	if err != nil {
		return err
	}
	ref, err := d.putBlob(ctx, ProgrammeKey, text)
	if err != nil {
		return err
	}
	_, err = d.Do(ctx, by, cvd.PublishTerms{Terms: id, Text: ref, Digest: sha256.Sum256(text), Binds: d.now()})
	return err
}

func (d *Desk) now() time.Time { return d.Clock().UTC().Truncate(time.Microsecond) }

// AcceptTerms binds the actor's member to the newest terms and gives their text.
func (d *Desk) AcceptTerms(ctx context.Context, by cvd.Actor) ([]byte, error) {
	var newest cvd.Terms
	var member cvd.MemberID
	err := d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok || acc.Member.IsZero() {
			return fmt.Errorf("%w: only a member's account accepts terms", cvd.ErrRefused)
		}
		if len(p.Terms) == 0 {
			return fmt.Errorf("%w: the programme has published no terms yet", cvd.ErrRefused)
		}
		newest, member = *p.Terms[len(p.Terms)-1], acc.Member
		return nil
	})
	if err != nil {
		return nil, err
	}
	text, err := d.blob(ctx, ProgrammeKey, newest.Text)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(text) != newest.Digest {
		return nil, fmt.Errorf("the stored terms are not those that were published; nothing was accepted")
	}
	_, err = d.Do(ctx, by, cvd.AcceptTerms{Member: member, Terms: newest.ID, Digest: newest.Digest})
	return text, err
}

// AddAccount adds a login. Handles are unique, so that --as finds one person.
func (d *Desk) AddAccount(ctx context.Context, by cvd.Actor, m cvd.MemberID, roles cvd.Roles, who Person) (cvd.AccountID, error) {
	id, err := NewID[cvd.AccountID](d)
	if err != nil {
		return id, err
	}
	if who.Handle == "" {
		return id, fmt.Errorf("%w: an account needs a handle", cvd.ErrRefused)
	}
	err = d.View(func(p *cvd.Programme) error {
		for _, other := range p.AccountOrder {
			if strings.EqualFold(d.person(ctx, p, other).Handle, who.Handle) {
				return fmt.Errorf("%w: the handle %q is taken; choose another", cvd.ErrRefused, who.Handle)
			}
		}
		return nil
	})
	if err != nil {
		return id, err
	}
	person, err := d.PutText(ctx, PersonKey(id), who)
	if err != nil {
		return id, err
	}
	_, err = d.Do(ctx, by, cvd.AddAccount{Account: id, Member: m, Roles: roles, Person: person})
	return id, err
}

// Admission is a member to be.
type Admission struct {
	Name          string
	Tier          uint8
	Jurisdictions []string
	Protects      []cvd.Protects
	Contact       string // handle of the first account; empty: none yet
	ContactName   string
	ContactMail   string
}

// Admit makes a member, and its first account with both of a member's roles.
func (d *Desk) Admit(ctx context.Context, by cvd.Actor, a Admission) (m cvd.MemberID, acc cvd.AccountID, err error) {
	if m, err = NewID[cvd.MemberID](d); err != nil {
		return m, acc, err
	}
	var where []cvd.Jurisdiction
	for _, s := range a.Jurisdictions {
		s = strings.ToUpper(s)
		if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
			return m, acc, fmt.Errorf("%w: %q is not a jurisdiction: use two letters of ISO 3166, or EU", cvd.ErrRefused, s)
		}
		where = append(where, cvd.Jurisdiction{s[0], s[1]})
	}
	slices.SortFunc(where, func(a, b cvd.Jurisdiction) int { return strings.Compare(a.String(), b.String()) })
	where = slices.Compact(where)
	name, err := d.PutText(ctx, MemberKey(m), Named{a.Name})
	if err != nil {
		return m, acc, err
	}
	if _, err := d.Do(ctx, by, cvd.AdmitMember{Member: m, Name: name, Tier: a.Tier, Jurisdictions: where, Protects: a.Protects}); err != nil {
		return m, acc, err
	}
	if a.Contact == "" {
		return m, acc, nil
	}
	who := Person{Handle: a.Contact, Name: a.ContactName, Mail: a.ContactMail}
	if who.Name == "" {
		who.Name = a.Contact + " of " + a.Name
	}
	acc, err = d.AddAccount(ctx, by, m, cvd.RoleSet(cvd.MemberAdmin, cvd.MemberContact), who)
	return m, acc, err
}

// Reason keeps a text for a decision; no text is no blob.
func (d *Desk) Reason(ctx context.Context, key, text string) (cvd.BlobRef, error) {
	if text == "" {
		return cvd.BlobRef{}, nil
	}
	return d.PutText(ctx, key, Reason{text})
}
