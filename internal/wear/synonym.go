package wear

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// synonyms attacks the marks themselves: whoever suspects that wording is marked
// changes it. The lexicon is a small one of everyday words that knows nothing of
// any package; where it holds a package's own alternatives, it forges marks.
func synonyms(dice *rand.Rand, path, s string) string {
	return reword(path, s, func(group []string, was int) int {
		if dice.IntN(2) == 0 {
			return was
		}
		return dice.IntN(len(group))
	})
}

// canonical is what whoever has read the lexicon's source could do: copies that
// differ in its words only become the same.
func canonical(_ *rand.Rand, path, s string) string {
	return reword(path, s, func([]string, int) int { return 0 })
}

// groups are the lexicon's, and where each word stands in them.
var groups, groupOf = func() (gs [][]string, of map[string][2]int) {
	of = map[string][2]int{}
	for _, line := range strings.Split(strings.TrimSpace(lexicon), "\n") {
		g := strings.Split(line, ", ")
		for i, w := range g {
			of[w] = [2]int{len(gs), i}
		}
		gs = append(gs, g)
	}
	return gs, of
}()

// known matches any word or phrase of the lexicon, longer ones first.
var known = func() *regexp.Regexp {
	var all []string
	for _, g := range groups {
		for _, w := range g {
			all = append(all, strings.ReplaceAll(regexp.QuoteMeta(w), " ", `\s+`))
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return regexp.MustCompile(`(?i)\b(?:` + strings.Join(all, "|") + `)\b`)
}()

// reword replaces what the lexicon knows, in prose only: nobody who wants a
// script to work, or a rule to match, rewords it.
func reword(path, s string, pick func(group []string, was int) int) string {
	if !markdown(path) {
		return s
	}
	return known.ReplaceAllStringFunc(s, func(w string) string {
		at, ok := groupOf[strings.Join(strings.Fields(strings.ToLower(w)), " ")]
		if !ok {
			return w
		}
		to := pick(groups[at[0]], at[1])
		if to == at[1] {
			return w
		}
		r := []rune(groups[at[0]][to])
		if first := []rune(w)[0]; unicode.IsUpper(first) {
			r[0] = unicode.ToUpper(r[0])
		}
		return string(r)
	})
}
