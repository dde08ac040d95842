package form

import (
	"crypto/sha256"
	"slices"
	"strings"

	"forewarn/internal/fpcode"
)

// ReaderVersion names the reader that Read is. Readings of different versions
// are not comparable; a dossier names the version that it must be re-read with.
const ReaderVersion = "align/1"

const (
	// Specimens are read in pieces, so that memory and time stay linear; pieces
	// overlap by more than any passage that a reading rests on.
	pieceLength  = 1 << 18
	pieceOverlap = 1 << 12
	// Cells of alignment for each character, and for a piece however short.
	// Ordinary text takes about a tenth.
	workPerCharacter = 700
	workPerPiece     = 8 << 20
)

// What a reading of Value takes, in scores of alignment. doc/spec/form.md says
// why these, and how often they err.
const (
	// Context on both sides: each at least contextEach, together contextBoth.
	contextEach = 8 * scoreMatch
	contextBoth = 22 * scoreMatch
	// On one side only, at the end of an excerpt or beside foreign text.
	contextAlone = 20 * scoreMatch
	// How much better than any other alternative, and, on one side only, how
	// much of its own.
	marginBoth  = 4
	marginAlone = 15
	// Errors allowed inside the alternative itself: one, or 15 %.
	errorCost = scoreMatch - scoreGap
	// After so many alignments with one choice, further ones are passed over:
	// they would tell nothing new but by way of time.
	mostLooks = 32
	// A passage that stands at two places of the Form, for all that can be
	// seen, is read at neither. One place must be better by so many characters.
	placeMargin = 16
	placeWindow = 24
)

// Reader reads specimens against one Form. It is made once and may be used by
// several goroutines at a time.
type Reader struct {
	form    [32]byte
	sites   []Site
	lattice *lattice
	index   *seedIndex
}

// NewReader prepares to read against f, which must be valid.
func NewReader(f *Form) *Reader {
	l := newLattice(f)
	return &Reader{form: f.Hash(), sites: slices.Clone(f.Sites), lattice: l, index: newSeedIndex(l)}
}

// Read says what stands in the specimens at each site of the Form. It is
// deterministic: see Reader.Read.
func Read(f *Form, specimens []Specimen) Readings { return NewReader(f).Read(specimens) }

// Read says what stands in the specimens at each site of the Form: a symbol,
// something else, or nothing that can be told. It is a function of the Form and
// the specimens' data alone, and takes time and memory linear in them.
//
// Passages of the specimens are aligned with the Form's lattice wherever they
// come from it: whole files, excerpts in any order, several copies in one
// specimen. Several readings of one site are one reading if they agree, and
// Other if they don't. Text that was never part of the package is passed over.
//
// There may be at most MaxSpecimens; names are cut to what Readings can hold.
func (r *Reader) Read(specimens []Specimen) Readings {
	out := Readings{Reader: ReaderVersion, Form: r.form, Sites: make([]SiteReading, len(r.sites))}
	for i, s := range r.sites {
		out.Sites[i].Reading = fpcode.Reading{Site: s.ID, Class: s.Class, Q: s.Q}
	}
	votes := make([]vote, len(r.sites))
	looked := make([]uint8, len(r.lattice.segments))
	for i, s := range specimens {
		out.Specimens = append(out.Specimens, SpecimenRef{Name: nameOf(s.Name), Size: uint64(len(s.Data)), Hash: sha256.Sum256(s.Data)})
		r.specimen(s.Data, looked, func(f finding, t *folded) {
			votes[f.site].add(f, func(y1, y2 int32) Span { return t.span(uint32(i), y1, y2) })
		})
	}
	for i := range votes {
		votes[i].decide(&out.Sites[i])
	}
	return out
}

func nameOf(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxName)], "")
}

