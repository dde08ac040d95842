package sighting

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"slices"
	"strings"

	"forewarn/internal/token"
)

// mostAnchor is the most bytes of an anchor: one above it would have every
// search look further.
const mostAnchor = 64

// quotes finds excerpts of texts. Where a pair of words stands in telemetry, the
// lines around it are read. In these a few words of the texts are looked for, the
// anchors, and the words around these are read against the lattice.
type quotes struct {
	*pairs
	lattices []*lattice
	anchors  map[string][]anchored // by the word
	public   map[string]bool
}

// anchored is where in a text an anchor stands in one context: reading less than
// MinWords words on either side comes to the same at each of the edges.
type anchored struct {
	text  int32
	edges []int32
}

func newQuotes(texts []Text, public [][]byte) *quotes {
	if len(texts) == 0 {
		return nil
	}
	q := &quotes{anchors: map[string][]anchored{}, public: map[string]bool{}}
	for _, t := range public {
		for _, run := range runsOf(wordsOf(t)) {
			q.public[strings.Join(run, " ")] = true
		}
	}
	type place struct {
		word    string
		text    int32
		context uint64
	}
	places := map[place]int{}
	for t, text := range texts {
		l := newLattice(text)
		l.choose(rankOf)
		contexts := l.contexts()
		q.lattices = append(q.lattices, l)
		for e, edge := range l.edges {
			if !edge.anchor {
				continue
			}
			here := place{edge.word, int32(t), contexts[e]}
			k, ok := places[here]
			if !ok {
				k = len(q.anchors[edge.word])
				places[here] = k
				q.anchors[edge.word] = append(q.anchors[edge.word], anchored{text: int32(t)})
			}
			q.anchors[edge.word][k].edges = append(q.anchors[edge.word][k].edges, int32(e))
		}
	}
	q.pairs = newPairs(q.lattices)
	return q
}

// wordsOf are the words of a text, folded.
func wordsOf(text []byte) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool { return !letter(r) })
}

// runsOf are the runs of MinWords words.
func runsOf(words []string) (runs [][]string) {
	for i := 0; i+MinWords <= len(words); i++ {
		runs = append(runs, words[i:i+MinWords])
	}
	return runs
}

// rankOf ranks a word as an anchor, the best least; false if it can't be one.
// What costs is where a word of telemetry is an anchor of a text that isn't quoted
// there: at best a word is long, and isn't common. Within a class the hash decides,
// as in winnowing; of common words how common they are does.
func rankOf(w string) (uint32, bool) {
	if len(w) < leastAnchor || len(w) > mostAnchor || strings.IndexByte(w, wild) >= 0 {
		return 0, false
	}
	h := fnv.New32a()
	h.Write([]byte(w))
	class, within := uint32(0), h.Sum32()>>4
	if i := slices.Index(commonWords, w); i >= 0 {
		class, within = 3, uint32(len(commonWords)-i)
	} else if len(w) < 6 {
		class = 2
	} else if len(w) < 8 {
		class = 1
	}
	return class<<28 | within, true
}

// quote is an excerpt in a text that is searched.
type quote struct {
	span
	text         int32 // of the Texts
	words, first int32
}

// anchorHit is an anchor met.
type anchorHit struct {
	span
	places []anchored
}

// anchorsIn appends to dst the anchors in a text, in order.
func (q *quotes) anchorsIn(dst []anchorHit, text []byte) []anchorHit {
	for at := 0; at < len(text); {
		w, ok, _ := nextWord(text, at, q.longest)
		if !ok {
			at += MaxGap
			continue
		}
		at = wordEnd(text, w.to, len(text))
		if n := at - w.from; n < leastAnchor || n > 4*mostAnchor {
			continue
		}
		if places := q.anchors[fold(text[w.from:at])]; places != nil {
			dst = append(dst, anchorHit{span{w.from, at}, places})
		}
	}
	return dst
}

// mostAlignments is how many ways to lay an excerpt on a text are tried at one
// place, where a text repeats itself.
const mostAlignments = 64

