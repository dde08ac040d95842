package plan

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// MinSVG is the least width that SVG draws in, px.
const MinSVG = 320

// SVG draws the power curves as one self-contained element: no script, nothing
// remote, light or dark as its reader prefers, ink on paper in print. Its
// description is the text twin.
func (p *Plan) SVG(width int) string {
	d := &drawing{p: p, width: float64(max(width, MinSVG)), left: 52, top: 74, height: 240}
	d.right = d.width - 122 // the key stands there
	d.titles()
	d.axes()
	for c := p.Colluders - 1; c >= 0; c-- { // one copy's curve over all others
		d.curve(c)
		d.key(c)
	}
	title := fmt.Sprintf("%s, by share of %s", heading, p.named())
	height := d.top + d.height + 38 + lineHeight*float64(d.foot)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" class="fw-plan" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-labelledby="plan-title" aria-describedby="plan-desc"><title id="plan-title">%s</title><desc id="plan-desc">%s</desc><style>%s</style>%s</svg>`,
		px(d.width), px(height), px(d.width), px(height), html.EscapeString(title), html.EscapeString(p.Words()), style, d.b.String())
}

// named is the text's name, or a word for it.
func (p *Plan) named() string {
	if p.Main == "" {
		return "the text"
	}
	return p.Main
}

type drawing struct {
	p                  *Plan
	width, left, right float64
	top, height        float64
	b                  strings.Builder
	labels             []float64 // where numbers of curves stand already
	foot               int       // lines below the axis
}

const heading = "Probability of accusing one of those who leaked"

// titles are what a picture that is passed on alone says of itself.
func (d *drawing) titles() {
	more := lineHeight * float64(d.lines("p-title", 8, 22, 7.8, heading)-1)
	fmt.Fprintf(&d.b, `<text class="p-soft" x="%s" y="%s">%d copies, family-wise %g, profile %v</text>`, px(8), px(40+more), d.p.Copies, d.p.Alpha, d.p.Profile)
	d.top += more
}

const lineHeight = 18.0

// lines writes words from a place on, in as many lines as the width takes where a
// character has about so many px, and gives how many they were.
func (d *drawing) lines(class string, x, y, each float64, words string) (n int) {
	line := ""
	write := func() {
		fmt.Fprintf(&d.b, `<text class="%s" x="%s" y="%s">%s</text>`, class, px(x), px(y+lineHeight*float64(n)), html.EscapeString(line))
		n++
	}
	for _, w := range strings.Fields(words) {
		if line != "" && x+each*float64(len(line)+1+len(w)) > d.width {
			write()
			line = ""
		}
		line = strings.TrimPrefix(line+" "+w, " ")
	}
	write()
	return n
}

