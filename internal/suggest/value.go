package suggest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/carrier"
)

const months = `(?:January|February|March|April|May|June|July|August|September|October|November|December)`

// values are dates, lengths, sizes and numbers in words. Bare numbers in digits
// are left alone: most are ports, codes and versions.
var values = []struct {
	kind string
	form *regexp.Regexp
	// given is what a mark would name for a text; "" if nothing.
	given func(text string) string
}{
	{"date", regexp.MustCompile(`\b[0-9]{1,2} ` + months + ` [0-9]{4}\b`), dateBy("2 January 2006")},
	{"date", regexp.MustCompile(`\b` + months + ` [0-9]{1,2}, [0-9]{4}\b`), dateBy("January 2, 2006")},
	{"date", regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b`), dateBy(time.DateOnly)},
	{"duration", regexp.MustCompile(`\b(?:[0-9]+|[a-z]+(?:-[a-z]+)?) (?:second|minute|hour|day|week)s?\b`), lengthOf},
	{"duration", regexp.MustCompile(`\b(?:half an hour|an hour and a half)\b`), func(s string) string {
		return map[string]string{"half an hour": "30m", "an hour and a half": "90m"}[s]
	}},
	{"size", regexp.MustCompile(`\b[0-9]+ (?:kB|MB|GB|TB|KiB|MiB|GiB|TiB)\b`), func(s string) string { return s }},
	{"count", regexp.MustCompile(`\b(?:two|three|four|five|six|seven|eight|nine|(?:thir|four|fif|six|seven|eigh|nine)teen|ten|eleven|twelve|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-[a-z]+)?)\b`), countOf},
}

func dateBy(layout string) func(string) string {
	return func(s string) string {
		t, err := time.Parse(layout, s)
		if err != nil {
			return ""
		}
		return t.Format(time.DateOnly)
	}
}

func lengthOf(s string) string {
	number, noun, _ := strings.Cut(s, " ")
	n, ok := carrier.Number(number)
	if !ok {
		return ""
	}
	return strconv.Itoa(n) + noun[:1] // s m h d w
}

func countOf(s string) string {
	n, ok := carrier.Number(s)
	if !ok {
		return ""
	}
	return strconv.Itoa(n)
}

// values finds them, the more telling kinds first.
func (p *prose) values() (out []found) {
	in := make([]bool, len(p.src)) // bytes of values
	for _, v := range values {
		for _, m := range v.form.FindAllStringIndex(p.src, -1) {
			text := p.src[m[0]:m[1]]
			given := v.given(text)
			if given == "" || slices.Contains(in[m[0]:m[1]], true) || !p.free(m[0], m[1]) || touching(p.src[:m[0]], p.src[m[1]:]) {
				continue
			}
			ways := carrier.Ways(v.kind, given)
			if !slices.Contains(ways, text) {
				continue // nobody may be shown less than what stands there
			}
			for i := m[0]; i < m[1]; i++ {
				in[i] = true
			}
			out = append(out, found{at: m[0], end: m[1], Proposal: Proposal{
				Kind: v.kind, Value: given, Alternatives: ways,
				When: "the value is exact, and stands in no name, title or quotation",
			}})
		}
	}
	return out
}
