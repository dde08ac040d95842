package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/follow"
	"forewarn/internal/home"
	"forewarn/internal/lookout"
	"forewarn/internal/sighting"
)

// together refuses flags that mean nothing with one another.
func (c *scanCmd) together() error {
	switch {
	case c.Source == "" && (c.Follow || c.All || c.Notify != ""):
		return usage("--follow, --all and --notify go with --source: declare one with 'forewarn source add'")
	case c.Source != "" && c.Case == "" && !c.All:
		return usage("--source goes with --case CASE, or with --all")
	case c.Source != "" && (c.Skew != nil || c.Lag != nil || c.Zone != ""):
		return usage("the clock of --source is as declared: --skew, --lag and --zone are said with 'forewarn source add'")
	case c.Case != "" && c.All:
		return usage("--case names one case and --all means all: give one of them")
	case c.Notify != "" && !c.Follow:
		return usage("--notify goes with --follow; 'forewarn alarm call' calls by itself")
	case c.Follow && c.Year != 0:
		return usage("--year is for logs that are read once: what is followed goes on into the next year, and is dated by when it is read")
	case c.Follow && slices.Contains(c.Path, "-"):
		return usage("standard input can't be followed: name the files")
	}
	for _, p := range c.Path {
		if _, err := followed(p); c.Follow && err != nil {
			return err
		}
	}
	return nil
}

// declared scans what comes from a declared source: once, or as it grows.
func (c *scanCmd) declared(a *app, s *sighting.Scanner) error {
	w := &lookout.Watch{Scanner: s}
	said := func(path string, r coordinator.Recorded) {
		f := fields{"path": path, "case": r.Case, "sightings": r.Times, "rows": r.Rows, "above_quota": r.Dropped, "effect": r.Effect.String()}
		if a.JSON {
			if b, err := json.Marshal(f); err == nil {
				a.writeJSON(append(b, '\n'))
			}
			return
		}
		more := ""
		if r.Dropped > 0 {
			more = fmt.Sprintf(" %d are above the source's quota and only counted.", r.Dropped)
		}
		a.say("%s: %s recorded in case %s: %s.%s", line(path), count(r.Times, "sighting", "sightings"), r.Case.Short(), coordinator.Effects[r.Effect], more)
		if r.Effect == cvd.Raises && c.Notify == "" {
			a.note("Nobody is called from here: that takes --follow with --notify, 'forewarn alarm call', or a service with --watch and --notify.")
		}
	}
	w.Said = said
	err := a.look(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		if w.Source, err = d.Source(a, by, c.Source); err != nil {
			return err
		}
		year := s.Clock.Year
		if s.Clock, err = d.ClockOf(w.Source); err != nil {
			return err
		}
		s.Clock.Year = year
		if c.All {
			cases, err := d.WatchedCases(by)
			if err == nil && len(cases) == 0 {
				const none = "there is no case to record in: none with a sealed wave waits for its release"
				if !c.Follow {
					return fmt.Errorf("%w: %s", cvd.ErrRefused, none)
				}
				a.note("For now %s.", none)
			}
			return err
		}
		id, err := d.Case(a, by, c.Case)
		if err != nil {
			return err
		}
		w.Cases = []cvd.CaseID{id}
		return d.View(func(p *cvd.Programme) error {
			return p.May(by, cvd.ActRecordSighting, cvd.ACase(id), d.Clock())
		})
	})
	if err != nil {
		return err
	}
	w.Of = c.casesOf(s)
	if !c.Follow {
		return c.once(a, s, w)
	}
	if c.Package {
		c.renews(a, w)
	}
	if c.Notify != "" {
		w.Notify = command(c.Notify)
	}
	for _, p := range c.Path {
		path, err := followed(p)
		if err != nil {
			return err
		}
		w.Paths = append(w.Paths, path)
	}
	return a.watch(w)
}

// followed is the path of a log that is to be followed, which need not be there yet.
// The programme's log knows it by its name: the same from wherever it is followed.
func followed(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", usage("%s is a folder, and files are followed: name those in it that a source writes", path)
	}
	return filepath.Abs(path)
}

// maxSpots is how many sightings are kept before they are recorded.
const maxSpots = 4096

// once scans files that are whole, and records what of them was not recorded yet.
func (c *scanCmd) once(a *app, s *sighting.Scanner, w *lookout.Watch) error {
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	var total sighting.Summary
	recorded := 0
	w.Said = func(said func(string, coordinator.Recorded)) func(string, coordinator.Recorded) {
		return func(path string, r coordinator.Recorded) { recorded += r.Times; said(path, r) }
	}(w.Said)
	record := func(b coordinator.Batch) error {
		d, err := a.desk(h)
		if err != nil {
			return err
		}
		by := cvd.Actor{}
		var done []coordinator.Recorded
		if by.Account, err = d.Login(a, a.As); err == nil {
			if b.Cases = w.Cases; len(b.Cases) == 0 {
				b.Cases, err = d.WatchedCases(by)
			}
			if err == nil && b.At != nil {
				b.At.Head, err = follow.HeadOf(b.At.Path)
			}
			if err == nil {
				done, err = d.Record(a, by, b)
			}
		}
		for _, r := range done {
			w.Said(c.pathOf(b), r)
		}
		return errors.Join(err, d.Close())
	}
	for _, path := range c.Path {
		err := c.each(a, path, func(name string, r io.Reader) error {
			b := coordinator.Batch{Source: w.Source}
			if name != stdin {
				abs, err := filepath.Abs(name)
				if err != nil {
					return err
				}
				b.At = &coordinator.Stretch{Path: abs}
			}
			flush := func(end uint64) error {
				if len(b.Spots) == 0 {
					return nil
				}
				if b.At != nil {
					b.At.End = end
				}
				if err := record(b); err != nil {
					return err
				}
				if b.At != nil {
					b.At.Begin = end
				}
				b.Spots = nil
				return nil
			}
			before, reach := total.Bytes, uint64(0)
			if err := c.stream(a, s, name, r, func(x sighting.Sighting) error {
				// What ends before this begins is whole: sightings come in order.
				if len(b.Spots) >= maxSpots && uint64(x.Offset) >= reach {
					if err := flush(uint64(x.Offset)); err != nil {
						return err
					}
				}
				spot := coordinator.SpotOf(x)
				spot.Only = w.Of(x.What)
				b.Spots = append(b.Spots, spot)
				reach = max(reach, b.Spots[len(b.Spots)-1].End)
				return nil
			}, &total); err != nil {
				return err
			}
			return flush(uint64(total.Bytes - before))
		})
		if err != nil {
			return err
		}
	}
	if err := c.nothing(); err != nil {
		return err
	}
	c.undated(a)
	if !a.JSON {
		a.say("%s recorded, of %s in %s.", count(recorded, "sighting", "sightings"), count(int(total.Sightings), "sighting", "sightings"), count(int(total.Records), "record", "records"))
		if recorded < int(total.Sightings) {
			a.note("What is not recorded now was recorded before, or is of a case that is not watched.")
		}
	}
	return nil
}

func (c *scanCmd) pathOf(b coordinator.Batch) string {
	if b.At == nil {
		return stdin
	}
	return b.At.Path
}
