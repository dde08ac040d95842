package wear

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"forewarn/internal/form"
)

const advisory = `# The import page

Anyone who can reach the **sign-in page** may place a [package](https://psirt.harbourline.example/x) on the server. The issue is
tracked as CVE-1900-40117, and "carries" a score of 9.8 - for now.

- deny write access
- turn on strict checking
- alert on new files

Don't forward this document. It is enough to refuse every request that has no session; nothing else is needed.
`

const probe = `#!/usr/bin/env python3
"""Documentation, which isn't ported."""

TRACE = "0123456789abcdef"
BOUNDARY = "6f1c2e0a"
PACKAGE = "k7f3.layout"

# An "order" of parameters.
QUERY = [
    ("trace", TRACE),
    ("site", "default"),
    ("mode", "replace"),
]

FIELDS = [
    ("title", "empty"),
    ("owner", "nobody"),
]


def body():
    # An empty file: there is nothing to unpack.
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="package"; filename="{PACKAGE}"']


connection.request(
    "POST",
    "/portal/layout/import?" + urllib.parse.urlencode(QUERY),
    body(),
    {
        "Content-Type": "multipart/form-data; boundary=" + BOUNDARY,
        "User-Agent": "larkspur-probe/1.2",
    },
)
print("the handler isn't at fault")
`

func copies(n int) (out [][]form.Output) {
	for i := range n {
		mark := string(rune('A' + i))
		out = append(out, []form.Output{
			{Path: "advisory.md", Data: []byte(strings.ReplaceAll(advisory, "the server", "the server "+mark))},
			{Path: "poc/probe.py", Data: []byte(strings.ReplaceAll(probe, "default", "default"+mark))},
			{Path: "rules/x.rules", Data: []byte("alert http any any -> any any (msg:\"X " + mark + "\";)\nalert tcp any any -> any any (msg:\"Y\";)\n")},
		})
	}
	return out
}

func apply(t *testing.T, name string, seed uint64) (w Worn, was []form.Output) {
	t.Helper()
	row, ok := Find(name)
	if !ok {
		t.Fatalf("no %s in the table", name)
	}
	all := copies(row.Copies)
	return row.Apply(rand.New(rand.NewPCG(seed, 1)), all...), all[0]
}

func found(w Worn, name string) string {
	for _, s := range w.Specimens {
		if s.Name == name {
			return string(s.Data)
		}
	}
	return ""
}

// bare is a text's letters and digits, in lower case.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// Every row gives the same for the same seed, another for another where it draws
// at all, keeps within its copy, never writes into it, and says what it does.
func TestTable(t *testing.T) {
	same := map[string]bool{"common-2": true, "common-3": true, "untouched": true, "paste": true, "plain": true, "unpunctuated": true, "canonical": true, "port": true, "wire": true}
	names := map[string]bool{}
	for _, row := range Table {
		if names[row.Name] || !strings.HasSuffix(row.What, ".") || row.Copies < 1 {
			t.Errorf("row %q", row.Name)
		}
		names[row.Name] = true
		all := copies(row.Copies)
		draw := func(seed uint64) Worn { return row.Apply(rand.New(rand.NewPCG(seed, 1)), all...) }
		a, b := draw(1), draw(1)
		if string(join(a)) != string(join(b)) || len(join(a)) == 0 {
			t.Errorf("%s: the same seed gives another result, or none", row.Name)
		}
		differs := false
		for seed := range uint64(8) {
			differs = differs || string(join(draw(seed))) != string(join(a))
		}
		if differs == same[row.Name] {
			t.Errorf("%s: other seeds give other results: %v", row.Name, differs)
		}
		for _, k := range a.Kept {
			if k.From < 0 || k.From >= k.To || k.To > sizes(all[0])[k.Path] {
				t.Errorf("%s keeps %+v", row.Name, k)
			}
		}
		if fresh := copies(row.Copies); string(all[0][0].Data) != string(fresh[0][0].Data) {
			t.Errorf("%s wrote into the copy", row.Name)
		}
		if empty := row.Apply(rand.New(rand.NewPCG(1, 1)), [][]form.Output{{{Path: "a.md"}}, {{Path: "a.md"}}, {{Path: "a.md"}}}...); len(empty.Specimens) > 1 {
			t.Errorf("%s makes %d specimens of an empty file", row.Name, len(empty.Specimens))
		}
	}
	if _, ok := Find("paraphrase"); ok {
		t.Error("found what isn't in the table")
	}
}

