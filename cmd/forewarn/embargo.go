package main

import (
	"fmt"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type caseEmbargo struct {
	Case    string `arg:"" help:"Title or id."`
	Release string `help:"The release time: an instant with its zone." required:"" placeholder:"TIME"`
	Zone    string `help:"The zone in which it was agreed, as an IANA name." default:"UTC"`
}

func (*caseEmbargo) Help() string {
	return "Example:\n  forewarn case embargo Layout --release 2026-12-08T17:00:00Z --zone Europe/Stockholm --as ana"
}

func (c *caseEmbargo) Run(a *app) error {
	r, err := releaseTime(c.Release, c.Zone)
	if err != nil {
		return err
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		n, err := d.SetEmbargo(a, by, id, r)
		if err != nil {
			return err
		}
		return a.done(fields{"case": id, "embargo": n, "release": r.At, "zone": r.Zone}, "Embargo %d binds until %s.", n, whenIn(r))
	})
}

func releaseTime(s, zone string) (cvd.ReleaseTime, error) {
	at, err := parseTime(s, time.Now())
	if err != nil {
		return cvd.ReleaseTime{}, err
	}
	if _, err := loadZone(zone); err != nil {
		return cvd.ReleaseTime{}, err
	}
	return cvd.ReleaseTime{At: at.UTC().Truncate(time.Second), Zone: zone}, nil
}

// loadZone finds a zone by its IANA name. "Local" would be another one on the
// next machine.
func loadZone(name string) (*time.Location, error) {
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, usage("%q is not a zone: use an IANA name such as Europe/Stockholm", name)
	}
	return z, nil
}

// whenIn is a release time as it is now here, and as it was agreed.
func whenIn(r cvd.ReleaseTime) string {
	z, err := time.LoadLocation(r.Zone)
	if err != nil || r.Zone == "UTC" {
		return when(r.At)
	}
	return when(r.At) + ", agreed as " + r.At.In(z).Format("2006-01-02 15:04 ") + r.Zone
}

type caseMove struct {
	Case    string `arg:"" help:"Title or id."`
	Release string `help:"The new release time; --to is the same." required:"" placeholder:"TIME" aliases:"to"`
	Zone    string `help:"The zone in which it was agreed." default:"UTC"`
	Reason  string `help:"Why; encrypted."`
}

func (*caseMove) Help() string {
	return "Example:\n  forewarn case move Layout --release 2026-12-15T17:00:00Z --reason \"fix not ready\" --as ana"
}

func (c *caseMove) Run(a *app) error {
	r, err := releaseTime(c.Release, c.Zone)
	if err != nil {
		return err
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		why, err := d.Reason(a, coordinator.CaseKey(id), c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.MoveReleaseTime{Case: id, Release: r, Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"case": id, "release": r.At, "zone": r.Zone}, "Release moved to %s. Every wave that hasn't opened waits for another approval.", whenIn(r))
	})
}

type caseHold struct {
	Case   string `arg:"" help:"Title or id."`
	Reason string `help:"Why; encrypted."`
}

func (*caseHold) Help() string {
	return "Example:\n  forewarn case hold Layout --reason \"sighting at 03:00\" --as ana"
}

func (c *caseHold) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		why, err := d.Reason(a, coordinator.CaseKey(id), c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.Hold{Case: id, Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"case": id, "held": true}, "Held: no copy of case %s is served until 'forewarn case lift %s'.", id.Short(), id.Short())
	})
}

type caseLift struct {
	Case string `arg:"" help:"Title or id."`
}

func (*caseLift) Help() string { return "Example:\n  forewarn case lift Layout --as ana" }

func (c *caseLift) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if _, err := d.Do(a, by, cvd.LiftHold{Case: id}); err != nil {
			return err
		}
		return a.done(fields{"case": id, "held": false}, "Lifted: open waves of case %s are served again.", id.Short())
	})
}

type caseEnd struct {
	Case   string `arg:"" help:"Title or id."`
	Reason string `help:"Why; encrypted."`
	Yes    string `help:"The case's title or id once more: this can't be undone." placeholder:"CASE"`
}

