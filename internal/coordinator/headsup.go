package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"forewarn/internal/cvd"
)

// HeadsUpText is all that a heads-up says: what somebody wrote for the public, and
// nothing of the case.
type HeadsUpText struct {
	Headline string   `json:"headline"`
	Severity string   `json:"severity,omitempty"` // in the programme's own word
	Products []string `json:"products,omitempty"`
	Text     string   `json:"text,omitempty"` // Markdown
}

// Bounds of a heads-up, in characters.
const (
	MaxHeadline = 200 // of a headline, and of a product's name
	MaxSeverity = 60
	MaxHeadsUp  = 8000
	maxNamed    = 50 // products
)

// check says what is wrong with it.
func (t *HeadsUpText) check() error {
	line := func(what, s string, most int, need bool) error {
		switch {
		case need && strings.TrimSpace(s) == "":
			return fmt.Errorf("%w: a heads-up has a headline, and no product without a name", cvd.ErrRefused)
		case utf8.RuneCountInString(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
			return fmt.Errorf("%w: the %s is one line of text, of %d characters at most", cvd.ErrRefused, what, most)
		}
		return nil
	}
	err := errors.Join(line("headline", t.Headline, MaxHeadline, true), line("severity", t.Severity, MaxSeverity, false))
	for _, p := range t.Products {
		err = errors.Join(err, line("name of a product", p, MaxHeadline, true))
	}
	switch {
	case err != nil:
		return err
	case len(t.Products) > maxNamed:
		return fmt.Errorf("%w: %d products; %d can be named", cvd.ErrRefused, len(t.Products), maxNamed)
	case utf8.RuneCountInString(t.Text) > MaxHeadsUp || !utf8.ValidString(t.Text):
		return fmt.Errorf("%w: the text is of %d characters at most", cvd.ErrRefused, MaxHeadsUp)
	}
	return nil
}

// HeadsUp is a heads-up as anybody sees it. Which case it is of is told once that is
// released with an advisory, and not before.
type HeadsUp struct {
	HeadsUp cvd.HeadsUpID
	HeadsUpText
	Planned   cvd.ReleaseTime
	State     cvd.HeadsUpState
	At        time.Time
	Changes   []Change // the oldest first
	Withdrawn time.Time
	Why       string     // it was withdrawn
	Released  time.Time  // zero: not yet
	Advisory  cvd.CaseID // zero: none is published
}

// Updated is when what is said of it last changed: by a word of somebody, or because
// its time passed without a release.
func (h HeadsUp) Updated() time.Time {
	last := h.At
	for _, t := range []time.Time{h.Withdrawn, h.Released} {
		if last.Before(t) {
			last = t
		}
	}
	if n := len(h.Changes); n > 0 && last.Before(h.Changes[n-1].At) {
		last = h.Changes[n-1].At
	}
	if h.State == cvd.HeadsUpOverdue && last.Before(h.Planned.At) {
		last = h.Planned.At
	}
	return last
}

// HeadsUps lists the heads-ups that stand in one of some ways, those first whose time
// comes first. Anybody may see them: that is what they are for.
func (d *Desk) HeadsUps(ctx context.Context, states ...cvd.HeadsUpState) (out []HeadsUp, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		for _, id := range p.HeadsUpOrder {
			if !slices.Contains(states, p.HeadsUpState(id, now)) {
				continue
			}
			h, err := d.headsUp(ctx, p, p.HeadsUps[id], now)
			if errors.Is(err, ErrGone) {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, h)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b HeadsUp) int { return cmp.Compare(a.Planned.At.UnixMicro(), b.Planned.At.UnixMicro()) })
	return out, err
}

// HeadsUp is one of them, however it stands. Of none, and of one whose case's key is
// gone, it is ErrUnknown.
func (d *Desk) HeadsUp(ctx context.Context, id cvd.HeadsUpID) (out HeadsUp, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		switch p.HeadsUpState(id, now) {
		case cvd.NoHeadsUp, cvd.HeadsUpGone:
			return ErrGone
		}
		out, err = d.headsUp(ctx, p, p.HeadsUps[id], now)
		return err
	})
	if errors.Is(err, ErrGone) {
		err = fmt.Errorf("%w: no such heads-up", ErrUnknown)
	}
	return out, err
}

