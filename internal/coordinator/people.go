package coordinator

import (
	"context"
	"crypto/sha256"
	"errors"
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
	if err := errors.Join(checkName("the programme's name", name), checkHandle(who.Handle), checkName("the coordinator's name", who.Name)); err != nil {
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
// What else is to be done in the same stroke is done with it or not at all.
func (d *Desk) AcceptTerms(ctx context.Context, by cvd.Actor, also ...cvd.Command) ([]byte, error) {
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
	_, err = d.Do(ctx, by, append([]cvd.Command{cvd.AcceptTerms{Member: member, Terms: newest.ID, Digest: newest.Digest}}, also...)...)
	return text, plain(err)
}

// AddAccount adds a login. Handles are unique, so that --as finds one person.
func (d *Desk) AddAccount(ctx context.Context, by cvd.Actor, m cvd.MemberID, roles cvd.Roles, who Person) (cvd.AccountID, error) {
	add, err := d.account(m, roles, who)
	if err != nil {
		return add.Account, err
	}
	free := func(p *cvd.Programme) error {
		handles, _ := d.inUse.now(ctx, d, p)
		return handles.take(who.Handle)
	}
	err = d.View(func(p *cvd.Programme) error {
		if err := free(p); err != nil {
			return err
		}
		_, err := p.Decide(add, by, d.at(p)) // before anything is written
		return err
	})
	if err != nil {
		return add.Account, err
	}
	if add.Person, err = d.PutText(ctx, PersonKey(add.Account), who); err != nil {
		return add.Account, err
	}
	return add.Account, d.doWhile(ctx, by, free, add)
}

// SetMail says where an account's notices go from now on; empty: nowhere.
func (d *Desk) SetMail(ctx context.Context, by cvd.Actor, id cvd.AccountID, mail string) error {
	if mail != "" {
		if err := checkName("the address", mail); err != nil {
			return err
		}
		if !strings.Contains(mail, "@") {
			return fmt.Errorf("%w: %q is not a mail address", cvd.ErrRefused, mail)
		}
	}
	return d.changePerson(ctx, by, id, func(who *Person) { who.Mail = mail })
}

// SetName says what an account's person is called from now on. The handle stays.
func (d *Desk) SetName(ctx context.Context, by cvd.Actor, id cvd.AccountID, name string) error {
	if err := checkName("the name", name); err != nil {
		return err
	}
	return d.changePerson(ctx, by, id, func(who *Person) { who.Name = name })
}

// errChangedSince: what a change began with is not what there is any more.
var errChangedSince = errors.New("it was changed meanwhile")

// changePerson changes a part of what there is, and the rest stays: another may change
// another part meanwhile.
func (d *Desk) changePerson(ctx context.Context, by cvd.Actor, id cvd.AccountID, change func(*Person)) error {
	for {
		var text cvd.BlobRef
		if err := d.View(func(p *cvd.Programme) error {
			if err := p.May(by, cvd.ActChangePerson, cvd.AnAccount(id), d.at(p)); err != nil {
				return err
			}
			text = p.Accounts[id].Person
			return nil
		}); err != nil {
			return err
		}
		var who Person
		if err := d.Text(ctx, PersonKey(id), text, &who); err != nil {
			return err
		}
		was := who
		if change(&who); who == was {
			return nil
		}
		q := cvd.ChangePerson{Account: id}
		var err error
		if q.Person, err = d.PutText(ctx, PersonKey(id), who); err != nil {
			return err
		}
		if err = d.doWhile(ctx, by, func(p *cvd.Programme) error {
			if p.Accounts[id].Person != text {
				return errChangedSince
			}
			return nil
		}, q); !errors.Is(err, errChangedSince) {
			return err
		}
	}
}

// Unaddressed is the handles of staff whom no mail reaches, those on duty first.
func (d *Desk) Unaddressed(ctx context.Context, by cvd.Actor) (duty, others []string, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		on := p.OnDuty(d.at(p))
		for _, id := range p.AccountOrder {
			a := p.Accounts[id]
			if a.Closed != nil || !a.Member.IsZero() || id == p.Sealer {
				continue
			}
			switch who := d.person(ctx, p, id); {
			case who.Mail != "":
			case slices.Contains(on, id):
				duty = append(duty, who.Handle)
			case a.Roles&^cvd.RoleSet(cvd.Finder, cvd.Auditor) != 0:
				others = append(others, who.Handle)
			}
		}
		return nil
	})
	return duty, others, err
}

