package main

import (
	"fmt"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type sourceCmd struct {
	Add    sourceAdd    `cmd:"" help:"Declare a sensor or somebody who reports, or declare one anew."`
	List   sourceList   `cmd:"" help:"What is declared, and how it stands with its quota."`
	Retire sourceRetire `cmd:"" help:"Nothing more comes from it."`
}

type sourceAdd struct {
	Name   string        `arg:"" help:"What people call it."`
	Origin string        `help:"Whose it is: own, member or hearsay." required:"" enum:"own,member,hearsay"`
	Member string        `help:"The member whose it is." placeholder:"MEMBER"`
	Grade  string        `help:"How reliable it is, A to F." default:"ungraded" placeholder:"GRADE"`
	Public bool          `help:"Everybody can see what it shows, as on a paste site: a token seen there can be copied from there."`
	Skew   time.Duration `help:"How far its clock may be off, either way." default:"1s"`
	Lag    time.Duration `help:"How long after a request it may be stamped." default:"1s"`
	Zone   string        `help:"A local zone in which it may have written its times." placeholder:"ZONE"`
	Quota  uint32        `help:"New things an hour that are described, in each case; more are counted. Tokens always are described." default:"120"`
}

func (*sourceAdd) Help() string {
	return "Example:\n  forewarn source add 'edge sensor' --origin own --grade B --skew 2s --as ana"
}

func (c *sourceAdd) Run(a *app) error {
	s := coordinator.SourceSpec{Name: c.Name, Public: c.Public, Skew: c.Skew, Lag: c.Lag, Zone: c.Zone, Quota: c.Quota}
	var err error
	if s.Origin, err = cvd.ParseOrigin(c.Origin); err != nil {
		return usage("%v", err)
	}
	if s.Grade, err = cvd.ParseGrade(c.Grade); err != nil {
		return usage("%v", err)
	}
	if c.Skew < 0 || c.Lag < 0 {
		return usage("a clock's skew and lag are how far it may be off, and are not negative")
	}
	if c.Zone != "" {
		if _, err := loadZone(c.Zone); err != nil {
			return err
		}
	}
	if (c.Member == "") == (s.Origin == cvd.MemberSource) {
		return usage("--member names whose source it is with --origin member, and with no other")
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		if c.Member != "" {
			if s.Member, err = d.Member(a, by, c.Member); err != nil {
				return err
			}
		}
		id, err := d.DeclareSource(a, by, s)
		if err != nil {
			return err
		}
		return a.done(fields{"source": id, "name": c.Name, "origin": s.Origin.String()}, "Declared: %s, %s.", c.Name, s.Origin)
	})
}

type sourceList struct{}

func (*sourceList) Help() string { return "Example:\n  forewarn source list --as ana" }

func (c *sourceList) Run(a *app) error {
	type row struct {
		Source  cvd.SourceID `json:"source"`
		Name    string       `json:"name"`
		Origin  string       `json:"origin"`
		Member  string       `json:"member,omitempty"`
		Grade   string       `json:"grade"`
		Public  bool         `json:"public"`
		Skew    string       `json:"skew"`
		Lag     string       `json:"lag"`
		Zone    string       `json:"zone,omitempty"`
		Quota   uint32       `json:"quota"`
		Left    uint32       `json:"left_this_hour"`
		Dropped uint64       `json:"above_quota"`
		Retired bool         `json:"retired"`
	}
	var values []row
	var rows [][]string
	err := a.look(func(d *coordinator.Desk, by cvd.Actor) error {
		return d.View(func(p *cvd.Programme) error {
			now := d.Clock()
			if err := p.May(by, cvd.ActListSources, cvd.TheProgramme(), now); err != nil {
				return err
			}
			n := d.Names(a, p)
			for _, id := range p.SourceOrder {
				s := p.Sources[id]
				r := row{Source: id, Name: n.Source(id), Origin: s.Origin.String(), Grade: s.Grade.String(), Public: s.Public,
					Skew: s.Skew.String(), Lag: s.Lag.String(), Zone: s.Zone, Quota: s.Quota, Left: p.LeastQuota(id, now), Dropped: s.Dropped, Retired: s.Retired != nil}
				if !s.Member.IsZero() {
					r.Member = n.Member(s.Member)
				}
				values = append(values, r)
				whose, state := r.Origin, "in use"
				if r.Member != "" {
					whose = r.Member
				}
				if r.Public {
					whose += ", public"
				}
				if r.Retired {
					state = "retired"
				}
				rows = append(rows, []string{r.Name, whose, r.Grade, "±" + r.Skew + " " + r.Zone, fmt.Sprintf("%d of %d", r.Left, r.Quota), fmt.Sprint(r.Dropped), state})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return list(a, "No sources. 'forewarn source add' declares one; without one, what is seen calls nobody.",
		[]string{"SOURCE", "WHOSE", "GRADE", "CLOCK", "LEFT THIS HOUR", "ABOVE QUOTA", ""}, rows, values)
}

type sourceRetire struct {
	Source string `arg:"" help:"Name or id."`
}

func (*sourceRetire) Help() string {
	return "Example:\n  forewarn source retire 'edge sensor' --as ana"
}

func (c *sourceRetire) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Source(a, by, c.Source)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.RetireSource{Source: id}); err != nil {
			return err
		}
		return a.done(fields{"source": id, "retired": true}, "Retired. What it showed stays.")
	})
}