func (*caseEnd) Help() string {
	return `Ends the embargo before its time. Members in good standing may read the break pack (description and detection, never PoC) from then on. It can't be undone.

Example:
  forewarn case end Layout --reason "exploited" --yes Layout --as ana`
}

func (c *caseEnd) Run(a *app) error {
	if c.Yes == "" {
		return usage("this ends the embargo of %q for everybody and can't be undone: say --yes with the case's name", c.Case)
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if again, err := d.Case(a, by, c.Yes); err != nil || again != id {
			return usage("--yes names another case than %q; nothing was ended", c.Case)
		}
		end, err := d.EndEmbargo(a, by, id, c.Reason)
		if err != nil && end.Level > 0 {
			return fmt.Errorf("%w: the embargo of case %s has ended, but its break pack is not out: %w", coordinator.ErrUnsealed, id.Short(), err)
		}
		if err != nil {
			return err
		}
		v := fields{"case": id, "ended": true, "members": end.Members}
		if end.Level == 0 {
			return a.done(v, "The embargo of case %s has ended. There was no approved break pack, or nobody to send it to.", id.Short())
		}
		v["level"], v["wave"] = end.Level, end.Wave
		return a.done(v, "The embargo of case %s has ended. The break pack (%s) is sealed to %s as wave %s; 'forewarn pull' fetches it.", id.Short(), end.Level, count(end.Members, "member", "members"), end.Wave.Short())
	})
}

type caseRelease struct {
	Case     string `arg:"" help:"Title or id."`
	Advisory string `help:"What is published, with the case's title: Markdown. Without it nothing is." placeholder:"FILE"`
	Yes      string `help:"The case's title or id once more: this can't be undone." placeholder:"CASE"`
	Origin   string `help:"What browsers call the desk, https://HOST, to say where the advisory stands." env:"FOREWARN_ORIGIN" placeholder:"URL"`
}

func (*caseRelease) Help() string {
	return `Says that the matter is public. With an advisory the case's title and that text are on the desk's front page from then on, for anybody. It can't be undone. Without --yes it says what would become public.

Example:
  forewarn case release Layout --advisory advisory.md --yes Layout --as ana`
}

func (c *caseRelease) Run(a *app) error {
	var text []byte
	if c.Advisory != "" {
		var err error
		if text, err = a.read(c.Advisory, maxReport); err != nil {
			return err
		}
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		title, err := c.confirmed(a, d, by, id)
		if err != nil {
			return err
		}
		if err := d.Release(a, by, id, text); err != nil {
			return err
		}
		v := fields{"case": id, "public": true}
		if len(text) == 0 {
			return a.done(v, "Case %s is public. No advisory is published, nor its title.", id.Short())
		}
		at := "/advisories/" + id.String()
		if c.Origin != "" {
			v["advisory"] = strings.TrimSuffix(c.Origin, "/") + at
			return a.done(v, "Case %s is public, as %q: %s", id.Short(), title, v["advisory"])
		}
		v["advisory"] = at
		return a.done(v, "Case %s is public, as %q: on the served desk under %s", id.Short(), title, at)
	})
}

// confirmed wants the case's name a second time, and says what becomes public.
func (c *caseRelease) confirmed(a *app, d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) (title string, err error) {
	if err := d.View(func(p *cvd.Programme) error { title = d.Names(a, p).Case(id); return nil }); err != nil {
		return "", err
	}
	if c.Yes == "" {
		what := "no advisory and no title"
		if c.Advisory != "" {
			what = fmt.Sprintf("its title, %q, and the text of %s for anybody", title, c.Advisory)
		}
		return "", usage("this says that case %s is public and can't be undone; it publishes %s: say --yes with the case's name", id.Short(), what)
	}
	if again, err := d.Case(a, by, c.Yes); err != nil || again != id {
		return "", usage("--yes names another case than %q; nothing was released", c.Case)
	}
	return title, nil
}
