package coordinator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"forewarn/internal/cvd"
)

// CaseRow is a case on the board of all cases, as staff see it.
type CaseRow struct {
	Case      cvd.CaseID `json:"case"`
	Title     string     `json:"title"`
	Embargo   string     `json:"embargo"`
	Release   time.Time  `json:"release,omitzero"` // as it was, or as it is agreed
	Alarm     string     `json:"alarm,omitempty"`  // empty: none was raised
	Held      bool       `json:"held"`
	Decisions []Decision `json:"decisions"` // the first first
	Counts    *Counts    `json:"counts,omitempty"`
}

// Decision is something that waits for a person.
type Decision struct {
	What string     `json:"what"`
	Wave cvd.WaveID `json:"wave,omitzero"` // that it is about
	On   string     `json:"on"`            // alarm, wave, embargo, heads-up, release, package or invitations
	Due  bool       `json:"due"`           // somebody waits for it; else it is what comes next
}

// Counts is a case in numbers. Answers are counted by member and product, of
// those who are invited and did not decline.
type Counts struct {
	Invited    int `json:"invited"`
	Signatory  int `json:"signatories"`
	NoCopy     int `json:"no_copy"`     // of the invited: fetched none yet
	NotReached int `json:"not_reached"` // something waits for them in the case, and no notice of it was seen; for who may view deliveries
	Answers    int `json:"answers"`     // that could be: without those that said 'not affected'
	Ready      int `json:"ready"`       // of them: ready or shipped
	NoAnswer   int `json:"no_answer"`   // of them
	OldOnes    int `json:"old"`         // members whose newest copy is of an older revision
}

// CaseBoard lists all cases whose title has some words in it, in the order that
// is asked for: title, embargo, release, waits, or newest for "". A '-' before it
// turns it round. The counts are left to CountCases, which takes its time.
func (d *Desk) CaseBoard(ctx context.Context, by cvd.Actor, words, order string) (out []CaseRow, err error) {
	low := strings.ToLower(words)
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActListCases, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for _, id := range slices.Backward(p.CaseOrder) {
			c := p.Cases[id]
			row := CaseRow{Case: id, Title: d.title(ctx, c), Embargo: p.EmbargoState(id, now).String(), Held: c.Hold != nil}
			if low != "" && !strings.Contains(strings.ToLower(row.Title), low) && !strings.HasPrefix(id.String(), low) {
				continue
			}
			row.Release = releaseOf(c)
			if c.Alarm != nil {
				row.Alarm = p.AlarmState(id, now).String()
			}
			row.Decisions = decisions(p, c, now)
			out = append(out, row)
		}
		return nil
	})
	turn(out, order, map[string]func(a, b *CaseRow) int{
		"title":   func(a, b *CaseRow) int { return fold(a.Title, b.Title) },
		"embargo": func(a, b *CaseRow) int { return cmp.Compare(a.Embargo, b.Embargo) },
		"release": func(a, b *CaseRow) int { return late(a.Release, b.Release) },
		"waits":   func(a, b *CaseRow) int { return cmp.Compare(due(b.Decisions), due(a.Decisions)) },
	})
	return out, err
}

// due counts what somebody waits for.
func due(all []Decision) (n int) {
	for _, x := range all {
		if x.Due {
			n++
		}
	}
	return n
}

