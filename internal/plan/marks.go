package plan

import (
	"math"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Goal is the probability of accusing one of the coalition that counts as
// traceable.
const Goal = .95

// entropy of a law, in bits: how much a reading of the site identifies the one
// copy that it is from, on average.
func entropy(l fpcode.Law) (bits float64) {
	for v := range l.Q() {
		bits -= l.P(v) * math.Log2(l.P(v))
	}
	return bits
}

// MarkBits is the bits of an average mark of a profile with two alternatives. What
// was simulated is such marks.
//
// A site of more alternatives counts as so many marks as its bits are. For one
// copy that is right. For merged ones it is on the safe side: the more
// alternatives, the less a mixture of two copies looks like a third (two copies,
// by lot, are worth ¼ bit each of a site of two even symbols, and 1.8 bits of one
// of 24, which is 40 % of its entropy and not 25 %).
func MarkBits(p fpcode.Profile) float64 {
	pattern := p.Pattern()
	sum := 0.0
	for _, i := range pattern {
		l, err := p.Law(2, i)
		if err != nil {
			return 0
		}
		sum += entropy(l)
	}
	return sum / float64(max(1, len(pattern)))
}

// ReadMarks is how many average marks the sites are worth at which something was
// read.
func ReadMarks(f *form.Form, readings []fpcode.Reading) float64 {
	law := f.Laws()
	bits := 0.0
	for _, r := range readings {
		if r.State == fpcode.Value {
			bits += entropy(law(r.Site, r.Q))
		}
	}
	return bits / MarkBits(f.Bias())
}
