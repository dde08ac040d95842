package collude

// Need is how many marks a setting takes, as far as it was found out.
type Need struct {
	Enough  int // the least number that was seen to be enough; 0: none was
	Known   Outcome
	TooFew  int // the greatest number that was seen not to be; 0: none was
	Missing Outcome
}

// Marks looks for the least number of marks, up to most, at which at least goal of
// the trials accuse one of the coalition, by bisection with common seeds. watch, if
// not nil, is told how many trials with so many marks are done, and says whether
// to go on; if not, Marks ends with ErrStopped and with what is known so far.
//
// More marks are taken never to be worse, which with few trials they may be by
// chance; the two outcomes stand with their intervals.
func (s Setting) Marks(seed uint64, trials int, goal float64, most int, watch func(marks, done int) bool) (n Need, err error) {
	hi := most + 1
	for m := min(most, 64); hi-n.TooFew > 1; m = (n.TooFew + hi) / 2 {
		if hi == most+1 && n.TooFew > 0 {
			m = min(most, 2*n.TooFew)
		}
		s.M = m
		o, err := s.Run(seed, trials, func(done int) bool { return watch == nil || watch(m, done) })
		if err != nil {
			return n, err
		}
		if o.One.Of() >= goal {
			hi, n.Enough, n.Known = m, m, o
		} else {
			n.TooFew, n.Missing = m, o
		}
	}
	return n, nil
}
