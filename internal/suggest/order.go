package suggest

import (
	"regexp"
	"slices"
	"strings"
)

// telling are words in a list, or in the line above it, that make its order say
// something.
var telling = strings.Fields("first firstly second secondly third thirdly next then finally last lastly afterwards before after step steps order sequence " +
	"sequentially ranked ranking priority phase stage chronological chronologically timeline increasing decreasing ascending descending above below " +
	"previous latter former otherwise else")

// orders finds bullets whose order seems to say nothing.
func (p *prose) orders() (out []found) {
	for _, l := range p.lists {
		from, to := l[0], l[1]
		if !p.free(from, to) || p.tells(p.above(from)) || p.tells(p.src[from:to]) {
			continue
		}
		items := items(p.src[from:to])
		if len(items) < 3 {
			continue // two carry one bit and cost two lines
		}
		seen, alike := map[string]bool{}, true
		for _, it := range items {
			seen[strings.ToLower(strings.TrimSpace(it))] = true
			alike = alike && it[0] == items[0][0] && ending(it) == ending(items[0]) && !strings.Contains(it, "{{") && len(strings.Fields(it)) > 1
		}
		if !alike || len(seen) != len(items) {
			continue
		}
		out = append(out, found{at: from, end: to, Proposal: Proposal{Kind: Order, When: "the items are of one kind, none leans on another, and none comes first by weight, time or habit"}})
	}
	return out
}

// tells reports whether a text has a word that makes an order say something.
func (p *prose) tells(s string) bool {
	return slices.ContainsFunc(wordForm.FindAllString(strings.ToLower(s), -1), func(w string) bool { return slices.Contains(telling, w) })
}

// above is the line before a list, but for words that set its order free.
func (p *prose) above(at int) string {
	before := strings.TrimRight(p.src[:at], "\n")
	return inAnyOrder.ReplaceAllString(before[strings.LastIndex(before, "\n")+1:], "")
}

var inAnyOrder = regexp.MustCompile(`(?i)\bin (any|no particular) (order|sequence)\b`)

// items cuts bullets, each with its deeper lines. Bullets that are deeper than the
// first are part of an item.
func items(s string) (out []string) {
	for line := range strings.Lines(s) {
		if bullet.MatchString(line) || len(out) == 0 {
			out = append(out, line)
		} else {
			out[len(out)-1] += line
		}
	}
	return out
}

func ending(s string) byte {
	s = strings.TrimSpace(s)
	if last := s[len(s)-1]; strings.IndexByte(".,;:!?", last) >= 0 {
		return last
	}
	return 0
}
