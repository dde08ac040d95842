package collude

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
)

// Found is what Search came to.
type Found struct {
	Attack
	First, Erased, Other []float64 // as Strategy takes them
	Margin               float64   // Outcome.Margin on the search's own trials: better than it is, being the least of many
	Evaluations          int
}

// Search looks for the symmetric strategy that leaves the decoder the least, at
// s.M marks and s.C ≥ 2 copies: the one with the least mean margin over the same
// trials for all. s.Attack is not used. What it finds is to be judged by trials of
// another seed: it is the best of many on these. Unless deleting, it only looks at
// strategies by which each mark shows what one of the copies has there.
//
// It is an evolution strategy with weighted recombination of the better half and
// one step length that follows how many succeed (Rechenberg's fifth; see Beyer and
// Schwefel, Natural Computing 1, 2002), over numbers whose logistic function are
// probabilities. It begins at the listed attack that leaves the least. watch, if
// not nil, is told what is best after each evaluation; if it says to stop, Search
// ends with ErrStopped and that.
func (s Setting) Search(deleting bool, seed uint64, trials, evaluations int, watch func(Found) bool) (best Found, err error) {
	if s.C < 2 {
		return best, errors.New("one copy has nothing to be merged with: a strategy takes two or more")
	}
	best.Margin = math.Inf(1)
	done := 0
	evaluate := func(f Found) (Found, error) {
		s.Attack = f.Attack
		o, err := s.Run(seed, trials, nil)
		if err != nil {
			return f, err
		}
		done++
		f.Margin = o.Margin
		if f.Margin < best.Margin {
			best = f
		}
		best.Evaluations = done
		if watch != nil && !watch(best) {
			return f, ErrStopped
		}
		return f, nil
	}
	start := Found{}
	for _, a := range attacks {
		if a.play == nil || !symmetric(a.play(s.C)) || !deleting && deletes(a.play(s.C)) {
			continue
		}
		f := strategyOf(a.play(s.C))
		f.Attack = Strategy("searched", f.First, f.Erased, f.Other)
		if f, err = evaluate(f); err != nil {
			return best, err
		}
		if start.Attack.play == nil || f.Margin < start.Margin {
			start = f
		}
	}
	rng := rand.New(rand.NewPCG(seed, 0x5ea7c4))
	mean, margin, step := start.coordinates(s.C, deleting), start.Margin, 1.0
	n := len(mean)
	if n == 0 {
		return best, nil // two copies that differ, and a coin
	}
	lambda := 4 + 2*int(math.Log2(float64(n)+1))
	type child struct {
		at     []float64
		margin float64
	}
	for done < evaluations {
		var brood []child
		better := 0
		for range lambda {
			at := slices.Clone(mean)
			for i := range at {
				at[i] = min(reach, max(-reach, at[i]+step*rng.NormFloat64()))
			}
			f, err := evaluate(foundAt(at, s.C, deleting))
			if err != nil {
				return best, err
			}
			brood = append(brood, child{at, f.Margin})
			if f.Margin < margin {
				better++
			}
		}
		slices.SortStableFunc(brood, func(a, b child) int { return cmp.Compare(a.margin, b.margin) })
		half := brood[:lambda/2]
		next, sum := make([]float64, n), 0.0
		for k, c := range half {
			w := math.Log(float64(lambda)/2+.5) - math.Log(float64(k)+1)
			sum += w
			for i := range next {
				next[i] += w * c.at[i]
			}
		}
		for i := range next {
			next[i] /= sum
		}
		// Towards the mean of the better half if it is in the right direction; the
		// best point stays the centre when nothing was better.
		if better > 0 {
			mean = next
			margin = half[len(half)/2].margin
		} else {
			mean, margin = best.coordinates(s.C, deleting), best.Margin
		}
		step *= math.Exp(.6 * (float64(better)/float64(lambda) - .2))
		step = min(2, max(.05, step))
	}
	return best, nil
}

// reach is how far coordinates go: probabilities between 0.2 and 99.8 %.
const reach = 6

func symmetric(p strategy) bool {
	c := len(p.first) - 1
	for k := range p.first {
		held := 1 - p.erased[k] - p.other[k]
		if math.Abs(p.first[k]+p.first[c-k]-held) > 1e-9 || p.erased[k] != p.erased[c-k] || p.other[k] != p.other[c-k] {
			return false
		}
	}
	return true
}

func deletes(p strategy) bool {
	gone := func(x float64) bool { return x > 0 }
	return slices.ContainsFunc(p.erased, gone) || slices.ContainsFunc(p.other, gone)
}

// strategyOf gives the numbers of a symmetric strategy.
func strategyOf(p strategy) (f Found) {
	c := len(p.first) - 1
	for k := 1; 2*k <= c; k++ {
		first, held := .5, 1-p.erased[k]-p.other[k]
		if held > 0 {
			first = p.first[k] / held
		}
		f.First, f.Erased, f.Other = append(f.First, first), append(f.Erased, p.erased[k]), append(f.Other, p.other[k])
	}
	return f
}

func logit(p float64) float64 {
	p = min(1-1e-9, max(1e-9, p))
	return min(reach, max(-reach, math.Log(p/(1-p))))
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// coordinates of a strategy: how often nothing stands where copies differ, how
// often, of the rest, something else does, and how often, of that rest, the first
// alternative; where as many copies show one as the other, that is a coin's.
func (f Found) coordinates(c int, deleting bool) (at []float64) {
	for i := range f.First {
		if e, o := f.Erased[i], f.Other[i]; deleting {
			at = append(at, logit(e), logit(o/max(1e-9, 1-e)))
		}
		if 2*(i+1) != c {
			at = append(at, logit(f.First[i]))
		}
	}
	return at
}

func foundAt(at []float64, c int, deleting bool) (f Found) {
	for k := 1; 2*k <= c; k++ {
		e, o, first := 0., 0., .5
		if deleting {
			e = logistic(at[0])
			o, at = (1-e)*logistic(at[1]), at[2:]
		}
		f.Erased, f.Other = append(f.Erased, e), append(f.Other, o)
		if 2*k != c {
			first, at = logistic(at[0]), at[1:]
		}
		f.First = append(f.First, first)
	}
	f.Attack = Strategy("searched", f.First, f.Erased, f.Other)
	return f
}