// fold compares names as people look them up: capitals count only between names
// that are else the same.
func fold(a, b string) int {
	i := 0
	for ; i < len(a) && i < len(b) && a[i] < utf8.RuneSelf && b[i] < utf8.RuneSelf; i++ {
		if x, y := small(a[i]), small(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return cmp.Or(cmp.Compare(strings.ToLower(a[i:]), strings.ToLower(b[i:])), cmp.Compare(a, b))
}

func small(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// late compares times; one that is not set is after all others.
func late(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// turn sorts a list by one of its orders, which may have a '-' before it. What
// is no order of it leaves it as it is; so do ties. Rows are large, so their places
// are sorted, and each row is moved once.
func turn[T any](list []T, order string, by map[string]func(a, b *T) int) {
	name, down := strings.CutPrefix(order, "-")
	less := by[name]
	if less == nil {
		return
	}
	places := make([]int, len(list))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(i, j int) int {
		if down {
			return cmp.Or(less(&list[j], &list[i]), i-j)
		}
		return cmp.Or(less(&list[i], &list[j]), i-j)
	})
	sorted := make([]T, len(list))
	for i, from := range places {
		sorted[i] = list[from]
	}
	copy(list, sorted)
}

// decisions are what waits in a case, the most urgent first, and then what comes
// next if nothing waits.
func decisions(p *cvd.Programme, c *cvd.Case, now time.Time) []Decision {
	out := []Decision{}
	add := func(on, what string, due bool) { out = append(out, Decision{What: what, On: on, Due: due}) }
	embargo := p.EmbargoState(c.ID, now)
	if c.Alarm != nil {
		switch p.AlarmState(c.ID, now) {
		case cvd.AlarmRaised:
			add("alarm", "an alarm is raised: acknowledge it", true)
		case cvd.AlarmInHand:
			add("alarm", "an alarm is acknowledged: decide about it", true)
		}
	}
	staged, drafted := false, false
	for i, id := range c.Waves {
		w := p.Waves[id]
		s := p.WaveState(id, now)
		staged = staged || w.Purpose == cvd.Staged
		if w.Purpose != cvd.Staged || s == cvd.StateCancelled || s == cvd.StateSuperseded {
			continue
		}
		drafted = true
		if embargo != cvd.Active && embargo != cvd.Revise {
			continue
		}
		switch {
		case w.Reask:
			out = append(out, Decision{WaveLabel(i, w) + " asks for approval again: the release time moved", id, "wave", true})
		case s == cvd.StateDraft:
			out = append(out, Decision{WaveLabel(i, w) + " asks for approval", id, "wave", true})
		}
	}
	if embargo == cvd.Proposed || embargo == cvd.Revise {
		add("embargo", fmt.Sprintf("proposal %d of an embargo waits for agreement", len(c.Proposals)), true)
	}
	if h := p.HeadsUpOf(c.ID); h != nil && p.HeadsUpState(h.ID, now) == cvd.HeadsUpOverdue {
		add("heads-up", "the time that the public was told has passed: release the case, or change or withdraw the heads-up", true)
	}
	if c.Shredded != nil || c.Released != nil {
		return out
	}
	if embargo == cvd.EmbargoLifted {
		add("release", "the embargo is over: release the case, with its advisory", true)
		return out
	}
	if len(out) > 0 {
		return out
	}
	switch {
	case embargo == cvd.NoEmbargo:
		add("embargo", "agree an embargo", false)
	case len(c.Participants) == 0:
		add("invitations", "invite members", false)
	case len(c.Packages) == 0 || len(p.Packages[c.Packages[len(c.Packages)-1]].Revisions) == 0:
		add("package", "add the package", false)
	case !drafted && staged:
		add("draft", "draft a wave: those before were recalled or cancelled", false)
	case !drafted:
		add("draft", "draft the first wave", false)
	}
	return out
}

// CountCases fills in the counts of these rows. Answers are counted for who may
// see them.
func (d *Desk) CountCases(by cvd.Actor, rows []CaseRow) error {
	return d.View(func(p *cvd.Programme) error {
		now, missed := d.at(p), d.missed(p, by)
		for i := range rows {
			if p.May(by, cvd.ActViewExposure, cvd.ACase(rows[i].Case), now) != nil {
				continue
			}
			c := p.Cases[rows[i].Case]
			counts := newTally(p, c, now).counts(p.May(by, cvd.ActViewAnswers, cvd.ACase(c.ID), now) == nil)
			counts.NotReached = len(missed[c.ID])
			rows[i].Counts = &counts
		}
		return nil
	})
}

// tally is what the members of a case have and said, gathered by walking over
// each wave and each answer once.
type tally struct {
	p      *cvd.Programme
	c      *cvd.Case
	now    time.Time
	newest uint32 // number of the newest revision that went out, of the last package
	got    map[cvd.HolderID]*gotten
	said   map[saidKey]cvd.AnswerState
}

// gotten is what one holder has of a case.
type gotten struct {
	fetched, received int
	revision          uint32 // the newest of the last package that it fetched; 0: none
}

type saidKey struct {
	member  cvd.MemberID
	product cvd.ProductID
}

func newTally(p *cvd.Programme, c *cvd.Case, now time.Time) *tally {
	t := &tally{p: p, c: c, now: now, got: map[cvd.HolderID]*gotten{}, said: map[saidKey]cvd.AnswerState{}}
	for _, id := range c.Waves {
		w := p.Waves[id]
		last := len(c.Packages) > 0 && w.Package == c.Packages[len(c.Packages)-1]
		rev := p.Revisions[w.Revision]
		if last && w.Purpose != cvd.Preview && w.Cancelled == nil && w.Statement != nil && rev.Recall == nil && !now.Before(w.OpensAt) {
			t.newest = max(t.newest, rev.Number)
		}
		for i := range w.Copies {
			x := &w.Copies[i]
			if len(x.Fetches) == 0 {
				continue
			}
			g := t.got[w.Audience[i]]
			if g == nil {
				g = &gotten{}
				t.got[w.Audience[i]] = g
			}
			g.fetched++
			if x.Receipt != nil {
				g.received++
			}
			if last {
				g.revision = max(g.revision, rev.Number)
			}
		}
	}
	for i := range c.Answers {
		a := &c.Answers[i]
		t.said[saidKey{a.Member, a.Product}] = a.State
	}
	return t
}

// old is the revision that a holder has while a newer one went out; 0: it has
// none, or the newest.
func (t *tally) old(h cvd.HolderID) uint32 {
	if g := t.got[h]; g != nil && g.revision > 0 && g.revision < t.newest {
		return g.revision
	}
	return 0
}

func (t *tally) counts(answers bool) (n Counts) {
	for _, m := range t.c.ParticipantOrder {
		s := t.p.ConsentOf(t.c.ID, m, t.now)
		if s == cvd.Signatory {
			n.Signatory++
		}
		if t.old(cvd.HolderID(m)) > 0 {
			n.OldOnes++
		}
		if s == cvd.Declined {
			continue
		}
		n.Invited++
		if t.got[cvd.HolderID(m)] == nil {
			n.NoCopy++
		}
		if !answers {
			continue
		}
		for _, x := range t.c.Products {
			switch t.said[saidKey{m, x}] {
			case cvd.NotAffected:
				continue
			case cvd.NoAnswer:
				n.NoAnswer++
			case cvd.Ready, cvd.Shipped:
				n.Ready++
			}
			n.Answers++
		}
	}
	return n
}
