package web

import (
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// reportsPage is the reports that came in, for the staff. Their words are sealed to a
// key that no machine of the desk has: only a command shows them.
type reportsPage struct {
	list
	Reports []reportLine `json:"reports"`
	Waiting int          `json:"waiting" doc:"Nobody settled them yet."`
	Sealed  bool         `json:"-"` // there is a key to seal reports to
}

type reportLine struct {
	coordinator.ReportView
	Received Moment `json:"received"`
	Since    Moment `json:"since"`
	Title    string `json:"case_title,omitempty"`
	Open     bool   `json:"-"` // nobody settled it
}

// reports lists what came in, the newest first.
func reports(v *Visit) error {
	var in listIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	all, err := v.Desk().Reports(v.Context(), v.By)
	if err != nil {
		return err
	}
	to, err := v.Desk().Intake()
	if err != nil {
		return err
	}
	open := func(r coordinator.ReportView) bool {
		return r.State == coordinator.ReportIsReceived || r.State == coordinator.ReportIsRead
	}
	page := reportsPage{Reports: []reportLine{}, Sealed: len(to) > 0}
	var matching []coordinator.ReportView
	for _, r := range all {
		if open(r) {
			page.Waiting++
		}
		if strings.HasPrefix(r.Report.String(), in.Words) || strings.Contains(r.State, in.Words) {
			matching = append(matching, r)
		}
	}
	shown, l, err := part(matching, in, "/reports", func(r coordinator.ReportView) string { return r.Report.String() },
		[2]string{"", "Report"}, [2]string{"", "Received"}, [2]string{"", "Stands"}, [2]string{"", "From"}, [2]string{"", "#Bytes"})
	if err != nil {
		return err
	}
	page.list = l
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		for _, r := range shown {
			line := reportLine{ReportView: r, Received: v.Moment(r.Received), Since: v.Moment(r.Since), Open: open(r)}
			if !r.Case.IsZero() && p.May(v.By, cvd.ActReadCase, cvd.ACase(r.Case), v.Now()) == nil {
				line.Title = n.Case(r.Case)
			}
			page.Reports = append(page.Reports, line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("reports", page)
}

type settleIn struct {
	Report cvd.ReportID `json:"report" need:"true"`
	Case   string       `json:"case" doc:"Title or id of the case that it belongs to."`
	None   bool         `json:"none" doc:"In place of a case: it becomes none, and how its sender wanted to be named is destroyed."`
	Reason string       `json:"reason" max:"2000" doc:"Why; kept encrypted."`
}

type settleOut struct {
	Report cvd.ReportID `json:"report"`
	Case   cvd.CaseID   `json:"case,omitzero"`
}

// settleReport says what becomes of a report. Silence about the case is not 'none'.
func settleReport(v *Visit) error {
	var in settleIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	if in.None == (in.Case != "") {
		return &FieldError{"case", "is missing: name the case, or say that it becomes none, and not both"}
	}
	out := settleOut{Report: in.Report}
	if in.Case != "" {
		var err error
		if out.Case, err = v.Desk().Case(v.Context(), v.By, in.Case); err != nil {
			return notOne(err, "case", "case")
		}
	}
	if err := v.Desk().SettleReport(v.Context(), v.By, in.Report, out.Case, in.Reason); err != nil {
		return err
	}
	return v.Done("/reports", out)
}

// correctionPage is a published advisory for who corrects it.
type correctionPage struct {
	Case     cvd.CaseID       `json:"case"`
	Title    string           `json:"title"`
	Advisory string           `json:"advisory"`
	Changes  []advisoryChange `json:"changes" doc:"What readers were told before, the newest first."`
}

func correctPage(v *Visit) error {
	id, _, err := v.onCase(nil)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActCorrectAdvisory, cvd.ACase(id)); err != nil {
		return err
	}
	about, text, err := v.Desk().Advisory(v.Context(), id)
	if err != nil {
		return err
	}
	page := correctionPage{Case: id, Title: about.Title, Advisory: string(text), Changes: []advisoryChange{}}
	for _, c := range about.Changes {
		page.Changes = append(page.Changes, advisoryChange{v.Moment(c.At), c.What})
	}
	return v.Render("case-correct", page)
}

type correctIn struct {
	Advisory string `json:"advisory" need:"true" max:"200000" doc:"The whole advisory, as it stands from now on."`
	Change   string `json:"change" need:"true" max:"2000" doc:"What was changed: readers of the public page are told."`
}

func correctAdvisory(v *Visit) error {
	var in correctIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.Desk().CorrectAdvisory(v.Context(), v.By, id, []byte(in.Advisory), in.Change); err != nil {
		return err
	}
	return v.Done(back, nil)
}
