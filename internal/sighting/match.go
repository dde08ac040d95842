package sighting

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
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

// matcher finds many patterns at once. It sorts them into tiers by length, for
// the shortest pattern of a tier sets how far a scan may step. A scan goes over
// the text once for each tier that there is.
type matcher struct {
	patterns []pattern
	address  map[netip.Addr][]int32 // the indicators of each address
	tiers    []*tier

	quoteless bool // no pattern holds a quote
}

// tier finds patterns of at least width+stride-1 bytes. Its windows are groups
// of width folded bytes. Of each pattern a stretch of that length is chosen;
// whatever the pattern's place in a text, one of the stretch's windows starts
// there at a multiple of the stride, and all of them are in the table. So a
// scan looks at one window per stride.
//
// It looks first at a filter, for a batch of windows, and notes the places that
// pass; then it touches what the table has for these; then it compares. With a
// million patterns none of this is in a near cache, and so the loads of a step
// don't wait for one another. Windows are entered under a hash; only a
// pattern's own bytes count in the end.
type tier struct {
	width, stride int
	mask          uint64          // of the bytes in a window
	filter        []uint64        // two bits of one word for each hash
	small         *[1 << 16]uint8 // instead
	words         bool            // its windows are the beginnings of long words: see longWords
	first         []uint32        // where a bucket begins in placed; one more than buckets
	firstShift    uint
	placed        []placed // one more than there are, to touch
}

// placed is a window's place in a pattern. The tag is some of the window's hash.
type placed struct {
	pattern uint32
	offset  uint16
	tag     uint16
}

// folding sets the bit that tells ASCII's cases apart. Some signs fall
// together as well, which costs a look and no more: verify is exact.
const folding = 0x2020202020202020

const golden = 0x9E3779B97F4A7C15 // 2⁶⁴ over the golden ratio: Knuth, TAOCP 3, section 6.4

// Lengths from which on patterns are kept apart from shorter ones, and how many
// must have such a length: below that a pass of their own costs more than it
// saves.
var tierLengths = [...]int{15, 11, 8, 0}

const tierWorth = 1024

func newMatcher(indicators []Indicator, rules []Rule) (*matcher, error) {
	m := &matcher{address: map[netip.Addr][]int32{}, patterns: make([]pattern, 0, len(indicators))}
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
	m.tier()
	return m, nil
}

// tier makes the tiers of its patterns.
func (m *matcher) tier() {
	m.quoteless = !slices.ContainsFunc(m.patterns, func(p pattern) bool { return strings.Contains(p.text, `"`) })

	long, width := m.longOnes()
	m.addTier(&tier{width: width, stride: 1, words: true}, long)
	var sorted [len(tierLengths)][]uint32
	for i, p := range m.patterns {
		if _, is := slices.BinarySearch(long, uint32(i)); is {
			continue
		}
		t := slices.IndexFunc(tierLengths[:], func(n int) bool { return len(p.text) >= n })
		sorted[t] = append(sorted[t], uint32(i))
	}
	for t, list := range sorted[:] {
		if shorter := slices.IndexFunc(sorted[t+1:], func(l []uint32) bool { return len(l) > 0 }); shorter >= 0 && len(list) <= tierWorth {
			to := &sorted[t+1+shorter]
			*to = append(*to, list...)
		} else if len(list) > 0 {
			m.addTier(m.newTier(list), list)
		}
	}
}

// newTier shares a shortest pattern's bytes between width and stride: a wide
// window is seldom met by chance, a wide stride skips more.
func (m *matcher) newTier(list []uint32) *tier {
	shortest := MaxValue
	for _, i := range list {
		shortest = min(shortest, len(m.patterns[i].text))
	}
	t := &tier{stride: min(8, (shortest+1)/2)}
	if shortest < 8 {
		t.stride = min(shortest+1-shortWidth, shortStride)
	}
	for t.stride >= 8 && t.stride < 16 && t.stride+8 <= shortest && len(list)*(t.stride+1) <= 1<<16 {
		t.stride++
	}
	if t.width = min(8, shortest+1-t.stride); shortest < 8 {
		t.width = shortWidth
	}
	return t
}

