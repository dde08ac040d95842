package coordinator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/timeline"
)

// Board is a case as its staff see it.
type Board struct {
	Case     cvd.CaseID     `json:"case"`
	Title    string         `json:"title"`
	Embargo  string         `json:"embargo"`
	Release  time.Time      `json:"release,omitzero"`
	Waves    []BoardWave    `json:"waves"`
	Answers  []BoardAnswer  `json:"answers"`
	Timeline timeline.Model `json:"-"`
}

// BoardWave is one wave's row.
type BoardWave struct {
	Wave     cvd.WaveID `json:"wave"`
	Label    string     `json:"label"`
	Level    string     `json:"level"`
	State    string     `json:"state"`
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
	b := Board{Case: id}
	err := d.View(func(p *cvd.Programme) error {
		now := d.now()
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		b.Title, b.Embargo = n.Case(id), p.EmbargoState(id, now).String()
		if c.Embargo != nil {
			b.Release = c.Embargo.Release.At
		}
		for i, w := range c.Waves {
			b.Waves = append(b.Waves, boardWave(p, w, i, now))
		}
		for _, x := range c.Products {
			counts := map[cvd.AnswerState]int{}
			for _, m := range c.ParticipantOrder {
				state, _ := p.AnswerOf(id, m, x)
				counts[state]++
			}
			for s := cvd.NoAnswer; s <= cvd.Shipped; s++ {
				if counts[s] > 0 {
					b.Answers = append(b.Answers, BoardAnswer{n.Product(x), s.String(), counts[s]})
				}
			}
		}
		b.Timeline = Timeline(p, id, now)
		return nil
	})
	return b, err
}

func boardWave(p *cvd.Programme, id cvd.WaveID, i int, now time.Time) BoardWave {
	w := p.Waves[id]
	row := BoardWave{Wave: id, Label: WaveLabel(i, w), Level: w.Level.String(), State: p.WaveState(id, now).String(), OpensAt: w.OpensAt, Holders: len(w.Audience)}
	for _, c := range w.Copies {
		if len(c.Fetches) > 0 {
			row.Fetched++
		}
		if c.Receipt != nil {
			row.Received++
		}
	}
	return row
}

// WaveLabel is what a case's i-th wave (from 0) is called for people.
func WaveLabel(i int, w *cvd.Wave) string {
	if w.Purpose == cvd.Preview {
		return fmt.Sprintf("preview %d", i+1)
	}
	return fmt.Sprintf("wave %d", i+1)
}

// Timeline is a case from its report on, as the log has it. Names are left out:
// tiers and counts say enough.
func Timeline(p *cvd.Programme, id cvd.CaseID, now time.Time) timeline.Model {
	c := p.Cases[id]
	m := timeline.Model{Title: "Case timeline", Report: timeline.Point{At: c.Reported, Label: "Report", Entry: c.Opened.Seq}}
	if c.Embargo != nil {
		m.Release = timeline.Point{At: c.Embargo.Release.At, Label: "Release, as agreed", Entry: c.Embargo.Seq}
	}
	if c.Released != nil {
		m.Release = timeline.Point{At: c.Released.At, Label: "Release", Entry: c.Released.Seq}
	}
	if c.Ended != nil {
		m.EmbargoAt, m.Broken = timeline.Point{At: c.Ended.At, Label: "Embargo ended", Entry: c.Ended.Seq}, true
	}
	for i, wid := range c.Waves {
		w := p.Waves[wid]
		if w.Sealed == nil || w.Cancelled != nil || w.Purpose == cvd.Preview {
			continue
		}
		m.Bands = append(m.Bands, timeline.Band{Label: WaveLabel(i, w), Level: w.Level.String(), Opens: w.OpensAt, Ends: w.LapsesAt, Holders: len(w.Audience), Entry: w.Sealed.Seq})
		for at, one := range w.Copies {
			tier := "staff"
			if member, ok := p.Members[cvd.MemberID(w.Audience[at])]; ok {
				tier = fmt.Sprintf("tier %d", member.Tier)
			}
			for _, f := range one.Fetches {
				m.Fetches = append(m.Fetches, timeline.Fetch{At: f.At, Tier: tier, Entry: f.Seq})
			}
		}
	}
	slices.SortStableFunc(m.Fetches, func(a, b timeline.Fetch) int { return a.At.Compare(b.At) })
	for _, a := range c.Answers {
		m.Answers = append(m.Answers, timeline.Point{At: a.At, Label: a.State.String(), Entry: a.Seq})
	}
	for _, s := range c.Sightings {
		m.Sightings = append(m.Sightings, timeline.Sighting{From: s.From, To: s.To, Label: "in telemetry", Entry: s.Seq})
	}
	return m
}
