package fpcode

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// EProcess is the version of the accumulation of evidence over cases: grid,
// weights, cap, and the order in which cases count.
const EProcess = "eprocess/1"

// Wealth is what one holder's evidence has come to over all cases so far: an
// e-process. Each case multiplies it by a bet on the likelihood ratio LR of that
// case, "derives from this holder's copy" against "doesn't":
//
//	E = Σ_λ w_λ · Π_cases (1 − λ + λ·LR_case)
//
// For an innocent holder each LR has expectation 1 at most, given all that came
// before: scores are rounded down, and codewords of different packages, or of
// different sites, are independent. So E is a nonnegative supermartingale that
// begins at 1, and the probability that it ever reaches c is 1/c at most,
// however many cases there are and whenever one looks (Ville, Étude critique de la
// notion de collectif, 1939). Betting on a mixture of λ needs no guess of how
// often a holder leaks (Waudby-Smith and Ramdas, JRSS B 86, 2024; a fixed λ with a
// fixed number of cases is Wald's sequential test, 1945).
//
// The mixture stands outside of the product. Inside, Σ w_λ(1 − λ + λ·LR) would be
// the one bet λ̄ = Σ w_λ·λ: the grid would do nothing.
//
// LR counts up to e¹⁴ ≈ 1.2·10⁶: at the thresholds of 2·10⁶ and more that an α_E of
// 10⁻⁶ gives, no single case, and no single error in the process of one, is
// enough. Nor does any case take E below an eighth of what it was: no bet loses
// more than 1 − λ.
//
// Logarithms are carried in units of 2⁻³² nat and always rounded down. The zero
// Wealth is E = 1, before any case.
type Wealth struct {
	log [len(bets)]int64 // of Π (1 − λ + λ·LR), for each λ
}

// bets are λ in units of 2⁻⁶ and w_λ as 2⁻ʷ; the w_λ add up to 1. With LR great
// where a holder leaked and near 0 where not, the best λ is about the share of
// cases that the holder leaked in: hence a geometric grid.
var bets = [...]struct {
	lambda uint64 // 64ths
	weight int64  // halvings
}{{1, 3}, {4, 3}, {16, 2}, {32, 2}, {56, 2}}

const (
	logUnit = 32 // Wealth is in 2⁻³² nat
	// capScore is the greatest score that counts, 14 nat.
	capScore = 14 * ScoreUnit
	// noScore is below what any case can give: its LR counts as 0.
	noScore = -64 * ScoreUnit
	// e¹⁴·2⁴⁰, less 2⁻⁴⁴ of itself: more than expNeg and a product can be off.
	capLR = 1.202604284164776777749236770767859e6 * (1 << 40) * (1 - 1.0/(1<<44))
)

// Worst is the score of a case that counts and whose score is not known: LR = 0,
// as bad for the accusation as any case can be.
const Worst = math.MinInt64

// Add counts one case, by the holder's score in it: in units of 2⁻¹⁶ nat, over sites
// that were not counted before (NewSites). eprocess/1 takes the score of single/1,
// whatever decoder the case itself is decoded by: its ratio has expectation 1 at
// most under any profile, and needs no other copy to be opened beside this one.
func (w *Wealth) Add(score int64) {
	var lr uint64 // 2⁻⁴⁰, rounded down
	if score > noScore {
		x := float64(capScore-min(score, capScore)) / ScoreUnit
		lr = uint64(float64(expNeg(x) * capLR))
	}
	for i, b := range bets {
		// (1−λ)·2⁴⁰ is whole; λ·LR is rounded down. Below 2⁶¹.
		hi, lo := bits.Mul64(lr, b.lambda)
		f := (64-b.lambda)<<34 + (hi<<58 | lo>>6)
		w.log[i] += lnDown(f, 40)
	}
}

// lnDown is ln(v·2⁻ˢ) in units of 2⁻³² nat, rounded down by 1 to 2 units: lnFixed
// is good to some 2⁻⁵⁴.
func lnDown(v uint64, s int64) int64 {
	l := lnFixed(0, v)>>(lnUnit-logUnit) - 1
	return l - ln2Up(s)
}

