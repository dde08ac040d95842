package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/equivalence"
	"forewarn/internal/judges"
)

// judge runs what members run on all variants of a source's rules. The corpus is
// made of the rules, and of what a folder holds if one is named.
func (a *app) judge(src carrier.Source, corpus string) ([]equivalence.Result, error) {
	var given equivalence.Corpus
	if corpus != "" {
		c, err := a.source(corpus)
		if err != nil {
			return nil, err
		}
		var files []equivalence.File
		for _, f := range c.Files {
			files = append(files, equivalence.File{Name: f.Path, Data: f.Data})
		}
		if given, err = equivalence.CorpusOf(files); err != nil {
			return nil, fmt.Errorf("%w: %w", errInput, err)
		}
	}
	files, err := carrier.Renderings(src, checkKey)
	if err != nil {
		return nil, err
	}
	return equivalence.Check(a, files, judges.Installed(), given)
}

// judged shows what was judged, and says once for each tool that is missing.
func (a *app) judged(results []equivalence.Result) {
	var rows [][]string
	missing := map[string][]string{}
	for _, r := range results {
		switch {
		case r.Unsaid == equivalence.ErrAbsent.Error():
			missing[r.Judge] = append(missing[r.Judge], r.Path)
		case r.Unsaid != "":
			a.para("note: %s: %s; the structure of its copies is the same.", r.Path, r.Unsaid)
		default:
			rows = append(rows, []string{r.Path, r.Judge, fmt.Sprint(r.On), fmt.Sprint(r.Hits)})
		}
	}
	if len(rows) > 0 {
		a.say("Rules of all copies gave the same verdict:")
		a.table([]string{"RULES", "JUDGED BY", "ON", "HITS"}, rows)
	}
	for _, tool := range slices.Sorted(maps.Keys(missing)) {
		a.para("note: %s isn't installed, so it didn't judge %s; the structure of their copies is the same.", tool, strings.Join(missing[tool], ", "))
	}
}

// judgedOf is what was judged, for programs.
func judgedOf(results []equivalence.Result) []fields {
	out := []fields{}
	for _, r := range results {
		out = append(out, fields{"path": r.Path, "judge": r.Judge, "judged": r.Unsaid == "", "on": r.On, "hits": r.Hits, "note": r.Unsaid})
	}
	return out
}

// answerable says who answers for what the compiler can't know.
func (a *app) answerable(src carrier.Source) {
	for _, v := range carrier.Vouchers(src) {
		a.para("%s vouches for %s in %s:%d.", v.By, count(int(v.Examples), "example", "examples"), v.Path, v.Line)
	}
	for _, f := range src.Files {
		if f.Path != carrier.ApprovalsPath {
			continue
		}
		list, err := carrier.ReadApprovals(string(f.Data))
		if err != nil {
			return // Compile said so
		}
		by := map[string]int{}
		for _, x := range list {
			by[x.By]++
		}
		for _, name := range slices.Sorted(maps.Keys(by)) {
			a.say("%s approved %s.", name, count(by[name], "mark", "marks"))
		}
	}
}
