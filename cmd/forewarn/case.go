package main

import (
	"fmt"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type caseCmd struct {
	Open    caseOpen    `cmd:"" help:"Open a case."`
	List    caseList    `cmd:"" help:"List the cases."`
	Show    caseShow    `cmd:"" help:"Show a case: dates, members, answers, waves, its timeline."`
	Embargo caseEmbargo `cmd:"" help:"Set the embargo: propose it and agree it."`
	Move    caseMove    `cmd:"" help:"Move the release time; unopened waves ask for approval again."`
	Invite  caseInvite  `cmd:"" help:"Invite members to the embargo."`
	Consent caseConsent `cmd:"" help:"Consent to a case's embargo, or decline, for your member."`
	Link    caseLink    `cmd:"" help:"Link a case to another."`
	Hold    caseHold    `cmd:"" help:"Stop serving a case. One person, reversible."`
	Lift    caseLift    `cmd:"" help:"Lift a hold."`
	End     caseEnd     `cmd:"" help:"End the embargo now. One person on duty."`
	Release caseRelease `cmd:"" help:"Say that the matter is public."`
	HeadsUp caseHeadsUp `cmd:"" help:"Announce to the public that something is coming, and when; or withdraw that."`
	Correct caseCorrect `cmd:"" help:"Replace a published advisory, and say what was changed."`
}

type caseOpen struct {
	Title    string   `arg:"" help:"A title, encrypted under the case's key."`
	Report   string   `help:"The report as it came in." placeholder:"FILE"`
	Reported string   `help:"When the report came in; else now." placeholder:"TIME"`
	Product  []string `help:"An affected product; may be repeated." placeholder:"NAME" sep:"none"`
	Release  string   `help:"Set the embargo at once: its release time." placeholder:"TIME"`
	Zone     string   `help:"The zone in which the release time was agreed, as an IANA name." default:"UTC"`
	audience
}

func (*caseOpen) Help() string {
	return `With --release the embargo binds at once, and --tier, --member and --all invite members to it. All of it is done or nothing.

Example:
  forewarn case open "Layout import before the session check" --product "Larkspur Portal" --release 2026-12-08T17:00:00Z --tier 1 --as ana`
}

const maxReport = 64 << 20

func (c *caseOpen) Run(a *app) error {
	o := coordinator.Opening{Title: c.Title, Named: c.Product}
	var err error
	if c.Report != "" {
		if o.Report, err = a.read(c.Report, maxReport); err != nil {
			return err
		}
	}
	if c.Reported != "" {
		if o.Reported, err = parseTime(c.Reported, time.Now()); err != nil {
			return err
		}
	}
	if c.Release != "" {
		if o.Release, err = releaseTime(c.Release, c.Zone); err != nil {
			return err
		}
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		if !c.empty() {
			if o.Invite, err = a.members(d, by, c.Member, c.Tier, c.All); err != nil {
				return err
			}
			if len(o.Invite) == 0 {
				return fmt.Errorf("%w: there is no member to invite in that tier; the case was not opened", cvd.ErrRefused)
			}
		}
		id, err := d.OpenCase(a, by, o)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(fields{"case": id, "invited": len(o.Invite)})
		}
		a.say("Opened case %s: %s", id.Short(), c.Title)
		if !o.Release.At.IsZero() {
			a.say("  embargo   until %s", whenIn(o.Release))
		}
		if len(o.Invite) > 0 {
			a.say("  invited   %s: each consents with 'forewarn case consent %s'", count(len(o.Invite), "member", "members"), id.Short())
		}
		return nil
	})
}

// audience is a choice of members.
type audience struct {
	Member []string `help:"A member; may be repeated." placeholder:"MEMBER" sep:"none"`
	Tier   []uint8  `help:"All members of a tier; may be repeated." placeholder:"N"`
	All    bool     `help:"All members in good standing."`
}

func (c *audience) empty() bool { return len(c.Member) == 0 && len(c.Tier) == 0 && !c.All }

