package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

type scanCmd struct {
	Path []string `arg:"" help:"Files or folders: Suricata EVE, Zeek, access logs, W3C or IIS logs, syslog, other text, plain or compressed; - is standard input."`
	sought
	Skew   *time.Duration `help:"How far the source's clock may be off; 1s if nothing is said." placeholder:"DURATION"`
	Lag    *time.Duration `help:"How long after a request the source may stamp its record, such as nginx and Suricata do; 1s if nothing is said." placeholder:"DURATION"`
	Zone   string         `help:"A local zone in which the source may have written its times." placeholder:"ZONE"`
	Year   int            `help:"The year of logs that state none, such as syslog's, as they would write it." placeholder:"YEAR"`
	Case   string         `help:"Record what is seen in this case; needs --as." placeholder:"CASE"`
	All    bool           `help:"Record it in every case that something can leak of."`
	Source string         `help:"The declared source that this comes from: what is seen raises the alarm. Its clock is as declared." placeholder:"SOURCE"`
	Follow bool           `help:"Go on reading as the files grow, through rotation, until stopped."`
	Notify string         `help:"With --follow: call who is on duty with this command. See 'forewarn alarm call'." placeholder:"COMMAND"`

	read     int  // files
	yearless bool // a time was left unknown that a year would give
}

func (*scanCmd) Help() string {
	return `Looks for tokens of any copy, for excerpts of embargoed texts, for indicators, and for records that Sigma rules hold for, in one pass. doc/scan.md says which of Sigma is evaluated, and on which logs. Prints one JSON object a sighting with --json: source, byte offset, line, length, time interval, what. What can't be read is reported, and the scan goes on.

With --source, each sighting is recorded once, however often a file is scanned or --follow is stopped: how far it was read stands in the log. --follow opens the programme only to append.

Example:
  forewarn scan /var/log/suricata/eve.json --follow --source 'edge sensor' --all --as ana
  forewarn scan /var/log/suricata/eve.json --indicator path:/portal/layout/import --case Layout --as ana
  forewarn scan /var/log/iis --rule rules/web --package --case Layout --as ana`
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
	What    string    `json:"what"` // token, text, rule, host, path, …
	Value   string    `json:"value"`
	Words   int       `json:"words,omitempty"` // of a text
	Key     string    `json:"key,omitempty"`   // the recognition key's name, of a token
	Ref     string    `json:"ref,omitempty"`   // where an indicator is from
	Field   string    `json:"field,omitempty"`
	Through string    `json:"through,omitempty"`
	Excerpt string    `json:"excerpt"`
}

