package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// refused verifies what somebody dishonest made, who has every key of the house,
// and wants it to fail at this step.
func refused(t *testing.T, c *evidencetest.Case, d *evidence.Dossier, step, why string) {
	t.Helper()
	r, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{LogKey: c.LogKey, InquiryKey: c.InquiryKey})
	if err == nil {
		t.Fatalf("it verifies, %q: %s", r.Conclusion, r.Statement)
	}
	at := slices.IndexFunc(r.Steps, func(s evidence.Step) bool { return !s.OK })
	if r.Steps[at].Name != step || !strings.Contains(err.Error(), why) {
		t.Errorf("found out at %q, not at %q for %q: %v", r.Steps[at].Name, step, why, err)
	}
}

// The specimen is in hand; an innocent is sealed a copy of the very same marks.
func TestLateWaveNamesNobody(t *testing.T) {
	for name, at := range map[string]time.Time{
		"after it was found":     evidencetest.FoundAt.Add(105 * time.Minute),
		"in the minute of it":    evidencetest.FoundAt.Add(-30 * time.Second),
		"while it may have been": evidencetest.FoundAt.Add(30 * time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			var o evidence.OpenedCopy
			c := evidencetest.NewWith(5, 60, func(c *evidencetest.Case) { o = c.SealTo(1, c.Key(2), at, nil) })
			refused(t, c, c.Frame(c.Leak(2), 1, o), "copies named", "may have existed")
		})
	}
	// In time, the same is what the sealer's honesty is needed for: it verifies.
	var o evidence.OpenedCopy
	c := evidencetest.NewWith(5, 60, func(c *evidencetest.Case) { o = c.SealTo(1, c.Key(2), evidencetest.FoundAt.Add(-2*time.Minute), nil) })
	if r, err := evidence.VerifyDossier(signed(t, c, c.Frame(c.Leak(2), 1, o)), evidence.Trust{}); err != nil || !strings.Contains(r.Statement, "("+evidence.NotAcknowledged+")") {
		t.Errorf("%v, %s", err, r.Statement)
	}
}

// The same, with the wave dated back: an anchor of an old tick at the log's end.
func TestBackdatedWave(t *testing.T) {
	var o evidence.OpenedCopy
	c := evidencetest.NewWith(5, 60, func(c *evidencetest.Case) { o = c.SealTo(1, c.Key(2), evidencetest.FoundAt.Add(105*time.Minute), nil) })
	d := c.Frame(c.Leak(2), 1, o)
	c.OldTick(d, 2, evidencetest.Opens[1].Add(time.Hour))
	refused(t, c, d, "wave statements", "by the other anchors it is tick")
}

// Proofs under two checkpoints of one size that contradict each other.
func TestForkedLog(t *testing.T) {
	c, other := evidencetest.New(5, 60), evidencetest.Fork(5, 60)
	leak := c.Leak(2)
	d := c.Dossier(leak, 2)
	d.Waves[0] = other.Frozen(leak).Entry(0)
	if bytes.Equal(d.Waves[0].Checkpoint, d.Waves[1].Checkpoint) {
		t.Fatal("the logs are the same")
	}
	refused(t, c, d, "wave statements", "all proofs of one log are under one")
	for _, where := range []func(*evidence.Dossier){
		func(d *evidence.Dossier) { d.Facts[0].Proof = other.Frozen(leak).Inner(c.Fetch["2/0"]) },
		func(d *evidence.Dossier) { d.Inquiry.Noted = other.Dossier(leak, 2).Inquiry.Noted },
	} {
		d := c.Dossier(leak, 2)
		where(d)
		if _, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{}); err == nil || !strings.Contains(err.Error(), "all proofs of one log are under one") {
			t.Errorf("got %v", err)
		}
	}
}

