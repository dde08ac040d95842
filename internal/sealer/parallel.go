package sealer

import (
	"context"
	"runtime"
)

// parallel runs make for 0 ≤ i < n on all processors and hands the results to
// take in order, one at a time. At most a few results per processor wait. The
// first error ends it.
func parallel[T any](ctx context.Context, n int, make_ func(int) (T, error), take func(int, T) error) error {
	type result struct {
		v   T
		err error
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	queue := make(chan chan result, 4*runtime.GOMAXPROCS(0))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	go func() {
		defer close(queue)
		for i := range n {
			done := make(chan result, 1)
			select {
			case queue <- done:
			case <-ctx.Done():
				return
			}
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				v, err := make_(i)
				done <- result{v, err}
			}()
		}
	}()
	i := 0
	for done := range queue {
		r := <-done
		if r.err != nil {
			return r.err
		}
		if err := take(i, r.v); err != nil {
			return err
		}
		i++
	}
	return context.Cause(ctx)
}
