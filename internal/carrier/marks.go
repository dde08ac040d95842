package carrier

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// autoSlot begins the slots of tokens that the author didn't name.
const autoSlot = "auto."

// readMarks cuts a document into pieces and gives its sites and slots their
// identities.
func (c *compiler) readMarks(d *document, pointers []ListOrder) {
	if d.bulk {
		d.pieces = []piece{{end: len(d.src), literal: d.src}}
		return
	}
	var segments []segment
	if d.format.json {
		segments = c.cutLists(d, pointers)
	} else {
		segments = c.cutBlocks(d)
	}
	n := numbering{}
	for _, s := range segments {
		if s.example {
			if c.readExample(d, s, n); c.full {
				return
			}
			continue
		}
		if s.block {
			if c.readOrder(d, s, n); c.full {
				return
			}
			continue
		}
		for _, m := range parseInline(d.src, s.at, s.end, func(at int, what, do string) { c.refuse(d.path, at, what, do) }) {
			if c.readInline(d, m, n); c.full {
				return
			}
		}
	}
}

// numbering tells equal marks of one document apart by how many came before.
type numbering map[[32]byte]uint32

func (n numbering) next(digest [32]byte) (i uint32) {
	i = n[digest]
	n[digest]++
	return i
}

// siteID is SHA-256 over a label, texts and a number, cut to 16 bytes:
//
//	choice, named      "forewarn/site/named/v1"   name, number of alternatives
//	choice, unnamed    "forewarn/site/choice/v1"  path, alternatives sorted, how many equal ones came before
//	value              "forewarn/site/fact/v1"    path, kind, value, its ways as written, how many equal ones came before
//	example            "forewarn/site/example/v1" path, examples sorted, how many equal ones came before
//	group of a list    "forewarn/site/order/v1"   path, items sorted, how many equal ones came before
//
// A site that keeps its texts keeps its id from revision to revision, wherever
// else the source changed.
func siteID(label string, texts []string, number uint32) fpcode.SiteID {
	sum := textsDigest(label, texts, number)
	return fpcode.SiteID(sum[:16])
}

func textsDigest(label string, texts []string, number uint32) (out [32]byte) {
	h := sha256.New()
	h.Write([]byte(label))
	for _, t := range texts {
		writeText(h, t)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], number)
	h.Write(b[:])
	h.Sum(out[:0])
	return out
}

// readInline adds a piece of running text to the document.
func (c *compiler) readInline(d *document, m inline, n numbering) {
	p := piece{at: m.at, end: m.end}
	if (m.alpha != 0 || m.alts != nil) && !c.checkNotComment(d, m) {
		return
	}
	switch {
	case m.alpha != 0:
		p.alpha, p.slot = m.alpha, m.name
		if p.slot == "" {
			digest := textsDigest("forewarn/slot/v1", []string{d.path}, 0)
			sum := textsDigest("forewarn/slot/v1", []string{d.path}, n.next(digest))
			p.slot = autoSlot + hex.EncodeToString(sum[:8])
		}
		if !c.claimSlot(d, p) {
			return
		}
	case m.alts != nil:
		if !c.checkChoice(d, m) || !c.checkInCode(d, m) {
			return
		}
		p.alts = m.alts
		s := &site{class: d.format.choice, q: len(m.alts), name: m.name}
		switch {
		case m.name != "":
			s.id = siteID("forewarn/site/named/v1", []string{m.name}, uint32(s.q))
		case m.fact != nil:
			texts := []string{d.path, m.fact.name, m.value}
			s.id = siteID("forewarn/site/fact/v1", append(texts, p.alts...), n.next(textsDigest("fact", texts, 0)))
		default:
			p.alts = slices.Sorted(slices.Values(m.alts))
			texts := append([]string{d.path}, p.alts...)
			s.id = siteID("forewarn/site/choice/v1", texts, n.next(textsDigest("choice", texts, 0)))
		}
		if p.site = c.claimSite(d, m.at, s); p.site == nil {
			return
		}
	default:
		p.literal = m.literal
	}
	d.pieces = append(d.pieces, p)
}

