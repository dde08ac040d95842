package coordinator

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
)

// Published is an advisory that is public.
type Published struct {
	Case    cvd.CaseID
	Title   string
	At      time.Time
	Changed time.Time // of the last correction; zero: none
}

// Updated is when an advisory last changed.
func (p Published) Updated() time.Time {
	if p.Changed.IsZero() {
		return p.At
	}
	return p.Changed
}

// Advised is what a public page says of an advisory beside its text.
type Advised struct {
	Published
	Reported time.Time
	Products []string
	Credits  []string // as those who reported it want to be named
	Changes  []Change // the oldest first
	HeadsUp  *HeadsUp // by which it was announced; nil: it wasn't
	SeeAlso  []Related
}

// Change is a correction of an advisory, in words for its readers.
type Change struct {
	At   time.Time
	What string
}

// Related is another published advisory.
type Related struct {
	Published
	How string // this one's relation to it
}

// Published lists the advisories of released cases, the newest first. Anybody
// may see them: a release says that the matter is public. What was released
// without an advisory isn't there, nor is what can't be read any more.
func (d *Desk) Published(ctx context.Context) (out []Published, err error) {
	err = d.View(func(p *cvd.Programme) error {
		for _, id := range p.CaseOrder {
			if c := p.Cases[id]; published(c) {
				out = append(out, d.publishedAs(ctx, c))
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Published) int { return cmp.Compare(b.At.UnixMicro(), a.At.UnixMicro()) })
	return out, err
}

func published(c *cvd.Case) bool {
	return c != nil && c.Released != nil && !c.Advisory.IsZero() && c.Shredded == nil
}

func (d *Desk) publishedAs(ctx context.Context, c *cvd.Case) Published {
	out := Published{Case: c.ID, Title: d.title(ctx, c), At: c.Released.At}
	if n := len(c.Corrections); n > 0 {
		out.Changed = c.Corrections[n-1].At
	}
	return out
}

// Advisory is a published advisory's text, as it was corrected last, and what
// stands beside it. Of a case that has none, or of none, it is ErrUnknown.
func (d *Desk) Advisory(ctx context.Context, id cvd.CaseID) (about Advised, text []byte, err error) {
	var ref cvd.BlobRef
	err = d.View(func(p *cvd.Programme) error {
		c := p.Cases[id]
		if !published(c) {
			return fmt.Errorf("%w: no such advisory", ErrUnknown)
		}
		n := d.Names(ctx, p)
		about, ref = Advised{Published: d.publishedAs(ctx, c), Reported: c.Reported}, c.CurrentAdvisory()
		for _, x := range c.Products {
			about.Products = append(about.Products, n.Product(x))
		}
		for _, r := range p.ReportOrder {
			if p.Reports[r].Case != id {
				continue
			}
			if line := d.reportView(ctx, p, p.Reports[r]).Credit; line != "" && !slices.Contains(about.Credits, line) {
				about.Credits = append(about.Credits, line)
			}
		}
		for _, x := range c.Corrections {
			var what Reason
			if d.Text(ctx, CaseKey(id), x.Change, &what) == nil {
				about.Changes = append(about.Changes, Change{x.At, what.Reason})
			}
		}
		if h := p.HeadsUpOf(id); h != nil {
			if x, err := d.headsUp(ctx, p, h, d.at(p)); err == nil {
				about.HeadsUp = &x
			}
		}
		for _, l := range c.Links {
			if to := p.Cases[l.To]; published(to) {
				about.SeeAlso = append(about.SeeAlso, Related{d.publishedAs(ctx, to), l.Relation.String()})
			}
		}
		return nil
	})
	if err != nil {
		return about, nil, err
	}
	text, err = d.blob(ctx, CaseKey(id), ref)
	if errors.Is(err, ErrGone) {
		err = fmt.Errorf("%w: no such advisory", ErrUnknown)
	}
	return about, text, err
}

// CorrectAdvisory replaces a published advisory. change is what its readers are
// told of it.
func (d *Desk) CorrectAdvisory(ctx context.Context, by cvd.Actor, id cvd.CaseID, advisory []byte, change string) error {
	q := cvd.CorrectAdvisory{Case: id, Advisory: cvd.BlobRef{1}, Change: cvd.BlobRef{1}}
	if len(advisory) == 0 || change == "" {
		return fmt.Errorf("%w: a correction has a text, and words for its readers", cvd.ErrRefused)
	}
	var last cvd.BlobRef
	err := d.View(func(p *cvd.Programme) error {
		if _, err := p.Decide(q, by, d.at(p)); err != nil {
			return err
		}
		last = p.Cases[id].CurrentAdvisory()
		return nil
	})
	if err != nil {
		return err
	}
	old, err := d.blob(ctx, CaseKey(id), last)
	if err != nil {
		return err
	}
	if err := d.unmarked(ctx, id, advisory); err != nil {
		return err
	}
	if bytes.Equal(old, advisory) {
		return fmt.Errorf("%w: that is the advisory as it is published already; nothing was corrected", cvd.ErrRefused)
	}
	if q.Advisory, err = d.putBlob(ctx, CaseKey(id), advisory); err != nil {
		return err
	}
	if q.Change, err = d.Reason(ctx, CaseKey(id), change); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// releaseOf is when a case was released, or is to be as was agreed; else zero.
func releaseOf(c *cvd.Case) time.Time {
	switch {
	case c.Released != nil:
		return c.Released.At
	case c.Embargo != nil:
		return c.Embargo.Release.At
	}
	return time.Time{}
}

// CaseLine is a case in a list of those that somebody may know of.
type CaseLine struct {
	Case    cvd.CaseID
	Title   string // empty to who may not read the case
	Embargo cvd.EmbargoState
	Release time.Time // as it was, or as it is agreed; zero: neither
	Waves   int       // known to staff alone
	Consent cvd.Consent
}

// Cases lists the cases that an actor may know of, the newest first.
func (d *Desk) Cases(ctx context.Context, by cvd.Actor) (out []CaseLine, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now, me := d.at(p), p.Accounts[by.Account]
		for _, id := range slices.Backward(p.CaseOrder) {
			if p.May(by, cvd.ActViewCase, cvd.ACase(id), now) != nil {
				continue
			}
			c := p.Cases[id]
			line := CaseLine{Case: id, Embargo: p.EmbargoState(id, now)}
			if p.May(by, cvd.ActReadCase, cvd.ACase(id), now) == nil {
				line.Title = d.title(ctx, c)
			}
			line.Release = releaseOf(c)
			if p.May(by, cvd.ActViewExposure, cvd.ACase(id), now) == nil {
				line.Waves = len(c.Waves)
			}
			if !me.Member.IsZero() {
				line.Consent = p.ConsentOf(id, me.Member, now)
			}
			out = append(out, line)
		}
		return nil
	})
	return out, err
}
