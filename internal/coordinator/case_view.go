package coordinator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/leak"
	"forewarn/internal/sighting"
	"forewarn/internal/timeline"
)

// Stakes is what whoever ends an embargo, or releases a case, is told of it.
type Stakes struct {
	Title   string
	Embargo string
	Release time.Time
	Invited int // and did not decline
}

// Stakes gathers them for who may see the case's exposure.
func (d *Desk) Stakes(ctx context.Context, by cvd.Actor, id cvd.CaseID) (s Stakes, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		c := p.Cases[id]
		s = Stakes{Title: d.title(ctx, c), Embargo: p.EmbargoState(id, now).String()}
		if c.Embargo != nil {
			s.Release = c.Embargo.Release.At
		}
		for _, m := range c.ParticipantOrder {
			if p.ConsentOf(id, m, now) != cvd.Declined {
				s.Invited++
			}
		}
		return nil
	})
	return s, err
}

// Board is a case as its staff see it.
type Board struct {
	Case      cvd.CaseID      `json:"case"`
	Title     string          `json:"title"`
	Embargo   string          `json:"embargo"`
	Release   time.Time       `json:"release,omitzero"`
	Zone      string          `json:"zone,omitempty"`
	Number    uint32          `json:"number,omitempty"` // of the embargo that binds, or bound
	Reported  time.Time       `json:"reported"`
	Finder    string          `json:"finder,omitempty"`
	Proposal  *BoardProposal  `json:"proposal,omitempty"`
	Held      time.Time       `json:"held_since,omitzero"`
	HeldBy    string          `json:"held_by,omitempty"`
	HeldWhy   string          `json:"held_why,omitempty"`
	Ended     time.Time       `json:"ended,omitzero"` // before its time
	Released  time.Time       `json:"released,omitzero"`
	Alarm     string          `json:"alarm,omitempty"`    // empty: none was raised
	HeadsUp   *BoardHeadsUp   `json:"heads_up,omitempty"` // what is announced to the public; nil: nothing is
	Decisions []Decision      `json:"decisions"`
	Counts    Counts          `json:"counts"`
	Products  []PartProduct   `json:"products"`
	Links     []BoardLink     `json:"links"`
	Revisions []BoardRevision `json:"revisions"` // of the last package
	Packages  int             `json:"packages"`
	Members   []BoardMember   `json:"members"` // all that were ever invited
	Waves     []BoardWave     `json:"waves"`
	Answers   []BoardAnswer   `json:"answers"` // empty to who may not see them
	Timeline  timeline.Model  `json:"-"`
}

// BoardHeadsUp is what a case announces to the public.
type BoardHeadsUp struct {
	HeadsUp  cvd.HeadsUpID `json:"heads_up"`
	Headline string        `json:"headline"`
	Planned  time.Time     `json:"planned"`
	State    string        `json:"state"`   // announced or overdue
	Differs  bool          `json:"differs"` // from when the release is planned for
}

// BoardProposal is a proposed embargo that can be agreed.
type BoardProposal struct {
	Number  uint32    `json:"number"`
	Release time.Time `json:"release"`
	Zone    string    `json:"zone"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires,omitzero"`
	Anew    bool      `json:"asks_again"` // signatories are asked anew
}

// BoardLink is how this case stands to another, said from this one's side.
type BoardLink struct {
	Case  cvd.CaseID `json:"case"`
	Title string     `json:"title"`
	How   string     `json:"how"`
	Entry uint64     `json:"entry"`
}

// BoardRevision is one revision of the package that is worked on.
type BoardRevision struct {
	Revision     cvd.RevisionID `json:"revision"`
	Number       uint32         `json:"number"`
	Title        string         `json:"title"`
	Level        string         `json:"level"` // the highest
	Label        string         `json:"tlp"`
	Made         time.Time      `json:"made"`
	By           string         `json:"by"`
	Holders      int            `json:"holders"` // who fetched it
	Recalled     time.Time      `json:"recalled,omitzero"`
	Why          string         `json:"recalled_why,omitempty"`
	Acknowledged int            `json:"acknowledged"` // of its holders
	Mine         bool           `json:"asks_you"`     // the reader has a copy of what was recalled, and has not said to have stopped using it
}

