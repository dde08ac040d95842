package coordinator

import (
	"context"
	"fmt"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

// Opening is a case to be.
type Opening struct {
	Title    string
	Report   []byte    // what the reporter sent; may be empty
	Reported time.Time // zero: now
	Finder   cvd.AccountID
	Products []cvd.ProductID
}

// OpenCase opens a case.
func (d *Desk) OpenCase(ctx context.Context, by cvd.Actor, o Opening) (cvd.CaseID, error) {
	id, err := NewID[cvd.CaseID](d)
	if err != nil {
		return id, err
	}
	title, err := d.PutText(ctx, CaseKey(id), Title{o.Title})
	if err != nil {
		return id, err
	}
	var report cvd.BlobRef
	if len(o.Report) > 0 {
		if report, err = d.putBlob(ctx, CaseKey(id), o.Report); err != nil {
			return id, err
		}
	}
	_, err = d.Do(ctx, by, cvd.OpenCase{Case: id, Title: title, Report: report, Reported: o.Reported, Finder: o.Finder, Products: cvd.SortIDs(o.Products)})
	return id, err
}

// AddProduct names a product, affected in a case.
func (d *Desk) AddProduct(ctx context.Context, by cvd.Actor, cs cvd.CaseID, name string) (cvd.ProductID, error) {
	id, err := NewID[cvd.ProductID](d)
	if err != nil {
		return id, err
	}
	ref, err := d.PutText(ctx, ProgrammeKey, Named{name})
	if err != nil {
		return id, err
	}
	_, err = d.Do(ctx, by, cvd.AddProduct{Product: id, Case: cs, Name: ref})
	return id, err
}

// SetEmbargo proposes an embargo and, if the actor may, agrees it at once: the
// usual way when the vendor's own coordinator sets the date. It returns the
// embargo's number.
func (d *Desk) SetEmbargo(ctx context.Context, by cvd.Actor, cs cvd.CaseID, release cvd.ReleaseTime) (uint32, error) {
	if _, err := d.Do(ctx, by, cvd.ProposeEmbargo{Case: cs, Release: release}); err != nil {
		return 0, err
	}
	var number uint32
	err := d.View(func(p *cvd.Programme) error {
		c := p.Cases[cs]
		number = c.Proposals[len(c.Proposals)-1].Number
		return nil
	})
	if err != nil {
		return 0, err
	}
	_, err = d.Do(ctx, by, cvd.AgreeEmbargo{Case: cs, Number: number})
	return number, err
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

// Approve is a second person's yes to a wave as it stands, and has it sealed.
func (d *Desk) Approve(ctx context.Context, by cvd.Actor, id cvd.WaveID, progress func(done, all int)) error {
	yes := cvd.ApproveWave{Wave: id}
	err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActApproveWave, cvd.AWave(id), d.at(p)); err != nil {
			return err
		}
		yes.Digest = p.Waves[id].Digest
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := d.Do(ctx, by, yes); err != nil {
		return err
	}
	return d.Seal(ctx, id, progress)
}

// DraftWave drafts a wave. A preview or a break pack needs no second person and
// is sealed at once; it opens then too, unless a later time is given.
func (d *Desk) DraftWave(ctx context.Context, by cvd.Actor, w cvd.DraftWave) (cvd.WaveID, error) {
	var err error
	if w.Wave.IsZero() {
		if w.Wave, err = NewID[cvd.WaveID](d); err != nil {
			return w.Wave, err
		}
	}
	if _, err = d.do(ctx, by, func(now time.Time) []cvd.Command {
		if w.Purpose != cvd.Staged && w.OpensAt.Before(now) {
			w.OpensAt = now
		}
		return []cvd.Command{w}
	}); err != nil || w.Purpose == cvd.Staged {
		return w.Wave, err
	}
	return w.Wave, d.Seal(ctx, w.Wave, nil)
}

// Ended is what the end of an embargo sent.
type Ended struct {
	Level   form.Level // of the break pack; zero: none was approved
	Wave    cvd.WaveID // that carries it
	Members int        // who can fetch it
}

// EndEmbargo ends a case's embargo now, and seals the break pack to every member
// that may have it: the newest revision that a second person vouched for, up to
// the level approved with it. The end holds even if the sealing then fails;
// Resume goes on with it.
func (d *Desk) EndEmbargo(ctx context.Context, by cvd.Actor, id cvd.CaseID, reason string) (out Ended, err error) {
	end := cvd.EndEmbargo{Case: id}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActEndEmbargo, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		for _, r := range p.RevisionOrder {
			if rev := p.Revisions[r]; rev.Case == id && rev.Vouched != nil && rev.Recall == nil && rev.Break > 0 {
				end.Revision, end.Level = r, rev.Break
			}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	if end.Reason, err = d.Reason(ctx, CaseKey(id), reason); err != nil {
		return out, err
	}
	if _, err := d.Do(ctx, by, end); err != nil || end.Level == 0 {
		return out, err
	}
	pack := cvd.DraftWave{Revision: end.Revision, Purpose: cvd.BreakPack, Level: end.Level}
	err = d.View(func(p *cvd.Programme) error {
		for _, m := range p.MemberOrder {
			if p.Eligible(cvd.HolderID(m), id, cvd.BreakPack, d.at(p)) == nil {
				pack.Audience = append(pack.Audience, cvd.HolderID(m))
			}
		}
		return nil
	})
	if err != nil || len(pack.Audience) == 0 {
		return out, err
	}
	out.Level, out.Members = end.Level, len(pack.Audience)
	out.Wave, err = d.DraftWave(ctx, by, pack)
	return out, err
}

// Release says that a case is public, and keeps what was published.
func (d *Desk) Release(ctx context.Context, by cvd.Actor, id cvd.CaseID, advisory []byte) error {
	q := cvd.Release{Case: id}
	if len(advisory) > 0 {
		var err error
		if q.Advisory, err = d.putBlob(ctx, CaseKey(id), advisory); err != nil {
			return err
		}
	}
	_, err := d.Do(ctx, by, q)
	return err
}

// Revision finds a revision of a case's last package by number; 0 is the newest.
func (d *Desk) Revision(id cvd.CaseID, number uint32) (found cvd.RevisionID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		c, ok := p.Cases[id]
		if !ok || len(c.Packages) == 0 {
			return fmt.Errorf("%w: the case has no package yet; add one with 'forewarn package add'", ErrUnknown)
		}
		revisions := p.Packages[c.Packages[len(c.Packages)-1]].Revisions
		if number == 0 {
			number = uint32(len(revisions))
		}
		if number == 0 || int(number) > len(revisions) {
			return fmt.Errorf("%w: the case's package has %d revisions", ErrUnknown, len(revisions))
		}
		found = revisions[number-1]
		return nil
	})
	return found, err
}

