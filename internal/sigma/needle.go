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
	k := &seeker{Needling: n, rule: r, known: map[called]needles{}}
	out := slices.Clone(k.condition(r.condition).of)
	slices.Sort(out)
	out = slices.Compact(out)
	// What holds another needle needs none of its own.
	return slices.DeleteFunc(slices.Clone(out), func(long string) bool {
		return len(out) <= maxCompared && slices.ContainsFunc(out, func(s string) bool { return len(s) < len(long) && strings.Contains(long, s) })
	})
}

const (
	maxCompared = 1000   // needles with one another
	maxNeedles  = 10_000 // of a rule; more are none
)

// seeker derives the needles of one rule.
type seeker struct {
	Needling
	rule  *Rule
	known map[called]needles
}

// needles say that one of them stands in the record; none say nothing.
type needles struct {
	of    []string
	worth int // of the least of them
}

func (k *seeker) condition(x expression) needles {
	switch x := x.(type) {
	case anyOf:
		return union(x, k.condition)
	case allOf:
		return best(x, k.condition)
	case called:
		n, known := k.known[x]
		if !known {
			n = union(k.rule.searches[string(x)], func(fs fields) needles { return best(fs, k.field) })
			k.known[x] = n
		}
		return n
	}
	return needles{}
}

func (k *seeker) field(f field) needles {
	if f.not || k.Verbatim != nil && !k.Verbatim(f.name) {
		return needles{}
	}
	one := func(v value) needles {
		if v.needles == nil {
			return needles{}
		}
		return v.needles(k)
	}
	if f.all {
		return best(f.values, one)
	}
	return union(f.values, one)
}

// union is the needles of things of which one holds: none if one of them has none.
func union[T any](of []T, each func(T) needles) (out needles) {
	for _, x := range of {
		n := each(x)
		if len(n.of) == 0 || len(out.of)+len(n.of) > maxNeedles {
			return needles{}
		}
		if len(out.of) == 0 {
			out.worth = n.worth
		}
		out = needles{append(out.of, n.of...), min(out.worth, n.worth)}
	}
	return out
}

// best is the needles of one of several things that all hold.
func best[T any](of []T, each func(T) needles) (out needles) {
	for _, x := range of {
		if n := each(x); n.worth > out.worth || n.worth == out.worth && len(n.of) < len(out.of) {
			out = n
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
func (k *seeker) literal(s string) needles {
	pieces := strings.FieldsFunc(fold(s), func(r rune) bool {
		return r < ' ' || r >= 0x7f || strings.ContainsRune("\"\\/?,", r)
	})
	pieces = slices.DeleteFunc(pieces, func(s string) bool { return len(s) < k.Least || strings.Contains(k.Made, s) })
	if len(pieces) == 0 {
		return needles{}
	}
	s = slices.MaxFunc(pieces, func(a, b string) int {
		return cmp.Or(cmp.Compare(k.worth(a), k.worth(b)), cmp.Compare(len(a), len(b)))
	})
	s = s[:min(len(s), k.Most)]
	out := needles{[]string{s}, k.worth(s)}
	if strings.Contains(s, " ") {
		out.of = append(out.of, strings.ReplaceAll(s, " ", "+"))
	}
	return out
}

func (p pattern) needles(k *seeker) needles {
	runs, _ := p.runs()
	return best(runs, k.literal)
}

// anyNeedles are those of values of which one holds.
func anyNeedles(of []value) func(*seeker) needles {
	return func(k *seeker) needles { return union(of, func(v value) needles { return v.needles(k) }) }
}

// network is what begins an IPv4 network's addresses. An address also stands in
// IPv6, whose sixth group then is ffff; those of IPv6 have too many spellings.
func (k *seeker) network(p netip.Prefix) needles {
	if !p.Addr().Is4() {
		return needles{}
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
		return needles{}
	}
	return needles{[]string{s, mapped}, k.worth(s)}
}

// expression is what must stand in a match of a regular expression.
func (k *seeker) expression(s string) needles {
	re, err := resyntax.Parse(s, resyntax.Perl)
	if err != nil {
		return needles{}
	}
	return k.node(re)
}

func (k *seeker) node(re *resyntax.Regexp) needles {
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
		return best(re.Sub, k.node)
	case resyntax.OpAlternate:
		return union(re.Sub, k.node)
	}
	return needles{}
}