// find gives the quotes in a text, whose anchors are given in order. Each is as
// long as it can be. Of quotes of one text that lie within one another, the
// longest is given.
//
// The first anchor of a run has less than MinWords words of it before it, so no
// walk to the left is longer. A walk to the right is as long as the quote, but
// no two walk over the same words: where a quote was seen, or nothing that
// counts, only an anchor whose own run leads out of it is followed again: on the
// left that may be so of few, those next to where it begins. A
// quote that begins in words that don't count is followed back through them.
//
// out says that a run came to an end of the text: more of it may stand beyond.
func (q *quotes) find(text []byte, anchors []anchorHit, emit func(quote)) (out bool) {
	covered := map[int32]span{} // by the quote of each text that goes furthest
	j := judge{quotes: q}
	for _, hit := range anchors {
		best, edges := map[int32]quote{}, map[int32]int32{}
		tried := map[int32]int{}
		for _, a := range hit.places {
			if tried[a.text] == mostAlignments {
				continue
			}
			l := q.lattices[a.text]
			from, _, before, cut := l.left(text, a.edges[0], hit.from, MinWords-1)
			near, behind, cutBehind := l.right(text, a.edges[0], hit.to, MinWords-1)
			out = out || cut || cutBehind
			if before+1+behind < MinWords {
				continue
			}
			few := a.edges[:min(len(a.edges), mostAlignments-tried[a.text])]
			tried[a.text] += len(few)
			for _, e := range few {
				if s := (span{from, near}); covered[a.text].holds(s) || j.quiet.holds(s) {
					break
				}
				to, behind, cut := l.right(text, e, hit.to, len(text))
				out = out || cut
				if words := int32(before + 1 + behind); words > best[a.text].words && j.counts(text, span{from, to}) {
					_, first, _, _ := l.left(text, e, hit.from, MinWords-1)
					best[a.text], edges[a.text] = quote{span{from, to}, a.text, words, int32(first)}, e
				}
			}
		}
		for _, t := range sortedKeys(best) {
			x := best[t]
			if j.quiet.from < x.from && x.from <= j.quiet.to {
				_, _, had, _ := q.lattices[t].left(text, edges[t], hit.from, MinWords-1)
				from, first, before, _ := q.lattices[t].left(text, edges[t], hit.from, len(text))
				x.from, x.first, x.words = from, int32(first), x.words+int32(before-had)
			}
			if c := covered[t]; x.to < c.to || x.to == c.to && x.from >= c.from {
				continue
			}
			emit(x)
			covered[t] = x.span
		}
	}
	return out
}

