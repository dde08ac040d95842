package sighting

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Patterns with a long word are found by it, at every alignment, at both ends and
// among signs and letters of any script, and nowhere else; whatever the width.
func TestLongWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	draw := func(n int, from string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[rng.IntN(len(from))]
		}
		return string(b)
	}
	for width := leastLong - 1; width <= mostLong+1; width++ {
		var patterns []pattern
		index := map[string]int32{}
		for len(index) < 60 {
			s := draw(width, "ab0z")
			switch rng.IntN(4) { // the long word first, or behind something
			case 1:
				s = draw(rng.IntN(4), "ab") + "/" + s
			case 2:
				s += draw(rng.IntN(20), "ab./")
			case 3:
				s = "/" + s + "." + draw(rng.IntN(9), "ab0z")
			}
			if _, ok := index[s]; !ok {
				index[s] = int32(len(patterns))
				patterns = append(patterns, pattern{text: s, fold: true, bounds: wordBounds, kind: indicator, index: index[s]})
			}
		}
		m := &matcher{patterns: patterns}
		if m.tier(); width >= leastLong && (len(m.tiers) != 1 || !m.tiers[0].words || m.tiers[0].width != min(width, mostLong)) || width < leastLong && m.tiers[0].words {
			t.Fatalf("width %d: %+v", width, m.tiers)
		}
		seen := 0
		for range 2000 {
			text := ""
			for range rng.IntN(8) {
				text += draw(rng.IntN(7), "ab0z") + []string{" ", "-", "/", "é", "“", "\x00", "@", "[", "`", "{", ":", "_"}[rng.IntN(12)]
				if p := patterns[rng.IntN(len(patterns))].text; rng.IntN(2) == 0 {
					text += strings.ToUpper(p)
				} else {
					text += p
				}
			}
			text += strings.Repeat(" ", rng.IntN(3)*rng.IntN(40))
			var want, got []string
			folded := lower(text)
			for p, n := range index {
				for from := 0; ; from++ {
					i := strings.Index(folded[from:], p)
					if i < 0 {
						break
					}
					from += i
					if _, _, ok := wordBounds([]byte(text), from, from+len(p)); ok {
						want = append(want, fmt.Sprint(from, n))
					}
				}
			}
			m.find([]byte(text), new(batch), func(from, _ int, _ hitKind, i int32, _ bounds) { got = append(got, fmt.Sprint(from, i)) })
			slices.Sort(want)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Fatalf("width %d: in %q\n%q, want\n%q", width, text, got, want)
			}
			seen += len(want)
		}
		if seen < 2000 {
			t.Errorf("width %d: only %d were met", width, seen)
		}
	}
}

// What no letter is kept from cannot be told by the beginning of a word.
func TestLongWordsStandAlone(t *testing.T) {
	for _, c := range []struct {
		p    pattern
		want []int
	}{
		{pattern{text: "operator7.example", kind: indicator, bounds: hostBounds}, []int{0}},
		{pattern{text: "c2.operator7.example", kind: indicator, bounds: hostBounds}, []int{3}},
		{pattern{text: "/_layouts/15/stage1234/start.aspx", kind: indicator, bounds: pathBounds}, []int{13}},
		{pattern{text: "spinstall0.aspx", kind: needle, bounds: anywhere}, nil},
		{pattern{text: "/spinstall0.aspx", kind: needle, bounds: anywhere}, []int{1}},
		{pattern{text: "20010db8:1", kind: indicator}, nil},
		{pattern{text: "éoperator7", kind: indicator, bounds: wordBounds}, []int{2}},
		{pattern{text: strings.Repeat("a", judged) + "/operator7", kind: indicator, bounds: wordBounds}, []int{0}},
	} {
		if got := longWords(&c.p, mostLong); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.p.text, got, c.want)
		}
	}
}
