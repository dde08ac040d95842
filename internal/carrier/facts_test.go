package carrier

import (
	"slices"
	"strings"
	"testing"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

const factsText = "Some text that stands above all of it.\n\n<!-- facts -->\nThe portal listens on an address of its own. The import module, i.e. the one by J. Marsh, is loaded.\nStrict checking was left off (see the log). \"Wide\" permissions are set on the\nfolder of themes.\n<!-- end -->\n\nSome text that stands below.\n"

func TestFactsMove(t *testing.T) {
	f, _, r, err := Compile(source("a.md", factsText), testBias)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sites != 1 || f.Sites[0].Q != 24 || f.Sites[0].Class != fpcode.ClassOrder {
		t.Fatalf("%d sites, the first %+v; want one order of four", r.Sites, f.Sites[0])
	}
	want := []string{
		"The portal listens on an address of its own.", "The import module, i.e. the one by J. Marsh, is loaded.",
		"Strict checking was left off (see the log).", "\"Wide\" permissions are set on the\nfolder of themes.",
	}
	seen := map[string]bool{}
	for v := range uint8(24) {
		text := string(f.Render(form.PoC, func(form.Site) uint8 { return v }, nil)[0].Data)
		seen[text] = true
		for _, s := range want {
			if strings.Count(text, s) != 1 {
				t.Fatalf("a copy lacks %q:\n%s", s, text)
			}
		}
		if strings.Contains(text, "<!--") || strings.Contains(text, ".The") || len(text) != len(strings.ReplaceAll(strings.ReplaceAll(factsText, "<!-- facts -->\n", ""), "<!-- end -->\n", "")) {
			t.Fatalf("a copy reads\n%s", text)
		}
	}
	if len(seen) != 24 {
		t.Errorf("%d different copies, want 24", len(seen))
	}
	if bad := form.Distinguishable(f); len(bad) > 0 {
		t.Errorf("can't be read back: %v", bad)
	}
}

func TestFactsRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"One fact alone stands here.", "a block of facts with 1 sentences"},
		{"One fact. This one points back.", `begins with "this"`},
		{"One fact. However, it rains.", `begins with "however"`},
		{"One fact. Is it so?", "doesn't end in a full stop"},
		{"One fact. Another", "doesn't end in a full stop"},
		{"one fact. Another.", "begins with a small letter"},
		{"One fact.\n\nAnother.", "a blank line"},
		{"- One fact.\n- Another.", "a list, heading, table"},
		{"# One fact.\nAnother.", "a list, heading, table"},
		{"One {{quick|fast}} fact. Nothing more.", "a mark inside an item"},
		{"One fact. ONE FACT.", "the same as an earlier one"},
	} {
		_, _, _, err := Compile(source("a.md", "<!-- facts -->\n"+c.text+"\n<!-- end -->\n"), testBias)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	// In a rule the words are a comment.
	if _, _, _, err := Compile(source("a.yml", "# facts\na: b\n# example: x\n"), testBias); err != nil {
		t.Error(err)
	}
}

func FuzzSentences(f *testing.F) {
	f.Add("One fact. Another (e.g. this). “Third.” X.")
	f.Add("a\n\n.\nB?! \" ")
	f.Fuzz(func(t *testing.T, text string) {
		c := newCompiler(testBias, fpcode.Single)
		d := &document{path: "a.md", src: text, format: markdownFormat}
		last := 0
		for _, it := range c.cutSentences(d, 0, 0, len(text)) {
			if it.at < last || it.end <= it.at || it.end > len(text) || strings.Trim(text[last:it.at], " \n") != "" {
				t.Fatalf("%q: items lose text or overlap at %+v", text, it)
			}
			last = it.end
		}
	})
}

const examplesText = "Some text that stands above all of it, long enough to know.\n\n<!-- example: Mira Lindqvist -->\nIn one such case the folder was written to within a minute.\n<!-- or -->\nOne site saw the folder change twice in a night.\nNobody noticed for 3 weeks.\n<!-- or -->\n\nA third found it by chance.\n\n<!-- end -->\n\nSome text that stands below, long enough to know it again.\n"

