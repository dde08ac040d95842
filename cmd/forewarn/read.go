package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"forewarn/internal/carrier"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/galley"
)

type readCmd struct {
	Source   string   `arg:"" help:"The package's source folder."`
	Specimen []string `arg:"" help:"Recovered files: pastes, scripts, rules, log lines."`
	Out      string   `help:"The page to write; never over a file that is there." short:"o" required:"" placeholder:"PAGE.html"`
	Edits    string   `help:"Corrections by hand; the page says how they are written." placeholder:"FILE"`
	Profile  string   `help:"The bias profile that the source is compiled in; 'default' if not given." default:"default" placeholder:"PROFILE"`
	Reader   string   `help:"Which reader; align/2 if not given." default:"align/2" placeholder:"NAME"`
}

func (*readCmd) Help() string {
	return `Reads the specimens against the source and writes a page that shows the found text with every marked place in it: read, read with doubt, something else; what could stand there; and what is missing. No programme and no key is needed, and no codeword is opened. The page shows all alternatives: keep it as you keep the source.

Symbols are numbered by the Form that is compiled here, with a key that everybody has; a programme's sealed Form numbers them otherwise. Edits say which readings they are of, and hold for no others.

Example:
  forewarn read examples/advisory paste.txt probe.py -o galley.html --edits edits.txt`
}

func (c *readCmd) Run(a *app) error {
	if _, err := os.Lstat(c.Out); err == nil {
		return exists(c.Out)
	}
	sheet, err := c.sheet(a)
	if err != nil {
		return err
	}
	readings := sheet.Readings
	v := fields{"page": c.Out, "reader": readings.Reader, "form": fmt.Sprintf("%x", readings.Form), "readings": fmt.Sprintf("%x", readings.Hash())}
	if sheet.Edits != nil {
		edited, err := form.ApplyEdits(readings, sheet.Edits)
		if err != nil {
			return err
		}
		readings = &edited.Readings
		v["edits"], v["edited_readings"], v["edited"] = fmt.Sprintf("%x", edited.Edits), fmt.Sprintf("%x", readings.Hash()), len(sheet.Edits.List)
	}
	page, err := sheet.Page()
	if err != nil {
		return err
	}
	if err := create(c.Out, page, 0o600); err != nil {
		return err
	}
	value, other, erased := readings.Count()
	doubt := 0
	sites := []fields{}
	for i := range readings.Sites {
		s := &readings.Sites[i]
		x := fields{"site": fmt.Sprintf("%x", s.Site), "class": s.Class.String(), "state": s.State.String()}
		if s.State == fpcode.Value {
			x["symbol"], _ = s.Likeliest()
		}
		if len(s.Likelihood) > 0 {
			doubt++
			x["likelihood"] = s.Likelihood
		}
		sites = append(sites, x)
	}
	v["read"], v["with_doubt"], v["other"], v["erased"], v["sites"] = value-doubt, doubt, other, erased, sites
	if a.JSON {
		return a.printJSON(v)
	}
	rows := [][]string{
		{"read", strconv.Itoa(value - doubt)}, {"read, with doubt", strconv.Itoa(doubt)},
		{"something else", strconv.Itoa(other)}, {"not there, or unreadable", strconv.Itoa(erased)},
	}
	a.table([]string{"MARKED PLACES", strconv.Itoa(len(sites))}, rows)
	if sheet.Edits != nil {
		a.say("%s by hand. The reader's own readings stay beside them, and a finding has to stand on those.", count(len(sheet.Edits.List), "edit", "edits"))
	}
	a.say("readings  %s", v["readings"])
	a.say("page      %s", c.Out)
	return nil
}

// sheet reads everything that the page shows.
func (c *readCmd) sheet(a *app) (*galley.Sheet, error) {
	profile, err := fpcode.ParseProfile(c.Profile)
	if err != nil {
		return nil, usage("%v", err)
	}
	src, err := a.source(c.Source)
	if err != nil {
		return nil, err
	}
	f, m, _, err := carrier.CompileFor(src, checkKey, profile, nil)
	if err != nil {
		return nil, err
	}
	s := &galley.Sheet{Title: m.Title, Form: f}
	if len(c.Specimen) > form.MaxSpecimens {
		return nil, usage("at most %d specimens are read at once", form.MaxSpecimens)
	}
	for _, name := range c.Specimen {
		b, err := a.read(name, maxSpecimen)
		if err != nil {
			return nil, err
		}
		if len(b) == 0 {
			return nil, fmt.Errorf("%w: %q is empty", errInput, name)
		}
		s.Specimens = append(s.Specimens, form.Specimen{Name: line(filepath.Base(name)), Data: b})
	}
	readings, err := form.ReadVersion(f, c.Reader, s.Specimens)
	if err != nil {
		return nil, usage("%v", err)
	}
	s.Readings = &readings
	if c.Edits == "" {
		return s, nil
	}
	b, err := a.read(c.Edits, 1<<20)
	if err != nil {
		return nil, err
	}
	if s.Edits, err = form.ParseEdits(b); err != nil {
		return nil, fmt.Errorf("%q: %w", c.Edits, err)
	}
	return s, nil
}
