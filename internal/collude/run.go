package collude

import (
	"errors"
	"math"
	"runtime"
	"sync"

	"forewarn/internal/rate"
)

// ErrStopped: whoever watched said that it is enough.
var ErrStopped = errors.New("stopped")

// Outcome is what became of many trials.
type Outcome struct {
	One   rate.Rate // trials in which at least one of the coalition was accused
	All   rate.Rate // in which all of it was
	Wrong rate.Rate // copies outside the coalition that were accused, of all that were tested

	// Margin is the mean of log10(alpha / least p_adjusted): how far beyond the
	// threshold the best evidence goes.
	Margin float64
}

// Run runs trials 0…n-1 of a seed on all processors. watch, if not nil, is told
// after each how many are done, and says whether to go on; if not, Run ends with
// ErrStopped.
func (s Setting) Run(seed uint64, n int, watch func(done int) bool) (Outcome, error) {
	if err := s.Check(); err != nil {
		return Outcome{}, err
	}
	trials := make([]Trial, n)
	next := make(chan int)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		done  int
		ended bool
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				t, err := s.Try(seed, uint64(i))
				trials[i] = t
				mu.Lock()
				if err != nil && first == nil {
					first = err
				}
				done++
				if watch != nil && !watch(done) && first == nil {
					first = ErrStopped
				}
				ended = first != nil
				mu.Unlock()
			}
		})
	}
	for i := range n {
		mu.Lock()
		stop := ended
		mu.Unlock()
		if stop {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return s.outcome(trials), first
}

func (s Setting) outcome(trials []Trial) (o Outcome) {
	one, all, wrong := 0, 0, 0
	for _, t := range trials {
		if t.Caught > 0 {
			one++
		}
		if t.Caught == s.C {
			all++
		}
		wrong += t.Wrong
		o.Margin += math.Log10(s.alpha()/max(t.P, 1e-300)) / float64(len(trials))
	}
	o.One, o.All = rate.New(one, len(trials)), rate.New(all, len(trials))
	o.Wrong = rate.New(wrong, len(trials)*(s.N-s.C))
	return o
}

// Marks is the least number of marks at which at least goal of the trials
// accuse one of the coalition, by bisection with common seeds between 1 and most;
// most+1 if even that is too few.
func (s Setting) Marks(seed uint64, trials int, goal float64, most int, watch func(m int, o Outcome) bool) (int, error) {
	lo, hi := 0, most+1
	for m := min(most, 64); hi-lo > 1; m = (lo + hi) / 2 {
		if hi == most+1 && lo > 0 {
			m = min(most, 2*lo)
		}
		s.M = m
		o, err := s.Run(seed, trials, nil)
		if err != nil {
			return 0, err
		}
		if watch != nil && !watch(m, o) {
			return 0, ErrStopped
		}
		if o.One.Of() >= goal {
			hi = m
		} else {
			lo = m
		}
	}
	return hi, nil
}
