package coordinator

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

// WaveView is a wave as its staff see it: what a second person looks at before
// approving it, and everybody later.
type WaveView struct {
	Wave     cvd.WaveID   `json:"wave"`
	Case     cvd.CaseID   `json:"case"`
	Title    string       `json:"title"`
	Name     string       `json:"label"`
	Purpose  string       `json:"purpose"`
	Revision uint32       `json:"revision"`
	Label    string       `json:"tlp"`
	Level    string       `json:"level"`
	State    string       `json:"state"`
	Why      string       `json:"why_not,omitempty"` // its copies can't be fetched now
	Reask    bool         `json:"asks_again,omitempty"`
	OpensAt  time.Time    `json:"opens_at"`
	LapsesAt time.Time    `json:"lapses_at,omitzero"`
	Release  time.Time    `json:"release,omitzero"` // of the case
	Widens   cvd.WaveID   `json:"widens,omitzero"`
	Widened  string       `json:"widens_label,omitempty"`
	Digest   string       `json:"digest"` // of the draft, hex: what an approval is of
	Drafted  []string     `json:"drafted_by"`
	At       time.Time    `json:"drafted_at"` // as it stands
	Approved string       `json:"approved_by,omitempty"`
	Lent     string       `json:"approved_for,omitempty"` // who lent the role
	Sealing  int          `json:"sealing,omitempty"`      // copies made so far, while it is being sealed
	Stored   int          `json:"stored"`                 // copies that are there
	Tiers    []TierCount  `json:"tiers"`
	Holders  []WaveHolder `json:"holders"`

	Uses map[string]string `json:"permitted_use"` // as its members read it: by use, yes, no, or the instant from which
}

// TierCount is how many holders a tier has; tier 0 is staff.
type TierCount struct {
	Tier    uint8 `json:"tier"`
	Holders int   `json:"holders"`
	Fetched int   `json:"fetched"`
}

// WaveHolder is one holder's copy.
type WaveHolder struct {
	Holder   cvd.HolderID `json:"holder"`
	Name     string       `json:"name"`
	Staff    bool         `json:"staff,omitempty"`
	Tier     uint8        `json:"tier,omitempty"`
	Fetched  time.Time    `json:"fetched,omitzero"` // first
	By       string       `json:"fetched_by,omitempty"`
	Times    int          `json:"times,omitempty"`
	Received time.Time    `json:"received,omitzero"` // the last receipt
	Stale    bool         `json:"sealed_to_replaced_keys,omitempty"`
}

// WaveView gathers a wave for who may see its case's exposure.
func (d *Desk) WaveView(ctx context.Context, by cvd.Actor, id cvd.WaveID) (v WaveView, err error) {
	err = d.View(func(p *cvd.Programme) error {
		w, now := p.Waves[id], d.at(p)
		var cs cvd.CaseID
		if w != nil {
			cs = w.Case
		}
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(cs), now); err != nil {
			return err
		}
		v = d.waveView(p, d.Names(ctx, p), w, now)
		return nil
	})
	return v, err
}

func (d *Desk) waveView(p *cvd.Programme, n Names, w *cvd.Wave, now time.Time) WaveView {
	rev, c := p.Revisions[w.Revision], p.Cases[w.Case]
	v := WaveView{
		Wave: w.ID, Case: w.Case, Title: n.Case(w.Case), Name: waveName(p, w.ID), Purpose: w.Purpose.String(), Revision: rev.Number, Label: rev.Label.String(),
		Level: w.Level.String(), State: p.WaveState(w.ID, now).String(), Why: notServed(p, n, w, now), Reask: w.Reask, OpensAt: w.OpensAt, LapsesAt: w.LapsesAt,
		Widens: w.Widens, Digest: hex.EncodeToString(w.Digest[:]), Drafted: []string{}, At: w.Drafted.At, Uses: usesOf(rev.Rulings), Holders: make([]WaveHolder, 0, len(w.Audience)),
	}
	v.Release = releaseOf(c)
	if !w.Widens.IsZero() {
		v.Widened = waveName(p, w.Widens)
	}
	for _, id := range w.Drafters {
		v.Drafted = append(v.Drafted, n.Account(id))
	}
	if a := w.Approval; a != nil {
		v.Approved = n.Account(a.By)
		if !a.For.IsZero() {
			v.Lent = n.Account(a.For)
		}
	}
	if done, ok := d.progress.Load(w.ID); ok {
		v.Sealing = done.(int)
	}
	tiers := map[uint8]*TierCount{}
	for i, h := range w.Audience {
		row := waveHolder(p, n, w, i, h)
		if tiers[row.Tier] == nil {
			tiers[row.Tier] = &TierCount{Tier: row.Tier}
		}
		tiers[row.Tier].Holders++
		if !row.Fetched.IsZero() {
			tiers[row.Tier].Fetched++
		}
		if i < len(w.Copies) && !w.Copies[i].Blob.IsZero() {
			v.Stored++
		}
		v.Holders = append(v.Holders, row)
	}
	for _, t := range tiers {
		v.Tiers = append(v.Tiers, *t)
	}
	slices.SortFunc(v.Tiers, func(a, b TierCount) int { return cmp.Compare(a.Tier, b.Tier) })
	SortHolders(v.Holders, "tier")
	return v
}

