package carrier

import (
	"strings"
	"unicode"
)

// An order block is a list whose order says nothing, between two directives on
// lines of their own:
//
//	<!-- order -->
//	- one item
//	- another
//	<!-- end -->
//
// The directives vanish. Without blank lines, each least-indented line begins an
// item, and deeper lines belong to the item above. With blank lines, items are
// paragraphs, and a deeper paragraph belongs to the one above; the blank lines
// stay where they are. Running text knows two more kinds of block: facts.go and
// example.go.

// segment is a stretch of a source: text with inline marks, or a block.
type segment struct {
	at, end int
	block   bool
	example bool // of a block: a copy shows one of the items
	items   []item
}

// item is one item of a block, with its end of line.
type item struct{ at, end int }

// directives are the lines that open and close a block in a format.
type directives struct{ opens, closes []string }

var (
	htmlComments  = directives{[]string{"<!-- order -->"}, []string{"<!-- end -->"}}
	hashComments  = directives{[]string{"# order"}, []string{"# end"}}
	slashComments = directives{[]string{"# order", "// order"}, []string{"# end", "// end"}}
)

func among(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// nearly reports whether a line looks as if a directive was meant. It would be
// left in every copy and tell its reader where to look.
func nearly(list []string, s string) bool {
	squeeze := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }
	for _, l := range list {
		if squeeze(l) == squeeze(s) {
			return true
		}
	}
	return false
}

// cutBlocks cuts a source into text and blocks.
func (c *compiler) cutBlocks(d *document) []segment {
	var out []segment
	dir := d.format.directives
	var open *block
	start := 0 // of the segment being read
	for _, l := range lines(d.src, 0, len(d.src)) {
		s := strings.TrimSpace(d.src[l.at:l.end])
		kind, by := d.opensBlock(s)
		switch {
		case kind != noBlock && open != nil:
			c.refuse(d.path, l.at, sprintf("%s inside %s", kind, open.kind), sprintf("close the first with %q", dir.closes[0]))
		case kind != noBlock:
			out = append(out, segment{at: start, end: l.at})
			open, start = &block{kind: kind, at: l.at, by: by}, l.end
		case among(dir.closes, s) && open == nil:
			c.refuse(d.path, l.at, sprintf("%q closes no block", s), sprintf("remove it; if the comment is the text's own, word it in another way than %q", s))
		case among(dir.closes, s):
			out = append(out, c.cutBlock(d, open, start, l.at))
			open, start = nil, l.end
		case open != nil && open.kind == exampleBlock && s == d.format.directives.or():
			open.cuts = append(open.cuts, l)
		case d.nearlyOpens(s):
			c.refuse(d.path, l.at, sprintf("%s is not quite a directive", quote(s)), sprintf("write %q alone on its line", dir.opens[0]))
		}
	}
	if open != nil {
		c.refuse(d.path, open.at, sprintf("%s is opened and not closed", open.kind), sprintf("put %q on a line after the list", dir.closes[0]))
	}
	return append(out, segment{at: start, end: len(d.src)})
}

// cutBlock reads what stands between the directives.
func (c *compiler) cutBlock(d *document, b *block, from, to int) segment {
	s := segment{at: from, end: to, block: true}
	switch b.kind {
	case factsBlock:
		s.items = c.cutSentences(d, b.at, from, to)
	case exampleBlock:
		s.example = true
		s.items = c.cutExamples(d, b, from, to)
	default:
		s.items = c.cutItems(d, b.at, from, to)
	}
	return s
}

// cutItems finds the items of the block whose directive is at open.
func (c *compiler) cutItems(d *document, open, from, to int) []item {
	ls := lines(d.src, from, to)
	for len(ls) > 0 && d.blank(ls[0]) {
		ls = ls[1:]
	}
	for len(ls) > 0 && d.blank(ls[len(ls)-1]) {
		ls = ls[:len(ls)-1]
	}
	least, spaced := -1, false
	for _, l := range ls {
		if d.blank(l) {
			spaced = true
		} else if in := d.indent(l); least < 0 || in < least {
			least = in
		}
		if indent := d.src[l.at:l.end]; strings.HasPrefix(strings.TrimLeft(indent, " "), "\t") {
			c.refuse(d.path, l.at, "a tab in the indentation of a free list", "indent with spaces: tabs don't say how deep they are")
			return nil
		}
	}
	var out []item
	begins := true // the next least-indented line begins an item
	for _, l := range ls {
		switch {
		case d.blank(l):
			begins = true
		case d.indent(l) == least && (begins || !spaced):
			out = append(out, item(l))
			begins = false
		case len(out) == 0:
			c.refuse(d.path, l.at, "the first item of a free list is deeper than the others", "indent all items alike")
			return nil
		default:
			out[len(out)-1].end = l.end
			begins = false
		}
	}
	if len(out) < 2 {
		c.refuse(d.path, open, sprintf("a free list of %d items", len(out)), "an order needs two; four or a multiple of four carry most")
		return nil
	}
	return out
}

