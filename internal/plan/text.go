package plan

import (
	"fmt"
	"math"
	"strings"
)

// MinWidth is the least width that Text draws in.
const MinWidth = 40

const rows = 11 // from 0 to 100 % by tens

// Text draws the power curves for a terminal, no line wider than width columns (at
// least MinWidth): the digit is of how many colluders. Where curves lie upon one
// another the greatest stands, where they climb each does, and none stands along the
// bottom. It is empty where no share traces anything.
func (p *Plan) Text(width int) string {
	if len(p.Curve) == 0 || p.Weak() {
		return ""
	}
	const left = 7
	cols := min(max(width, MinWidth)-left-1, 72)
	grid := make([][]rune, rows)
	for y := range grid {
		grid[y] = []rune(strings.Repeat(" ", cols))
	}
	for c := range p.Colluders {
		for x := range cols {
			if y := p.row(c, x, cols); y < rows-1 {
				grid[y][x] = rune('1' + c)
			}
		}
	}
	for c := range p.Colluders {
		from := rows - 1
		for x := range cols {
			to := p.row(c, x, cols)
			for y := from - 1; y > to; y-- {
				if grid[y][x] == ' ' {
					grid[y][x] = rune('1' + c)
				}
			}
			from = to
		}
	}
	var b strings.Builder
	for y, r := range grid {
		fmt.Fprintf(&b, "%4d %%┤%s\n", 100-10*y, strings.TrimRight(string(r), " "))
	}
	axis, labels := []rune(strings.Repeat("─", cols)), []rune(strings.Repeat(" ", cols+4))
	for _, s := range []struct {
		n     int
		label string
	}{{12, "1/12"}, {6, "1/6"}, {3, "1/3"}, {2, "1/2"}, {1, "all"}} {
		x := int(math.Round(float64(cols)/float64(s.n))) - 1
		axis[x] = '┴'
		copy(labels[max(0, x-len(s.label)/2):], []rune(s.label))
	}
	fmt.Fprintf(&b, "      └%s\n       %s\n", string(axis), strings.TrimRight(string(labels), " "))
	return b.String()
}

// row is where a curve is in a column of the terminal's picture, from the top.
func (p *Plan) row(c, x, cols int) int {
	return rows - 1 - int(math.Round(p.curve(c, float64(x+1)/float64(cols))*(rows-1)))
}

// Weak reports that not even the whole text traces one copy in one leak of twenty:
// there is nothing to draw.
func (p *Plan) Weak() bool {
	return len(p.Curve) > 0 && p.Curve[len(p.Curve)-1].Catch[0] < .05
}

// curve is the probability at any share of the text.
func (p *Plan) curve(c int, of float64) float64 {
	x, before := of*points, 0.0
	i := int(math.Ceil(x)) - 1
	if i > 0 {
		before = p.Curve[i-1].Catch[c]
	}
	i = min(max(i, 0), points-1)
	return before + (x-float64(i))*(p.Curve[i].Catch[c]-before)
}
