package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
	"forewarn/internal/leak"
	"forewarn/internal/sighting"
	"forewarn/internal/token"
)

// width is the terminal's, or that of a printed page.
func (a *app) width() int {
	if f, ok := a.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w >= 40 {
			return min(w, 160)
		}
	}
	return 100
}

type scanCmd struct {
	Path      []string      `arg:"" help:"Files or folders: Suricata EVE, W3C or IIS logs, other text, plain or .gz; - is standard input."`
	Indicator []string      `help:"Also look for this: host:NAME, address:IP, path:PATH, hash:HEX or constant:TEXT." placeholder:"KIND:VALUE"`
	Skew      time.Duration `help:"How far the source's clock may be off." default:"1s"`
	Zone      string        `help:"A local zone in which the source may have written its times." placeholder:"ZONE"`
	Case      string        `help:"Record the first sighting in this case; needs --as." placeholder:"CASE"`
}

func (*scanCmd) Help() string {
	return `Looks for tokens of any copy, and for indicators, in one pass. Prints one JSON object a sighting with --json: source, byte offset, line, length, time interval, what. What can't be read is reported, and the scan goes on.

Example:
  forewarn scan /var/log/suricata/eve.json --indicator path:/portal/layout/import --case Layout --as cleo`
}

// sighted is a sighting as JSON lines have it.
type sighted struct {
	Source  string    `json:"source"`
	Offset  int64     `json:"offset"`
	Line    int64     `json:"line"`
	Length  int       `json:"length"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Basis   string    `json:"time_basis"`
	What    string    `json:"what"` // token, host, path, …
	Value   string    `json:"value"`
	Field   string    `json:"field,omitempty"`
	Through string    `json:"through,omitempty"`
	Excerpt string    `json:"excerpt"`
}

func (c *scanCmd) Run(a *app) error {
	s := sighting.Scanner{Clock: sighting.Clock{Skew: c.Skew, Lag: time.Second}}
	if c.Zone != "" {
		z, err := time.LoadLocation(c.Zone)
		if err != nil {
			return usage("%q is not a zone: use an IANA name such as Europe/Stockholm", c.Zone)
		}
		s.Clock.Zone = z
	}
	for _, said := range c.Indicator {
		kind, value, ok := strings.Cut(said, ":")
		k, err := sighting.ParseKind(kind)
		if !ok || err != nil {
			return usage("%q is not an indicator: write host:NAME, address:IP, path:PATH, hash:HEX or constant:TEXT", said)
		}
		s.Indicators = append(s.Indicators, sighting.Indicator{Kind: k, Value: value})
	}
	h, err := home.Open(a.folder())
	switch {
	case err == nil:
		key, err := h.Recognition()
		if err != nil {
			return err
		}
		s.Rec = token.NewRecogniser(key)
	case len(s.Indicators) == 0:
		return err
	}
	var all []sighting.Sighting
	lines := json.NewEncoder(a.out)
	emit := func(x sighting.Sighting) error {
		all = append(all, sighting.Sighting{Observation: x.Observation, What: x.What})
		if a.JSON {
			return lines.Encode(asSighted(x))
		}
		y := asSighted(x)
		at := "at an unknown time"
		if x.Time.Known() {
			at = x.Time.String()
		}
		a.say("%s:%d  %s %s  %s", x.Source, x.Line, y.What, y.Value, at)
		return nil
	}
	var total sighting.Summary
	for _, p := range c.Path {
		if err := c.scan(a, &s, p, emit, &total); err != nil {
			return err
		}
	}
	first := sighting.First(all)
	a.say("%d sightings in %d records, %d bytes.", len(all), total.Records, total.Bytes)
	if first.Known() {
		a.say("The first at %s.", first)
	}
	if c.Case == "" || len(all) == 0 {
		return nil
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		_, err := d.RecordSighting(a, by, id, coordinator.Seen{Source: strings.Join(c.Path, " "), What: fmt.Sprintf("%d sightings", len(all)), From: first.From, To: first.To, Grade: cvd.GradeB})
		if err == nil {
			a.say("Recorded in case %s.", id.Short())
		}
		return err
	})
}

func asSighted(x sighting.Sighting) sighted {
	y := sighted{Source: x.Source, Offset: x.Offset, Line: x.Line, Length: x.Len, From: x.Time.From, To: x.Time.To, Basis: x.Basis.String(), Field: x.Field, Excerpt: sighting.Printable(x.Excerpt)}
	if x.Through != 0 {
		y.Through = x.Through.String()
	}
	if x.What.IsToken() {
		y.What, y.Value = "token", fmt.Sprintf("%016x", x.What.Token.L)
	} else {
		y.What, y.Value = x.What.Indicator.Kind.String(), x.What.Indicator.Value
	}
	return y
}

// scan reads a file, standard input, or every regular file below a folder.
func (c *scanCmd) scan(a *app, s *sighting.Scanner, path string, emit func(sighting.Sighting) error, total *sighting.Summary) error {
	if path == "-" {
		return c.stream(a, s, "standard input", a.in, emit, total)
	}
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == path {
				return err
			}
			a.note("%s: %v; passed over", name, err)
			return nil
		}
		if d.IsDir() || !d.Type().IsRegular() && name != path {
			return nil // links and devices below a folder are not followed
		}
		f, err := os.Open(name)
		if err != nil {
			a.note("%s: %v; passed over", name, err)
			return nil
		}
		defer f.Close()
		return c.stream(a, s, name, f, emit, total)
	})
}

func (c *scanCmd) stream(a *app, s *sighting.Scanner, name string, r io.Reader, emit func(sighting.Sighting) error, total *sighting.Summary) error {
	sum, err := s.Scan(name, r, emit)
	for _, p := range sum.Problems {
		a.note("%s: %s", name, p)
	}
	total.Bytes += sum.Bytes
	total.Records += sum.Records
	return err
}

type investigateCmd struct {
	Case     string   `arg:"" help:"Title or id."`
	Specimen []string `arg:"" help:"Recovered files: pastes, scripts, rules, log lines." type:"existingfile"`
	Found    string   `help:"When the specimens were first known to exist; else now." placeholder:"TIME"`
	Out      string   `help:"Folder for the findings page, the findings and the dossier." short:"o" default:"." placeholder:"DIR" type:"path"`
}

func (*investigateCmd) Help() string {
	return `Reads the specimens, freezes what was read on two logs, has the codebook opened, and writes findings.html, findings.json and findings.dossier. The same specimens again are the same run. 'Cannot say' is a result.

Example:
  forewarn investigate Layout paste.txt probe.py --found 2026-12-05T08:00:00Z -o inquiry-1 --as ina`
}

const maxSpecimen = 256 << 20

func (c *investigateCmd) Run(a *app) error {
	found := evidence.Window{To: time.Now().UTC().Truncate(time.Microsecond)}
	if c.Found != "" {
		t, err := parseTime(c.Found, time.Now())
		if err != nil {
			return err
		}
		found.To = t.UTC().Truncate(time.Microsecond)
	}
	var specimens []inquiry.Specimen
	for _, name := range c.Specimen {
		b, err := folder.ReadFile(name, maxSpecimen)
		if err != nil {
			return err
		}
		specimens = append(specimens, inquiry.Specimen{Specimen: form.Specimen{Name: filepath.Base(name), Data: b}, Found: found})
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
		out, err := office.Investigate(a, d, by, inquiry.Question{Case: id, Specimens: specimens})
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return err
		}
		text, err := out.Findings.Marshal()
		if err != nil {
			return err
		}
		for name, data := range map[string][]byte{"findings.html": out.Page, "findings.json": text, "findings.dossier": out.Dossier} {
			if err := replace(filepath.Join(c.Out, name), data); err != nil {
				return err
			}
		}
		if a.JSON {
			_, err := a.out.Write(text)
			return err
		}
		fmt.Fprint(a.out, clean(leak.Text(&out.Findings, a.width())))
		a.say("")
		a.say("page     %s", filepath.Join(c.Out, "findings.html"))
		a.say("dossier  %s", filepath.Join(c.Out, "findings.dossier"))
		a.say("verify   forewarn verify dossier %s --log-key %s", filepath.Join(c.Out, "findings.dossier"), h.LogKey())
		return nil
	})
}