// specimen reads one specimen, piece by piece. found is told each finding with
// the text that its spans count in.
func (r *Reader) specimen(data []byte, looked []uint8, found func(finding, *folded)) {
	src := newSource(data)
	var t folded
	for first, more := true, true; more; {
		for more && len(t.text) <= pieceLength {
			more = src.next(&t)
		}
		for len(t.text) > pieceLength || !more {
			end := min(pieceLength, len(t.text))
			last := !more && end == len(t.text)
			for _, f := range r.piece(t.text[:end], t.word[:end], first, last, looked) {
				found(f, &t)
			}
			first = false
			if last {
				return
			}
			t.drop(pieceLength - pieceOverlap)
		}
	}
}

// span is where folded characters [from, to) stand in the specimen.
func (t *folded) span(specimen uint32, from, to int32) Span {
	switch {
	case from < to:
		return Span{specimen, uint64(t.at[from]), uint64(t.end[to-1] - t.at[from])}
	case from > 0:
		return Span{specimen, uint64(t.end[from-1]), 0}
	}
	return Span{Specimen: specimen}
}

// finding is what one passage shows at one site.
type finding struct {
	site   int32
	chain  int32
	state  fpcode.State // Value or Other
	symbol uint8
	spans  [][2]int32 // characters of the piece, one span for each part looked at
}

// piece reads one piece of a specimen. looked counts alignments by segment.
func (r *Reader) piece(text []rune, word []bool, first, last bool, looked []uint8) []finding {
	l := r.lattice
	chains := l.chains(l.runs(r.index, text))
	if len(chains) == 0 {
		return nil
	}
	a := newAligner(l, text, word, first, last, workPerPiece+workPerCharacter*int64(len(text)))
	own := newOwners(chains, len(text))
	var out []finding
	for i := range chains {
		if !own.hopeless(int32(i)) && l.worthLooking(&chains[i], looked) {
			out = append(out, r.judge(a.align(&chains[i]), int32(i))...)
		}
	}
	return own.settle(out)
}

// worthLooking says whether a chain is near a choice that was not looked at too
// often already, and counts it.
func (l *lattice) worthLooking(c *chain, looked []uint8) (yes bool) {
	first := l.strands[c.runs[0].strand].segment
	last := l.strands[c.runs[len(c.runs)-1].strand].segment
	for s := max(0, first-1); s <= min(last+1, int32(len(looked))-1); s++ {
		if l.segments[s].kind == Choice && looked[s] < mostLooks {
			looked[s]++
			yes = true
		}
	}
	return yes
}

// judge turns the looks of one chain into findings.
func (r *Reader) judge(looks []look, chain int32) (out []finding) {
	at := make(map[int32]*look, len(looks))
	for i := range looks {
		at[looks[i].segment] = &looks[i]
	}
	for i := range looks {
		site := r.lattice.segments[looks[i].segment].site
		for _, unit := range r.lattice.sites[site].units {
			if unit[0] != looks[i].segment {
				continue
			}
			f := finding{site: site, chain: chain}
			if len(unit) == 1 {
				f.state, f.symbol, f.spans = r.judgeOne(&looks[i])
			} else {
				f.state, f.symbol, f.spans = r.judgeTogether(unit, at)
			}
			if f.state != fpcode.Erased {
				out = append(out, f)
			}
		}
	}
	return out
}

// good says whether a fit has context on both sides and whether a text of n
// characters is really there.
func (f *fit) context() bool {
	return f.left >= contextEach && f.right >= contextEach && f.left+f.right >= contextBoth
}

func (f *fit) fits(n int32) bool {
	return n*scoreMatch-f.own <= errorCost*max(1, (n*15+99)/100)
}

