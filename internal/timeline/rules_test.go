package timeline

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRuleLabels: labels of rules stand whole, apart, and on no more lines than there
// are rules, wherever the rules are.
func TestRuleLabels(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		x := text{columns: 80}
		used := map[int]bool{}
		for _, what := range []string{"report", "patch", "embargo ends", "release"}[:1+dice.IntN(4)] {
			c := dice.IntN(x.columns)
			if dice.IntN(2) == 0 && len(x.rules) > 0 {
				c = min(x.rules[len(x.rules)-1].column+1+dice.IntN(3), x.columns-1) // close by
			}
			if used[c] {
				continue
			}
			used[c] = true
			x.rules = append(x.rules, textRule{c, markRule, what, "26 Nov 10:30"})
		}
		lines := x.ruleLines()
		all := ""
		for _, l := range lines {
			all += string(l) + "\n"
		}
		for _, r := range x.rules {
			if len(lines) > len(x.rules) || !strings.Contains(all, r.what+" "+r.when) {
				t.Fatalf("%v:\n%s", x.rules, all)
			}
		}
	}
}
