package sigma

import (
	resyntax "regexp/syntax"
	"slices"
	"strings"
)

const (
	// maxInstances is how many events are made of one rule.
	maxInstances = 2000
	// maxMade is about how many bytes of them: a rule of a few thousand fields
	// would otherwise fill the memory, each event having all of them.
	maxMade = 32 << 20
)

// made is the events that were made of a rule, until a part of the limits.
type made struct {
	events []Event
	bytes  int
	part   int // 2: half of the limits, which leaves room for searches together
}

func (m *made) full() bool { return len(m.events) >= maxInstances/m.part || m.bytes >= maxMade/m.part }

func (m *made) add(e Event) {
	if m.full() {
		return
	}
	const entry = 64 // about what a field costs besides its text
	for _, texts := range e {
		m.bytes += entry
		for _, t := range texts {
			m.bytes += len(t)
		}
	}
	m.events = append(m.events, e)
}

// Instances are events made of a rule: for each of its searches one that it holds
// for, one for each further value, and one without each field; then all searches
// together, all but one, and each alone. Between them they show where the rule
// says yes and where it just doesn't, without anybody's log. What can't be made,
// such as a match of an expression that asserts much, is left out.
func (r *Rule) Instances() []Event {
	out := made{events: []Event{{}}, part: 2}
	first := map[string]fields{}
	for _, name := range r.names {
		for _, fs := range r.searches[name] {
			if first[name] == nil {
				first[name] = fs
			}
			if out.full() {
				break
			}
			base := fs.event()
			out.add(base)
			for _, f := range fs {
				if out.full() {
					break
				}
				out.add(base.without(f.key()))
				if f.values[0].null {
					out.add(base.with(f.key(), "x"))
				}
				for _, v := range f.values {
					if out.full() {
						break
					}
					if v.hasOne && !f.all {
						out.add(base.with(f.key(), v.instance))
					}
					if v.hasOne && f.all {
						out.add(base.with(f.key(), f.allBut(v.instance)))
					}
				}
			}
		}
	}
	// Each event of one search within what the others ask for, so that a condition
	// of several can hold.
	single := slices.Clone(out.events)
	out.part = 1
	for _, without := range append([]string{""}, r.names...) {
		if out.full() {
			break
		}
		var asked fields
		for _, name := range r.names {
			if name != without {
				asked = append(asked, first[name]...)
			}
		}
		whole := asked.event()
		for _, f := range first[without] {
			if f.values[0].null { // absence is what it asks for
				whole = whole.with(f.key(), "x")
			}
		}
		out.add(whole)
		for _, e := range single {
			if out.full() {
				break
			}
			merged := Event{}
			for k, v := range whole {
				merged[k] = v
			}
			for k, v := range e {
				merged[k] = v
			}
			out.add(merged)
		}
	}
	return out.events
}

// key is the field that an event needs; keywords go anywhere.
func (f *field) key() string {
	if f.name == "" {
		return "message"
	}
	return f.name
}

// event is one for which all fields hold, if one can be made. Where several ask
// for the same text, what it begins with comes first and what it ends with last.
func (fs fields) event() Event {
	e := Event{}
	rank := map[string]int{"startswith": 0, "endswith": 2}
	sorted := slices.Clone(fs)
	slices.SortStableFunc(sorted, func(a, b field) int {
		of := func(f field) int {
			if r, ok := rank[f.place]; ok {
				return r
			}
			return 1
		}
		return of(a) - of(b)
	})
	for _, f := range sorted {
		switch {
		case f.not:
			if len(e[f.key()]) == 0 {
				e[f.key()] = []string{"~"}
			}
		case f.values[0].ref != "":
			both := strings.Join(e[f.key()], "") + "x"
			e[f.key()], e[f.values[0].ref] = []string{both}, []string{both}
		case f.values[0].null || f.values[0].exists != nil && !*f.values[0].exists:
			delete(e, f.key())
		case f.all:
			e.extend(f.key(), f.allBut(""))
		case f.values[0].hasOne:
			e.extend(f.key(), f.values[0].instance)
		}
	}
	return e
}

// extend writes a text behind what the field has, as long as it may be compared.
func (e Event) extend(name, text string) {
	if t := strings.Join(e[name], "") + text; len(t) <= maxField {
		e[name] = []string{t}
	}
}

// allBut is a text with all values of the field in it but one.
func (f *field) allBut(out string) string {
	var parts []string
	size := 0
	for _, v := range f.values {
		if v.hasOne && v.instance != out && size+len(v.instance) < maxField {
			size += len(v.instance) + 1
			parts = append(parts, v.instance)
		}
	}
	return strings.Join(parts, " ")
}

// Instance is a text that a regular expression of Go's syntax should match: first
// alternatives, fewest repetitions. Look at whether it does: assertions are not
// thought about. ok is false if the expression can't be read.
func Instance(expression string) (text string, ok bool) {
	re, err := resyntax.Parse(expression, resyntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	if !instance(&b, re) {
		return "", false
	}
	return b.String(), true
}

func instance(b *strings.Builder, re *resyntax.Regexp) bool {
	if b.Len() > 10_000 {
		return false
	}
	switch re.Op {
	case resyntax.OpNoMatch:
		return false
	case resyntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case resyntax.OpCharClass:
		b.WriteRune(visible(re.Rune))
	case resyntax.OpAnyChar, resyntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case resyntax.OpCapture, resyntax.OpPlus:
		return instance(b, re.Sub[0])
	case resyntax.OpRepeat:
		for range re.Min {
			if !instance(b, re.Sub[0]) {
				return false
			}
		}
	case resyntax.OpConcat:
		for _, s := range re.Sub {
			if !instance(b, s) {
				return false
			}
		}
	case resyntax.OpAlternate:
		return instance(b, re.Sub[0])
	}
	return true
}

// visible is a character of a class, one that prints where there is one.
func visible(class []rune) rune {
	for _, good := range []rune{'x', 'X', '5', '.', '-', '/', ' '} {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= good && good <= class[i+1] {
				return good
			}
		}
	}
	for i := 0; i+1 < len(class); i += 2 {
		if class[i+1] > ' ' {
			return max(class[i], '!')
		}
	}
	return class[0]
}
