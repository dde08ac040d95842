package form

import "slices"

// The alignment of one chain is a Smith–Waterman alignment of a specimen
// passage with the lattice, kept near the chain's runs, in both directions: F at
// a node is how well what comes before fits, B how well what follows does. The
// score of an alternative is then the best over all ways through it (a
// max-marginal), so the margin between two alternatives of a site takes every
// other doubt about the passage into account.
//
// A unit of score is about a nat of evidence for text with a few per cent of
// errors against chance: a match is ln(0.95 × 20) = 2.9, letters being worth
// about one in twenty.
const (
	scoreMatch  = 3
	scoreDiffer = -3
	scoreGap    = -4
	// Context is what a path scored of late. It stops counting at 32 matching
	// characters, so that a passage cannot carry its credit over a stretch that
	// doesn't fit.
	scoreContext = 32 * scoreMatch
	// Going on over a site at which something else stands, or a token.
	scoreSkip = -10 * scoreMatch
	// The end of a file that is also the end of the specimen is context too.
	scoreEdge = 20 * scoreMatch

	never = -1 << 29
)

// Alternatives longer than this are aligned only if they share enough short
// grams with the passage.
const longStrand = 96

// look is what an alignment saw at one choice.
type look struct {
	segment int32
	strands []sight
	// The best way to have something else there, between good context.
	other fit
	// How many characters of what every copy has were aligned nearby, and what
	// score was lost there, for telling how worn the passage is.
	near, lost int32
}

// fit is one way through or into a choice.
type fit struct {
	score       int32 // of the whole path
	own         int32 // of the choice's text alone
	left, right int32 // context on either side
	y1, y2      int32 // specimen characters [y1, y2) are the choice's text
}

// sight is how one alternative fits: with context on both sides, or hanging
// from its left or right context alone.
type sight struct {
	through, fromLeft, fromRight fit
}

func (s *sight) best() int32 {
	return max(s.through.score, s.fromLeft.score, s.fromRight.score)
}

// aligner aligns chains of one specimen.
type aligner struct {
	l          *lattice
	text       []rune
	word       []bool // where words begin
	first      bool   // text begins where the specimen does
	last       bool   // text ends where the specimen does
	work       int64  // cells still allowed
	nodes      []node
	fore, back kernel
	turned     []rune // scratch: a strand backwards
	mirror     []rune // the text backwards
	grams      map[uint64]struct{}
}

func newAligner(l *lattice, text []rune, word []bool, first, last bool, work int64) *aligner {
	a := &aligner{l: l, text: text, word: word, first: first, last: last, work: work, mirror: slices.Clone(text)}
	slices.Reverse(a.mirror)
	return a
}

// align looks at every choice that a chain passes. It returns nothing when the
// work allowed is used up.
func (a *aligner) align(c *chain) []look {
	a.plan(c)
	back, looks := a.backward()
	if a.work < 0 {
		return nil
	}
	a.forward(back, looks)
	if a.work < 0 {
		return nil
	}
	return looks
}

// backward computes B at every node, and how each alternative hangs from its
// right context. Everything is mirrored: the kernel only knows forwards.
func (a *aligner) backward() (back []lane, looks []look) {
	l, end := a.l, int32(len(a.text))
	back = make([]lane, len(a.nodes))
	last := len(a.nodes) - 1
	back[last] = newLane(a.nodes[last].band())
	if n := a.nodes[last]; a.last && n.offset == 0 && l.fileEnd(n.segment) && n.hi == end {
		back[last].score[n.hi-n.lo], back[last].context[n.hi-n.lo] = scoreEdge, scoreEdge
	}
	for i := last - 1; i >= 0 && a.work >= 0; i-- {
		from, to := a.nodes[i], a.nodes[i+1]
		in, bin, bout := back[i+1].mirrored(), to.mirrored(end), from.mirrored(end)
		var out lane
		switch l.segments[from.segment].kind {
		case Literal:
			out = a.literal(&a.back, from, to, in, bin, bout, a.mirror, true)
		case Token:
			out = skip(in, bin, bout, l.segments[from.segment].token)
		case Choice:
			out = skip(in, bin, bout, 0)
			looks = append(looks, a.choiceBackward(from, to, in, bin, bout, out))
		}
		back[i] = out.mirrored()
	}
	slices.Reverse(looks)
	return back, looks
}

