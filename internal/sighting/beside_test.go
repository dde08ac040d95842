package sighting

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What the few bytes beside an anchor rule out stands in no text beside it.
func TestFar(t *testing.T) {
	ruledOut, left := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text, _ := drawText(t)
		q, _ := newQuotes([]Text{text}, nil)
		if len(q.anchors) == 0 {
			return
		}
		words := make([]string, len(q.anchors))
		for i, places := range q.anchors {
			words[i] = q.lattices[places[0].text].edges[places[0].edges[0]].word
		}
		gap := rapid.SampledFrom([]string{" ", "\n", ", ", " “", "’", `":"`, "\t", " … ", strings.Repeat(".", 9)})
		index := rapid.IntRange(0, len(words)-1).Draw(t, "anchor")
		beside := rapid.OneOf(rapid.SampledFrom(vocabulary), rapid.Map(rapid.SampledFrom(vocabulary), strings.ToUpper), rapid.StringMatching(`[A-Za-z0-9é]{1,9}`))
		pad := strings.Repeat(" ", 64)
		before := pad + beside.Draw(t, "left") + gap.Draw(t, "gap")
		log := []byte(before + words[index] + gap.Draw(t, "gap") + beside.Draw(t, "right") + " " + pad)
		from, to := len(before), len(before)+len(words[index])
		for s := range side(2) {
			w, ok, _ := nextWord(log, to, q.longest)
			if s == leftOf {
				w, ok, _ = lastWord(log, from, q.longest)
			}
			if !q.far(log, from, to, int32(index), s) {
				left++
				continue
			}
			ruledOut++
			for _, a := range q.anchors[index] {
				l := q.lattices[a.text]
				for _, e := range l.beside(a.edges[0], s) {
					if ok && reads(log[w.from:w.to], l.edges[e].word) {
						t.Fatalf("side %d of %q is ruled out, and is one of the text's: %q", s, words[index], log)
					}
				}
			}
		}
	})
	if ruledOut < left/4 || left == 0 {
		t.Errorf("%d were ruled out, %d left", ruledOut, left)
	}
}
