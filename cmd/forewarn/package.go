package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/fpcode"
	"forewarn/internal/sealer"
)

type packageCmd struct {
	Check       packageCheck       `cmd:"" help:"Check a source folder and say what would be traceable; nothing is kept."`
	Plan        packagePlan        `cmd:"" help:"Say what could be traced from how much of the text, and what to add."`
	Add         packageAdd         `cmd:"" help:"Add a source folder to a case, as a new revision."`
	Suggest     packageSuggest     `cmd:"" help:"Propose marks for plain prose, and mark those that a person approved."`
	Recall      packageRecall      `cmd:"" help:"Ask holders to stop using a revision."`
	Acknowledge packageAcknowledge `cmd:"" help:"Say that your member stopped using a recalled revision."`
}

type packageAdd struct {
	Case    string `arg:"" help:"Title or id."`
	Source  string `arg:"" help:"The source folder: Markdown, rules, indicators, PoC, and forewarn.yaml."`
	New     bool   `help:"Make a further package of the case instead of the next revision of its last one."`
	Profile string `help:"How marks are drawn: default, single, two-point, three-point or arcsine. Fixed by the first revision of a package; further ones have its." enum:",default,single,two-point,three-point,arcsine" default:""`
}

func (*packageAdd) Help() string {
	return `Compiles the folder to a Form and fixes it as a revision. doc/spec/source.md describes how choices, free lists and constants are marked.

The profile says how often each alternative is chosen, and by it how many holders may merge their copies and still be found. 'default' is for one to five; 'single' needs the fewest marks when one copy leaks, and is blind to three or more that are merged. A package keeps the profile of its first revision.

Example:
  forewarn package add Layout examples/advisory --as ana
  forewarn package add Layout examples/advisory --new --profile single --as ana`
}

func (c *packageAdd) Run(a *app) error {
	src, err := a.source(c.Source)
	if err != nil {
		return err
	}
	profile, err := profileOf(c.Profile)
	if err != nil {
		return err
	}
	// What would be refused is refused before anything is kept.
	if _, _, _, err := carrier.CompileFor(src, checkKey, cmp.Or(profile, sealer.Profile), nil); err != nil {
		return err
	}
	results, err := a.judge(src, "")
	if err != nil {
		return err
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		var pkg cvd.PackageID
		if !c.New {
			if err := d.View(func(p *cvd.Programme) error {
				if all := p.Cases[id].Packages; len(all) > 0 {
					pkg = all[len(all)-1]
				}
				return nil
			}); err != nil {
				return err
			}
		}
		added, err := d.AddRevision(a, by, id, pkg, profile, src)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(fields{"package": added.Package, "revision": added.Revision, "number": added.Number, "profile": added.Profile.String(), "report": reportOf(added.Report), "judged": judgedOf(results)})
		}
		a.say("Added %q as revision %d of package %s, profile %v.", added.Manifest.Title, added.Number, added.Package.Short(), added.Profile)
		a.report(added.Report)
		a.judged(results)
		return nil
	})
}

// profileOf reads a profile's name; none is 0.
func profileOf(name string) (fpcode.Profile, error) {
	if name == "" {
		return 0, nil
	}
	return fpcode.ParseProfile(name)
}

// source reads a source folder.
func (a *app) source(dir string) (carrier.Source, error) {
	// Opening what is no folder could wait for ever: a named pipe does.
	if i, err := os.Stat(dir); err == nil && !i.IsDir() {
		return carrier.Source{}, fmt.Errorf("%w: %q is a file, and a package's source is a folder", errInput, dir)
	}
	src, err := folder.LoadSource(dir)
	if err != nil && !errors.Is(err, folder.ErrRefused) {
		err = fmt.Errorf("%w: %w", errInput, err)
	}
	return src, err
}

// checkKey stands in for a package's bias key: which alternative stands for
// which symbol changes nothing of what is reported.
var checkKey = [32]byte{1}

// reportOf is a report for programs.
func reportOf(r carrier.Report) fields {
	files, warnings := []fields{}, []string{}
	for _, w := range r.Warnings {
		warnings = append(warnings, w.String())
	}
	for _, f := range r.Files {
		v := fields{"path": f.Path, "level": f.Level, "sites": f.Sites, "tokens": f.Tokens, "bits": f.Bits.Bits()}
		if f.Prose {
			v["bits_in_any_third"] = f.Third.Bits.Bits()
		}
		files = append(files, v)
	}
	return fields{"files": files, "sites": r.Sites, "tokens": r.Tokens, "bits": r.Bits.Bits(), "warnings": warnings}
}