// checkChoice refuses alternatives that don't fit their place or one another.
func (c *compiler) checkChoice(d *document, m inline) bool {
	if part := d.gluedTo(m); part != "" {
		c.refuse(d.path, m.at, sprintf("the choice is part of %s", quote(part)), "let alternatives be whole words, with a space or punctuation around them, and no part of a name or address")
		return false
	}
	texts := make([]string, len(m.alts))
	for i, raw := range m.alts {
		if raw == "" {
			c.refuse(d.path, m.altsAt[i], "an empty alternative", "a word that is there or not is too easily lost; give another wording")
			return false
		}
		text, what := d.format.checkAlternative(raw)
		if what != "" {
			c.refuse(d.path, m.altsAt[i], what, "use words; keep markup and syntax outside the mark")
			return false
		}
		texts[i] = text
	}
	if m.fact != nil {
		return true // parseFact read each way back
	}
	if which, what, do, ok := gate(texts); !ok {
		c.refuse(d.path, m.altsAt[which], what, do)
		return false
	}
	for i := range texts {
		for j := range texts[:i] {
			if similar(texts[i], texts[j]) {
				c.warn(d, m.altsAt[i], sprintf("%q and %q differ by a letter or two: a misread copy turns one into the other", texts[j], texts[i]))
			}
		}
	}
	return true
}

// gluedTo is the word, name or address that a choice is a part of, or "". What
// touches letters on its outside makes words that no alternative shows alone, and
// an address with a choice in it would send members to different places.
func (d *document) gluedTo(m inline) string {
	const near = 200
	left, right := d.src[max(0, m.at-near):m.at], d.src[m.end:min(len(d.src), m.end+near)]
	if d.format.json {
		left, right = jsonEscapes.Replace(left), jsonEscapes.Replace(right)
	}
	delimits := func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("\"'`“”‘’„«»()[]<>—–…*,;|", r)
	}
	if i := strings.LastIndexFunc(left, delimits); i >= 0 {
		_, n := utf8.DecodeRuneInString(left[i:])
		left = left[i+n:]
	}
	if i := strings.IndexFunc(right, delimits); i >= 0 {
		right = right[:i]
	}
	if d.format.words {
		// Code writes many words without spaces.
		last, _ := utf8.DecodeLastRuneInString(left)
		first, _ := utf8.DecodeRuneInString(right)
		left, right = keepWord(last), keepWord(first)
	}
	inside := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '{' || r == '}' }
	if strings.ContainsFunc(left, inside) || strings.ContainsFunc(right, inside) {
		return left + d.src[m.at:m.end] + right
	}
	return ""
}

func keepWord(r rune) string {
	if r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || r == '{' || r == '}' {
		return "a"
	}
	return ""
}

// jsonEscapes blanks escapes, so that the n of a line end is no letter.
var jsonEscapes = strings.NewReplacer(`\\`, "  ", `\n`, "  ", `\t`, "  ", `\r`, "  ", `\b`, "  ", `\f`, "  ", `\"`, "  ", `\/`, "/")

// claimSite registers a site, or finds the one of the same name.
func (c *compiler) claimSite(d *document, at int, s *site) *site {
	s.in, s.at = d, at
	if s.name != "" {
		old := c.named[s.name]
		if old == nil {
			c.named[s.name] = s
		} else if old.q != s.q || old.class != s.class {
			c.refuse(d.path, at, sprintf("the choice %q has %d alternatives of class %v here and %d of class %v at %s", s.name, s.q, s.class, old.q, old.class, old.place()),
				"give both the same number and kind of file, or two names")
			return nil
		} else {
			return old
		}
	}
	if len(c.sites) == form.MaxSites {
		c.overfull(d, at)
		return nil
	}
	if c.sites[s.id] != nil {
		// 128 bits of SHA-256 over distinct texts.
		c.refuse(d.path, at, "this mark has the identity of another", "give it a name: {{#name …}}")
		return nil
	}
	c.sites[s.id] = s
	return s
}

// overfull refuses a source with more marks than a Form has room for, and keeps
// compile from going on.
func (c *compiler) overfull(d *document, at int) {
	c.refuse(d.path, at, sprintf("more than %d marks", form.MaxSites), "make the package smaller, or give it fewer marks")
	c.full = true
}

// claimSlot registers a token's slot: one name, one alphabet.
func (c *compiler) claimSlot(d *document, p piece) bool {
	if old, taken := c.slots[p.slot]; taken && old != p.alpha {
		c.refuse(d.path, p.at, sprintf("the token %q is %v here and %v elsewhere", p.slot, p.alpha, old), "give it one alphabet, or two names")
		return false
	}
	c.slots[p.slot] = p.alpha
	return true
}

