package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// times is a text of about n bytes that is one thing again and again.
func times(s string) func(n int) string {
	return func(n int) string { return strings.Repeat(s, n/len(s)) }
}

// within is half a text of one thing, and half of another.
func within(a, middle, b string) func(n int) string {
	return func(n int) string {
		k := n / (len(a) + len(b))
		return strings.Repeat(a, k) + middle + strings.Repeat(b, k)
	}
}

// growing is lines, or runs, that are longer each time.
func growing(each func(i int) string) func(n int) string {
	return func(n int) string {
		var b strings.Builder
		for i := 1; b.Len() < n; i++ {
			b.WriteString(each(i))
		}
		return b.String()[:n]
	}
}

// hostileTexts are texts that parsers were slow at: those that CommonMark's own parser is
// tried with (its test/pathological_tests.py), and more of the kind.
var hostileTexts = map[string]func(n int) string{
	"links begun":                times("[a]("),
	"nested strong":              within("*a **a ", "b", " a** a*"),
	"emphasis ended":             times("a_ "),
	"emphasis begun":             times("_a "),
	"brackets ended":             times("a]"),
	"brackets begun":             times("[a"),
	"pairs that don't match":     times("*a_ "),
	"struck":                     times("*~~a~~* a__ "),
	"threes":                     func(n int) string { return "a**b" + strings.Repeat("c* ", n/3) },
	"brackets and emphasis":      times("[ a_"),
	"links in strong":            times("**x [a*b**c*](d)"),
	"pictures of nothing":        times("![[]()"),
	"nested brackets":            within("[", "a", "]"),
	"nested quotes":              times("> "),
	"nested quotes, close":       times(">"),
	"nested lists":               growing(func(i int) string { return strings.Repeat("  ", i) + "* a\n" }),
	"nested lists in a line":     times("* "),
	"nested lists with tabs":     times("-\t"),
	"nested numbers":             times("1. "),
	"backticks":                  growing(func(i int) string { return "e" + strings.Repeat("`", i) }),
	"backticks begun":            times("`a``"),
	"links with an angle":        times("[a](<b"),
	"links not ended":            times("[a](b"),
	"links with round brackets":  times("[a](("),
	"links with titles begun":    times("[a](b \""),
	"comments":                   func(n int) string { return "</" + strings.Repeat("<!--", n/4) },
	"comments in a line":         func(n int) string { return "a " + strings.Repeat("<!--", n/4) },
	"instructions":               times("a <?"),
	"declarations":               times("a <!A "),
	"sections":                   times("a <![CDATA["),
	"tags":                       times("<a b='"),
	"addresses begun":            times("<http:"),
	"empty lines in a list":      func(n int) string { return "- a\n   " + strings.Repeat("\n", n) + "a" },
	"lines after nested quotes":  within(">", "a\n", "b\n"),
	"blanks after nested quotes": within(">", "a\n", "\n"),
	"lines after nested lists":   within("* ", "a\n", "b\n"),
	"a hundred quotes":           times(strings.Repeat(">", 99) + "a\n"),
	"a table with a wide head": func(n int) string {
		k := n / 8
		return strings.Repeat("|a", k) + "\n" + strings.Repeat("|-", k) + "\n" + strings.Repeat("b\n", n/4)
	},
	"many tables": times("|a|b|c|d|e|f|g|h\n|-|-|-|-|-|-|-|-\n" + strings.Repeat("b\n", 100) + "\n"),
	"wide tables": func(n int) string {
		k := n / 6
		return strings.Repeat("|a", k) + "\n" + strings.Repeat("|-", k) + "\n" + strings.Repeat("|b", k)
	},
	"quoted tables": func(n int) string {
		return "> " + strings.Repeat("|a", n/8) + "\n> " + strings.Repeat("|-", n/8) + "\n" + strings.Repeat("> b\n", n/8)
	},
	"references to a long one": func(n int) string { return "[a]: /" + strings.Repeat("x", n/2) + "\n\n" + strings.Repeat("[a]", n/6) },
	"references to a long title": func(n int) string {
		return "[a]: u \"" + strings.Repeat("x", n/2) + "\"\n\n" + strings.Repeat("[a]\n\n", n/10)
	},
	"references":                   growing(func(i int) string { return fmt.Sprintf("[%d]: u\n", i) }),
	"references begun":             times("[a]: \n"),
	"references with titles begun": times("[a]: u \"\n"),
	"brackets in lines":            times("[\n"),
	"double brackets":              times("[a]["),
	"pairs":                        times("*_"),
	"pairs about a letter":         times("_*a"),
	"tildes":                       times("~a~~ "),
	"nested emphasis":              within("*a", "b", "c*"),
	"nested links":                 within("[", "[a](b)", "](c)"),
	"nested pictures":              within("![", "a", "](c)"),
	"links in brackets":            within("[", "", "[a](b) ]"),
	"headings":                     times("a\n-\n"),
	"links, each another":          growing(func(i int) string { return fmt.Sprintf("<https://a.example/%d>\n\n", i%99) }),
	"short paragraphs of signs":    times(strings.Repeat("*a_ ", 100) + "\n\n"),
}

