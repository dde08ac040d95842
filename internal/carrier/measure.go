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
		l := d.layout(len(text))
		least := l.Least(len(text)/3, nil)
		f.Third = Third{Sites: least.Sites, Bits: least.Bits, Line: l.Line(least.At)}
	}
	return f
}
