package evidence_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
)

// copyOf is a row as tokens or wording would name it.
func copyOf(name string, wording, tokens bool, score int64) evidence.Accused {
	a := evidence.Accused{Holder: evidence.ID(evidencetest.Ref(name)), Name: name, Consistent: true, PAdjusted: "1.0e+00", Score: score}
	if wording {
		a.PAdjusted = "1.0e-09"
	}
	if tokens {
		a.Tokens, a.PTokens = evidence.List[evidence.TokenHit]{{Counts: true}}, "1.0e-30"
	}
	return a
}

func TestConclude(t *testing.T) {
	const alpha, much, little = "1.0e-06", "1.0e-12", "3.0e-05"
	group := func(a evidence.Accused) evidence.Accused {
		a.Group = evidence.Group{ID: evidence.ID(evidencetest.Ref("group")), Name: "Holding"}
		return a
	}
	for name, row := range map[string]struct {
		attainable string
		unlisted   int
		copies     []evidence.Accused
		want       string
		why        string
	}{
		"nobody":                                  {much, 0, nil, evidence.CannotSay, "Neither"},
		"wording":                                 {much, 0, []evidence.Accused{copyOf("a", true, false, 9)}, evidence.Traced, ""},
		"wording of two":                          {much, 0, []evidence.Accused{copyOf("a", true, false, 9), copyOf("b", true, false, 9)}, evidence.Traced, ""},
		"token, wording speaks for it":            {much, 0, []evidence.Accused{copyOf("a", false, true, 9)}, evidence.Traced, ""},
		"token, wording says nothing":             {much, 0, []evidence.Accused{copyOf("a", false, true, 0)}, evidence.Traced, ""},
		"token, wording speaks against it":        {much, 0, []evidence.Accused{copyOf("a", false, true, -1)}, evidence.CannotSay, "speaks against"},
		"token, too little read to speak":         {little, 0, []evidence.Accused{copyOf("a", false, true, -1)}, evidence.Traced, ""},
		"token, at alpha":                         {alpha, 0, []evidence.Accused{copyOf("a", false, true, -1)}, evidence.CannotSay, "speaks against"},
		"token, what was read doesn't parse":      {"", 0, []evidence.Accused{copyOf("a", false, true, -1)}, evidence.Traced, ""},
		"tokens of two":                           {little, 0, []evidence.Accused{copyOf("a", false, true, 0), copyOf("b", false, true, 0)}, evidence.CannotSay, "tokens of 2"},
		"wording, and a token of another":         {much, 0, []evidence.Accused{copyOf("a", true, false, 9), copyOf("b", false, true, -9)}, evidence.CannotSay, "different"},
		"wording, and a token in the same group":  {much, 0, []evidence.Accused{group(copyOf("a", true, false, 9)), group(copyOf("b", false, true, -9))}, evidence.Traced, ""},
		"tokens of one group, one spoken against": {much, 0, []evidence.Accused{group(copyOf("a", false, true, 9)), group(copyOf("b", false, true, -9))}, evidence.CannotSay, "issued to b"},
		"more than are listed":                    {much, 3, []evidence.Accused{copyOf("a", true, false, 9)}, evidence.CannotSay, "each of 4 copies"},
	} {
		got, why := evidence.Conclude(alpha, row.attainable, row.unlisted, row.copies)
		if got != row.want || !strings.Contains(why, row.why) || (why == "") != (row.want == evidence.Traced) {
			t.Errorf("%s: got %q: %s", name, got, why)
		}
	}
}

// merge takes every line from the next of these copies in turn.
func merge(c *evidencetest.Case, holders ...int) []form.Specimen {
	var lines [][]string
	for _, h := range holders {
		lines = append(lines, strings.SplitAfter(string(c.Leak(h)[0].Data), "\n"))
	}
	var out strings.Builder
	for i := range lines[0] {
		out.WriteString(lines[i%len(lines)][i])
	}
	return []form.Specimen{{Name: "merged.md", Data: []byte(out.String())}}
}

// Text merged of four copies names none of them. A token of somebody else beside
// it is not enough to accuse that one, and a dossier that does so fails.
func TestTokenAgainstWording(t *testing.T) {
	c := evidencetest.New(6, 60)
	specimens := append(merge(c, 0, 1, 2, 4), c.Request(3)...)
	r, err := evidence.VerifyDossier(signed(t, c, c.Dossier(specimens, 3)), evidence.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	f := r.Findings
	if f.Conclusion != evidence.CannotSay || len(f.Conflicting) != 1 || f.Conflicting[0].Score >= 0 || !evidence.Enough(f.PAttainable, f.Alpha) {
		t.Fatalf("got %q, score %d, p_attainable %s: %q", f.Conclusion, f.Conflicting[0].Score, f.PAttainable, f.Why)
	}
	d := c.Dossier(specimens, 3)
	f.Conclusion, f.Statement, f.Accused, f.Conflicting = evidence.Traced, evidence.Sentence(evidence.Traced, f.Conflicting), f.Conflicting, nil
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{}); err == nil {
		t.Error("it is accused by its token against the wording")
	}
}

// A copy that agrees everywhere reaches what Attainable says, and no other less.
func TestAttainable(t *testing.T) {
	c := evidencetest.New(5, 60)
	for _, specimens := range [][]form.Specimen{c.Leak(2), c.Request(2), {{Name: "n", Data: c.Leak(2)[0].Data[:700]}}} {
		readings := form.Read(c.Form, specimens)
		b := evidence.Basis{Form: c.Form, Readings: &readings, Copies: 6, Run: 1}
		if n := b.Of(c.Key(2)); n.SitesAgreeing != n.SitesRead || n.PAdjusted != b.Attainable() {
			t.Errorf("%d of %d sites: p_adjusted %s, attainable %s", n.SitesAgreeing, n.SitesRead, n.PAdjusted, b.Attainable())
		}
	}
}

func TestTokenAim(t *testing.T) {
	if got := evidence.TokenAim(41, 3); got != "6.7e-18" {
		t.Error(got) // 123/2⁶⁴ = 6.668·10⁻¹⁸
	}
}

// What findings tell of a copy that no evidence names does not depend on it: who
// chooses the specimens learns nothing to climb by. (Name, size and hash of the specimens are theirs.)
func TestNothingOfOthers(t *testing.T) {
	c := evidencetest.New(5, 60)
	var told []string
	for _, specimens := range [][]form.Specimen{merge(c, 0, 1, 2), merge(c, 1, 2, 4)} {
		r, err := evidence.VerifyDossier(signed(t, c, c.Dossier(specimens)), evidence.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		f := *r.Findings
		f.Specimens = slices.Clone(f.Specimens)
		f.Specimens[0].SHA256, f.Specimens[0].Size = fmt.Sprintf("%x", sha256.Sum256(nil)), 0
		b, err := f.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, string(b))
	}
	if told[0] != told[1] {
		t.Error("findings that name nobody differ with the copies that were merged")
	}
}
