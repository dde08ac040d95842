package fpcode

import (
	"fmt"
	"slices"
)

// Tested is what a decoder's test says of certain copies, in that order, whether
// or not it accuses them: for those that something else names.
func Tested(p Problem, decoder string, of [][16]byte) ([]Accusation, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	var out []Accusation
	if decoder != JointDecoder {
		for _, h := range of {
			a := Recompute(p.Readings, p.Laws, p.CopyKey(h), len(p.Holders), p.Run, p.Seed)
			a.Holder = h
			out = append(out, a)
		}
		return out, nil
	}
	sights, columns := sightsOf(p.Readings, p.Laws)
	tests := testsFor(sights, codewordsOf(sights, columns, len(p.Holders), func(i int) Key { return p.CopyKey(p.Holders[i]) }))
	for _, h := range of {
		i := slices.Index(p.Holders, h)
		if i < 0 {
			return nil, fmt.Errorf("%w: holder %x has no copy", ErrParameter, h)
		}
		t, _ := tests.of(i)
		a := judge(t.ev, Score(t.ev, p.CopyKey(h)), len(p.Holders), p.Run, SpendFirst)
		a.Holder = h
		for _, e := range t.parts {
			part := Part{Class: e.class, Collusion: e.channel}
			for _, k := range e.partners {
				part.Beside = append(part.Beside, p.Holders[k])
			}
			a.Parts = append(a.Parts, part)
		}
		a.sample(t.ev, p.Seed)
		out = append(out, a)
	}
	return out, nil
}

// Alone is the explanation of a whole specimen by one copy of which nothing is
// known. It has no choice and needs no key.
func Alone() []KeyedPart { return []KeyedPart{{Collusion: oneCopy()}} }

// AttainableAlone is the p_adjusted, for joint/1, of a copy that agrees wherever
// something was read, by the explanation Alone.
func AttainableAlone(readings []Reading, laws func(SiteID, uint8) Law, copies, run int) float64 {
	f, _ := fieldOf(0, readings, laws, nil)
	ev := lattice(f.evidence(explanation{channel: oneCopy()}), coarse)
	var best int64
	for _, e := range ev {
		best += slices.Max(e.Score)
	}
	return adjust(PUpper(ev, best), copies, run, SpendFirst)
}

// Explainable reports whether these are the parts that joint/1 can explain a
// specimen in: the whole, or each class of carriers that something was read of,
// in order; with no more known copies in a part than were merged, or than there are
// others, and fewer in the whole; and each with the channel that follows (EstimateBeside).
func Explainable(readings []Reading, laws func(SiteID, uint8) Law, parts []KeyedPart, copies int) bool {
	sights, _ := sightsOf(readings, laws)
	var classes []Class
	for _, c := range Classes() {
		if slices.ContainsFunc(sights, func(s sight) bool { return s.class == c }) {
			classes = append(classes, c)
		}
	}
	var have []Class
	for _, p := range parts {
		have = append(have, p.Class)
	}
	whole := slices.Equal(have, []Class{0})
	if !whole && (len(classes) < 2 || !slices.Equal(have, classes)) {
		return false
	}
	for _, p := range parts {
		c := p.Collusion.C
		if len(p.Beside) >= copies || c < 1 || c > MaxColluders || len(p.Beside) > c || whole && len(p.Beside) == c ||
			p.Collusion != EstimateBeside(readings, laws, p.Class, p.Beside, c, p.Collusion.Telling) {
			return false
		}
	}
	return true
}

// AdjustChosen makes p family-wise where somebody chose, in the knowledge of
// everything, how the specimen was explained without the copy that is tested:
// whole or by class, of how many copies, which of them known, with or without
// sites that show no value. It pays 2·Π(sizes·choices) over the parts, choices
// being how many there are with as many known copies: 1/(2·Π(sizes·choices)) adds
// up to at most 1 over all explanations, so that all choices together pay for
// themselves. Known copies are a set: no number depends on their order.
func AdjustChosen(p float64, copies, run int, parts []KeyedPart) float64 {
	pay := 2.0
	for _, x := range parts {
		pay = float64(pay * choices(copies-1, len(x.Beside), x.Class != 0))
	}
	return min(1, float64(adjust(p, copies, run, SpendFirst)*pay))
}

// choices is, for a part with so many known copies of the others, the number of
// sizes that this could be times the number of choices of this size.
func choices(others, known int, class bool) float64 {
	sizes, n := MaxColluders, 1.0
	if class {
		sizes++
	}
	for i := range known {
		n = float64(n * float64(others-i) / float64(i+1))
	}
	channels := 0
	for c := 1; c <= MaxColluders; c++ {
		switch {
		case c < known || c == known && !class:
		case c == 1 && known == 0:
			channels++
		default:
			channels += 2 // telling or not
		}
	}
	return max(1, float64(float64(sizes*channels)*n))
}