// honestText is what people write, as long as it may be.
func honestText(n int) string {
	return growing(func(i int) string {
		return fmt.Sprintf("## Section %d\n\nThe *parser* reads [a length](https://vendor.example/%d) that `n` bounds, and so **no more than** that is copied; see CVE-2025-%d.\n\n- one: `a(b)`\n- two, with_names_in_it\n\n| file | was | is |\n|--|--|--|\n| a.c | 1 | 2 |\n| b.c | 3 | 4 |\n\n> It was so.\n\n```\nif (a[i] > b) { *p = c; }\n```\n\n", i, i, 10000+i)
	})(n)
}

// TestHostileTexts: no text takes much longer than an honest one of the same length, or
// grows into much more: it is rendered, or it is not. The measure is the honest text, for
// machines differ.
func TestHostileTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector has costs of its own")
	}
	// The machine may be busy with others: what is fast enough is fast enough once.
	fastest := func(text string, enough time.Duration) time.Duration {
		best := time.Hour
		for range 12 {
			rendered.Lock()
			rendered.by = nil
			rendered.Unlock()
			begun := time.Now()
			p, _ := renderProse([]byte(text))
			best = min(best, time.Since(begun))
			if len(p.HTML) > mostHTML+mostHTML/4 { // with what is put around tables
				t.Errorf("%.20q… comes to %d bytes", text, len(p.HTML))
			}
			if best < enough {
				break
			}
		}
		return best
	}
	honest := honestText(longestProse)
	if _, ok := renderProse([]byte(honest)); !ok {
		t.Fatal("an honest text is not rendered")
	}
	measure := fastest(honest, 0)
	var worst time.Duration
	var whose string
	for name, text := range hostileTexts {
		for n := longestProse; n >= 1<<11; n /= 2 { // down to where all is rendered
			took := fastest(text(n), 12*measure)
			if took > worst {
				worst, whose = took, fmt.Sprintf("%s, %d bytes", name, n)
			}
			if took > 25*measure {
				t.Errorf("%s: %d bytes take %s, and an honest text of %d takes %s", name, n, took, longestProse, measure)
			}
		}
	}
	t.Logf("%s take %s, the most; an honest text of %d bytes %s", whose, worst, longestProse, measure)
}

// TestHonestTexts: what people write is rendered, however long its paragraphs, lists and
// tables are.
func TestHonestTexts(t *testing.T) {
	texts := map[string]string{
		"a long list of links":  growing(func(i int) string { return fmt.Sprintf("- [CVE-2025-%d](https://vendor.example/%d)\n", i, i) })(longestProse),
		"a long table":          "| indicator | kind | seen |\n|---|---|---|\n" + growing(func(i int) string { return fmt.Sprintf("| `host-%d.example` | name | 2025-07-07 |\n", i) })(longestProse-100),
		"code":                  "```\n" + growing(func(i int) string { return fmt.Sprintf("a[%d] |= (b << %d) | ~*c | d[i]; // ------\n", i, i%64) })(longestProse-10) + "\n```\n",
		"one endless paragraph": times("words and words, a name_of_something, `code` and (an aside), ")(longestProse / 4),
		"rules":                 times("a\n\n" + strings.Repeat("* ", 40) + "\n\n" + strings.Repeat("-", 500) + "\n\n")(longestProse),
	}
	files, err := filepath.Glob("../../doc/*.md")
	ok(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		ok(t, err)
		texts[f] = string(b[:min(len(b), longestProse)])
	}
	for name, text := range texts {
		if _, ok := renderProse([]byte(strings.ToValidUTF8(text, ""))); !ok {
			t.Errorf("%s, %d bytes: it is not rendered", name, len(text))
		}
	}
}
