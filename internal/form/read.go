package form

import (
	"crypto/sha256"
	"strings"

	"forewarn/internal/fpcode"
)

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

const (
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
	version string
	rules   rules
	form    [32]byte
	sites   []Site
	lattice *lattice
	index   *seedIndex
	items   map[uint64][]listItem // of lists that are looked for strewn; none for align/1
	effort  *effort               // counted if there is somewhere to; only tests do
}

// effort is what reading cost, in steps that don't depend on the machine.
type effort struct{ runs, chains, cells int64 }

// Version is the reader's name, one of ReaderVersions.
func (r *Reader) Version() string { return r.version }

// Read says what stands in the specimens at each site of the Form: a symbol,
// something else, or nothing that can be told. It is a function of the Form and
// the specimens' data alone, and takes time and memory linear in them.
//
// Passages of the specimens are aligned with the Form's lattice wherever they
// come from it: whole files, excerpts in any order, several copies in one
// specimen. Several readings of one site are one reading if they agree, and
// Other if clear ones don't. Text that was never part of the package is passed
// over.
//
// There may be at most MaxSpecimens; names are cut to what Readings can hold.
func (r *Reader) Read(specimens []Specimen) Readings {
	out := Readings{Reader: r.version, Form: r.form, Sites: make([]SiteReading, len(r.sites))}
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
	verdict // Value or Other; spans in characters of the piece, one for each part looked at
	site    int32
	chain   int32
}

// piece reads one piece of a specimen. looked counts alignments by segment.
func (r *Reader) piece(text []rune, word []bool, first, last bool, looked []uint8) []finding {
	l := r.lattice
	runs := l.runs(r.index, text)
	chains := l.chains(runs)
	out := r.passages(chains, text, word, first, last, looked)
	if e := r.effort; e != nil {
		e.runs, e.chains = e.runs+int64(len(runs)), e.chains+int64(len(chains))
	}
	if len(r.items) > 0 {
		has := make(map[int32]bool, len(out))
		for i := range out {
			has[out[i].site] = has[out[i].site] || out[i].lead() >= strewnNats
		}
		out = append(out, r.strewn(text, has)...)
	}
	return out
}

// passages reads what the chains of a piece pass.
func (r *Reader) passages(chains []chain, text []rune, word []bool, first, last bool, looked []uint8) (out []finding) {
	if len(chains) == 0 {
		return nil
	}
	budget := workPerPiece + workPerCharacter*int64(len(text))
	a := newAligner(r.lattice, text, word, first, last, budget)
	own := newOwners(chains, len(text))
	for i := range chains {
		if !own.hopeless(int32(i)) && r.lattice.worthLooking(&chains[i], looked) {
			out = append(out, r.judge(a.align(&chains[i]), int32(i))...)
		}
	}
	if e := r.effort; e != nil {
		e.cells += budget - a.work
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
