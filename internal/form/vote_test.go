package form

import (
	"math/rand/v2"
	"slices"
	"testing"

	"forewarn/internal/fpcode"
)

// TestVote: two reads of one site are one reading.
func TestVote(t *testing.T) {
	hard := func(x uint8) finding { return finding{verdict: verdict{state: fpcode.Value, symbol: x}} }
	soft := func(nats ...uint8) finding { return finding{verdict: verdict{state: fpcode.Value, nats: nats}} }
	other := finding{verdict: verdict{state: fpcode.Other}}
	for _, c := range []struct {
		name  string
		found []finding
		want  string
	}{
		{"nothing", nil, "nothing"},
		{"one clear", []finding{hard(1)}, "symbol 1"},
		{"two that agree", []finding{hard(1), hard(1)}, "symbol 1"},
		{"two that don't", []finding{hard(1), hard(2)}, "something else"},
		{"clear and other", []finding{hard(1), other}, "symbol 1"},
		{"other", []finding{other}, "something else"},
		{"soft", []finding{soft(3, 0, 5)}, "symbol 1 by 3 nats"},
		{"soft and other", []finding{other, soft(3, 0, 5)}, "symbol 1 by 3 nats"},
		{"a mirror adds nothing", []finding{soft(3, 0, 5), soft(3, 0, 5)}, "symbol 1 by 3 nats"},
		{"agreeing, the sharper stands", []finding{soft(1, 0, 1), soft(3, 0, 5)}, "symbol 1 by 3 nats"},
		{"a tie agrees with both", []finding{soft(0, 0, 5), soft(4, 0, 4)}, "symbol 1 by 4 nats"},
		{"clear and soft that agree", []finding{soft(2, 0, 2), hard(1)}, "symbol 1"},
		{"clear and soft that don't", []finding{soft(0, 4, 4), hard(1)}, "symbol 0 by 0 nats"},
		{"soft that don't agree", []finding{soft(0, 2, 5), soft(4, 0, 5)}, "symbol 0 by 0 nats"},
		{"contradiction that leaves nothing", []finding{soft(0, 2, 0), soft(2, 0, 2)}, "something else"},
		{"clear against clear, and soft", []finding{hard(0), hard(1), soft(0, 3, 3)}, "something else"},
	} {
		dice := rand.New(rand.NewPCG(1, 2))
		for range 4 {
			dice.Shuffle(len(c.found), func(i, j int) { c.found[i], c.found[j] = c.found[j], c.found[i] })
			var v vote
			for _, f := range c.found {
				v.add(f, nil)
			}
			s := SiteReading{Reading: fpcode.Reading{Class: fpcode.ClassProse, Q: 3}}
			v.decide(&s)
			if s.describe() != c.want {
				t.Errorf("%s: %s, want %s", c.name, s.describe(), c.want)
			}
			if err := s.Check(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// The table is 65535·e⁻ⁿ, and its numbers tell nats apart.
func TestLikelihoods(t *testing.T) {
	nats := []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}
	want := []uint16{65535, 24109, 8869, 3263, 1200, 442, 162, 60, 22, 8, 3, 3}
	if got := likelihoods(nats); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for n := range uint8(natsMost) + 1 {
		s := SiteReading{Reading: fpcode.Reading{State: fpcode.Value, Likelihood: likelihoods([]uint8{n, 0})}}
		if x, d := s.Likeliest(); d != int(n) || n > 0 && x != 1 {
			t.Errorf("%d nats read as symbol %d by %d", n, x, d)
		}
	}
}