// members are those named, those of the tiers, or all in good standing.
func (a *app) members(d *coordinator.Desk, by cvd.Actor, names []string, tiers []uint8, all bool) ([]cvd.MemberID, error) {
	var out []cvd.MemberID
	for _, s := range names {
		id, err := d.Member(a, by, s)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	err := d.View(func(p *cvd.Programme) error {
		for _, id := range p.MemberOrder {
			m := p.Members[id]
			if m.Standing == cvd.Good && (all || slices.Contains(tiers, m.Tier)) {
				out = append(out, id)
			}
		}
		return nil
	})
	return cvd.SortIDs(out), err
}

type caseList struct{}

func (*caseList) Help() string { return "Example:\n  forewarn case list --as ana" }

func (c *caseList) Run(a *app) error {
	type row struct {
		Case    cvd.CaseID `json:"case"`
		Title   string     `json:"title,omitempty"`
		Embargo string     `json:"embargo"`
		Release time.Time  `json:"release,omitzero"`
		Waves   int        `json:"waves,omitempty"`
		Consent string     `json:"consent,omitempty"`
	}
	var values []row
	var rows [][]string
	staff := true
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		me := p.Accounts[by.Account]
		staff = me == nil || me.Member.IsZero()
		for _, id := range p.CaseOrder {
			// Whoever may not know of a case doesn't see it here either.
			if p.May(by, cvd.ActViewCase, cvd.ACase(id), now) != nil {
				continue
			}
			cs := p.Cases[id]
			r := row{Case: id, Embargo: p.EmbargoState(id, now).String()}
			title, last := "(after consent)", ""
			if p.May(by, cvd.ActReadCase, cvd.ACase(id), now) == nil {
				r.Title = n.Case(id)
				title = r.Title
			} else if staff {
				title = n.Case(id)
			}
			if staff {
				r.Waves = len(cs.Waves)
				last = fmt.Sprint(r.Waves)
			} else {
				r.Consent = p.ConsentOf(id, me.Member, now).String()
				last = r.Consent
			}
			release := "–"
			switch {
			case cs.Released != nil:
				r.Release = cs.Released.At
			case cs.Embargo != nil:
				r.Release = cs.Embargo.Release.At
			}
			if !r.Release.IsZero() {
				release = when(r.Release)
			}
			values = append(values, r)
			rows = append(rows, []string{id.Short(), title, r.Embargo, release, last})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !staff {
		return list(a, "No case yet that your member takes part in.", []string{"ID", "TITLE", "EMBARGO", "RELEASE", "CONSENT"}, rows, values)
	}
	return list(a, "No case yet. Open one with 'forewarn case open TITLE'.", []string{"ID", "TITLE", "EMBARGO", "RELEASE", "WAVES"}, rows, values)
}

type caseInvite struct {
	Case string `arg:"" help:"Title or id."`
	audience
	Until string `help:"When the invitation lapses." placeholder:"TIME"`
}

func (*caseInvite) Help() string {
	return "Example:\n  forewarn case invite Layout --tier 1 --tier 2 --as ana"
}

func (c *caseInvite) Run(a *app) error {
	if c.empty() {
		return usage("say who is invited: --member, --tier or --all")
	}
	var until time.Time
	if c.Until != "" {
		var err error
		if until, err = parseTime(c.Until, time.Now()); err != nil {
			return err
		}
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		members, err := a.members(d, by, c.Member, c.Tier, c.All)
		if err != nil {
			return err
		}
		n, in, err := d.Invite(a, by, id, members, until)
		if err != nil {
			return err
		}
		if len(in) > 0 {
			a.say("%s already.", count(len(in), "is in", "are in"))
		}
		return a.done(fields{"case": id, "invited": n, "already": append([]coordinator.LeftOut{}, in...)}, "Invited %s. Each reads nothing before 'forewarn case consent %s'.", count(n, "member", "members"), id.Short())
	})
}

type caseConsent struct {
	Case    string `arg:"" optional:"" help:"Id; may be left out when your member has one invitation."`
	Decline bool   `help:"Say no. You read nothing of the case then."`
}

func (*caseConsent) Help() string { return "Example:\n  forewarn case consent 5k2q7r3m --as mia" }

func (c *caseConsent) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := c.which(a, d, by)
		if err != nil {
			return err
		}
		if err := d.Consent(a, by, id, !c.Decline); err != nil {
			return err
		}
		if c.Decline {
			return a.done(fields{"case": id, "consent": "declined"}, "Declined case %s. Your member reads nothing of it.", id.Short())
		}
		var release cvd.ReleaseTime
		if err := d.View(func(p *cvd.Programme) error { release = p.Cases[id].Embargo.Release; return nil }); err != nil {
			return err
		}
		return a.done(fields{"case": id, "consent": "signatory", "release": release.At}, "Consented to the embargo of case %s, until %s.", id.Short(), whenIn(release))
	})
}

// which is the case that was named, or the one that waits for consent.
func (c *caseConsent) which(a *app, d *coordinator.Desk, by cvd.Actor) (cvd.CaseID, error) {
	if c.Case != "" {
		return d.Case(a, by, c.Case)
	}
	var open []cvd.CaseID
	err := d.View(func(p *cvd.Programme) error {
		me := p.Accounts[by.Account]
		if me == nil || me.Member.IsZero() {
			return fmt.Errorf("%w: only a member's account consents", cvd.ErrRefused)
		}
		for _, id := range p.CaseOrder {
			if s := p.ConsentOf(id, me.Member, d.Clock()); s == cvd.Invited || s == cvd.Lapsed {
				open = append(open, id)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return cvd.CaseID{}, err
	case len(open) == 0:
		return cvd.CaseID{}, fmt.Errorf("%w: no invitation waits for your member; see 'forewarn case list'", coordinator.ErrUnknown)
	case len(open) > 1:
		return cvd.CaseID{}, usage("%d invitations wait for your member: name the case by the id that 'forewarn case list' shows", len(open))
	}
	return open[0], nil
}

type caseLink struct {
	Case     string `arg:"" help:"Title or id."`
	Of       string `arg:"" help:"The other case."`
	Relation string `help:"How it stands to the other: duplicate, split or incomplete-fix." enum:"duplicate,split,incomplete-fix" default:"incomplete-fix"`
}

func (*caseLink) Help() string {
	return "Example:\n  forewarn case link \"Second import flaw\" Layout --relation incomplete-fix --as ana"
}

var relations = map[string]cvd.Relation{"duplicate": cvd.Duplicate, "split": cvd.Split, "incomplete-fix": cvd.Incomplete}

func (c *caseLink) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		to, err := d.Case(a, by, c.Of)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.LinkCase{Case: id, To: to, Relation: relations[c.Relation]}); err != nil {
			return err
		}
		return a.done(fields{"case": id, "to": to, "relation": relations[c.Relation].String()}, "Linked: case %s is %s of case %s.", id.Short(), linked[c.Relation], to.Short())
	})
}

var linked = map[string]string{"duplicate": "a duplicate", "split": "split off", "incomplete-fix": "an incomplete fix"}