func (d *document) blank(l line) bool { return strings.TrimSpace(d.src[l.at:l.end]) == "" }

func (d *document) indent(l line) int {
	s := d.src[l.at:l.end]
	return len(s) - len(strings.TrimLeft(s, " "))
}

// checkItems refuses items that could not be moved, or not be told apart.
func (c *compiler) checkItems(d *document, items []item) bool {
	ok := true
	refuse := func(at int, what, do string) {
		c.refuse(d.path, at, what, do)
		ok = false
	}
	seen := map[string]bool{}
	for i, it := range items {
		text := d.src[it.at:it.end]
		folded := strings.Join(foldWords(text), " ")
		switch first := strings.TrimSpace(text); {
		case len(text) > maxItem:
			refuse(it.at, sprintf("an item of %d bytes", len(text)), sprintf("an item of a free list has at most %d", maxItem))
		case folded == "":
			refuse(it.at, "an item without a word", "items must be told apart by their words")
		case seen[folded]:
			refuse(it.at, "an item is the same as an earlier one once case and punctuation are folded", "items must be told apart by their words")
		case d.format.comment != "" && strings.HasPrefix(first, d.format.comment):
			refuse(it.at, "a comment in a free list", "put it outside the block: it would be moved like an item")
		case d.format.item != nil:
			if what, do := d.format.item(text, d.src[items[0].at:items[0].end]); what != "" {
				refuse(it.at, what, do)
			}
		}
		seen[folded] = true
		for _, p := range parseInline(d.src, it.at, it.end, refuse) {
			if p.alts != nil || p.alpha != 0 {
				refuse(p.at, "a mark inside an item of a free list", "mark the item's words or the list's order, not both")
			}
		}
		if !ok && i > 20 {
			break
		}
	}
	return ok
}

// maxItem leaves room for the end of line in a Form's alternative.
const maxItem = 60 << 10

// markdownItem refuses what would show that a list was re-ordered.
func markdownItem(text, first string) (what, do string) {
	t, f := strings.TrimSpace(text), strings.TrimSpace(first)
	switch {
	case numbered(t):
		return "a numbered item in a free list", "use - for items whose order says nothing"
	case bullet(t) != bullet(f):
		return "an item begins in another way than the first", "begin all with the same bullet, or none"
	case final(t) != final(f):
		return "an item ends in other punctuation than the first", "end all alike, or the last would show the order they were written in"
	}
	return "", ""
}

func numbered(s string) bool {
	rest := strings.TrimLeftFunc(s, unicode.IsDigit)
	return rest != s && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

func bullet(s string) byte {
	if len(s) > 1 && s[1] == ' ' && strings.IndexByte("-*+", s[0]) >= 0 {
		return s[0]
	}
	return 0
}

func final(s string) rune {
	var last rune
	for _, r := range s {
		last = r
	}
	if strings.ContainsRune(".,;:!?", last) {
		return last
	}
	return 0
}

// yamlItem keeps items and keys apart.
func yamlItem(text, first string) (what, do string) {
	dash := func(s string) bool { return strings.HasPrefix(strings.TrimSpace(s), "- ") }
	if dash(text) != dash(first) {
		return "a list item next to a key in a free list", "put the directives around items of one list, or keys of one mapping"
	}
	return "", ""
}

// codeItem lets elements of a literal move, and never a statement.
func codeItem(text, _ string) (what, do string) {
	if t := strings.TrimSpace(text); !strings.HasSuffix(t, ",") || strings.Contains(t, "\n") {
		return "an item of code that isn't one element on one line, ending in a comma", "only elements of a list or mapping may change order; statements never"
	}
	return "", ""
}
