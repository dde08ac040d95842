package fpcode

import "fmt"

// Profile is a way of choosing biases. It is named beside every figure. The
// zero Profile has no law.
type Profile uint8

const (
	// Single gives every symbol the same probability. It needs the fewest
	// marks when one holder leaks, and is blind to three or more who merge.
	Single Profile = 1
)

var profileNames = map[Profile]string{Single: "single"}

// String is the profile's name, as ParseProfile reads it.
func (p Profile) String() string {
	if n, ok := profileNames[p]; ok {
		return n
	}
	return fmt.Sprintf("profile(%d)", uint8(p))
}

// ParseProfile reads a profile's name. Unknown names fail with ErrParameter.
func ParseProfile(s string) (Profile, error) {
	for p, n := range profileNames {
		if n == s {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%w: %q is not a bias profile; this version knows \"single\"", ErrParameter, s)
}

// Law is the law of the symbols at a site with q alternatives, 2 ≤ q ≤ 24. For
// Single it is as even as 2³² allows: thresholds ⌊v·2³²/q⌋, whatever the key.
func (p Profile) Law(bias Key, s SiteID, q int) (Law, error) {
	if p != Single {
		return Law{}, fmt.Errorf("%w: %v has no law", ErrParameter, p)
	}
	if q < MinQ || q > MaxQ {
		return Law{}, fmt.Errorf("%w: a site has %d to %d alternatives, not %d", ErrParameter, MinQ, MaxQ, q)
	}
	return evenLaws[q], nil
}

// Laws is Law with the profile and key fixed, as Weigh takes it: where there
// is no law it gives the zero Law.
func (p Profile) Laws(bias Key) func(SiteID, uint8) Law {
	return func(s SiteID, q uint8) Law {
		l, err := p.Law(bias, s, int(q))
		if err != nil {
			return Law{}
		}
		return l
	}
}

// One even law per q: laws are never written to, so sites share them.
var evenLaws = func() (out [MaxQ + 1]Law) {
	for q := uint64(MinQ); q <= MaxQ; q++ {
		cum := make([]uint64, q+1)
		for v := range cum {
			cum[v] = uint64(v) * one32 / q
		}
		out[q] = Law{cum}
	}
	return out
}()
