package web

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// TestTables: members and answers come as files for spreadsheets, in which nothing
// that somebody wrote is a formula; who may not see them has no such page.
func TestTables(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.desk.Admit(ctx, w.by("ana"), coordinator.Admission{Name: `=HYPERLINK("https://evil.example")`, Tier: 3, Contact: "eve"})
	ok(t, err)
	product, err := w.desk.AddProduct(ctx, w.by("ana"), w.cs, "@Portal, 9")
	ok(t, err)
	b := w.as("ana")
	read := func(path string) [][]string {
		t.Helper()
		r := b.get(path)
		if kind := r.Header.Get("Content-Type"); kind != "text/csv; charset=utf-8" || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("%s: %v", path, r.Header)
		}
		rows, err := csv.NewReader(strings.NewReader(b.wants(r, 200))).ReadAll()
		ok(t, err)
		return rows
	}
	rows := read("/members/export")
	if len(rows) != 4 || rows[1][1] != "Member 0" || rows[1][5] != "yes" || rows[3][1] != `'=HYPERLINK("https://evil.example")` || rows[3][2] != "3" || rows[3][5] != "no" {
		t.Errorf("%q", rows)
	}
	at := "/cases/" + w.cs.String() + "/answers"
	silent := read(at + "/export")
	if len(silent) != 2 || !slices.Equal(silent[1][1:], []string{"Member 0", "1", "'@Portal, 9", "no answer", "", "", ""}) {
		t.Errorf("before anybody answered: %q", silent)
	}
	ok(t, w.desk.Answer(ctx, w.by("c0"), w.cs, product, cvd.Investigating, "-1+1\nsecond line"))
	said := read(at + "/export")
	if len(said) != 2 || said[1][4] != "investigating" || said[1][6] != "c0" || said[1][7] != "'-1+1\nsecond line" || said[1][5] == "" {
		t.Errorf("%q", said)
	}
	if s := b.wants(b.get(at), 200); !strings.Contains(s, "investigating") || !strings.Contains(s, "0 without an answer") {
		t.Error("the page has it otherwise")
	}
	for _, path := range []string{at, at + "/export", "/members/export"} {
		for _, who := range []string{"c0", "c1", "otto", "fay"} {
			if r := w.as(who).get(path); r.StatusCode != 404 && r.StatusCode != 403 {
				t.Errorf("%s, %s: %d", path, who, r.StatusCode)
			}
		}
	}
}
