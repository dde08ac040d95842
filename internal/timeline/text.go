package timeline

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The terminal's marks. Each differs in shape: nothing depends on colour.
const (
	markBand     = '━'
	markOpen     = '┣'
	markEnd      = '┫'
	markRule     = '│'
	markBroken   = '╎'
	markSighting = '◆'
	markFrom     = '├'
	markTo       = '┤'
	markWhisker  = '─'
	markAnswer   = '✓'
	markDuty     = '┄'
	markDutyFrom = '○'
	markCut      = '≈'
)

var bars = []rune("▁▂▃▄▅▆▇█")

// MinWidth is the least width that Text draws in.
const MinWidth = 40

// Text draws the model for a terminal, no line wider than width columns (at
// least MinWidth), without colour. It ends with a newline. Every character takes
// one column, but for East Asian terminals that draw lines wide.
func Text(m Model, width int) string {
	t := newText(m, max(width, MinWidth))
	for _, b := range m.Bands {
		t.band(b)
	}
	t.fetches()
	t.answers()
	own, rest := shared(m.Sightings)
	for i, s := range own {
		t.sighting(sightingLabel(i, len(own)), s)
	}
	t.sightings(rest)
	duties, more := shared(m.Duties)
	for _, d := range duties {
		t.duty(d)
	}
	t.duties(more)
	return t.String()
}

type text struct {
	m       Model
	axis    axis
	width   int // of everything
	left    int // of the labels' column; 0 when labels stand above their lanes
	columns int // of the picture
	rules   []textRule
	lanes   []lane
}

type lane struct {
	label string
	cells []rune
}

type textRule struct {
	column int
	mark   rune
	what   string
	when   string
}

func newText(m Model, width int) *text {
	t := &text{m: m, axis: newAxis(m), width: width}
	if width >= 64 {
		t.left = 20
	}
	t.columns = width - t.left
	rule := func(p Point, what string, mark rune) {
		if p.At.IsZero() {
			return
		}
		r := textRule{t.column(p.At), mark, what, p.At.UTC().Format("2 Jan 15:04")}
		for i, o := range t.rules {
			if o.column == r.column && o.when == r.when && o.mark == r.mark {
				t.rules[i].what += ", " + what
				return
			}
		}
		t.rules = append(t.rules, r)
	}
	rule(m.Report, "report", markRule)
	rule(m.Patch, "patch", markRule)
	rule(m.Release, m.release(), markRule)
	if m.Broken {
		rule(m.EmbargoAt, "embargo broken", markBroken)
	} else {
		rule(m.EmbargoAt, "embargo ends", markRule)
	}
	slices.SortStableFunc(t.rules, func(a, b textRule) int { return a.column - b.column })
	return t
}

func (t *text) column(at time.Time) int {
	return min(int(t.axis.x(at)*float64(t.columns)), t.columns-1)
}

// lane adds an empty lane, with the rules going through it.
func (t *text) lane(label string) []rune {
	cells := []rune(strings.Repeat(" ", t.columns))
	for _, r := range t.rules {
		cells[r.column] = r.mark
	}
	t.lanes = append(t.lanes, lane{label, cells})
	return cells
}

func (t *text) band(b Band) {
	cells := t.lane(b.Label + "  " + b.Level)
	from, to := t.column(b.Opens), t.columns-1
	if !b.Ends.IsZero() {
		to = t.column(b.Ends)
	}
	for i := from; i <= to; i++ {
		if cells[i] == ' ' {
			cells[i] = markBand
		} else {
			cells[i] = '┿'
		}
	}
	cells[from] = markOpen
	if !b.Ends.IsZero() && to > from {
		cells[to] = markEnd
	}
	write(cells, from, count(b.Holders, "holder"), markBand)
}

// write puts a note after column c, on a stretch of fill that is long enough, or
// else on the blank before it, or nowhere.
func write(cells []rune, c int, note string, fill rune) {
	s := []rune(" " + clip(note, len(cells)) + " ")
	free := func(at int, of rune) bool {
		if at < 0 || at+len(s) > len(cells) {
			return false
		}
		for _, r := range cells[at : at+len(s)] {
			if r != of {
				return false
			}
		}
		return true
	}
	switch {
	case free(c+3, fill):
		copy(cells[c+3:], s)
	case free(c+1, fill):
		copy(cells[c+1:], s)
	case free(c-len(s), ' '):
		copy(cells[c-len(s):], s)
	}
}

