package inquiry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
	"forewarn/internal/inquiry"
)

func history(h *house, member int) inquiry.History {
	h.t.Helper()
	x, err := h.office.History(h.desk, h.who["ina"], cvd.MemberID(h.members[member]))
	ok(h.t, err)
	return x
}

// silent wants a history with no number about a copy that isn't named.
func silent(t *testing.T, when string, x inquiry.History) {
	t.Helper()
	if x.E != "" || x.Reached {
		t.Errorf("%s: all together E is %q", when, x.E)
	}
	for n, c := range x.Cases {
		if c.Told || c.Score != 0 || c.E != "" || c.NewSites != 0 {
			t.Errorf("%s: case %d tells %+v", when, n+1, c)
		}
	}
}

// A member leaks too little, three times, for any one case to name it. All cases
// together do; the dossier opens what that rests on, and of everybody else nothing
// is told.
func TestAllCasesTogether(t *testing.T) {
	h := newHouse(t, 3, 3)
	defer h.close()
	var texts [][]byte
	for cs := range h.cases {
		texts = append(texts, h.copy(1, cs))
	}
	h.pass(3 * time.Hour)
	var last inquiry.Outcome
	for cs, text := range texts {
		out, err := h.investigate(cs, excerpt(text, 0, 9), found)
		ok(t, err)
		last = out
		if out.Findings.Conclusion != evidence.CannotSay || len(out.Kept.Named) > 0 {
			t.Fatalf("case %d alone names %v", cs+1, out.Kept.Named)
		}
		silent(t, "the others", history(h, 0))
		silent(t, "the others", history(h, 2))
		a := out.Findings.Accumulated
		if a == nil {
			if cs > 0 {
				t.Fatalf("%d cases with some ten nat each do not reach the threshold", cs+1)
			}
			silent(t, "the leaker, before", history(h, 1))
			continue
		}
		if len(a.Members) != 1 || entrylog.Ref(a.Members[0].Holder) != entrylog.Ref(h.members[1]) || len(a.Members[0].Cases) != cs+1 {
			t.Fatalf("all cases together accuse %+v", a.Members)
		}
		x := history(h, 1)
		if !x.Reached || x.E == "" || len(x.Cases) != cs+1 || !x.Cases[0].Told || x.Cases[0].Score != a.Members[0].Cases[0].Score {
			t.Errorf("the history is %+v", x)
		}
		for _, s := range []string{a.Members[0].Statement, "Over all cases", fpcode.EProcess, "that holder gets no score"} {
			if !strings.Contains(string(out.Page), s) {
				t.Errorf("the page does not say %q", s)
			}
		}
	}
	// The order of admission decides the threshold: the second member's.
	if x := history(h, 1); x.Threshold != fpcode.Threshold(6, inquiry.AlphaAllPico) || x.Admitted != 2 {
		t.Errorf("the second member has threshold %s", x.Threshold)
	}

	// Whoever has the dossier finds every change.
	vector(t, "together", last.Dossier)
	for name, change := range map[string]func(*evidence.Dossier, *evidence.Findings){
		"a case left out":    func(d *evidence.Dossier, f *evidence.Findings) { d.History = d.History[1:] },
		"another slot table": func(d *evidence.Dossier, f *evidence.Findings) { d.History[0].SlotTable[40] ^= 1 },
		"another copy's key": func(d *evidence.Dossier, f *evidence.Findings) { d.History[0].Copies[0].Key[0] ^= 1 },
		"a site more":        func(d *evidence.Dossier, f *evidence.Findings) { d.History[1].Sites[0][0] ^= 1 },
		"a site fewer":       func(d *evidence.Dossier, f *evidence.Findings) { d.History[0].Sites = d.History[0].Sites[1:] },
		"a case twice": func(d *evidence.Dossier, f *evidence.Findings) {
			d.History = append(d.History, d.History[len(d.History)-1])
		},
		"a greater E":          func(d *evidence.Dossier, f *evidence.Findings) { f.Accumulated.Members[0].E = "9.9e+99" },
		"an earlier admission": func(d *evidence.Dossier, f *evidence.Findings) { f.Accumulated.Members[0].Admitted = 1 },
		"a smaller alpha":      func(d *evidence.Dossier, f *evidence.Findings) { f.Accumulated.AlphaPico = 1 },
		"nobody":               func(d *evidence.Dossier, f *evidence.Findings) { f.Accumulated.Members = nil },
		"not told":             func(d *evidence.Dossier, f *evidence.Findings) { f.Accumulated = nil; f.SetVersion() },
	} {
		d, err := evidence.ParseDossier(last.Dossier)
		ok(t, err)
		f, err := evidence.ParseFindings(d.Findings)
		ok(t, err)
		change(d, f)
		d.Findings, err = f.Marshal()
		ok(t, err)
		b, err := d.Sign(h.inq.opt.Signer)
		ok(t, err)
		if _, err := evidence.VerifyDossier(b, evidence.Trust{}); err == nil {
			t.Errorf("%s: it verifies", name)
		}
	}
}

