package collude

import "math"

// minimax is the symmetric strategy at which the specimen tells least of the c
// copies together: it minimises I(Y; X₁…X_c | P) = E_p[h(E θ_K) - E h(θ_K)], K being
// binomial, over θ with θ_k = 1 - θ_{c-k}, for the biases of profile default (Huang
// and Moulin, "On the saddle-point solution and the large-coalition asymptotics of
// fingerprinting games", IEEE Trans. Inf. Forensics Secur. 7, 2012, where the biases
// are the other player's). It is convex in θ, so going along one coordinate
// after another ends at the minimum.
func minimax(c int) strategy {
	theta := make([]float64, c+1)
	for k := range theta {
		theta[k] = float64(k) / float64(c)
	}
	set := func(k int, v float64) { theta[k], theta[c-k] = v, 1-v }
	for range 40 {
		for k := 1; 2*k < c; k++ {
			lo, hi := 0.0, 1.0
			for range 40 {
				a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
				set(k, a)
				ia := told(theta)
				set(k, b)
				if ib := told(theta); ia < ib {
					hi = b
				} else {
					lo = a
				}
			}
			set(k, (lo+hi)/2)
		}
	}
	return by(func(k, _ int) float64 { return theta[k] })(c)
}

// told is I(Y; X₁…X_c | P) in bits for a strategy.
func told(theta []float64) (bits float64) {
	c := len(theta) - 1
	for _, bias := range []struct{ share, p float64 }{{.25, .5}, {.75, .25}} {
		var y, given float64
		b := math.Pow(1-bias.p, float64(c))
		for k, t := range theta {
			y += b * t
			given += b * entropy(t)
			b *= float64(c-k) / float64(k+1) * bias.p / (1 - bias.p)
		}
		bits += bias.share * (entropy(y) - given)
	}
	return bits
}

func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}