// choiceBackward begins a look at the choice between two nodes, and raises out,
// the mirrored scores before it.
func (a *aligner) choiceBackward(from, to node, in lane, bin, bout band, out lane) look {
	seg, end := &a.l.segments[from.segment], int32(len(a.text))
	k := look{segment: from.segment, strands: make([]sight, seg.next-seg.first)}
	rest := in.peak(bin)
	for j := range k.strands {
		s := &k.strands[j]
		s.fromRight = fit{score: rest.score, right: rest.context, y1: end - rest.y, y2: end - rest.y}
		text := a.l.text(seg.first + int32(j))
		if !a.worthwhile(text, from.lo, to.hi) {
			continue
		}
		a.turned = append(a.turned[:0], text...)
		slices.Reverse(a.turned)
		a.spend(len(text), a.back.align(a.turned, a.mirror, in, bin, bout, never))
		a.back.raise(out, bout)
		if r := a.back.reach; r.score > s.fromRight.score {
			i := r.from - bin.lo
			s.fromRight = fit{score: r.score, own: r.score - in.score[i], right: in.context[i], y1: end - r.y, y2: end - r.from}
		}
	}
	return k
}

// forward computes F at every node and completes the looks.
func (a *aligner) forward(back []lane, looks []look) {
	l := a.l
	fore := newLane(a.nodes[0].band())
	if n := a.nodes[0]; a.first && n.offset == 0 && l.fileStart(n.segment) && n.lo == 0 {
		fore.score[0], fore.context[0] = scoreEdge, scoreEdge
	}
	all, near, lost := looks, int32(0), int32(0)
	begin := slices.IndexFunc(a.nodes, func(n node) bool { return n.known })
	end := len(a.nodes) - 1
	for end > begin && !a.nodes[end].known {
		end--
	}
	for i := 0; i+1 < len(a.nodes) && a.work >= 0; i++ {
		from, to := a.nodes[i], a.nodes[i+1]
		in, out := from.band(), to.band()
		var next lane
		switch l.segments[from.segment].kind {
		case Literal:
			next = a.literal(&a.fore, from, to, fore, in, out, a.text, false)
			if i >= begin && i < end {
				n := a.length(from, to)
				near, lost = near+n, lost+max(0, n*scoreMatch-(next.peak(out).score-fore.peak(in).score))
			}
		case Token:
			next = skip(fore, in, out, l.segments[from.segment].token)
		case Choice:
			next = skip(fore, in, out, 0)
			a.choiceForward(&looks[0], fore, back[i+1], in, out, next)
			looks[0].near, looks[0].lost = near, lost // so far; see around
			looks = looks[1:]
		}
		fore = next
	}
	around(all, near, lost)
}

// wornWindow is how many characters on either side of a choice say how worn its
// passage is.
const wornWindow = 160

// around turns running totals of literal characters and lost score, up to each
// look, into those of its surroundings.
func around(looks []look, near, lost int32) {
	sums := make([][2]int32, 0, len(looks)+2)
	sums = append(sums, [2]int32{})
	for i := range looks {
		sums = append(sums, [2]int32{looks[i].near, looks[i].lost})
	}
	sums = append(sums, [2]int32{near, lost})
	first, last := 0, 0
	for i := range looks {
		at := sums[i+1][0]
		for sums[first+1][0] < at-wornWindow {
			first++
		}
		for last = max(last, i+1); last+1 < len(sums) && sums[last][0] < at+wornWindow; last++ {
		}
		looks[i].near, looks[i].lost = sums[last][0]-sums[first][0], sums[last][1]-sums[first][1]
	}
}

// choiceForward completes a look whose backward half is known, and raises next,
// the scores after the choice.
func (a *aligner) choiceForward(k *look, fore, back lane, in, out band, next lane) {
	seg := &a.l.segments[k.segment]
	rest := fore.peak(in)
	k.other = between(fore, back, in, out)
	for j := range k.strands {
		s := &k.strands[j]
		s.fromLeft = fit{score: rest.score, left: rest.context, y1: rest.y, y2: rest.y}
		s.through = fit{score: never}
		text := a.l.text(seg.first + int32(j))
		if !a.worthwhile(text, in.lo, out.hi) {
			continue
		}
		a.spend(len(text), a.fore.align(text, a.text, fore, in, out, never))
		a.fore.raise(next, out)
		if r := a.fore.reach; r.score > s.fromLeft.score {
			i := r.from - in.lo
			s.fromLeft = fit{score: r.score, own: r.score - fore.score[i], left: fore.context[i], y1: r.from, y2: r.y}
		}
		for y := out.lo; y <= out.hi; y++ {
			c := a.fore.exit(y)
			i, from := y-out.lo, c.from
			if c.score > never/2 && c.score+back.score[i] > s.through.score {
				s.through = fit{c.score + back.score[i], c.score - fore.score[from-in.lo], fore.context[from-in.lo], back.context[i], from, y}
			}
		}
		a.wholeWords(&s.through, fore, back, in, out)
	}
}

