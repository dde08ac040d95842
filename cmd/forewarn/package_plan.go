package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/fpcode"
	"forewarn/internal/plan"
)

type packagePlan struct {
	Source    string   `arg:"" help:"The source folder."`
	Alpha     float64  `help:"How often a leak may be laid to some copy that it isn't from; 1e-6 if not given." default:"1e-6" placeholder:"A"`
	Members   int      `help:"How many copies will be issued; 100 if not given." default:"100" placeholder:"N"`
	Profile   string   `help:"The bias profile; 'default' if not given." default:"default" placeholder:"PROFILE"`
	Colluders int      `help:"Look at up to so many merged copies; 6 if not given." default:"6" placeholder:"C"`
	Erasure   float64  `help:"Share of marks that won't be read; 0 if not given." placeholder:"SHARE"`
	File      string   `help:"The text that excerpts are from; the prose with most marks if not given." placeholder:"PATH"`
	Goal      []string `help:"Say what to add so that any such part names one of so many: third:2, 1/6:1." placeholder:"SHARE:C"`
	Out       string   `help:"Write the power curves as a picture; never over a file that is there." short:"o" placeholder:"PLAN.svg"`
}

func (*packagePlan) Help() string {
	return `Says what could be traced from how much of the text, when how many copies are merged, and what to add. Nothing is kept. A share is the contiguous part that holds the least. 'Without wording' leaves out choices in prose, which a rewriter with a list of synonyms reaches first. doc/lab.md says what the figures rest on.

Example:
  forewarn package plan examples/advisory --goal third:2 -o plan.svg`
}

func (c *packagePlan) Run(a *app) error {
	q := plan.Question{Copies: c.Members, Alpha: c.Alpha, Erasure: c.Erasure, Colluders: c.Colluders, File: c.File}
	var err error
	if q.Profile, err = fpcode.ParseProfile(c.Profile); err != nil {
		return usage("%v", err)
	}
	if err := q.Check(); err != nil {
		return usage("%v", err)
	}
	var wants []plan.Want
	for _, g := range c.Goal {
		w, err := plan.ParseWant(g)
		if err != nil {
			return usage("%v", err)
		}
		wants = append(wants, w)
	}
	if c.Out != "" {
		if _, err := os.Lstat(c.Out); err == nil {
			return exists(c.Out)
		}
	}
	src, err := a.source(c.Source)
	if err != nil {
		return err
	}
	m, report, layouts, err := carrier.Lay(src, checkKey, q.Profile)
	if err != nil {
		return err
	}
	p, err := plan.New(q, report, layouts)
	if err != nil {
		return usage("%v", err)
	}
	var missing []plan.Missing
	for _, w := range wants {
		x, err := p.Missing(w)
		if errors.Is(err, plan.ErrBeyond) {
			x.Needed = 0
		} else if err != nil {
			return usage("%v", err)
		}
		missing = append(missing, x)
	}
	if c.Out != "" {
		if err := create(c.Out, []byte(p.SVG(720)), 0o644); err != nil {
			return err
		}
	}
	if a.JSON {
		return a.printJSON(planOf(m.Title, p, missing, c.Out))
	}
	a.say("%s", m.Title)
	a.plan(p)
	a.missing(p, missing)
	if c.Out != "" {
		a.say("\npicture  %s", c.Out)
	}
	return nil
}

// plan shows a plan.
func (a *app) plan(p *plan.Plan) {
	a.say("Profile %v, %s, family-wise %g.\n", p.Profile, count(p.Copies, "copy", "copies"), p.Alpha)
	rows := [][]string{partRow("all files", "", p.Everything)}
	for _, x := range p.Parts {
		name := p.Main
		if x.Share > 1 {
			name = fmt.Sprintf("any %v of it", x.Share)
		}
		rows = append(rows, partRow(name, fmt.Sprintf("%d–%d", x.From, x.To), x))
	}
	a.table([]string{"PART", "LINES", "SITES", "MARKS", "TRACED", "STRICTEST α", "WITHOUT WORDINGS"}, rows)
	a.say("")
	if p.Everything.All.Sites == 0 {
		a.say("Nothing can be traced: no place is marked. 'forewarn package suggest' proposes marks.")
		return
	}
	a.para("Lines: where that part holds least. Marks: what its sites are worth, counted in sites with two alternatives; one with more counts as several. Traced: of so many copies, merged in the worst way that was simulated, one is accused with %.0f %%. Strictest α: the family-wise probability of a false accusation at which a single copy still is. Without wordings: what is left, and traced, if somebody writes all prose in words of their own.", 100*plan.Goal)
	switch {
	case p.Weak():
		a.para("\nThere is nothing to draw: not even all of %s traces a single copy in one leak of twenty.", p.Main)
	case len(p.Curve) > 0:
		a.say("")
		a.para("Probability of accusing one, by share of %s. The digit is how many copies are merged; where curves meet, the greatest:", p.Main)
		a.say("")
		a.say("%s", strings.TrimSuffix(p.Text(a.width()), "\n"))
	}
}

