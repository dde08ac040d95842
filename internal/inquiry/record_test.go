package inquiry_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/inquiry"
)

// tampered wants every change of a dossier to be found, although it is signed
// anew.
func tampered(h *house, dossier []byte, changes map[string]func(*evidence.Dossier, *evidence.Findings)) {
	h.t.Helper()
	for name, change := range changes {
		d, err := evidence.ParseDossier(dossier)
		ok(h.t, err)
		f, err := evidence.ParseFindings(d.Findings)
		ok(h.t, err)
		change(d, f)
		d.Findings, err = f.Marshal()
		ok(h.t, err)
		b, err := d.Sign(h.inq.opt.Signer)
		ok(h.t, err)
		if _, err := evidence.VerifyDossier(b, evidence.Trust{}); err == nil {
			h.t.Errorf("%s: it verifies", name)
		}
	}
}

// Edits change no conclusion: findings print them beside what they would change.
func TestEditsConcludeNothing(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	leaked = excerpt(text, 0, 18)
	without, err := h.clone2().investigate(0, leaked, found)
	ok(t, err)

	// By hand, nearly everything that was read is taken away.
	sheet, err := h.office.Look(ctx, h.desk, h.who["ina"], inquiry.Question{Case: h.cases[0], Specimens: []inquiry.Specimen{specimen(leaked, found)}})
	ok(t, err)
	e, err := form.ParseEdits(sheet)
	ok(t, err)
	for _, place := range bytes.Split(sheet, []byte("\n#site "))[1:] {
		if bytes.Contains(place, []byte("#read symbol")) && len(e.List) < 30 {
			site, err := form.ParseEdits([]byte(strings.Replace(string(sheet), "#site "+string(place[:32])+"\n", "site "+string(place[:32])+"\nread erased\nby ina\nwhy smudged\n", 1)))
			ok(t, err)
			e.List = append(e.List, site.List[0])
		}
	}
	out, err := h.investigate(0, leaked, found, e)
	ok(t, err)
	f := out.Findings
	if f.Version != evidence.FindingsVersion2 || f.Edits == nil || len(f.Edits.Made) != 30 || len(f.Edits.With) != 1 {
		t.Fatalf("the findings of version %q print %+v", f.Version, f.Edits)
	}
	if f.Conclusion != evidence.Traced || f.Accused[0].PAdjusted != without.Findings.Accused[0].PAdjusted || f.Statement != without.Findings.Statement {
		t.Errorf("with edits the conclusion is %s: %s", f.Conclusion, f.Statement)
	}
	if w := f.Edits.With[0]; w.Result == "names the copy" || w.SitesRead >= f.Accused[0].SitesRead {
		t.Errorf("with them wording says %+v", w)
	}
	if !strings.Contains(strings.Join(f.Limits, " "), "would name 0 of the 1 copies") {
		t.Errorf("the limits do not say what the edits would change: %q", f.Limits)
	}
	vector(t, "edits", out.Dossier)
	tampered(h, out.Dossier, map[string]func(*evidence.Dossier, *evidence.Findings){
		"another reason": func(d *evidence.Dossier, f *evidence.Findings) {
			d.Edits.Text = bytes.Replace(d.Edits.Text, []byte("smudged"), []byte("smeared"), 1)
		},
		"no edits":           func(d *evidence.Dossier, f *evidence.Findings) { d.Edits = evidence.DossierEdits{} },
		"not told":           func(d *evidence.Dossier, f *evidence.Findings) { f.Edits = nil; f.SetVersion() },
		"another number":     func(d *evidence.Dossier, f *evidence.Findings) { f.Edits.With[0].PAdjusted = "1.0e-30" },
		"another account":    func(d *evidence.Dossier, f *evidence.Findings) { f.Edits.Account[0] ^= 1 },
		"another time":       func(d *evidence.Dossier, f *evidence.Findings) { f.Edits.FrozenAt = f.Edits.FrozenAt.Add(time.Second) },
		"another reading":    func(d *evidence.Dossier, f *evidence.Findings) { f.Edits.Made[0].Was = "other" },
		"the limit left out": func(d *evidence.Dossier, f *evidence.Findings) { f.Limits = f.Limits[:0] },
	})
}

// clone2 is the same house, open, beside this one.
func (h *house) clone2() *house {
	c := h.clone(h.t)
	c.open()
	return c
}

