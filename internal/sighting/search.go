package sighting

import (
	"cmp"
	"slices"

	"forewarn/internal/token"
)

// hit is a match in the buffer.
type hit struct {
	from, to int
	token    Token
	index    int32 // in the Scanner's list of that kind
	kind     hitKind
	through  Encoding

	words, first int32 // of an excerpt
}

type hitKind uint8

const (
	tokens hitKind = iota
	indicator
	needle // of a rule: a sighting only if the rule then holds
	rule
	excerpt // of a text
)

func (h hit) what(s *Scanner) What {
	switch h.kind {
	case indicator:
		return What{Indicator: s.Indicators[h.index]}
	case rule:
		return What{Rule: RuleRef{s.Rules[h.index].Ref}}
	case excerpt:
		return What{Quote: Quote{Ref: s.Texts[h.index].Ref, Words: int(h.words), From: int(h.first)}}
	}
	return What{Token: h.token}
}

// mostHits is about how many hits are held at once; twice as many before those
// that are seen twice are taken out. A few indicators that overlap are seen at
// every byte of a text that is made for it.
const mostHits = 1 << 17

// search fills p.hits with what text holds that starts in [from, limit), in
// order, each once. Where these are too many, those from upTo on are left out.
func (p *pass) search(text []byte, from, limit int) (upTo int) {
	p.hits, p.full = p.hits[:0], 2*mostHits
	keep := func(h hit) {
		if h.from >= from && h.from < limit {
			p.hits = append(p.hits, h)
			if len(p.hits) == p.full {
				limit = p.thin(limit)
			}
		}
	}
	p.noted = p.noted[:0]
	p.layers.reach, p.layers.quoteless = p.reach, p.matcher.quoteless
	p.layers.dig(text, func(inner []byte) {
		p.peel(inner, func(h hit) {
			if h.from >= p.layers.within.from && h.to <= p.layers.within.to {
				keep(h)
			}
		})
	})
	if len(p.noted) > 0 {
		p.quotesIn(text, keep)
	}
	p.order()
	return limit
}

// order sorts the hits, and takes out those seen twice.
func (p *pass) order() {
	slices.SortFunc(p.hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.kind, b.kind), cmp.Compare(a.index, b.index),
			cmp.Compare(a.token.L, b.token.L), cmp.Compare(a.through, b.through))
	})
	p.hits = slices.CompactFunc(p.hits, func(a, b hit) bool {
		return a.from == b.from && a.to == b.to && a.kind == b.kind && a.index == b.index && a.token == b.token
	})
}

// thin leaves out hits at the end where there are too many, and says from where
// on. Those that start at the same place stay together, and so there may be more.
func (p *pass) thin(limit int) int {
	p.order()
	if len(p.hits) > mostHits && p.hits[mostHits].from > p.hits[0].from {
		limit = p.hits[mostHits].from
		p.hits = slices.DeleteFunc(p.hits, func(h hit) bool { return h.from >= limit })
	}
	p.full = len(p.hits) + mostHits
	return limit
}

// peel searches one text. An indicator beside an escape may be left to the text in
// which that is undone. A token needs no such care, it proves itself.
func (p *pass) peel(text []byte, keep func(hit)) {
	scanner := p.tokens
	if p.layers.alone && p.layers.depth == 0 {
		scanner = p.written
	}
	scanner.Scan(text, func(off int, a token.Alphabet, l uint64) {
		from, to, through := p.layers.below(off, off+a.Len())
		keep(hit{from: from, to: to, kind: tokens, token: Token{l, a}, through: through})
	})
	p.matcher.find(text, &p.room, func(a, b int, kind hitKind, index int32, by bounds) {
		if kind == needle || p.layers.stands(text, a, b, by) {
			from, to, through := p.layers.below(a, b)
			keep(hit{from: from, to: to, kind: kind, index: index, through: through})
		}
	})
	if p.quotes != nil {
		p.quotes.meet(text, &p.room, func(gap span) {
			from, to, _ := p.layers.below(gap.from, gap.to)
			p.noted = append(p.noted, span{from, to})
		})
	}
}