func partRow(name, lines string, x plan.Part) []string {
	return []string{name, lines, fmt.Sprint(x.All.Sites), fmt.Sprintf("%.0f", math.Floor(x.All.Marks)), upTo(x.All), alphaOf(x.All), count(int(x.Robust.Marks), "mark", "marks") + ": " + upTo(x.Robust)}
}

func upTo(r plan.Reach) string {
	switch r.Traced {
	case 0:
		return "none"
	case 1:
		return "one copy"
	}
	return fmt.Sprintf("one of up to %d", r.Traced)
}

func alphaOf(r plan.Reach) string {
	switch {
	case r.AlphaOf >= 1:
		return "–"
	case r.AlphaOf < 1e-15:
		return "below 1e-15"
	}
	return fpcode.RoundUp2(r.AlphaOf)
}

func (a *app) missing(p *plan.Plan, all []plan.Missing) {
	if len(all) > 0 {
		a.say("")
	}
	for _, m := range all {
		of := "any " + m.Share.String() + " of " + p.Main
		if m.Share == 1 {
			of = "the whole of " + p.Main
		}
		merged := "one copy"
		if m.Colluders > 1 {
			merged = fmt.Sprintf("one of %d merged copies", m.Colluders)
		}
		switch {
		case m.Needed == 0:
			a.para("Goal %v: out of reach; it takes more marks than were simulated.", m.Want)
		case m.InTotal == 0:
			a.para("Goal %v: reached: %s names %s. It takes %s, and %s.", m.Want, of, merged, count(m.Needed, "mark", "marks"), leastHas(m))
		default:
			a.para("Goal %v: %s missing, so that %s names %s. It takes %d, and %s.%s", m.Want, count(m.InTotal, "mark is", "marks are"), of, merged, m.Needed, leastHas(m), apart(m))
			if m.Share == 1 {
				a.say("  Add %d, anywhere in it.", m.InTotal)
				continue
			}
			a.say("Add")
			for _, x := range m.Grouped() {
				if x.From == x.To {
					a.say("  %d at line %d", x.Marks, x.To)
				} else {
					a.say("  %d spread over lines %d to %d", x.Marks, x.From, x.To)
				}
			}
		}
	}
}

// leastHas says what the part has that has least.
func leastHas(m plan.Missing) string {
	if m.Share == 1 {
		return fmt.Sprintf("it has %d", m.Least)
	}
	return fmt.Sprintf("the %v with fewest has %d", m.Share, m.Least)
}

// apart says why more are missing than one part lacks.
func apart(m plan.Missing) string {
	if m.InTotal <= m.Needed-m.Least {
		return ""
	}
	return " More are missing than that one lacks, since parts that don't overlap each need their own."
}

// planOf is a plan for programs.
func planOf(title string, p *plan.Plan, missing []plan.Missing, out string) fields {
	reach := func(r plan.Reach) fields {
		return fields{"sites": r.Sites, "marks": r.Marks, "catch_one": r.Catch, "colluders_traced": r.Traced, "alpha_for_one_copy": r.AlphaOf}
	}
	parts, curve, goals := []fields{}, []fields{}, []fields{}
	for _, x := range p.Parts {
		parts = append(parts, fields{"share": x.Share.String(), "from_line": x.From, "to_line": x.To, "all": reach(x.All), "without_wording": reach(x.Robust)})
	}
	for _, x := range p.Curve {
		curve = append(curve, fields{"share": x.Of, "catch_one": x.Catch})
	}
	for _, m := range missing {
		add := []fields{}
		for _, x := range m.Add {
			add = append(add, fields{"marks": x.Marks, "at_line": x.At})
		}
		goals = append(goals, fields{"goal": m.Want.String(), "reachable": m.Needed > 0, "needed": m.Needed, "least": m.Least, "missing": m.InTotal, "add": add})
	}
	v := fields{
		"title": title, "profile": p.Profile.String(), "copies": p.Copies, "alpha": p.Alpha, "erasure": p.Erasure, "decoder": p.Table.Decoder, "goal_probability": plan.Goal,
		"table": p.Table.Command(), "text": p.Main, "everything": fields{"all": reach(p.Everything.All), "without_wording": reach(p.Everything.Robust)},
		"parts": parts, "curve": curve, "goals": goals,
	}
	if out != "" {
		v["picture"] = out
	}
	return v
}
