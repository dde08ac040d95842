package carrier

import (
	"strings"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// document is one file of the source on its way to becoming a file of the Form.
type document struct {
	path   string
	src    string
	level  form.Level
	bulk   bool
	format *format
	pieces []piece
	quoted [][2]int // of code: what is inside strings and comments; nil until asked for
}

// site is a markable place before its alternatives are permuted.
type site struct {
	id    fpcode.SiteID
	name  string // given by the author; empty otherwise
	class fpcode.Class
	q     int
	law   uint8 // index among the profile's for q alternatives
	bits  Millibits
	order bool // one reading takes all of its places, not one
	in    *document
	at    int    // in the document, where it stands first
	index uint32 // in Form.Sites, at the end
}

func (s *site) place() string {
	line, col := position(s.in.src, s.at)
	return sprintf("%s:%d:%d", s.in.path, line, col)
}

// piece is a stretch of a document: a literal, a place of a site, or a token.
// Alternatives are in the site's own order, before any key.
type piece struct {
	at, end int // in the source
	literal string
	site    *site
	alts    []string
	slot    string
	alpha   token.Alphabet
}

// A variant decides what each site and slot of a document shows.
//
// Between them the variants show every alternative of every choice, every item
// in every place of its group, and the kinds of tokens that a careless reader
// takes for something else.
const variants = 4

// shows is the index of the alternative that a site shows in a variant.
func (s *site) shows(variant int) int {
	if s.order {
		for k := 2; k <= groupSize; k++ {
			if len(orders[k]) == s.q {
				return rotations[k][variant%k]
			}
		}
	}
	return min(variant, s.q-1)
}

// tokenVariants are texts that tokens may have. Digits alone, and digits with an
// e or a leading 0x, are numbers to some parsers where they stand unquoted.
var tokenVariants = map[token.Alphabet][variants]string{
	token.Hex:    {"c0ffee00d15ea5e5feedfacecafebabe", "12345678901234567890123456789012", "1e345678901234567890123456789012", "00000000000000000000000000000000"},
	token.UUID:   {"f81d4fae-7dec-4a1d-a765-00a0c91e6bf6", "12345678-1234-4234-8234-123456789012", "2025e010-1234-4234-8234-123456789012", "00000000-0000-4000-8000-000000000000"},
	token.Base62: {"FZa9kQ0bX7LmPr3TuVwY2d", "1234567890123456789012", "1e34567890123456789012", "0x12345678901234567890"},
}

// renderWith renders the document with each site and slot in the variant that
// which gives.
func (d *document) renderWith(which func(p *piece) int) string {
	var b strings.Builder
	b.Grow(len(d.src))
	for i := range d.pieces {
		b.WriteString(d.pieces[i].text(which))
	}
	return b.String()
}

func (p *piece) text(which func(p *piece) int) string {
	switch {
	case p.site != nil:
		return p.alts[p.site.shows(which(p))]
	case p.alpha != 0:
		return tokenVariants[p.alpha][which(p)]
	}
	return p.literal
}

func all(variant int) func(*piece) int { return func(*piece) int { return variant } }

// sourceOffset is where an offset of a rendering comes from.
func (d *document) sourceOffset(off int, which func(*piece) int) int {
	for i := range d.pieces {
		p := &d.pieces[i]
		n := len(p.text(which))
		if off < n {
			if p.site == nil && p.alpha == 0 {
				return min(p.at+off, p.end)
			}
			return p.at
		}
		off -= n
	}
	return len(d.src)
}

// marked reports whether the document has marks at all.
func (d *document) marked() bool {
	for i := range d.pieces {
		if d.pieces[i].site != nil || d.pieces[i].alpha != 0 {
			return true
		}
	}
	return false
}
