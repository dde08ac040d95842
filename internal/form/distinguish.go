package form

import (
	"fmt"
	"strings"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Unreadable is a site that Read could not read from a copy's own text.
type Unreadable struct {
	Site       int // index in Form.Sites
	File, Part int // where it first stands
	Why        string
}

// Distinguishable lists the sites that could not be read from copies; a
// compiler refuses a Form unless there are none. A site is readable when, in
// some file that is not bulk,
//
//   - its alternatives differ in letters or digits, once case, accents and
//     look-alikes are folded and markup, punctuation and space are gone (those
//     of a list: all its places together);
//   - no other choice of its neighbours' alternatives gives the same text, as in
//     {{a|a very}} {{very big|big}};
//   - enough text stands around it, and the passage is not also found
//     elsewhere in the package with another site in it.
//
// The first is checked for any two symbols, the second for up to three choices
// in a row, the third by rendering a few copies, in which every symbol of a
// small site occurs, and reading them.
func Distinguishable(f *Form) []Unreadable {
	r := NewReader(f)
	at := make([][2]int, len(f.Sites))
	for i := len(f.Files) - 1; i >= 0; i-- {
		for j := len(f.Files[i].Parts) - 1; j >= 0; j-- {
			if p := &f.Files[i].Parts[j]; p.Kind == Choice {
				at[p.Site] = [2]int{i, j}
			}
		}
	}
	var out []Unreadable
	bad := make([]bool, len(f.Sites))
	report := func(i int, format string, args ...any) {
		if !bad[i] {
			bad[i] = true
			out = append(out, Unreadable{i, at[i][0], at[i][1], fmt.Sprintf(format, args...)})
		}
	}
	for i := range f.Sites {
		if v, w, same := r.lattice.alike(int32(i)); same {
			p := &f.Files[at[i][0]].Parts[at[i][1]]
			report(i, "symbols %d and %d differ in nothing that survives copying (%s, %s)", v, w, brief(p.Alternatives[v]), brief(p.Alternatives[w]))
		}
	}
	for i, yes := range r.lattice.confusable() {
		if yes {
			report(i, "the choices next to it can make up for it: other alternatives of several give the same text")
		}
	}
	for i := range f.Sites {
		if n := r.lattice.surroundings(int32(i)); n < leastSurroundings {
			report(i, "its file has no more than %d letters and digits in some copies; %d are needed to know it again", n, leastSurroundings)
		}
	}
	for k := range trialCopies {
		symbol := trialSymbols(f, k)
		read := r.Read(trialCopy(f, symbol))
		for i := range read.Sites {
			if s := &read.Sites[i]; s.State != fpcode.Value || s.Symbol != symbol[s.Site] {
				report(i, "a copy that shows symbol %d is read as %s: too little text around it is its own", symbol[s.Site], s.describe())
			}
		}
	}
	return out
}

const trialCopies = 5

func trialSymbols(f *Form, k int) map[fpcode.SiteID]uint8 {
	symbol := make(map[fpcode.SiteID]uint8, len(f.Sites))
	for i, s := range f.Sites {
		symbol[s.ID] = uint8((k + k*i) % int(s.Q))
		if k == trialCopies-1 {
			symbol[s.ID] = s.Q - 1 - symbol[s.ID]
		}
	}
	return symbol
}

func trialCopy(f *Form, symbol map[fpcode.SiteID]uint8) (out []Specimen) {
	outputs := f.Render(PoC, func(s Site) uint8 { return symbol[s.ID] }, func(slot string, a token.Alphabet) string {
		return strings.Repeat("7f3k", 9)[:a.Len()]
	})
	for _, o := range outputs {
		out = append(out, Specimen{Name: o.Path, Data: o.Data})
	}
	return out
}

func (s *SiteReading) describe() string {
	switch s.State {
	case fpcode.Value:
		if symbol, nats := s.Likeliest(); len(s.Likelihood) > 0 {
			return fmt.Sprintf("symbol %d by %d nats", symbol, nats)
		}
		return fmt.Sprintf("symbol %d", s.Symbol)
	case fpcode.Other:
		return "something else"
	}
	return "nothing"
}

func brief(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%q…", b[:40])
	}
	return fmt.Sprintf("%q", b)
}

// alike finds two symbols that no unit of a site tells apart. One unit that
// tells all apart is enough.
func (l *lattice) alike(site int32) (v, w int, same bool) {
	same = true
	for _, unit := range l.sites[site].units {
		a, b, alike := l.alikeIn(unit)
		if !alike {
			return 0, 0, false
		}
		v, w = a, b
	}
	return v, w, same
}

func (l *lattice) alikeIn(unit []int32) (v, w int, same bool) {
	seen := map[string]int{}
	for v := range l.segments[unit[0]].of {
		var shown []byte
		for _, segment := range unit {
			shown = append(shown, l.segments[segment].of[v])
		}
		if w, ok := seen[string(shown)]; ok {
			return w, v, true
		}
		seen[string(shown)] = v
	}
	return 0, 0, false
}

// leastSurroundings is how long a file with a site is in every copy, in folded
// characters: enough for a chain, with a seed to spare.
const leastSurroundings = chainLeast + seedLength

// surroundings is the length of the shortest copy of a site's longest file.
func (l *lattice) surroundings(site int32) (n int32) {
	for _, unit := range l.sites[site].units {
		first, end := unit[0], unit[0]+1
		for !l.fileStart(first) {
			first--
		}
		for !l.fileEnd(end) {
			end++
		}
		n = max(n, l.least[end]-l.least[first])
	}
	return n
}

const (
	neighbours     = 3    // choices in a row that are tried together
	neighbourReach = 64   // characters of literal between two of them
	neighbourWays  = 4096 // combinations that are tried
)

// confusable marks the sites for which a few choices in a row can show one text
// in two ways.
func (l *lattice) confusable() []bool {
	out := make([]bool, len(l.sites))
	for i := range l.segments {
		if l.segments[i].kind != Choice {
			continue
		}
		row, ways := []int32{int32(i)}, int(l.segments[i].next-l.segments[i].first)
		for j := int32(i + 1); int(j) < len(l.segments) && !l.fileStart(j) && l.segments[j].kind != Token; j++ {
			if lo, _ := l.width(j); l.segments[j].kind == Literal && lo > neighbourReach {
				break
			}
			row = append(row, j)
			if l.segments[j].kind == Choice {
				ways *= int(l.segments[j].next - l.segments[j].first)
				if ways > neighbourWays || !l.confusableRow(row, out) || len(row) >= 2*neighbours-1 {
					break
				}
			}
		}
	}
	return out
}

// confusableRow tries all ways through segments in a row, which end in choices;
// it marks the sites in which two ways with the same text differ, and says
// whether there were none.
func (l *lattice) confusableRow(row []int32, mark []bool) (clear bool) {
	type way struct {
		text    []rune
		strands []int32
	}
	ways := []way{{}}
	for _, s := range row {
		var next []way
		for _, w := range ways {
			for j := l.segments[s].first; j < l.segments[s].next; j++ {
				next = append(next, way{append(w.text[:len(w.text):len(w.text)], l.text(j)...), append(w.strands[:len(w.strands):len(w.strands)], j)})
			}
		}
		ways = next
	}
	clear = true
	seen := map[string][]int32{}
	for _, w := range ways {
		first, ok := seen[string(w.text)]
		if !ok {
			seen[string(w.text)] = w.strands
			continue
		}
		for k, j := range w.strands {
			if j != first[k] {
				mark[l.segments[l.strands[j].segment].site] = true
				clear = false
			}
		}
	}
	return clear
}