// judgeOne judges a choice whose alternatives tell all symbols apart.
func (r *Reader) judgeOne(k *look) (fpcode.State, uint8, [][2]int32) {
	best, second := -1, int32(never)
	for i := range k.strands {
		if s := k.strands[i].best(); best < 0 || s > k.strands[best].best() {
			if best >= 0 {
				second = max(second, k.strands[best].best())
			}
			best = i
		} else {
			second = max(second, s)
		}
	}
	seg := &r.lattice.segments[k.segment]
	s := &k.strands[best]
	margin := s.best() - second
	n := r.lattice.strands[seg.first+int32(best)].n
	symbol := uint8(slices.Index(seg.of, uint8(best)))
	through := s.through
	switch {
	case through.context() && through.fits(n):
		if margin >= marginBoth {
			return fpcode.Value, symbol, [][2]int32{{through.y1, through.y2}}
		}
		return fpcode.Erased, 0, nil
	case k.other.context():
		// Both ends are there. One character is dirt, more is another text.
		if k.other.y2-k.other.y1 > 1 {
			return fpcode.Other, 0, [][2]int32{{k.other.y1, k.other.y2}}
		}
		return fpcode.Erased, 0, nil
	case max(through.left, through.right) >= contextAlone && through.fits(n) && through.own >= marginAlone &&
		margin >= marginAlone && !r.lattice.mayBeEmpty(seg):
		// With one end missing, all of the alternative must be there: nothing
		// tells a word that was cut off from one that foreign text begins with.
		return fpcode.Value, symbol, [][2]int32{{through.y1, through.y2}}
	}
	return fpcode.Erased, 0, nil
}

func (l *lattice) mayBeEmpty(s *segment) bool {
	for j := s.first; j < s.next; j++ {
		if l.strands[j].n == 0 {
			return true
		}
	}
	return false
}

// judgeTogether judges the places of a list. All of them must be in the
// passage, with context on both sides, and what stands at them must be exactly
// one symbol's order: whoever sorts a list otherwise makes no reading.
func (r *Reader) judgeTogether(unit []int32, at map[int32]*look) (fpcode.State, uint8, [][2]int32) {
	l := r.lattice
	q := len(l.segments[unit[0]].of)
	total := make([]int32, q)
	ideal := int32(0)
	other := false
	var spans [][2]int32
	for _, segment := range unit {
		k := at[segment]
		if k == nil {
			return fpcode.Erased, 0, nil
		}
		best := 0
		for i := range k.strands {
			if k.strands[i].through.score > k.strands[best].through.score {
				best = i
			}
		}
		seg := &l.segments[segment]
		if b := k.strands[best].through; b.context() && b.fits(l.strands[seg.first+int32(best)].n) {
			spans = append(spans, [2]int32{b.y1, b.y2})
		} else if k.other.context() && k.other.y2-k.other.y1 > 1 {
			other = true
			spans = append(spans, [2]int32{k.other.y1, k.other.y2})
		} else {
			return fpcode.Erased, 0, nil
		}
		ideal += k.strands[best].best()
		for v := range total {
			total[v] += k.strands[seg.of[v]].best()
		}
	}
	best, second := 0, int32(never)
	for v := 1; v < q; v++ {
		if total[v] > total[best] {
			best, second = v, total[best]
		} else {
			second = max(second, total[v])
		}
	}
	if other || total[best] != ideal {
		return fpcode.Other, 0, spans
	}
	if total[best]-second < marginBoth {
		return fpcode.Erased, 0, nil
	}
	return fpcode.Value, uint8(best), spans
}

// vote gathers what all passages show at one site.
type vote struct {
	values  [MaxQ]bool
	symbols int
	symbol  uint8
	other   bool
	spans   []Span // of values; of other only while there is no value
}

func (v *vote) add(f finding, span func(y1, y2 int32) Span) {
	if f.state == fpcode.Value {
		if v.symbols == 0 {
			v.spans = nil
		}
		if !v.values[f.symbol] {
			v.values[f.symbol] = true
			v.symbols++
			v.symbol = f.symbol
		}
	} else {
		v.other = true
		if v.symbols > 0 {
			return
		}
	}
	for _, s := range f.spans {
		if len(v.spans) < 4*MaxSpans {
			v.spans = append(v.spans, span(s[0], s[1]))
		}
	}
}

func (v *vote) decide(out *SiteReading) {
	switch {
	case v.symbols == 1:
		out.State, out.Symbol = fpcode.Value, v.symbol
	case v.symbols > 1 || v.other:
		out.State = fpcode.Other
	}
	slices.SortFunc(v.spans, Span.compare)
	v.spans = slices.Compact(v.spans)
	out.Spans = v.spans[:min(len(v.spans), MaxSpans):min(len(v.spans), MaxSpans)]
}