func waveHolder(p *cvd.Programme, n Names, w *cvd.Wave, i int, h cvd.HolderID) WaveHolder {
	row := WaveHolder{Holder: h}
	row.Name, row.Staff = n.Holder(h)
	if m := p.Members[cvd.MemberID(h)]; m != nil {
		row.Tier = m.Tier
	}
	if i >= len(w.Copies) {
		return row
	}
	x := &w.Copies[i]
	if row.Times = len(x.Fetches); row.Times > 0 {
		row.Fetched, row.By = x.Fetches[0].At, n.Account(x.Fetches[0].Account)
	}
	if x.Receipt != nil {
		row.Received = x.Receipt.At
	}
	keys, ok := p.KeysOf(h)
	row.Stale = ok && !x.Blob.IsZero() && keys.Seq != x.Keys
	return row
}

// waveName is what a wave is called in its case.
func waveName(p *cvd.Programme, id cvd.WaveID) string {
	w := p.Waves[id]
	return WaveLabel(slices.Index(p.Cases[w.Case].Waves, id), w)
}

// SortHolders puts a wave's holders into an order: name, tier (staff first, then
// by name), fetched or received, with '-' turned round.
func SortHolders(list []WaveHolder, order string) {
	turn(list, order, map[string]func(a, b *WaveHolder) int{
		"name":     func(a, b *WaveHolder) int { return fold(a.Name, b.Name) },
		"tier":     func(a, b *WaveHolder) int { return cmp.Or(cmp.Compare(a.Tier, b.Tier), fold(a.Name, b.Name)) },
		"fetched":  func(a, b *WaveHolder) int { return late(a.Fetched, b.Fetched) },
		"received": func(a, b *WaveHolder) int { return late(a.Received, b.Received) },
	})
}

// ApproveSeen is a second person's yes to the draft that they saw, by its digest:
// of one that was changed since, it is refused. The sealing is left to Seal.
func (d *Desk) ApproveSeen(ctx context.Context, by cvd.Actor, id cvd.WaveID, digest [32]byte) (holders int, err error) {
	if _, err := d.Do(ctx, by, cvd.ApproveWave{Wave: id, Digest: digest}); err != nil {
		return 0, err
	}
	err = d.View(func(p *cvd.Programme) error { holders = len(p.Waves[id].Audience); return nil })
	return holders, err
}

// Audience is who a wave would go to: an audience as it was said, sorted out.
type Audience struct {
	In  []cvd.HolderID `json:"holders"`
	Out []LeftOut      `json:"left_out"`
}

