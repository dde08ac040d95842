package fpcode

import "math"

const (
	searchAll  = 2048 // among so many copies partners are searched everywhere
	searchSome = 4096 // else among about so many innocents that look best, or fewer
)

// shortlist picks the copies among which partners are searched, with their
// numbers among all. A copy is on it when it scores highly by itself, under the
// channel of two, four or six copies as estimated without knowing any. How highly is a
// function of the readings and laws (a Gaussian quantile of an innocent's score:
// nothing rests on its being right), so that whether a copy is on the list
// depends on no other copy.
func shortlist(sights []sight, words *codewords) (some *codewords, number []int) {
	if words.n <= searchAll {
		number = make([]int, words.n)
		for i := range number {
			number[i] = i
		}
		return words, number
	}
	f := newField(0, sights, words, words.n)
	t := tabulate(sights, words, nil)
	scores := make([]int32, words.n)
	on := make([]bool, words.n)
	z := math.Sqrt(float64(max(0, 2*(lnUnits(uint64(words.n))-lnUnits(searchSome)))) / ScoreUnit)
	for _, c := range []int{2, 4, 6} {
		h, _ := f.channel(t.cells, 0, c)
		base, weight := f.weights(&h, t, 0, searchGrain)
		mean, variance := float64(base), 0.0
		for i := range sights {
			s := &sights[i]
			for v := range s.cols {
				p := s.law.P(int(s.bit))
				if s.cols > 1 {
					p = s.law.P(v)
				}
				w := float64(weight[s.col+v])
				mean += float64(w * p)
				variance += float64(float64(w*w) * float64(p*(1-p)))
			}
		}
		least := int32(mean + float64(z*math.Sqrt(variance)))
		words.scores(base, weight, scores)
		for i, s := range scores {
			on[i] = on[i] || s >= least
		}
	}
	some = &codewords{words: words.words}
	for i, yes := range on {
		if yes {
			number = append(number, i)
			some.bits = append(some.bits, words.row(i)...)
			some.n++
		}
	}
	return some, number
}