// A checkpoint from elsewhere tells a fork that the dossier alone can't.
func TestCheckpointFromElsewhere(t *testing.T) {
	c, other := evidencetest.New(5, 60), evidencetest.Fork(5, 60)
	leak := c.Leak(2)
	b := signed(t, c, c.Dossier(leak, 2))
	same, fork := c.Frozen(leak).Entry(0).Checkpoint, other.Frozen(leak).Entry(0).Checkpoint
	recovered, err := entrylog.Checkpoint{Origin: entrylog.RecoveryOrigin(c.Log.Name(), 1), Size: 9}.Sign(c.Log)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := entrylog.Checkpoint{Origin: c.Inquiry.Name(), Size: 9}.Sign(c.Inquiry)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		known []byte
		class error
		note  string
	}{
		"none":           {nil, nil, "no checkpoint from elsewhere was given"},
		"the same":       {same, nil, "the same size and root"},
		"earlier":        {c.Entry(0).Checkpoint, nil, "check their consistency"},
		"a fork":         {fork, evidence.ErrNotVerified, "forked"},
		"of a recovery":  {recovered, evidence.ErrNotVerified, "recovery"},
		"of another log": {foreign, evidence.ErrUntrusted, ""},
		"no checkpoint":  {[]byte("x"), evidence.ErrUntrusted, ""},
	} {
		r, err := evidence.VerifyDossier(b, evidence.Trust{Checkpoint: row.known})
		if !errors.Is(err, row.class) {
			t.Errorf("%s: got %v", name, err)
		}
		if !strings.Contains(strings.Join(r.NotChecked, " ")+fmt.Sprint(err), row.note) {
			t.Errorf("%s: %v, %q", name, err, r.NotChecked)
		}
	}
}

// A wave with many copies is left out, so that fewer are counted.
func TestWaveLeftOut(t *testing.T) {
	c := evidencetest.NewWith(5, 60, func(c *evidencetest.Case) {
		c.SealTo(1, c.Key(1), evidencetest.Opens[1].Add(24*time.Hour), func(s *evidence.WaveStatement) {
			s.Issued = evidence.IssuedCommitment(evidencetest.Bytes("issued", 2), 6000)
		})
	})
	d := c.Dossier(c.Leak(2), 2)
	d.Waves = d.Waves[:2]
	d.Issued = evidence.IssuedOpening{Wave: 1, Copies: 6, Salt: c.Waves[1].Salt}
	refused(t, c, d, "run", "none may be left out")
}

// The sealer is who the waves name; nobody else counts runs.
func TestRunByAnother(t *testing.T) {
	c := evidencetest.New(5, 60)
	d := c.Dossier(c.Leak(2), 2)
	d.Run.Sign(c.Holders[0].Receipts)
	refused(t, c, d, "run", "not signed by the sealer")

	seed := evidencetest.Bytes("another sealer")
	c = evidencetest.NewWith(5, 60, func(c *evidencetest.Case) {
		c.SealTo(1, c.Key(1), evidencetest.Opens[1].Add(24*time.Hour), func(s *evidence.WaveStatement) { s.Sealer = seed })
	})
	refused(t, c, c.Dossier(c.Leak(2), 2), "wave statements", "sealer")

	c = evidencetest.NewWith(5, 60, func(c *evidencetest.Case) {
		c.SealTo(1, c.Key(1), evidencetest.Opens[1].Add(24*time.Hour), func(s *evidence.WaveStatement) { s.Reader = "align/0" })
	})
	refused(t, c, c.Dossier(c.Leak(2), 2), "freeze", "committed to")
}

// A later run must say that the keys had been open.
func TestLaterRun(t *testing.T) {
	c := evidencetest.New(5, 60)
	f, err := evidence.ParseFindings(c.Dossier(c.Leak(2), 2).Findings)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(evidence.RequiredLimits(f)); n != 1 {
		t.Errorf("%d limits in the first run", n)
	}
	f.Run = 3
	if l := evidence.RequiredLimits(f); len(l) != 2 || !strings.Contains(l[1], "had been open before") || !strings.Contains(l[1], "factor 12") {
		t.Errorf("%q", l)
	}
	d := c.Dossier(c.Leak(2), 2)
	f, _ = evidence.ParseFindings(d.Findings)
	f.Limits = nil
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	refused(t, c, d, "assumptions", "leave out a limit")
}

