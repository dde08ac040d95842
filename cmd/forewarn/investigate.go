package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
	"forewarn/internal/leak"
)

type investigateCmd struct {
	Case     string   `arg:"" help:"Title or id."`
	Specimen []string `arg:"" help:"Recovered files: pastes, scripts, rules, log lines."`
	Found    string   `help:"When the specimens were first known to exist; else now." placeholder:"TIME"`
	Edits    string   `help:"Readings put right by hand, as --look writes them. Frozen before any key is opened; nothing is concluded from them." placeholder:"FILE"`
	Look     string   `help:"Only read: write what each marked place shows to this new file, as a text for --edits. Freezes nothing and opens no key. Keep it secret." placeholder:"FILE"`
	Out      string   `help:"A new folder for the findings page, the findings and the dossier; else the first free findings-N." short:"o" placeholder:"DIR"`
}

func (*investigateCmd) Help() string {
	return `Reads the specimens, freezes what was read on two logs, has the codebook opened, and writes findings.html, findings.json and findings.dossier. The same specimens again are the same run. 'Cannot say' is a result.

Example:
  forewarn investigate Layout paste.txt probe.py --found 2026-12-05T08:00:00Z -o inquiry-1 --as ina`
}

const maxSpecimen = 256 << 20

func (c *investigateCmd) Run(a *app) error {
	specimens, err := c.specimens(a)
	if err != nil {
		return err
	}
	var edits *form.Edits
	if c.Edits != "" {
		b, err := a.read(c.Edits, 16<<20)
		if err != nil {
			return err
		}
		if edits, err = form.ParseEdits(b); err != nil {
			return fmt.Errorf("%q: %w", c.Edits, err)
		}
	}
	if c.Look != "" {
		return c.look(a, specimens)
	}
	if c.Out == "" {
		c.Out = freeFolder("findings")
	} else if _, err := os.Lstat(c.Out); err == nil {
		return exists(c.Out)
	}
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		office, err := h.Inquiry(a)
		if err != nil {
			return err
		}
		defer office.Close()
		office.Step = func(s string) { a.note("%s", s) }
		out, err := office.Investigate(a, d, by, inquiry.Question{Case: id, Specimens: specimens, Edits: edits})
		if err != nil {
			return err
		}
		text, err := out.Findings.Marshal()
		if err != nil {
			return err
		}
		err = folder.WriteNew(c.Out, []form.Output{{Path: "findings.dossier", Data: out.Dossier}, {Path: "findings.html", Data: out.Page}, {Path: "findings.json", Data: text}})
		if err != nil {
			return fmt.Errorf("%w: the findings are on the inquiry's log, and could not be written: %w; the same specimens again give the same findings", errKept, err)
		}
		if a.JSON {
			return a.writeJSON(text)
		}
		dossier := filepath.Join(c.Out, "findings.dossier")
		fmt.Fprint(a.out, clean(leak.Text(&out.Findings, a.width())))
		a.say("")
		a.say("page     %s", filepath.Join(c.Out, "findings.html"))
		a.say("dossier  %s", dossier)
		a.say("findings %s: %s", out.Kept.Name(), out.Kept.Life.Stage)
		a.say("verify   forewarn verify dossier %s --log-key %s", shown(dossier), h.LogKey())
		return nil
	})
}

// look writes what was read, and does nothing else.
func (c *investigateCmd) look(a *app, specimens []inquiry.Specimen) error {
	if _, err := os.Lstat(c.Look); err == nil {
		return exists(c.Look)
	}
	return a.withInquiry(func(d *coordinator.Desk, o *home.Office, by cvd.Actor) error {
		id, err := d.Case(a, by, c.Case)
		if err != nil {
			return err
		}
		text, err := o.Look(a, d, by, inquiry.Question{Case: id, Specimens: specimens})
		if err != nil {
			return err
		}
		if err := create(c.Look, text, 0o600); err != nil {
			return err
		}
		return a.done(fields{"edits": c.Look}, "Wrote %s. Change what a place shows as it says, and give it to --edits. Nothing was frozen.", c.Look)
	})
}

// specimens reads what was found.
func (c *investigateCmd) specimens(a *app) (out []inquiry.Specimen, err error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	found := evidence.Window{To: now}
	if c.Found != "" {
		t, err := parseTime(c.Found, now)
		if err != nil {
			return nil, err
		}
		if t.After(now) {
			return nil, usage("nothing is found in the future: %s", when(t))
		}
		found.To = t.Truncate(time.Microsecond)
	}
	for _, name := range c.Specimen {
		b, err := a.read(name, maxSpecimen)
		if err != nil {
			return nil, err
		}
		if len(b) == 0 {
			return nil, fmt.Errorf("%w: %q is empty", errInput, name)
		}
		out = append(out, inquiry.Specimen{Specimen: form.Specimen{Name: line(filepath.Base(name)), Data: b}, Found: found})
	}
	return out, nil
}

// freeFolder is the first of NAME-1, NAME-2, … that isn't there.
func freeFolder(name string) string {
	for n := 1; ; n++ {
		dir := fmt.Sprintf("%s-%d", name, n)
		if _, err := os.Lstat(dir); err != nil {
			return dir
		}
	}
}
