package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"forewarn/internal/detect"
	"forewarn/internal/sighting"
)

// ruleSet is the rules of one scan, and what was already said of them.
type ruleSet struct {
	detect.Set
	all  int
	told map[sighting.Format]bool
}

const maxRules = 1 << 20 // bytes of one file of rules that are read

// ruled gathers the rules to judge by, and tells what of them can't be.
func (c *sought) ruled(a *app, open func() error) ([]sighting.Rule, error) {
	for _, name := range c.Rule {
		if err := c.ruleFiles(a, name); err != nil {
			return nil, err
		}
	}
	if c.Package && open != nil {
		if err := open(); err != nil {
			return nil, err
		}
	}
	rules, reports := c.rules.Rules()
	names := map[string]bool{}
	for _, r := range rules {
		names[r.Ref] = true
	}
	c.rules.all = len(names)
	for _, r := range reports {
		c.note(a, "%s", line(r.String()))
	}
	if len(rules) == 0 && (len(c.Rule) > 0 || c.Package && open != nil) {
		c.note(a, "No rule is left to judge by.")
	}
	return rules, nil
}

// ruleFiles reads a file of rules, or all below a folder that end in .yml or
// .yaml. A file that was named must be Sigma; one in a folder may be else.
func (c *sought) ruleFiles(a *app, root string) error {
	found := false
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("%w: %w", errInput, err)
		}
		yaml := strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
		if d.IsDir() || name != root && (!d.Type().IsRegular() || !yaml) {
			return nil
		}
		text, err := a.read(name, maxRules)
		if err != nil {
			return err
		}
		found = true
		switch err := c.rules.Add(name, string(text)); {
		case err != nil && name != root:
			c.note(a, "%s; passed over", line(err.Error()))
		case err != nil:
			return fmt.Errorf("%w: %w", errInput, err)
		}
		return nil
	})
	if err == nil && !found {
		err = usage("%q holds no file that ends in .yml or .yaml", root)
	}
	return err
}

// few is how many rules are named one by one where a format can't serve them.
const few = 5

// unserved tells once for each format which rules say nothing of it.
func (s *ruleSet) unserved(a *app, f sighting.Format) {
	if s.told[f] || s.all == 0 {
		return
	}
	if s.told == nil {
		s.told = map[sighting.Format]bool{}
	}
	s.told[f] = true
	n := 0
	reports := s.Unserved(f)
	for _, r := range reports {
		if r.Class == detect.Unserved {
			n++
		}
		if len(reports) <= few || r.Class == detect.Lacking {
			a.note("%s", line(r.String()))
		}
	}
	if n > few {
		a.note("%d of %d rules say nothing of %s and weren't judged on it.", n, s.all, f)
	}
}