func join(w Worn) []byte {
	var b [][]byte
	for _, s := range w.Specimens {
		b = append(b, []byte(s.Name), s.Data)
	}
	return bytes.Join(b, []byte{0})
}

func sizes(copy []form.Output) map[string]int {
	m := map[string]int{}
	for _, o := range copy {
		m[o.Path] = len(o.Data)
	}
	return m
}

// What changes layout only leaves every letter, in order.
func TestLayoutOnly(t *testing.T) {
	for _, name := range []string{"untouched", "paste", "reflow", "fold", "unpunctuated"} {
		for seed := range uint64(10) {
			w, was := apply(t, name, seed)
			var a, b string
			for _, o := range was {
				a += bare(string(o.Data))
			}
			for _, s := range w.Specimens {
				b += bare(string(s.Data))
			}
			if a != b {
				t.Fatalf("%s, seed %d: letters differ:\n%s\n%s", name, seed, a, b)
			}
		}
	}
}

func TestReflow(t *testing.T) {
	s := ""
	for seed := range uint64(6) {
		w, _ := apply(t, "reflow", seed)
		s += found(w, "advisory.md")
	}
	if !strings.Contains(s, "-\r\n> ") {
		t.Errorf("nothing is hyphenated:\n%s", s)
	}
	for _, line := range strings.Split(s, "\r\n") {
		if len(line) > 100 {
			t.Errorf("a line of %d characters", len(line))
		}
	}
}

func TestFold(t *testing.T) {
	seen := map[bool]bool{}
	for seed := range uint64(20) {
		w, _ := apply(t, "fold", seed)
		s := found(w, "advisory.md")
		if s != strings.ToUpper(s) && s != strings.ToLower(s) {
			t.Error("both cases")
		}
		seen[strings.Contains(s, "”")] = true
	}
	if len(seen) != 2 {
		t.Error("quotes are always, or never, typographic")
	}
}

func TestUnpunctuated(t *testing.T) {
	w, _ := apply(t, "unpunctuated", 1)
	if s := found(w, "advisory.md"); strings.ContainsAny(s, ".,;:*#[]()\"'") || !strings.Contains(s, "sign in page") || !strings.Contains(s, "Dont") {
		t.Errorf("left:\n%s", s)
	}
}

func TestMarkup(t *testing.T) {
	w, _ := apply(t, "plain", 1)
	s := found(w, "advisory.md")
	if strings.ContainsAny(s, "*#[]") || strings.Contains(s, "https:") || !strings.Contains(s, "THE IMPORT PAGE\n") || !strings.Contains(s, " • turn on strict checking\n") {
		t.Errorf("plain:\n%s", s)
	}
	w, was := apply(t, "html", 1)
	s = found(w, "advisory.md")
	for _, want := range []string{"<h2>", "<li>", "<em>", `<a href="`, "&nbsp;", "&#34;"} {
		if !strings.Contains(s, want) {
			t.Errorf("html has no %s:\n%s", want, s)
		}
	}
	if strings.Count(s, "<ul") != strings.Count(s, "</ul>") || strings.Count(s, "<p ") != strings.Count(s, "</p>") {
		t.Error("elements are not closed")
	}
	if s := found(w, "poc/probe.py"); !strings.Contains(s, "<pre>") || strings.Contains(s, `"default"`) || len(s) < len(was[1].Data) {
		t.Errorf("script:\n%s", s)
	}
}

