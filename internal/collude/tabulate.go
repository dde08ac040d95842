package collude

import (
	"cmp"
	"slices"
)

// Line is what some marks are worth against a coalition that does its worst: how
// much evidence the best accusation rests on, in bits, in the worst and better
// trials.
type Line struct {
	C, M    int
	Bits    []float64 // by Shares
	Attacks []string  // that were tried with all trials; each number is the least of theirs
}

// Shares are the shares of trials by which a Line's numbers are given: in so
// many there is less evidence.
var Shares = []float64{.01, .025, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95}

// Tabulate measures what grid's numbers of marks are worth in a setting. First all
// attacks by strategy are tried at the middle of the grid with a few trials; the
// two with the least evidence then with all of them. Stretches from one copy each
// are never among the worst, and aren't tried.
func (s Setting) Tabulate(seed uint64, trials int, grid []int, watch func() bool) ([]Line, error) {
	more := func(int) bool { return watch == nil || watch() }
	type tried struct {
		Attack
		bits float64
	}
	var worst []tried
	s.M = grid[len(grid)/2]
	for _, a := range attacks {
		if a.play == nil {
			continue
		}
		s.Attack = a
		bits, err := s.Evidence(seed+1, screening, more)
		if err != nil {
			return nil, err
		}
		worst = append(worst, tried{a, bits[len(bits)/2]})
		if s.C == 1 {
			break // all attacks of one copy are that copy
		}
	}
	slices.SortStableFunc(worst, func(a, b tried) int { return cmp.Compare(a.bits, b.bits) })
	worst = worst[:min(2, len(worst))]
	var out []Line
	for _, s.M = range grid {
		l := Line{C: s.C, M: s.M}
		for i, a := range worst {
			s.Attack = a.Attack
			bits, err := s.Evidence(seed, trials, more)
			if err != nil {
				return nil, err
			}
			l.Attacks = append(l.Attacks, a.Name)
			for k, share := range Shares {
				b := bits[int(share*float64(len(bits)))]
				if i == 0 {
					l.Bits = append(l.Bits, b)
				}
				l.Bits[k] = min(l.Bits[k], b)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

const screening = 16 // trials of each attack

// Grid is a sensible row of numbers of marks for c colluders, 1 to 6: from those
// that say next to nothing to those that name one in a million.
func Grid(c int) []int {
	return grids[c]
}

var grids = map[int][]int{
	1: {8, 16, 24, 32, 48, 64, 96},
	2: {30, 60, 90, 130, 180, 260},
	3: {60, 130, 200, 300, 480},
	4: {120, 230, 350, 520, 780},
	5: {180, 370, 560, 800, 1150},
	6: {250, 500, 800, 1200, 1700},
}
