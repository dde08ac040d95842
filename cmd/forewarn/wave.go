package main

import (
	"fmt"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

type waveCmd struct {
	Draft   waveDraft   `cmd:"" help:"Draft a wave: which level, to whom, when."`
	Show    waveShow    `cmd:"" help:"Show a wave: what, to whom, who drafted and approved it."`
	Approve waveApprove `cmd:"" help:"Approve a wave as the second person; its copies are sealed at once."`
	Preview wavePreview `cmd:"" help:"Seal a copy to yourself, in your own marks."`
	List    waveList    `cmd:"" help:"List the waves."`
	Hold    waveHold    `cmd:"" help:"Stop serving one wave. One person, reversible."`
	Lift    waveLift    `cmd:"" help:"Lift a wave's hold."`
	Cancel  waveCancel  `cmd:"" help:"Cancel a wave before anybody has it."`
	Resume  waveResume  `cmd:"" help:"Seal what was approved and isn't sealed, and what is sealed to replaced keys."`
}

type waveDraft struct {
	Case   string `arg:"" help:"Title or id."`
	Level  string `help:"heads-up, description, detection, indicators or poc: each includes those before it." required:""`
	Opens  string `help:"When it opens; 'now': as soon as it is approved." required:"" placeholder:"TIME"`
	Lapses string `help:"When it is served no more." placeholder:"TIME"`
	audience
	Staff  []string `help:"A staff account that gets a copy too; may be repeated." placeholder:"ACCOUNT"`
	Amend  string   `help:"Change this wave instead of drafting a new one; that voids its approval." placeholder:"WAVE"`
	Widens string   `help:"The wave whose audience this one adds to." placeholder:"WAVE"`
}

func (*waveDraft) Help() string {
	return `A second person approves it: 'forewarn wave approve'. Nobody gets a copy by being left out of an audience; the empty audience is nobody.

Example:
  forewarn wave draft Layout --level poc --tier 1 --opens +5m --as ana`
}

func (c *waveDraft) Run(a *app) error {
	q := cvd.DraftWave{Purpose: cvd.Staged}
	var err error
	if q.Level, err = form.ParseLevel(c.Level); err != nil {
		return usage("%v", err)
	}
	if c.empty() && len(c.Staff) == 0 {
		return usage("say who is to read it: --member, --tier, --all or --staff")
	}
	if c.Opens == "now" { // as soon as it is approved
		c.Opens = "+1s"
	}
	if q.OpensAt, err = parseTime(c.Opens, time.Now()); err != nil {
		return err
	}
	if c.Lapses != "" {
		if q.LapsesAt, err = parseTime(c.Lapses, time.Now()); err != nil {
			return err
		}
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if err := c.gather(a, d, by, &q); err != nil {
			return err
		}
		if q.Revision, err = d.Revision(id, 0); err != nil {
			return err
		}
		wave, left, err := d.DraftFor(a, by, q)
		if err != nil {
			return err
		}
		holders := len(q.Audience) - len(left)
		if a.JSON {
			return a.printJSON(fields{"wave": wave, "holders": holders, "opens_at": q.OpensAt, "left_out": append([]coordinator.LeftOut{}, left...)})
		}
		a.say("Drafted wave %s: %s to %s, opening %s.", wave.Short(), q.Level, count(holders, "holder", "holders"), when(q.OpensAt))
		for _, l := range left {
			a.say("  left out: %s: %s", line(l.Name), l.Why)
		}
		a.say("It waits for a second person: forewarn wave approve %s --as ACCOUNT", wave.Short())
		return nil
	})
}

// gather fills in the audience, and the waves that were named.
func (c *waveDraft) gather(a *app, d *coordinator.Desk, by cvd.Actor, q *cvd.DraftWave) error {
	members, err := a.members(d, by, c.Member, c.Tier, c.All)
	if err != nil {
		return err
	}
	for _, m := range members {
		q.Audience = append(q.Audience, cvd.HolderID(m))
	}
	for _, s := range c.Staff {
		acc, err := d.Account(a, by, s)
		if err != nil {
			return err
		}
		q.Audience = append(q.Audience, cvd.HolderID(acc))
	}
	q.Audience = cvd.SortIDs(q.Audience)
	for _, x := range []struct {
		said string
		into *cvd.WaveID
	}{{c.Amend, &q.Wave}, {c.Widens, &q.Widens}} {
		if x.said != "" {
			if *x.into, err = d.Wave(a, by, x.said); err != nil {
				return err
			}
		}
	}
	return nil
}

