package sigma

import (
	"cmp"
	"fmt"
	"net/netip"
	resyntax "regexp/syntax"
	"slices"
	"strings"
)

// Needling says what needles may be made of.
type Needling struct {
	Least, Most int // bytes of one

	// Verbatim reports whether a field's texts stand in a record as they are. nil:
	// all do. Keywords are asked for as "".
	Verbatim func(field string) bool

	// Made is text that an event may have and its record has not: no needle stands
	// in it.
	Made string

	// Common is text in lower case such as records always have: what stands in it
	// is taken only where nothing else is.
	Common string
}

// Needles are literals one of which stands in every record for which the rule
// holds, cases of ASCII taken together; none if there are no such literals. A
// conjunction gives its best part, a disjunction all of them, a negation nothing.
//
// They are cut at whatever a log may write otherwise: quotes, backslashes,
// slashes, question marks, commas, control characters and what isn't ASCII. A
// blank may stand as a plus sign. So they are found in JSON, in W3C logs and in
// those of web servers, before any escape is undone.
func (r *Rule) Needles(n Needling) []string {
	k := &seeker{Needling: n, rule: r}
	out := slices.Clone(k.condition(r.condition))
	slices.Sort(out)
	out = slices.Compact(out)
	// What holds another needle needs none of its own.
	return slices.DeleteFunc(slices.Clone(out), func(long string) bool {
		return len(out) <= maxCompared && slices.ContainsFunc(out, func(s string) bool { return len(s) < len(long) && strings.Contains(long, s) })
	})
}

const maxCompared = 2000 // needles with one another

// seeker derives needles of one rule. A set of needles says that one of them
// stands in the record; nil says nothing.
type seeker struct {
	Needling
	rule *Rule
}

func (k *seeker) condition(x expression) []string {
	switch x := x.(type) {
	case anyOf:
		return union(x, k.condition)
	case allOf:
		return best(k, x, k.condition)
	case called:
		return union(k.rule.searches[string(x)], func(fs fields) []string { return best(k, fs, k.field) })
	}
	return nil
}

func (k *seeker) field(f field) []string {
	if f.not || k.Verbatim != nil && !k.Verbatim(f.name) {
		return nil
	}
	one := func(v value) []string {
		if v.needles == nil {
			return nil
		}
		return v.needles(k)
	}
	if f.all {
		return best(k, f.values, one)
	}
	return union(f.values, one)
}

// union is needles of things of which one holds: nil if one of them has none.
func union[T any](of []T, needles func(T) []string) (out []string) {
	for _, x := range of {
		set := needles(x)
		if set == nil {
			return nil
		}
		out = append(out, set...)
	}
	return out
}

// best is the needles of one of several things that all hold.
func best[T any](k *seeker, of []T, needles func(T) []string) (out []string) {
	most := 0
	for _, x := range of {
		set := needles(x)
		if set == nil {
			continue
		}
		worth := int(^uint(0) >> 1)
		for _, s := range set {
			worth = min(worth, k.worth(s))
		}
		if worth > most || worth == most && len(set) < len(out) {
			out, most = set, worth
		}
	}
	return out
}

// worth says how seldom a needle stands where its rule doesn't hold: a guess by
// its length, which matters little above the widest stride of a search.
func (k *seeker) worth(s string) int {
	if strings.Contains(k.Common, s) {
		return 1
	}
	return min(len(s), 20)
}

// literal is the best needle in a text that must stand.
func (k *seeker) literal(s string) []string {
	pieces := strings.FieldsFunc(fold(s), func(r rune) bool {
		return r < ' ' || r >= 0x7f || strings.ContainsRune("\"\\/?,", r)
	})
	pieces = slices.DeleteFunc(pieces, func(s string) bool { return len(s) < k.Least || strings.Contains(k.Made, s) })
	if len(pieces) == 0 {
		return nil
	}
	s = slices.MaxFunc(pieces, func(a, b string) int {
		return cmp.Or(cmp.Compare(k.worth(a), k.worth(b)), cmp.Compare(len(a), len(b)))
	})
	if s = s[:min(len(s), k.Most)]; strings.Contains(s, " ") {
		return []string{s, strings.ReplaceAll(s, " ", "+")}
	}
	return []string{s}
}

func (p pattern) needles(k *seeker) []string {
	runs, _ := p.runs()
	return best(k, runs, k.literal)
}

// anyNeedles are those of values of which one holds.
func anyNeedles(of []value) func(*seeker) []string {
	return func(k *seeker) []string { return union(of, func(v value) []string { return v.needles(k) }) }
}

// network is what begins an IPv4 network's addresses. An address also stands in
// IPv6, whose sixth group then is ffff; those of IPv6 have too many spellings.
func (k *seeker) network(p netip.Prefix) []string {
	if !p.Addr().Is4() {
		return nil
	}
	var b strings.Builder
	for _, octet := range p.Addr().AsSlice()[:p.Bits()/8] {
		fmt.Fprintf(&b, "%d.", octet)
	}
	s, mapped := strings.TrimSuffix(b.String(), "."), "ffff:"
	if p.Bits() < 32 {
		s = b.String()
	}
	if len(s) < k.Least || len(mapped) < k.Least {
		return nil
	}
	return []string{s, mapped}
}

// maxNeedles is how many an expression's alternatives may come to.
const maxNeedles = 200

// expression is what must stand in a match of a regular expression.
func (k *seeker) expression(s string) []string {
	re, err := resyntax.Parse(s, resyntax.Perl)
	if err != nil {
		return nil
	}
	return k.node(re)
}

func (k *seeker) node(re *resyntax.Regexp) []string {
	switch re.Op {
	case resyntax.OpLiteral:
		s := string(re.Rune)
		if re.Flags&resyntax.FoldCase != 0 {
			// Go takes the Kelvin sign for a k and the long s for an s.
			s = strings.NewReplacer("k", "\x00", "K", "\x00", "s", "\x00", "S", "\x00").Replace(s)
		}
		return k.literal(s)
	case resyntax.OpCapture, resyntax.OpPlus:
		return k.node(re.Sub[0])
	case resyntax.OpRepeat:
		if re.Min > 0 {
			return k.node(re.Sub[0])
		}
	case resyntax.OpConcat:
		return best(k, re.Sub, k.node)
	case resyntax.OpAlternate:
		if out := union(re.Sub, k.node); len(out) <= maxNeedles {
			return out
		}
	}
	return nil
}
