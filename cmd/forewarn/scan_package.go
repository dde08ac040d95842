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
func (c *sought) packages(a *app, name string, watched bool) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		var only cvd.CaseID
		if name != "" {
			if only, err = d.Case(a, by, name); err != nil {
				return err
			}
		}
		all, err := c.wanted(a, d, by, only, watched)
		if err != nil {
			return err
		}
		return c.open(a, d, by, all)
	})
}

// wanted is the packages of one case, or of all that are open and that whoever asks
// may open; with watched, of those that something can leak of.
func (c *sought) wanted(a *app, d *coordinator.Desk, by cvd.Actor, only cvd.CaseID, watched bool) (out []opened, err error) {
	var cases []cvd.CaseID
	if watched {
		if cases, err = d.WatchedCases(by); err != nil {
			return nil, err
		}
	}
	err = d.View(func(p *cvd.Programme) error {
		n, names := d.Names(a, p), map[string]cvd.CaseID{}
		for _, id := range p.CaseOrder {
			phase := p.PhaseOf(id, d.Clock())
			switch {
			case !only.IsZero() && id != only,
				only.IsZero() && (phase == cvd.PhasePublic || phase == cvd.PhaseShredded),
				only.IsZero() && watched && !slices.Contains(cases, id):
				continue
			}
			for _, pkg := range p.Cases[id].Packages {
				if err := p.May(by, cvd.ActOpenDraft, cvd.APackage(pkg), d.Clock()); err != nil {
					if !only.IsZero() {
						return err
					}
					continue
				}
				drafts := p.Packages[pkg].Drafts
				x := opened{pkg, id, n.Case(id), drafts[len(drafts)-1].Source}
				if other, taken := names[x.name]; taken && other != id {
					x.name += " (" + id.Short() + ")"
				}
				names[x.name] = id
				out = append(out, x)
			}
		}
		return nil
	})
	return out, err
}

// open opens packages and takes what they hold.
func (c *sought) open(a *app, d *coordinator.Desk, by cvd.Actor, all []opened) error {
	if len(all) == 0 {
		c.note(a, "No open case has a package that you may open.")
	}
	c.opened, c.of = all, map[string]cvd.CaseID{}
	for _, x := range all {
		src, err := d.OpenDraft(a, by, x.pkg)
		if err != nil {
			return err
		}
		if err := c.packaged(a, x, src); err != nil {
			return err
		}
	}
	return nil
}

// packaged takes a source's Sigma rules, its indicators, and its texts in whatever
// copy. Copies differ in what people read of a rule only, so one wording stands for
// all.
func (c *sought) packaged(a *app, x opened, src carrier.Source) error {
	files, err := carrier.Renderings(src, checkKey)
	var f *form.Form
	if err == nil {
		f, _, _, err = carrier.CompileFor(src, checkKey, sealer.Profile, nil)
	}
	var refused carrier.Refusals
	if errors.As(err, &refused) {
		c.note(a, "The last draft of %s doesn't compile, so it is passed over; 'forewarn package check' says why.", line(x.name))
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
		ref := x.name + "/" + path.Clean(f.Path)
		c.of[ref] = x.of
		switch {
		case f.Format == "sigma":
			if err := c.rules.Add(ref, text); err != nil {
				c.note(a, "%s; passed over", line(err.Error()))
			}
		case f.Format == "csv":
			found, reports, err := detect.Indicators(text, ref)
			if err != nil {
				c.note(a, "%s; passed over", line(err.Error()))
			}
			for _, r := range reports {
				c.note(a, "%s", line(r.String()))
			}
			c.found.Indicators = append(c.found.Indicators, found...)
		case licence.MatchString(path.Base(f.Path)):
			c.found.Public = append(c.found.Public, []byte(text))
		}
	}
	texts := slices.DeleteFunc(sighting.Texts(x.name, f), func(t sighting.Text) bool { return licence.MatchString(path.Base(t.Ref)) })
	for _, t := range texts {
		c.of[t.Ref] = x.of
	}
	c.found.Texts = append(c.found.Texts, texts...)
	return nil
}

// licence is the names of files that everybody has: what stands in them is nobody's
// excerpt.
var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|drl)[-.0-9a-z]*$`)
