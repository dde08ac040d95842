package home_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
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

// An investigation stands among everything else that goes on: waves that were
// sealed since, waves that are approved and can't be sealed, specimens again.
func TestInvestigatingInTheMidstOfThings(t *testing.T) {
	t.Parallel()
	tn := found(t, 5)
	first := tn.wave(form.PoC, tn.members[:3]...)
	tn.clock.pass(11 * time.Minute)
	var leaked []byte
	for i, m := range tn.members[:3] {
		_, files, err := tn.fetch(m, first)
		ok(t, err)
		for _, f := range files {
			if i == 2 && f.Path == "advisory.md" {
				leaked = f.Data
			}
		}
	}
	o := tn.office()
	defer func() { o.Close() }()
	existed := tn.clock.Now().Add(time.Minute)
	tn.clock.pass(2 * time.Minute)
	ask := func(when string, name string, data []byte) inquiry.Outcome {
		t.Helper()
		out, err := o.Investigate(ctx, tn.desk.Desk, tn.who["ina"], inquiry.Question{Case: tn.cs, Specimens: []inquiry.Specimen{specimen(name, data, existed)}})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if out.Findings.Conclusion != evidence.Traced || len(out.Findings.Accused) != 1 || out.Findings.Accused[0].Name != "Member 3" {
			t.Errorf("%s the findings are %s: %+v", when, out.Findings.Conclusion, out.Findings.Accused)
		}
		if _, err := evidence.VerifyDossier(out.Dossier, evidence.Trust{LogKey: tn.home.LogKey()}); err != nil {
			t.Errorf("%s the dossier: %v", when, err)
		}
		return out
	}
	if out := ask("at first", "paste.txt", leaked); out.Findings.Run != 1 {
		t.Errorf("the first run is %d", out.Findings.Run)
	}
	if out := ask("again", "paste.txt", leaked); out.Findings.Run != 1 {
		t.Errorf("the same specimens are run %d", out.Findings.Run)
	}

	// Another wave is sealed, then the same question and another one.
	tn.clock.pass(time.Minute)
	tn.wave(form.PoC, tn.members[3])
	tn.clock.pass(11 * time.Minute)
	if out := ask("after another wave", "paste.txt", leaked); out.Findings.Copies != 4 || out.Findings.Run != 2 {
		t.Errorf("after another wave it is run %d over %d copies; more copies are another run", out.Findings.Run, out.Findings.Copies)
	}
	half := leaked[:len(leaked)*2/3]
	if out := ask("with another specimen", "part.txt", half); out.Findings.Run != 3 {
		t.Errorf("another specimen is run %d", out.Findings.Run)
	}

	// A wave that the sealer was asked for and could not finish has no copies.
	failing := tn.draft(form.PoC, tn.members[4])
	tn.clock.pass(time.Minute)
	stuck(t, tn, failing)
	out := ask("with a wave that is not sealed", "paste.txt", leaked)
	if out.Findings.Copies != 4 {
		t.Errorf("%d copies with a wave that is not sealed", out.Findings.Copies)
	}
	ask("with another specimen and a wave that is not sealed", "less.txt", leaked[:len(leaked)/2])

	// After a restart of both.
	ok(t, o.Close())
	tn.reopen()
	o = tn.office()
	if out := ask("after a restart", "paste.txt", leaked); out.Findings.Run != 2 {
		t.Errorf("after a restart it is run %d", out.Findings.Run)
	}
	tn.audit()
	r, _, err := tn.home.Verify(ctx, true, nil, nil)
	ok(t, err)
	if !r.OK() {
		t.Errorf("the inquiry's log: %v", r.Problems)
	}
}

// stuck approves a wave whose sealing stops after the sealer began: the blobs'
// folder takes nothing.
func stuck(t *testing.T, tn *town, id cvd.WaveID) {
	t.Helper()
	blobs := tn.desk.Config.Blobs
	tn.desk.Config.Blobs = full{blobs}
	defer func() { tn.desk.Config.Blobs = blobs }()
	if err := tn.desk.Approve(ctx, tn.who["ben"], id, nil); err == nil {
		t.Fatal("it was sealed")
	}
}

type full struct{ coordinator.Blobs }

func (full) Put(context.Context, []byte) ([32]byte, error) {
	return [32]byte{}, errors.New("no space left on device")
}
