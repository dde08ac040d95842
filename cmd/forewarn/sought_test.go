package main

import (
	"slices"
	"testing"

	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

// What a package holds is of its own case, wherever else it is looked for; what
// the command line names, and tokens, may be of any.
func TestCasesOf(t *testing.T) {
	a, b := cvd.CaseID{1}, cvd.CaseID{2}
	c := &sought{of: map[string]cvd.CaseID{"A/r.yml": a, "A/i.csv": a, "A: b/i.csv": b, "B/text.md": b}}
	path := func(value, ref string) sighting.Indicator {
		return sighting.Indicator{Kind: sighting.Path, Value: value, Ref: ref}
	}
	of := c.casesOf(&sighting.Scanner{Indicators: []sighting.Indicator{
		path("/one", "A/i.csv, row 2"), path("/both", "A/i.csv, row 3"), path("/both", "A: b/i.csv, row 9"), path("/said", "A/i.csv, row 4"), path("/said", "")}})
	for _, row := range []struct {
		what sighting.What
		want []cvd.CaseID
	}{
		{sighting.What{Indicator: path("/one", "A/i.csv, row 2")}, []cvd.CaseID{a}},
		{sighting.What{Indicator: path("/both", "A/i.csv, row 3")}, []cvd.CaseID{a, b}},
		{sighting.What{Indicator: path("/said", "A/i.csv, row 4")}, nil},
		{sighting.What{Rule: sighting.RuleRef{Ref: "A/r.yml: a rule: of two"}}, []cvd.CaseID{a}},
		{sighting.What{Rule: sighting.RuleRef{Ref: "A/r.yml"}}, []cvd.CaseID{a}},
		{sighting.What{Rule: sighting.RuleRef{Ref: "rules/r.yml: a rule"}}, nil},
		{sighting.What{Quote: sighting.Quote{Ref: "B/text.md", Words: 12}}, []cvd.CaseID{b}},
		{sighting.What{Token: sighting.Token{Alphabet: 1}}, nil},
	} {
		if got := of(row.what); !slices.Equal(got, row.want) {
			t.Errorf("%+v: %v, want %v", row.what, got, row.want)
		}
	}
}