// fetches draws one lane for each tier: bars by number, the tallest being the
// most in one column of any lane.
func (t *text) fetches() {
	tiers := t.m.tiers()
	byTier := map[string][]int{}
	most := 0
	for _, f := range t.m.Fetches {
		if byTier[f.Tier] == nil {
			byTier[f.Tier] = make([]int, t.columns)
		}
		c := t.column(f.At)
		byTier[f.Tier][c]++
		most = max(most, byTier[f.Tier][c])
	}
	for _, tier := range tiers {
		cells := t.lane("Fetches  " + tier)
		for c, k := range byTier[tier] {
			if k > 0 {
				cells[c] = bars[(k*len(bars)-1)/most]
			}
		}
	}
}

func (t *text) answers() {
	if len(t.m.Answers) == 0 {
		return
	}
	cells := t.lane("Protection ready")
	for _, a := range t.m.Answers {
		cells[t.column(a.At)] = markAnswer
	}
}

func (t *text) sighting(label string, s Sighting) {
	cells := t.lane(label)
	t.whiskers(cells, s)
	write(cells, t.column(s.From), s.Label, 0)
}

func (t *text) whiskers(cells []rune, s Sighting) {
	from, to := t.column(s.From), max(t.column(s.From), t.column(s.To))
	for i := from; i <= to; i++ {
		cells[i] = markWhisker
	}
	cells[from], cells[to] = markFrom, markTo
	cells[(from+to)/2] = markSighting
}

func (t *text) sightings(rest []Sighting) {
	if len(rest) == 0 {
		return
	}
	cells := t.lane(count(len(rest), "more sighting"))
	for _, s := range rest {
		t.whiskers(cells, s)
	}
}

func (t *text) duty(d Duty) {
	cells := t.lane("Onward duty  " + d.Who)
	from := t.column(d.From)
	for i := from; i < t.columns; i++ {
		if cells[i] == ' ' {
			cells[i] = markDuty
		}
	}
	cells[from] = markDutyFrom
	write(cells, from, d.Label, markDuty)
}

func (t *text) duties(rest []Duty) {
	if len(rest) == 0 {
		return
	}
	cells := t.lane(fmt.Sprintf("%d more duties", len(rest)))
	for _, d := range rest {
		cells[t.column(d.From)] = markDutyFrom
	}
}

// String puts labels of rules above, lanes, and the axis with its dates below.
func (t *text) String() string {
	var b strings.Builder
	if t.m.Title != "" {
		b.WriteString(clip(t.m.Title, t.width) + "\n\n")
	}
	for _, line := range t.ruleLines() {
		t.line(&b, "", line)
	}
	for _, l := range t.lanes {
		t.line(&b, l.label, l.cells)
	}
	ticks, dates := t.dates()
	t.line(&b, "", ticks)
	t.line(&b, "", dates)
	for _, k := range t.key() {
		b.WriteString(clip(k, t.width) + "\n")
	}
	return b.String()
}

func (t *text) line(b *strings.Builder, label string, cells []rune) {
	switch {
	case t.left > 0:
		label = clip(label, t.left-2)
		b.WriteString(label + strings.Repeat(" ", t.left-utf8.RuneCountInString(label)))
	case label != "":
		b.WriteString(clip(label, t.width) + "\n")
	}
	b.WriteString(strings.TrimRight(string(cells), " ") + "\n")
}

// clip shortens to n columns, and takes out what a terminal would act upon.
func clip(s string, n int) string {
	r := []rune(strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == utf8.RuneError || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return -1
		}
		return c
	}, s))
	if len(r) > n {
		r = append(r[:n-1], '…')
	}
	return string(r)
}

// ruleLabel is where a rule's label can stand: to the right of its column, or to the
// left, on a line that is counted from the lanes up.
type ruleLabel struct {
	column  int
	ways    [][]rune // the texts: to the right first; no more than two
	starts  []int
	way     int
	line    int
	at, end int // of the way that was chosen
}

