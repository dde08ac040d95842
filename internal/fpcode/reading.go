package fpcode

import "fmt"

// State is what was found at a site.
type State uint8

const (
	// Erased: the place is missing or unreadable in the specimen.
	Erased State = iota
	// Value: one of the site's alternatives, or a likelihood over them.
	Value
	// Other: something that is none of the alternatives. It is never taken
	// for the nearest one: a third value may have been put there on purpose.
	Other
)

var stateNames = [...]string{"erased", "value", "other"}

// String is "erased", "value" or "other".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Class is the kind of carrier that a site lives in. Each class has its own
// channel: one may be copied faithfully while another is mangled.
type Class uint8

const (
	ClassProse Class = iota + 1 // authored wording
	ClassOrder                  // the order of a free list
	ClassRule                   // text of detection rules
	ClassCode                   // proofs of concept
	ClassID                     // free identifiers and constants
	classEnd
)

var classNames = [...]string{"unset", "prose", "order", "rule", "code", "id"}

// String is the class's name, as ParseClass reads it.
func (c Class) String() string {
	if c < classEnd {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// ParseClass reads a class's name. Unknown names fail with ErrParameter.
func ParseClass(s string) (Class, error) {
	for c := ClassProse; c < classEnd; c++ {
		if classNames[c] == s {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: %q is not a carrier class", ErrParameter, s)
}

// Classes lists every known class.
func Classes() []Class {
	var out []Class
	for c := ClassProse; c < classEnd; c++ {
		out = append(out, c)
	}
	return out
}

// Reading is what a specimen shows at one site. A reading is a deterministic
// function of the specimen and the slot table; two reads of one site are one
// reading.
type Reading struct {
	Site   SiteID
	Class  Class
	Q      uint8 // number of alternatives, 2 to 24
	State  State
	Symbol uint8 // of a hard Value: which, in [0, Q)

	// Likelihood of a soft Value: proportional to how probable the found text
	// is if the copy showed each symbol; Q numbers, 65535 for the most likely.
	// Empty means a hard reading.
	Likelihood []uint16
}

// Check fails with ErrParameter when the reading cannot be one.
func (r Reading) Check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: reading of site %x: %s", ErrParameter, r.Site, fmt.Sprintf(format, args...))
	}
	switch {
	case r.Class == 0 || r.Class >= classEnd:
		return bad("unknown carrier class %d", r.Class)
	case r.Q < MinQ || r.Q > MaxQ:
		return bad("%d alternatives; a site has %d to %d", r.Q, MinQ, MaxQ)
	case r.State > Other:
		return bad("unknown state %d", r.State)
	case r.State != Value && (r.Symbol != 0 || len(r.Likelihood) != 0):
		return bad("%v, but with a symbol", r.State)
	case r.State != Value:
		return nil
	case len(r.Likelihood) == 0 && r.Symbol >= r.Q:
		return bad("symbol %d of %d", r.Symbol, r.Q)
	case len(r.Likelihood) == 0:
		return nil
	case len(r.Likelihood) != int(r.Q):
		return bad("%d likelihoods for %d alternatives", len(r.Likelihood), r.Q)
	case r.Symbol != 0:
		return bad("both a symbol and likelihoods")
	}
	var best uint16
	for _, l := range r.Likelihood {
		best = max(best, l)
	}
	if best != 65535 {
		return bad("the greatest likelihood is %d, not 65535", best)
	}
	return nil
}