type waveApprove struct {
	Wave string `arg:"" help:"Id, or CASE/2 for a case's second wave."`
}

func (*waveApprove) Help() string { return "Example:\n  forewarn wave approve Layout/1 --as ben" }

func (c *waveApprove) Run(a *app) error {
	return a.withWave(c.Wave, func(d *coordinator.Desk, by cvd.Actor, id cvd.WaveID) error {
		if err := d.Approve(a, by, id, a.bar("Sealing")); err != nil {
			return err
		}
		var w cvd.Wave
		if err := d.View(func(p *cvd.Programme) error { w = *p.Waves[id]; return nil }); err != nil {
			return err
		}
		opens, now := "with the next anchor", d.Clock() // its time may have come while nobody had approved it
		if now.Before(w.OpensAt) {
			opens = when(w.OpensAt) + ", " + in(w.OpensAt, now)
		}
		return a.done(fields{"wave": id, "copies": len(w.Audience), "opens_at": w.OpensAt},
			"Approved wave %s (%s) and sealed %s. It opens %s.", id.Short(), w.Level, count(len(w.Audience), "copy", "copies"), opens)
	})
}

// withWave is withDesk for a wave that somebody named.
func (a *app) withWave(name string, f func(*coordinator.Desk, cvd.Actor, cvd.WaveID) error) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Wave(a, by, name)
		if err != nil {
			return err
		}
		return f(d, by, id)
	})
}

type wavePreview struct {
	Case  string `arg:"" help:"Title or id."`
	Level string `help:"What an audience of this level will see." default:"poc"`
}

func (*wavePreview) Help() string {
	return `Your copy has your own marks, is committed to like any other, and needs your keys ('forewarn account keys').

Example:
  forewarn wave preview Layout --level detection --as ana`
}

func (c *wavePreview) Run(a *app) error {
	level, err := form.ParseLevel(c.Level)
	if err != nil {
		return usage("%v", err)
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		rev, err := d.Revision(id, 0)
		if err != nil {
			return err
		}
		wave, err := d.DraftWave(a, by, cvd.DraftWave{Revision: rev, Purpose: cvd.Preview, Level: level, Audience: []cvd.HolderID{cvd.HolderID(by.Account)}})
		if err != nil {
			return err
		}
		return a.done(fields{"wave": wave}, "Sealed a copy to you as wave %s: forewarn pull %s --as %s --wait", wave.Short(), wave.Short(), a.As)
	})
}

type waveList struct {
	Case string `help:"Only of this case." placeholder:"CASE"`
}

func (*waveList) Help() string { return "Example:\n  forewarn wave list --as ana" }