// Noise comes at the rate that its name says.
func TestNoise(t *testing.T) {
	long := []form.Output{{Path: "a.txt", Data: bytes.Repeat([]byte("the quick brown fox jumps over a lazy dog again "), 400)}}
	for _, c := range []struct {
		name string
		rate float64
	}{{"ocr-1", .01}, {"ocr-3", .03}, {"ocr-5", .05}, {"retype-1", .01}, {"retype-5", .05}, {"retype-10", .10}} {
		row, _ := Find(c.name)
		w := row.Apply(rand.New(rand.NewPCG(4, 4)), long)
		d := float64(distance(string(long[0].Data), string(w.Specimens[0].Data))) / float64(len(long[0].Data))
		if d < .6*c.rate || d > 1.7*c.rate {
			t.Errorf("%s: %.2f %% of characters differ", c.name, 100*d)
		}
	}
}

// distance counts edits, near the diagonal.
func distance(a, b string) int {
	const band = 200
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		lo, hi := max(1, i-band), min(len(b), i+band)
		diagonal := row[lo-1]
		row[lo-1] = i
		for j := lo; j <= hi; j++ {
			v := diagonal
			if a[i-1] != b[j-1] {
				v = min(diagonal, row[j-1], row[j]) + 1
			}
			diagonal, row[j] = row[j], v
		}
		if hi < len(b) {
			row[hi+1] = 1 << 20
		}
	}
	return row[len(b)]
}

func TestExcerpt(t *testing.T) {
	for name, n := range map[string]int{"excerpt-2": 2, "excerpt-3": 3, "excerpt-6": 6, "excerpt-12": 12} {
		for seed := range uint64(20) {
			w, was := apply(t, name, seed)
			k := w.Kept[0]
			if len(w.Specimens) != 1 || len(w.Kept) != 1 || k.Path != "advisory.md" || string(was[0].Data[k.From:k.To]) != string(w.Specimens[0].Data) || k.To-k.From != len(was[0].Data)/n {
				t.Fatalf("%s: %+v", name, w)
			}
			if !w.Keeps(Extent{k.Path, k.From + 1, k.To}) || w.Keeps(Extent{k.Path, k.From, k.To + 1}) || w.Keeps(Extent{"x", k.From, k.To}) {
				t.Fatal("Keeps")
			}
		}
	}
}

func TestShuffle(t *testing.T) {
	if got := strings.Join(sentences("a.md", advisory), ""); got != advisory {
		t.Errorf("sentences are not the text:\n%s", got)
	}
	w, was := apply(t, "shuffle", 2)
	count := func(s string) map[string]int {
		m := map[string]int{}
		for _, f := range strings.Fields(s) {
			m[f]++
		}
		return m
	}
	s := found(w, "advisory.md")
	for word, n := range count(string(was[0].Data)) {
		if count(s)[word] != n {
			t.Errorf("%q: %d, not %d", word, count(s)[word], n)
		}
	}
	if strings.Index(s, "deny write") < strings.Index(s, "turn on") && strings.Index(s, "turn on") < strings.Index(s, "alert on") {
		t.Error("nothing moved")
	}
}

func TestSynonyms(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range groups {
		if len(g) < 2 {
			t.Errorf("a group of one: %q", g)
		}
		for _, w := range g {
			if seen[w] || w != strings.ToLower(strings.TrimSpace(w)) || w == "" {
				t.Errorf("%q is in two groups, or not plain", w)
			}
			seen[w] = true
		}
	}
	w, was := apply(t, "canonical", 1)
	s := found(w, "advisory.md")
	for _, want := range []string{"It is enough to refuse each request", "nothing else is necessary", "Don't forward this document"} {
		if !strings.Contains(s, want) {
			t.Errorf("no %q in\n%s", want, s)
		}
	}
	if found(w, "poc/probe.py") != string(was[1].Data) {
		t.Error("the script was reworded")
	}
	words := map[string]bool{}
	for seed := range uint64(40) {
		w, _ := apply(t, "synonyms", seed)
		words[regexp.MustCompile(`has no session; nothing else is (\w+)`).FindStringSubmatch(found(w, "advisory.md") + " has no session; nothing else is unread")[1]] = true
	}
	if !words["needed"] || !words["necessary"] || !words["required"] {
		t.Errorf("%v", words)
	}
}