// addTier has a tier find these patterns.
func (m *matcher) addTier(t *tier, list []uint32) {
	if len(list) == 0 {
		return
	}
	t.mask = ^uint64(0) >> (64 - 8*t.width)
	t.fill(m.patterns, list)
	m.tiers = append(m.tiers, t)
}

// fill makes the tables. Many indicators share a tail or a head (".example",
// "http"); each is entered by the stretch whose windows are the least common
// among all patterns, as far as a count by hash can tell, and aren't of a word
// that is common in telemetry.
func (t *tier) fill(patterns []pattern, list []uint32) {
	counted := uint(min(max(10, bits.Len(uint(len(list)*32))), 24))
	common := make([]uint8, 1<<counted)
	var hashes [judged]uint64
	windows := func(i uint32) []uint64 {
		text := patterns[i].text
		n := min(len(text), judged) - t.width + 1
		for o := range n {
			hashes[o] = t.hash(load(text, o))
		}
		return hashes[:n]
	}
	for _, i := range list {
		for _, h := range windows(i) {
			if c := &common[h>>(64-counted)]; *c < 255 {
				*c++
			}
		}
	}
	for i, w := range slices.Backward(commonWords) {
		for o := range len(w) - t.width + 1 {
			common[t.hash(load(w, o))>>(64-counted)] = uint8(255 - i*128/len(commonWords))
		}
	}
	common[t.hash(load("00000000", 0))>>(64-counted)] = 255 // of UTC, and of addresses
	n := len(list) * t.stride
	if t.width == shortWidth && t.stride == shortStride && n <= smallMost {
		t.small = new([1 << 16]uint8)
	} else {
		t.filter = make([]uint64, 1<<min(max(9, bits.Len(uint(n/8))), 20))
	}
	buckets := uint(max(9, bits.Len(uint(n))))
	t.first, t.firstShift = make([]uint32, 1<<buckets+1), 64-buckets
	best := make([]uint16, len(list))
	for k, i := range list {
		hs := windows(i)
		starts := everyPlace[:max(0, len(hs)-t.stride+1)]
		if t.words {
			starts = longWords(&patterns[i], t.width)
		}
		least := 256
		for _, start := range starts {
			worst := 0
			for _, h := range hs[start : start+t.stride] {
				worst = max(worst, int(common[h>>(64-counted)]))
			}
			if worst < least {
				best[k], least = uint16(start), worst
			}
			if least <= 1 {
				break
			}
		}
		for o, h := range hs[best[k]:][:t.stride] {
			switch {
			case t.small != nil:
				t.small[smallHash(uint32(load(patterns[i].text, int(best[k])+o)|folding))] = 1
			default:
				t.filter[h>>filterWord&uint64(len(t.filter)-1)] |= 1<<(h>>filterBit&63) | 1<<(h>>filterBit2&63)
			}
			t.first[h>>t.firstShift]++
		}
	}
	// Counts become ends, and filling from the back makes them beginnings.
	sum := uint32(0)
	for b := range t.first {
		sum += t.first[b]
		t.first[b] = sum
	}
	t.placed = make([]placed, n+1)
	for k, i := range slices.Backward(list) {
		for o, h := range windows(i)[best[k]:][:t.stride] {
			b := h >> t.firstShift
			t.first[b]--
			t.placed[t.first[b]] = placed{i, best[k] + uint16(o), tag(h)}
		}
	}
}

// judged is how many bytes of a pattern the choice of its windows is from.
const judged = 64

var everyPlace = func() (all [judged]int) {
	for i := range all {
		all[i] = i
	}
	return all
}()

// load is the eight bytes from p on as a number, or as many as there are.
func load[T string | []byte](b T, p int) (w uint64) {
	if p+8 <= len(b) {
		b = b[p : p+8]
		return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
	}
	for i := range len(b) - p {
		w |= uint64(b[p+i]) << (8 * i)
	}
	return w
}

func (t *tier) hash(w uint64) uint64 {
	return (w | folding) & t.mask * golden
}

// tag is of bits that the bucket isn't told by.
func tag(h uint64) uint16 { return uint16(h >> 24) }