func (c *waveList) Run(a *app) error {
	type row struct {
		Wave    cvd.WaveID `json:"wave"`
		Case    cvd.CaseID `json:"case"`
		Label   string     `json:"label,omitempty"`
		Level   string     `json:"level"`
		State   string     `json:"state"`
		OpensAt time.Time  `json:"opens_at"`
		Holders int        `json:"holders,omitempty"`
		Asks    bool       `json:"asks_for_approval,omitempty"`
	}
	var only cvd.CaseID
	var values []row
	var rows [][]string
	err := a.withDesk(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		if c.Case != "" {
			if only, err = d.Case(a, by, c.Case); err != nil {
				return err
			}
		}
		return d.View(func(p *cvd.Programme) error {
			now, n := d.Clock(), d.Names(a, p)
			number := map[cvd.WaveID]int{}
			for _, cs := range p.Cases {
				for i, w := range cs.Waves {
					number[w] = i
				}
			}
			for _, id := range p.WaveOrder {
				w := p.Waves[id]
				if !only.IsZero() && w.Case != only || p.May(by, cvd.ActViewWave, cvd.AWave(id), now) != nil {
					continue
				}
				r := row{Wave: id, Case: w.Case, Level: w.Level.String(), State: p.WaveState(id, now).String(), OpensAt: w.OpensAt}
				title, holders, state := w.Case.Short(), "", r.State
				if p.May(by, cvd.ActReadCase, cvd.ACase(w.Case), now) == nil {
					title = n.Case(w.Case)
				}
				if p.May(by, cvd.ActViewExposure, cvd.ACase(w.Case), now) == nil {
					r.Holders, r.Label = len(w.Audience), coordinator.WaveLabel(number[id], w)
					holders = fmt.Sprint(r.Holders)
					if r.Asks = w.Reask || r.State == cvd.StateDraft.String(); w.Reask {
						state += ", asks for approval again"
					}
				}
				values = append(values, r)
				rows = append(rows, []string{id.Short(), title, r.Label, r.Level, state, when(w.OpensAt), in(w.OpensAt, now), holders})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return list(a, "No wave yet. Staff draft one with 'forewarn wave draft CASE'.", []string{"ID", "CASE", "WAVE", "LEVEL", "STATE", "OPENS", "", "HOLDERS"}, rows, values)
}

type waveHold struct {
	Wave   string `arg:"" help:"Id, or CASE/2 for a case's second wave."`
	Reason string `help:"Why; encrypted."`
}

func (*waveHold) Help() string {
	return "Example:\n  forewarn wave hold Layout/2 --reason \"rule 3 is wrong\" --as ana"
}

func (c *waveHold) Run(a *app) error {
	return a.withWave(c.Wave, func(d *coordinator.Desk, by cvd.Actor, id cvd.WaveID) error {
		why, err := a.reasonOf(d, id, c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.Hold{Wave: id, Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"wave": id, "held": true}, "Held: no copy of wave %s is served until 'forewarn wave lift %s'.", id.Short(), id.Short())
	})
}

// reasonOf keeps a reason with a wave's case.
func (a *app) reasonOf(d *coordinator.Desk, id cvd.WaveID, text string) (ref cvd.BlobRef, err error) {
	var cs cvd.CaseID
	if err := d.View(func(p *cvd.Programme) error { cs = p.Waves[id].Case; return nil }); err != nil {
		return ref, err
	}
	return d.Reason(a, coordinator.CaseKey(cs), text)
}

type waveLift struct {
	Wave string `arg:"" help:"Id, or CASE/2 for a case's second wave."`
}

func (*waveLift) Help() string { return "Example:\n  forewarn wave lift Layout/2 --as ana" }

func (c *waveLift) Run(a *app) error {
	return a.withWave(c.Wave, func(d *coordinator.Desk, by cvd.Actor, id cvd.WaveID) error {
		if _, err := d.Do(a, by, cvd.LiftHold{Wave: id}); err != nil {
			return err
		}
		return a.done(fields{"wave": id, "held": false}, "Lifted the hold of wave %s.", id.Short())
	})
}

type waveCancel struct {
	Wave   string `arg:"" help:"Id, or CASE/2 for a case's second wave."`
	Reason string `help:"Why; encrypted."`
}

func (*waveCancel) Help() string {
	return "Example:\n  forewarn wave cancel Layout/2 --reason \"wrong level\" --as ana"
}

func (c *waveCancel) Run(a *app) error {
	return a.withWave(c.Wave, func(d *coordinator.Desk, by cvd.Actor, id cvd.WaveID) error {
		why, err := a.reasonOf(d, id, c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.CancelWave{Wave: id, Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"wave": id, "cancelled": true}, "Cancelled wave %s. Nobody has it.", id.Short())
	})
}

type waveResume struct{}

func (*waveResume) Help() string {
	return "Run it after a crash, and when holders replaced keys.\n\nExample:\n  forewarn wave resume --as ana"
}

func (c *waveResume) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, _ cvd.Actor) error {
		n, err := d.Resume(a, a.bar("Sealing"))
		if err != nil {
			return err
		}
		return a.done(fields{"sealed": n}, "Sealed %s that waited for it.", count(n, "wave", "waves"))
	})
}
