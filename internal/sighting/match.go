package sighting

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
)

// pattern is a byte string to find, and what must hold around it.
type pattern struct {
	text    string // lower case if fold
	fold    bool
	bounds  bounds     // nil: text is only a piece of what address says
	address netip.Addr // whose spelling is around it
	kind    hitKind
	index   int32 // of the indicator or rule
}

// matcher finds many patterns at once. Its windows are groups of up to four
// folded bytes. A pattern whose chosen stretch is as long as the shortest
// pattern holds, whatever its position in a text, one window that starts at a
// multiple of the stride; all its windows within one stride are in the table.
// So a scan looks at one window per stride and, mostly, at one bit of a table
// that stays in the first cache. The rest happens only on a hit.
type matcher struct {
	patterns []pattern
	address  map[netip.Addr][]int32 // the indicators of each address
	mask     uint32                 // of the bytes in a window
	width    int
	stride   int
	shift    int
	bits     []uint64
	at       map[uint32][]placed
}

// placed is a window's place in a pattern.
type placed struct {
	pattern int32
	offset  int32
}

// folding sets the bit that tells ASCII's cases apart. Some signs fall
// together as well, which costs a look and no more: verify is exact.
const folding = 0x20202020

func newMatcher(indicators []Indicator, rules []Rule) (*matcher, error) {
	m := &matcher{address: map[netip.Addr][]int32{}}
	pieces := map[string]bool{} // whole networks share one
	for i, ind := range indicators {
		ps, err := ind.patterns()
		if err != nil {
			return nil, fmt.Errorf("indicator %d: %w", i+1, err)
		}
		for _, p := range ps {
			p.kind, p.index = indicator, int32(i)
			if a := p.address; a.IsValid() {
				if all := m.address[a]; len(all) == 0 || all[len(all)-1] != int32(i) {
					m.address[a] = append(all, int32(i))
				}
				if pieces[p.text] {
					continue
				}
				pieces[p.text] = true
			}
			m.patterns = append(m.patterns, p)
		}
	}
	for i, r := range rules {
		for _, n := range r.Needles {
			m.patterns = append(m.patterns, pattern{text: lower(n), fold: true, bounds: anywhere, kind: needle, index: int32(i)})
		}
	}
	shortest := MaxValue
	for _, p := range m.patterns {
		shortest = min(shortest, len(p.text))
	}
	m.width = min(4, shortest)
	m.mask = uint32(1<<(8*m.width) - 1)
	m.stride = min(shortest-m.width+1, 16)
	m.place()
	return m, nil
}

// place fills the table. Many indicators share a tail or a head (".example",
// "http"); each is entered by the stretch whose windows are the least common
// among all patterns.
func (m *matcher) place() {
	common := map[uint32]int{}
	for _, p := range m.patterns {
		for i := 0; i+m.width <= len(p.text); i++ {
			common[m.window(p.text, i)]++
		}
	}
	m.at = make(map[uint32][]placed, len(m.patterns)*m.stride)
	for i, p := range m.patterns {
		best, least := 0, int(^uint(0)>>1)
		for start := 0; start+m.stride+m.width-1 <= len(p.text); start++ {
			worst := 0
			for o := range m.stride {
				worst = max(worst, common[m.window(p.text, start+o)])
			}
			if worst < least {
				best, least = start, worst
			}
		}
		for o := range m.stride {
			w := m.window(p.text, best+o)
			m.at[w] = append(m.at[w], placed{int32(i), int32(best + o)})
		}
	}
	size := max(16, bits.Len(uint(len(m.at)*32)))
	m.shift = 32 - min(size, 24)
	m.bits = make([]uint64, 1<<(32-m.shift)/64)
	for w := range m.at {
		h := m.hash(w)
		m.bits[h>>6] |= 1 << (h & 63)
	}
}

func (m *matcher) hash(w uint32) uint32 { return w * 0x9E3779B1 >> m.shift }

func (m *matcher) window(s string, at int) uint32 {
	var w uint32
	for i := range m.width {
		w |= uint32(s[at+i]) << (8 * i)
	}
	return (w | folding) & m.mask
}

// find calls hit with the range of every match in text. A match may be
// reported more than once. Patterns are of indicators and of rules' needles.
func (m *matcher) find(text []byte, hit func(from, to int, kind hitKind, index int32)) {
	if len(m.patterns) == 0 {
		return
	}
	p, table, mask, shift, stride := 0, m.bits, m.mask, m.shift, m.stride
	for ; p+4 <= len(text); p += stride {
		w := (binary.LittleEndian.Uint32(text[p:]) | folding) & mask
		h := w * 0x9E3779B1 >> shift
		if table[h>>6]>>(h&63)&1 != 0 {
			m.verify(text, p, w, hit)
		}
	}
	for ; p+m.width <= len(text); p += stride {
		m.verify(text, p, m.window(string(text[p:p+m.width]), 0), hit)
	}
}

func (m *matcher) verify(text []byte, p int, w uint32, hit func(from, to int, kind hitKind, index int32)) {
	for _, c := range m.at[w] {
		pat := &m.patterns[c.pattern]
		from := p - int(c.offset)
		to := from + len(pat.text)
		if from < 0 || to > len(text) {
			continue
		}
		if pat.fold {
			if !equalFold(text[from:to], pat.text) {
				continue
			}
		} else if string(text[from:to]) != pat.text {
			continue
		}
		if pat.bounds == nil {
			from, to, a := v6Run(text, from, to)
			for _, i := range m.address[a] {
				hit(from, to, indicator, i)
			}
		} else if from, to, ok := pat.bounds(text, from, to); ok {
			hit(from, to, pat.kind, pat.index)
		}
	}
}

// equalFold compares with ASCII's cases together; low is lower case.
func equalFold(b []byte, low string) bool {
	for i, c := range b {
		if c-'A' <= 25 {
			c |= 0x20
		}
		if c != low[i] {
			return false
		}
	}
	return true
}

// lower folds ASCII only: a byte of another script stays the byte it is.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c-'A' <= 25 {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
