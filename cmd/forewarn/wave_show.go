package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type waveShow struct {
	Wave string `arg:"" help:"Id, or CASE/2 for a case's second wave."`
}

func (*waveShow) Help() string {
	return `What a second person looks at before approving it, and everybody later.

Example:
  forewarn wave show Layout/1 --as ben`
}

// shownWave is a wave as its staff see it.
type shownWave struct {
	Wave     cvd.WaveID    `json:"wave"`
	Case     cvd.CaseID    `json:"case"`
	Title    string        `json:"title"`
	Purpose  string        `json:"purpose"`
	Revision uint32        `json:"revision"`
	Label    string        `json:"tlp"`
	Level    string        `json:"level"`
	State    string        `json:"state"`
	OpensAt  time.Time     `json:"opens_at"`
	LapsesAt time.Time     `json:"lapses_at,omitzero"`
	Drafted  []string      `json:"drafted_by"`
	Approved string        `json:"approved_by,omitempty"`
	Holders  []shownHolder `json:"holders"`
}

type shownHolder struct {
	Holder   cvd.HolderID `json:"holder"`
	Name     string       `json:"name"`
	Staff    bool         `json:"staff,omitempty"`
	Tier     uint8        `json:"tier,omitempty"`
	Fetched  time.Time    `json:"fetched,omitzero"`
	Received time.Time    `json:"received,omitzero"`
}

func (c *waveShow) Run(a *app) error {
	return a.withWave(c.Wave, func(d *coordinator.Desk, by cvd.Actor, id cvd.WaveID) error {
		var v shownWave
		now := d.Clock()
		err := d.View(func(p *cvd.Programme) error {
			if err := p.May(by, cvd.ActViewExposure, cvd.ACase(p.Waves[id].Case), now); err != nil {
				return err
			}
			v = showWave(p, d.Names(a, p), p.Waves[id], now)
			return nil
		})
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(v)
		}
		a.say("Wave %s of %s  (%s)", id.Short(), line(v.Title), v.Case.Short())
		a.say("  %s, %s, revision %d, %s", v.Purpose, v.Level, v.Revision, v.Label)
		a.say("  %s; opens %s, %s", v.State, when(v.OpensAt), in(v.OpensAt, now))
		if !v.LapsesAt.IsZero() {
			a.say("  served until %s", when(v.LapsesAt))
		}
		a.say("  drafted by %s", line(strings.Join(v.Drafted, ", ")))
		if v.Approved != "" {
			a.say("  approved by %s", line(v.Approved))
		}
		a.say("")
		var rows [][]string
		for _, h := range v.Holders {
			tier := "staff"
			if !h.Staff {
				tier = fmt.Sprint(h.Tier)
			}
			rows = append(rows, []string{h.Name, tier, when(h.Fetched), when(h.Received)})
		}
		a.table([]string{"HOLDER", "TIER", "FETCHED", "RECEIVED"}, rows)
		return nil
	})
}

func showWave(p *cvd.Programme, n coordinator.Names, w *cvd.Wave, now time.Time) shownWave {
	rev := p.Revisions[w.Revision]
	v := shownWave{
		Wave: w.ID, Case: w.Case, Title: n.Case(w.Case), Purpose: w.Purpose.String(), Revision: rev.Number, Label: rev.Label.String(),
		Level: w.Level.String(), State: p.WaveState(w.ID, now).String(), OpensAt: w.OpensAt, LapsesAt: w.LapsesAt, Drafted: []string{}, Holders: []shownHolder{},
	}
	if w.Reask {
		v.State += ", asks for approval again"
	}
	for _, id := range w.Drafters {
		v.Drafted = append(v.Drafted, n.Account(id))
	}
	if w.Approval != nil {
		v.Approved = n.Account(w.Approval.By)
	}
	for _, h := range w.Audience {
		row := shownHolder{Holder: h}
		row.Name, row.Staff = n.Holder(h)
		if m := p.Members[cvd.MemberID(h)]; m != nil {
			row.Tier = m.Tier
		}
		if c := w.CopyOf(h); c != nil {
			if len(c.Fetches) > 0 {
				row.Fetched = c.Fetches[0].At
			}
			if c.Receipt != nil {
				row.Received = c.Receipt.At
			}
		}
		v.Holders = append(v.Holders, row)
	}
	slices.SortFunc(v.Holders, func(a, b shownHolder) int { // staff first, as tier 0
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.Name, b.Name))
	})
	return v
}