// ln2Up is n·ln 2 in units of 2⁻³² nat, rounded up; n is in [0, 2³⁰).
func ln2Up(n int64) int64 {
	h, l := bits.Mul64(uint64(n), ln2Frac)
	return int64(h<<logUnit|l>>(64-logUnit)) + 1
}

// Log is ln E in units of 2⁻³² nat, rounded down.
func (w Wealth) Log() int64 {
	var at [len(bets)]int64
	top := int64(math.MinInt64)
	for i, b := range bets {
		at[i] = w.log[i] - ln2Up(b.weight)
		top = max(top, at[i])
	}
	sum := 0.0 // in [1, 5]
	for _, l := range at {
		sum += expNeg(float64(top-l) / (1 << logUnit))
	}
	return top + lnDown(uint64(float64(sum*(1<<50)))-1, 50)
}

// Reaches reports whether E has reached weight/alpha: whether the holder is
// accused by all cases together at alpha·10⁻¹², where Σ 1/weight ≤ 1 over all
// holders. Weight and alpha are at least 1.
func (w Wealth) Reaches(weight, alphaPico uint64) bool {
	if weight == 0 || alphaPico == 0 {
		return false
	}
	hi, lo := bits.Mul64(weight, 1e12)
	need := lnFixed(hi, lo)>>(lnUnit-logUnit) + 2 - lnFixed(0, alphaPico)>>(lnUnit-logUnit)
	return w.Log() >= need
}

// AdmissionWeight is the weight of the i-th holder in the order of admission, i ≥ 1:
// i(i+1). Σ 1/(i(i+1)) = 1, so that any number of holders together are falsely
// accused with probability α_E at most, and nobody's admission changes the
// threshold of anybody before. Of anything below 1 it is 0, which is never
// reached.
func AdmissionWeight(i int) uint64 {
	if i < 1 {
		return 0
	}
	return uint64(i) * (uint64(i) + 1)
}

// RoundDown2 prints e^(log·2⁻³²), the E of Log, in two significant digits and
// never greater than it is: "2.3e+08".
func RoundDown2(log int64) string {
	const ten = 9889527670 // ln 10 = 9889527670.92… units; the remainder is added below
	n := log / ten
	if log < n*ten {
		n--
	}
	// n·0.922 units more, against E in either direction.
	rest := log - n*ten - n*923/1000 - 1
	for rest < 0 {
		n, rest = n-1, rest+ten
	}
	for rest >= ten {
		n, rest = n+1, rest-ten-1
	}
	digits := int(float64(100 * float64(expNeg(float64(ten-rest)/(1<<logUnit))*(1-1e-9))))
	if digits < 10 {
		n, digits = n-1, 99
	}
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	exp := fmt.Sprint(n)
	return fmt.Sprintf("%d.%de%s%s", digits/10, digits%10, sign, strings.Repeat("0", max(0, 2-len(exp)))+exp)
}

// Threshold is weight/alpha, the E at which a holder is accused, in two digits
// rounded up.
func Threshold(weight, alphaPico uint64) string {
	return RoundUp2(float64(weight) / float64(alphaPico) * 1e12)
}

// NewSites keeps of each set of readings of one package the sites that no set
// before it has used; sets are in the order in which they were frozen. The same text
// found twice so counts once: an innocent's symbols at the sites of a set are
// independent of everything that the earlier ones told. used says whether a
// reading was evidence to the decoder; nil is for those to which only values
// are (single/1).
func NewSites(sets [][]Reading, used func(Reading) bool) [][]Reading {
	if used == nil {
		used = func(r Reading) bool { return r.State == Value }
	}
	had := map[SiteID]bool{}
	out := make([][]Reading, len(sets))
	for i, set := range sets {
		for _, r := range set {
			if !had[r.Site] {
				out[i] = append(out[i], r)
			}
		}
		for _, r := range out[i] {
			had[r.Site] = had[r.Site] || used(r)
		}
	}
	return out
}
