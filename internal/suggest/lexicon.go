package suggest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed lexicon.txt
var lexiconText string

// Entry is wordings of one thing, and where they are safe.
type Entry struct {
	Wordings  []string // two to four, in small letters
	Offered   []bool   // of each: it is offered and never looked for
	When      string   // the context, for people
	NotAfter  []string // words that must not stand before a wording
	NotBefore []string // words that must not stand behind it
}

// ParseLexicon reads the text of a lexicon; lexicon.txt says how it is written.
func ParseLexicon(text string) ([]Entry, error) {
	var out []Entry
	when := ""
	seen := map[string]int{}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == '=':
			when = strings.TrimSpace(line[1:])
			continue
		case when == "":
			return nil, fmt.Errorf("lexicon line %d: no line with = says when it is safe", n)
		}
		wordings, rules, _ := strings.Cut(line, ";")
		e := Entry{When: when}
		for w := range strings.SplitSeq(wordings, "|") {
			w, offered := strings.CutPrefix(strings.Join(strings.Fields(w), " "), "~")
			if w == "" || w != strings.ToLower(w) || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz' -") != "" {
				return nil, fmt.Errorf("lexicon line %d: %q isn't words in small letters", n, w)
			}
			if at, taken := seen[w]; taken {
				return nil, fmt.Errorf("lexicon line %d: %q stands in line %d already", n, w, at)
			}
			seen[w] = n
			e.Wordings, e.Offered = append(e.Wordings, w), append(e.Offered, offered)
		}
		if !slices.Contains(e.Offered, false) {
			return nil, fmt.Errorf("lexicon line %d: nothing in it is looked for", n)
		}
		if len(e.Wordings) < 2 || len(e.Wordings) > 4 {
			return nil, fmt.Errorf("lexicon line %d: %d wordings; 2 to 4 are wanted", n, len(e.Wordings))
		}
		for rule := range strings.SplitSeq(rules, ";") {
			side, words, ok := strings.Cut(strings.TrimSpace(rule), ":")
			switch {
			case strings.TrimSpace(rule) == "":
			case ok && side == "not after":
				e.NotAfter = append(e.NotAfter, strings.Fields(words)...)
			case ok && side == "not before":
				e.NotBefore = append(e.NotBefore, strings.Fields(words)...)
			default:
				return nil, fmt.Errorf("lexicon line %d: %q is neither 'not after:' nor 'not before:'", n, rule)
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// Lexicon is the lexicon of this program.
var Lexicon = sync.OnceValue(func() []Entry {
	l, err := ParseLexicon(lexiconText)
	if err != nil {
		panic(err) // it is embedded, and a test reads it
	}
	return l
})

// index finds wordings by their first word, longest first.
type index map[string][]wording

type wording struct {
	words []string
	entry *Entry
}

func indexOf(lexicon []Entry) index {
	x := index{}
	for i := range lexicon {
		for which, w := range lexicon[i].Wordings {
			if lexicon[i].Offered[which] {
				continue
			}
			words := strings.Fields(w)
			x[words[0]] = append(x[words[0]], wording{words, &lexicon[i]})
		}
	}
	for _, list := range x {
		slices.SortStableFunc(list, func(a, b wording) int { return len(b.words) - len(a.words) })
	}
	return x
}
