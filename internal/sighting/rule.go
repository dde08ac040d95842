package sighting

import (
	"cmp"
	"fmt"
	"slices"
)

// Rule is a detection rule for records of a log. A scan doesn't know its
// language: it asks Match only about records that hold one of the needles, so
// that most records are never read.
type Rule struct {
	Ref string // the caller's own; not empty

	// Needles are such that a record for which the rule holds contains at least
	// one of them, ASCII's cases taken together, as it stands or with encodings
	// undone. Each has at least MinValue bytes. None: every record is read.
	Needles []string

	// Serves reports whether the rule says anything of a format's records; of
	// others it isn't asked. nil: of all.
	Serves func(f Format) bool

	// Match judges a record by its fields' values, as the layout of its format
	// names them. A field that repeats has several. The map is the scan's: Match
	// keeps nothing of it.
	Match func(f Format, values map[string][]string) bool
}

func (r Rule) check() error {
	if r.Ref == "" || r.Match == nil {
		return fmt.Errorf("%w: a rule needs a name and a judge", ErrScanner)
	}
	for _, n := range r.Needles {
		if len(n) < MinValue || len(n) > MaxValue {
			return fmt.Errorf("%w: rule %s: the needle %q has not from %d to %d bytes", ErrScanner, r.Ref, Printable([]byte(n)), MinValue, MaxValue)
		}
	}
	return nil
}

// judge takes the needles out of a record's hits and has the rules that they
// speak of judge it, and those that have none. Those that hold are hits of the
// whole record.
func (p *pass) judge(hits []hit, body []byte, a int) []hit {
	candidates := p.candidates[:0]
	rest := hits[:0:len(hits)] // those of the next line stand behind
	for _, h := range hits {
		if h.kind == needle {
			candidates = append(candidates, h.index)
		} else {
			rest = append(rest, h)
		}
	}
	if len(body) == 0 || p.layout.isHeader(body) {
		return rest
	}
	candidates = append(candidates, p.always...)
	slices.Sort(candidates)
	candidates = slices.DeleteFunc(slices.Compact(candidates), func(i int32) bool {
		return p.Rules[i].Serves != nil && !p.Rules[i].Serves(p.sum.Format)
	})
	p.candidates = candidates
	if len(candidates) == 0 {
		return rest
	}
	clear(p.values)
	p.layout.values(body, func(name, value string) { p.values[name] = append(p.values[name], value) })
	for _, i := range candidates {
		if p.Rules[i].Match(p.sum.Format, p.values) {
			rest = append(rest, hit{from: a, to: a + len(body), kind: rule, index: i})
		}
	}
	slices.SortStableFunc(rest, func(a, b hit) int { return cmp.Compare(a.from, b.from) })
	return rest
}
