package main

import (
	"errors"
	"os"
	"strings"

	"forewarn/internal/collude"
	"forewarn/internal/fpcode"
	"forewarn/internal/plan"
)

type labTabulate struct {
	Profile   string `help:"Which bias profile." required:"" placeholder:"PROFILE"`
	Colluders []int  `help:"How many copies are merged, from 1 to 6; all if not given." placeholder:"C"`
	Trials    int    `help:"Trials of each row; 100 if not given." default:"100" placeholder:"N"`
	Seed      uint64 `help:"1 if not given." default:"1" placeholder:"S"`
	Out       string `help:"The file to write; never over one that is there." short:"o" required:"" placeholder:"FILE"`
}

func (*labTabulate) Help() string {
	return `Simulates coalitions of one to six copies that do their worst, with ever more marks, and writes how much evidence there is: the table that 'forewarn package plan' looks up (internal/plan/tables). It takes minutes to hours.

Example:
  forewarn lab tabulate --profile default --trials 100 --seed 1 -o default.table`
}

func (c *labTabulate) Run(a *app) error {
	profile, err := fpcode.ParseProfile(c.Profile)
	if err != nil {
		return usage("%v", err)
	}
	if c.Trials < 20 || c.Trials > mostTrials {
		return usage("--trials is from 20 to %d", mostTrials)
	}
	if len(c.Colluders) == 0 {
		c.Colluders = []int{1, 2, 3, 4, 5, 6}
	}
	for _, k := range c.Colluders {
		if k < 1 || k > fpcode.MaxColluders {
			return usage("--colluders is from 1 to %d", fpcode.MaxColluders)
		}
	}
	if _, err := os.Lstat(c.Out); err == nil {
		return exists(c.Out)
	}
	t := plan.Table{Profile: profile, Decoder: profile.Decoder(), Copies: 100, Trials: c.Trials, Seed: c.Seed, Shares: collude.Shares}
	bar := a.bar("simulating")
	for i, k := range c.Colluders {
		bar(i, len(c.Colluders))
		s := collude.Setting{N: t.Copies, C: k, Profile: profile, Decoder: t.Decoder}
		lines, err := s.Tabulate(c.Seed, c.Trials, collude.Grid(k), func() bool { return a.Err() == nil })
		if errors.Is(err, collude.ErrStopped) {
			return a.Err()
		}
		if err != nil {
			return err
		}
		for _, l := range lines {
			t.Rows = append(t.Rows, plan.Row{Colluders: l.C, Marks: l.M, Bits: l.Bits, Attacks: strings.Join(l.Attacks, "+")})
		}
	}
	bar(len(c.Colluders), len(c.Colluders))
	if err := create(c.Out, []byte(t.String()), 0o644); err != nil {
		return err
	}
	return a.done(fields{"table": c.Out, "rows": len(t.Rows)}, "%s with %s.", c.Out, count(len(t.Rows), "row", "rows"))
}
