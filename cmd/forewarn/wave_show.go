package main

import (
	"fmt"
	"strings"

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

func (c *waveShow) Run(a *app) error {
	return a.withWave(c.Wave, func(d *coordinator.Desk, by cvd.Actor, id cvd.WaveID) error {
		v, err := d.WaveView(a, by, id)
		if err != nil {
			return err
		}
		if v.Reask {
			v.State += ", asks for approval again"
		}
		now := d.Clock()
		if a.JSON {
			return a.printJSON(v)
		}
		a.say("Wave %s of %s  (%s)", id.Short(), line(v.Title), v.Case.Short())
		a.say("  %s, %s, revision %d, %s", v.Purpose, v.Level, v.Revision, v.Label)
		opens := "opens"
		if v.State == cvd.StateOpen.String() {
			opens = "opened"
		}
		a.say("  %s; %s %s, %s", v.State, opens, when(v.OpensAt), in(v.OpensAt, now))
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
