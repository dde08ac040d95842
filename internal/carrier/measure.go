package carrier

import (
	"cmp"
	"slices"
	"strings"

	"forewarn/internal/fpcode"
)

// tally counts sites by class.
type tally map[fpcode.Class]*ClassReport

func (t tally) add(s *site) {
	if t[s.class] == nil {
		t[s.class] = &ClassReport{Class: s.class}
	}
	t[s.class].Sites++
	t[s.class].Bits += s.bits
}

func (t tally) report() (classes []ClassReport, sites uint32, bits Millibits) {
	for _, r := range t {
		classes = append(classes, *r)
		sites += r.Sites
		bits += r.Bits
	}
	slices.SortFunc(classes, func(a, b ClassReport) int { return cmp.Compare(a.Class, b.Class) })
	return classes, sites, bits
}

// report measures the documents as they stand in one rendering.
func (c *compiler) report(docs []*document) Report {
	r := Report{Tokens: uint32(len(c.slots)), Warnings: c.warnings}
	whole := tally{}
	for _, s := range c.sites {
		whole.add(s)
	}
	r.Classes, r.Sites, r.Bits = whole.report()
	for _, d := range docs {
		f := d.report()
		r.Files = append(r.Files, f)
		r.Bytes += f.Bytes
		if f.Untraceable() {
			r.Untraceable += f.Bytes
		}
	}
	return r
}

func (d *document) report() FileReport {
	text := d.renderWith(all(0))
	f := FileReport{Path: d.path, Level: d.level, Format: d.format.name, Bulk: d.bulk, Bytes: uint64(len(text))}
	sites, seen, slots := tally{}, map[*site]bool{}, map[string]bool{}
	for i := range d.pieces {
		p := &d.pieces[i]
		if p.site != nil && !seen[p.site] {
			seen[p.site] = true
			sites.add(p.site)
		}
		if p.alpha != 0 {
			slots[p.slot] = true
		}
	}
	f.Classes, f.Sites, f.Bits = sites.report()
	f.Tokens = uint32(len(slots))
	if !d.bulk {
		f.Words = uint32(len(strings.Fields(text)))
	} else {
		f.Format = "bulk"
	}
	if f.Prose = d.format.prose && !d.bulk; f.Prose {
		f.Third = d.leastThird(len(text))
	}
	return f
}

// stretch is what must be in view, in bytes of a rendering, to read a site once.
type stretch struct {
	at, end int
	site    *site
}

// stretches lists the document's: of a choice each place, of an order the whole
// from its first place to its last.
func (d *document) stretches() (out []stretch) {
	group := map[*site]int{}
	at := 0
	for i := range d.pieces {
		p := &d.pieces[i]
		end := at + len(p.text(all(0)))
		if p.site != nil {
			if j, seen := group[p.site]; seen && p.site.order {
				out[j].end = end
			} else {
				group[p.site] = len(out)
				out = append(out, stretch{at, end, p.site})
			}
		}
		at = end
	}
	return out
}

// leastThird slides a window of a third of the text over all of it. The amount
// in view falls only where a stretch leaves, so those places are enough.
func (d *document) leastThird(length int) Third {
	in := d.stretches()
	byEnd := slices.Clone(in)
	slices.SortFunc(byEnd, func(a, b stretch) int { return cmp.Compare(a.end, b.end) })
	window := length / 3
	inView := map[*site]int{}
	var sites uint32
	var bits Millibits
	show := func(s *site) {
		if inView[s]++; inView[s] == 1 {
			sites++
			bits += s.bits
		}
	}
	hide := func(s *site) {
		if inView[s]--; inView[s] == 0 {
			sites--
			bits -= s.bits
		}
	}
	var least Third
	leastAt, entered := 0, 0
	look := func(at int, first bool) {
		// What ends in the window but began before it has left already, or never
		// was in view.
		for ; entered < len(byEnd) && byEnd[entered].end <= at+window; entered++ {
			if byEnd[entered].at >= at {
				show(byEnd[entered].site)
			}
		}
		if first || sites < least.Sites {
			least.Sites = sites
		}
		if first || bits < least.Bits {
			least.Bits, leastAt = bits, at
		}
	}
	look(0, true)
	for _, s := range in { // sorted by where they begin
		if s.at+1+window > length {
			break
		}
		if s.end <= s.at+window {
			// It was shown when the window reached its end, unless that is still
			// ahead; bring the window to its beginning first.
			look(s.at, false)
			hide(s.site)
		}
		look(s.at+1, false)
	}
	line, _ := position(d.src, d.sourceOffset(leastAt, all(0)))
	least.Line = uint32(line)
	return least
}
