package timeline

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"forewarn/internal/entrylog"
)

// Options say how wide a picture is, and make the ids in it unique where a page
// has more than one.
type Options struct {
	Width int    // px, at least MinSVG; labels stand above their lanes below 600
	ID    string // letters and digits; empty: "timeline"
}

// MinSVG is the least width that SVG draws in.
const MinSVG = 280

// Sizes in px.
const (
	fontSize  = 13
	charWidth = 6.9 // of the fallback's widest common face, so that labels never touch
	laneStep  = 32
	barHeight = 18.0
	labelGap  = 18 // between lines of labels
	ownLine   = 16 // a lane's label on a line of its own
)

// SVG draws the model as one self-contained element: no script, nothing remote,
// light or dark as its reader prefers, ink on paper in print. Its description
// is the text twin. Every mark tells its entry when hovered or focused.
func SVG(m Model, o Options) string {
	if o.ID == "" {
		o.ID = "timeline"
	}
	d := &drawing{m: m, axis: newAxis(m), id: o.ID, width: float64(max(o.Width, MinSVG))}
	if d.width >= 600 {
		d.left = 148
	} else {
		d.left, d.stacked = 2, true
	}
	d.right = d.width - 10
	d.rules()
	for _, b := range m.Bands {
		d.band(b)
	}
	d.fetches()
	d.answers()
	own, rest := shared(m.Sightings)
	for i, s := range own {
		d.lane(sightingLabel(i, len(own)), "")
		d.sighting(s, true)
	}
	if len(rest) > 0 {
		d.lane(count(len(rest), "more sighting"), "")
		for _, s := range rest {
			d.sighting(s, false)
		}
	}
	duties, more := shared(m.Duties)
	for _, u := range duties {
		d.lane("Onward duty", u.Who)
		d.duty(u, true)
	}
	if len(more) > 0 {
		d.lane(fmt.Sprintf("%d more duties", len(more)), "")
		for _, u := range more {
			d.duty(u, false)
		}
	}
	return d.finish()
}

type drawing struct {
	m       Model
	axis    axis
	id      string
	width   float64
	left    float64 // of the picture
	right   float64
	stacked bool
	top     float64 // of the lanes
	y       float64 // middle of the current lane
	bottom  float64 // below the current lane
	lines   []svgRule
	under   strings.Builder // hairlines, behind everything
	body    strings.Builder
}

type svgRule struct {
	x      float64
	what   string
	when   string
	tip    string
	broken bool
	line   int // of its label, from the lanes up
	start  float64
	end    float64
}

func (d *drawing) x(t time.Time) float64 { return d.left + d.axis.x(t)*(d.right-d.left) }

