package coordinator_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/seal"
)

// intake has reports sealed to a new key, and gives it.
func (w *works) intake() seal.Identities {
	w.t.Helper()
	k, err := seal.Keygen(seal.X25519, dawn)
	ok(w.t, err)
	with, err := seal.ParseIdentities(k.Identity)
	ok(w.t, err)
	pub, err := k.Public()
	ok(w.t, err)
	ok(w.t, w.serving.SetIntake(ctx, w.ana, []byte(strings.Join(pub.Recipients, "\n"))))
	return with
}

// A report is sealed to the intake's keys as they are when it is taken in, also when
// they are replaced while it is being sealed: here, or from a command.
func TestReportGoesToTheNewestKey(t *testing.T) {
	for name, w := range map[string]*works{"served": newWorks(t), "beside": newBeside(t)} {
		var by cvd.Actor // of the pages it is nobody
		if w.beside {
			by = w.ana
		}
		w.intake()
		ok(t, w.desk.Refresh(ctx))
		var with seal.Identities
		replaced := 0
		w.hook = func(op string) fault {
			if op == "blobs/put" && replaced < 2 { // it was sealed, and is about to be written of
				replaced++
				with = w.intake()
			}
			return fault{}
		}
		reference, err := w.desk.TakeReport(ctx, by, coordinator.ReportText{Title: "A flaw", Text: "its words", Credit: "A. Finder"}, nil)
		ok(t, err)
		w.hook = nil
		if replaced != 2 {
			t.Fatalf("%s: the keys were replaced %d times, want 2", name, replaced)
		}
		got, err := w.serving.ReportStatus(ctx, reference)
		ok(t, err)
		if got.Credit != "A. Finder" {
			t.Errorf("%s: its credit line is %q", name, got.Credit)
		}
		sealed, err := w.serving.OpenReport(ctx, w.ana, got.Report)
		ok(t, err)
		plain, err := seal.Open(bytes.NewReader(sealed), with)
		if err != nil {
			t.Fatalf("%s: the newest key doesn't open it: %v", name, err)
		}
		b, err := io.ReadAll(plain)
		ok(t, err)
		if text, is := coordinator.ParseReportText(b); !is || text.Title != "A flaw" {
			t.Errorf("%s: it says %q", name, b)
		}
		if p := w.audited(name); len(p.Reports) != 1 {
			t.Errorf("%s: %d reports", name, len(p.Reports))
		}
		w.end()
	}
}