// Audience says who of some holders can be shown content of a revision now, and
// who can't and why. Those who are in the audience of the wave that is widened
// are left out too.
func (d *Desk) Audience(ctx context.Context, by cvd.Actor, w cvd.DraftWave) (a Audience, err error) {
	a = Audience{In: []cvd.HolderID{}, Out: []LeftOut{}}
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActDraftWave, cvd.ARevision(w.Revision), now); err != nil {
			return err
		}
		n, cs := d.Names(ctx, p), p.Revisions[w.Revision].Case
		had := map[cvd.HolderID]bool{}
		if x := p.Waves[w.Widens]; x != nil {
			for _, h := range x.Audience {
				had[h] = true
			}
		}
		leave := func(h cvd.HolderID, why string) {
			name, _ := n.Holder(h)
			a.Out = append(a.Out, LeftOut{h, name, why})
		}
		for _, h := range cvd.SortIDs(slices.Clone(w.Audience)) {
			if had[h] {
				leave(h, "is in the audience of "+waveName(p, w.Widens)+" already")
			} else if why := p.Eligible(h, cs, w.Purpose, now); why != nil {
				leave(h, whyNot(why))
			} else {
				a.In = append(a.In, h)
			}
		}
		return nil
	})
	return a, err
}

// Choices is what a new wave of a case can be made of.
type Choices struct {
	Case     cvd.CaseID     `json:"case"`
	Title    string         `json:"title"`
	Revision cvd.RevisionID `json:"revision,omitzero"` // the newest of the last package; zero: there is none
	Number   uint32         `json:"number,omitempty"`
	Level    form.Level     `json:"level,omitempty"` // the highest that it has
	Release  time.Time      `json:"release,omitzero"`
	Tiers    []TierChoice   `json:"tiers"`
	Staff    []StaffChoice  `json:"staff"`
}

// TierChoice is a tier's members in the case, and how many of them can be shown
// content.
type TierChoice struct {
	Tier    uint8 `json:"tier"`
	Members int   `json:"members"`
	Fit     int   `json:"fit"`
}

// StaffChoice is an account of the staff that has keys to seal to.
type StaffChoice struct {
	Account cvd.AccountID `json:"account"`
	Handle  string        `json:"handle"`
}

// Choices gathers what somebody needs to draft a wave.
func (d *Desk) Choices(ctx context.Context, by cvd.Actor, id cvd.CaseID) (v Choices, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		v = Choices{Case: id, Title: n.Case(id), Tiers: []TierChoice{}, Staff: []StaffChoice{}}
		if c.Embargo != nil {
			v.Release = c.Embargo.Release.At
		}
		if len(c.Packages) > 0 {
			if all := p.Packages[c.Packages[len(c.Packages)-1]].Revisions; len(all) > 0 {
				r := p.Revisions[all[len(all)-1]]
				v.Revision, v.Number, v.Level = r.ID, r.Number, r.Level
				if err := p.May(by, cvd.ActDraftWave, cvd.ARevision(r.ID), now); err != nil {
					return err
				}
			}
		}
		tiers := map[uint8]*TierChoice{}
		for _, m := range c.ParticipantOrder {
			t := p.Members[m].Tier
			if tiers[t] == nil {
				tiers[t] = &TierChoice{Tier: t}
			}
			tiers[t].Members++
			if p.Fit(cvd.HolderID(m), id, cvd.Staged, now) {
				tiers[t].Fit++
			}
		}
		for _, t := range tiers {
			v.Tiers = append(v.Tiers, *t)
		}
		slices.SortFunc(v.Tiers, func(a, b TierChoice) int { return cmp.Compare(a.Tier, b.Tier) })
		for _, a := range p.AccountOrder {
			if p.Accounts[a].Member.IsZero() && p.Fit(cvd.HolderID(a), id, cvd.Staged, now) {
				v.Staff = append(v.Staff, StaffChoice{a, n.Account(a)})
			}
		}
		return nil
	})
	return v, err
}

// InTiers lists a case's members of some tiers; of no tier, nobody.
func (d *Desk) InTiers(by cvd.Actor, id cvd.CaseID, tiers []int) (out []cvd.HolderID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		for _, m := range p.Cases[id].ParticipantOrder {
			if slices.Contains(tiers, int(p.Members[m].Tier)) {
				out = append(out, cvd.HolderID(m))
			}
		}
		return nil
	})
	return out, err
}

// MembersOfTiers lists all members in good standing of some tiers.
func (d *Desk) MembersOfTiers(by cvd.Actor, tiers []int) (out []cvd.MemberID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		for _, id := range p.MemberOrder {
			if m := p.Members[id]; m.Standing == cvd.Good && slices.Contains(tiers, int(m.Tier)) {
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}
