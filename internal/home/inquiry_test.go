package home_test

import (
	"testing"
	"time"

	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
)

// office opens the inquiry, whose waiting moves the clock.
func (tn *town) office() *home.Office {
	tn.t.Helper()
	o, err := tn.home.Inquiry(ctx)
	ok(tn.t, err)
	o.Wait = func(until time.Time) error {
		tn.clock.pass(until.Sub(tn.clock.Now()))
		return nil
	}
	return o
}

func specimen(name string, data []byte, at time.Time) inquiry.Specimen {
	return inquiry.Specimen{Specimen: form.Specimen{Name: name, Data: data}, Found: evidence.Window{To: at}}
}

// investigated is a town where the second member's advisory leaked, and what the
// inquiry made of it.
func investigated(t *testing.T) (*town, inquiry.Outcome) {
	t.Helper()
	tn := found(t, 4)
	id := tn.wave(form.PoC, tn.members...)
	tn.clock.pass(11 * time.Minute)
	var leaked []byte
	for i, m := range tn.members {
		del, files, err := tn.fetch(m, id)
		ok(t, err)
		tn.sign(m, del)
		for _, f := range files {
			if i == 1 && f.Path == "advisory.md" {
				leaked = f.Data
			}
		}
	}
	tn.clock.pass(time.Hour)
	o := tn.office()
	defer o.Close()
	out, err := o.Investigate(ctx, tn.desk.Desk, tn.who["ina"], inquiry.Question{Case: tn.cs, Specimens: []inquiry.Specimen{specimen("paste.txt", leaked, tn.clock.Now())}})
	ok(t, err)
	if out.Findings.Conclusion != evidence.Traced || len(out.Findings.Accused) != 1 || out.Findings.Accused[0].Name != "Member 2" {
		t.Fatalf("the findings are %s: %+v", out.Findings.Conclusion, out.Findings.Accused)
	}
	return tn, out
}
