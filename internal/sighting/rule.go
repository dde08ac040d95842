package sighting

import (
	"bytes"
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

	// Guard, of a rule without needles, is texts one of which every record for
	// which the rule holds has as it stands. None: there is no such text.
	Guard []string

	// Serves reports whether the rule says anything of a format's records; of
	// others it isn't asked. nil: of all.
	Serves func(f Format) bool

	// Match judges a record. It keeps nothing of it.
	Match func(r *Record) bool
}

// Record is a record that rules judge.
type Record struct {
	Format Format

	// Values are its fields', as the layout of its format names them. A field that
	// repeats has several.
	Values map[string][]string

	// Memo is empty for each record: what one rule found out about it for others.
	Memo map[any]any
}

func (r Rule) check() error {
	if r.Ref == "" || r.Match == nil {
		return fmt.Errorf("%w: a rule needs a name and a judge", ErrScanner)
	}
	if len(r.Guard) > 0 && len(r.Needles) > 0 {
		return fmt.Errorf("%w: rule %s: a guard is for rules without needles", ErrScanner, r.Ref)
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
	candidates = slices.DeleteFunc(candidates, p.strange)
	var last []string
	stands := true
	for _, i := range p.unasked() {
		if g := p.Rules[i].Guard; !slices.Equal(g, last) {
			last, stands = g, len(g) == 0 || slices.ContainsFunc(g, func(s string) bool { return bytes.Contains(body, []byte(s)) })
		}
		if stands {
			candidates = append(candidates, i)
		}
	}
	slices.Sort(candidates)
	candidates = slices.Compact(candidates)
	p.candidates = candidates
	if len(candidates) == 0 {
		return rest
	}
	clear(p.values)
	clear(p.memo)
	if p.memo == nil {
		p.memo = map[any]any{}
	}
	p.firsts = p.firsts[:0]
	p.layout.values(body, func(name, value string) {
		if more, ok := p.values[name]; ok {
			p.values[name] = append(more, value)
			return
		}
		n := len(p.firsts)
		p.firsts = append(p.firsts, value)
		p.values[name] = p.firsts[n : n+1 : n+1]
	})
	r := &Record{p.sum.Format, p.values, p.memo}
	for _, i := range candidates {
		if p.Rules[i].Match(r) {
			rest = append(rest, hit{from: a, to: a + len(body), kind: rule, index: i})
		}
	}
	slices.SortStableFunc(rest, func(a, b hit) int { return cmp.Compare(a.from, b.from) })
	return rest
}

// strange reports whether a rule says nothing of the format.
func (p *pass) strange(i int32) bool {
	return p.Rules[i].Serves != nil && !p.Rules[i].Serves(p.sum.Format)
}

// unasked are the rules without needles that say something of the format, those
// with one guard together.
func (p *pass) unasked() []int32 {
	if len(p.always) == 0 {
		return nil
	}
	if p.every.list == nil || p.every.of != p.sum.Format {
		p.every.of = p.sum.Format
		p.every.list = slices.DeleteFunc(slices.Clone(p.always), p.strange)
		slices.SortStableFunc(p.every.list, func(a, b int32) int { return slices.Compare(p.Rules[a].Guard, p.Rules[b].Guard) })
	}
	return p.every.list
}
