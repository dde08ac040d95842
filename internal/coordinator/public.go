package coordinator

import (
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
	Case  cvd.CaseID
	Title string
	At    time.Time
}

// Published lists the advisories of released cases, the newest first. Anybody
// may see them: a release says that the matter is public. What was released
// without an advisory isn't there, nor is what can't be read any more.
func (d *Desk) Published(ctx context.Context) (out []Published, err error) {
	err = d.View(func(p *cvd.Programme) error {
		for _, id := range p.CaseOrder {
			if c := p.Cases[id]; published(c) {
				out = append(out, Published{id, d.title(ctx, c), c.Released.At})
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

// Advisory is a published advisory's text. Of a case that has none, or of none,
// it is ErrUnknown.
func (d *Desk) Advisory(ctx context.Context, id cvd.CaseID) (about Published, text []byte, err error) {
	var ref cvd.BlobRef
	err = d.View(func(p *cvd.Programme) error {
		c := p.Cases[id]
		if !published(c) {
			return fmt.Errorf("%w: no such advisory", ErrUnknown)
		}
		about, ref = Published{id, d.title(ctx, c), c.Released.At}, c.Advisory
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

// CaseLine is a case in a list of those that somebody may know of.
type CaseLine struct {
	Case    cvd.CaseID
	Title   string // empty to who may not read the case
	Embargo cvd.EmbargoState
	Release time.Time // zero: none agreed
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
			if c.Embargo != nil {
				line.Release = c.Embargo.Release.At
			}
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