func (d *Desk) headsUp(ctx context.Context, p *cvd.Programme, h *cvd.HeadsUp, now time.Time) (HeadsUp, error) {
	said, key, c := h.Now(), CaseKey(h.Case), p.Cases[h.Case]
	out := HeadsUp{HeadsUp: h.ID, Planned: said.Planned, State: p.HeadsUpState(h.ID, now), At: h.Said[0].At}
	if err := d.Text(ctx, key, said.Text, &out.HeadsUpText); err != nil {
		return out, err
	}
	for _, x := range h.Said[1:] {
		var what Reason
		if err := d.Text(ctx, key, x.Change, &what); err != nil {
			return out, err
		}
		out.Changes = append(out.Changes, Change{x.At, what.Reason})
	}
	switch out.State {
	case cvd.HeadsUpWithdrew:
		var why Reason
		if err := d.Text(ctx, key, h.Reason, &why); err != nil {
			return out, err
		}
		out.Withdrawn, out.Why = h.Withdrawn.At, why.Reason
	case cvd.HeadsUpMet:
		out.Released = c.Released.At
		if published(c) {
			out.Advisory = c.ID
		}
	}
	return out, nil
}

// HeadsUpOf is what a case announces, for its staff; nil when it announces nothing,
// or was released. planned is when its release is planned for.
func (d *Desk) HeadsUpOf(ctx context.Context, by cvd.Actor, id cvd.CaseID) (out *HeadsUp, planned cvd.ReleaseTime, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		if e := p.Cases[id].Embargo; e != nil {
			planned = e.Release
		}
		out, err = d.standing(ctx, p, id, now)
		return err
	})
	return out, planned, err
}

// standing is what a case announces and has yet to publish.
func (d *Desk) standing(ctx context.Context, p *cvd.Programme, id cvd.CaseID, now time.Time) (*HeadsUp, error) {
	h := p.HeadsUpOf(id)
	if h == nil {
		return nil, nil
	}
	if s := p.HeadsUpState(h.ID, now); s != cvd.HeadsUpAnnounced && s != cvd.HeadsUpOverdue {
		return nil, nil
	}
	out, err := d.headsUp(ctx, p, h, now)
	return &out, err
}

// PublishHeadsUp announces to the public what t says, or changes what a case
// announces; change is then what readers are told of that. Without a time it is
// announced for the case's planned release.
func (d *Desk) PublishHeadsUp(ctx context.Context, by cvd.Actor, id cvd.CaseID, t HeadsUpText, planned cvd.ReleaseTime, change string) (cvd.HeadsUpID, error) {
	if len(t.Products) == 0 {
		t.Products = nil // as it is read back
	}
	q := cvd.PublishHeadsUp{Case: id, Planned: planned, Text: cvd.BlobRef{1}}
	if change != "" {
		q.Change = cvd.BlobRef{1}
	}
	fresh, err := NewID[cvd.HeadsUpID](d)
	if err != nil {
		return fresh, err
	}
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActPublishHeadsUp, cvd.ACase(id), now); err != nil {
			return err
		}
		if planned.At.IsZero() {
			q.Planned = p.Cases[id].Embargo.Release // it may be announced, so one binds or bound
		}
		q.HeadsUp = fresh
		h := p.HeadsUpOf(id)
		if h != nil {
			q.HeadsUp = h.ID
		}
		if _, err := p.Decide(q, by, now); err != nil {
			return err
		}
		if h == nil {
			return nil
		}
		var old HeadsUpText
		if err := d.Text(ctx, CaseKey(id), h.Now().Text, &old); err != nil {
			return err
		}
		if reflect.DeepEqual(old, t) && h.Now().Planned.At.Equal(q.Planned.At.Truncate(time.Microsecond)) {
			return fmt.Errorf("%w: that is what is announced already; nothing was changed", cvd.ErrRefused)
		}
		return nil
	})
	if err != nil {
		return q.HeadsUp, err
	}
	if err := t.check(); err != nil {
		return q.HeadsUp, err
	}
	if err := d.unmarked(ctx, id, []byte(t.Headline+"\n"+t.Text)); err != nil {
		return q.HeadsUp, err
	}
	if q.Text, err = d.PutText(ctx, CaseKey(id), t); err != nil {
		return q.HeadsUp, err
	}
	if q.Change, err = d.Reason(ctx, CaseKey(id), change); err != nil {
		return q.HeadsUp, err
	}
	_, err = d.Do(ctx, by, q)
	return q.HeadsUp, err
}

// WithdrawHeadsUp takes back what a case announces. why is what readers are told.
func (d *Desk) WithdrawHeadsUp(ctx context.Context, by cvd.Actor, id cvd.CaseID, why string) error {
	q := cvd.WithdrawHeadsUp{Case: id}
	if why != "" {
		q.Reason = cvd.BlobRef{1}
	}
	err := d.View(func(p *cvd.Programme) error {
		if h := p.HeadsUpOf(id); h != nil {
			q.HeadsUp = h.ID
		}
		_, err := p.Decide(q, by, d.at(p))
		return err
	})
	if err != nil {
		return err
	}
	if q.Reason, err = d.Reason(ctx, CaseKey(id), why); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}