// readOrder adds a free list: what stands between its items stays.
func (c *compiler) readOrder(d *document, s segment, n numbering) {
	if len(c.sites)+len(s.items)/groupOf(c.profile) > form.MaxSites {
		c.overfull(d, s.at)
		return
	}
	if len(s.items) == 0 || !c.checkItems(d, s.items) {
		return
	}
	texts := make([]string, len(s.items))
	for i, it := range s.items {
		for _, p := range parseInline(d.src, it.at, it.end, func(int, string, string) {}) {
			texts[i] += p.literal // with {{{{ read as {{
		}
	}
	places := make([]piece, len(s.items))
	for i, it := range s.items {
		places[i] = piece{at: it.at, end: it.end, literal: texts[i]}
	}
	for _, g := range groups(c.bias, d.path, texts, groupOf(c.profile)) {
		var items []string
		for _, i := range g {
			items = append(items, texts[i])
		}
		slices.Sort(items)
		q := len(orders[len(g)])
		key := append([]string{d.path}, items...)
		group := c.claimSite(d, s.items[g[0]].at, &site{
			class: d.format.order, q: q, order: true,
			id: siteID("forewarn/site/order/v1", key, n.next(textsDigest("order", key, 0))),
		})
		if group == nil {
			return
		}
		for place, i := range g {
			alts := make([]string, q)
			for o, order := range orders[len(g)] {
				alts[o] = items[order[place]]
			}
			places[i].site, places[i].alts, places[i].literal = group, alts, ""
		}
	}
	at := s.at
	for i, p := range places {
		if at < p.at {
			d.pieces = append(d.pieces, piece{at: at, end: p.at, literal: d.src[at:p.at]})
		}
		d.pieces = append(d.pieces, p)
		at = s.items[i].end
	}
	if at < s.end {
		d.pieces = append(d.pieces, piece{at: at, end: s.end, literal: d.src[at:s.end]})
	}
}

// cutLists cuts a JSON source into text and the lists that the manifest names.
func (c *compiler) cutLists(d *document, pointers []ListOrder) []segment {
	whole := []segment{{end: len(d.src)}}
	root, err := parseJSON(d.src)
	if err != nil {
		// Marks stand inside strings, so the source itself is JSON too.
		at := 0
		if s, ok := err.(*syntaxError); ok {
			at = s.at
		}
		c.refuse(d.path, at, "not JSON: "+err.Error(), "mend it; marks stand inside strings, and a quote in an alternative is written \\\"")
		return nil
	}
	var lists []segment
	for _, o := range pointers {
		list := root.pointer(o.Pointer)
		switch {
		case list == nil:
			c.refuse(ManifestPath, 0, sprintf("order: %s has nothing at %s", o.File, quote(o.Pointer)), "name a list by its RFC 6901 pointer, as in /document/references")
			continue
		case list.kind != listKind:
			c.refuse(ManifestPath, 0, sprintf("order: %s %s isn't a list", o.File, quote(o.Pointer)), "name a list")
			continue
		case len(list.items) < 2:
			c.refuse(ManifestPath, 0, sprintf("order: %s %s has %d items", o.File, quote(o.Pointer), len(list.items)), "an order needs two; four or a multiple of four carry most")
			continue
		}
		s := segment{at: list.at, end: list.end, block: true}
		for _, v := range list.items {
			s.items = append(s.items, item{v.at, v.end})
		}
		lists = append(lists, s)
	}
	slices.SortFunc(lists, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	var out []segment
	at := 0
	for _, s := range lists {
		if s.at < at {
			c.refuse(d.path, s.at, "a free list inside another, or named twice", "name one of them in "+ManifestPath)
			return whole
		}
		out = append(out, segment{at: at, end: s.at}, s)
		at = s.end
	}
	return append(out, segment{at: at, end: len(d.src)})
}

// lookAround warns of marks that a reader of damaged text will find hard to
// tell apart, and of braces that look like half a mark.
func (c *compiler) lookAround(d *document) {
	if !d.format.prose || d.bulk {
		return
	}
	words := 2 // literal words since the last choice
	for i := range d.pieces {
		switch p := &d.pieces[i]; {
		case p.site != nil && !p.site.order:
			if words < 2 {
				c.warn(d, p.at, "fewer than two words stand between this choice and the one before: damage to one spoils both")
			}
			words = 0
		case p.site != nil || p.alpha != 0:
			words = 2
		default:
			words += len(foldWords(p.literal))
			if at := strings.Index(p.literal, closing); at >= 0 && p.literal != opening {
				c.warn(d, p.at+at, "}} closes nothing here; it will stand in every copy")
			}
		}
	}
}