func TestMerge(t *testing.T) {
	for name, n := range map[string]int{"merge-2": 2, "merge-3": 3} {
		from := map[string]bool{}
		for seed := range uint64(40) {
			w, _ := apply(t, name, seed)
			from[regexp.MustCompile(`the server (\w)`).FindStringSubmatch(found(w, "advisory.md"))[1]] = true
			if bare(strings.ReplaceAll(found(w, "advisory.md"), "server B", "server A")) == "" {
				t.Fatal("nothing")
			}
		}
		if len(from) != n {
			t.Errorf("%s takes from %v", name, from)
		}
	}
	// An alternative that ends a sentence doesn't put copies out of step.
	odd := [][]form.Output{{{Path: "a.md", Data: []byte("One two. Three four. Five.\nSix.\n")}}, {{Path: "a.md", Data: []byte("One two, three four. Five.\nSeven.\n")}}}
	row, _ := Find("merge-2")
	for seed := range uint64(10) {
		s := string(row.Apply(rand.New(rand.NewPCG(seed, 1)), odd...).Specimens[0].Data)
		if strings.Count(s, "\n") != 2 || strings.Contains(s, "four. Three") {
			t.Errorf("%q", s)
		}
	}
}

func TestPort(t *testing.T) {
	w, _ := apply(t, "port", 1)
	s := found(w, "port.js")
	if strings.Contains(s, "Documentation") || strings.Contains(s, "nothing to unpack") || strings.Contains(s, "An \"order\"") {
		t.Errorf("kept what isn't ported:\n%s", s)
	}
	at := -1
	for _, want := range []string{"'0123456789abcdef'", "'6f1c2e0a'", "'trace'", "'site'", "'defaultA'", "'mode'", "'owner'", "'POST'", `isn\'t at fault`} {
		i := strings.Index(s, want)
		if i <= at {
			t.Errorf("%s is missing or out of order:\n%s", want, s)
		}
		at = i
	}
	i := strings.Index(probe, `    ("site"`)
	if !w.Keeps(Extent{"poc/probe.py", i, i + 20}) || w.Keeps(Extent{"poc/probe.py", strings.Index(probe, "nothing to"), strings.Index(probe, "nothing to") + 3}) {
		t.Errorf("keeps %+v", w.Kept)
	}
}

func TestWire(t *testing.T) {
	w, _ := apply(t, "wire", 1)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(found(w, "request.http"))))
	if err != nil {
		t.Fatal(err)
	}
	if r.Method != "POST" || r.URL.Path != "/portal/layout/import" || r.URL.RawQuery != "trace=0123456789abcdef&site=defaultA&mode=replace" ||
		r.Header.Get("Content-Type") != "multipart/form-data; boundary=6f1c2e0a" || r.Header.Get("User-Agent") != "larkspur-probe/1.2" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	b, _ := io.ReadAll(bufio.NewReader(strings.NewReader(found(w, "request.http"))))
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil || !strings.HasSuffix(string(b), "--6f1c2e0a--\r\n") || !strings.Contains(string(b), `filename="k7f3.layout"`) || strings.Index(string(b), "empty") > strings.Index(string(b), "nobody") {
		t.Errorf("%s", b)
	}
	if strings.Contains(string(b), "nothing to unpack") || strings.Contains(string(b), "at fault") {
		t.Errorf("more than is sent:\n%s", b)
	}
}