// BoardMember is one member's row: where it stands, and what it wants before it
// can be shown content.
type BoardMember struct {
	Member   cvd.MemberID `json:"member"`
	Name     string       `json:"name"`
	Tier     uint8        `json:"tier"`
	Consent  string       `json:"consent"`
	Wanting  string       `json:"wanting,omitempty"`
	Fetched  int          `json:"fetched"`       // copies
	Received int          `json:"received"`      // copies that a receipt was lodged for
	Old      uint32       `json:"old,omitempty"` // revision that it holds while a newer one went out
	Missed   bool         `json:"not_reached"`   // something of the case waits for it, and no notice of that was seen
}

// BoardWave is one wave's row.
type BoardWave struct {
	Wave     cvd.WaveID `json:"wave"`
	Label    string     `json:"label"`
	Purpose  string     `json:"purpose"`
	Revision uint32     `json:"revision"`
	Level    string     `json:"level"`
	State    string     `json:"state"`
	Why      string     `json:"why_not,omitempty"` // it is not served
	OpensAt  time.Time  `json:"opens_at"`
	Holders  int        `json:"holders"`
	Fetched  int        `json:"fetched"`
	Received int        `json:"received"`
}

// BoardAnswer counts the members of a case that gave an answer. 'no answer' is
// one.
type BoardAnswer struct {
	Product string `json:"product"`
	Answer  string `json:"answer"`
	Members int    `json:"members"`
}

// Board gathers a case for who may see its exposure.
func (d *Desk) Board(ctx context.Context, by cvd.Actor, id cvd.CaseID) (Board, error) {
	b, err := d.LightBoard(ctx, by, id)
	if err == nil {
		err = d.FillMembers(ctx, by, id, b.Members)
	}
	return b, err
}

// NameMembers fills in the names of members of a case: to look for one, or to sort
// by them.
func (d *Desk) NameMembers(ctx context.Context, rows []BoardMember) error {
	if err := d.Warm(ctx); err != nil {
		return err
	}
	return d.View(func(p *cvd.Programme) error {
		n := d.Names(ctx, p)
		for i := range rows {
			rows[i].Name = n.Member(rows[i].Member)
		}
		return nil
	})
}

// FillMembers fills in what these members of a case are called, and what they
// want.
func (d *Desk) FillMembers(ctx context.Context, by cvd.Actor, id cvd.CaseID, rows []BoardMember) error {
	return d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		for i := range rows {
			rows[i].Name = n.Member(rows[i].Member)
			if why := p.Eligible(cvd.HolderID(rows[i].Member), id, cvd.Staged, now); why != nil {
				rows[i].Wanting = whyNot(why)
			}
		}
		return nil
	})
}

// LightBoard is Board without its members' names and what they want, which take
// their time when there are thousands: FillMembers has them for those that are
// shown.
func (d *Desk) LightBoard(ctx context.Context, by cvd.Actor, id cvd.CaseID) (Board, error) {
	b := Board{Case: id, Products: []PartProduct{}, Links: []BoardLink{}, Revisions: []BoardRevision{}, Members: []BoardMember{}, Waves: []BoardWave{}, Answers: []BoardAnswer{}}
	err := d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		t := newTally(p, c, now)
		answers := p.May(by, cvd.ActViewAnswers, cvd.ACase(id), now) == nil
		b.Title, b.Reported, b.Decisions, b.Counts = n.Case(id), c.Reported, decisions(p, c, now), t.counts(answers)
		missed := d.missed(p, by)[id]
		b.Counts.NotReached = len(missed)
		if !c.Finder.IsZero() {
			b.Finder = n.Person(c.Finder).Name
		}
		d.embargoOf(ctx, p, n, c, now, &b)
		if c.Alarm != nil {
			b.Alarm = p.AlarmState(id, now).String()
		}
		h, err := d.standing(ctx, p, id, now)
		if err != nil {
			return err
		}
		if h != nil {
			b.HeadsUp = &BoardHeadsUp{h.HeadsUp, h.Headline, h.Planned.At, h.State.String(), !h.Planned.At.Equal(releaseOf(c))}
		}
		for _, x := range c.Products {
			b.Products = append(b.Products, PartProduct{Product: x, Name: n.Product(x)})
		}
		b.Links = links(p, n, c)
		b.Packages = len(c.Packages)
		b.Revisions = d.revisions(ctx, p, n, c, cvd.HolderID(by.Account))
		b.Members = make([]BoardMember, 0, len(c.ParticipantOrder))
		for _, m := range c.ParticipantOrder {
			line := t.member(m)
			line.Missed = missed[cvd.HolderID(m)]
			b.Members = append(b.Members, line)
		}
		for i, w := range c.Waves {
			b.Waves = append(b.Waves, boardWave(p, n, p.Waves[w], i, now))
		}
		if answers {
			b.Answers = t.answers(n)
		}
		b.Timeline, err = d.picture(ctx, p, c)
		return err
	})
	return b, err
}

