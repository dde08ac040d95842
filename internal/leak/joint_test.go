package leak_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/leak"
)

func TestJudgeMerged(t *testing.T) {
	c := evidencetest.NewJoint(6, 150)
	for name, row := range map[string]struct {
		specimens []form.Specimen
		want      string
		among     []string // the named are some of these
		several   string   // reading of that rival
		says      string   // in the statement
		partners  bool     // whether a copy is opened that isn't named
	}{
		"one":            {c.Leak(2), evidence.Traced, []string{"Member C"}, "against", "Member C", false},
		"two":            {merged(c, 1, 4), evidence.Traced, []string{"Member B", "Member E"}, "supports", "it is derived from them, merged", false},
		"three":          {merged(c, 0, 2, 5), evidence.Traced, []string{"Member A", "Member C", "Member F"}, "supports", "issued to", true},
		"a token alone":  {c.Request(3), evidence.Traced, []string{"Member D"}, "neutral", "Member D", false},
		"text and token": {append(merged(c, 1, 4), c.Request(3)...), evidence.CannotSay, []string{"Member B", "Member D", "Member E"}, "supports", "Cannot say", false},
		"nothing":        {unrelated, evidence.CannotSay, nil, "unknown", "Cannot say", false},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, c, row.specimens)
			f := judge(t, in)
			all := append(slices.Clone(f.Accused), f.Conflicting...)
			for _, a := range all {
				if !slices.Contains(row.among, a.Name) {
					t.Errorf("%s is named", a.Name)
				}
				if len(a.Parts) == 0 || a.PChosen == "" {
					t.Errorf("%s: how it was tested is not told", a.Name)
				}
			}
			if f.Conclusion != row.want || !strings.Contains(f.Statement, row.says) {
				t.Fatalf("got %q: %s; %q", f.Conclusion, f.Statement, f.Why)
			}
			if r := rival(f, "several"); r.Reading != row.several {
				t.Errorf("%s: %q", r.Reading, r.Seen)
			}
			if (len(f.Partners) > 0) != row.partners {
				t.Errorf("partners: %+v", f.Partners)
			}
			text, page := leak.Text(f, 100), string(leak.Page(f, leak.Timeline(in)))
			for _, p := range f.Partners {
				if p.Means != evidence.PartnerMeans || !strings.Contains(oneLine(text), p.Name+" (whom that accuses of nothing)") || !strings.Contains(page, p.Name+" (whom that accuses of nothing)") {
					t.Errorf("%s stands there without a word that it is not accused", p.Name)
				}
			}
			verified(t, c, row.specimens, f)
		})
	}
}

// A copy beside which another was tested was committed to in time, or the other
// is not named.
func TestPartnerTooLate(t *testing.T) {
	c := evidencetest.NewJoint(6, 150)
	in := inputs(t, c, merged(c, 1, 4))
	for i := range in.Facts.Waves {
		w := &in.Facts.Waves[i]
		w.Holders = slices.DeleteFunc(slices.Clone(w.Holders), func(h entrylog.Ref) bool { return h == c.Holders[4].ID })
	}
	late := in.Facts.Waves[1]
	late.Sealed, late.Label, late.Holders = evidencetest.FoundAt.Add(1e9), "wave 3", append(late.Holders[:0:0], c.Holders[4].ID)
	late.ID = evidencetest.Ref("late")
	in.Facts.Waves = append(in.Facts.Waves, late)
	in.Reading.CopyHash = func(_, _ entrylog.Ref) ([32]byte, error) { return [32]byte{}, nil }
	f := judge(t, in)
	if f.Conclusion != evidence.CannotSay || len(f.Conflicting) > 0 || !strings.Contains(fmt.Sprint(f.Why), "tested beside a copy that was committed to") {
		t.Errorf("got %q, %s: %q", f.Conclusion, f.Statement, f.Why)
	}
}

// How the copy of a token is tested has to be told.
func TestTokenUntested(t *testing.T) {
	c := evidencetest.NewJoint(6, 60)
	in := inputs(t, c, c.Request(3))
	in.Reading.Tested = nil
	if _, err := leak.Judge(in); !errors.Is(err, leak.ErrInputs) {
		t.Error(err)
	}
	in = inputs(t, c, merged(c, 1, 4))
	in.Reading.Tested = []fpcode.Accusation{{Holder: [16]byte{9}}}
	if _, err := leak.Judge(in); !errors.Is(err, leak.ErrInputs) {
		t.Error(err)
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