func px(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// safe is s without what XML does not allow, escaped.
func safe(s string) string { return html.EscapeString(clip(s, 400)) }

func textWidth(s string) float64 { return charWidth * float64(utf8.RuneCountInString(s)) }

// rules lays out the labels of vertical rules, and where the lanes begin.
func (d *drawing) rules() {
	add := func(p Point, what string, broken bool) {
		if p.At.IsZero() {
			return
		}
		label := what
		if p.Label != "" {
			label = p.Label
		}
		r := svgRule{x: d.x(p.At), what: what, when: p.At.UTC().Format("2 Jan 15:04"), tip: tip(label, stamp(p.At), p.Entry), broken: broken}
		for i, o := range d.lines {
			if o.x == r.x && o.broken == broken {
				d.lines[i].what += ", " + what
				d.lines[i].tip += "; " + r.tip
				return
			}
		}
		d.lines = append(d.lines, r)
	}
	add(d.m.Report, "report", false)
	add(d.m.Patch, "patch", false)
	add(d.m.Release, d.m.release(), false)
	if d.m.Broken {
		add(d.m.EmbargoAt, "embargo broken", true)
	} else {
		add(d.m.EmbargoAt, "embargo ends", false)
	}
	slices.SortStableFunc(d.lines, func(a, b svgRule) int { return int(10 * (a.x - b.x)) })
	height := 0
	for i := range d.lines {
		r := &d.lines[i]
		w := textWidth(r.what + " " + r.when)
		r.start, r.end = r.x+5, r.x+5+w
		if r.end > d.width {
			r.start, r.end = max(0, r.x-5-w), r.x-5
		}
		for r.line = 0; !d.fits(i) && r.line < 20; r.line++ {
		}
		height = max(height, r.line+1)
	}
	d.top = float64(height)*labelGap + 6
	d.bottom = d.top
}

// fits reports whether rule i's label touches no earlier rule's label or line.
func (d *drawing) fits(i int) bool {
	r := d.lines[i]
	for _, o := range d.lines[:i] {
		if o.line == r.line && r.start < o.end+6 && o.start < r.end+6 ||
			o.line > r.line && o.x > r.start-3 && o.x < r.end+3 ||
			r.line > o.line && r.x > o.start-3 && r.x < o.end+3 {
			return false
		}
	}
	return true
}

func tip(what, when string, e entrylog.Seq) string {
	s := what + " · " + when
	if t := entries(e, e); t != "" {
		s += " · " + t
	}
	return s
}

// lane begins a new lane.
func (d *drawing) lane(name, more string) {
	if d.stacked {
		d.bottom += ownLine
		fmt.Fprintf(&d.body, `<text class="tl-name tl-halo" x="0" y="%s">%s <tspan class="tl-more">%s</tspan></text>`, px(d.bottom-3), safe(name), safe(more))
		d.y = d.bottom + laneStep/2 - 4
		d.bottom += laneStep - 4
	} else {
		d.y = d.bottom + laneStep/2
		d.bottom += laneStep
		fmt.Fprintf(&d.body, `<text class="tl-name" x="0" y="%s">%s <tspan class="tl-more">%s</tspan></text>`, px(d.y+4.5), safe(name), safe(more))
	}
	fmt.Fprintf(&d.under, `<path class="tl-hair" d="M0 %sH%s"/>`, px(d.bottom), px(d.width))
}

// mark is a group that tells what it is.
func (d *drawing) mark(class, tip string, focus bool, shape string) {
	tab := ""
	if focus {
		tab = ` tabindex="0" role="img" aria-label="` + safe(tip) + `"`
	}
	fmt.Fprintf(&d.body, `<g class="tl-mark %s"%s><title>%s</title>%s<text class="tl-tip" x="0" y="@@">%s</text></g>`, class, tab, safe(tip), shape, safe(clip(tip, int(d.width/charWidth))))
}

// note is text after x, or before it where there is no room.
func (d *drawing) note(x, back float64, s string) string {
	w := textWidth(s)
	// After it where there is room, but rather before it than across a rule.
	if x+w <= d.right && (d.clear(x, x+w) || back-w < d.left || !d.clear(back-w, back)) {
		return fmt.Sprintf(`<text class="tl-note" x="%s" y="%s">%s</text>`, px(x), px(d.y+4.5), safe(s))
	}
	if back-w >= d.left {
		class := "tl-note"
		if !d.clear(back-w, back) {
			class += " tl-halo" // no side is free of rules
		}
		return fmt.Sprintf(`<text class="%s" x="%s" y="%s" text-anchor="end">%s</text>`, class, px(back), px(d.y+4.5), safe(s))
	}
	return ""
}

// clear reports whether no rule runs between two places.
func (d *drawing) clear(a, b float64) bool {
	return !slices.ContainsFunc(d.lines, func(r svgRule) bool { return r.x > a-2 && r.x < b+2 })
}

func (d *drawing) band(b Band) {
	d.lane(b.Label, b.Level)
	x, end := d.x(b.Opens), d.right
	if !b.Ends.IsZero() {
		end = d.x(b.Ends)
	}
	y := d.y - barHeight/2
	shape := fmt.Sprintf(`<rect class="tl-open" x="%s" y="%s" width="%s" height="%s"/><rect class="tl-edge" x="%s" y="%s" width="3" height="%s"/>`,
		px(x), px(y), px(max(end-x, 3)), px(barHeight), px(x), px(y), px(barHeight))
	holders := count(b.Holders, "holder")
	w := textWidth(holders)
	inside := fmt.Sprintf(`<text class="tl-note" x="%s" y="%s">%s</text>`, px(x+9), px(d.y+4.5), holders)
	switch before := d.note(d.width, x-6, holders); {
	case end-x > w+14 && d.clear(x+9, x+9+w):
		shape += inside
	case before != "" && d.clear(x-6-w, x-6):
		shape += before
	case end-x > w+14:
		shape += inside
	}
	d.mark("tl-band", tip(fmt.Sprintf("%s opens: %s, %s", b.Label, b.Level, holders), stamp(b.Opens), b.Entry), true, shape)
}

// fetches draws a lane for each tier, a bar for each pixel column that has any,
// its height by number.
func (d *drawing) fetches() {
	type bar struct {
		n           int
		first, last Fetch
	}
	lanes, most := map[string]map[int]*bar{}, 0
	for _, f := range d.m.Fetches {
		if f.At.IsZero() {
			continue
		}
		if lanes[f.Tier] == nil {
			lanes[f.Tier] = map[int]*bar{}
		}
		c := int(d.x(f.At) / 3)
		b := lanes[f.Tier][c]
		if b == nil {
			b = &bar{first: f, last: f}
			lanes[f.Tier][c] = b
		}
		b.n++
		most = max(most, b.n)
		if f.At.Before(b.first.At) {
			b.first = f
		}
		if f.At.After(b.last.At) {
			b.last = f
		}
	}
	for _, tier := range d.m.tiers() {
		d.lane("Fetches", tier)
		var columns []int
		for c := range lanes[tier] {
			columns = append(columns, c)
		}
		slices.Sort(columns)
		for _, c := range columns {
			b := lanes[tier][c]
			h := 4 + (barHeight-4)*float64(b.n)/float64(most)
			what := count(b.n, "fetch") + ", " + tier
			when, e := stamp(b.first.At), entries(b.first.Entry, b.first.Entry)
			if b.n > 1 {
				when = Row{From: b.first.At, To: b.last.At}.When()
				e = "among " + entries(min(b.first.Entry, b.last.Entry), max(b.first.Entry, b.last.Entry))
			}
			d.mark("tl-fetch", what+" · "+when+" · "+e, false, fmt.Sprintf(`<rect x="%s" y="%s" width="2" height="%s"/>`, px(float64(c)*3), px(d.y+barHeight/2-h), px(h)))
		}
	}
}

func (d *drawing) answers() {
	if len(d.m.Answers) == 0 {
		return
	}
	d.lane("Protection ready", "")
	for _, a := range d.m.Answers {
		x := d.x(a.At)
		d.mark("tl-answer", tip(a.Label, stamp(a.At), a.Entry), false, fmt.Sprintf(`<path d="M%s %sl3 3.5 6-8"/>`, px(x-4.5), px(d.y)))
	}
}

func (d *drawing) sighting(s Sighting, note bool) {
	a, b := d.x(s.From), d.x(s.To)
	if s.To.Before(s.From) {
		b = a
	}
	m := (a + b) / 2
	shape := fmt.Sprintf(`<path class="tl-whisker" d="M%s %sH%sM%s %sv10M%s %sv10"/><path class="tl-diamond" d="M%s %sl6 6 -6 6 -6 -6z"/>`,
		px(a), px(d.y), px(b), px(a), px(d.y-5), px(b), px(d.y-5), px(m), px(d.y-6))
	if note {
		shape += d.note(max(b, m+6)+7, min(a, m-6)-7, s.Label)
	}
	row := Row{From: s.From, To: s.To}
	if s.To.Equal(s.From) {
		row.To = time.Time{}
	}
	d.mark("tl-sighting", tip("Sighting: "+s.Label, row.When(), s.Entry), true, shape)
}

func (d *drawing) duty(u Duty, note bool) {
	x := d.x(u.From)
	shape := fmt.Sprintf(`<path class="tl-dots" d="M%s %sH%s"/><circle class="tl-from" cx="%s" cy="%s" r="3.5"/>`, px(x+5), px(d.y), px(d.right), px(x), px(d.y))
	if note {
		shape += strings.Replace(d.note(x+12, x-9, u.Label), `class="tl-note"`, `class="tl-note tl-halo"`, 1)
	}
	d.mark("tl-duty", tip(u.Label, stamp(u.From), u.Entry), true, shape)
}

// finish draws the rules through all lanes, the axis below, and wraps it up.
func (d *drawing) finish() string {
	rules := d.body.String()
	d.body.Reset()
	for _, r := range d.lines {
		top := d.top - 6 - float64(r.line)*labelGap
		class, anchor, at := "tl-rule", "", r.start
		if r.broken {
			class += " tl-broken"
		}
		if r.start < r.x {
			anchor, at = ` text-anchor="end"`, r.end
		}
		d.mark(class, r.tip, true, fmt.Sprintf(`<path d="M%s %sV%s"/><text class="tl-note" x="%s" y="%s"%s>%s <tspan class="tl-more">%s</tspan></text>`,
			px(r.x), px(top-11), px(d.bottom+5), px(at), px(top-1), anchor, safe(r.what), safe(r.when)))
	}
	behind := d.body.String()
	axisY := d.bottom + 5
	var ax strings.Builder
	fmt.Fprintf(&ax, `<path class="tl-axis" d="M%s %sH%s"/>`, px(d.left), px(axisY), px(d.right))
	for _, c := range d.axis.cuts() {
		x := d.left + c*(d.right-d.left)
		fmt.Fprintf(&ax, `<g class="tl-cut"><title>time left out</title><rect x="%s" y="%s" width="8" height="6"/><path d="M%s %sl4 -10M%s %sl4 -10"/></g>`,
			px(x-4), px(axisY-3), px(x-6), px(axisY+5), px(x+2), px(axisY+5))
	}
	for _, l := range d.axis.labels(charWidth / (d.right - d.left)) {
		fmt.Fprintf(&ax, `<path class="tl-axis" d="M%s %sv5"/><text class="tl-date" x="%s" y="%s">%s</text>`,
			px(d.left+l.x*(d.right-d.left)), px(axisY), px(d.left+l.at*(d.right-d.left)), px(axisY+18), l.text)
	}
	height := axisY + 44
	title := d.m.Title
	if title == "" {
		title = "Case timeline"
	}
	var desc strings.Builder
	for _, r := range d.m.Rows() {
		desc.WriteString(r.When() + ": " + r.What)
		if r.Entries != "" {
			desc.WriteString(" (" + r.Entries + ")")
		}
		desc.WriteString(". ")
	}
	out := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" class="fw-timeline" viewBox="0 0 %s %s" width="%s" height="%s" role="group" aria-labelledby="%s-title" aria-describedby="%s-desc"><title id="%s-title">%s</title><desc id="%s-desc">%s</desc><style>%s</style>%s%s%s%s</svg>`,
		px(d.width), px(height), px(d.width), px(height), d.id, d.id, d.id, safe(title), d.id, html.EscapeString(clip(desc.String(), 1<<16)), style, d.under.String(), behind, rules, ax.String())
	return strings.ReplaceAll(out, `y="@@"`, `y="`+px(axisY+38)+`"`)
}