// The record has every act with its text, byte for byte, and nobody can change one
// without its being found.
func TestRecord(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	leaked = excerpt(h.copy(1, 0), 0, 18)
	h.pass(3 * time.Hour)
	out, err := h.investigate(0, leaked, found)
	ok(t, err)
	if !strings.Contains(string(out.Page), "State: draft") {
		t.Error("the page does not say that this is a draft")
	}
	id := out.Kept.Findings
	said := []byte("It was not us.\r\n\x00\xff")
	for _, s := range []struct {
		who string
		inquiry.Step
	}{
		{"ina", inquiry.Step{Act: evidence.ActPut, Until: h.now.Add(72 * time.Hour)}},
		{"ivo", inquiry.Step{Act: evidence.ActReply, Holder: h.members[1], Text: said}},
		{"ivo", inquiry.Step{Act: evidence.ActReview, Text: []byte("it holds")}},
		{"ina", inquiry.Step{Act: evidence.ActFinal}},
	} {
		h.pass(time.Minute)
		if _, err := h.office.Take(ctx, h.desk, h.who[s.who], id, s.Step); err != nil {
			t.Fatalf("%s: %v", s.Act, err)
		}
		// The same again is done already.
		before := h.entries("after " + s.Act.String())
		if _, err := h.office.Take(ctx, h.desk, h.who[s.who], id, s.Step); err != nil {
			t.Errorf("%s again: %v", s.Act, err)
		}
		if after := h.entries("again"); after[inquiry.KindFindingsStage] != before[inquiry.KindFindingsStage] {
			t.Errorf("%s again is another entry", s.Act)
		}
	}
	r, err := h.office.Record(ctx, h.desk, h.who["ivo"], id)
	ok(t, err)
	hash := sha256.Sum256(said)
	if !bytes.Equal(r.Texts[2], said) || !strings.Contains(string(r.Page), fmt.Sprintf("%x", hash)) || !strings.Contains(string(r.Page), "State: final") {
		t.Error("the record does not show the reply as it came, its hash, or the state")
	}
	vector(t, "final", r.Dossier)
	tampered(h, r.Dossier, map[string]func(*evidence.Dossier, *evidence.Findings){
		"another reply":               func(d *evidence.Dossier, _ *evidence.Findings) { d.Life[2].Text = []byte("It was us.") },
		"a reply left out":            func(d *evidence.Dossier, _ *evidence.Findings) { d.Life[2].Text = nil },
		"an act left out":             func(d *evidence.Dossier, _ *evidence.Findings) { d.Life = append(d.Life[:3:3], d.Life[4:]...) },
		"acts in another order":       func(d *evidence.Dossier, _ *evidence.Findings) { d.Life[2], d.Life[3] = d.Life[3], d.Life[2] },
		"the draft left out":          func(d *evidence.Dossier, _ *evidence.Findings) { d.Life = d.Life[1:] },
		"a text that nobody attached": func(d *evidence.Dossier, _ *evidence.Findings) { d.Life[1].Text = []byte("a letter") },
		"other findings":              func(_ *evidence.Dossier, f *evidence.Findings) { f.WouldHelp = append(f.WouldHelp, "more") },
	})

	// Who may not look gets nothing, and who was only lent the role does nothing.
	if _, err := h.office.Record(ctx, h.desk, h.who["ana"], id); !errors.Is(err, cvd.ErrDenied) {
		t.Errorf("the coordinator has the record: %v", err)
	}
	// A dossier that was damaged is put to nobody.
	h.pass(time.Minute)
	out2, err := h.investigate(0, excerpt(leaked, 0, 17), found)
	ok(t, err)
	h.inq.blobs.blobs[out2.Kept.Dossier] = bytes.Replace(out2.Dossier, []byte("derived"), []byte("DERIVED"), 1)
	_, err = h.office.Take(ctx, h.desk, h.who["ina"], out2.Kept.Findings, inquiry.Step{Act: evidence.ActPut, Until: h.now.Add(72 * time.Hour)})
	if !errors.Is(err, inquiry.ErrUnsound) {
		t.Errorf("a damaged dossier is put: %v", err)
	}
	if k, err := h.office.Find(h.desk, h.who["ina"], out2.Kept.Name()); err != nil || k.Life.Stage != evidence.Draft {
		t.Errorf("they are %s: %v", k.Life.Stage, err)
	}
}
