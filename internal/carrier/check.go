package carrier

import (
	"sort"

	"forewarn/internal/token"
)

// checkVariants refuses a document whose copies would not be the same to their
// readers' tools, or not parse.
func (c *compiler) checkVariants(d *document) {
	if d.bulk || d.format.essence == nil {
		return
	}
	base, err := d.format.essence(d.renderWith(all(0)))
	if err != nil {
		at := 0
		if s, ok := err.(*syntaxError); ok {
			at = d.sourceOffset(s.at, all(0))
		}
		if !d.marked() {
			// What nobody marked is sent on as it is: the author's tools know
			// formats better than these parsers.
			c.warn(d, at, sprintf("not %s as far as can be told: %s", d.format.name, err))
			return
		}
		c.refuse(d.path, at, sprintf("not %s: %s", d.format.name, err), "mend the text around the mark, or keep the mark out of syntax")
		return
	}
	for v := 1; v < variants; v++ {
		switch e, err := d.format.essence(d.renderWith(all(v))); {
		case err != nil:
			c.blame(d, v, base, sprintf("a copy that shows this would not be %s: %s", d.format.name, err))
		case e != base:
			c.blame(d, v, base, "a copy that shows this would say something else to its readers' tools")
		default:
			continue
		}
		return
	}
}

// blame finds the mark that makes a variant differ, and refuses it.
func (c *compiler) blame(d *document, variant int, base, what string) {
	// Marks in the order of the document; a group's places, and a name's, go
	// together.
	number := map[any]int{}
	var first []int
	key := func(p *piece) any {
		switch {
		case p.site != nil:
			return p.site
		case p.alpha != 0:
			return p.slot
		}
		return nil
	}
	for i := range d.pieces {
		if k := key(&d.pieces[i]); k != nil {
			if _, seen := number[k]; !seen {
				number[k] = len(first)
				first = append(first, i)
			}
		}
	}
	upTo := func(n int) func(p *piece) int {
		return func(p *piece) int {
			if number[key(p)] < n {
				return variant
			}
			return 0
		}
	}
	// The first n for which the leading n marks make a difference: their last is
	// to blame. With several to blame it is one of them.
	n := sort.Search(len(first), func(n int) bool {
		e, err := d.format.essence(d.renderWith(upTo(n)))
		return err != nil || e != base
	})
	p := &d.pieces[first[max(n-1, 0)]]
	do := "copies may differ only in " + d.format.free
	switch {
	case p.alpha == token.Hex || p.alpha == token.Base62:
		do += "; and a token stands in quotes, because one may look like a number"
	case p.site != nil && p.site.order:
		what = "this list's order matters to its readers' tools, or its items aren't whole"
	}
	c.refuse(d.path, p.at, what, do)
}
