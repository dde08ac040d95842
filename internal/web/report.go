package web

import (
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/signin"
)

// Bounds of what comes from anybody.
const (
	reportTries     = 10  // of one network, in five minutes
	reportTriesADay = 20  // of what is around it: nobody alone fills what all have
	referenceTries  = 30  // as above, of asking how a report stands
	reportsADay     = 200 // of all networks together
	reportLimit     = 3 << 19
)

type intakePage struct {
	Recipients []string `json:"recipients" doc:"age recipients that a report can be sealed to by its sender; none: no report is taken here."`
}

// reportForm is what anybody reports with.
func reportForm(v *Visit) error {
	to, err := v.Desk().Intake()
	if err != nil {
		return err
	}
	return v.Render("report", intakePage{append([]string{}, to...)})
}

type reportAsk struct {
	Title    string    `json:"title"`
	Text     string    `json:"text" max:"100000" doc:"What it is, and how it is shown. Plain text; nothing in it is run, loaded or shown as more than text."`
	Product  string    `json:"product" doc:"What is affected, with versions."`
	Contact  string    `json:"contact" max:"500" doc:"How its sender is reached."`
	Credit   string    `json:"credit" doc:"How its sender wants to be named in the advisory. Empty: not at all."`
	Deadline time.Time `json:"deadline" doc:"After which its sender publishes."`
	Zone     string    `json:"zone" doc:"Of a deadline without one."`
	Sealed   []byte    `json:"sealed" doc:"In place of title and text: a file sealed with age to the recipients; base64."`
}

type reportTaken struct {
	Reference string `json:"reference" doc:"Shown this once. With it, and without an account, its sender asks how the report stands."`
}

// report takes a report from anybody.
func report(v *Visit) error {
	if err := v.tries("report", reportTries); err != nil {
		return err
	}
	var in reportAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	switch {
	case len(in.Sealed) > 0 && in.Title+in.Text != "":
		return &FieldError{"sealed", "comes in place of title and text: send one of them"}
	case len(in.Sealed) == 0 && in.Title == "":
		return &FieldError{"title", "is missing"}
	case len(in.Sealed) == 0 && in.Text == "":
		return &FieldError{"text", "is missing"}
	}
	if err := v.triesWithin("day/try/report", around(v.site.from(v.Request)), 24*time.Hour, reportTriesADay); err != nil {
		return err
	}
	n, err := v.site.SignIn.Count(v.Context(), "day/report", signin.Key(sha256.Sum256([]byte("all"))), v.Now(), 24*time.Hour)
	if err != nil {
		return err
	}
	if n > reportsADay {
		return errFull
	}
	reference, err := v.Desk().TakeReport(v.Context(), v.By, coordinator.ReportText{Title: in.Title, Text: in.Text, Product: in.Product, Contact: in.Contact, Credit: in.Credit, Deadline: in.Deadline}, in.Sealed)
	if err != nil {
		return err
	}
	if v.API() {
		return v.Done("/report/status", reportTaken{reference})
	}
	return v.Render("report-taken", reportTaken{reference})
}

// errFull: more came today than anybody reads.
var errFull = errors.New("too many reports came today")

type statusAsk struct {
	Reference string `json:"reference" need:"true" max:"100"`
}

type reportStatus struct {
	coordinator.ReportView
	Reference string                 `json:"-"`
	Steps     []reportStep           `json:"-"`
	Moment    func(time.Time) Moment `json:"-"`
}

type reportStep struct {
	Name       string
	Done, Here bool
}

// statusForm asks for a reference. It is sent, and stands in no address.
func statusForm(v *Visit) error { return v.Render("report-ask", nil) }

// status says how a report stands, to whoever has its reference.
func status(v *Visit) error {
	var in statusAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	return v.status(in.Reference)
}

func (v *Visit) status(reference string) error {
	if err := v.tries("reference", referenceTries); err != nil {
		return err
	}
	view, err := v.Desk().ReportStatus(v.Context(), reference)
	if errors.Is(err, coordinator.ErrUnknown) {
		return &FieldError{"reference", "stands for no report: check it letter by letter"}
	}
	if err != nil {
		return err
	}
	page := reportStatus{ReportView: view, Reference: strings.ToUpper(strings.TrimSpace(reference)), Moment: v.Moment}
	page.Report = [16]byte{} // the reference is all that its sender needs
	steps := []string{coordinator.ReportIsReceived, coordinator.ReportIsRead, coordinator.ReportHasCase, coordinator.ReportIsPublished}
	if view.State == coordinator.ReportIsClosed {
		steps = []string{coordinator.ReportIsReceived, coordinator.ReportIsRead, coordinator.ReportIsClosed}
	}
	done := true
	for _, s := range steps {
		page.Steps = append(page.Steps, reportStep{s, done, s == view.State})
		done = done && s != view.State
	}
	return v.Render("report-status", page)
}

type creditAsk struct {
	Reference string `json:"reference" need:"true" max:"100"`
	Credit    string `json:"credit" doc:"Empty: not at all."`
}

// credit changes how a report's sender wants to be named.
func credit(v *Visit) error {
	var in creditAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.tries("reference", referenceTries); err != nil {
		return err
	}
	err := v.Desk().CreditReport(v.Context(), in.Reference, in.Credit)
	if errors.Is(err, coordinator.ErrUnknown) {
		return &FieldError{"reference", "stands for no report: check it letter by letter"}
	}
	if err != nil {
		return err
	}
	return v.status(in.Reference)
}
