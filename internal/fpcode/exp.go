package fpcode

import "math"

// expNeg is e⁻ˣ for 0 ≤ x, to about 10⁻¹⁵ of itself, and the same on every
// machine: Taylor's series after the binary exponent is split off, each step
// rounded by itself.
func expNeg(x float64) float64 {
	m, e := expNegSplit(x)
	return math.Ldexp(m, e)
}

// expNegSplit is expNeg as m·2ᵉ with m in about [½, 1], which cannot underflow.
func expNegSplit(x float64) (m float64, e int) {
	const (
		log2e = 1.44269504088896340735992468100189214
		ln2Hi = 6.93147180369123816490e-01 // 33 bits, so that k·ln2Hi is exact
		ln2Lo = 1.90821492927058770002e-10
	)
	if x > 1<<20 { // e⁻ˣ is below 2⁻¹⁵⁰⁰⁰⁰⁰: nothing, whatever it is multiplied by
		return 0, 0
	}
	k := math.Floor(float64(x * log2e))
	r := float64(x-float64(k*ln2Hi)) - float64(k*ln2Lo)
	m = 1
	for n := 20.0; n >= 1; n-- {
		m = 1 - float64(float64(r*m)/n)
	}
	return m, -int(k)
}