// LeftOut is somebody that a wave was meant for and can't go to yet.
type LeftOut struct {
	Holder cvd.HolderID `json:"holder"`
	Name   string       `json:"name"`
	Why    string       `json:"why"`
}

// DraftFor drafts a wave to those of an audience who can be shown content, and
// says who was left out and why.
func (d *Desk) DraftFor(ctx context.Context, by cvd.Actor, w cvd.DraftWave) (cvd.WaveID, []LeftOut, error) {
	var in []cvd.HolderID
	var out []LeftOut
	err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActDraftWave, cvd.ARevision(w.Revision), d.at(p)); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		for _, h := range w.Audience {
			if why := p.Eligible(h, p.Revisions[w.Revision].Case, w.Purpose, d.at(p)); why != nil {
				name, _ := n.Holder(h)
				out = append(out, LeftOut{h, name, why.Error()})
				continue
			}
			in = append(in, h)
		}
		return nil
	})
	if err != nil {
		return cvd.WaveID{}, nil, err
	}
	if len(in) == 0 {
		return cvd.WaveID{}, out, fmt.Errorf("%w: nobody of the audience can be shown content%s; the empty audience is nobody", cvd.ErrRefused, because(out))
	}
	w.Audience = in
	id, err := d.DraftWave(ctx, by, w)
	return id, out, err
}

func because(out []LeftOut) string {
	if len(out) == 0 {
		return ""
	}
	return " (" + out[0].Name + ": " + out[0].Why + ")"
}

// Answer is what the actor's member says about a product.
func (d *Desk) Answer(ctx context.Context, by cvd.Actor, id cvd.CaseID, product cvd.ProductID, say cvd.AnswerState, note string) error {
	q := cvd.GiveAnswer{Case: id, Product: product, Answer: say}
	err := d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok || acc.Member.IsZero() {
			return fmt.Errorf("%w: only a member's account answers", cvd.ErrRefused)
		}
		q.Member = acc.Member
		return nil
	})
	if err != nil {
		return err
	}
	if q.Text, err = d.Reason(ctx, CaseKey(id), note); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// Seen is a sighting to record.
type Seen struct {
	Source   string    `json:"source"`
	What     string    `json:"what"`
	From, To time.Time `json:"-"` // zero: unknown
	Grade    cvd.Grade `json:"-"`
}

// RecordSighting puts a sighting of a case on the log.
func (d *Desk) RecordSighting(ctx context.Context, by cvd.Actor, id cvd.CaseID, s Seen) (cvd.SightingID, error) {
	n, err := NewID[cvd.SightingID](d)
	if err != nil {
		return n, err
	}
	detail, err := d.PutText(ctx, CaseKey(id), s)
	if err != nil {
		return n, err
	}
	_, err = d.Do(ctx, by, cvd.RecordSighting{Sighting: n, Case: id, Detail: detail, From: s.From, To: s.To, Grade: s.Grade})
	return n, err
}

// Inbox says whose copies an account fetches, its member's or its own, and
// which waves it could fetch now.
func (d *Desk) Inbox(by cvd.Actor) (holder cvd.HolderID, open []cvd.WaveID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok {
			return fmt.Errorf("%w: there is no such account", ErrUnknown)
		}
		holder = cvd.HolderID(acc.ID)
		if !acc.Member.IsZero() {
			holder = cvd.HolderID(acc.Member)
		}
		for _, id := range p.WaveOrder {
			if p.Readable(holder, id, d.at(p)) == nil {
				open = append(open, id)
			}
		}
		return nil
	})
	return holder, open, err
}