func sortedKeys(m map[int32]quote) []int32 {
	keys := make([]int32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// left follows a run from an edge to the left, for most words at most: where it
// begins in the text, which of the text's words that is, how many it passed, and
// whether it came to where the text begins.
func (l *lattice) left(text []byte, e int32, at, most int) (from, first, n int, cut bool) {
	var room [2][8]int32
	here, there := append(room[0][:0], l.edges[e].from), room[1][:0]
	for from = at; n < most; n++ {
		w, ok, ended := lastWord(text, from, l.longest)
		if cut = ended || ok && w.from == 0; !ok || w.to-w.from > l.longest {
			break
		}
		there = l.before(there[:0], here, func(e int32) bool { return reads(text[w.from:w.to], l.edges[e].word) })
		if len(there) == 0 {
			break
		}
		here, there, from = there, here, w.from
	}
	first = l.nodes[here[0]].first
	for _, n := range here {
		first = min(first, l.nodes[n].first)
	}
	return from, first, n, cut
}

// right follows a run to the right.
func (l *lattice) right(text []byte, e int32, at, most int) (to, n int, cut bool) {
	var room [2][8]int32
	here, there := append(room[0][:0], l.edges[e].to), room[1][:0]
	for to = at; n < most; n++ {
		w, ok, ended := nextWord(text, to, l.longest)
		if cut = ended || ok && w.to == len(text); !ok || w.to-w.from > l.longest {
			break
		}
		there = l.behind(there[:0], here, func(e int32) bool { return reads(text[w.from:w.to], l.edges[e].word) })
		if len(there) == 0 {
			break
		}
		here, there, to = there, here, w.to
	}
	return to, n, cut
}

// judge tells what counts in one text. What it found not to, it doesn't read
// again, however many ways there are to lay an excerpt there.
type judge struct {
	*quotes
	quiet span // no run within it counts
	tail  int  // where its last MinWords-1 words begin
}

func (s span) holds(t span) bool { return s.from <= t.from && t.to <= s.to }

// counts reports whether a run of the words says anything: it isn't public, and
// its words are not all but the same. It reads no further than to the first that
// does.
func (j *judge) counts(text []byte, s span) bool {
	if j.quiet.holds(s) {
		return false
	}
	var at []span // of the words in run
	var run []string
	judged, counts := s.from, false // to where nothing counts
	for p := s.from; ; {
		if len(run) == MinWords {
			at, run = at[1:], run[1:]
		}
		begin := p // of the next run
		if len(at) > 0 {
			begin = at[0].from
		}
		if j.quiet.from <= begin && begin < j.tail {
			at, run, p = nil, nil, j.tail
		}
		w := wordFrom(text[:s.to], p)
		if w.from == w.to {
			break
		}
		at, run, p = append(at, w), append(run, fold(text[w.from:w.to])), w.to
		if counts = len(run) == MinWords && j.says(run); counts {
			break
		}
		judged = w.to
	}
	if len(at) >= MinWords-1 && judged > j.quiet.to {
		if s.from < j.quiet.from || s.from > j.tail {
			j.quiet.from = s.from
		}
		j.quiet.to, j.tail = judged, at[0].from
	}
	return counts
}

// wordFrom is the first word at or behind a place; empty if there is none.
func wordFrom(text []byte, p int) span {
	if p >= len(text) {
		return span{}
	}
	i := bytes.IndexFunc(text[p:], letter)
	if i < 0 {
		return span{}
	}
	n := bytes.IndexFunc(text[p+i:], func(r rune) bool { return !letter(r) })
	if n < 0 {
		n = len(text) - p - i
	}
	return span{p + i, p + i + n}
}

// says reports whether a run of MinWords words counts.
func (q *quotes) says(run []string) bool {
	different := 0
	for i, w := range run {
		if !slices.Contains(run[:i], w) {
			different++
		}
	}
	return different >= leastDifferent && (len(q.public) == 0 || !q.public[strings.Join(run, " ")])
}

// context is how many bytes on either side of a line are read with it where a run
// of words leads out of it. That is so in logs too: what parts two of their records
// parts any quote, and lines that are no records may be running text.
const context = MinWords * (MaxGap + 2*mostAnchor)

// passages gives, for these places of a text, the stretches in which quotes are
// looked for: whole lines, so that encodings are undone as a whole.
func passages(text []byte, at []span) (out []span) {
	slices.SortFunc(at, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for _, a := range at {
		if n := len(out); n > 0 && a.to <= out[n-1].to {
			continue
		}
		s := lineOf(text, a)
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// quotesIn looks for quotes around the pairs that were noted in text.
func (p *pass) quotesIn(text []byte, keep func(hit)) {
	p.quoted = p.quoted[:0]
	p.layers.reach, p.layers.quoteless = 0, false
	var over []span
	for _, s := range passages(text, p.noted) {
		if p.quotesOf(text, s) && s != (span{0, len(text)}) {
			over = append(over, span{max(0, s.from-context), min(len(text), s.to+context)})
		}
	}
	for _, s := range passages(text, over) {
		p.quotesOf(text, s)
	}
	// What an inner text shows whole, an outer one shows in pieces, and a line too.
	slices.SortFunc(p.quoted, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(b.words, a.words))
	})
	for i, end := 0, 0; i < len(p.quoted); i++ {
		if i == 0 || p.quoted[i-1].index != p.quoted[i].index {
			end = 0
		}
		if p.quoted[i].to > end {
			end = p.quoted[i].to
			keep(p.quoted[i])
		}
	}
}

// quotesOf looks for quotes in a stretch of text; out says that one may go on
// beyond it.
func (p *pass) quotesOf(text []byte, s span) (out bool) {
	p.layers.dig(text[s.from:s.to], func(inner []byte) {
		p.tokens.Scan(inner, func(int, token.Alphabet, uint64) {}) // tells of base64
		p.met = p.quotes.anchorsIn(p.met[:0], inner)
		leads := p.quotes.find(inner, p.met, func(x quote) {
			from, to, through := p.layers.below(x.from, x.to)
			p.quoted = append(p.quoted, hit{from: from + s.from, to: to + s.from, kind: excerpt, index: x.text, through: through, words: x.words, first: x.first})
		})
		leads = leads || p.quotes.leadOut(inner)
		if from, to, _ := p.layers.below(0, len(inner)); leads && (from == 0 || to == s.to-s.from) {
			out = true
		}
	})
	return out
}

// held is from where on the lines of a chunk must wait for the next: a quote may begin there that isn't whole yet.
func (p *pass) held(text []byte) int {
	at := max(0, len(text)-context)
	for _, h := range p.hits {
		if h.kind == excerpt && len(text)-h.to <= 2*MaxGap {
			at = min(at, h.from)
		}
	}
	return lineOf(text, span{at, at}).from
}

// once takes out the rest of quotes that were told of before, of which only the
// beginning is gone.
func (p *pass) once(hits []hit) []hit {
	return slices.DeleteFunc(hits, func(h hit) bool {
		if h.kind != excerpt {
			return false
		}
		to := p.base + int64(h.to)
		if p.told == nil {
			p.told = map[int32]int64{}
		}
		if to <= p.told[h.index] {
			return true
		}
		p.told[h.index] = to
		return false
	})
}

// lineOf widens a range to whole lines, without the last one's newline.
func lineOf(text []byte, s span) span {
	s.from = bytes.LastIndexByte(text[:s.from], '\n') + 1
	if i := bytes.IndexByte(text[s.to:], '\n'); i >= 0 {
		s.to += i
	} else {
		s.to = len(text)
	}
	return s
}