func px(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func (d *drawing) x(of float64) float64  { return d.left + of*(d.right-d.left) }
func (d *drawing) y(one float64) float64 { return d.top + (1-one)*d.height }

func (d *drawing) axes() {
	for i := 0; i <= 4; i++ {
		y := d.y(float64(i) / 4)
		fmt.Fprintf(&d.b, `<path class="p-hair" d="M%s %sH%s"/><text class="p-soft" x="%s" y="%s" text-anchor="end">%d %%</text>`, px(d.left), px(y), px(d.right), px(d.left-8), px(y+4.5), 25*i)
	}
	y := d.y(Goal)
	fmt.Fprintf(&d.b, `<path class="p-goal" d="M%s %sH%s"/><text class="p-soft" x="%s" y="%s">%.0f %%: counts as traceable</text>`, px(d.left), px(y), px(d.right), px(d.left), px(d.top-8), 100*Goal)
	for _, t := range []struct {
		n     int
		label string
	}{{12, "1/12"}, {6, "1/6"}, {3, "1/3"}, {2, "1/2"}, {1, "all of it"}} {
		anchor, x := "middle", d.x(1/float64(t.n))
		if t.n == 1 {
			anchor = "end"
		}
		fmt.Fprintf(&d.b, `<path class="p-axis" d="M%s %sv5"/>`, px(x), px(d.y(0)))
		if t.n == 12 && d.x(1.0/6)-x < 28 {
			continue // the next label would stand on this one
		}
		fmt.Fprintf(&d.b, `<text class="p-soft" x="%s" y="%s" text-anchor="%s">%s</text>`, px(x), px(d.y(0)+20), anchor, t.label)
	}
	fmt.Fprintf(&d.b, `<path class="p-axis" d="M%s %sH%s"/>`, px(d.left), px(d.y(0)), px(d.right))
	d.foot = d.lines("p-soft", d.left, d.y(0)+42, 6.9, "share of "+d.p.named()+", contiguous, where fewest marks stand")
}

// dashes tell the curves apart without colour.
var dashes = []string{"none", "14 4", "8 4", "8 3 2 3", "2 4", "8 3 2 3 2 3"}

// label is a curve's name in the key.
func label(c int) string {
	if c == 0 {
		return "one copy"
	}
	return fmt.Sprintf("%d merged", c+1)
}

func (d *drawing) curve(c int) {
	var path strings.Builder
	fmt.Fprintf(&path, "M%s %s", px(d.x(0)), px(d.y(0)))
	for _, q := range d.p.Curve {
		fmt.Fprintf(&path, "L%s %s", px(d.x(q.Of)), px(d.y(q.Catch[c])))
	}
	fmt.Fprintf(&d.b, `<path class="p-curve p-%d" stroke-dasharray="%s" d="%s"><title>%s</title></path>`, c+1, dashes[c], path.String(), label(c))
	// Its number stands upon it, at a height where it climbs and no other's does.
	for _, level := range []float64{.5, .35, .65, .2, .8} {
		of, ok := d.p.passes(c, level)
		if x, y := d.x(of), d.y(level); ok && d.free(x, y) {
			d.labels = append(d.labels, x, y)
			fmt.Fprintf(&d.b, `<text class="p-name" x="%s" y="%s" text-anchor="middle">%d</text>`, px(x), px(y+4.5), c+1)
			return
		}
	}
}

// passes is the share at which a curve first has a probability; false if it never
// has.
func (p *Plan) passes(c int, level float64) (of float64, ok bool) {
	var before Point
	last := 0.0
	for _, q := range p.Curve {
		if one := q.Catch[c]; one >= level {
			return before.Of + (q.Of-before.Of)*(level-last)/(one-last), true
		}
		before, last = q, q.Catch[c]
	}
	return 0, false
}

// free reports that no number stands within its own size of a point.
func (d *drawing) free(x, y float64) bool {
	for i := 0; i < len(d.labels); i += 2 {
		if abs(d.labels[i]-x) < 14 && abs(d.labels[i+1]-y) < 16 {
			return false
		}
	}
	return true
}

// key draws a curve's line and name beside the picture, one copy's first.
func (d *drawing) key(c int) {
	x, y := d.right+14, d.top+10+24*float64(c)
	fmt.Fprintf(&d.b, `<path class="p-curve p-%d" stroke-dasharray="%s" d="M%s %sh36"/><text class="p-name" x="%s" y="%s">%s</text>`,
		c+1, dashes[c], px(x), px(y), px(x+42), px(y+4.5), label(c))
}

func abs(x float64) float64 { return max(x, -x) }

// Words is the picture in words.
func (p *Plan) Words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Profile %v, %d copies, family-wise alpha %g. ", p.Profile, p.Copies, p.Alpha)
	for _, x := range p.Parts {
		fmt.Fprintf(&b, "The %v of %s that holds least (lines %d to %d): %d sites; probability of accusing one", x.Share, p.Main, x.From, x.To, x.All.Sites)
		for c, one := range x.All.Catch {
			fmt.Fprintf(&b, "; of %d: %.0f %%", c+1, 100*one)
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}

// The curves differ by dashes, numbers and names, and never by colour alone. A page may set the
// properties; these are the fallbacks.
const style = `
.fw-plan{--p-ink:var(--ink,#1d1d1b);--p-soft:var(--soft,#63625d);--p-hair:var(--hair,#dedcd5);--p-paper:var(--paper,#fdfcfa);--p-accent:var(--accent,#1f5f7a);--p-2:#a4480f;--p-3:#2f7a3a;--p-4:#8a2f7d;--p-5:#7a6200;--p-6:#555;
background:var(--p-paper);font:13px/1.3 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;max-width:100%;height:auto;display:block}
@media (prefers-color-scheme:dark){.fw-plan{--p-ink:var(--ink,#e8e6e1);--p-soft:var(--soft,#a3a19a);--p-hair:var(--hair,#383733);--p-paper:var(--paper,#171715);--p-accent:var(--accent,#7fb8d1);--p-2:#eda06b;--p-3:#7fcb8a;--p-4:#dd9ad2;--p-5:#d9c25a;--p-6:#bbb}}
@media print{.fw-plan{--p-ink:#000;--p-soft:#444;--p-hair:#bbb;--p-paper:#fff;--p-accent:#1f5f7a;--p-2:#a4480f;--p-3:#2f7a3a;--p-4:#8a2f7d;--p-5:#7a6200;--p-6:#555}}
.fw-plan text{fill:var(--p-ink);font-size:13px}
.fw-plan .p-soft{fill:var(--p-soft)}
.fw-plan .p-hair{stroke:var(--p-hair);fill:none}
.fw-plan .p-axis{stroke:var(--p-soft);fill:none}
.fw-plan .p-goal{stroke:var(--p-ink);stroke-dasharray:5 4;fill:none}
.fw-plan .p-curve{stroke:var(--p-accent);stroke-width:2;fill:none;stroke-linejoin:round}
.fw-plan .p-title{font-weight:600}
.fw-plan .p-2{stroke:var(--p-2)}
.fw-plan .p-3{stroke:var(--p-3)}
.fw-plan .p-4{stroke:var(--p-4)}
.fw-plan .p-5{stroke:var(--p-5)}
.fw-plan .p-6{stroke:var(--p-6)}
.fw-plan .p-name{paint-order:stroke;stroke:var(--p-paper);stroke-width:5px;stroke-linejoin:round}
`
