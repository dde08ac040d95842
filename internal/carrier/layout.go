package carrier

import (
	"cmp"
	"slices"

	"forewarn/internal/fpcode"
)

// Layout is where the marks of one file stand, in bytes of one rendering: what a
// plan of marks is made from.
type Layout struct {
	Path   string
	Prose  bool // running text, of which an excerpt may leak
	Length int
	Places []Place // by where they begin
	sites  int
	line   func(off int) uint32
}

// Place is what must be in view to read a site once: of a choice each place, of an
// order the whole from its first place to its last.
type Place struct {
	At, End int
	Site    int // equal for the places of one site
	Class   fpcode.Class
	Bits    Millibits
}

// Line is the line of the source that an offset of the rendering comes from.
func (l *Layout) Line(off int) uint32 { return l.line(off) }

// Lay compiles a source as CompileFor does, and gives the layouts of its files,
// sorted by path, instead of a Form.
func Lay(src Source, bias fpcode.Key, profile fpcode.Profile) (*Manifest, Report, []Layout, error) {
	c := newCompiler(bias, profile)
	_, m, r := c.compile(src)
	if len(c.refusals) > 0 {
		c.refusals.sort()
		return nil, Report{}, nil, c.refusals
	}
	var out []Layout
	for _, d := range c.docs {
		l := d.layout(len(d.renderWith(all(0))))
		l.Prose = d.format.prose && !d.bulk
		out = append(out, l)
	}
	return m, r, out, nil
}

// layout lists the document's places.
func (d *document) layout(length int) Layout {
	l := Layout{Path: d.path, Length: length, line: func(off int) uint32 {
		line, _ := position(d.src, d.sourceOffset(off, all(0)))
		return uint32(line)
	}}
	group := map[*site]int{}
	number := map[*site]int{}
	at := 0
	for i := range d.pieces {
		p := &d.pieces[i]
		end := at + len(p.text(all(0)))
		if p.site != nil {
			if j, seen := group[p.site]; seen && p.site.order {
				l.Places[j].End = end
			} else {
				if !seen {
					number[p.site] = len(number)
				}
				group[p.site] = len(l.Places)
				l.Places = append(l.Places, Place{at, end, number[p.site], p.site.class, p.site.bits})
			}
		}
		at = end
	}
	l.sites = len(number)
	return l
}

// View is what a window holds. A site counts once, when it can be read from the
// window alone: a choice with all of its words, an order with all of its items.
type View struct {
	Sites uint32
	Bits  Millibits
	At    int // where the window of least bits begins
}

// Least is the least that any contiguous window of so many bytes holds of the
// classes that count; nil counts all. The least sites may be those of another
// window than the least bits.
//
// The amount in view falls only where a place leaves, so the windows that begin
// there are enough.
func (l *Layout) Least(window int, counts func(fpcode.Class) bool) View {
	var in []Place
	for _, p := range l.Places {
		if counts == nil || counts(p.Class) {
			in = append(in, p)
		}
	}
	byEnd := slices.Clone(in)
	slices.SortFunc(byEnd, func(a, b Place) int { return cmp.Compare(a.End, b.End) })
	inView := make([]int, l.sites)
	var now, least View
	show := func(p Place) {
		if inView[p.Site]++; inView[p.Site] == 1 {
			now.Sites++
			now.Bits += p.Bits
		}
	}
	hide := func(p Place) {
		if inView[p.Site]--; inView[p.Site] == 0 {
			now.Sites--
			now.Bits -= p.Bits
		}
	}
	entered := 0
	look := func(at int, first bool) {
		// What ends in the window but began before it has left already, or never
		// was in view.
		for ; entered < len(byEnd) && byEnd[entered].End <= at+window; entered++ {
			if byEnd[entered].At >= at {
				show(byEnd[entered])
			}
		}
		if first || now.Sites < least.Sites {
			least.Sites = now.Sites
		}
		if first || now.Bits < least.Bits {
			least.Bits, least.At = now.Bits, at
		}
	}
	look(0, true)
	for _, p := range in {
		if p.At+1+window > l.Length {
			break
		}
		if p.End <= p.At+window {
			// It was shown when the window reached its end, unless that is still
			// ahead; bring the window to its beginning first.
			look(p.At, false)
			hide(p)
		}
		look(p.At+1, false)
	}
	return least
}

// Flat is a layout without places, whose lines are its offsets: to be filled by
// who tries out what more marks would do.
func Flat(path string, length int) *Layout {
	return &Layout{Path: path, Prose: true, Length: length, line: func(off int) uint32 { return uint32(off) }}
}

// Count says how many sites there are, after Places were changed.
func (l *Layout) Count(sites int) { l.sites = sites }