// The same text found twice counts once, and only what is new of a longer one.
func TestOneTextCountsOnce(t *testing.T) {
	h := newHouse(t, 3, 0)
	defer h.close()
	h.profile = fpcode.Single
	h.addCase("Case 1")
	h.pass(2 * time.Hour)
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	for _, to := range []int{1, 1, 2, 30} {
		_, err := h.investigate(0, excerpt(text, 0, to), found)
		ok(t, err)
	}
	x := history(h, 1)
	if len(x.Cases) != 3 {
		t.Fatalf("%d cases count; the same specimen again is the same", len(x.Cases))
	}
	// The last names the copy: 30 of 48 paragraphs with two places each.
	c := x.Cases[2]
	if !c.Named || !c.Told || c.NewSites == 0 || c.NewSites > 2*(30-2)+2 {
		t.Errorf("of the longest text %+v counts", c)
	}
	if x.E != "" || x.Cases[0].Told {
		t.Errorf("something is told of cases that do not name the copy: %+v", x)
	}
	silent(t, "another", history(h, 0))
}

// joint/1 learns from places without a value too, and what it learnt is told. So of
// one package its first case is all that counts.
func TestAbsenceCountsOnceUnderJoint(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	for _, to := range []int{2, 30} {
		out, err := h.investigate(0, excerpt(text, 0, to), found)
		ok(t, err)
		if out.Findings.Decoder != fpcode.JointDecoder {
			t.Fatalf("the case is decoded by %s", out.Findings.Decoder)
		}
	}
	if c := history(h, 1).Cases[1]; !c.Told || c.NewSites != 0 || c.Score != 0 {
		t.Errorf("of the longer text %+v counts", c)
	}
}

// Whoever looks at keys and stops before the case is counted gains nothing: it
// counts as the worst that it can be.
func TestStoppingAfterALook(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	appends := 0
	h.hook = func(op string) fault {
		if op == "inquiry/store/append" {
			if appends++; appends == 3 { // freeze, codebook, and then the count
				return fault{errFault, false}
			}
		}
		return fault{}
	}
	if _, err := h.investigate(0, excerpt(text, 0, 30), found); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	h.crash()
	x := history(h, 0)
	if len(x.Cases) != 1 || !x.Cases[0].Lost || !x.Cases[0].Touched {
		t.Fatalf("a case that was opened and never counted: %+v", x)
	}
	if _, err := h.investigate(0, excerpt(text, 0, 30), found); err != nil {
		t.Fatal(err)
	}
	if x := history(h, 1); len(x.Cases) != 1 || x.Cases[0].Lost || !x.Cases[0].Told {
		t.Errorf("the same specimens again are %+v", x)
	}
}

// Only investigators look.
func TestHistoryIsForInvestigators(t *testing.T) {
	h := newHouse(t, 1, 0)
	defer h.close()
	for _, who := range []string{"ana", "ben", "c1"} {
		if _, err := h.office.History(h.desk, h.who[who], cvd.MemberID(h.members[0])); !errors.Is(err, cvd.ErrDenied) {
			t.Errorf("%s: %v", who, err)
		}
		if _, err := h.office.Findings(h.desk, h.who[who]); !errors.Is(err, cvd.ErrDenied) {
			t.Errorf("%s lists findings: %v", who, err)
		}
	}
	if _, err := h.office.History(h.desk, h.who["ina"], cvd.MemberID{1}); !errors.Is(err, cvd.ErrNotFound) {
		t.Errorf("a member who isn't there: %v", err)
	}
}
