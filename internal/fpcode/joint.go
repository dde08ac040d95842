package fpcode

import (
	"cmp"
	"slices"
)

// JointDecoder is the version of the decoder that looks for several copies at
// once.
const JointDecoder = "joint/1"

// coarse is the lattice that scores of the joint decoder stand on: 2⁻⁷ nat, or
// the least doubling that can be convolved. Rounding down by so little costs
// next to no power, and there is one step for each of many kinds of site.
const coarse = ScoreUnit >> 7

type joint struct{}

func (joint) Version() string { return JointDecoder }

// A test is how one copy is judged: by one explanation of the whole specimen, or by
// one of each class of carriers. It is a function of the readings, the laws and
// all copies but the one it is for.
type test struct {
	parts []explanation
	ev    []Evidence
}

// bench is a specimen laid out: as one, and class by class.
type bench struct {
	whole *field
	apart []*field // empty where there is but one class
}

func newBench(sights []sight, words *codewords, copies int) *bench {
	b := &bench{whole: newField(0, sights, words, copies)}
	for _, c := range Classes() {
		if f := newField(c, sights, words, copies); len(f.sights) > 0 && len(f.sights) < len(sights) {
			b.apart = append(b.apart, f)
		}
	}
	return b
}

// explain explains the specimen without one copy (-1: with all), as one or class by
// class, whichever has the greater penalised likelihood.
func (b *bench) explain(without int, touched map[int]bool) []explanation {
	whole := b.whole.explain(without, touched)
	if len(b.apart) == 0 {
		return []explanation{whole}
	}
	var parts []explanation
	var value int64
	for _, f := range b.apart {
		e := f.explain(without, touched)
		parts = append(parts, e)
		value += e.value
	}
	if value > whole.value {
		return parts
	}
	return []explanation{whole}
}

func (b *bench) test(parts []explanation) test {
	var raw []Evidence
	for _, e := range parts {
		f := b.whole
		for _, g := range b.apart {
			if g.class == e.class {
				f = g
			}
		}
		raw = append(raw, f.evidence(e)...)
	}
	return test{parts, lattice(raw, coarse)}
}

// evidence is what each site says of one more copy, by an explanation, in units of
// 2⁻⁵⁶ nat.
func (f *field) evidence(e explanation) []Evidence {
	partners := e.partners
	explained := len(partners) >= e.channel.C
	if explained {
		partners = nil
	}
	t := tabulate(f.sights, f.words, partners)
	raw := make([]Evidence, len(f.sights))
	of := make([][MaxQ]int64, len(t.cells))
	for i := range t.cells {
		if explained {
			of[i] = bystander(&t.cells[i])
		} else {
			of[i] = e.channel.weights(&t.cells[i], len(partners))
		}
	}
	for i := range f.sights {
		s := &f.sights[i]
		raw[i] = Evidence{s.site, s.law, of[t.cellOf[i]][:s.law.Q()]}
	}
	return raw
}

func (joint) Decode(p Problem) (Result, error) { return decodeJoint(p, Trials) }

// Screen is what joint/1 would find if sampling always agreed with the other two
// ways of computing. It is for simulations, where that is most of the time, and
// accuses nobody.
func Screen(p Problem) (Result, error) { return decodeJoint(p, 0) }

