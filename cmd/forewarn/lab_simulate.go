package main

import (
	"errors"
	"fmt"
	"strings"

	"forewarn/internal/collude"
	"forewarn/internal/fpcode"
	"forewarn/internal/plan"
	"forewarn/internal/rate"
)

type labSimulate struct {
	N       int     `help:"Copies issued; 100 if not given." name:"n" default:"100" placeholder:"N"`
	C       int     `help:"Of them merged; 1 if not given." name:"c" default:"1" placeholder:"C"`
	Attack  string  `help:"How; 'list' lists the ways, 'worst' and 'worst-values' search for the worst. 'minimax' if not given." default:"minimax" placeholder:"ATTACK"`
	Erasure float64 `help:"Share of marks that are lost whatever was merged; 0 if not given." placeholder:"SHARE"`
	Error   float64 `help:"Share of marks that are read wrong; 0 if not given." placeholder:"SHARE"`
	Alpha   float64 `help:"Family-wise; 1e-6 if not given." default:"1e-6" placeholder:"A"`
	Trials  int     `help:"200 if not given." default:"200" placeholder:"N"`
	Marks   int     `help:"Marks with two alternatives; without it the number is looked for at which one is caught in 95 %." placeholder:"M"`
	Profile string  `help:"The bias profile; 'default' if not given." default:"default" placeholder:"PROFILE"`
	Decoder string  `help:"joint/1 or single/1; the profile's if not given." placeholder:"NAME"`
	Seed    uint64  `help:"The same seed gives the same figures; 1 if not given." default:"1" placeholder:"S"`
}

func (*labSimulate) Help() string {
	return `Draws copies, merges some of them as an attack would, and has the decoder judge: how often one of them is accused, all of them, somebody else. Without --marks it says how many marks it takes. Intervals miss the true rate once in twenty. Ctrl-C ends it with what is known so far. More colluders, more trials, the search for a number of marks and --attack worst and worst-values take minutes.

Example:
  forewarn lab simulate --n 100 --c 2 --marks 120 --trials 50`
}

const (
	mostMarks    = 1 << 16
	searchTrials = 24  // of one strategy
	searchSteps  = 240 // strategies
)

func (c *labSimulate) Run(a *app) error {
	if c.Attack == "list" {
		return c.list(a)
	}
	s, err := c.setting()
	if err != nil {
		return err
	}
	v := fields{"copies": c.N, "colluders": c.C, "erasure": c.Erasure, "error": c.Error, "alpha": c.Alpha, "profile": s.Profile.String(), "decoder": s.Decoder, "seed": c.Seed, "trials": c.Trials}
	a.say("%s, %d merged, profile %v, %s, family-wise %s, seed %d.", count(c.N, "copy", "copies"), c.C, s.Profile, s.Decoder, fpcode.RoundUp2(c.Alpha), c.Seed)
	if c.searches() {
		f, err := c.worst(a, s)
		if err != nil && !errors.Is(err, collude.ErrStopped) {
			return err
		}
		v["strategy"] = fields{"first": f.First, "erased": f.Erased, "other": f.Other, "evaluations": f.Evaluations, "searched_at_marks": f.marks, "margin_while_searching": f.Margin}
		a.para("Worst of %d strategies, searched at %d marks: where k of %d copies show one alternative, that one stands with %s; nothing with %s; something else with %s.",
			f.Evaluations, f.marks, c.C, chances(f.First), chances(f.Erased), chances(f.Other))
		if err != nil {
			return c.stopped(a, v, "The search was stopped, and its strategy not judged.")
		}
		s.Attack = f.Attack
	}
	v["attack"] = s.Attack.Name
	a.say("Attack %s: %s.", s.Attack.Name, s.Attack.What)
	if c.Marks > 0 {
		return c.at(a, s, v)
	}
	return c.need(a, s, v)
}

func (c *labSimulate) setting() (s collude.Setting, err error) {
	s = collude.Setting{N: c.N, C: c.C, M: max(1, c.Marks), Erasure: c.Erasure, Error: c.Error, Alpha: c.Alpha, Decoder: c.Decoder, Classes: 1}
	if s.Profile, err = fpcode.ParseProfile(c.Profile); err != nil {
		return s, usage("%v", err)
	}
	if s.Decoder == "" {
		s.Decoder = s.Profile.Decoder()
	}
	name := c.Attack
	if c.searches() {
		if c.C < 2 {
			return s, usage("one copy has nothing to be merged with: --attack %s takes --c 2 or more", name)
		}
		name = "minimax"
	}
	if s.Attack, err = collude.Find(name); err != nil {
		return s, usage("%v, and 'worst' and 'worst-values'; --attack list says what they do", err)
	}
	if name == "carrier-split" {
		s.Classes = 4
	}
	switch {
	case c.Trials < 1 || c.Trials > mostTrials:
		return s, usage("--trials is from 1 to %d", mostTrials)
	case c.C < 1:
		return s, usage("--c is from 1")
	case c.Marks < 0 || c.Marks > mostMarks:
		return s, usage("--marks is from 1 to %d", mostMarks)
	case !(c.Alpha > 0 && c.Alpha < 1):
		return s, usage("--alpha is between 0 and 1")
	case c.N > 1_000_000:
		return s, usage("--n is up to 1000000")
	}
	if err := s.Check(); err != nil {
		return s, usage("%v", err)
	}
	return s, nil
}