// batch is room for the places that pass a filter, of a scan's own.
type batch struct {
	at, first [batchSize]uint32
	hashes    [batchSize]uint64
}

const batchSize = 256

// find calls hit with the range of every match in text, in no order, and with what
// must hold around it. A match may be reported more than once.
func (m *matcher) find(text []byte, room *batch, hit func(from, to int, kind hitKind, index int32, by bounds)) {
	for _, t := range m.tiers {
		p := 0
		for p+8 <= len(text) || t.words && p < len(text) {
			var n int
			switch {
			case t.words:
				n, p = t.siftWords(text, p, &room.at)
			case t.small != nil:
				n, p = t.siftShort(text, p, &room.at)
			default:
				n, p = t.sift(text, p, &room.at)
			}
			for i, at := range room.at[:n] {
				room.hashes[i] = t.hash(load(text, int(at)))
				room.first[i] = t.first[room.hashes[i]>>t.firstShift]
			}
			for i, first := range room.first[:n] {
				room.first[i] = uint32(t.placed[first].tag) // for the cache
			}
			for i, at := range room.at[:n] {
				m.verify(t, text, int(at), room.hashes[i], hit)
			}
		}
		for ; !t.words && p+t.width <= len(text); p += t.stride {
			m.verify(t, text, p, t.hash(load(text, p)), hit)
		}
	}
}

// sift notes places from p on, a stride apart, whose windows pass the filter,
// as far as a batch goes. It says how many they are and where to go on. It is a
// scan's innermost loop: it has no branch on what it reads.
func (t *tier) sift(text []byte, p int, at *[batchSize]uint32) (n, next int) {
	mask, filter, stride := t.mask, t.filter, t.stride
	last := uint64(len(filter) - 1)
	for end := min(p+batchSize*stride, len(text)-7); p < end; p += stride {
		h := (binary.LittleEndian.Uint64(text[p:p+8:len(text)]) | folding) & mask * golden
		at[uint8(n)] = uint32(p)
		w := filter[h>>filterWord&last]
		n += one(w&(1<<(h>>filterBit&63)) != 0) & one(w&(1<<(h>>filterBit2&63)) != 0)
	}
	return n, p
}

// Of the tier that costs most, three windows come out of a load, and its filter
// has a byte for each hash.
const (
	shortWidth  = 4
	shortStride = 2
	smallMost   = 1 << 14 // windows, above which too many would pass it
)

func smallHash(w uint32) uint32 { return w * (golden >> 32) >> 16 }

func (t *tier) siftShort(text []byte, p int, at *[batchSize]uint32) (n, next int) {
	filter := t.small
	for end := min(p+batchSize/3*6, len(text)-7); p < end; p += 6 {
		x := binary.LittleEndian.Uint64(text[p:p+8:len(text)]) | folding
		at[uint8(n)] = uint32(p)
		n += int(filter[smallHash(uint32(x))])
		at[uint8(n)] = uint32(p + 2)
		n += int(filter[smallHash(uint32(x>>16))])
		at[uint8(n)] = uint32(p + 4)
		n += int(filter[smallHash(uint32(x>>32))])
	}
	return n, p
}

// A hash's bits from these on say where in the filter its bits are.
const (
	filterBit2 = 28
	filterBit  = 34
	filterWord = filterBit + 6
)

// one is 1 if it is so: the compiler makes no branch of it.
func one(so bool) (n int) {
	if so {
		n = 1
	}
	return n
}

func (m *matcher) verify(t *tier, text []byte, p int, h uint64, hit func(from, to int, kind hitKind, index int32, by bounds)) {
	b := h >> t.firstShift
	for _, c := range t.placed[t.first[b]:t.first[b+1]] {
		if c.tag != tag(h) {
			continue
		}
		pat := &m.patterns[c.pattern]
		from := p - int(c.offset)
		to := from + len(pat.text)
		if from < 0 || to > len(text) || (text[from]^pat.text[0]|text[to-1]^pat.text[len(pat.text)-1])&^0x20 != 0 {
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
				hit(from, to, indicator, i, v6Bounds(a))
			}
		} else if from, to, ok := pat.bounds(text, from, to); ok {
			hit(from, to, pat.kind, pat.index, pat.bounds)
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