// The colours are three meanings and one accent, each beside a shape or a word.
// A page may set the properties; these are the fallbacks.
const style = `
.fw-timeline{--tl-ink:var(--ink,#1d1d1b);--tl-soft:var(--soft,#63625d);--tl-hair:var(--hair,#dedcd5);--tl-paper:var(--paper,#fdfcfa);--tl-accent:var(--accent,#1f5f7a);--tl-broken:var(--broken,#a12a1e);--tl-due:var(--due,#7a5300);
font:13px/1.3 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;max-width:100%;height:auto;display:block;overflow:visible}
@media (prefers-color-scheme:dark){.fw-timeline{--tl-ink:var(--ink,#e8e6e1);--tl-soft:var(--soft,#a3a19a);--tl-hair:var(--hair,#383733);--tl-paper:var(--paper,#171715);--tl-accent:var(--accent,#7fb8d1);--tl-broken:var(--broken,#ef8a7d);--tl-due:var(--due,#d6a955)}}
@media print{.fw-timeline{--tl-ink:#000;--tl-soft:#444;--tl-hair:#bbb;--tl-paper:#fff;--tl-accent:#1f5f7a;--tl-broken:#8a1c12;--tl-due:#5d3f00}}
.fw-timeline text{fill:var(--tl-ink);font-size:13px}
.fw-timeline .tl-more,.fw-timeline .tl-date{fill:var(--tl-soft)}
.fw-timeline .tl-hair{stroke:var(--tl-hair);fill:none}
.fw-timeline .tl-axis{stroke:var(--tl-soft);fill:none}
.fw-timeline .tl-cut rect{fill:var(--tl-paper)}.fw-timeline .tl-cut path{stroke:var(--tl-soft);fill:none}
.fw-timeline .tl-open{fill:var(--tl-accent);fill-opacity:.16}.fw-timeline .tl-edge{fill:var(--tl-accent)}
.fw-timeline .tl-fetch rect{fill:var(--tl-ink)}
.fw-timeline .tl-answer path{stroke:var(--tl-accent);stroke-width:2;fill:none}
.fw-timeline .tl-whisker{stroke:var(--tl-broken);stroke-width:1.5;fill:none}.fw-timeline .tl-diamond{fill:var(--tl-broken)}
.fw-timeline .tl-rule path{stroke:var(--tl-ink);fill:none}
.fw-timeline .tl-broken path{stroke:var(--tl-broken);stroke-width:1.5;stroke-dasharray:5 4}
.fw-timeline .tl-dots{stroke:var(--tl-due);stroke-width:2;stroke-dasharray:1 5;stroke-linecap:round;fill:none}
.fw-timeline .tl-from{fill:var(--tl-paper);stroke:var(--tl-due);stroke-width:2}
.fw-timeline .tl-halo{paint-order:stroke;stroke:var(--tl-paper);stroke-width:5px;stroke-linejoin:round}
.fw-timeline .tl-tip{display:none}
.fw-timeline .tl-mark:hover .tl-tip,.fw-timeline .tl-mark:focus .tl-tip{display:inline}
.fw-timeline .tl-mark:focus{outline:2px solid var(--tl-accent);outline-offset:2px}
@media print{.fw-timeline .tl-tip{display:none!important}}
`
