package keep_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/keep"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
	"forewarn/internal/signin"
)

// kindsWithTexts is every kind whose frozen sample names a blob.
func kindsWithTexts(t *testing.T) map[entrylog.Kind]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "cvd", "testdata", "kinds", "*.hex"))
	ok(t, err)
	kinds := map[entrylog.Kind]bool{}
	for _, f := range files {
		number, _, _ := strings.Cut(filepath.Base(f), "-")
		n, err := strconv.ParseUint(number, 10, 16)
		ok(t, err)
		text, err := os.ReadFile(f)
		ok(t, err)
		b, err := hex.DecodeString(strings.TrimSpace(string(text)))
		ok(t, err)
		body, err := cvd.DecodeBody(entrylog.Kind(n), b)
		ok(t, err)
		if len(coordinator.References(body)) > 0 {
			kinds[entrylog.Kind(n)] = true
		}
	}
	if len(kinds) < 25 {
		t.Fatalf("only %d kinds have blobs", len(kinds))
	}
	return kinds
}

// everyText has the desk write an entry of every kind that names blobs, each with all
// its texts.
func (w *works) everyText() {
	t := w.t
	t.Helper()
	do := func(by cvd.Actor, c cvd.Command) {
		t.Helper()
		_, err := w.desk.Do(ctx, by, c)
		ok(t, err)
	}
	why := func(key string) cvd.BlobRef {
		t.Helper()
		ref, err := w.desk.Reason(ctx, key, "why, of "+key)
		ok(t, err)
		return ref
	}
	ofCase := coordinator.CaseKey(w.cs)

	// Reports: one in a case, one in none, one that waits; in words, and sealed by its sender.
	k, err := seal.Keygen(seal.X25519, founded)
	ok(t, err)
	ok(t, w.desk.SetIntake(ctx, w.ana, []byte(k.Recipient)))
	own, err := seal.Crypt{}.SealTo([]string{strings.TrimSpace(k.Recipient)}, []byte("sealed by its sender"))
	ok(t, err)
	var reports []cvd.ReportID
	for _, sealed := range [][]byte{nil, own, nil} {
		reference, err := w.desk.TakeReport(ctx, cvd.Actor{}, coordinator.ReportText{Title: "a report", Text: "its words", Credit: "A. Finder"}, sealed)
		ok(t, err)
		ok(t, w.desk.CreditReport(ctx, reference, "Another Name"))
		v, err := w.desk.ReportStatus(ctx, reference)
		ok(t, err)
		reports = append(reports, v.Report)
	}
	ok(t, w.desk.SettleReport(ctx, w.ana, reports[0], w.cs, "it is the same"))
	ok(t, w.desk.SettleReport(ctx, w.ana, reports[1], cvd.CaseID{}, "it is nothing"))

	// The case's first revision has a wave that opened; a second one is drafted.
	_, err = w.desk.OpenDraft(ctx, w.ana, w.added.Package)
	ok(t, err)
	release := cvd.ReleaseTime{At: founded.Add(14 * time.Hour), Zone: "Europe/Stockholm"}
	do(w.ana, cvd.ProposeEmbargo{Case: w.cs, Release: release, Terms: why(ofCase)})
	do(w.ana, cvd.MoveReleaseTime{Case: w.cs, Release: release, Reason: why(ofCase)})
	draft, err := w.desk.DraftWave(ctx, w.ana, cvd.DraftWave{Revision: w.added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: w.now.Add(time.Hour), Audience: slices.Clone(w.members)})
	ok(t, err)
	do(w.ana, cvd.CancelWave{Wave: draft, Reason: why(ofCase)})
	do(w.ana, cvd.Hold{Case: w.cs, Reason: why(ofCase)})
	do(w.ana, cvd.LiftHold{Case: w.cs})
	var product cvd.ProductID
	ok(t, w.desk.View(func(p *cvd.Programme) error { product = p.Cases[w.cs].Products[0]; return nil }))
	ok(t, w.desk.Answer(ctx, w.actors[0], w.cs, product, cvd.Ready, "version 2.1"))
	_, err = w.desk.RecordSighting(ctx, w.ana, w.cs, coordinator.Seen{Source: "a site", What: "words", Grade: cvd.GradeB})
	ok(t, err)
	do(w.ana, cvd.DeclareBreach{Case: w.cs, Detail: why(ofCase)})

	// An alarm, dismissed.
	source, err := w.desk.DeclareSource(ctx, w.ana, coordinator.SourceSpec{Name: "a reporter", Origin: cvd.OwnSensor, Grade: cvd.GradeA, Quota: 10})
	ok(t, err)
	_, err = w.desk.Report(ctx, w.ana, source, w.cs, "what was seen", time.Time{}, time.Time{})
	ok(t, err)
	_, err = w.desk.DecideAlarm(ctx, w.ana, w.cs, coordinator.Verdict{Choice: cvd.ChooseDismiss, Reason: "a test", Until: w.now.Add(time.Hour)})
	ok(t, err)

	// The programme's own.
	ok(t, w.desk.SetMail(ctx, w.ana, w.ben.Account, "ben@desk.example"))
	do(w.ana, cvd.SetLegalHold{Scope: cvd.CaseKey, ID: entrylog.Ref(w.cs), On: true, Review: w.now.Add(48 * time.Hour), Reason: why(coordinator.ProgrammeKey)})
	ok(t, w.desk.RevokeOwn(ctx, w.actors[1], "lost"))
	do(w.ana, cvd.ChangeStanding{Member: cvd.MemberID(w.members[1]), Standing: cvd.Suspended, Reason: why(coordinator.ProgrammeKey)})
	ok(t, w.desk.DeclareRecovery(ctx, w.ana, ledger.Recovery{}, "a drill"))

	_, err = w.desk.PublishHeadsUp(ctx, w.ana, w.cs, coordinator.HeadsUpText{Headline: "what is coming"}, cvd.ReleaseTime{}, "")
	ok(t, err)
	_, err = w.desk.PublishHeadsUp(ctx, w.ana, w.cs, coordinator.HeadsUpText{Headline: "what is coming", Severity: "high"}, cvd.ReleaseTime{}, "how severe it is")
	ok(t, err)
	ok(t, w.desk.WithdrawHeadsUp(ctx, w.ana, w.cs, "it is not coming"))
	// Access to an account is recovered, and the wait lifted by who didn't invite.
	cem, err := w.desk.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Coordinator), coordinator.Person{Handle: "cem", Name: "Cem"})
	ok(t, err)
	for _, name := range []string{"old", "new"} {
		inv, err := w.desk.InviteAccount(ctx, w.ana, w.ben.Account, time.Hour)
		ok(t, err)
		if inv.Recovery {
			ok(t, w.desk.ConfirmInvitation(ctx, cvd.Actor{Account: cem}, w.ben.Account))
		}
		do(w.ben, cvd.AddCredential{Account: w.ben.Account, Credential: []byte(name), PublicKey: []byte("key"), Invitation: signin.KeyOf(inv.Secret)})
	}
	ok(t, w.desk.LiftWait(ctx, cvd.Actor{Account: cem}, w.ben.Account, [32]byte{}, "called back"))

	// And to the end: recalled, ended, released, corrected.
	do(w.ana, cvd.IssueRecall{Revision: w.added.Revision, Reason: why(ofCase)})
	_, err = w.desk.EndEmbargo(ctx, w.ana, w.cs, "it is public")
	ok(t, err)
	w.tick()
	ok(t, w.desk.Release(ctx, w.ana, w.cs, []byte("# The advisory\n")))
	ok(t, w.desk.CorrectAdvisory(ctx, w.ana, w.cs, []byte("# The advisory, corrected\n"), "a version number"))
	w.tick()
}

