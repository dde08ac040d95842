package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/timeline"
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
}

type caseOpen struct {
	Title    string   `arg:"" help:"A title, encrypted under the case's key."`
	Report   string   `help:"The report as it came in." type:"existingfile" placeholder:"FILE"`
	Reported string   `help:"When the report came in." placeholder:"TIME"`
	Product  []string `help:"An affected product; may be repeated." placeholder:"NAME"`
}

func (*caseOpen) Help() string {
	return `Example:
  forewarn case open "Layout import before the session check" --product "Larkspur Portal" --as ana`
}

func (c *caseOpen) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		o := coordinator.Opening{Title: c.Title}
		var err error
		if c.Report != "" {
			if o.Report, err = folder.ReadFile(c.Report, 64<<20); err != nil {
				return err
			}
		}
		if c.Reported != "" {
			if o.Reported, err = parseTime(c.Reported, d.Clock()); err != nil {
				return err
			}
		}
		id, err := d.OpenCase(a, by, o)
		if err != nil {
			return err
		}
		for _, p := range c.Product {
			if _, err := d.AddProduct(a, by, id, p); err != nil {
				return err
			}
		}
		if a.JSON {
			return a.printJSON(map[string]string{"case": id.String()})
		}
		a.say("Opened case %s: %s", id.Short(), c.Title)
		return nil
	})
}

type caseList struct{}

func (*caseList) Help() string { return "Example:\n  forewarn case list --as ana" }

func (c *caseList) Run(a *app) error {
	type row struct {
		Case    string    `json:"case"`
		Title   string    `json:"title"`
		Embargo string    `json:"embargo"`
		Release time.Time `json:"release,omitzero"`
		Waves   int       `json:"waves"`
	}
	var values []row
	var rows [][]string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		for _, id := range p.CaseOrder {
			// Whoever may not know of a case doesn't see it here either.
			if p.May(by, cvd.ActViewCase, cvd.ACase(id), now) != nil {
				continue
			}
			cs := p.Cases[id]
			r := row{Case: id.String(), Embargo: p.EmbargoState(id, now).String(), Waves: len(cs.Waves)}
			if p.May(by, cvd.ActReadCase, cvd.ACase(id), now) == nil {
				r.Title = n.Case(id)
			}
			release := "–"
			if cs.Embargo != nil {
				r.Release = cs.Embargo.Release.At
				release = when(r.Release)
			}
			values = append(values, r)
			rows = append(rows, []string{id.Short(), r.Title, r.Embargo, release, fmt.Sprint(r.Waves)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.list("No case yet. Open one with 'forewarn case open TITLE'.", []string{"ID", "TITLE", "EMBARGO", "RELEASE", "WAVES"}, rows, values)
}

type caseShow struct {
	Case string `arg:"" help:"Title or id."`
}

func (*caseShow) Help() string { return "Example:\n  forewarn case show Layout --as ana" }

func (c *caseShow) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Case(a, by, c.Case)
		if err != nil {
			return err
		}
		board, err := d.Board(a, by, id)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(board)
		}
		a.say("%s  (%s)", board.Title, id.Short())
		a.say("embargo %s; release %s", board.Embargo, when(board.Release))
		a.say("")
		fmt.Fprintln(a.out, timeline.Text(board.Timeline, a.width()))
		var rows [][]string
		for _, w := range board.Waves {
			rows = append(rows, []string{w.Label, w.Wave.Short(), w.Level, w.State, when(w.OpensAt), fmt.Sprint(w.Holders), fmt.Sprint(w.Fetched), fmt.Sprint(w.Received)})
		}
		if len(rows) > 0 {
			a.say("")
			a.table([]string{"WAVE", "ID", "LEVEL", "STATE", "OPENS", "HOLDERS", "FETCHED", "RECEIVED"}, rows)
		}
		rows = nil
		for _, x := range board.Answers {
			rows = append(rows, []string{x.Product, x.Answer, fmt.Sprint(x.Members)})
		}
		if len(rows) > 0 {
			a.say("")
			a.table([]string{"PRODUCT", "ANSWER", "MEMBERS"}, rows)
		}
		return nil
	})
}

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
		a.say("Embargo %d binds until %s.", n, when(r.At))
		return nil
	})
}

func releaseTime(s, zone string) (cvd.ReleaseTime, error) {
	at, err := parseTime(s, time.Now())
	if err != nil {
		return cvd.ReleaseTime{}, err
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return cvd.ReleaseTime{}, usage("%q is not a zone: use an IANA name such as Europe/Stockholm", zone)
	}
	return cvd.ReleaseTime{At: at.UTC().Truncate(time.Second), Zone: zone}, nil
}

