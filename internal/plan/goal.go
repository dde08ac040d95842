package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"forewarn/internal/fpcode"
)

// Want is a goal: from any part of that share of the text, one of so many
// colluders is to be accused with Goal.
type Want struct {
	Share     Share
	Colluders int
}

// String is SHARE:COLLUDERS.
func (w Want) String() string { return fmt.Sprintf("%v:%d", w.Share, w.Colluders) }

// ParseWant reads what String writes.
func ParseWant(s string) (w Want, err error) {
	share, colluders, ok := strings.Cut(s, ":")
	if !ok {
		return w, fmt.Errorf("%q is not a goal: write it as third:2, for any third of the text and two merged copies", s)
	}
	if w.Share, err = ParseShare(share); err != nil {
		return w, err
	}
	if w.Colluders, err = strconv.Atoi(colluders); err != nil || w.Colluders < 1 || w.Colluders > fpcode.MaxColluders {
		return w, fmt.Errorf("%q is not a goal: colluders are from 1 to %d", s, fpcode.MaxColluders)
	}
	return w, nil
}

// Missing is what is missing to reach a goal.
type Missing struct {
	Want
	Needed  int // marks in every such part
	Least   int // that the least part has
	Add     []Add
	InTotal int
	near    uint32 // so many lines are neighbours
}

// Add is so many marks to be added, at the latest at line At. From the line From on
// they serve every part that lacks them as well; at At they also serve the most of
// the parts that follow.
type Add struct {
	Marks    int
	From, At uint32
}

// Spread is so many marks to be added over some lines.
type Spread struct {
	Marks    int
	From, To uint32
}

// Grouped is Add for people: what belongs to neighbouring lines in one line.
func (m Missing) Grouped() (out []Spread) {
	first := uint32(0) // the latest line of the first in the last group
	for _, x := range m.Add {
		if k := len(out); k > 0 && x.At-first <= m.near {
			out[k-1].Marks += x.Marks
			out[k-1].From, out[k-1].To = first, x.At
			continue
		}
		first = x.At
		out = append(out, Spread{x.Marks, x.From, x.At})
	}
	return out
}

// Missing says how many average marks have to be added where, and no fewer would
// do: it walks over all parts of the share from the beginning, and where one lacks
// marks adds them at its end, where they serve most of the parts that follow. It
// fails with ErrBeyond if not even the most marks that were simulated would do.
func (p *Plan) Missing(w Want) (Missing, error) {
	m := Missing{Want: w}
	n, err := p.Table.Marks(w.Colluders, p.Table.Bits(w.Colluders, p.Copies, p.Alpha), Goal)
	if err != nil {
		return m, err
	}
	m.Needed = int(math.Ceil(float64(n) / (1 - p.Erasure)))
	if p.layout == nil {
		return m, fmt.Errorf("the package has no running text to take a %v of", w.Share)
	}
	length := p.layout.Length
	window := length / int(w.Share)
	m.near = p.layout.Line(length) / uint32(w.Share) / 2
	m.Least = int(p.layout.Least(window, nil).Bits.Bits() / p.PerMark)
	// Parts that begin where a place leaves, and where an added mark does.
	starts := []int{0}
	for _, x := range p.layout.Places {
		starts = append(starts, x.At+1)
	}
	slices.Sort(starts)
	var added []int // offsets, each once per mark
	seen := make([]int, len(p.layout.Places))
	asked := 0 // how often lack was
	lack := func(at int) int {
		have := 0.0
		asked++
		for _, x := range p.layout.Places {
			if x.At >= at && x.End <= at+window && seen[x.Site] != asked {
				seen[x.Site] = asked
				have += x.Bits.Bits() / p.PerMark
			}
		}
		for _, x := range added {
			if x >= at && x < at+window {
				have++
			}
		}
		return int(math.Ceil(float64(m.Needed) - have - 1e-9))
	}
	for i := 0; i < len(starts); i++ {
		at := starts[i]
		if at+window > length {
			break
		}
		lacks := lack(at)
		if lacks <= 0 {
			continue
		}
		end := max(at, at+window-1)
		// The last part that lacks marks and reaches end: from its beginning on,
		// what is added serves all of them. Between two starts a part lacks what
		// the one at the first of them does, or less.
		from := at
		for k := i; k < len(starts) && starts[k] <= min(end, length-window); k++ {
			if k == i || lack(starts[k]) > 0 {
				from = length - window
				if k+1 < len(starts) {
					from = min(from, starts[k+1]-1)
				}
			}
		}
		from = max(at, min(from, end))
		for range lacks {
			added = append(added, end)
		}
		next, _ := slices.BinarySearch(starts, end+1)
		starts = slices.Insert(starts, max(next, i+1), end+1)
		m.InTotal += lacks
		line := p.layout.Line(end)
		if k := len(m.Add); k > 0 && m.Add[k-1].At == line {
			m.Add[k-1].Marks += lacks
			m.Add[k-1].From = max(m.Add[k-1].From, p.layout.Line(from))
			continue
		}
		m.Add = append(m.Add, Add{lacks, p.layout.Line(from), line})
	}
	return m, nil
}