// Every kind that names blobs comes through the doctor, a backup, a restore and an
// export. A kind that the desk can't write here fails it: have everyText write one.
func TestEveryKindComesBack(t *testing.T) {
	t.Parallel()
	w := found(t)
	w.everyText()
	missing := kindsWithTexts(t)
	ok(t, w.desk.EachEntry(ctx, 0, func(_ entrylog.Seq, e entrylog.Entry) error {
		if body, err := cvd.DecodeBody(e.Kind, e.Body); err == nil && slices.ContainsFunc(coordinator.References(body), func(r cvd.BlobRef) bool { return !r.IsZero() }) {
			delete(missing, e.Kind)
		}
		return nil
	}))
	for k := range missing {
		t.Errorf("no entry of kind %s with a blob was written", cvd.KindName(k))
	}
	well := func(checks []keep.Check) {
		t.Helper()
		for _, c := range checks {
			if c.Grade == keep.Broken {
				t.Errorf("%s: %s %q", c.Name, c.Says, c.Where)
			}
		}
	}
	well(w.examine(keep.OpenFolder(ctx, w.home)))
	dest := filepath.Join(t.TempDir(), "b")
	w.backup(dest)
	keys := w.kept(w.sealed(keep.OfDesk), w.sealed(keep.OfSealer))
	r, err := keep.Restore(ctx, dest, keys, filepath.Join(t.TempDir(), "again"), keep.Choices{}, w.exam())
	ok(t, err)
	well(r.Checks)
	if got, want := state(t, r.Home), state(t, w.home); got != want {
		t.Error("the restored programme has another state")
	}
	dir := filepath.Join(t.TempDir(), "x")
	out, err := keep.Export(ctx, w.desk.Desk, w.ana, w.home.LogKey(), filepath.Join(w.dir, "desk", "anchors"), dir, false, keep.Quiet)
	ok(t, err)
	for _, want := range []string{"A. Finder", "it is nothing", "The advisory, corrected", "what is coming", "how severe it is", "it is not coming"} {
		if len(grep(t, dir, []byte(want))) == 0 {
			t.Errorf("%q is not in the export (%+v)", want, out)
		}
	}
	// What went with a report that became nothing doesn't.
	if hits := grep(t, dir, []byte("Another Name")); len(hits) != 2 {
		t.Errorf("of three credit lines, one of a report that is settled as nothing: %v", hits)
	}
}

