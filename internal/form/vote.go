package form

import (
	"slices"

	"forewarn/internal/fpcode"
)

// vote gathers what all passages show at one site. It doesn't depend on their
// order.
type vote struct {
	values  [MaxQ]bool // hard
	symbols int
	symbol  uint8
	soft    [][]uint8 // distinct vectors of nats
	other   bool
	spans   []Span // of values; of other only while there is no value
}

func (v *vote) add(f finding, span func(y1, y2 int32) Span) {
	if f.state == fpcode.Value {
		if v.symbols == 0 && len(v.soft) == 0 {
			v.spans = nil
		}
		if f.nats != nil {
			v.addSoft(f.nats)
		} else if !v.values[f.symbol] {
			v.values[f.symbol] = true
			v.symbols++
			v.symbol = f.symbol
		}
	} else {
		v.other = true
		if v.symbols > 0 || len(v.soft) > 0 {
			return
		}
	}
	for _, s := range f.spans {
		if len(v.spans) < 4*MaxSpans {
			v.spans = append(v.spans, span(s[0], s[1]))
		}
	}
}

// addSoft keeps the vectors sorted, once each.
func (v *vote) addSoft(nats []uint8) {
	if i, has := slices.BinarySearchFunc(v.soft, nats, slices.Compare[[]uint8]); !has {
		v.soft = slices.Insert(v.soft, i, nats)
	}
}

// decide makes one reading of all. Clear readings that differ are Other. A
// likelihood stands only where no clear reading does: see together.
func (v *vote) decide(out *SiteReading) {
	switch {
	case v.symbols > 1:
		out.State = fpcode.Other
	case v.symbols == 1 || len(v.soft) > 0:
		v.together(out)
	case v.other:
		out.State = fpcode.Other
	}
	slices.SortFunc(v.spans, Span.compare)
	v.spans = slices.Compact(v.spans)
	out.Spans = v.spans[:min(len(v.spans), MaxSpans):min(len(v.spans), MaxSpans)]
}

// together makes one reading of soft ones and at most one symbol that was read
// clearly. Two reads of one site are one reading: likelihoods are never
// multiplied, since a passage and its mirror are not two witnesses.
//
//   - If some symbol is among the likeliest of all readings, they agree, and the
//     one that says most stands.
//   - If none is, each symbol keeps the greatest likelihood that any reading
//     gives it: one of them is right, and nobody knows which. If that leaves no
//     difference between symbols, the site is Other.
func (v *vote) together(out *SiteReading) {
	all := v.soft
	if v.symbols == 1 {
		clear := make([]uint8, out.Q)
		for x := range clear {
			if x != int(v.symbol) {
				clear[x] = natsMost
			}
		}
		all = append(slices.Clip(all), clear)
	}
	agreed, least := slices.Repeat([]bool{true}, int(out.Q)), slices.Clone(all[0])
	for _, nats := range all {
		for x, n := range nats {
			agreed[x] = agreed[x] && n == 0
			least[x] = min(least[x], n)
		}
	}
	best := slices.Index(agreed, true)
	if best < 0 {
		if slices.Max(least) == 0 {
			out.State = fpcode.Other
			return
		}
		out.State, out.Likelihood = fpcode.Value, likelihoods(least)
		return
	}
	out.State = fpcode.Value
	if v.symbols == 1 {
		out.Symbol = v.symbol
		return
	}
	sharpest := all[0]
	for _, nats := range all[1:] {
		if sharpness(nats) > sharpness(sharpest) { // of equals the first, they being sorted
			sharpest = nats
		}
	}
	out.Likelihood = likelihoods(sharpest)
}

// sharpness is how much a reading rules out: the sum of its nats.
func sharpness(nats []uint8) (n int) {
	for _, x := range nats {
		n += int(x)
	}
	return n
}