// report shows what can be traced.
func (a *app) report(r carrier.Report) {
	var rows [][]string
	for _, f := range r.Files {
		third := "–"
		if f.Prose {
			third = fmt.Sprintf("%.0f", f.Third.Bits.Bits())
		}
		traced := fmt.Sprintf("%.0f", f.Bits.Bits())
		if f.Untraceable() {
			traced = "none"
		}
		rows = append(rows, []string{f.Path, f.Level.String(), fmt.Sprint(f.Sites), fmt.Sprint(f.Tokens), traced, third})
	}
	a.table([]string{"FILE", "LEVEL", "SITES", "TOKENS", "BITS", "BITS IN ANY THIRD"}, rows)
	if r.Sites == 0 {
		a.say("Nothing can be traced: no place is marked. 'forewarn package suggest' proposes marks.")
	} else {
		a.para("%s, %s and %s in all. Bits say how far copies can be told apart by what stands at the sites: about 27 that survive trace one copy of a hundred at 1e-6. 'Any third' is the one with fewest. 'forewarn package plan' says more.",
			count(int(r.Sites), "site", "sites"), count(int(math.Round(r.Bits.Bits())), "bit", "bits"), count(int(r.Tokens), "token", "tokens"))
	}
	for _, w := range r.Warnings {
		a.para("warning: %s", w)
	}
}

type packageCheck struct {
	Source  string `arg:"" help:"The source folder."`
	Case    string `help:"The case that it is for: warns of uses that are allowed before its planned release." placeholder:"CASE"`
	Profile string `help:"default, single, two-point, three-point or arcsine: as for 'package add'." enum:"default,single,two-point,three-point,arcsine" default:"default"`
	Corpus  string `help:"A folder of what the rules should and should not match: events in .json or .jsonl, captures in .pcap, and other files for YARA." placeholder:"DIR"`
}

func (*packageCheck) Help() string {
	return `Compiles the folder, and runs what members run (Suricata, YARA, an evaluation of Sigma) on variants of its rules that show every mark: all must be accepted and give the same verdict on what is made of the rules and on the corpus. A tool that isn't installed is named.

Example:
  forewarn package check examples/advisory
  forewarn package check examples/advisory --profile single --case Layout --as ana
  forewarn package check examples/advisory --corpus captures`
}

func (c *packageCheck) Run(a *app) error {
	src, err := a.source(c.Source)
	if err != nil {
		return err
	}
	profile, err := profileOf(c.Profile)
	if err != nil {
		return err
	}
	_, m, r, err := carrier.CompileFor(src, checkKey, profile, nil)
	if err != nil {
		return err
	}
	if c.Case != "" {
		if err := a.withCase(c.Case, func(d *coordinator.Desk, _ cvd.Actor, id cvd.CaseID) error {
			r.Warnings = append(r.Warnings, d.Early(id, *m)...)
			return nil
		}); err != nil {
			return err
		}
	}
	results, err := a.judge(src, c.Corpus)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(fields{"title": m.Title, "report": reportOf(r), "judged": judgedOf(results)})
	}
	a.say("%s", m.Title)
	a.report(r)
	a.judged(results)
	a.answerable(src)
	return nil
}

type packageRecall struct {
	Case   string `arg:"" help:"Title or id."`
	Number uint32 `arg:"" help:"Which revision of the case's last package."`
	Reason string `help:"Why; encrypted." required:""`
}

func (*packageRecall) Help() string {
	return "Example:\n  forewarn package recall Layout 1 --reason \"rule 3 blocks backups\" --as ana"
}

func (c *packageRecall) Run(a *app) error {
	if c.Number == 0 {
		return usage("revisions are counted from 1")
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		rev, err := d.Revision(id, c.Number)
		if err != nil {
			return err
		}
		why, err := d.Reason(a, coordinator.CaseKey(id), c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.IssueRecall{Revision: rev, Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"case": id, "revision": rev, "recalled": true}, "Recalled revision %d. Its waves are served no more; holders acknowledge with 'forewarn package acknowledge'.", c.Number)
	})
}

type packageAcknowledge struct {
	Case string `arg:"" help:"Title or id."`
}

func (*packageAcknowledge) Help() string {
	return "Example:\n  forewarn package acknowledge Layout --as mia"
}

func (c *packageAcknowledge) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		done, err := d.AcknowledgeRecalls(a, by, id)
		if err != nil {
			return err
		}
		numbers := []string{}
		for _, n := range done {
			numbers = append(numbers, fmt.Sprint(n))
		}
		return a.done(fields{"case": id, "revisions": done}, "Acknowledged: your member uses revision %s no more.", strings.Join(numbers, ", "))
	})
}
