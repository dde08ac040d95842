package carrier

import (
	"regexp"
	"slices"
	"strings"
)

// A block of examples holds two to four of which a copy shows one:
//
//	<!-- example: Mira Lindqvist -->
//	In one such case the folder was written to within a minute.
//	<!-- or -->
//	One site saw the folder change twice in a night.
//	<!-- end -->
//
// They say different things, so the gate of meaning has no part in it. All of
// them are true, and the person who is named answers for that; the name stands in
// the source and in no copy.
//
// Members must be able to do the same with their copies, whichever example they
// got. So examples may differ in what they tell, and not in an identifier, a
// version, an address or a path: each member would look for another.

// cutExamples finds the examples of a block.
func (c *compiler) cutExamples(d *document, b *block, from, to int) []item {
	if !ValidPerson(b.by) {
		c.refuse(d.path, b.at, "examples that nobody answers for", sprintf("write %q with the name of the person who knows that all of them are true", d.format.directives.comment("example: Name")))
		return nil
	}
	var out []item
	at := from
	for _, cut := range append(slices.Clone(b.cuts), line{to, to}) {
		text := d.src[at:cut.at]
		lead := len(text) - len(strings.TrimLeft(text, "\n"))
		kept := strings.TrimRight(text, " \n")
		if len(kept) < lead {
			c.refuse(d.path, at, "an empty example", "put a true example between the lines")
			return nil
		}
		// With its line end, which all have: a directive follows on the next line.
		end := len(kept) + strings.IndexByte(text[len(kept):], '\n') + 1
		out = append(out, item{at + lead, at + end})
		at = cut.end
	}
	if n := len(out); n < 2 || n > maxAlternatives {
		c.refuse(d.path, b.at, sprintf("a block of %d examples", n), sprintf("give 2 to %d, with %q between them", maxAlternatives, d.format.directives.or()))
		return nil
	}
	return out
}

// readExample adds a choice between examples to the document.
func (c *compiler) readExample(d *document, s segment, n numbering) {
	if len(s.items) == 0 || !c.checkExamples(d, s.items) {
		return
	}
	p := piece{at: s.items[0].at, end: s.items[len(s.items)-1].end}
	for _, it := range s.items {
		text := ""
		for _, l := range parseInline(d.src, it.at, it.end, func(int, string, string) {}) {
			text += l.literal
		}
		p.alts = append(p.alts, text)
	}
	slices.Sort(p.alts)
	key := append([]string{d.path}, p.alts...)
	p.site = c.claimSite(d, p.at, &site{
		class: d.format.choice, q: len(p.alts),
		id: siteID("forewarn/site/example/v1", key, n.next(textsDigest("example", key, 0))),
	})
	if p.site != nil {
		d.pieces = append(d.pieces, p)
	}
}

// checkExamples refuses examples that can't be told apart, or whose readers
// could not do the same.
func (c *compiler) checkExamples(d *document, items []item) bool {
	ok := true
	refuse := func(at int, what, do string) {
		c.refuse(d.path, at, what, do)
		ok = false
	}
	first := d.src[items[0].at:items[0].end]
	for i, it := range items {
		text := d.src[it.at:it.end]
		for _, p := range parseInline(d.src, it.at, it.end, refuse) {
			if p.alts != nil || p.alpha != 0 {
				refuse(p.at, "a mark inside an example", "mark the example's words or which is shown, not both")
			}
		}
		words := foldWords(text)
		switch {
		case len(text) > maxItem:
			refuse(it.at, sprintf("an example of %d bytes", len(text)), sprintf("an example has at most %d", maxItem))
		case len(words) < 3:
			refuse(it.at, "an example of fewer than three words", "tell more of it: so few are easily lost")
		case mixedScript(text) != "":
			refuse(it.at, sprintf("the word %q mixes letters of two scripts", mixedScript(text)), "write it in one: look-alike letters break searches and commands")
		}
		for _, other := range items[:i] {
			if o := foldWords(d.src[other.at:other.end]); contains(o, words) || contains(words, o) {
				refuse(it.at, "an example holds another, or is the same once case and punctuation are folded", "give examples that differ")
				break
			}
		}
		if a, b := keys(first), keys(text); !slices.Equal(a, b) {
			refuse(it.at, sprintf("two examples differ in an identifier (%s against %s)", listed(a), listed(b)), "name it outside of the block, for everybody: members look for what they were told")
		}
		if !ok {
			break
		}
	}
	return ok
}

var plainNumber = regexp.MustCompile(`^[0-9]{1,3}(,?[0-9]{3})*(\.[0-9]{1,2})?%?$`)

// keys are the identifiers of a text that its readers may search for or block:
// all but plain numbers.
func keys(s string) []string {
	return slices.Compact(slices.DeleteFunc(identifiers(s), plainNumber.MatchString))
}

// Voucher is a block of examples and the person who answers for them.
type Voucher struct {
	Path     string
	Line     uint32
	By       string
	Examples uint32
}

// Vouchers lists the blocks of examples of a source that compiles, by file and
// line.
func Vouchers(src Source) (out []Voucher) {
	for _, f := range src.Files {
		d := &document{path: f.Path, src: string(f.Data)}
		if d.format = formatOf(d.path, d.src); !d.format.prose {
			continue
		}
		var open *Voucher
		for _, l := range lines(d.src, 0, len(d.src)) {
			s := strings.TrimSpace(d.src[l.at:l.end])
			switch kind, by := d.opensBlock(s); {
			case kind == exampleBlock:
				at, _ := position(d.src, l.at)
				open = &Voucher{f.Path, uint32(at), by, 1}
			case open != nil && s == d.format.directives.or():
				open.Examples++
			case open != nil && among(d.format.directives.closes, s):
				out, open = append(out, *open), nil
			}
		}
	}
	return out
}
