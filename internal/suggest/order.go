package suggest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"forewarn/internal/carrier"
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
		if !p.free(from, to) || p.orderly(from, to) != "" {
			continue
		}
		out = append(out, found{at: from, end: to, Proposal: Proposal{Kind: Order, When: "the items are of one kind, none leans on another, and none comes first by weight, time or habit"}})
	}
	return out
}

// orderly says why a list's order may say something, or isn't worth a mark; nothing
// if neither.
func (p *prose) orderly(from, to int) string {
	if w := p.tells(p.above(from)); w != "" {
		return fmt.Sprintf("the line above it says %q", w)
	}
	if w := p.tells(p.src[from:to]); w != "" {
		return fmt.Sprintf("it says %q", w)
	}
	items := items(p.src[from:to])
	if len(items) < 3 {
		return "it has fewer than three items" // two carry one bit and cost two lines
	}
	seen := map[string]bool{}
	for _, it := range items {
		seen[strings.ToLower(strings.TrimSpace(it))] = true
		switch {
		case it[0] != items[0][0]:
			return "its bullets differ"
		case ending(it) != ending(items[0]):
			return "its items end differently"
		case strings.Contains(it, "{{"):
			return "an item has a mark"
		case len(strings.Fields(it)) < 2:
			return "an item is empty"
		}
	}
	if len(seen) != len(items) {
		return "two items are the same"
	}
	return ""
}

// Kept is a list that isn't proposed to be in any order.
type Kept struct {
	File string
	Line int // from 1
	Why  string
}

// KeptLists are the lists of a source's prose that Propose leaves in their order for
// what they say, with why. Those that are marked already aren't among them.
func KeptLists(src carrier.Source) (out []Kept) {
	for _, f := range src.Files {
		if f.Path == carrier.ManifestPath || f.Path == carrier.ApprovalsPath {
			continue
		}
		p := readProse(f.Path, string(f.Data))
		if p == nil {
			continue
		}
		for _, l := range p.lists {
			if why := p.orderly(l[0], l[1]); why != "" && p.free(l[0], l[1]) {
				out = append(out, Kept{f.Path, 1 + strings.Count(p.src[:l[0]], "\n"), why})
			}
		}
	}
	return out
}

// tells is the first word in a text that makes an order say something; empty if none
// does.
func (p *prose) tells(s string) string {
	words := wordForm.FindAllString(strings.ToLower(s), -1)
	if i := slices.IndexFunc(words, func(w string) bool { return slices.Contains(telling, w) }); i >= 0 {
		return words[i]
	}
	return ""
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
