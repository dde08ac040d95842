package main

import (
	"fmt"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/folder"
	"forewarn/internal/form"
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
	case c.Out == "" && a.JSON:
		return a.printJSON(proposalsOf(list))
	case c.Out == "":
		// Texts of the source are in double quotes, with what a terminal would act
		// upon as escapes.
		_, err := fmt.Fprint(a.out, suggest.Write(list))
		return err
	}
	if err := create(c.Out, []byte(suggest.Write(list)), 0o600); err != nil {
		return err
	}
	return a.done(fields{"file": c.Out, "proposals": len(list)},
		"Wrote %d proposals to %s. Write your name after approved-by: under those you answer for; 'forewarn package suggest --apply' marks them.", len(list), c.Out)
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
	return a.done(fields{"source": c.Out, "approved": len(approvals), "left_out": len(list) - len(approvals)},
		"Wrote %s with %d of %d proposals marked; the others have no name. %s says who approved which.", c.Out, len(approvals), len(list), carrier.ApprovalsPath)
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
