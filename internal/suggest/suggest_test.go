package suggest

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/examples"
	"forewarn/internal/carrier"
	"forewarn/internal/form"
)

func source(pairs ...string) (s carrier.Source) {
	for i := 0; i < len(pairs); i += 2 {
		s.Files = append(s.Files, carrier.SourceFile{Path: pairs[i], Data: []byte(pairs[i+1])})
	}
	s.Files = append(s.Files, carrier.SourceFile{Path: carrier.ManifestPath, Data: []byte("title: t\ntlp: TLP:RED\n")})
	slices.SortFunc(s.Files, func(a, b carrier.SourceFile) int { return strings.Compare(a.Path, b.Path) })
	return s
}

// plain is the example's advisory as somebody wrote it before anything was marked.
func plain(t testing.TB) carrier.Source {
	t.Helper()
	b, err := fs.ReadFile(examples.Advisory(), "advisory.md")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`\{\{(?:#\S+ )?([^|}]*)\|[^}]*\}\}`).ReplaceAllString(string(b), "$1")
	text = regexp.MustCompile(`\{\{date:([^}#]*)[^}]*\}\}`).ReplaceAllString(text, "$1")
	text = regexp.MustCompile(`(?s)<!-- or -->\n.*?<!-- end -->\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^<!-- .*-->\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`\{\{[a-z]+:([^}#]*)[^}]*\}\}`).ReplaceAllString(text, "$1")
	return source("advisory.md", text)
}

func approve(list []Proposal, by func(i int) string) []Proposal {
	out := slices.Clone(list)
	for i := range out {
		out[i].ApprovedBy = by(i)
	}
	return out
}

// The whole way: proposals are written, read, approved in part and marked; the
// marked source compiles, every mark can be read back, and one of its copies is
// the text that it was.
func TestRoundTrip(t *testing.T) {
	src := plain(t)
	list, err := Propose(src)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, p := range list {
		kinds[p.Kind]++
		if p.ApprovedBy != "" || p.When == "" {
			t.Errorf("%+v: it is approved, or nothing says when it is safe", p)
		}
	}
	t.Logf("%d proposals: %v", len(list), kinds)
	if len(list) < 60 || kinds[Order] < 3 || kinds["date"] < 2 {
		t.Errorf("%d proposals: %v", len(list), kinds)
	}
	read, err := Read(Write(list))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", read) != fmt.Sprintf("%+v", list) {
		t.Fatal("what is read isn't what was written")
	}
	for name, by := range map[string]func(int) string{
		"all":       func(int) string { return "Mira Lindqvist" },
		"every 3rd": func(i int) string { return []string{"Mira", "", " "}[i%3] },
		"none":      func(int) string { return "" },
	} {
		approved := approve(read, by)
		out, approvals, err := Apply(src, approved, "2025-07-08")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := 0
		for _, p := range approved {
			if strings.TrimSpace(p.ApprovedBy) != "" {
				want++
			}
		}
		f, _, r, err := carrier.Compile(out, checkKey)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(approvals) != want || name != "none" && int(r.Sites) < want {
			t.Errorf("%s: %d approvals and %d sites for %d approved", name, len(approvals), r.Sites, want)
		}
		for _, w := range r.Warnings {
			t.Errorf("%s: warned of %v", name, w)
		}
		if bad := form.Distinguishable(f); len(bad) > 0 {
			t.Errorf("%s: can't be read back: %+v", name, bad)
		}
		stored, err := carrier.ReadApprovals(text(out, carrier.ApprovalsPath))
		if name != "none" && (err != nil || !slices.Equal(stored, approvals)) {
			t.Errorf("%s: approvals.yaml holds %d of %d: %v", name, len(stored), len(approvals), err)
		}
		// One of the copies is the text that was there.
		if !shows(f.Files[0].Parts, text(src, "advisory.md")) {
			t.Errorf("%s: no copy is the text that was marked", name)
		}
	}
}

// shows reports whether some alternatives of a file's parts, in their order, give
// a text.
func shows(parts []form.Part, text string) bool {
	if len(parts) == 0 {
		return text == ""
	}
	shown := parts[0].Alternatives
	if parts[0].Kind == form.Literal {
		shown = [][]byte{parts[0].Bytes}
	}
	for _, s := range shown {
		if rest, ok := strings.CutPrefix(text, string(s)); ok && shows(parts[1:], rest) {
			return true
		}
	}
	return false
}

// What has moved is refused as a whole, and nothing is marked.
func TestMoved(t *testing.T) {
	src := source("a.md", "We found out that the team is aware of it.\n\nThe vendor will follow with a note on that on 8 July 2025.\n")
	list, err := Propose(src)
	if err != nil || len(list) < 2 {
		t.Fatalf("%d proposals: %v", len(list), err)
	}
	list = approve(list, func(int) string { return "Mira" })
	if _, _, err := Apply(src, list, ""); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) string{
		"a line above":   func(s string) string { return "New line.\n" + s },
		"the quote":      func(s string) string { return strings.Replace(s, "aware", "Aware", 1) },
		"what is around": func(s string) string { return strings.Replace(s, "the team", "our team", 1) },
		"cut short":      func(s string) string { return s[:20] },
		"gone":           func(s string) string { return "" },
	} {
		moved := source("a.md", change(string(src.Files[0].Data)))
		if _, _, err := Apply(moved, list, ""); !errors.Is(err, ErrMoved) {
			t.Errorf("%s: %v, want ErrMoved", name, err)
		}
	}
	if _, _, err := Apply(source("b.md", "x"), list, ""); !errors.Is(err, ErrMoved) {
		t.Errorf("another file: %v", err)
	}
}

// A file of proposals is anybody's text: what it asks for goes through the gates.
func TestApplyRefuses(t *testing.T) {
	src := source("a.md", "The team is aware of the flaw in `is aware of` since then.\n\n- one thing\n- two things\n", "LICENSE.md", "The team is aware of it.\n")
	good := Proposal{File: "a.md", Line: 1, Col: 10, Kind: Wording, Quote: "is aware of", Alternatives: []string{"is aware of", "knows of"}, ApprovedBy: "Mira"}
	if _, _, err := Apply(src, []Proposal{good}, ""); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*Proposal)) Proposal {
		p := good
		p.Alternatives = slices.Clone(p.Alternatives)
		change(&p)
		return p
	}
	for name, p := range map[string]Proposal{
		"the quote isn't among them": with(func(p *Proposal) { p.Alternatives[0] = "has heard of" }),
		"a negation":                 with(func(p *Proposal) { p.Alternatives[1] = "is not told of" }),
		"a bar":                      with(func(p *Proposal) { p.Alternatives[1] = "a|b" }),
		"braces":                     with(func(p *Proposal) { p.Alternatives[1] = "}} {{" }),
		"a line end":                 with(func(p *Proposal) { p.Alternatives[1] = "knows\nof" }),
		"one alternative":            with(func(p *Proposal) { p.Alternatives = p.Alternatives[:1] }),
		"code":                       with(func(p *Proposal) { p.Col = 35 }),
		"a licence":                  with(func(p *Proposal) { p.File = "LICENSE.md" }),
		"an unknown kind":            with(func(p *Proposal) { p.Kind = "magic" }),
		"half a list":                with(func(p *Proposal) { p.Kind = Order }),
		"an edited value":            {File: "a.md", Line: 4, Col: 3, Kind: "count", Value: "2", Quote: "two", Alternatives: []string{"2", "three"}, ApprovedBy: "Mira"},
		"the manifest":               {File: carrier.ManifestPath, Line: 1, Col: 8, Kind: Wording, Quote: "t", Alternatives: []string{"t", "u"}, ApprovedBy: "Mira"},
	} {
		_, _, err := Apply(src, []Proposal{p}, "")
		if !errors.Is(err, ErrProposal) && !errors.Is(err, carrier.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Apply(src, []Proposal{good, good}, ""); !errors.Is(err, ErrProposal) {
		t.Errorf("the same twice: %v", err)
	}
}

// Where nothing may be proposed, and why.
func TestNothingToPropose(t *testing.T) {
	for name, md := range map[string]string{
		"a heading":           "# The team is aware of it\n",
		"code":                "Call `is aware of` first.\n",
		"fenced code":         "```\nThe team is aware of it.\n```\n",
		"indented code":       "    The team is aware of it.\n",
		"a quotation":         "They said “the team is aware of it” then.\n",
		"a quoted block":      "> The team is aware of it.\n",
		"a table":             "| is aware of | x |\n",
		"a comment":           "<!-- the team is aware of it -->\n",
		"a comment of lines":  "<!--\nthe team is aware of it\n-->\n",
		"a marked block":      "<!-- facts -->\nThe team is aware of it. It rains.\n<!-- end -->\n",
		"a mark":              "The team {{is aware of|knows of}} it.\n",
		"next to a mark":      "The {{team|crew}} is aware of it.\n",
		"a link's target":     "See [it](http://a.example/kind-of).\n",
		"in a name":           "See the is-aware-of_flag now.\n",
		"capitals":            "The team IS AWARE OF it.\n",
		"over two lines":      "The team is aware\nof it.\n",
		"an article":          "It was an issue.\n",
		"a neighbour":         "Read the tracker issue.\n",
		"a version":           "Use 2025-07-08.3 for it.\n",
		"digits":              "It answers on port 443 with 202.\n",
		"numbered":            "1. one thing here\n2. two of them\n3. three of them\n",
		"steps":               "The steps to take:\n\n- copy it there\n- move it back\n- drop it here\n",
		"a list that tells":   "- copy it there\n- then move it back\n- drop it here\n",
		"two bullets":         "- copy it there\n- move it back\n",
		"ends in other signs": "- copy it there,\n- move it back,\n- drop it here.\n",
		"a front matter":      "---\nnote: the team is aware of it\n---\n",
	} {
		if name == "a marked block" {
			md = strings.Replace(md, "It rains", "Nobody heard", 1)
		}
		list, err := Propose(source("a.md", md+"\nA sentence stands here so that the file is long enough to be read.\n"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range list {
			if p.Quote != "steps" && p.Line < 1+strings.Count(md, "\n") {
				t.Errorf("%s: %s %q is proposed", name, p.Kind, p.Quote)
			}
		}
	}
}

func TestProposals(t *testing.T) {
	for md, want := range map[string]string{
		"At first the team is aware of it all.":                       "is aware of|knows of",
		"Currently the team sleeps well.":                             "Currently|At this time",
		"The fix is due on 8 July 2025, they say here.":               "8 July 2025|July 8, 2025|2025-07-08",
		"The fix is due on July 8, 2025, they say here.":              "8 July 2025|July 8, 2025|2025-07-08",
		"They wrote within ninety minutes of that.":                   "90 minutes|ninety minutes|an hour and a half",
		"They wrote within two weeks of that.":                        "2 weeks|two weeks|14 days",
		"It holds 64 KiB of text and no more than that.":              "64 KiB|64 kibibytes|65,536 bytes",
		"Of them twelve were found that way by hand.":                 "12|twelve",
		"For now:\n\n- copy it there\n- move it back\n- drop it here": "",
	} {
		list, err := Propose(source("a.md", md+"\n\nA sentence stands below so that the file has words to be known by.\n"))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 || strings.Join(list[0].Alternatives, "|") != want {
			t.Errorf("%q: %+v, want %s", md, list, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"empty":            "",
		"another format":   "format: suggestions/2\nproposals: []\n",
		"an unknown field": "format: suggestions/1\nproposals: []\nmore: 1\n",
		"no quote":         "format: suggestions/1\nproposals:\n  - file: a\n    line: 1\n    col: 1\n",
		"not YAML":         "format: [\n",
		"brackets":         "format: " + strings.Repeat("[", 60_000),
		"dashes":           strings.Repeat("- ", 100) + "x\n",
		"nobody":           "format: suggestions/1\nproposals:\n  - {file: a, quote: b, line: 1, col: 1, approved-by: '<>'}\n",
	} {
		if _, err := Read(data); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(Write([]Proposal{{File: "a.md", Line: 1, Col: 2, Kind: Wording, Before: "x", Quote: "is aware of", After: "\"y\"", Alternatives: []string{"is aware of", "knows of"}, When: "w", ApprovedBy: "M"}}))
	f.Add("format: suggestions/1\nproposals: []\n")
	src := source("a.md", "xis aware of it. 8 July 2025\n\n- a b\n- c d\n")
	f.Fuzz(func(t *testing.T, data string) {
		list, err := Read(data)
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatal(err)
			}
			return
		}
		again, err := Read(Write(list))
		if err == nil && fmt.Sprintf("%#v", again) != fmt.Sprintf("%#v", list) {
			t.Fatalf("%+v is written as %+v", list, again)
		}
		if _, _, err := Apply(src, list, ""); err != nil && !errors.Is(err, ErrMoved) && !errors.Is(err, ErrProposal) && !errors.Is(err, carrier.ErrRefused) {
			t.Fatal(err)
		}
	})
}

// Whatever a text is, what is proposed for it can be marked.
func FuzzPropose(f *testing.F) {
	f.Add("The team is aware of it.\n\n- a b\n- c d\n- e f\n")
	f.Add("```\nx\n<!-- order -->\n- a\n{{a|b}} since 8 July 2025 \"q\n")
	f.Fuzz(func(t *testing.T, md string) {
		src := source("a.md", md)
		list, err := Propose(src)
		if err != nil {
			if !errors.Is(err, carrier.ErrRefused) {
				t.Fatal(err)
			}
			if _, _, _, err := carrier.Compile(src, checkKey); err == nil {
				t.Fatalf("the source compiles, and not with its proposals")
			}
			return
		}
		if _, _, err := Apply(src, approve(list, func(int) string { return "Mira" }), ""); err != nil {
			t.Fatalf("%q: %v", md, err)
		}
	})
}

// A long text takes no longer than its length asks for.
func TestLongText(t *testing.T) {
	var b strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&b, "Sentence %c%c%c tells that the team is aware of number %d, which was immediately put down in the book.\n", 'a'+i%26, 'a'+i/26%26, 'a'+i/676, i)
	}
	begun := time.Now()
	list, err := Propose(source("a.md", b.String()))
	if err != nil || len(list) != mostPerFile {
		t.Fatalf("%d proposals: %v", len(list), err)
	}
	t.Logf("%d bytes in %v", b.Len(), time.Since(begun).Round(time.Millisecond))
}
