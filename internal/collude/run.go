package collude

import (
	"errors"
	"math"
	"runtime"
	"slices"
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
// ErrStopped and what became of those that were done.
func (s Setting) Run(seed uint64, n int, watch func(done int) bool) (Outcome, error) {
	trials, err := s.trials(seed, n, watch)
	return s.outcome(trials), err
}

// Evidence is the best evidence of each of n trials in bits, in rising order:
// log2(copies / least p_adjusted). Had there been so many copies, and such an
// alpha, that log2(copies/alpha) is no more than that, the trial would have
// accused, as far as the number of copies doesn't change who is found; so one
// run says how much evidence there is for every alpha.
func (s Setting) Evidence(seed uint64, n int, watch func(done int) bool) ([]float64, error) {
	trials, err := s.trials(seed, n, watch)
	if err != nil {
		return nil, err
	}
	bits := make([]float64, len(trials))
	for i, t := range trials {
		bits[i] = math.Log2(float64(s.N) / max(t.P, 1e-300))
	}
	slices.Sort(bits)
	return bits, nil
}

// trials gives those that were done, in order.
func (s Setting) trials(seed uint64, n int, watch func(done int) bool) ([]Trial, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	trials, finished := make([]Trial, n), make([]bool, n)
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
				finished[i] = err == nil
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
	var out []Trial
	for i, t := range trials {
		if finished[i] {
			out = append(out, t)
		}
	}
	return out, first
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
