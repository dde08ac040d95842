package fpcode

import (
	"math"
	"strconv"
)

// Floor is the least probability that is ever stated. Smaller ones are given as
// Floor, which is on the safe side.
const Floor = 1e-300

// Consistent reports whether three ways of computing one probability agree:
// |estimate/sampled - 1| ≤ max(5 %, 6 s.e. of the sampled, relative), and upper
// no lower than sampled by 6 s.e. Without that there is no accusation. They
// check the arithmetic, not the assumptions. A standard error above a twelfth
// of the probability fails too: a check that passes everything is none.
func Consistent(upper, estimate, sampled, se float64) bool {
	if !(sampled > 0 && se >= 0 && estimate > 0 && upper > 0 && upper <= 1) || !(float64(12*se) <= sampled) {
		return false
	}
	off := math.Abs(estimate - sampled)
	six := float64(6 * se)
	return off <= max(float64(0.05*sampled), six) && upper >= sampled-six
}

// Spend is what the k-th decoding of a package pays, k ≥ 1: its probabilities
// are multiplied by k(k+1). Since Σ 1/(k(k+1)) = 1, the false accusations of
// any number of decodings add up to no more than α. Spend of anything below 1
// is infinite.
func Spend(k int) float64 {
	if k < 1 {
		return math.Inf(1)
	}
	return float64(k) * (float64(k) + 1)
}

// SpendFirst is Spend for decoder joint/1, which leaves three quarters of α to
// the first decoding of a package: 4/3, then 4k(k-1). Σ 1/SpendFirst(k) is
// ¾ + ¼·Σ 1/(k(k-1)) = 1 too. Most packages are decoded once.
func SpendFirst(k int) float64 {
	switch {
	case k < 1:
		return math.Inf(1)
	case k == 1:
		return 4.0 / 3
	}
	return float64(4*float64(k)) * (float64(k) - 1)
}

// Adjust makes p family-wise, over all copies that were ever issued and all
// decodings of the package: min(1, copies·Spend(run)·p). Nonsense gives 1.
func Adjust(p float64, copies, run int) float64 { return adjust(p, copies, run, Spend) }

func adjust(p float64, copies, run int, spend func(int) float64) float64 {
	if !(p >= 0) || copies < 1 || run < 1 {
		return 1
	}
	return min(1, float64(float64(copies)*spend(run))*p)
}

// RoundUp2 prints a probability in two significant digits, never smaller than
// it is: "3.7e-09". strconv.ParseFloat reads it.
func RoundUp2(p float64) string {
	s := strconv.FormatFloat(p, 'e', 1, 64)
	if v, err := strconv.ParseFloat(s, 64); err != nil || !(v < p) {
		return s
	}
	// One more in the second digit, by way of the digits themselves.
	digits, exp := int(s[0]-'0')*10+int(s[2]-'0')+1, s[3:]
	v, err := strconv.ParseFloat(strconv.Itoa(digits)+exp, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(v/10, 'e', 1, 64)
}