// embargoOf fills in what binds a case, and what keeps it.
func (d *Desk) embargoOf(ctx context.Context, p *cvd.Programme, n Names, c *cvd.Case, now time.Time, b *Board) {
	state := p.EmbargoState(c.ID, now)
	b.Embargo = state.String()
	if c.Embargo != nil {
		b.Release, b.Zone, b.Number = c.Embargo.Release.At, c.Embargo.Release.Zone, c.Embargo.Number
	}
	if state == cvd.Proposed || state == cvd.Revise {
		x := c.Proposals[len(c.Proposals)-1]
		b.Proposal = &BoardProposal{x.Number, x.Release.At, x.Release.Zone, n.Account(x.By), x.At, x.Expires, x.Anew}
	}
	if c.Hold != nil {
		b.Held, b.HeldBy, b.HeldWhy = c.Hold.At, n.Account(c.Hold.By), d.reason(ctx, c.ID, c.Hold.Reason)
	}
	if c.Ended != nil {
		b.Ended = c.Ended.At
	}
	if c.Released != nil {
		b.Released = c.Released.At
	}
}

// links are those that this case names, and those that name it.
func links(p *cvd.Programme, n Names, c *cvd.Case) []BoardLink {
	out := []BoardLink{}
	for _, l := range c.Links {
		out = append(out, BoardLink{l.To, n.Case(l.To), "this is " + of[l.Relation], uint64(l.Seq)})
	}
	for _, id := range p.CaseOrder {
		for _, l := range p.Cases[id].Links {
			if l.To == c.ID {
				out = append(out, BoardLink{id, n.Case(id), "it is " + of[l.Relation] + " this", uint64(l.Seq)})
			}
		}
	}
	return out
}

var of = map[cvd.Relation]string{cvd.Duplicate: "a duplicate of", cvd.Split: "split from", cvd.Incomplete: "an incomplete fix of"}

// revisions are those of the case's last package, the newest first.
func (d *Desk) revisions(ctx context.Context, p *cvd.Programme, n Names, c *cvd.Case, reader cvd.HolderID) []BoardRevision {
	out := []BoardRevision{}
	if len(c.Packages) == 0 {
		return out
	}
	pkg := p.Packages[c.Packages[len(c.Packages)-1]]
	holders := map[cvd.RevisionID]map[cvd.HolderID]bool{}
	for _, id := range pkg.Waves {
		w := p.Waves[id]
		for i := range w.Copies {
			if len(w.Copies[i].Fetches) == 0 {
				continue
			}
			if holders[w.Revision] == nil {
				holders[w.Revision] = map[cvd.HolderID]bool{}
			}
			holders[w.Revision][w.Audience[i]] = true
		}
	}
	for _, id := range slices.Backward(pkg.Revisions) {
		r := p.Revisions[id]
		x := BoardRevision{Revision: id, Number: r.Number, Level: r.Level.String(), Label: r.Label.String(), Made: r.Made.At, By: n.Account(r.Made.By), Holders: len(holders[id])}
		var text RevisionText
		if d.Text(ctx, CaseKey(c.ID), r.Title, &text) == nil {
			x.Title = text.Title
		}
		if r.Recall != nil {
			x.Recalled, x.Why = r.Recall.At, d.reason(ctx, c.ID, r.Recall.Reason)
			x.Mine = holders[id][reader]
			for _, a := range r.Recall.Acknowledged {
				x.Mine = x.Mine && a.Holder != reader
				if holders[id][a.Holder] {
					x.Acknowledged++
				}
			}
		}
		out = append(out, x)
	}
	return out
}

func (t *tally) member(m cvd.MemberID) BoardMember {
	row := BoardMember{Member: m, Tier: t.p.Members[m].Tier, Consent: t.p.ConsentOf(t.c.ID, m, t.now).String(), Old: t.old(cvd.HolderID(m))}
	if g := t.got[cvd.HolderID(m)]; g != nil {
		row.Fetched, row.Received = g.fetched, g.received
	}
	return row
}