// The freeze is committed to in the programme's log before keys are opened.
func TestFreezeNoted(t *testing.T) {
	c := evidencetest.New(5, 60)
	leak := c.Leak(2)
	d := c.Dossier(leak, 2)
	d.Inquiry.Noted = c.Dossier(c.Leak(3), 3).Inquiry.Noted
	if _, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{}); err == nil {
		t.Error("another freeze's commitment is taken for this one's")
	}
	d = c.Dossier(leak, 2)
	d.Inquiry.Noted = d.Facts[0].Proof
	refused(t, c, d, "freeze noted", "kind")
	late := evidencetest.New(5, 60)
	late.NoteAt = evidencetest.FrozenAt.Add(150 * time.Second)
	refused(t, late, late.Dossier(leak, 2), "freeze noted", "after the keys were opened")
}

// A text that all copies share is no token, whatever a copy claims to hold.
func TestTokenOfFreeText(t *testing.T) {
	var o evidence.OpenedCopy
	var text []byte
	c := evidencetest.NewWith(5, 60, func(c *evidencetest.Case) {
		for _, p := range c.Form.Files[0].Parts {
			if p.Kind == form.Literal && len(p.Bytes) >= 32 {
				text = p.Bytes[:32]
				break
			}
		}
		o = c.SealText(1, c.Key(1), evidencetest.Opens[1].Add(24*time.Hour), string(text))
	})
	specimens := []form.Specimen{{Name: "x", Data: append([]byte("somebody said: "), text...)}}
	d := c.Frame(specimens, 1, o)
	refused(t, c, d, "printing again", "not the copy that was committed to")
}

