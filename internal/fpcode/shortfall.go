package fpcode

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A tail is computed over shortfalls: by how much each site's score falls
// short of the best that any symbol would earn there. An innocent reaches the
// score s just when the shortfalls of all sites sum to no more than the room
// that s leaves. Shortfalls are never negative, so that whatever exceeds the
// room is out for good, and the few shortfalls of a true match are counted
// without error.

// term is one site's shortfall: at[0] = 0 < at[1] < …, in score units, with the
// law's weights in units of 2⁻³².
type term struct {
	at     []int64
	weight []uint64
}

// newTerm merges symbols of equal score. best is the greatest score.
func newTerm(e Evidence) (t term, best int64) {
	best = slices.Max(e.Score)
	order := make([]int, len(e.Score))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(e.Score[b], e.Score[a]) })
	for _, x := range order {
		d := best - e.Score[x]
		if n := len(t.at); n > 0 && t.at[n-1] == d {
			t.weight[n-1] += e.Law.Weight(x)
			continue
		}
		t.at, t.weight = append(t.at, d), append(t.weight, e.Law.Weight(x))
	}
	return t, best
}

func (t term) p(i int) float64 { return float64(t.weight[i]) / one32 }

// A key puts equal shortfalls side by side, and among them equal laws.
func (t term) key(laws bool) string {
	var b []byte
	for _, d := range t.at {
		b = binary.BigEndian.AppendUint64(b, uint64(d))
	}
	if laws {
		for _, w := range t.weight {
			b = binary.BigEndian.AppendUint64(b, w)
		}
	}
	return string(b)
}

// sumTerms lays out the terms of all sites, equal ones side by side, with the
// greatest and least score that anybody can get. Sites where all symbols earn
// the same have no term.
func sumTerms(ev []Evidence) (terms []term, top, bottom int64) {
	var keyed []keyedTerm
	for _, e := range ev {
		t, best := newTerm(e)
		top += best
		bottom += best - t.at[len(t.at)-1]
		if len(t.at) > 1 {
			keyed = append(keyed, keyedTerm{t.key(true), t})
		}
	}
	slices.SortFunc(keyed, func(a, b keyedTerm) int { return cmp.Compare(a.key, b.key) })
	for _, k := range keyed {
		terms = append(terms, k.term)
	}
	return terms, top, bottom
}

type keyedTerm struct {
	key string
	term
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// grid is the greatest step of which all shortfalls are multiples.
func grid(terms []term) (g int64) {
	for _, t := range terms {
		for _, d := range t.at {
			g = gcd(d, g)
		}
	}
	return g
}
