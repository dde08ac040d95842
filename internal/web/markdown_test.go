package web

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestProse(t *testing.T) {
	p, rendered := renderProse([]byte("# One *two* & <b>\n\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) [b](https://vendor.example/x?a=1&b=2) [c](//evil.example) <https://auto.example> ![d](https://evil.example/p.png) <img src=x onerror=alert(1)>\n\n## Sub\n\n| a | b |\n|--:|---|\n| 1 | <i>2</i> |\n\ncode `<x>` exe.\u202efdp \x1b[2J\n"))
	if !rendered {
		t.Fatal("it is not rendered")
	}
	s := string(p.HTML)
	for _, want := range []string{`<h2 id="s1">One <em>two</em> &amp; `, `<a href="https://vendor.example/x?a=1&amp;b=2" rel="noopener noreferrer nofollow">b</a>`, `<h3 id="s2">Sub</h3>`,
		`<a href="https://evil.example/p.png" rel="noopener noreferrer nofollow">picture: d</a>`, `<th align="right">a</th>`, "<code>&lt;x&gt;</code>", "exe.\ufffdfdp \ufffd[2J", `<a href="https://auto.example" rel=`} {
		if !strings.Contains(s, want) {
			t.Errorf("it lacks %q:\n%s", want, s)
		}
	}
	for _, not := range []string{"<script", "javascript:", "<img", "onerror", "//evil.example\"", "<i>", "style="} {
		if strings.Contains(s, not) {
			t.Errorf("it has %q:\n%s", not, s)
		}
	}
	if len(p.Contents) != 2 || p.Contents[0].ID != "s1" || !strings.HasPrefix(p.Contents[0].Text, "One two & ") || !p.Contents[1].Sub {
		t.Errorf("contents: %+v", p.Contents)
	}
	if _, rendered := renderProse([]byte{0xff}); rendered {
		t.Error("what is no text is rendered")
	}
	if _, rendered := renderProse(make([]byte, longestProse+1)); rendered {
		t.Error("it is too long and is rendered")
	}
}

// tags are all that rendered prose may hold, and attributes with what values.
var (
	tags  = regexp.MustCompile(`^</?(h[2-6]|p|em|strong|del|code|pre|blockquote|ul|ol|li|hr|br|a|table|thead|tbody|tr|th|td|div)\b`)
	attrs = regexp.MustCompile(` ([a-z]+)="([^"]*)"`)
	kinds = regexp.MustCompile(`^(href (https?:|mailto:).*|href|rel noopener noreferrer nofollow|id s[0-9]+|align (left|right|center)|start [0-9]+|class (wide|language-.*)|tabindex 0|title( .*)?)$`)
)

func FuzzProse(f *testing.F) {
	for _, s := range []string{"# a\n\n[x](https://a.example)", "![x](data:image/svg+xml,<svg onload=alert(1)>)", "<a href=\"javascript:x\">", "```js\"><script>\nx\n```", "[x](<javascript:a b>)", "[a]: vbscript:x\n[a]", "\u202e\x00\x1b", "1. a\n2. b\n\n> q\n\n---\n", "| a |\n|:-:|\n| b |", "[x](https://a.example 'ti\"tle')", "<ms-msdt:/id &x>", "<ms-msdt:&lt;b>", "a\n=\nb\n# c\nd\n\ne\n---\nf"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, rendered := renderProse([]byte(s))
		if !rendered {
			return
		}
		rest := readable(s)
		for _, x := range p.Sections { // one after another, and of the text itself
			_, after, found := strings.Cut(rest, x.Text)
			if !found || x.Text == "" {
				t.Fatalf("%q: section %+v is not where it belongs", s, x)
			}
			rest = after
		}
		for _, l := range p.Links {
			if u, err := url.Parse(l.URL); err != nil || u.Host == "" || l.Summary == "" || safeLink([]byte(l.URL)) == nil {
				t.Fatalf("%q leads to %+v", s, l)
			}
		}
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(string(p.HTML), -1) {
			if tag == "<!-- raw HTML omitted -->" {
				continue
			}
			if !tags.MatchString(tag) {
				t.Fatalf("%q holds %q", p.HTML, tag)
			}
			for _, a := range attrs.FindAllStringSubmatch(tag, -1) {
				if !kinds.MatchString(strings.TrimSpace(a[1] + " " + a[2])) {
					t.Fatalf("%q holds %q", tag, a)
				}
			}
		}
	})
}