// label is a rule's, in the ways that there is room for.
func (t *text) label(r textRule) (l ruleLabel) {
	l.column = r.column
	right, left := []rune("┌ "+r.what+" "+r.when), []rune(r.what+" "+r.when+" ┐")
	roomRight, roomLeft := t.columns-r.column, r.column+1
	switch {
	case len(right) <= roomRight || len(left) <= roomLeft:
	case roomRight >= roomLeft:
		right = []rune(clip(string(right), roomRight))
	default:
		left = []rune(clip(r.what+" "+r.when, roomLeft-2) + " ┐")
	}
	if len(right) <= roomRight {
		l.ways, l.starts = append(l.ways, right), append(l.starts, r.column)
	}
	if len(left) <= roomLeft {
		l.ways, l.starts = append(l.ways, left), append(l.starts, roomLeft-len(left))
	}
	return l
}

// clear reports whether two labels keep apart, and off one another's rules.
func (l *ruleLabel) clear(o *ruleLabel) bool {
	crosses := func(rule, label *ruleLabel) bool {
		return label.line <= rule.line && rule.column >= label.at && rule.column < label.end
	}
	if l.line == o.line {
		return l.at > o.end || o.at > l.end
	}
	return !crosses(l, o) && !crosses(o, l)
}

// fit finds a line, and a side, for each label from i on, below a height. There are
// four rules at most, so it may try all.
func fit(all []ruleLabel, i, height int) bool {
	if i == len(all) {
		return true
	}
	l := &all[i]
	for l.way = range l.ways {
		l.at, l.end = l.starts[l.way], l.starts[l.way]+len(l.ways[l.way])
		for l.line = range height {
			free := true
			for j := range i {
				free = free && l.clear(&all[j])
			}
			if free && fit(all, i+1, height) {
				return true
			}
		}
	}
	return false
}

// ruleLines puts each rule's label at its column, on as few lines as keep them apart.
func (t *text) ruleLines() [][]rune {
	all := make([]ruleLabel, len(t.rules))
	for i, r := range t.rules {
		all[i] = t.label(r)
	}
	height := 0
	for height <= len(all) && !fit(all, 0, height) {
		height++
	}
	if height > len(all) { // no way keeps them off all rules: each has its own line, over the rules
		height = len(all)
		for i := range all {
			l := &all[i]
			l.line, l.way, l.at = i, 0, l.starts[0]
		}
	}
	out := make([][]rune, height)
	for i := range out {
		out[i] = []rune(strings.Repeat(" ", t.columns))
	}
	for i, l := range all {
		for line := range l.line {
			out[height-1-line][l.column] = t.rules[i].mark
		}
	}
	for _, l := range all {
		copy(out[height-1-l.line][l.at:], l.ways[l.way])
	}
	return out
}

func (t *text) dates() (ticks, dates []rune) {
	ticks = []rune(strings.Repeat("─", t.columns))
	dates = []rune(strings.Repeat(" ", t.columns))
	for _, x := range t.axis.cuts() {
		ticks[min(int(x*float64(t.columns)), t.columns-1)] = markCut
	}
	for _, l := range t.axis.labels(1 / float64(t.columns)) {
		ticks[min(int(l.x*float64(t.columns)), t.columns-1)] = '┬'
		copy(dates[int(l.at*float64(t.columns)):], []rune(l.text))
	}
	return ticks, dates
}

// key explains the marks that were used.
func (t *text) key() []string {
	var keys []string
	add := func(used bool, s string) {
		if used {
			keys = append(keys, s)
		}
	}
	add(len(t.m.Bands) > 0, "┣━ open to read")
	add(len(t.m.Fetches) > 0, "▁█ fetches")
	add(len(t.m.Answers) > 0, "✓ protection ready")
	add(len(t.m.Sightings) > 0, "├◆┤ sighting, between")
	add(len(t.m.Duties) > 0, "○┄ may know from here")
	add(len(t.rules) > 0, "│ rule")
	add(t.m.Broken, "╎ embargo broken")
	add(len(t.axis.cuts()) > 0, "≈ time left out")
	keys = append(keys, "times UTC")
	var lines []string
	line := ""
	for _, k := range keys {
		switch {
		case line == "":
			line = k
		case utf8.RuneCountInString(line)+3+utf8.RuneCountInString(k) > t.width:
			lines, line = append(lines, line), k
		default:
			line += "   " + k
		}
	}
	return append(lines, line)
}