// wholeWords counts against a fit what stands right beside it in the same word
// and belongs to no context: "cannot" is not "can". One character may be dirt;
// with more it is another word.
func (a *aligner) wholeWords(f *fit, fore, back lane, in, out band) {
	before, after := int32(0), int32(0)
	for f.y1 > in.lo && f.y1 > 0 && int(f.y1) < len(a.word) && !a.word[f.y1] && fore.score[f.y1-in.lo] == fore.score[f.y1-1-in.lo]+scoreGap {
		f.y1--
		before++
	}
	for f.y2 < out.hi && f.y2 > 0 && !a.word[f.y2] && back.score[f.y2-out.lo] == back.score[f.y2+1-out.lo]+scoreGap {
		f.y2++
		after++
	}
	f.own += scoreGap * (before + after)
	if before > 1 || after > 1 {
		f.own = never
	}
}

// between is the best way to have anything at all between two contexts.
func between(fore, back lane, in, out band) fit {
	best := fit{score: never}
	at, left := in.lo, int32(-1)
	for y := out.lo; y <= out.hi; y++ {
		for ; at <= min(y, in.hi); at++ {
			if left < 0 || fore.score[at-in.lo] > fore.score[left] {
				left = at - in.lo
			}
		}
		if i := y - out.lo; left >= 0 && fore.score[left]+back.score[i] > best.score {
			best = fit{fore.score[left] + back.score[i], 0, fore.context[left], back.context[i], in.lo + left, y}
		}
	}
	return best
}

type peak struct{ score, context, y int32 }

// peak is the best of a lane and where it is.
func (l lane) peak(b band) peak {
	p := peak{score: never}
	for i, v := range l.score {
		if v > p.score {
			p = peak{v, l.context[i], b.lo + int32(i)}
		}
	}
	return p
}

// length is how many characters of a literal lie between two nodes.
func (a *aligner) length(from, to node) int32 {
	if to.segment == from.segment {
		return to.offset - from.offset
	}
	return a.l.strands[a.l.segments[from.segment].first].n - from.offset
}

func (a *aligner) literal(k *kernel, from, to node, in lane, bin, bout band, spec []rune, turn bool) lane {
	last := to.offset
	text := a.l.text(a.l.segments[from.segment].first)
	if to.segment != from.segment {
		last = int32(len(text))
	}
	text = text[from.offset:last]
	if from.inside && to.inside && to.exact-from.exact == int32(len(text)) {
		y1 := from.exact
		if turn {
			y1 = int32(len(a.text)) - to.exact
		}
		return along(in, bin, bout, y1, int32(len(text)))
	}
	if turn {
		a.turned = append(a.turned[:0], text...)
		slices.Reverse(a.turned)
		text = a.turned
	}
	a.spend(len(text), k.align(text, spec, in, bin, bout, 0))
	out := newLane(bout)
	k.raise(out, bout)
	return out
}

func (a *aligner) spend(rows int, width int) { a.work -= int64(rows+1) * int64(width+8) }

// worthwhile says whether a strand may fit in specimen characters [lo, hi): long
// ones must share an eighth of their grams with it, which at 15 % errors they
// still do by far.
func (a *aligner) worthwhile(text []rune, lo, hi int32) bool {
	const gram = 6
	if len(text) <= longStrand {
		return true
	}
	if a.grams == nil {
		a.grams = map[uint64]struct{}{}
	}
	clear(a.grams)
	for y := lo; y+gram <= hi; y++ {
		a.grams[hashSeed(a.text[y:y+gram])] = struct{}{}
	}
	a.spend(int(hi-lo), 8)
	shared := 0
	for o := 0; o+gram <= len(text); o++ {
		if _, ok := a.grams[hashSeed(text[o:o+gram])]; ok {
			shared++
		}
	}
	return shared*8 >= len(text)
}