func TestExamples(t *testing.T) {
	src := source("a.md", examplesText)
	f, _, r, err := Compile(src, testBias)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sites != 1 || f.Sites[0].Q != 3 {
		t.Fatalf("%d sites, the first %+v; want one of three", r.Sites, f.Sites[0])
	}
	shown := []string{
		"In one such case the folder was written to within a minute.\n",
		"One site saw the folder change twice in a night.\nNobody noticed for 3 weeks.\n",
		"A third found it by chance.\n",
	}
	before, rest, _ := strings.Cut(examplesText, "<!-- example")
	_, after, _ := strings.Cut(rest, "<!-- end -->\n")
	var got []string
	for v := range uint8(3) {
		text := string(f.Render(form.PoC, func(form.Site) uint8 { return v }, nil)[0].Data)
		text, ok := strings.CutPrefix(text, before)
		text, ok2 := strings.CutSuffix(text, after)
		if !ok || !ok2 || strings.Contains(text, "Mira") {
			t.Errorf("a copy holds %q", text)
		}
		got = append(got, text)
	}
	slices.Sort(got)
	slices.Sort(shown)
	if !slices.Equal(got, shown) {
		t.Errorf("copies show %q", got)
	}
	if bad := form.Distinguishable(f); len(bad) > 0 {
		t.Errorf("can't be read back: %v", bad)
	}
	want := []Voucher{{"a.md", 3, "Mira Lindqvist", 3}}
	if v := Vouchers(src); !slices.Equal(v, want) {
		t.Errorf("vouched for: %+v, want %+v", v, want)
	}
}

func TestExamplesRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<!-- example -->\nOne of them here.\n<!-- or -->\nTwo of them there.\n<!-- end -->\n", "nobody answers for"},
		{"<!-- example: - -->\nOne of them here.\n<!-- or -->\nTwo of them there.\n<!-- end -->\n", "nobody answers for"},
		{"<!-- example: Mira -->\nOne of them here.\n<!-- end -->\n", "a block of 1 examples"},
		{"<!-- example: Mira -->\nOne of them here.\n<!-- or -->\n\n<!-- end -->\n", "an empty example"},
		{"<!-- example: Mira -->\nIt came from 192.0.2.1 then.\n<!-- or -->\nIt came from 192.0.2.2 later.\n<!-- end -->\n", "differ in an identifier"},
		{"<!-- example: Mira -->\nRelease 7.4.2 was hit first.\n<!-- or -->\nThe oldest release was hit first.\n<!-- end -->\n", "differ in an identifier"},
		{"<!-- example: Mira -->\nOne of them here.\n<!-- or -->\nOne of THEM: here!\n<!-- end -->\n", "holds another"},
		{"<!-- example: Mira -->\nOne of them here.\n<!-- or -->\nAs was said: one of them here.\n<!-- end -->\n", "holds another"},
		{"<!-- example: Mira -->\nOne of {{quick|fast}} here.\n<!-- or -->\nTwo of them there.\n<!-- end -->\n", "a mark inside an example"},
		{"<!-- example: Mira -->\nOne of them here.\n<!-- or -->\nTwo of them there.\n", "a block of examples is opened and not closed"},
		{"<!-- example: Mira -->\n<!-- order -->\n- a\n- b\n<!-- end -->\n", "an order block inside a block of examples"},
		{"One.\n<!-- or -->\nTwo.\n", "not quite a directive"},
		{"<!--example: Mira-->\nOne.\n", "not quite a directive"},
		{"<!-- Facts -->\nOne.\n", "not quite a directive"},
	} {
		_, _, _, err := Compile(source("a.md", c.text), testBias)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

// Spaces at the end of an example's last line are part of it, and its line end is.
func TestExampleEndsItsLine(t *testing.T) {
	f, _, _, err := Compile(source("a.md", "<!-- example: Mira -->\nOne was found so.  \n\n<!-- or -->\nTwo were found later.\n<!-- end -->\nAfter.\n"), testBias)
	if err != nil {
		t.Fatal(err)
	}
	for v := range uint8(2) {
		text := string(f.Render(form.PoC, func(form.Site) uint8 { return v }, nil)[0].Data)
		if text != "One was found so.  \nAfter.\n" && text != "Two were found later.\nAfter.\n" {
			t.Errorf("a copy reads %q", text)
		}
	}
}

// What could be done with one copy can be done with each: only numbers differ.
func TestExamplesMayDifferInNumbers(t *testing.T) {
	for s, want := range map[string]bool{"202": true, "1,000": true, "4.5": true, "25%": true, "7.4.2": false, "192.0.2.1": false, "443/tcp": false, "1,00": false, "CVE-2025-1": false} {
		if got := len(keys("it was "+s+" then")) == 0; got != want {
			t.Errorf("%s is a plain number: %t", s, got)
		}
	}
}
