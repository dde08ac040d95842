package main

import (
	"errors"
	"path"
	"regexp"
	"slices"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/detect"
	"forewarn/internal/form"
	"forewarn/internal/sealer"
	"forewarn/internal/sighting"
)

// packages opens the packages of the cases that are open, or of the one that was
// named, and takes what of their last sources is looked for.
func (c *scanCmd) packages(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		var only cvd.CaseID
		if c.Case != "" {
			var err error
			if only, err = d.Case(a, by, c.Case); err != nil {
				return err
			}
		}
		var packages []cvd.PackageID
		titles := map[cvd.PackageID]string{}
		if err := d.View(func(p *cvd.Programme) error {
			n := d.Names(a, p)
			for _, id := range p.CaseOrder {
				phase := p.PhaseOf(id, d.Clock())
				if c.Case != "" && id != only || c.Case == "" && (phase == cvd.PhasePublic || phase == cvd.PhaseShredded) {
					continue
				}
				for _, pkg := range p.Cases[id].Packages {
					if err := p.May(by, cvd.ActOpenDraft, cvd.APackage(pkg), d.Clock()); err == nil {
						packages = append(packages, pkg)
						titles[pkg] = n.Case(id)
					} else if c.Case != "" {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if len(packages) == 0 {
			a.note("No open case has a package that you may open.")
		}
		for _, pkg := range packages {
			src, err := d.OpenDraft(a, by, pkg)
			if err != nil {
				return err
			}
			if err := c.packaged(a, titles[pkg], src); err != nil {
				return err
			}
		}
		return nil
	})
}

// packaged takes a source's Sigma rules, its indicators, and its texts in whatever
// copy. Copies differ in what people read of a rule only, so one wording stands for
// all.
func (c *scanCmd) packaged(a *app, title string, src carrier.Source) error {
	files, err := carrier.Renderings(src, checkKey)
	var f *form.Form
	if err == nil {
		f, _, _, err = carrier.CompileFor(src, checkKey, sealer.Profile, nil)
	}
	var refused carrier.Refusals
	if errors.As(err, &refused) {
		a.note("The last draft of %s doesn't compile, so it is passed over; 'forewarn package check' says why.", line(title))
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		text := f.Texts[0]
		for _, s := range src.Files {
			if f.Bulk && s.Path == f.Path {
				text = string(s.Data)
			}
		}
		ref := title + "/" + path.Clean(f.Path)
		switch {
		case f.Format == "sigma":
			if err := c.rules.Add(ref, text); err != nil {
				a.note("%s; passed over", line(err.Error()))
			}
		case f.Format == "csv":
			found, reports, err := detect.Indicators(text, ref)
			if err != nil {
				a.note("%s; passed over", line(err.Error()))
			}
			for _, r := range reports {
				a.note("%s", line(r.String()))
			}
			c.found.Indicators = append(c.found.Indicators, found...)
		case licence.MatchString(path.Base(f.Path)):
			c.found.Public = append(c.found.Public, []byte(text))
		}
	}
	c.found.Texts = append(c.found.Texts, slices.DeleteFunc(sighting.Texts(title, f), func(t sighting.Text) bool { return licence.MatchString(path.Base(t.Ref)) })...)
	return nil
}

// licence is the names of files that everybody has: what stands in them is nobody's
// excerpt.
var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|drl)[-.0-9a-z]*$`)