type caseMove struct {
	Case   string `arg:"" help:"Title or id."`
	To     string `help:"The new release time." required:"" placeholder:"TIME"`
	Zone   string `help:"The zone in which it was agreed." default:"UTC"`
	Reason string `help:"Why; encrypted."`
}

func (*caseMove) Help() string {
	return "Example:\n  forewarn case move Layout --to 2026-12-15T17:00:00Z --reason \"fix not ready\" --as ana"
}

func (c *caseMove) Run(a *app) error {
	r, err := releaseTime(c.To, c.Zone)
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
		a.say("Release moved to %s. Every wave that hasn't opened waits for another approval.", when(r.At))
		return nil
	})
}

type caseInvite struct {
	Case   string   `arg:"" help:"Title or id."`
	Member []string `help:"A member; may be repeated." placeholder:"MEMBER"`
	Tier   []uint8  `help:"All members of a tier." placeholder:"N"`
	All    bool     `help:"All members in good standing."`
	Until  string   `help:"When the invitation lapses." placeholder:"TIME"`
}

func (*caseInvite) Help() string {
	return "Example:\n  forewarn case invite Layout --tier 1 --tier 2 --as ana"
}

func (c *caseInvite) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		members, err := a.members(d, by, c.Member, c.Tier, c.All)
		if err != nil {
			return err
		}
		q := cvd.Invite{Case: id, Role: cvd.AsProtector, Members: members}
		if c.Until != "" {
			if q.Until, err = parseTime(c.Until, d.Clock()); err != nil {
				return err
			}
		}
		if _, err := d.Do(a, by, q); err != nil {
			return err
		}
		a.say("Invited %d members. Each reads nothing before 'forewarn case consent'.", len(members))
		return nil
	})
}

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

type caseConsent struct {
	Case    string `arg:"" help:"Title or id."`
	Decline bool   `help:"Say no. You read nothing of the case then."`
}

func (*caseConsent) Help() string { return "Example:\n  forewarn case consent 5k2q --as mia" }

func (c *caseConsent) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if err := d.Consent(a, by, id, !c.Decline); err != nil {
			return err
		}
		if c.Decline {
			a.say("Declined.")
			return nil
		}
		a.say("Consented to the embargo of case %s.", id.Short())
		return nil
	})
}

type caseLink struct {
	Case string `arg:"" help:"Title or id."`
	As   string `help:"How it stands to the other." enum:"duplicate,split,incomplete-fix" default:"incomplete-fix" name:"relation"`
	Of   string `arg:"" help:"The other case."`
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
		if _, err := d.Do(a, by, cvd.LinkCase{Case: id, To: to, Relation: relations[c.As]}); err != nil {
			return err
		}
		a.say("Case %s is %s case %s.", id.Short(), relations[c.As], to.Short())
		return nil
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
		a.say("Held: no copy of case %s is served until 'forewarn case lift'.", id.Short())
		return nil
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
		a.say("Lifted: open waves of case %s are served again.", id.Short())
		return nil
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
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if c.Yes == "" {
			return usage("this ends the embargo of %q for everybody and can't be undone: say --yes with the case's name", c.Case)
		}
		if again, err := d.Case(a, by, c.Yes); err != nil || again != id {
			return usage("--yes names another case than %q; nothing was ended", c.Case)
		}
		end, err := d.EndEmbargo(a, by, id, c.Reason)
		if err != nil {
			return err
		}
		if end.Level == 0 {
			a.say("The embargo of case %s has ended. There was no approved break pack to send.", id.Short())
			return nil
		}
		a.say("The embargo of case %s has ended. The break pack (%s) is sealed to %d members as wave %s; 'forewarn pull' fetches it.", id.Short(), end.Level, end.Members, end.Wave.Short())
		return nil
	})
}

type caseRelease struct {
	Case     string `arg:"" help:"Title or id."`
	Advisory string `help:"What was published." type:"existingfile" placeholder:"FILE"`
}

func (*caseRelease) Help() string {
	return "Example:\n  forewarn case release Layout --advisory advisory.md --as ana"
}

func (c *caseRelease) Run(a *app) error {
	var text []byte
	if c.Advisory != "" {
		var err error
		if text, err = os.ReadFile(c.Advisory); err != nil {
			return err
		}
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if err := d.Release(a, by, id, text); err != nil {
			return err
		}
		a.say("Case %s is public.", id.Short())
		return nil
	})
}

func (a *app) withCase(name string, f func(*coordinator.Desk, cvd.Actor, cvd.CaseID) error) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Case(a, by, name)
		if err != nil {
			return err
		}
		return f(d, by, id)
	})
}
