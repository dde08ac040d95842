package collude

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"forewarn/internal/fpcode"
)

// An Attack is how a coalition makes one specimen of its copies. It sees its own
// copies' alternatives and nothing else: no symbol's number, no bias, no key. At a
// site where all agree it can put only that (the marking assumption), or nothing.
type Attack struct {
	Name string
	What string // in one sentence

	// Strategy of a site with two alternatives by how many of c copies show the one
	// that the author wrote first; nil: as share.
	play func(c int) strategy
	// share is by whose copy a site goes, where whole stretches are taken from one
	// copy each; nil: by play.
	share func(t *copies, site int) int
}

// strategy gives, for k = 0…c copies that show the first alternative, the
// probabilities that it stands in the specimen, that nothing does, and that
// something else does. What is left is the second alternative.
type strategy struct{ first, erased, other []float64 }

// Attacks are all attacks by name, in the order of the documentation.
func Attacks() []Attack { return attacks }

// Find finds an attack by name.
func Find(name string) (Attack, error) {
	var names []string
	for _, a := range attacks {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Attack{}, fmt.Errorf("%q is not an attack; this version knows %s", name, strings.Join(names, ", "))
}

func by(first func(k, c int) float64) func(c int) strategy {
	return func(c int) strategy {
		s := strategy{make([]float64, c+1), make([]float64, c+1), make([]float64, c+1)}
		for k := range s.first {
			switch k {
			case 0:
			case c:
				s.first[k] = 1
			default:
				s.first[k] = first(k, c)
			}
		}
		return s
	}
}

func where(mixed bool, erased, other float64) func(c int) strategy {
	return func(c int) strategy {
		s := by(func(k, c int) float64 { return float64(k) / float64(c) * (1 - erased - other) })(c)
		for k := 1; k < c; k++ {
			s.erased[k], s.other[k] = erased, other
		}
		return s
	}
}

func half(k, c int) float64 { return .5 }

var attacks = []Attack{
	{Name: "interleaving", What: "each site from a copy drawn by lot", play: by(func(k, c int) float64 { return float64(k) / float64(c) })},
	{Name: "majority", What: "what most copies show", play: by(func(k, c int) float64 { return compare(2*k, c) })},
	{Name: "minority", What: "what fewest copies show", play: by(func(k, c int) float64 { return compare(c, 2*k) })},
	{Name: "all-0", What: "the alternative written second, wherever one copy has it", play: by(func(k, c int) float64 { return 0 })},
	{Name: "all-1", What: "the alternative written first, wherever one copy has it", play: by(func(k, c int) float64 { return 1 })},
	{Name: "coin-flip", What: "wherever copies differ, a coin decides", play: by(half)},
	{Name: "minimax", What: "what tells least of all copies together, for the biases of profile default", play: minimax},
	{Name: "delete", What: "nothing wherever copies differ", play: where(true, 1, 0)},
	{Name: "half-delete", What: "nothing at half of the sites where copies differ, else by lot", play: where(true, .5, 0)},
	{Name: "third-value", What: "something of their own wherever copies differ", play: where(true, 0, 1)},
	{Name: "unequal", What: "seven sites in ten from one copy, the rest by lot from the others", share: func(t *copies, _ int) int {
		if t.c == 1 || t.rng.Float64() < .7 {
			return 0
		}
		return 1 + t.rng.IntN(t.c-1)
	}},
	{Name: "sentences", What: "stretches of four sites, each from a copy drawn by lot", share: func(t *copies, site int) int {
		if site%4 == 0 || t.from < 0 {
			t.from = t.rng.IntN(t.c)
		}
		return t.from
	}},
	{Name: "carrier-split", What: "each class of carriers from another copy", share: func(t *copies, site int) int {
		return int(t.class(site)) % t.c
	}},
}

func compare(a, b int) float64 {
	switch {
	case a > b:
		return 1
	case a < b:
		return 0
	}
	return .5
}

// Strategy is an attack by its numbers: first, erased and other by how many of c
// copies show the first alternative, for k = 1…⌊c/2⌋; the rest follows by symmetry
// (a coalition can't tell which alternative was written first from which was
// second but by reading, and labels are permuted). Numbers are clipped to
// probabilities.
func Strategy(name string, first, erased, other []float64) Attack {
	return Attack{Name: name, What: "by its numbers", play: func(c int) strategy {
		s := by(half)(c)
		at := func(v []float64, i int) float64 {
			if i < len(v) {
				return min(1, max(0, v[i]))
			}
			return 0
		}
		for k := 1; 2*k <= c; k++ {
			e, o := at(erased, k-1), at(other, k-1)
			if e+o > 1 {
				e, o = e/(e+o), o/(e+o)
			}
			f := at(first, k-1)
			if 2*k == c {
				f = .5
			}
			s.first[k], s.first[c-k] = f*(1-e-o), (1-f)*(1-e-o)
			s.erased[k], s.erased[c-k] = e, e
			s.other[k], s.other[c-k] = o, o
		}
		return s
	}}
}

// copies are a coalition's, at one trial.
type copies struct {
	c     int
	rng   *rand.Rand
	from  int // the copy that a stretch comes from
	class func(site int) fpcode.Class
}
