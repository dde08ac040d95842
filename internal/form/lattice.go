package form

import (
	"slices"

	"forewarn/internal/token"
)

// A lattice is a Form as the reader sees it: all files in a row, cut into
// segments, each segment offering strands of folded text of which a copy shows
// one. A literal is a segment of one strand, a choice has a strand for each
// alternative that folding can tell apart, and a token has none: nothing is
// known of it but its length.
//
// Every folded character of every strand is a cell, numbered throughout.
type lattice struct {
	segments []segment
	strands  []strand
	cells    []rune
	strandOf []int32 // by cell
	// least[i] and most[i] are the lengths of the shortest and longest way
	// through all segments before i, files being laid end to end.
	least, most []int32
	sites       []siteParts
}

type segment struct {
	file, part  int32
	kind        Kind
	first, next int32   // strands [first, next)
	site        int32   // choice: index in Form.Sites
	of          []uint8 // choice: for each symbol, its strand less first
	token       int32   // token: how many characters it shows
}

type strand struct {
	segment int32
	cell    int32 // first cell
	n       int32 // cells
}

// siteParts lists where a site stands, as units that are read together: the
// places of a re-ordered list in one file are one unit, anything else is a unit
// of its own.
type siteParts struct {
	units [][]int32 // segments
}

func newLattice(f *Form) *lattice {
	l := &lattice{sites: make([]siteParts, len(f.Sites))}
	for i := range f.Files {
		if !f.Files[i].Bulk {
			l.addFile(f, int32(i))
		}
	}
	var least, most int32
	for i := range l.segments {
		l.least, l.most = append(l.least, least), append(l.most, most)
		lo, hi := l.width(int32(i))
		least, most = least+lo, most+hi
	}
	l.least, l.most = append(l.least, least), append(l.most, most)
	return l
}

func (l *lattice) addFile(f *Form, i int32) {
	file := &f.Files[i]
	json := len(file.Parts) > 0 && looksJSON(file.Parts[0].Bytes)
	var order []int32
	stands := map[int32][]int32{}
	for j := range file.Parts {
		p := &file.Parts[j]
		s := segment{file: i, part: int32(j), kind: p.Kind, first: int32(len(l.strands)), site: -1}
		id := int32(len(l.segments))
		switch p.Kind {
		case Literal:
			l.addStrand(id, foldPart(p.Bytes, json))
		case Token:
			s.token = tokenWidth(p.Alphabet)
		case Choice:
			s.site = int32(p.Site)
			for _, a := range p.Alternatives {
				s.of = append(s.of, l.addAlternative(id, s.first, foldPart(a, json)))
			}
			if stands[s.site] == nil {
				order = append(order, s.site)
			}
			stands[s.site] = append(stands[s.site], id)
		}
		s.next = int32(len(l.strands))
		l.segments = append(l.segments, s)
	}
	for _, site := range order {
		u := &l.sites[site].units
		if l.isList(stands[site]) {
			*u = append(*u, stands[site])
			continue
		}
		for _, id := range stands[site] {
			*u = append(*u, []int32{id})
		}
	}
}

// isList says whether the segments of one site in one file are places of a list
// rather than repetitions of a choice: one alone doesn't tell all symbols apart,
// or what one shows for a symbol another shows for a different one.
func (l *lattice) isList(segments []int32) bool {
	symbolOf := map[string]int{}
	for _, id := range segments {
		s := &l.segments[id]
		if len(segments) > 1 && int(s.next-s.first) < len(s.of) {
			return true
		}
		for v, a := range s.of {
			text := string(l.text(s.first + int32(a)))
			if w, ok := symbolOf[text]; ok && w != v {
				return true
			}
			symbolOf[text] = v
		}
	}
	return false
}

// addAlternative adds a strand unless the segment has it, and returns its place.
func (l *lattice) addAlternative(segment, first int32, text []rune) uint8 {
	for i := first; i < int32(len(l.strands)); i++ {
		if slices.Equal(l.text(i), text) {
			return uint8(i - first)
		}
	}
	l.addStrand(segment, text)
	return uint8(int32(len(l.strands)) - 1 - first)
}

func (l *lattice) addStrand(segment int32, text []rune) {
	id := int32(len(l.strands))
	l.strands = append(l.strands, strand{segment: segment, cell: int32(len(l.cells)), n: int32(len(text))})
	l.cells = append(l.cells, text...)
	for range text {
		l.strandOf = append(l.strandOf, id)
	}
}

func foldPart(b []byte, json bool) []rune {
	var t folded
	t.fold(b, 0, json)
	return t.text
}

// text is a strand's folded characters.
func (l *lattice) text(strand int32) []rune {
	s := &l.strands[strand]
	return l.cells[s.cell : s.cell+s.n]
}

// tokenWidth is how many letters and digits a token shows.
func tokenWidth(a token.Alphabet) int32 {
	if a == token.UUID {
		return 32 // of 36 characters four are dashes
	}
	return int32(a.Len())
}

// width is the length of the shortest and the longest strand of a segment.
func (l *lattice) width(i int32) (least, most int32) {
	s := &l.segments[i]
	if s.kind == Token {
		return 0, s.token // it may have been taken out
	}
	for j := s.first; j < s.next; j++ {
		n := l.strands[j].n
		if most = max(most, n); j == s.first || n < least {
			least = n
		}
	}
	return least, most
}

// fileEnd reports whether a file ends before segment i, fileStart whether one
// begins at it.
func (l *lattice) fileEnd(i int32) bool {
	return i > 0 && (int(i) == len(l.segments) || l.segments[i].file != l.segments[i-1].file)
}

func (l *lattice) fileStart(i int32) bool {
	return int(i) < len(l.segments) && (i == 0 || l.segments[i].file != l.segments[i-1].file)
}
