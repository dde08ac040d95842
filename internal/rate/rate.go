// Package rate says how sure a measured rate is. Every rate that this project
// prints stands with such an interval.
//
// Do not use it for trials that aren't independent: sites of one text, copies held
// against one specimen.
package rate

import "math"

// Rate is k of n, with the interval that misses the true rate once in twenty.
type Rate struct {
	K  int     `json:"k"`
	N  int     `json:"n"`
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// New is k of n.
func New(k, n int) Rate {
	lo, hi := Exact(k, n, .05)
	return Rate{k, n, lo, hi}
}

// Of is k/n; 0 of nothing.
func (r Rate) Of() float64 {
	if r.N == 0 {
		return 0
	}
	return float64(r.K) / float64(r.N)
}

// Exact is the interval of a rate of which k of n trials came out, that misses it
// with probability level at most (Clopper and Pearson, Biometrika 26, 1934). k is
// in [0, n]; of nothing at all it is [0, 1].
func Exact(k, n int, level float64) (lo, hi float64) {
	solve := func(f func(p float64) bool) float64 { // the p where f turns true
		lo, hi := 0.0, 1.0
		for range 100 {
			if mid := (lo + hi) / 2; f(mid) {
				hi = mid
			} else {
				lo = mid
			}
		}
		return hi
	}
	lo, hi = 0, 1
	if k > 0 {
		lo = solve(func(p float64) bool { return AtLeast(k, n, p) > level/2 })
	}
	if k < n {
		hi = solve(func(p float64) bool { return 1-AtLeast(k+1, n, p) < level/2 })
	}
	return lo, hi
}

// AtLeast is P(Binomial(n, p) ≥ k), summed from its greatest term outwards.
func AtLeast(k, n int, p float64) float64 {
	if k <= 0 || p >= 1 {
		return 1
	}
	if p <= 0 {
		return 0
	}
	logTerm := func(j int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(j + 1))
		c, _ := math.Lgamma(float64(n - j + 1))
		return a - b - c + float64(j)*math.Log(p) + float64(n-j)*math.Log1p(-p)
	}
	odds := p / (1 - p)
	if float64(k) > float64(n)*p {
		term, sum := math.Exp(logTerm(k)), 0.0
		for j := k; j <= n && term > sum*1e-17; j++ {
			sum += term
			term *= float64(n-j) / float64(j+1) * odds
		}
		return sum
	}
	term, sum := math.Exp(logTerm(k-1)), 0.0
	for j := k - 1; j >= 0 && term > sum*1e-17; j-- {
		sum += term
		term *= float64(j) / float64(n-j+1) / odds
	}
	return 1 - sum
}
