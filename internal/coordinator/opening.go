package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"forewarn/internal/cvd"
)

// Opening is a case to be.
type Opening struct {
	Title    string
	Report   []byte    // what the reporter sent; may be empty
	Reported time.Time // zero: now
	Finder   cvd.AccountID
	Products []cvd.ProductID // that the programme has
	Named    []string        // further products; one that has this name already is taken
	Release  cvd.ReleaseTime // of an embargo that binds at once; zero: none yet
	Invite   []cvd.MemberID
}

// OpenCase opens a case with all that is said of it, or not at all.
func (d *Desk) OpenCase(ctx context.Context, by cvd.Actor, o Opening) (cvd.CaseID, error) {
	id, err := NewID[cvd.CaseID](d)
	if err != nil {
		return id, err
	}
	if err := checkName("the case's title", o.Title); err != nil {
		return id, err
	}
	open := cvd.OpenCase{Case: id, Reported: o.Reported, Finder: o.Finder, Products: cvd.SortIDs(o.Products)}
	rest := d.openingTerms(id, o)
	// Before anything is written.
	if err := d.View(func(p *cvd.Programme) error {
		_, err := p.Decide(open, by, d.at(p))
		return err
	}); err != nil {
		return id, err
	}
	if open.Title, err = d.stageText(ctx, CaseKey(id), Title{o.Title}); err != nil {
		return id, err
	}
	if len(o.Report) > 0 {
		if open.Report, err = d.stageBlob(ctx, CaseKey(id), o.Report); err != nil {
			return id, err
		}
	}
	commands := []cvd.Command{open}
	for _, name := range o.Named {
		add, err := d.product(ctx, id, name)
		if err != nil {
			return id, err
		}
		commands = append(commands, add)
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return id, err
	}
	_, err = d.Do(ctx, by, append(commands, rest...)...)
	return id, plain(err)
}

// openingTerms are the commands that make a new case's embargo bind and invite
// to it.
func (d *Desk) openingTerms(id cvd.CaseID, o Opening) (out []cvd.Command) {
	if !o.Release.At.IsZero() {
		out = append(out, cvd.ProposeEmbargo{Case: id, Release: o.Release}, cvd.AgreeEmbargo{Case: id, Number: 1})
	}
	if len(o.Invite) > 0 {
		out = append(out, cvd.Invite{Case: id, Role: cvd.AsProtector, Members: o.Invite})
	}
	return out
}

// plain is the refusal of one command of several, for people who gave one.
func plain(err error) error {
	var one *cvd.InBatch
	if errors.As(err, &one) {
		return one.Err
	}
	return err
}

// AddProduct names a product, affected in a case.
func (d *Desk) AddProduct(ctx context.Context, by cvd.Actor, cs cvd.CaseID, name string) (cvd.ProductID, error) {
	add, err := d.product(ctx, cs, name)
	if err != nil {
		return add.Product, err
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return add.Product, err
	}
	_, err = d.Do(ctx, by, add)
	return add.Product, err
}

// product is the command that adds a product to a case: the one that has the
// name already, or a new one, whose name is durable after Blobs.Sync.
func (d *Desk) product(ctx context.Context, cs cvd.CaseID, name string) (c cvd.AddProduct, err error) {
	c.Case = cs
	if err := checkName("the product's name", name); err != nil {
		return c, err
	}
	if err := d.View(func(p *cvd.Programme) error {
		for _, id := range p.ProductOrder {
			if x := p.Products[id]; strings.EqualFold(d.named(ctx, ProgrammeKey, x.Name), name) {
				c.Product, c.Name, c.Vendor = id, x.Name, x.Vendor
			}
		}
		return nil
	}); err != nil || !c.Product.IsZero() {
		return c, err
	}
	if c.Product, err = NewID[cvd.ProductID](d); err != nil {
		return c, err
	}
	c.Name, err = d.stageText(ctx, ProgrammeKey, Named{name})
	return c, err
}

// SetEmbargo proposes an embargo and agrees it at once, or does neither: the
// usual way when the vendor's own coordinator sets the date. It returns the
// embargo's number.
func (d *Desk) SetEmbargo(ctx context.Context, by cvd.Actor, cs cvd.CaseID, release cvd.ReleaseTime) (number uint32, err error) {
	return d.Propose(ctx, by, cvd.ProposeEmbargo{Case: cs, Release: release}, true)
}

// Invite invites those members to a case who aren't in it yet, and names the
// others.
func (d *Desk) Invite(ctx context.Context, by cvd.Actor, cs cvd.CaseID, members []cvd.MemberID, until time.Time) (invited int, in []LeftOut, err error) {
	q := cvd.Invite{Case: cs, Role: cvd.AsProtector, Until: until}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActInvite, cvd.ACase(cs), d.at(p)); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		for _, m := range members {
			if s := p.ConsentOf(cs, m, d.at(p)); s == cvd.Signatory {
				in = append(in, LeftOut{cvd.HolderID(m), n.Member(m), "is " + s.String() + " already"})
				continue
			}
			q.Members = append(q.Members, m)
		}
		return nil
	})
	if err != nil || len(q.Members) == 0 && len(in) > 0 {
		return 0, in, err
	}
	_, err = d.Do(ctx, by, q)
	return len(q.Members), in, err
}

// Consent is the actor's member's word on a case's embargo as it binds now.
func (d *Desk) Consent(ctx context.Context, by cvd.Actor, cs cvd.CaseID, yes bool) error {
	say := cvd.GiveConsent{Case: cs, Consent: cvd.Declined}
	if yes {
		say.Consent = cvd.Signatory
	}
	err := d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok || acc.Member.IsZero() {
			return fmt.Errorf("%w: only a member's account consents", cvd.ErrRefused)
		}
		say.Member = acc.Member
		if c, ok := p.Cases[cs]; ok && c.Embargo != nil {
			say.Embargo = c.Embargo.Number
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = d.Do(ctx, by, say)
	return err
}

// Propose proposes an embargo for a case, or a change of the one that binds, and
// agrees it at once where that is asked, or does neither. It returns the
// proposal's number.
func (d *Desk) Propose(ctx context.Context, by cvd.Actor, propose cvd.ProposeEmbargo, agree bool) (number uint32, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if _, err := p.Decide(propose, by, d.at(p)); err != nil {
			return err
		}
		number = uint32(len(p.Cases[propose.Case].Proposals)) + 1
		return nil
	})
	if err != nil {
		return 0, err
	}
	all := []cvd.Command{propose}
	if agree {
		all = append(all, cvd.AgreeEmbargo{Case: propose.Case, Number: number})
	}
	_, err = d.Do(ctx, by, all...)
	return number, plain(err)
}

// ReporterSent is what a case's reporter sent; nothing if that was nothing.
func (d *Desk) ReporterSent(ctx context.Context, by cvd.Actor, id cvd.CaseID) ([]byte, error) {
	var ref cvd.BlobRef
	err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActReadReport, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		ref = p.Cases[id].Report
		return nil
	})
	if err != nil || ref.IsZero() {
		return nil, err
	}
	return d.blob(ctx, CaseKey(id), ref)
}
