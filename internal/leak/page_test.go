package leak_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/leak"
)

func TestPageSaysEverything(t *testing.T) {
	c := evidencetest.New(5, 60)
	for _, specimens := range [][]form.Specimen{c.Leak(2), c.Request(1), unrelated} {
		in := inputs(t, c, specimens)
		f := judge(t, in)
		page := flat(string(leak.Page(f, leak.Timeline(in))))
		text := flat(leak.Text(f, 80))
		var want []string
		want = append(append(append(want, f.Assumptions...), f.Limits...), f.Why...)
		want = append(append(want, f.WouldHelp...), f.Meaning, f.ProcessError, f.Rule, f.Statement, f.Reader, f.Decoder, f.Channel)
		if len(f.Accused) > 0 {
			if f.Accused[0].SitesRead > 0 {
				want = append(want, "product, exact") // it agrees everywhere
			}
			if f.Accused[0].PTokens != "" {
				want = append(want, "coincidence only", power(f.Accused[0].PAimed))
			}
		}
		for _, r := range f.Rivals {
			want = append(append(append(want, r.Name, r.Settles), r.Predicts...), r.Seen...)
		}
		for _, a := range f.Accused {
			want = append(want, a.Name, a.Copies[0].Copy, power(a.PAdjusted), power(a.PUpper), power(a.PEstimate), power(a.PSampled))
		}
		for _, s := range want {
			if !strings.Contains(page, flat(s)) {
				t.Errorf("the page does not say %q", s)
			}
		}
		for _, s := range []string{f.Statement, f.Meaning, f.ProcessError, "Conclusion: " + f.Conclusion} {
			if !strings.Contains(text, flat(s)) {
				t.Errorf("the text does not say %q", s)
			}
		}
		if !strings.HasSuffix(strings.TrimSpace(text), flat(append([]string{f.Statement}, f.Why...)[len(f.Why)])) {
			t.Errorf("the text does not end with the conclusion: …%s", text[len(text)-200:])
		}
	}
}

// flat is text without markup, entities and line ends.
func flat(s string) string {
	s = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(s, "")
	s = strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// power is how a page prints a probability, without its markup.
func power(p string) string {
	d, e, ok := strings.Cut(p, "e-")
	if e = strings.TrimLeft(e, "0"); !ok || len(e) < 2 && e < "4" {
		return ""
	}
	return d + " × 10−" + e
}

const hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\u202e]]></style>{{.}}"

func TestPageEscapes(t *testing.T) {
	c := evidencetest.New(5, 60)
	for i := range c.Holders {
		c.Holders[i].Name += hostile
	}
	in := inputs(t, c, append(c.Leak(2), c.Request(2)...))
	in.Facts.CaseName = hostile
	for i := range in.Facts.Waves {
		in.Facts.Waves[i].Label += hostile
	}
	for i := range in.Facts.Fetches {
		in.Facts.Fetches[i].AccountName = hostile
	}
	in.Facts.Holders[1].Tier = hostile
	in.Facts.Breaches = []leak.Event{{At: release, Entry: 3}}
	in.Facts.Answers = []leak.Answer{{Event: leak.Event{At: release, Entry: 3}, Who: hostile, What: hostile}}
	in.Seen = []leak.Seen{{Time: interval(release, 0), Label: hostile, Source: hostile, Entry: 3}}
	f := judge(t, in)
	f.Specimens[0].Name = hostile
	page := string(leak.Page(f, leak.Timeline(in)))
	for _, bad := range []string{"<script", "<img", "\x1b", "onerror=alert(1)>"} {
		if strings.Contains(strings.ReplaceAll(page, "onerror=alert(1)&gt;", ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if strings.Count(page, "</style>") != 3 {
		t.Errorf("%d style sheets end", strings.Count(page, "</style>"))
	}
	for _, remote := range regexp.MustCompile(`(?i)(src=|href|url\(|@import|https?:)[^\s]{0,8}`).FindAllString(strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), -1) {
		if !strings.HasPrefix(remote, "src=x") && !strings.HasPrefix(remote, "src=…") {
			t.Errorf("the page has %q", remote)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;") && !strings.Contains(page, "default-src 'none'") {
		t.Error("the page has no policy")
	}
	for w := 1; w < 160; w += 3 {
		for _, line := range strings.Split(leak.Text(f, w), "\n") {
			if n := utf8.RuneCountInString(line); n > max(w, 40) || strings.ContainsAny(line, "\x1b\u202e") {
				t.Fatalf("width %d: %q", w, line)
			}
		}
	}
}

// Every rule on passing on has what a reader needs to check it.
func TestDutiesAreData(t *testing.T) {
	c := evidencetest.New(5, 60)
	f := judge(t, inputs(t, c, c.Leak(2)))
	if len(f.Duties) != 1 {
		t.Fatalf("%d duties", len(f.Duties))
	}
	d := f.Duties[0]
	if d.Jurisdiction != "CN" || d.Members != 2 || !strings.Contains(d.Citation, "Art. 7(2)") || !d.From.Equal(evidencetest.Opens[0].AddDate(0, 0, 2)) {
		t.Errorf("%+v", d)
	}
	var _ evidence.Duty = d
}