func (c *labSimulate) list(a *app) error {
	var rows [][]string
	var values []fields
	for _, x := range collude.Attacks() {
		rows = append(rows, []string{x.Name, x.What})
		values = append(values, fields{"name": x.Name, "what": x.What})
	}
	for _, x := range [][]string{
		{"worst", "the symmetric strategy that a search finds to leave the decoder least"},
		{"worst-values", "likewise, of those that delete nothing: each mark shows what one of the copies has"},
	} {
		rows, values = append(rows, x), append(values, fields{"name": x[0], "what": x[1]})
	}
	return list(a, "", []string{"ATTACK", "AT EACH SITE"}, rows, values)
}

// at judges one number of marks.
func (c *labSimulate) at(a *app, s collude.Setting, v fields) error {
	s.M = c.Marks
	bar := a.bar("simulating")
	o, err := s.Run(c.Seed, c.Trials, func(done int) bool { bar(done, c.Trials); return a.Err() == nil })
	if err != nil && !errors.Is(err, collude.ErrStopped) {
		return err
	}
	v["marks"] = c.Marks
	outcome(v, o)
	if o.One.N > 0 {
		a.say("%d marks, %s:", c.Marks, count(o.One.N, "trial", "trials"))
		a.table([]string{"", "RATE", "95 % INTERVAL", "OF"}, [][]string{
			rateRow("one of them accused", o.One), rateRow("all of them accused", o.All), rateRow("somebody else accused", o.Wrong),
		})
	}
	if err != nil {
		return c.stopped(a, v, "Stopped: this is what was known.")
	}
	return c.end(a, v)
}

// need looks for how many marks it takes.
func (c *labSimulate) need(a *app, s collude.Setting, v fields) error {
	last, bar := 0, func(int, int) {}
	n, err := s.Marks(c.Seed, c.Trials, plan.Goal, mostMarks/4, func(m, done int) bool {
		if m != last {
			last, bar = m, a.bar(fmt.Sprintf("%d marks", m))
		}
		bar(done, c.Trials)
		return a.Err() == nil
	})
	if err != nil && !errors.Is(err, collude.ErrStopped) {
		return err
	}
	v["goal"] = plan.Goal
	if n.Enough > 0 {
		v["marks_needed"] = n.Enough
		outcome(v, n.Known)
	}
	if n.TooFew > 0 {
		v["too_few"] = n.TooFew
	}
	switch {
	case n.Enough > 0:
		a.para("%d marks are enough for %.0f %%: one is accused in %s %% of %d trials (95 %% interval %s); %d are too few (%s). Somebody else: %d of %d tested.",
			n.Enough, 100*plan.Goal, perCent(n.Known.One.Of()), n.Known.One.N, interval(n.Known.One), n.TooFew, interval(n.Missing.One), n.Known.Wrong.K, n.Known.Wrong.N)
	case err == nil:
		a.say("Not even %d marks are enough: one is accused in %s %% of %d trials.", n.TooFew, perCent(n.Missing.One.Of()), n.Missing.One.N)
	}
	if err != nil {
		return c.stopped(a, v, fmt.Sprintf("Stopped: more than %d marks are needed; how many was not found out.", n.TooFew))
	}
	return c.end(a, v)
}

// end prints what programs get.
func (c *labSimulate) end(a *app, v fields) error {
	if a.JSON {
		return a.printJSON(v)
	}
	return nil
}

// stopped is the end by Ctrl-C: what is known stands, and the exit code says that it is
// not all.
func (c *labSimulate) stopped(a *app, v fields, what string) error {
	v["stopped"] = true
	a.say("%s", what)
	if err := c.end(a, v); err != nil {
		return err
	}
	return a.Err()
}

func (c *labSimulate) searches() bool { return c.Attack == "worst" || c.Attack == "worst-values" }

type searched struct {
	collude.Found
	marks int
}

// worst searches at the marks that were given, or at what the minimax strategy
// takes.
func (c *labSimulate) worst(a *app, s collude.Setting) (f searched, err error) {
	if f.marks = c.Marks; f.marks == 0 {
		if f.marks, err = plan.Needed(s.Profile, c.C, c.N, c.Alpha, .5); err != nil {
			f.marks = 100 * c.C
		}
	}
	s.M = f.marks
	bar := a.bar("searching")
	f.Found, err = s.Search(c.Attack == "worst", c.Seed^0x5ea7c4, searchTrials, searchSteps, func(x collude.Found) bool {
		bar(min(x.Evaluations, searchSteps), searchSteps)
		return a.Err() == nil
	})
	return f, err
}

func outcome(v fields, o collude.Outcome) {
	of := func(r rate.Rate) fields { return fields{"rate": r.Of(), "k": r.K, "n": r.N, "lo": r.Lo, "hi": r.Hi} }
	v["catch_one"], v["catch_all"], v["false_accusations"], v["margin"] = of(o.One), of(o.All), of(o.Wrong), o.Margin
}

func rateRow(what string, r rate.Rate) []string {
	return []string{what, perCent(r.Of()) + " %", interval(r), fmt.Sprintf("%d/%d", r.K, r.N)}
}

func interval(r rate.Rate) string { return perCent(r.Lo) + "–" + perCent(r.Hi) + " %" }

// perCent is a rate in per cent, never with an exponent: whole from 10, and nearer
// at both ends, where a tenth matters.
func perCent(of float64) string {
	switch x := 100 * of; {
	case x < 1e-4: // what an interval leaves of none, by rounding
		return "0"
	case x < 1:
		return fmt.Sprintf("%.2g", x)
	case x < 10 || x > 99 && x < 99.95:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

func chances(p []float64) string {
	var out []string
	for k, x := range p {
		out = append(out, fmt.Sprintf("%.2f (k=%d)", x, k+1))
	}
	return strings.Join(out, ", ")
}