// account is the command for a login, without its text.
func (d *Desk) account(m cvd.MemberID, roles cvd.Roles, who Person) (c cvd.AddAccount, err error) {
	if c.Account, err = NewID[cvd.AccountID](d); err != nil {
		return c, err
	}
	c.Member, c.Roles = m, roles
	return c, errors.Join(checkHandle(who.Handle), checkName("the name", who.Name))
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

// Admitted is a member, and its first account if it has one.
type Admitted struct {
	Member  cvd.MemberID  `json:"member"`
	Account cvd.AccountID `json:"account,omitzero"`
}

// AdmissionError says which of several admissions is refused: the one with that
// index, from 0. None was made then.
type AdmissionError struct {
	Index int
	Err   error
}

func (e *AdmissionError) Error() string { return e.Err.Error() }

// Unwrap is the refusal.
func (e *AdmissionError) Unwrap() error { return e.Err }

// Admit makes a member, and its first account with both of a member's roles.
func (d *Desk) Admit(ctx context.Context, by cvd.Actor, a Admission) (cvd.MemberID, cvd.AccountID, error) {
	out, err := d.AdmitAll(ctx, by, []Admission{a}, nil)
	if err != nil {
		return cvd.MemberID{}, cvd.AccountID{}, err
	}
	return out[0].Member, out[0].Account, nil
}

// AdmitAll makes members, all or none of them. Its errors are *AdmissionError
// where one of them is at fault.
func (d *Desk) AdmitAll(ctx context.Context, by cvd.Actor, all []Admission, progress func(done, all int)) ([]Admitted, error) {
	out := make([]Admitted, len(all))
	var commands []cvd.Command
	var whose []int // the admission that each command is for
	add := func(i int, c cvd.Command) { commands, whose = append(commands, c), append(whose, i) }
	if err := d.checkAdmissions(ctx, by, all); err != nil {
		return nil, err
	}
	for i, a := range all {
		admit, err := d.admission(a)
		if err != nil {
			return nil, &AdmissionError{i, err}
		}
		if admit.Name, err = d.stageText(ctx, MemberKey(admit.Member), Named{a.Name}); err != nil {
			return nil, err
		}
		add(i, admit)
		out[i].Member = admit.Member
		if a.Contact != "" {
			login, err := d.account(admit.Member, cvd.RoleSet(cvd.MemberAdmin, cvd.MemberContact), a.contact())
			if err != nil {
				return nil, &AdmissionError{i, err}
			}
			if login.Person, err = d.stageText(ctx, PersonKey(login.Account), a.contact()); err != nil {
				return nil, err
			}
			add(i, login)
			out[i].Account = login.Account
		}
		if progress != nil {
			progress(i+1, len(all))
		}
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return nil, err
	}
	if err := d.doWhile(ctx, by, func(p *cvd.Programme) error { return d.namesFree(ctx, p, all) }, commands...); err != nil {
		var one *cvd.InBatch
		if errors.As(err, &one) {
			return nil, &AdmissionError{whose[one.Index], one.Err}
		}
		return nil, err
	}
	return out, nil
}

// checkAdmissions refuses, before anything is written, what would be refused.
func (d *Desk) checkAdmissions(ctx context.Context, by cvd.Actor, all []Admission) error {
	return d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActAdmitMember, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		handles, members := d.inUse.now(ctx, d, p)
		for i, a := range all {
			if err := d.checkAdmission(p, by, a, handles, members); err != nil {
				return &AdmissionError{i, err}
			}
		}
		return nil
	})
}

// namesFree refuses admissions whose names are taken.
func (d *Desk) namesFree(ctx context.Context, p *cvd.Programme, all []Admission) error {
	handles, members := d.inUse.now(ctx, d, p)
	for i, a := range all {
		err := members.take(a.Name)
		if err == nil && a.Contact != "" {
			err = handles.take(a.Contact)
		}
		if err != nil {
			return &AdmissionError{i, err}
		}
	}
	return nil
}

// checkAdmission refuses an admission that would be refused, and else takes its
// names, so that the next can't have them.
func (d *Desk) checkAdmission(p *cvd.Programme, by cvd.Actor, a Admission, handles, members taken) error {
	c, err := d.admission(a)
	if err == nil {
		_, err = p.Decide(c, by, d.at(p))
	}
	if err == nil {
		err = members.take(a.Name)
	}
	if err == nil && a.Contact != "" {
		if err = handles.take(a.Contact); err == nil {
			_, err = d.account(c.Member, cvd.Roles(0), a.contact())
		}
	}
	return err
}

// admission is the command that admits, without its text.
func (d *Desk) admission(a Admission) (c cvd.AdmitMember, err error) {
	if c.Member, err = NewID[cvd.MemberID](d); err != nil {
		return c, err
	}
	if a.Contact == "" && a.ContactName+a.ContactMail != "" {
		return c, fmt.Errorf("%w: the contact has a name or an address, and no handle: give it one, by which it is known here", cvd.ErrRefused)
	}
	c.Tier, c.Protects = a.Tier, a.Protects
	for _, s := range a.Jurisdictions {
		s = strings.ToUpper(s)
		if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
			return c, fmt.Errorf("%w: %q is not a jurisdiction: use two letters of ISO 3166, or EU", cvd.ErrRefused, s)
		}
		c.Jurisdictions = append(c.Jurisdictions, cvd.Jurisdiction{s[0], s[1]})
	}
	slices.SortFunc(c.Jurisdictions, func(a, b cvd.Jurisdiction) int { return strings.Compare(a.String(), b.String()) })
	c.Jurisdictions = slices.Compact(c.Jurisdictions)
	return c, checkName("the member's name", a.Name)
}

// contact is the person behind a member's first account.
func (a Admission) contact() Person {
	who := Person{Handle: a.Contact, Name: a.ContactName, Mail: a.ContactMail}
	if who.Name == "" {
		who.Name = a.Contact + " of " + a.Name
	}
	return who
}

// Reason keeps a text for a decision; no text is no blob.
func (d *Desk) Reason(ctx context.Context, key, text string) (cvd.BlobRef, error) {
	if text == "" {
		return cvd.BlobRef{}, nil
	}
	return d.PutText(ctx, key, Reason{text})
}
