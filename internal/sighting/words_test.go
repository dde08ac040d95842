package sighting

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Words are found wherever they stand by themselves, at every alignment, at both
// ends and among signs and letters of any script, and nowhere else.
func TestWordTier(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	draw := func(n int, from string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[rng.IntN(len(from))]
		}
		return string(b)
	}
	var patterns []pattern
	index := map[string]int32{}
	for len(index) < 60 {
		w := draw(leastAnchor+rng.IntN(9), "ab0z")
		if _, ok := index[w]; !ok {
			index[w] = int32(len(patterns))
			patterns = append(patterns, pattern{text: w, fold: true, bounds: alone, kind: anchorWord, index: index[w]})
		}
	}
	m, err := newMatcher(nil, nil, patterns)
	if err != nil || len(m.tiers) != 1 || m.tiers[0].words == nil {
		t.Fatal(err, m.tiers)
	}
	seen := 0
	for range 3000 {
		text := ""
		for range rng.IntN(8) {
			text += draw(rng.IntN(7), "ab0z") + []string{" ", "-", "/", "é", "“", "\x00", "@", "[", "`", "{", ":", "_"}[rng.IntN(12)]
			if w := patterns[rng.IntN(len(patterns))].text; rng.IntN(2) == 0 {
				text += strings.ToUpper(w)
			} else {
				text += w
			}
		}
		var want, got []string
		from := 0
		for _, w := range append(strings.FieldsFunc(text, func(r rune) bool { return !letter(r) }), "") {
			if i := strings.Index(text[from:], w); w != "" {
				if n, ok := index[strings.ToLower(w)]; ok {
					want = append(want, fmt.Sprint(from+i, n))
				}
				from += i + len(w)
			}
		}
		m.find([]byte(text), new(batch), func(from, _ int, _ hitKind, i int32) { got = append(got, fmt.Sprint(from, i)) })
		slices.Sort(want)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Fatalf("in %q\n%q, want\n%q", text, got, want)
		}
		seen += len(want)
	}
	if seen < 3000 {
		t.Errorf("only %d words were met", seen)
	}
}