func decodeJoint(p Problem, samples int) (Result, error) {
	if err := p.Check(); err != nil {
		return Result{}, err
	}
	sights, columns := sightsOf(p.Readings, p.Laws)
	words := codewordsOf(sights, columns, len(p.Holders), func(i int) Key { return p.CopyKey(p.Holders[i]) })
	r := Result{Version: JointDecoder, Best: Accusation{PUpper: 1, PEstimate: 1, PSampled: 1, PAdjusted: 1}}
	values := 0
	for i := range sights {
		if sights[i].state == Value {
			values++
		}
	}
	r.count(p.Readings, values)
	all := testsFor(sights, words)
	r.Scores = all.scores(sights, words)
	for _, i := range all.order(r.Scores) {
		t, own := all.of(i)
		a := judge(t.ev, r.Scores[i], len(p.Holders), p.Run, SpendFirst)
		a.Holder = p.Holders[i]
		for _, e := range t.parts {
			part := Part{Class: e.class, Collusion: e.channel}
			for _, k := range e.partners {
				part.Beside = append(part.Beside, p.Holders[k])
			}
			a.Parts = append(a.Parts, part)
		}
		better := a.PUpper < r.Best.PUpper
		if a.PAdjusted <= p.Alpha {
			if a.Consistent = samples == 0; samples > 0 {
				a.sample(t.ev, p.Seed)
			}
			if a.Accuses(p.Alpha) && !p.public(a.Holder) {
				r.Accused = append(r.Accused, a)
			}
		}
		if better {
			r.Best = a
		}
		if a.PAdjusted > p.Alpha && !own {
			break // those that follow have the same test and lower scores
		}
	}
	return r, nil
}

// tests of all copies: a common one, of every copy that was never a partner, and
// one for each that was.
type tests struct {
	common test
	own    map[int]*test
}

func (t *tests) of(i int) (_ *test, own bool) {
	if x, ok := t.own[i]; ok {
		return x, true
	}
	return &t.common, false
}

// testsFor makes the tests. Partners are searched among the copies that the
// specimen speaks for at all; whether one is among them depends on itself alone.
func testsFor(sights []sight, words *codewords) *tests {
	some, number := shortlist(sights, words)
	b := newBench(sights, some, words.n)
	touched := map[int]bool{}
	named := func(parts []explanation) []explanation {
		for _, e := range parts {
			for k, i := range e.partners {
				e.partners[k] = number[i]
			}
		}
		return parts
	}
	full := newBench(sights, words, words.n)
	out := &tests{own: map[int]*test{}}
	out.common = full.test(named(b.explain(-1, touched)))
	for j := range touched {
		t := full.test(named(b.explain(j, map[int]bool{})))
		out.own[number[j]] = &t
	}
	return out
}

// scores gives every copy the score of its own test.
func (t *tests) scores(sights []sight, words *codewords) []int64 {
	out := make([]int64, words.n)
	grain, base, weight := columnScores(t.common.ev, sights, words.words)
	short := make([]int32, words.n)
	words.scores(base, weight, short)
	for i, s := range short {
		out[i] = int64(s) * grain
	}
	for i, own := range t.own {
		grain, base, weight := columnScores(own.ev, sights, words.words)
		s := base
		for col, w := range weight {
			if words.has(i, col) {
				s += w
			}
		}
		out[i] = int64(s) * grain
	}
	return out
}

// columnScores is evidence column by column, in units of its grain.
func columnScores(ev []Evidence, sights []sight, words int) (grain int64, base int32, weight []int32) {
	weight = make([]int32, 64*words)
	of := make(map[SiteID]*sight, len(sights))
	for i := range sights {
		of[sights[i].site] = &sights[i]
	}
	grain = 0
	for _, e := range ev {
		for _, s := range e.Score {
			grain = gcd(s, grain)
		}
	}
	if grain = max(grain, -grain); grain == 0 {
		return 1, 0, weight
	}
	for _, e := range ev {
		s := of[e.Site]
		if s.cols > 1 {
			for v := range s.cols {
				weight[s.col+v] = int32(e.Score[v] / grain)
			}
			continue
		}
		miss := e.Score[0]
		if s.bit == 0 {
			miss = e.Score[1]
		}
		base += int32(miss / grain)
		weight[s.col] = int32((e.Score[s.bit] - miss) / grain)
	}
	return grain, base, weight
}

// order is the copies that the specimen speaks for, those with tests of their own
// first, then by falling score. Who scores nothing or less is never accused.
func (t *tests) order(scores []int64) (out []int) {
	for i, s := range scores {
		if s > 0 {
			out = append(out, i)
		}
	}
	rank := func(i int) int {
		if _, own := t.of(i); own {
			return 0
		}
		return 1
	}
	slices.SortFunc(out, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b))
	})
	return out
}
