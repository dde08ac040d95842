package fpcode

import "slices"

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
	tests := testsFor(newField(sights, codewordsOf(sights, columns, len(p.Holders), func(i int) Key { return p.CopyKey(p.Holders[i]) })))
	for _, h := range of {
		i := slices.Index(p.Holders, h)
		if i < 0 {
			return nil, ErrParameter
		}
		t := tests.of(i)
		a := judge(t.ev, Score(t.ev, p.CopyKey(h)), len(p.Holders), p.Run, SpendFirst)
		a.Holder, a.Collusion = h, t.channel
		for _, k := range t.partners {
			a.Beside = append(a.Beside, p.Holders[k])
		}
		a.sample(t.ev, p.Seed)
		out = append(out, a)
	}
	return out, nil
}

// AttainableAlone is the p_adjusted, for joint/1, of a copy that agrees wherever
// something was read and beside which no other had a part. It needs no key.
func AttainableAlone(readings []Reading, laws func(SiteID, uint8) Law, copies, run int) float64 {
	f, _ := fieldOf(readings, laws, nil)
	ev := f.test(explanation{channel: oneCopy()}).ev
	var best int64
	for _, e := range ev {
		best += slices.Max(e.Score)
	}
	return adjust(PUpper(ev, best), copies, run, SpendFirst)
}

// OneCopy is the channel of a specimen that is explained by one copy: what is
// declared, since there is nothing to estimate.
func OneCopy() Collusion { return oneCopy() }

// Choices is how many tests of one copy there are with so many partners among the
// others, by any channel that EstimateBeside can give: what somebody could choose
// from. Partners are a set: no number depends on their order.
func Choices(others, partners int) float64 {
	n := 1.0
	for i := range partners {
		n = float64(n * float64(others-i) / float64(i+1))
	}
	channels := 1.0 // one copy
	if partners > 0 {
		channels = 0
	}
	for c := max(2, partners+1); c <= MaxColluders; c++ {
		channels += 2 // telling or not
	}
	return float64(n * channels)
}

// AdjustChosen makes p family-wise where somebody chose beside which others a copy
// is tested, and by which channel, whatever was seen: it pays MaxColluders times
// Choices, so that the choices of every number of partners together pay for
// themselves (Σ 1/(MaxColluders·Choices) over all tests of a copy is at most 1).
func AdjustChosen(p float64, copies, run, partners int) float64 {
	if partners < 0 || partners >= MaxColluders || partners >= copies {
		return 1
	}
	return min(1, float64(adjust(p, copies, run, SpendFirst)*float64(MaxColluders*Choices(copies-1, partners))))
}
