package fpcode

import (
	"math"
	"regexp"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestConsistent(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name                         string
		upper, estimate, sampled, se float64
		want                         bool
	}{
		{"alike", 1e-9, 1e-9, 1e-9, 0, true},
		{"off by 4 %", 1e-9, 1.04e-9, 1e-9, 0, true},
		{"off by 6 %", 1.1e-9, 1.06e-9, 1e-9, 0, false},
		{"off by 6 %, within 6 s.e.", 1.1e-9, 1.06e-9, 1e-9, 2e-11, true},
		{"estimate too low", 1e-9, .9e-9, 1e-9, 0, false},
		{"upper below sampled", .97e-9, .97e-9, 1e-9, 0, false},
		{"upper below sampled, within 6 s.e.", .97e-9, .97e-9, 1e-9, 1e-11, true},
		{"standard error too great to check anything", 1e-9, 1e-9, 1e-9, 1e-10, false},
		{"floor", Floor, Floor, Floor, 0, true},
		{"nothing sampled", 1e-9, 1e-9, 0, 0, false},
		{"NaN estimate", 1e-9, nan, 1e-9, 0, false},
		{"NaN s.e.", 1e-9, 1e-9, 1e-9, nan, false},
		{"infinite s.e.", 1e-9, 1e-9, 1e-9, inf, false},
		{"NaN upper", nan, 1e-9, 1e-9, 0, false},
		{"upper above 1", 1.1, 1, 1, 0, false},
		{"all zero", 0, 0, 0, 0, false},
	} {
		if got := Consistent(c.upper, c.estimate, c.sampled, c.se); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestSpendAddsUpToOne(t *testing.T) {
	var sum float64
	for k := 1; k <= 1_000_000; k++ {
		sum += 1 / Spend(k)
	}
	if sum > 1 || sum < .999 {
		t.Errorf("Σ 1/Spend = %g", sum)
	}
	for _, k := range []int{0, -1, math.MinInt} {
		if !math.IsInf(Spend(k), 1) {
			t.Errorf("run %d spends %g", k, Spend(k))
		}
	}
	if !(Spend(math.MaxInt) > 1e37) {
		t.Error("Spend overflows")
	}
}

func TestAdjust(t *testing.T) {
	for _, c := range []struct {
		p           float64
		copies, run int
		want        float64
	}{
		{1e-9, 97, 1, 97 * 2e-9}, {1e-9, 97, 3, 97 * 12e-9}, {.5, 2, 1, 1}, {0, 1, 1, 0},
		{math.NaN(), 1, 1, 1}, {-1, 1, 1, 1}, {1e-9, 0, 1, 1}, {1e-9, 1, 0, 1}, {1e-9, -5, -5, 1},
		{Floor, math.MaxInt, math.MaxInt, Floor * math.MaxInt * math.MaxInt * math.MaxInt},
	} {
		if got := Adjust(c.p, c.copies, c.run); math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("Adjust(%g, %d, %d) = %g, want %g", c.p, c.copies, c.run, got, c.want)
		}
	}
}

func TestRoundUp2(t *testing.T) {
	for p, want := range map[float64]string{
		3.7e-9: "3.7e-09", 3.61e-9: "3.7e-09", 9.91e-9: "1.0e-08", 9.9000001e-300: "1.0e-299", 1e-300: "1.0e-300",
		1: "1.0e+00", .999: "1.0e+00", 0: "0.0e+00", .5: "5.0e-01", 1.0000000001e-6: "1.1e-06",
	} {
		if got := RoundUp2(p); got != want {
			t.Errorf("RoundUp2(%g) = %s, want %s", p, got, want)
		}
	}
	form := regexp.MustCompile(`^\d\.\de[+-]\d{2,3}$`)
	rapid.Check(t, func(t *rapid.T) {
		p := math.Ldexp(rapid.Float64Range(.5, 1).Draw(t, "mantissa"), -rapid.IntRange(0, 1000).Draw(t, "exponent"))
		s := RoundUp2(p)
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || !form.MatchString(s) || v < p || v > p*1.1000001 {
			t.Fatalf("RoundUp2(%g) = %s", p, s)
		}
	})
}
