package sighting

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"forewarn/internal/token"
)

// copyOf is a copy of a text.
func copyOf(rng *rand.Rand, t Text) (b strings.Builder) {
	for _, p := range t.Parts {
		if p.Token != 0 {
			b.WriteString(p.Token.Encode(rec, rng.Uint64()))
		} else {
			b.Write(p.Alternatives[rng.IntN(len(p.Alternatives))])
		}
	}
	return b
}

// In every run of a copy that holds an anchor, wherever it stands in a text and
// whatever parts its words, two words are met.
func TestPairsInEveryRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	some := func(n int) []byte {
		var b strings.Builder
		for range n {
			b.WriteString(vocabulary[rng.IntN(len(vocabulary))] + " ")
		}
		return []byte(b.String())
	}
	gaps := []string{" ", "\n", ", ", " “", "’", `":"`, " … ", strings.Repeat(".", 70), strings.Repeat("-", MaxGap)}
	least, runs, edged := MinWords, 0, 0
	for range 60 {
		text := Text{Ref: "text"}
		for range 1 + rng.IntN(8) {
			switch rng.IntN(4) {
			case 0:
				text.Parts = append(text.Parts, Part{Token: []token.Alphabet{token.Hex, token.UUID, token.Base62}[rng.IntN(3)]})
			case 1:
				text.Parts = append(text.Parts, Part{Alternatives: [][]byte{some(2), some(3), []byte("-"), []byte("ed ")}})
			}
			text.Parts = append(text.Parts, Part{Alternatives: [][]byte{some(1 + rng.IntN(12))}})
		}
		q := newQuotes([]Text{text}, nil)
		if least = min(least, q.every); len(q.edges.first)+len(q.edges.last) > 0 {
			edged++
		}
		b := copyOf(rng, text)
		words := strings.FieldsFunc(b.String(), func(r rune) bool { return !letter(r) })
		for from := 0; from+MinWords <= len(words); from++ {
			run := words[from:][:MinWords]
			if !anchorable(run) {
				continue
			}
			runs++
			gap := gaps[rng.IntN(len(gaps))]
			quote := strings.Join(run, gap)
			for _, head := range []string{"", "x", "zz yy "} {
				for pad := range 64 {
					log := []byte(head + strings.Repeat(" ", pad) + quote + ". and so on")
					met := 0
					q.meet(log, new(batch), func(g span) {
						met++
						if g.from <= 0 || g.to >= len(log) || g.from >= g.to {
							t.Fatalf("%v of %q", g, log)
						}
					})
					if met == 0 {
						t.Fatalf("nothing is met in %q of\n%q (every %d)", log, b.String(), q.every)
					}
				}
			}
		}
	}
	if least == MinWords-1 || runs < 100 || edged < 5 {
		t.Errorf("%d runs, of texts with at least %d known pairs in a row, %d with edges", runs, least, edged)
	}
}

// Few places of telemetry that quotes nothing are met, and of other prose.
func TestPairsPassLittle(t *testing.T) {
	q := newQuotes([]Text{advisoryText()}, nil)
	var log strings.Builder
	rng := rand.New(rand.NewPCG(5, 6))
	own := wordsOf([]byte(advisory))
	for i := range 20_000 {
		fmt.Fprintf(&log, "%s ", own[rng.IntN(len(own))])
		if i%12 == 0 {
			log.WriteString("\n")
		}
	}
	met := 0
	q.meet([]byte(log.String()), new(batch), func(span) { met++ })
	if met > 2 {
		t.Errorf("%d places of shuffled words are met", met)
	}
}

// A run in which here and there a character is escaped is seen, however far apart its
// words stand: in the text as it is, or around the escapes with these undone.
func TestQuotesWithFewEscapes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields(advisory)
	s := &Scanner{Texts: []Text{advisoryText()}}
	for round := range 3000 {
		n := MinWords + rng.IntN(6)
		from := rng.IntN(len(words) - n)
		often := []float64{0.0005, 0.002, 0.01, 0.1, 1}[rng.IntN(5)]
		wide := []int{1, 20, 80, 200}[rng.IntN(4)]
		var b strings.Builder
		b.WriteString(strings.Repeat("- ", rng.IntN(300)))
		for i, w := range words[from:][:n] {
			if i > 0 {
				w = " " + strings.Repeat(".", rng.IntN(wide)) + w
			}
			for _, c := range w {
				if rng.Float64() < often {
					fmt.Fprintf(&b, []string{`\u%04x`, "%%%02x", "&#x%x;"}[rng.IntN(3)], c)
				} else {
					b.WriteRune(c)
				}
			}
		}
		b.WriteString(strings.Repeat(" -", rng.IntN(300)) + "\n")
		got, _ := scan(t, s, strings.NewReader(b.String()))
		if len(got) != 1 || got[0].What.Quote.Words < len(wordsOf([]byte(strings.Join(words[from:][:n], " ")))) {
			t.Fatalf("round %d: %d sightings in %q", round, len(got), b.String())
		}
	}
}
