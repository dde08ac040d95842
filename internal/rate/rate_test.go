package rate

import (
	"math"
	"testing"
)

func TestExact(t *testing.T) {
	// Published values: 0 of 10 gives [0, .3085], 5 of 10 [.1871, .8129],
	// 10 of 100 [.0490, .1762].
	for _, c := range []struct {
		k, n   int
		lo, hi float64
	}{{0, 10, 0, .3085}, {5, 10, .1871, .8129}, {10, 100, .0490, .1762}} {
		if lo, hi := Exact(c.k, c.n, .05); math.Abs(lo-c.lo) > 5e-5 || math.Abs(hi-c.hi) > 5e-5 {
			t.Errorf("%d of %d: [%.4f, %.4f], want [%.4f, %.4f]", c.k, c.n, lo, hi, c.lo, c.hi)
		}
	}
}
