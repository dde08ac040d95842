package carrier

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestApprovals(t *testing.T) {
	list := []Approval{{"a.md", `{{quick|"fast" \ 1}}`, "Mira Lindqvist", "2025-07-08"}, {"b.md", "- x\n- y\u202e", "Åsa", ""}, {"c.md", "null", "no one in particular", "true"}}
	got, err := ReadApprovals(WriteApprovals(list[:1]))
	if err != nil || !slices.Equal(got, list[:1]) {
		t.Errorf("%+v: %v", got, err)
	}
	if got, err := ReadApprovals(WriteApprovals(nil)); err != nil || len(got) != 0 {
		t.Errorf("%+v: %v", got, err)
	}
	if got, err := ReadApprovals(WriteApprovals(list[2:])); err != nil || !slices.Equal(got, list[2:]) {
		t.Errorf("%+v: %v", got, err)
	}
	// What hides is refused here as anywhere.
	if _, err := ReadApprovals(WriteApprovals(list)); err == nil {
		t.Error("a bidirectional control is read")
	}
	src := source("a.md", "Text {{quick|fast}} now.\n", ApprovalsPath, WriteApprovals(list[:1]))
	f, _, _, err := Compile(src, testBias)
	if err != nil || len(f.Files) != 1 {
		t.Errorf("approvals are in the copies, or refused: %v", err)
	}
	for _, bad := range []string{"", "[]", "format: approvals/2\napprovals: []\n", "format: approvals/1\n", "format: approvals/1\napprovals: []\nmore: x\n",
		"format: approvals/1\napprovals:\n  - file: a\n    mark: b\n    approved-by: \"\"\n", "format: approvals/1\napprovals:\n  - file: a\n    mark: b\n    approved-by: c\n    at: d\n", "format: ["} {
		_, _, _, err := Compile(source("a.md", "x\n", ApprovalsPath, bad), testBias)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), ApprovalsPath) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReadApprovals(f *testing.F) {
	f.Add(WriteApprovals([]Approval{{"a.md", "{{a|b}}", "Mira", "2025-07-08"}}))
	f.Add("format: approvals/1\napprovals: [{file: a, mark: b, approved-by: c}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ReadApprovals(text)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		again, err := ReadApprovals(WriteApprovals(list))
		if err != nil || !slices.Equal(list, again) {
			t.Fatalf("%+v is written as %+v: %v", list, again, err)
		}
	})
}

// The variants show each alternative, and each item in each place.
func TestRenderings(t *testing.T) {
	out, err := Renderings(source("a.md", "It is {{quick|fast|swift}} now.\n<!-- order -->\n- a\n- b\n- c\n- d\n<!-- end -->\n", "b.md", "plain\n"), testBias)
	if err != nil || len(out) != 2 || !out[0].Marked || out[1].Marked || out[1].Texts[0] != "plain\n" || out[0].Format != "markdown" {
		t.Fatalf("%+v: %v", out, err)
	}
	whole := strings.Join(out[0].Texts[:], "")
	for _, s := range []string{"is quick", "is fast", "is swift"} {
		if !strings.Contains(whole, s) {
			t.Errorf("no variant shows %q", s)
		}
	}
	for _, item := range []string{"- a\n", "- b\n", "- c\n", "- d\n"} {
		at := map[int]bool{}
		for _, text := range out[0].Texts {
			_, list, _ := strings.Cut(text, "\n")
			at[strings.Index(list, item)] = true
		}
		if len(at) != 4 {
			t.Errorf("%q stands in places %v", item, at)
		}
	}
	if _, err := Renderings(source("a.md", "{{a1|a2}}"), testBias); !errors.Is(err, ErrRefused) {
		t.Errorf("a refused source is rendered: %v", err)
	}
}
