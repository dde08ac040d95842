package csaf

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 12, 8, 17, 0, 0, 123456000, time.UTC)

func sample() *Advisory {
	return &Advisory{ID: "abc", Title: "Layout import (CVE-1900-40117)", Page: "https://d.example/advisories/abc", Self: "https://d.example/csaf/2026/abc.json",
		Sections: []Section{{"", "It is."}, {"Workaround:", "Turn it off."}, {"Fixes", "Update."}, {"Affected", "All."}},
		Products: []string{"Portal", "Hub"}, Credits: []string{"F. <Y>"}, References: []Reference{{"external", "x", "https://x.example/"}},
		Revisions: []Revision{{day, "Published."}, {day.Add(time.Hour), "more"}}, Publisher: Publisher{"coordinator", "", "Works", "https://d.example"}}
}

// walk finds what is at a path of a document: keys, and places of lists.
func walk(t *testing.T, doc []byte, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p.(string)]
		case []any:
			if p.(int) >= len(x) {
				t.Fatalf("%v: there are %d", path, len(x))
			}
			v = x[p.(int)]
		default:
			t.Fatalf("%v: there is %v", path, v)
		}
	}
	return v
}

func TestDocument(t *testing.T) {
	a := sample()
	doc := a.Document()
	for _, x := range []struct {
		want any
		path []any
	}{
		{"csaf_security_advisory", []any{"document", "category"}},
		{"final", []any{"document", "tracking", "status"}},
		{"2", []any{"document", "tracking", "version"}},
		{"2026-12-08T17:00:00Z", []any{"document", "tracking", "initial_release_date"}},
		{"2026-12-08T18:00:00Z", []any{"document", "tracking", "current_release_date"}},
		{"more", []any{"document", "tracking", "revision_history", 1, "summary"}},
		{"WHITE", []any{"document", "distribution", "tlp", "label"}},
		{"F. <Y>", []any{"document", "acknowledgments", 0, "names", 0}},
		{"self", []any{"document", "references", 0, "category"}},
		{"https://x.example/", []any{"document", "references", 2, "url"}},
		{"summary", []any{"document", "notes", 0, "category"}},
		{"Affected", []any{"document", "notes", 3, "title"}},
		{"Hub", []any{"product_tree", "full_product_names", 1, "name"}},
		{"CVE-1900-40117", []any{"vulnerabilities", 0, "cve"}},
		{"CSAFPID-2", []any{"vulnerabilities", 0, "product_status", "known_affected", 1}},
		{"workaround", []any{"vulnerabilities", 0, "remediations", 0, "category"}},
		{"vendor_fix", []any{"vulnerabilities", 0, "remediations", 1, "category"}},
	} {
		if got := walk(t, doc, x.path...); got != x.want {
			t.Errorf("%v is %v, wanted %v", x.path, got, x.want)
		}
	}
	if string(a.Document()) != string(doc) {
		t.Error("the same advisory is other bytes")
	}
	a.Products = nil
	doc = a.Document()
	if walk(t, doc, "document", "category") != "csaf_base" || walk(t, doc, "vulnerabilities") != nil {
		t.Errorf("without products: %s", doc)
	}
	a.Sections = nil
	if s, _ := walk(t, a.Document(), "document", "notes", 0, "text").(string); !strings.HasSuffix(s, a.Page) {
		t.Errorf("without text: %q", s)
	}
}

// An id of another one is none of this one.
func TestCVE(t *testing.T) {
	for title, want := range map[string]any{
		"CVE-1900-1234: a flaw":               "CVE-1900-1234",
		"A flaw (CVE-1900-1234567)":           "CVE-1900-1234567",
		"Incomplete fix of CVE-1900-1234":     nil,
		"CVE-1900-123":                        nil,
		"A flaw (CVE-1900-1234), and another": nil,
	} {
		a := sample()
		a.Title = title
		if got := walk(t, a.Document(), "vulnerabilities", 0, "cve"); got != want {
			t.Errorf("%q: %v, wanted %v", title, got, want)
		}
	}
}

