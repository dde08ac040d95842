package main

import (
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type caseHeadsUp struct {
	Case     string   `arg:"" help:"Title or id; it is not published."`
	Headline string   `help:"Public: one line." placeholder:"TEXT" xor:"what" required:""`
	Withdraw string   `help:"Take the heads-up back instead. Public: why." placeholder:"WHY" xor:"what" required:""`
	Severity string   `help:"Public: in the programme's own word." placeholder:"WORD"`
	Product  []string `help:"Public: a product to name; may be repeated." placeholder:"NAME" sep:"none"`
	Text     string   `help:"Public: a short text, Markdown." placeholder:"FILE"`
	At       string   `help:"Public: when it will be published; else when the release is planned for." placeholder:"TIME"`
	Zone     string   `help:"Public: the zone in which that was agreed." default:"UTC"`
	Change   string   `help:"Public: what was changed, if one is announced already." placeholder:"TEXT"`
	Yes      string   `help:"The case's title or id once more: what was public stays known." placeholder:"CASE"`
}

func (*caseHeadsUp) Help() string {
	return `Tells the public ahead that something will be published, while the case is under embargo: on the served desk's front page, its feed and a page of its own. It says what you write here and nothing of the case, whose advisory its page leads to after the release. Publishing again changes it; readers see that it was.

Example:
  forewarn case heads-up Layout --headline "Larkspur Portal: update on 8 December, 17:00 UTC" --severity critical --yes Layout --as ana`
}

func (c *caseHeadsUp) Run(a *app) error {
	t := coordinator.HeadsUpText{Headline: c.Headline, Severity: c.Severity, Products: c.Product}
	var at cvd.ReleaseTime
	var err error
	if c.Text != "" {
		var b []byte
		if b, err = a.read(c.Text, maxReport); err != nil {
			return err
		}
		t.Text = string(b)
	}
	if c.At != "" {
		if at, err = releaseTime(c.At, c.Zone); err != nil {
			return err
		}
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if c.Withdraw != "" {
			if err := d.WithdrawHeadsUp(a, by, id, c.Withdraw); err != nil {
				return err
			}
			return a.done(fields{"case": id, "withdrawn": true}, "The heads-up of case %s is withdrawn. Its page stays and says so.", id.Short())
		}
		if c.Yes == "" {
			return usage("this announces %q to anybody, and what was public stays known: say --yes with the case's name", c.Headline)
		}
		if again, err := d.Case(a, by, c.Yes); err != nil || again != id {
			return usage("--yes names another case than %q; nothing was announced", c.Case)
		}
		h, err := d.PublishHeadsUp(a, by, id, t, at, c.Change)
		if err != nil {
			return err
		}
		told, err := d.HeadsUp(a, h)
		if err != nil {
			return err
		}
		path := "/heads-ups/" + h.String()
		return a.done(fields{"case": id, "heads_up": h, "planned": told.Planned.At, "path": path}, "Announced for %s: on the served desk under %s", whenIn(told.Planned), path)
	})
}
