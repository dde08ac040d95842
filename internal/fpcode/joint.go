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

func newBench(sights []sight, words *codewords) *bench {
	b := &bench{whole: newField(0, sights, words)}
	for _, c := range Classes() {
		if f := newField(c, sights, words); len(f.sights) > 0 && len(f.sights) < len(sights) {
			b.apart = append(b.apart, f)
		}
	}
	return b
}

// explain explains the specimen without the excluded copies, as one or class by
// class, whichever has the greater penalised likelihood.
func (b *bench) explain(excluded func(i int) bool, touched map[int]bool) []explanation {
	whole := b.whole.explain(excluded, touched)
	if len(b.apart) == 0 {
		return []explanation{whole}
	}
	var parts []explanation
	var value int64
	for _, f := range b.apart {
		e := f.explain(excluded, touched)
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
// 2⁻⁵⁶ nat. Known copies that explain all leave nothing to say.
func (f *field) evidence(e explanation) []Evidence {
	if len(e.partners) >= e.channel.C {
		return nil
	}
	t := tabulate(f.sights, f.words, e.partners)
	raw := make([]Evidence, len(f.sights))
	of := make([][MaxQ]int64, len(t.cells))
	for i := range t.cells {
		of[i] = e.channel.weights(&t.cells[i], len(e.partners))
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
	r := Result{Version: JointDecoder}
	r.count(p.Readings, len(sights))
	tests := testsFor(newBench(sights, words))
	r.Scores = make([]int64, len(p.Holders))
	var order []int // of those with the common test, the others first
	for i, h := range p.Holders {
		r.Scores[i] = Score(tests.of(i).ev, p.CopyKey(h))
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(-cmp.Compare(tests.rank(a), tests.rank(b)), cmp.Compare(r.Scores[b], r.Scores[a]), slices.Compare(p.Holders[a][:], p.Holders[b][:]))
	})
	for _, i := range order {
		t := tests.of(i)
		a := judge(t.ev, r.Scores[i], len(p.Holders), p.Run, SpendFirst)
		a.Holder = p.Holders[i]
		for _, e := range t.parts {
			part := Part{Class: e.class, Collusion: e.channel}
			for _, k := range e.partners {
				part.Beside = append(part.Beside, p.Holders[k])
			}
			a.Parts = append(a.Parts, part)
		}
		if r.Best.PUpper == 0 || a.PUpper < r.Best.PUpper {
			r.Best = a
		}
		if a.PAdjusted > p.Alpha {
			if tests.rank(i) == 0 {
				break // probabilities of the common test rise as scores fall
			}
			continue
		}
		if a.Consistent = samples == 0; samples > 0 {
			a.sample(t.ev, p.Seed)
		}
		if a.Accuses(p.Alpha) {
			r.Accused = append(r.Accused, a)
		}
	}
	return r, nil
}

// tests of all copies: a common one, of every copy that was never a partner, and
// one for each that was.
type tests struct {
	common test
	own    map[int]test
}

func (t *tests) of(i int) *test {
	if own, ok := t.own[i]; ok {
		return &own
	}
	return &t.common
}

func (t *tests) rank(i int) int {
	if _, ok := t.own[i]; ok {
		return 1
	}
	return 0
}

func testsFor(b *bench) *tests {
	touched := map[int]bool{}
	out := &tests{common: b.test(b.explain(func(int) bool { return false }, touched)), own: map[int]test{}}
	for j := range touched {
		out.own[j] = b.test(b.explain(func(i int) bool { return i == j }, map[int]bool{}))
	}
	return out
}
