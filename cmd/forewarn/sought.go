package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/lookout"
	"forewarn/internal/sighting"
	"forewarn/internal/token"
)

// sought is what a command line asks to look for, beside tokens.
type sought struct {
	Indicator []string `help:"Also look for this: host:NAME, address:IP, path:PATH, hash:HEX or constant:TEXT." placeholder:"KIND:VALUE"`
	Rule      []string `help:"Also judge records by the Sigma rules in this file, or below this folder." placeholder:"FILE"`
	Package   bool     `help:"Also look for what the packages of open cases hold: excerpts of their texts in any copy, their indicators, their Sigma rules. Needs --as; the log says that they were opened."`
	Public    []string `help:"A text that everybody has, such as an earlier advisory: words that stand in it are nobody's excerpt." placeholder:"FILE"`

	rules ruleSet
	found struct { // what of packages is looked for
		Indicators []sighting.Indicator
		Texts      []sighting.Text
		Public     [][]byte
	}
	of     map[string]cvd.CaseID // by the ref of a package's file
	opened []opened
	quiet  bool // packages are not told of by name: what is said is kept where anybody may read it
	untold int  // notes that were kept back so
}

// opened is a package's source that was opened.
type opened struct {
	pkg  cvd.PackageID
	of   cvd.CaseID
	name string // of the case; no other has it here
	src  cvd.BlobRef
}

// note tells of something that is not looked for.
func (c *sought) note(a *app, format string, args ...any) {
	if c.quiet {
		c.untold++
		return
	}
	a.note(format, args...)
}

// scanner is what is looked for. Packages are opened by whoever opens them: open
// adds what they hold, and is nil where none are.
func (c *sought) scanner(a *app, open func() error) (*sighting.Scanner, error) {
	var s sighting.Scanner
	for _, said := range c.Indicator {
		kind, value, ok := strings.Cut(said, ":")
		k, err := sighting.ParseKind(kind)
		if !ok || err != nil {
			return &s, usage("%q is not an indicator: write host:NAME, address:IP, path:PATH, hash:HEX or constant:TEXT", said)
		}
		x := sighting.Indicator{Kind: k, Value: value}
		if err := x.Check(); err != nil {
			return &s, usage("%q: %v", said, err)
		}
		s.Indicators = append(s.Indicators, x)
	}
	var err error
	if s.Rules, err = c.ruled(a, open); err != nil {
		return &s, err
	}
	s.Indicators, s.Texts, s.Public = append(s.Indicators, c.found.Indicators...), c.found.Texts, c.found.Public
	for _, name := range c.Public {
		b, err := a.read(name, 16<<20)
		if err != nil {
			return &s, err
		}
		s.Public = append(s.Public, b)
	}
	h, err := home.Open(a.folder())
	if err != nil {
		if len(s.Indicators)+len(s.Rules) > 0 {
			a.note("No programme here: looking for what the command line names, not for tokens.")
			return &s, nil
		}
		return &s, err
	}
	key, err := h.Recognition()
	if err != nil {
		return &s, err
	}
	s.Rec = token.NewRecogniser(key)
	return &s, nil
}

// casesOf is the cases that a sighting can be of, by what it was seen through: a
// package's excerpt, indicator or rule is of the package's case. None: of any.
func (c *sought) casesOf(s *sighting.Scanner) func(sighting.What) []cvd.CaseID {
	indicators := map[string][]cvd.CaseID{}
	anybodys := map[string]bool{}
	key := func(i sighting.Indicator) string { return i.Kind.String() + ":" + i.Value }
	for _, i := range s.Indicators {
		if id := c.owner(i.Ref); id.IsZero() {
			anybodys[key(i)] = true
		} else if k := key(i); !slices.Contains(indicators[k], id) {
			indicators[k] = append(indicators[k], id)
		}
	}
	return func(w sighting.What) []cvd.CaseID {
		var id cvd.CaseID
		switch {
		case w.IsToken():
		case w.Quote.Words > 0:
			id = c.owner(w.Quote.Ref)
		case w.Rule.Ref != "":
			id = c.owner(w.Rule.Ref)
		case !anybodys[key(w.Indicator)]:
			return indicators[key(w.Indicator)]
		}
		if id.IsZero() {
			return nil
		}
		return []cvd.CaseID{id}
	}
}

// owner is the case of a ref that names a package's file, or a rule or a row in
// it; zero: it is no package's.
func (c *sought) owner(ref string) cvd.CaseID {
	for at := len(ref); at > 0; {
		if id, is := c.of[ref[:at]]; is {
			return id
		}
		at = max(strings.LastIndex(ref[:at], ": "), strings.LastIndex(ref[:at], ", row "))
	}
	return cvd.CaseID{}
}

// renews has a watch look for what packages hold by now: cases are opened, and
// texts rewritten, while it goes on.
func (c *sought) renews(a *app, w *lookout.Watch) {
	var only cvd.CaseID
	if len(w.Cases) > 0 {
		only = w.Cases[0]
	}
	told := len(c.opened) > 0
	w.Renew = func(ctx context.Context) error {
		if err := w.Look.Refresh(ctx); err != nil {
			return err
		}
		d, served := w.Look.(*coordinator.Desk)
		if !served {
			d = w.Look.(*home.Looker).Desk
		}
		now, err := c.wanted(a, d, w.By, only, true)
		if err != nil || told && slices.Equal(now, c.opened) {
			return err
		}
		told = true
		next := &sought{Indicator: c.Indicator, Rule: c.Rule, Package: true, Public: c.Public, quiet: c.quiet}
		s, err := next.scanner(a, func() error {
			return w.Append(ctx, func(d *coordinator.Desk) error { return next.open(a, d, w.By, now) })
		})
		if err != nil {
			return err
		}
		s.Clock = w.Scanner.Clock
		c, w.Scanner, w.Of = next, s, next.casesOf(s)
		more := ""
		if c.untold > 0 {
			more = fmt.Sprintf("; %s that 'forewarn scan --package' tells", count(c.untold, "remark", "remarks"))
		}
		w.Tell("looking for tokens and what %s: %s, %s, %s%s", count(len(now), "package of a watched case holds", "packages of watched cases hold"),
			count(len(s.Texts), "text", "texts"), count(len(s.Indicators), "indicator", "indicators"), count(c.rules.all, "rule", "rules"), more)
		return nil
	}
}