func (t *tally) answers(n Names) []BoardAnswer {
	out := []BoardAnswer{}
	for _, x := range t.c.Products {
		counts := map[cvd.AnswerState]int{}
		for _, m := range t.c.ParticipantOrder {
			counts[t.said[saidKey{m, x}]]++
		}
		for s := cvd.NoAnswer; s <= cvd.Shipped; s++ {
			if counts[s] > 0 {
				out = append(out, BoardAnswer{n.Product(x), s.String(), counts[s]})
			}
		}
	}
	return out
}

func boardWave(p *cvd.Programme, n Names, w *cvd.Wave, i int, now time.Time) BoardWave {
	row := BoardWave{Wave: w.ID, Label: WaveLabel(i, w), Purpose: w.Purpose.String(), Revision: p.Revisions[w.Revision].Number, Level: w.Level.String(),
		State: p.WaveState(w.ID, now).String(), Why: notServed(p, n, w, now), OpensAt: w.OpensAt, Holders: len(w.Audience)}
	for i := range w.Copies {
		if len(w.Copies[i].Fetches) > 0 {
			row.Fetched++
		}
		if w.Copies[i].Receipt != nil {
			row.Received++
		}
	}
	return row
}

// notServed says why a wave's copies can't be fetched now; nothing when they can,
// or when its time just has not come.
func notServed(p *cvd.Programme, n Names, w *cvd.Wave, now time.Time) string {
	c := p.Cases[w.Case]
	switch {
	case w.Cancelled != nil:
		return "cancelled by " + n.Account(w.Cancelled.By)
	case p.Revisions[w.Revision].Recall != nil:
		return fmt.Sprintf("revision %d was recalled", p.Revisions[w.Revision].Number)
	case w.Statement == nil && w.Purpose == cvd.Staged && w.Approval == nil:
		return "waits for a second person"
	case w.Statement == nil:
		return "waits for the sealer"
	case w.Reask:
		return "the release time moved: waits for another approval"
	case c.Hold != nil:
		return "the case is held by " + n.Account(c.Hold.By)
	case w.Hold != nil:
		return "held by " + n.Account(w.Hold.By)
	case !w.LapsesAt.IsZero() && !now.Before(w.LapsesAt):
		return "its time to be served is over"
	case !w.Stored():
		return "copies are being stored"
	}
	return ""
}

// WaveLabel is what a case's i-th wave (from 0) is called for people.
func WaveLabel(i int, w *cvd.Wave) string {
	if w.Purpose == cvd.Preview {
		return fmt.Sprintf("preview %d", i+1)
	}
	return fmt.Sprintf("wave %d", i+1)
}

// SortMembers puts a case's members into an order: name, tier, consent, fetched,
// received or old, with '-' turned round; "" is the order of invitation.
func SortMembers(list []BoardMember, order string) {
	turn(list, order, map[string]func(a, b *BoardMember) int{
		"name":     func(a, b *BoardMember) int { return fold(a.Name, b.Name) },
		"tier":     func(a, b *BoardMember) int { return cmp.Compare(a.Tier, b.Tier) },
		"consent":  func(a, b *BoardMember) int { return cmp.Compare(a.Consent, b.Consent) },
		"fetched":  func(a, b *BoardMember) int { return cmp.Compare(a.Fetched, b.Fetched) },
		"received": func(a, b *BoardMember) int { return cmp.Compare(a.Received, b.Received) },
		"old":      func(a, b *BoardMember) int { return cmp.Compare(b.Old, a.Old) },
		"missed": func(a, b *BoardMember) int {
			switch {
			case a.Missed == b.Missed:
				return 0
			case a.Missed:
				return -1
			}
			return 1
		},
	})
}

// picture is a case's timeline as the log has it.
func (d *Desk) picture(ctx context.Context, p *cvd.Programme, c *cvd.Case) (timeline.Model, error) {
	in := leak.Inputs{Facts: leak.Facts{Reported: leak.Event{At: c.Reported, Entry: c.Opened.Seq}}}
	if len(c.Packages) > 0 {
		var err error
		if in.Facts, err = leak.Gather(p, c.Packages[len(c.Packages)-1], d.Names(ctx, p).Ref); err != nil {
			return timeline.Model{}, err
		}
	}
	for _, s := range c.Sightings {
		in.Seen = append(in.Seen, leak.Seen{Time: sighting.Interval{From: s.From, To: s.To}, Label: "in telemetry", Grade: s.Grade.String(), Entry: s.Seq})
	}
	return leak.Timeline(in), nil
}