// What was written as CSAF stays, but for what the programme says of it.
func TestOwn(t *testing.T) {
	a := sample()
	a.Own = []byte(`{"document":{"csaf_version":"2.0","category":"csaf_vex","title":"Theirs","tracking":{"id":"X-1","status":"draft"},"publisher":{"name":"Y"},
		"distribution":{"tlp":{"label":"AMBER"}},"references":[{"category":"self","url":"https://y.example/x.json"},{"category":"external","url":"https://y.example/"}]},"vulnerabilities":[{"scores":[{"n":9.10}]}]}`)
	doc := a.Document()
	for _, x := range []struct {
		want any
		path []any
	}{
		{"csaf_vex", []any{"document", "category"}}, {"Theirs", []any{"document", "title"}}, {"abc", []any{"document", "tracking", "id"}},
		{"X-1", []any{"document", "tracking", "aliases", 0}}, {"final", []any{"document", "tracking", "status"}}, {"Works", []any{"document", "publisher", "name"}},
		{"WHITE", []any{"document", "distribution", "tlp", "label"}}, {a.Self, []any{"document", "references", 0, "url"}}, {"https://y.example/", []any{"document", "references", 2, "url"}},
	} {
		if got := walk(t, doc, x.path...); got != x.want {
			t.Errorf("%v is %v, wanted %v", x.path, got, x.want)
		}
	}
	if !strings.Contains(string(doc), "9.10") || strings.Contains(string(doc), "AMBER") || strings.Contains(string(doc), "y.example/x.json") {
		t.Errorf("%s", doc)
	}
	for _, s := range []string{"", "{", "[]", `{"document":{"csaf_version":"2.1"}}`, `{"document":[]}`, "# Text"} {
		a.Own = []byte(s)
		if IsOwn(a.Own) || walk(t, a.Document(), "document", "title") != a.Title {
			t.Errorf("%q counts as a document", s)
		}
	}
}

func TestFileName(t *testing.T) {
	for id, want := range map[string]string{ // the first three are the standard's own examples
		"Example Company - 2019-YH3234":  "example_company_-_2019-yh3234.json",
		"RHBA-2019:0024":                 "rhba-2019_0024.json",
		"2022-AcmeWidget+1":              "2022-acmewidget+1.json",
		"a//b":                           "a_b.json",
		"../x":                           "_x.json",
		"Ä":                              "_.json",
		"abcdefghijklmnopqrstuv01234567": "abcdefghijklmnopqrstuv01234567.json",
	} {
		if got := FileName(id); got != want {
			t.Errorf("%q is %q, wanted %q", id, got, want)
		}
	}
}

func TestFolder(t *testing.T) {
	all := []Filed{{"b", day, day}, {"a", day.AddDate(-1, 0, 0), day.Add(time.Hour)}, {"c", day, day}}
	if got := string(Index(all)); got != "2026/b.json\n2025/a.json\n2026/c.json\n" {
		t.Error(got)
	}
	if got := string(Changes(all)); got != "\"2025/a.json\",\"2026-12-08T18:00:00Z\"\n\"2026/b.json\",\"2026-12-08T17:00:00Z\"\n\"2026/c.json\",\"2026-12-08T17:00:00Z\"\n" {
		t.Error(got)
	}
	p := Provider{"https://d.example/.well-known/csaf/provider-metadata.json", "https://d.example/csaf", day, sample().Publisher}.Metadata()
	if got := walk(t, p, "role"); got != "csaf_provider" || !reflect.DeepEqual(walk(t, p, "distributions", 0), map[string]any{"directory_url": "https://d.example/csaf"}) {
		t.Errorf("%s", p)
	}
}

// FuzzOwn: whatever was published as text, what is offered is a whole document under
// the programme's tracking.
func FuzzOwn(f *testing.F) {
	f.Add([]byte(`{"document":{"csaf_version":"2.0","references":[1,{"category":"self"}],"tracking":{"id":7}}}`))
	f.Add([]byte(`{"document":{"csaf_version":"2.0","title":3,"acknowledgments":null}}`))
	f.Add([]byte(`{"Document":{"csaf_version":"2.0"}}`))
	f.Add([]byte(`{"document":{"csaf_version":"2.0"},"document":null}`))
	f.Fuzz(func(t *testing.T, own []byte) {
		a := sample()
		a.Own = own
		doc := a.Document()
		if walk(t, doc, "document", "tracking", "id") != "abc" || walk(t, doc, "document", "tracking", "status") != "final" {
			t.Fatalf("%s", doc)
		}
	})
}

func BenchmarkDocument(b *testing.B) {
	a := sample()
	for range 60 {
		a.Sections = append(a.Sections, Section{"More", strings.Repeat("word ", 200)})
	}
	b.SetBytes(int64(len(a.Document())))
	for b.Loop() {
		a.Document()
	}
}
