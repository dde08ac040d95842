package main

import (
	"fmt"
	"slices"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/suggest"
)

type packageSuggest struct {
	Source string `arg:"" help:"The source folder. It is not changed."`
	Out    string `help:"Write here: a file of proposals, or with --apply a new source folder. Proposals go to standard output if not given." short:"o" placeholder:"PATH"`
	Apply  string `help:"Mark what has a name after approved-by: in this file of proposals." placeholder:"FILE"`
}

func (*packageSuggest) Help() string {
	return `Proposes places in plain prose where copies may differ: wordings, lists, dates, lengths. Read the file, write your name after approved-by: where you answer for it that all alternatives mean the same, and apply it. What nobody approved is left out; who approved what is kept in the new source's approvals.yaml, which is in no copy.

Example:
  forewarn package suggest drafts/layout -o proposals.yaml
  forewarn package suggest --apply proposals.yaml drafts/layout -o layout`
}

func (c *packageSuggest) Run(a *app) error {
	if c.Apply != "" && c.Out == "" {
		return usage("--apply writes a new source folder: name it with -o")
	}
	src, err := a.source(c.Source)
	if err != nil {
		return err
	}
	if c.Apply != "" {
		return c.apply(a, src)
	}
	list, err := suggest.Propose(src)
	if err != nil {
		return err
	}
	switch {
	case a.JSON && c.Out == "":
		return a.printJSON(proposalsOf(list))
	case c.Out == "", c.Out == "-", c.Out == "/dev/stdout":
		// Texts of the source are in double quotes, with what a terminal would act
		// upon as escapes.
		_, err := fmt.Fprint(a.out, suggest.Write(list))
		return err
	}
	if err := create(c.Out, []byte(suggest.Write(list)), 0o600); err != nil {
		return err
	}
	v := fields{"file": c.Out, "proposals": len(list)}
	if len(list) == 0 {
		return a.done(v, "Wrote %s: there is nothing to propose.", c.Out)
	}
	w := worth(src, list)
	if w != nil {
		v["bits_now"], v["bits_if_all_approved"] = w.now, w.all
	}
	if a.JSON {
		return a.printJSON(v)
	}
	a.say("Wrote %s to %s.", count(len(list), "proposal", "proposals"), c.Out)
	a.para("Write your name after approved-by: under those you answer for; 'forewarn package suggest --apply' marks them.")
	const most = 10
	kept := suggest.KeptLists(src)
	for _, k := range kept[:min(len(kept), most)] {
		a.para("note: the list at %s:%d keeps its order: %s.", k.File, k.Line, k.Why)
	}
	if more := len(kept) - most; more > 0 {
		a.say("note: %s more that keep their order.", count(more, "list", "lists"))
	}
	if w != nil {
		a.say("If all were approved the package would hold %.0f bits; now it holds %.0f.", w.all, w.now)
	}
	return nil
}

// gain is what a source's marks hold, in bits, without and with all proposals.
type gain struct{ now, all float64 }

// worth applies all proposals in memory, as if one person had approved them; nil if
// they can't stand together.
func worth(src carrier.Source, list []suggest.Proposal) *gain {
	all := slices.Clone(list)
	for i := range all {
		all[i].ApprovedBy = "nobody"
	}
	marked, _, err := suggest.Apply(src, all, time.DateOnly)
	if err != nil {
		return nil
	}
	var g gain
	for _, x := range []struct {
		src carrier.Source
		to  *float64
	}{{src, &g.now}, {marked, &g.all}} {
		_, _, r, err := carrier.CompileFor(x.src, checkKey, fpcode.Default, nil)
		if err != nil {
			return nil
		}
		*x.to = r.Bits.Bits()
	}
	return &g
}

func (c *packageSuggest) apply(a *app, src carrier.Source) error {
	text, err := a.read(c.Apply, suggest.MaxFile)
	if err != nil {
		return err
	}
	list, err := suggest.Read(string(text))
	if err != nil {
		return err
	}
	marked, approvals, err := suggest.Apply(src, list, time.Now().Format(time.DateOnly))
	if err != nil {
		return err
	}
	var out []form.Output
	for _, f := range marked.Files {
		out = append(out, form.Output{Path: f.Path, Data: f.Data})
	}
	if err := folder.WriteNew(c.Out, out); err != nil {
		return err
	}
	v := fields{"source": c.Out, "approved": len(approvals), "left_out": len(list) - len(approvals)}
	switch {
	case a.JSON:
		return a.printJSON(v)
	case len(approvals) == 0:
		a.para("Nothing was marked: no proposal has a name after approved-by:. %s is the source as it was.", c.Out)
	default:
		a.para("Wrote %s with %d of %s marked; the others have no name. %s says who approved which.", c.Out, len(approvals), count(len(list), "proposal", "proposals"), carrier.ApprovalsPath)
	}
	return nil
}

// proposalsOf is a list of proposals for programs.
func proposalsOf(list []suggest.Proposal) []fields {
	out := []fields{}
	for _, p := range list {
		out = append(out, fields{"file": p.File, "line": p.Line, "col": p.Col, "kind": p.Kind, "before": p.Before, "quote": p.Quote, "after": p.After,
			"value": p.Value, "alternatives": p.Alternatives, "safe_when": p.When})
	}
	return out
}