// What went with a report that became nothing does not come back with keys that were
// put aside before; and the programme is well, also when the report finds a case later.
func TestReportThatBecameNothing(t *testing.T) {
	t.Parallel()
	w := found(t)
	k, err := seal.Keygen(seal.X25519, founded)
	ok(t, err)
	ok(t, w.desk.SetIntake(ctx, w.ana, []byte(k.Recipient)))
	reference, err := w.desk.TakeReport(ctx, cvd.Actor{}, coordinator.ReportText{Title: "a report", Text: "its words", Credit: "A. Finder"}, nil)
	ok(t, err)
	v, err := w.desk.ReportStatus(ctx, reference)
	ok(t, err)
	early := w.kept(w.sealed(keep.OfDesk), w.sealed(keep.OfSealer))
	ok(t, w.desk.SettleReport(ctx, w.ana, v.Report, cvd.CaseID{}, "it is nothing"))
	ok(t, w.desk.SettleReport(ctx, w.ana, v.Report, w.cs, "it is something after all"))
	w.tick()
	dest := filepath.Join(t.TempDir(), "b")
	w.backup(dest)
	r, err := keep.Restore(ctx, dest, early, filepath.Join(t.TempDir(), "again"), keep.Choices{}, w.exam())
	ok(t, err)
	if want := []string{coordinator.ReportKey(v.Report)}; !slices.Equal(r.Shredded, want) {
		t.Errorf("left out are %q, want %q", r.Shredded, want)
	}
	for _, c := range append(r.Checks, w.examine(keep.OpenFolder(ctx, w.home))...) {
		if c.Grade == keep.Broken {
			t.Errorf("%s: %s %q", c.Name, c.Says, c.Where)
		}
	}
}
