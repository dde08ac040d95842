package leak

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// Gather reads the facts about a package off a programme's state. names gives
// the name of a member, an account, a group or a case; where it gives none, the
// start of the id stands in. It fails with cvd.ErrNotFound when there is no such
// package.
func Gather(p *cvd.Programme, pkg cvd.PackageID, names func(entrylog.Ref) string) (Facts, error) {
	pk := p.Packages[pkg]
	if pk == nil {
		return Facts{}, fmt.Errorf("%w: package %s", cvd.ErrNotFound, pkg)
	}
	g := &gather{p: p, pk: pk, c: p.Cases[pk.Case], names: names}
	f := Facts{
		Programme: p.Origin, Interval: p.Interval, Case: entrylog.Ref(pk.Case), CaseName: g.name(entrylog.Ref(pk.Case)), Package: entrylog.Ref(pkg),
		Reported: Event{g.c.Reported, g.c.Opened.Seq},
	}
	for _, h := range pk.Issued {
		f.Holders = append(f.Holders, g.holder(h))
	}
	g.waves(&f)
	g.milestones(&f)
	g.recoveries(&f)
	for _, a := range g.c.Answers {
		if a.State >= cvd.Ready {
			f.Answers = append(f.Answers, Answer{Event{a.At, a.Seq}, g.name(entrylog.Ref(a.Member)), "protection " + a.State.String()})
		}
	}
	for _, b := range g.c.Breaches {
		f.Breaches = append(f.Breaches, Event{b.Happened, b.Seq})
	}
	for _, l := range g.c.Links {
		f.Links = append(f.Links, Link{Event{l.At, l.Seq}, l.Relation.String(), g.name(entrylog.Ref(l.To))})
	}
	return f, nil
}

type gather struct {
	p     *cvd.Programme
	pk    *cvd.Package
	c     *cvd.Case
	names func(entrylog.Ref) string
}

func (g *gather) name(r entrylog.Ref) string {
	if g.names != nil {
		if n := g.names(r); n != "" {
			return n
		}
	}
	return r.String()[:8]
}

func (g *gather) holder(id cvd.HolderID) Holder {
	h := Holder{ID: entrylog.Ref(id), Name: g.name(entrylog.Ref(id)), Staff: true, Tier: "staff"}
	m := g.p.Members[cvd.MemberID(id)]
	if m == nil {
		return h
	}
	h.Staff, h.Tier = false, fmt.Sprintf("tier %d", m.Tier)
	for _, j := range m.Jurisdictions {
		h.Jurisdictions = append(h.Jurisdictions, j.String())
	}
	if !m.Group.IsZero() {
		h.Group, h.GroupName = entrylog.Ref(m.Group), g.name(entrylog.Ref(m.Group))
		if d := g.p.Groups[m.Group]; d != nil {
			h.GroupEntry = Event{d.At, d.Seq}
		}
	}
	return h
}

// waves adds the sealed waves with who fetched and acknowledged their copies.
func (g *gather) waves(f *Facts) {
	labels := map[cvd.Purpose]string{cvd.Staged: "wave", cvd.Preview: "preview", cvd.BreakPack: "break pack"}
	number := map[cvd.Purpose]int{}
	ids := slices.DeleteFunc(slices.Clone(g.pk.Waves), func(id cvd.WaveID) bool { return g.p.Waves[id].Sealed == nil })
	slices.SortStableFunc(ids, func(a, b cvd.WaveID) int { return int(g.p.Waves[a].Sealed.Seq) - int(g.p.Waves[b].Sealed.Seq) })
	for _, id := range ids {
		w := g.p.Waves[id]
		number[w.Purpose]++
		out := Wave{
			ID: entrylog.Ref(w.ID), Revision: entrylog.Ref(w.Revision), Form: w.Statement.Form, Level: w.Level,
			Label: fmt.Sprintf("%s %d", labels[w.Purpose], number[w.Purpose]), Staff: w.Purpose == cvd.Preview,
			OpensAt: w.OpensAt, Ends: w.LapsesAt, Entry: w.Sealed.Seq, Sealed: w.Sealed.At,
		}
		if w.Cancelled != nil {
			out.Ends = w.Cancelled.At
		}
		for _, h := range w.Audience {
			out.Holders = append(out.Holders, entrylog.Ref(h))
			g.accesses(f, w, h)
		}
		f.Waves = append(f.Waves, out)
		if !slices.ContainsFunc(f.Rulings, func(r Ruling) bool { return r.Revision == out.Revision }) {
			g.rulings(f, w.Revision)
		}
	}
}

func (g *gather) rulings(f *Facts, id cvd.RevisionID) {
	r := g.p.Revisions[id]
	if r == nil {
		return
	}
	for u, v := range r.Rulings {
		f.Rulings = append(f.Rulings, Ruling{entrylog.Ref(id), cvd.Use(u).String(), v.Verdict != cvd.No, v.From})
	}
}

func (g *gather) accesses(f *Facts, w *cvd.Wave, h cvd.HolderID) {
	c := w.CopyOf(h)
	if c == nil {
		return
	}
	access := func(account cvd.AccountID, at time.Time, seq entrylog.Seq) Access {
		return Access{entrylog.Ref(w.ID), entrylog.Ref(h), entrylog.Ref(account), g.name(entrylog.Ref(account)), at, seq}
	}
	for _, x := range c.Fetches {
		f.Fetches = append(f.Fetches, access(x.Account, x.At, x.Seq))
	}
	if c.Receipt != nil {
		f.Receipts = append(f.Receipts, access(c.Receipt.By, c.Receipt.At, c.Receipt.Seq))
	}
}

// recoveries are those of all accounts of the holders, and of the log.
func (g *gather) recoveries(f *Facts) {
	by := func(n cvd.Note) Access {
		return Access{Account: entrylog.Ref(n.By), AccountName: g.name(entrylog.Ref(n.By)), At: n.At, Entry: n.Seq}
	}
	for _, h := range g.pk.Issued {
		accounts := []cvd.AccountID{cvd.AccountID(h)}
		m := g.p.Members[cvd.MemberID(h)]
		if m != nil {
			accounts = m.Accounts
		}
		for _, id := range accounts {
			a := g.p.Accounts[id]
			if a == nil {
				continue
			}
			for _, r := range a.Recoveries() {
				x := Recovered{Holder: entrylog.Ref(h), Account: entrylog.Ref(id), AccountName: g.name(entrylog.Ref(id)), Invited: by(r.Invitation.Note), Made: by(r.Note)}
				if m != nil {
					x.Added = a.Added.Seq
				}
				if c := r.Invitation.Confirmed; c != nil {
					x.Confirmed = by(*c)
				}
				if r.Lifted != nil {
					x.Lifted = by(r.Lifted.Note)
				}
				f.Recoveries = append(f.Recoveries, x)
			}
		}
	}
	slices.SortFunc(f.Recoveries, func(a, b Recovered) int { return cmp.Compare(a.Made.Entry, b.Made.Entry) })
	for _, r := range g.p.Recoveries {
		f.Declared = append(f.Declared, by(r.Note))
	}
}

func (g *gather) milestones(f *Facts) {
	if e := g.c.Embargo; e != nil {
		f.Release = Event{e.Release.At, e.Seq}
		if n := len(g.c.Moves); n > 0 {
			f.Release.Entry = g.c.Moves[n-1].Seq
		}
	}
	if g.c.Released != nil {
		f.Released = Event{g.c.Released.At, g.c.Released.Seq}
	}
	if g.c.Ended != nil {
		f.Ended = Event{g.c.Ended.At, g.c.Ended.Seq}
	}
}
