package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/seal"
	"forewarn/internal/sighting"
)

type reportCmd struct {
	Key    reportKey    `cmd:"" help:"Say which key reports are sealed to on receipt."`
	Add    reportAdd    `cmd:"" help:"Take in a report that came another way, sealed like the others."`
	List   reportList   `cmd:"" help:"List the reports that came in."`
	Open   reportOpen   `cmd:"" help:"Read a report, with the key for reports."`
	Settle reportSettle `cmd:"" help:"Say which case a report belongs to, or that it becomes none."`
}

type reportKey struct {
	File string `arg:"" help:"The .pub file that keygen made: one or more recipients."`
}

func (*reportKey) Help() string {
	return `Make a pair for reports alone ('forewarn keygen -o reports.key'), and keep the secret file off the machine that serves the desk: what the desk can't read, its thief can't either.

Example:
  forewarn report key reports.key.pub --as ana`
}

func (c *reportKey) Run(a *app) error {
	text, err := a.read(c.File, maxKey)
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		if err := d.SetIntake(a, by, text); err != nil {
			return err
		}
		to, err := d.Intake()
		if err != nil {
			return err
		}
		return a.done(fields{"recipients": to}, "Reports are sealed to %s from now on. Earlier ones stay sealed to the key that they came under.", count(len(to), "recipient", "recipients"))
	})
}

type reportAdd struct {
	File    string `arg:"" help:"The report, as text."`
	Title   string `help:"One line." required:""`
	Product string `help:"What is affected, with versions."`
	Contact string `help:"How its sender is reached."`
	Credit  string `help:"How its sender wants to be named in the advisory."`
}

func (*reportAdd) Help() string {
	return `Tell its sender the reference: with it they ask on the page how the report stands. Then delete the file.

Example:
  forewarn report add mail.txt --title "Layout import without a session" --contact finder@example.com --as ana`
}

func (c *reportAdd) Run(a *app) error {
	text, err := a.read(c.File, cvd.MaxReport)
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: %q is not text", errInput, c.File)
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		reference, err := d.TakeReport(a, by, coordinator.ReportText{Title: c.Title, Text: string(text), Product: c.Product, Contact: c.Contact, Credit: c.Credit}, nil)
		if err != nil {
			return err
		}
		return a.done(fields{"reference": reference}, "Taken in. Its reference, shown this once: %s", reference)
	})
}

type reportList struct{}

func (*reportList) Help() string {
	return "Example:\n  forewarn report list --as ana"
}

func (*reportList) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		all, err := d.Reports(a, by)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, r := range all {
			cs := ""
			if !r.Case.IsZero() {
				cs = r.Case.Short()
			}
			rows = append(rows, []string{r.Report.Short(), when(r.Received), r.State, fmt.Sprint(r.Size), r.Account, cs})
		}
		return list(a, "No report has come in. 'forewarn report key' says what they are sealed to; the page is /report.", []string{"REPORT", "RECEIVED", "STATE", "BYTES", "ACCOUNT", "CASE"}, rows, all)
	})
}

type reportOpen struct {
	Report string `arg:"" help:"Id, or its beginning."`
	Key    string `help:"The secret half of the key for reports." required:"" placeholder:"FILE"`
	Out    string `help:"A new file for the report as it came; else it is shown." short:"o" placeholder:"FILE"`
}

func (*reportOpen) Help() string {
	return `That you opened it is on the log, and its sender sees that it is being looked at. A report is what a stranger sent: what moves or hides text is spelt out.

Example:
  forewarn report open 5k2q7r3m --key reports.key --as ana`
}