func (c *scanCmd) Run(a *app) error {
	if err := c.together(); err != nil {
		return err
	}
	if err := c.there(); err != nil {
		return err
	}
	s, err := c.scanner(a)
	if err != nil {
		return err
	}
	if c.Source != "" {
		return c.declared(a, s)
	}
	// A name that is wrong is told now, not after an hour of reading.
	if c.Case != "" {
		if err := a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
			return d.View(func(p *cvd.Programme) error {
				return p.May(by, cvd.ActRecordSighting, cvd.ACase(id), d.Clock())
			})
		}); err != nil {
			return err
		}
	}
	var first sighting.Interval
	kinds := map[string]int{}
	all := 0
	emit := func(x sighting.Sighting) error {
		all++
		kinds[x.What.Kind()]++
		first = sighting.First([]sighting.Sighting{{Observation: sighting.Observation{Time: first}}, x})
		y := asSighted(x)
		if x.What.IsToken() {
			y.Key = fmt.Sprintf("%x", s.Rec.ID())
		}
		if a.JSON {
			b, err := json.Marshal(y)
			if err != nil {
				return err
			}
			return a.writeJSON(append(b, '\n'))
		}
		at := "at an unknown time"
		if x.Time.Known() {
			at = x.Time.String()
		}
		a.say("%s:%d  %s %s  %s", line(x.Source), x.Line, y.What, line(y.Value), at)
		return nil
	}
	var total sighting.Summary
	if err := a.inBlocks(c.Path, func() error {
		for _, p := range c.Path {
			if err := c.scan(a, s, p, emit, &total); err != nil {
				return err
			}
		}
		return c.nothing()
	}); err != nil {
		return err
	}
	by := ""
	for i, kind := range slices.Sorted(maps.Keys(kinds)) {
		by += []string{": ", ", "}[min(i, 1)] + fmt.Sprint(kind, " ", kinds[kind])
	}
	if s.Texts == nil && !c.Package {
		a.note("Excerpts and indicators of packages were not looked for: that takes --package, and --as somebody who may open them.")
	}
	a.say("%s in %s, %s%s.", count(all, "sighting", "sightings"), count(int(total.Records), "record", "records"), count(int(total.Bytes), "byte", "bytes"), by)
	if first.Known() {
		a.say("The first at %s.", first)
	}
	c.undated(a)
	switch {
	case c.Case == "":
		return nil
	case all == 0:
		a.say("Nothing was recorded.")
		return nil
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		_, err := d.RecordSighting(a, by, id, coordinator.Seen{Source: strings.Join(c.Path, " "), What: count(all, "sighting", "sightings"), From: first.From, To: first.To, Grade: cvd.GradeB})
		if err == nil {
			a.say("Recorded in case %s.", id.Short())
			a.note("It calls nobody: --source names a declared source, whose sightings raise the alarm.")
		}
		return err
	})
}

// scanner is what the command line asks to look for.
func (c *scanCmd) scanner(a *app) (*sighting.Scanner, error) {
	if c.Case != "" && a.As == "" {
		return nil, usage("--case needs --as ACCOUNT: who records the sighting")
	}
	clock := sighting.Clock{Skew: time.Second, Lag: time.Second}
	if c.Skew != nil {
		clock.Skew = *c.Skew
	}
	if c.Lag != nil {
		clock.Lag = *c.Lag
	}
	if c.Zone != "" {
		var err error
		if clock.Zone, err = loadZone(c.Zone); err != nil {
			return nil, err
		}
	}
	if c.Year != 0 {
		if c.Year < 1990 || c.Year > 9999 {
			return nil, usage("--year is a year, such as 2025")
		}
		clock.Year = c.Year
	}
	s, err := c.sought.scanner(a, func() error { return c.packages(a, c.Case, c.Source != "") })
	s.Clock = clock
	return s, err
}

func asSighted(x sighting.Sighting) sighted {
	y := sighted{Source: x.Source, Offset: x.Offset, Line: x.Line, Length: x.Len, From: x.Time.From, To: x.Time.To, Basis: x.Basis.String(), Field: x.Field, Excerpt: sighting.Printable(x.Excerpt)}
	if x.Through != 0 {
		y.Through = x.Through.String()
	}
	y.What, y.Value, y.Ref = x.What.Kind(), x.What.Indicator.Value, x.What.Indicator.Ref
	switch {
	case x.What.IsToken():
		y.Value = fmt.Sprintf("%016x", x.What.Token.L)
	case x.What.Rule.Ref != "":
		y.Value = x.What.Rule.Ref
	case x.What.Quote.Words > 0:
		y.Value, y.Words = x.What.Quote.Ref, x.What.Quote.Words
	}
	return y
}

// scan looks through a path.
func (c *scanCmd) scan(a *app, s *sighting.Scanner, path string, emit func(sighting.Sighting) error, total *sighting.Summary) error {
	return c.each(a, path, func(name string, r io.Reader) error { return c.stream(a, s, name, r, emit, total) })
}

// there refuses a path that isn't, before anything is read.
func (c *scanCmd) there() error {
	for _, path := range c.Path {
		if _, err := os.Stat(path); path != "-" && err != nil && !c.Follow {
			return fmt.Errorf("%w: %q: %w", errInput, path, errors.Unwrap(err))
		}
	}
	return nil
}

