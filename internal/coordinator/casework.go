package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	propose := cvd.ProposeEmbargo{Case: cs, Release: release}
	err = d.View(func(p *cvd.Programme) error {
		if _, err := p.Decide(propose, by, d.at(p)); err != nil {
			return err
		}
		number = uint32(len(p.Cases[cs].Proposals)) + 1
		return nil
	})
	if err != nil {
		return 0, err
	}
	_, err = d.Do(ctx, by, propose, cvd.AgreeEmbargo{Case: cs, Number: number})
	return number, plain(err)
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
	// The end and the draft of what it sends are one append: a crash between them
	// would leave an ended embargo that sends nothing.
	pack := cvd.DraftWave{Revision: end.Revision, Purpose: cvd.BreakPack, Level: end.Level}
	if pack.Wave, err = NewID[cvd.WaveID](d); err != nil {
		return out, err
	}
	_, err = d.do(ctx, by, func(now time.Time) []cvd.Command {
		pack.OpensAt, pack.Audience = now, nil
		for _, m := range d.state.MemberOrder {
			if d.state.Eligible(cvd.HolderID(m), id, cvd.BreakPack, now) == nil {
				pack.Audience = append(pack.Audience, cvd.HolderID(m))
			}
		}
		if end.Level == 0 || len(pack.Audience) == 0 {
			return []cvd.Command{end}
		}
		return []cvd.Command{end, pack}
	})
	var one *cvd.InBatch
	if errors.As(err, &one) && one.Index == 1 {
		// The end must hold, whatever is wrong with the pack.
		if _, e := d.Do(ctx, by, end); e != nil {
			return out, e
		}
		return out, fmt.Errorf("the embargo is ended, but there is no break pack: %w", one.Err)
	}
	if err != nil || end.Level == 0 || len(pack.Audience) == 0 {
		return out, err
	}
	out.Wave, out.Level, out.Members = pack.Wave, end.Level, len(pack.Audience)
	return out, d.Seal(ctx, pack.Wave, nil)
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
			return fmt.Errorf("%w: the case's package has %d revisions, and not that one; 'forewarn package add' adds one", ErrUnknown, len(revisions))
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
				out = append(out, LeftOut{h, name, whyNot(why)})
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

// whyNot is a refusal without what was refused, which its reader knows.
func whyNot(err error) string {
	var denied *cvd.Denied
	if errors.As(err, &denied) {
		return denied.Why + "; " + denied.Hint
	}
	return err.Error()
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

// Seen is a sighting to record. Tokens are the identities of those recognised:
// whose they are only the inquiry learns, and from the sighting on they can be
// replayed.
type Seen struct {
	Source   string    `json:"source"`
	What     string    `json:"what"`
	Tokens   []string  `json:"tokens,omitempty"` // TokenText
	From, To time.Time `json:"-"`                // zero: unknown
	Grade    cvd.Grade `json:"-"`
}

// TokenText is how a sighting's text has a token's identity: 16 hex digits.
func TokenText(identity uint64) string { return fmt.Sprintf("%016x", identity) }

// RecordedSighting is what was said of a sighting when it was recorded. With
// ErrGone the case's key is not here any more.
func (d *Desk) RecordedSighting(ctx context.Context, id cvd.CaseID, s cvd.Sighting) (out Seen, err error) {
	err = d.Text(ctx, CaseKey(id), s.Detail, &out)
	out.From, out.To, out.Grade = s.From, s.To, s.Grade
	return out, err
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

// Inbox says whose copies an account fetches, its member's or its own.
func (d *Desk) Inbox(by cvd.Actor) (holder cvd.HolderID, waves []Waiting, err error) {
	err = d.View(func(p *cvd.Programme) error {
		acc, ok := p.Accounts[by.Account]
		if !ok {
			return fmt.Errorf("%w: there is no such account", ErrUnknown)
		}
		holder = acc.HolderOf()
		for _, id := range p.WaveOrder {
			w := p.Waves[id]
			if !slices.Contains(w.Audience, holder) || p.May(by, cvd.ActViewWave, cvd.AWave(id), d.at(p)) != nil {
				continue
			}
			x := Waiting{Wave: id, Case: w.Case, State: p.WaveState(id, d.at(p)), OpensAt: w.OpensAt}
			if why := p.Readable(holder, id, d.at(p)); why != nil {
				x.Why = whyNot(why)
			}
			if c := w.CopyOf(holder); c != nil {
				x.Fetched = len(c.Fetches) > 0
			}
			waves = append(waves, x)
		}
		return nil
	})
	return holder, waves, err
}

// Waiting is a wave with a copy for somebody who may know of it.
type Waiting struct {
	Wave    cvd.WaveID
	Case    cvd.CaseID
	State   cvd.WaveState
	OpensAt time.Time
	Fetched bool   // by any account of the holder
	Why     string // why the copy can't be fetched now; empty: it can
}