func (c *reportOpen) Run(a *app) error {
	ids, err := a.identities(c.Key)
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.FindReport(by, c.Report)
		if err != nil {
			return err
		}
		sealed, err := d.OpenReport(a, by, id)
		if err != nil {
			return err
		}
		plain, err := openReport(sealed, ids)
		if err != nil {
			return err
		}
		if c.Out != "" {
			if err := create(c.Out, plain, 0o600); err != nil {
				return err
			}
			return a.done(fields{"report": id, "out": c.Out, "bytes": len(plain)}, "Wrote the report to %s.", c.Out)
		}
		t, written := coordinator.ParseReportText(plain)
		if a.JSON {
			if !written {
				return fmt.Errorf("%w: its sender sealed another kind of file: -o FILE writes it as it came", errInput)
			}
			return a.printJSON(t)
		}
		if !written {
			if !utf8.Valid(plain) {
				return fmt.Errorf("%w: its sender sealed a file that is not text: -o FILE writes it as it came", errInput)
			}
			t.Text = string(plain)
		}
		a.sayReport(t)
		return nil
	})
}

func openReport(sealed []byte, ids seal.Identities) ([]byte, error) {
	r, err := seal.Open(bytes.NewReader(sealed), ids)
	if err == nil {
		var plain []byte
		if plain, err = io.ReadAll(io.LimitReader(r, 2*cvd.MaxReport)); err == nil {
			return plain, nil
		}
	}
	if errors.Is(err, seal.ErrWrongKey) {
		return nil, fmt.Errorf("%w: %w: it is sealed to the key for reports of its time, or to none of yours", errInput, err)
	}
	return nil, fmt.Errorf("%w: %w", errInput, err)
}

// sayReport shows what a stranger wrote, line by line.
func (a *app) sayReport(t coordinator.ReportText) {
	for _, f := range []struct{ name, value string }{{"Title", t.Title}, {"Product", t.Product}, {"Contact", t.Contact}, {"Credit", t.Credit}} {
		if f.value != "" {
			a.say("%-9s %s", f.name, sighting.Printable([]byte(f.value)))
		}
	}
	if !t.Deadline.IsZero() {
		a.say("%-9s %s", "Deadline", when(t.Deadline))
	}
	a.say("")
	for l := range strings.Lines(t.Text) {
		a.say("%s", sighting.Printable([]byte(strings.TrimRight(l, "\r\n"))))
	}
}

type reportSettle struct {
	Report string `arg:"" help:"Id, or its beginning."`
	Case   string `help:"The case that it belongs to: title or id." placeholder:"CASE" xor:"what" required:""`
	None   bool   `help:"It becomes no case." xor:"what" required:""`
	Reason string `help:"Why; encrypted, for the staff."`
}

func (*reportSettle) Help() string {
	return `Its sender sees that a case was opened, and not which; or that it is closed, and then the way in which they wanted to be named is destroyed.

Example:
  forewarn report settle 5k2q7r3m --case Layout --as ana`
}

func (c *reportSettle) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.FindReport(by, c.Report)
		if err != nil {
			return err
		}
		var cs cvd.CaseID
		if c.Case != "" {
			if cs, err = d.Case(a, by, c.Case); err != nil {
				return err
			}
		}
		if err := d.SettleReport(a, by, id, cs, c.Reason); err != nil {
			return err
		}
		if cs.IsZero() {
			return a.done(fields{"report": id, "case": nil}, "Closed: report %s becomes no case.", id.Short())
		}
		return a.done(fields{"report": id, "case": cs}, "Report %s belongs to case %s.", id.Short(), cs.Short())
	})
}

type caseCorrect struct {
	Case     string `arg:"" help:"Title or id."`
	Advisory string `arg:"" help:"The whole advisory, as it stands from now on." placeholder:"FILE"`
	Change   string `help:"What was changed: readers of the public page are told." required:""`
}

func (*caseCorrect) Help() string {
	return `The public page shows the new text, and in its timeline when it was corrected and how. What stood before stays on the log.

Example:
  forewarn case correct Layout advisory-2.md --change "4.2 was not enough: update to 4.3" --as ana`
}

func (c *caseCorrect) Run(a *app) error {
	text, err := a.read(c.Advisory, maxReport)
	if err != nil {
		return err
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if err := d.CorrectAdvisory(a, by, id, text, c.Change); err != nil {
			return err
		}
		return a.done(fields{"case": id, "corrected": true}, "The advisory of case %s is corrected.", id.Short())
	})
}
