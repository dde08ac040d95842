package coordinator

import (
	"context"
	"fmt"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/leak"
	"forewarn/internal/sighting"
	"forewarn/internal/timeline"
)

// Board is a case as its staff see it.
type Board struct {
	Case     cvd.CaseID     `json:"case"`
	Title    string         `json:"title"`
	Embargo  string         `json:"embargo"`
	Release  time.Time      `json:"release,omitzero"`
	Alarm    string         `json:"alarm,omitempty"` // empty: none was raised
	Members  []BoardMember  `json:"members"`         // all that were ever invited
	Waves    []BoardWave    `json:"waves"`
	Answers  []BoardAnswer  `json:"answers"`
	Timeline timeline.Model `json:"-"`
}

// BoardMember is one member's row: where it stands, and what it wants before it
// can be shown content.
type BoardMember struct {
	Member   cvd.MemberID `json:"member"`
	Name     string       `json:"name"`
	Consent  string       `json:"consent"`
	Wanting  string       `json:"wanting,omitempty"`
	Fetched  int          `json:"fetched"`  // copies
	Received int          `json:"received"` // copies that a receipt was lodged for
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
	b := Board{Case: id, Members: []BoardMember{}, Waves: []BoardWave{}, Answers: []BoardAnswer{}}
	err := d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		b.Title, b.Embargo = n.Case(id), p.EmbargoState(id, now).String()
		if c.Alarm != nil {
			b.Alarm = p.AlarmState(id, now).String()
		}
		if c.Embargo != nil {
			b.Release = c.Embargo.Release.At
		}
		for _, m := range c.ParticipantOrder {
			b.Members = append(b.Members, boardMember(p, c, m, n.Member(m), now))
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
		var err error
		b.Timeline, err = d.picture(ctx, p, c)
		return err
	})
	return b, err
}

func boardMember(p *cvd.Programme, c *cvd.Case, m cvd.MemberID, name string, now time.Time) BoardMember {
	row := BoardMember{Member: m, Name: name, Consent: p.ConsentOf(c.ID, m, now).String()}
	if why := p.Eligible(cvd.HolderID(m), c.ID, cvd.Staged, now); why != nil {
		row.Wanting = whyNot(why)
	}
	for _, w := range c.Waves {
		if got := p.Waves[w].CopyOf(cvd.HolderID(m)); got != nil {
			if len(got.Fetches) > 0 {
				row.Fetched++
			}
			if got.Receipt != nil {
				row.Received++
			}
		}
	}
	return row
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
