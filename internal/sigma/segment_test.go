package sigma

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Segments match what the plain walk matches.
func TestSegments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(of []string, n int) string {
		var b strings.Builder
		for range rng.IntN(n) {
			b.WriteString(of[rng.IntN(len(of))])
		}
		return b.String()
	}
	hit := 0
	for range 40_000 {
		p := parsePattern(pick([]string{"a", "b", "–", "?", "*", "?", "ab"}, 12))
		for i := range p {
			if p[i].r == '–' {
				p[i].kind = dash
			}
		}
		if rng.IntN(50) == 0 {
			p = append(append(parsePattern("*"+strings.Repeat("a", 60+rng.IntN(10))), p...), letter{kind: star})
		}
		text := pick([]string{"a", "b", "-", "—", "ö", "\xff", "\xe4\xb8", "ab", strings.Repeat("a", 64)}, 14)
		want := p.match(text)
		if got := p.segments().match(text); got != want {
			t.Fatalf("%v on %q: %v, want %v", p, text, got, want)
		}
		if want {
			hit++
		}
	}
	if hit < 1000 {
		t.Fatalf("only %d of the texts match", hit)
	}
}

// A pattern of marks takes no more than a 64th of its length for each character.
func TestMarksAreNotTheProduct(t *testing.T) {
	match := parsePattern("*" + strings.Repeat("a", 2000) + "?b*").matcher()
	text := strings.Repeat("a", 1_000_000)
	began := time.Now()
	if match(text) || !match(text+"xb") {
		t.Error("it matches wrongly")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}