// nothing refuses a scan that read nothing.
func (c *scanCmd) nothing() error {
	if c.read > 0 {
		return nil
	}
	return fmt.Errorf("%w: no file that can be read is in %s: nothing was looked through", errInput, strings.Join(c.Path, " "))
}

// undated says how times without a year are given one.
func (c *scanCmd) undated(a *app) {
	if c.yearless {
		a.note("Times that state no year were left unknown: --year says which one they are of.")
	}
}

const stdin = "standard input"

// each opens a file, standard input, or every regular file below a folder.
func (c *scanCmd) each(a *app, path string, f func(name string, r io.Reader) error) error {
	if path == "-" {
		c.read++
		return f(stdin, a.in)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path += string(filepath.Separator) // a link that is named is followed
	}
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == path {
				return fmt.Errorf("%w: %w", errInput, err)
			}
			a.note("%s: %v; passed over", line(name), err)
			return nil
		}
		if d.IsDir() || !d.Type().IsRegular() && name != path {
			return nil // links and devices below a folder are not followed
		}
		x, err := os.Open(name)
		if err != nil {
			a.note("%s: %v; passed over", line(name), err)
			return nil
		}
		defer x.Close()
		c.read++
		return f(name, x)
	})
}

func (c *scanCmd) stream(a *app, s *sighting.Scanner, name string, r io.Reader, emit func(sighting.Sighting) error, total *sighting.Summary) error {
	if a.tty {
		p := &progress{Reader: r, app: a, name: line(name)}
		if f, ok := r.(*os.File); ok {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				p.size = info.Size()
			}
		}
		defer p.clear()
		r = p
	}
	undated := 0
	sum, err := s.Scan(name, r, func(x sighting.Sighting) error {
		if x.Basis == sighting.NoTime {
			undated++
		}
		return emit(x)
	})
	c.yearless = c.yearless || undated > 0 && sum.Format == sighting.Syslog && s.Clock.Year == 0
	for _, p := range sum.Problems {
		a.note("%s: %s", line(name), p)
	}
	if n := sum.BadLines + sum.Unlisted; n > 0 || sum.Truncated && sum.Bytes > 0 {
		a.note("%s: read as %s: %s, %s no record.", line(name), strings.Join(append(slices.Clone(sum.Undone), sum.Format.String()), ", "),
			count(int(sum.Records), "line", "lines"), are(int(sum.BadLines)))
	}
	total.Bytes += sum.Bytes
	total.Records += sum.Records
	total.Sightings += sum.Sightings
	c.rules.unserved(a, sum.Format)
	return err
}

// inBlocks has what f prints written in blocks, unless somebody watches or what is
// read may be under way: a sighting costs less than a write.
func (a *app) inBlocks(paths []string, f func() error) error {
	if x, ok := a.out.(*os.File); ok && term.IsTerminal(int(x.Fd())) || slices.Contains(paths, "-") {
		return f()
	}
	w := bufio.NewWriterSize(a.out, 64<<10)
	defer func(out io.Writer) { a.out = out }(a.out)
	a.out = w
	return errors.Join(f(), w.Flush())
}

func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// progress tells on a terminal how far a long file is read.
type progress struct {
	io.Reader
	*app
	name        string
	size        int64 // 0: not known
	read, shown int64
}

const showEvery = 32 << 20

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if p.read += int64(n); p.read-p.shown >= showEvery {
		p.shown = p.read
		of := ""
		if p.size > 0 {
			of = fmt.Sprintf(" of %d", p.size>>20)
		}
		fmt.Fprintf(p.app.err, "\r%s  %d%s MiB\x1b[K", p.name, p.read>>20, of)
	}
	return n, err
}

func (p *progress) clear() {
	if p.shown > 0 {
		fmt.Fprint(p.app.err, "\r\x1b[K")
	}
}
