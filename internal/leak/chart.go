package leak

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
)

// chart draws the p_upper of the named copies as labelled diamonds on a
// logarithmic scale, with the threshold a line and, as circles, where so many
// innocent copies are expected. Of the copies that aren't named it shows nothing.
// Where the scale stops it stops for everybody: what is smaller stands at its
// end, with an arrow.
func chart(f *evidence.Findings, width int) string {
	c := &plot{f: f, width: float64(width), left: 16, right: float64(width) - 16}
	c.deepest()
	c.axis()
	c.null()
	c.expected()
	c.named()
	c.threshold()
	title := fmt.Sprintf("p_upper of the copies named, among %d", f.Copies)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 %d %s" width="%d" height="%s" role="img" aria-label="%s"><desc>%s</desc>%s</svg>`,
		width, c1(c.height), width, c1(c.height), html.EscapeString(title), html.EscapeString(c.words()), c.b.String())
}

type plot struct {
	f           *evidence.Findings
	width       float64
	left, right float64
	most        float64 // decades shown
	height      float64
	top         float64 // of the dots' field
	base        float64 // the axis
	b           strings.Builder
}

func c1(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// decades is -log10 of a printed probability; 0 for what doesn't parse. It is
// for drawing only: nothing is decided by it.
func decades(p string) float64 {
	v, err := strconv.ParseFloat(p, 64)
	if err != nil || !(v > 0) {
		return 0
	}
	return max(0, -math.Log10(v))
}

// power is a printed probability in plain characters: 1.1 × 10⁻¹⁷.
func power(p string) string {
	digits, exp, ok := strings.Cut(p, "e")
	n, err := strconv.Atoi(exp)
	if !ok || err != nil {
		return p
	}
	if s := plain(digits, n); s != "" {
		return s
	}
	return digits + " × 10" + raise.Replace(strconv.Itoa(n))
}

var raise = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

func (c *plot) all() []evidence.Accused {
	return append(slices.Clone(c.f.Accused), c.f.Conflicting...)
}

// limit is the p_upper at which p_adjusted is alpha.
func (c *plot) limit() float64 {
	alpha, err := strconv.ParseFloat(c.f.Alpha, 64)
	if err != nil || c.f.Copies < 1 || c.f.Run < 1 {
		return 0
	}
	return alpha / float64(c.f.Copies) / evidence.Spend(c.f.Decoder, c.f.Run)
}

const deepestShown = 60 // decades

func (c *plot) deepest() {
	c.most = decades(fpcode.RoundUp2(c.limit())) + 2
	for _, a := range c.all() {
		c.most = max(c.most, decades(a.PUpper)+1.5)
	}
	c.most = min(math.Ceil(c.most), deepestShown)
	c.top = 34 + 22*float64(len(c.all()))
	c.base = c.top + 64
	c.height = c.base + 46
	if c.width < 600 {
		c.height += 18
	}
}

func (c *plot) x(p string) float64 { return c.at(decades(p)) }

// Small probabilities stand at the left: the further left, the rarer.
func (c *plot) at(d float64) float64 { return c.right - min(d, c.most)/c.most*(c.right-c.left) }

func (c *plot) axis() {
	fmt.Fprintf(&c.b, `<path class="a" d="M%s %sH%s"/>`, c1(c.left), c1(c.base), c1(c.right))
	step := 1.0
	for _, s := range []float64{1, 2, 3, 5, 10, 20} {
		if step = s; (c.right-c.left)*s/c.most >= 56 {
			break
		}
	}
	for d := 0.0; d <= c.most; d += step {
		label := "1"
		if d > 0 {
			label = `10<tspan dy="-5" font-size="10">−` + strconv.Itoa(int(d)) + `</tspan>`
		}
		fmt.Fprintf(&c.b, `<path class="a" d="M%s %sv5"/><text class="s" x="%s" y="%s" text-anchor="middle">%s</text>`, c1(c.at(d)), c1(c.base), c1(c.at(d)), c1(c.base+20), label)
	}
	line, shade := c.base+40, "shaded: all copies, by chance alone, 19 times of 20"
	fmt.Fprintf(&c.b, `<text class="s" x="%s" y="%s">← rarer by chance</text>`, c1(c.left), c1(line))
	if c.width < 600 {
		line, shade = line+18, "shaded: chance alone, 19 times of 20"
	}
	fmt.Fprintf(&c.b, `<text class="s" x="%s" y="%s" text-anchor="end">%s</text>`, c1(c.right), c1(line), shade)
}

// null shades where all innocent copies together lie nineteen times of twenty:
// the smallest of n p-values is below .05/n at most once in twenty (Bonferroni).
func (c *plot) null() {
	if c.f.Copies < 1 {
		return
	}
	x := c.at(-math.Log10(0.05 / float64(c.f.Copies)))
	fmt.Fprintf(&c.b, `<rect class="b" x="%s" y="%s" width="%s" height="%s"/>`, c1(x), c1(c.top), c1(c.right-x), c1(c.base-c.top))
}

// The most circles that are drawn.
const maxExpected = 100

// expected draws where the smallest p of so many innocents are expected: the k-th
// of n uniform numbers is k/(n+1) in the mean. Circles that would cover one
// another are stacked.
func (c *plot) expected() {
	level := map[int]int{}
	for k := 1; k <= min(c.f.Copies, maxExpected); k++ {
		x := c.at(-math.Log10(float64(k) / float64(c.f.Copies+1)))
		at := int(x / 7)
		y := c.base - 7 - 7*float64(level[at])
		if level[at]++; y < c.top+4 {
			continue // the stack is full: more of the same say nothing more
		}
		fmt.Fprintf(&c.b, `<circle class="o" cx="%s" cy="%s" r="3"/>`, c1(x), c1(y))
	}
}

func (c *plot) named() {
	for i, a := range c.all() {
		d := decades(a.PUpper)
		x, y := c.at(d), 16+22*float64(i)
		label, anchor, at := a.Name+", "+power(a.PUpper), "start", x+12
		if d > c.most {
			label += " (beyond the scale)"
		}
		if at+7*float64(utf8.RuneCountInString(label)) > c.right {
			anchor, at = "end", x-12
		}
		fmt.Fprintf(&c.b, `<path class="h" d="M%s %sV%s"/><path class="d" d="M%s %sl6 6 -6 6 -6 -6z"/><text x="%s" y="%s" text-anchor="%s">%s</text>`,
			c1(x), c1(y+6), c1(c.base), c1(x), c1(y-6), c1(at), c1(y+4.5), anchor, html.EscapeString(label))
	}
}

func (c *plot) threshold() {
	p := fpcode.RoundUp2(c.limit())
	x := c.x(p)
	fmt.Fprintf(&c.b, `<path class="t" d="M%s %sV%s"/>`, c1(x), c1(c.top), c1(c.base))
	label := "threshold of p_upper, " + power(p)
	anchor, at := "start", x-4
	if at+7*float64(utf8.RuneCountInString(label)) > c.right {
		anchor, at = "end", max(x+4, c.left+7*float64(utf8.RuneCountInString(label)))
	}
	fmt.Fprintf(&c.b, `<text x="%s" y="%s" text-anchor="%s">%s</text>`, c1(at), c1(c.top-6), anchor, label)
}

func (c *plot) words() string {
	var s strings.Builder
	for _, a := range c.all() {
		fmt.Fprintf(&s, "The copy issued to %s: %s. ", a.Name, a.PUpper)
	}
	fmt.Fprintf(&s, "Circles: where %d innocent copies are expected. ", c.f.Copies)
	fmt.Fprintf(&s, "The threshold of p_upper is %s, at which p_adjusted is %s.", fpcode.RoundUp2(c.limit()), c.f.Alpha)
	return s.String()
}
