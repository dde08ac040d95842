package sighting

import (
	"bytes"
	"cmp"
	"slices"

	"forewarn/internal/token"
)

// hit is a match in the buffer.
type hit struct {
	from, to int
	kind     hitKind
	index    int32 // in the Scanner's list of that kind
	token    Token
	through  Encoding
}

type hitKind uint8

const (
	tokens hitKind = iota
	indicator
	needle // of a rule: a sighting only if the rule then holds
	rule
)

func (h hit) what(s *Scanner) What {
	switch h.kind {
	case indicator:
		return What{Indicator: s.Indicators[h.index]}
	case rule:
		return What{Rule: RuleRef{s.Rules[h.index].Ref}}
	}
	return What{Token: h.token}
}

// search fills p.hits with what text holds that starts in [from, limit), in
// order, each once.
func (p *pass) search(text []byte, from, limit int) {
	p.hits = p.hits[:0]
	keep := func(h hit) {
		if h.from >= from && h.from < limit {
			p.hits = append(p.hits, h)
		}
	}
	p.peel(text, jsonOrPercent, func(a, b int) (int, int, Encoding) { return a, b, 0 }, keep)
	for line := range encoded(text) {
		depth := 0
		p.layers.undo(text[line.from:line.to], func(inner []byte) {
			more := percentOnly
			if p.layers.kind[depth] == Twice {
				more = nothing
			}
			depth++
			p.peel(inner, more, func(a, b int) (int, int, Encoding) {
				a, b, through := p.layers.below(a, b)
				return a + line.from, b + line.from, through
			}, keep)
		})
	}
	slices.SortFunc(p.hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.kind, b.kind), cmp.Compare(a.index, b.index),
			cmp.Compare(a.token.L, b.token.L), cmp.Compare(a.through, b.through))
	})
	p.hits = slices.CompactFunc(p.hits, func(a, b hit) bool {
		return a.from == b.from && a.to == b.to && a.kind == b.kind && a.index == b.index && a.token == b.token
	})
}

// peel searches one text. An indicator that an escape follows is left to the
// text in which that is undone: 192.0.2.1%30 is another address. A token needs
// no such care, it proves itself.
func (p *pass) peel(text []byte, goesOn func([]byte) bool, below func(a, b int) (int, int, Encoding), keep func(hit)) {
	if p.Rec != nil {
		token.Scan(p.Rec, text, func(off int, a token.Alphabet, l uint64) {
			from, to, through := below(off, off+a.Len())
			keep(hit{from: from, to: to, kind: tokens, token: Token{l, a}, through: through})
		})
	}
	p.matcher.find(text, func(a, b int, kind hitKind, index int32) {
		if kind == needle || !goesOn(text[b:]) {
			from, to, through := below(a, b)
			keep(hit{from: from, to: to, kind: kind, index: index, through: through})
		}
	})
}

func nothing([]byte) bool { return false }

func percentOnly(b []byte) bool {
	if len(b) == 0 || b[0] != '%' {
		return false
	}
	_, _, n := percentEscape(b)
	return n > 0
}

func jsonOrPercent(b []byte) bool {
	if len(b) > 0 && b[0] == '\\' {
		_, _, n := jsonEscape(b)
		return n > 0
	}
	return percentOnly(b)
}

// encoded gives the lines of text that hold a byte that an escape begins with.
func encoded(text []byte) func(func(span) bool) {
	return func(yield func(span) bool) {
		next := [2]int{-1, -1} // of each lead byte, at or after pos
		for pos := 0; pos < len(text); {
			at := len(text)
			for i, lead := range [2]byte{'\\', '%'} {
				if next[i] < pos {
					next[i] = len(text)
					if j := bytes.IndexByte(text[pos:], lead); j >= 0 {
						next[i] = pos + j
					}
				}
				at = min(at, next[i])
			}
			if at == len(text) {
				return
			}
			line := span{pos + bytes.LastIndexByte(text[pos:at], '\n') + 1, len(text)}
			if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
				line.to = at + i
			}
			if !yield(line) {
				return
			}
			pos = line.to + 1
		}
	}
}
