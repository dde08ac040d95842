package sighting

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// In every tier, at every alignment and at both ends of a text, the matcher
// finds what a plain search finds; as many patterns as make tiers of their own.
func TestMatcherTiers(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		alphabet := []string{"ab", "abcdefgh", "0123456789abcdef.-/"}[seed%3]
		random := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = alphabet[rng.IntN(len(alphabet))]
			}
			return string(b)
		}
		shortest := 4 + int(seed)%2
		var patterns []pattern
		index := map[string]int32{}
		lengths := map[int]bool{}
		for _, from := range []int{15, 11, 8, shortest} {
			for range tierWorth + 200 {
				n := from + rng.IntN(3)
				if from == 15 {
					n += rng.IntN(2) * rng.IntN(60)
				}
				s := random(n)
				if _, ok := index[s]; !ok {
					index[s] = int32(len(patterns))
					lengths[len(s)] = true
					patterns = append(patterns, pattern{text: s, fold: true, bounds: anywhere, kind: needle, index: index[s]})
				}
			}
		}
		m := &matcher{patterns: patterns}
		m.tier()
		if want := map[bool]int{true: 2, false: 4}[alphabet == "ab"]; len(m.tiers) < want {
			t.Fatalf("seed %d: only %d tiers", seed, len(m.tiers))
		}
		for range 40 {
			text := ""
			for range rng.IntN(30) {
				text += random(rng.IntN(9)) + patterns[rng.IntN(len(patterns))].text
			}
			var want, got []string
			for n := range lengths {
				for from := 0; from+n <= len(text); from++ {
					if i, ok := index[text[from:from+n]]; ok {
						want = append(want, fmt.Sprint(from, i))
					}
				}
			}
			m.find([]byte(text), new(batch), func(from, _ int, _ hitKind, i int32, _ bounds) { got = append(got, fmt.Sprint(from, i)) })
			slices.Sort(want)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Fatalf("seed %d: in %q\n%q, want\n%q", seed, text, got, want)
			}
		}
	}
}