// Tokens are words of their own, and the copy's.
func TestTokensAreRecognised(t *testing.T) {
	c := evidencetest.New(5, 60)
	own := string(c.Request(2)[0].Data)
	at := strings.Index(own, "marker=") + len("marker=")
	text := own[at : at+32]
	for name, row := range map[string]struct {
		data   string
		offset int64
		ok     bool
	}{
		"as it is":         {"GET /probe?marker=" + text + " HTTP/1.1", 18, true},
		"in upper case":    {"GET /probe?marker=" + strings.ToUpper(text) + " HTTP/1.1", 18, true},
		"inside a word":    {"GET /probe?marker=0" + text + " HTTP/1.1", 19, false},
		"before a letter":  {"GET /probe?marker=" + text + "a HTTP/1.1", 18, false},
		"at another place": {"GET /probe?marker=" + text + " HTTP/1.1", 17, false},
		"beyond the end":   {"GET /probe?marker=" + text, 60, false},
		"before the start": {"GET /probe?marker=" + text, -1, false},
	} {
		t.Run(name, func(t *testing.T) {
			specimens := []form.Specimen{{Name: "x", Data: []byte(row.data)}}
			d := c.Dossier(c.Request(2), 2)
			f, err := evidence.ParseFindings(d.Findings)
			if err != nil {
				t.Fatal(err)
			}
			a := f.Accused[0]
			d = c.Dossier(specimens, 2)
			readings := form.Read(c.Form, specimens)
			basis := evidence.Basis{Form: c.Form, Readings: &readings, Copies: len(c.Holders), Run: 1}
			a.Tokens[0].Offset = row.offset
			if row.offset >= 0 && row.offset+32 <= int64(len(row.data)) {
				a.Tokens[0].Text = row.data[row.offset : row.offset+32]
			}
			a.PTokens = evidence.TokenChance(int64(len(row.data)), len(c.Holders), 1, 1)
			d = c.With(d, specimens, basis, c.Key(2), a)
			if !row.ok {
				refused(t, c, d, "tokens", "does not stand at")
			} else if _, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// Common ownership counts only as it was declared, before the first wave.
func TestInventedGroup(t *testing.T) {
	specimens := func(c *evidencetest.Case) []form.Specimen { return append(c.Leak(2), c.Request(3)...) }
	var late entrylog.Seq
	c := evidencetest.NewWith(5, 60, func(c *evidencetest.Case) { late = c.Declare(evidencetest.FoundAt, 2, 3) })
	grouped := func(entry entrylog.Seq, id entrylog.Ref, members ...string) *evidence.Dossier {
		d := c.Dossier(specimens(c), 2, 3)
		f, err := evidence.ParseFindings(d.Findings)
		if err != nil {
			t.Fatal(err)
		}
		rows := f.Conflicting
		for i := range rows {
			rows[i].Group = evidence.Group{ID: evidence.ID(id), Entry: uint64(entry), Name: "Holding", Members: members}
		}
		f.Conclusion, _ = evidence.Conclude(f.Alpha, f.PAttainable, 0, rows)
		f.Statement = evidence.Sentence(f.Conclusion, rows)
		f.Accused, f.Conflicting, f.Why = rows, nil, nil
		if d.Findings, err = f.Marshal(); err != nil {
			t.Fatal(err)
		}
		d.Facts = append(d.Facts, evidence.Fact{Statement: "common ownership", Proof: c.Frozen(specimens(c)).Inner(entry)})
		return d
	}
	good := grouped(c.Group, evidencetest.GroupID, "Member C", "Member D")
	if r, err := evidence.VerifyDossier(signed(t, c, good), evidence.Trust{}); err != nil || r.Conclusion != evidence.Traced {
		t.Fatalf("%q, %v", r.Conclusion, err)
	}
	good.Facts = good.Facts[:len(good.Facts)-1]
	refused(t, c, good, "opened entries", "is not opened here")
	refused(t, c, grouped(late, evidencetest.GroupID, "Member C", "Member D"), "opened entries", "not before the first wave")
	refused(t, c, grouped(c.Group, evidencetest.Ref("g"), "Member C", "Member D"), "opened entries", "is not opened here")
	refused(t, c, grouped(c.Group, evidencetest.GroupID, "Member A", "Member C", "Member D"), "opened entries", "other members")
	refused(t, c, grouped(0, evidencetest.GroupID, "Member C"), "opened entries", "is not opened here")
}

// A receipt that was not there in time, or not at all, acknowledges nothing.
func TestAcknowledged(t *testing.T) {
	c := evidencetest.New(5, 60)
	d := c.Dossier(c.Leak(2), 2)
	f, err := evidence.ParseFindings(d.Findings)
	if err != nil {
		t.Fatal(err)
	}
	a := &f.Accused[0]
	a.Receipts = nil
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	refused(t, c, d, "opened entries", "acknowledged")
	for i := range a.Copies {
		a.Copies[i].Acknowledged = false
	}
	a.Acknowledged = a.Grade()
	a.DerivedFrom = a.Derived()
	f.Statement = evidence.Sentence(f.Conclusion, f.Accused)
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	if r, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{}); err != nil || !strings.Contains(r.Statement, "(not acknowledged)") {
		t.Errorf("%v: %s", err, r.Statement)
	}
}

// The printed error of the simulation is never nothing.
func TestSamplingErrorIsNeverZero(t *testing.T) {
	c := evidencetest.New(2, 60)
	for _, specimens := range [][]form.Specimen{c.Leak(1), {{Name: "x", Data: []byte("nothing")}}} {
		readings := form.Read(c.Form, specimens)
		n := evidence.Basis{Form: c.Form, Readings: &readings, Copies: 3, Run: 1}.Of(c.Key(1))
		if strings.HasPrefix(n.PSampledSE, "0.0") {
			t.Errorf("p_sampled %s ± %s", n.PSampled, n.PSampledSE)
		}
	}
}

func FuzzRun(f *testing.F) {
	r := evidencetest.New(1, 4).Run([32]byte{1}, 2)
	f.Add(wire.Marshal(&r))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r evidence.Run
		if wire.Unmarshal(b, &r) == nil && !bytes.Equal(wire.Marshal(&r), b) {
			t.Fatal("it parses and re-encodes differently")
		}
	})
}
