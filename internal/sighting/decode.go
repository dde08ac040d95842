package sighting

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"

	"forewarn/internal/token"
)

// deepest is how many encodings, one inside the other, are undone. Escapes of
// different kinds that stand side by side are undone together and count once.
const deepest = 5

// growth is how many bytes are decoded for each byte of a stretch around escapes,
// or of a run of base64, at most, all depths together. Honest lines take one to
// three; what it cuts off is a line made to cost time. A byte may be of two such
// stretches and of a run.
const growth = 16

// layer is a text with one depth of encoding undone, and the way back to the
// text below it. Between two escapes the two run in step, so only the escapes
// are remembered; base64 is regular, so that nothing is.
type layer struct {
	text   []byte
	under  []byte // what it was written as
	in     int    // where under stands in the text below
	base64 bool   // else escapes
	unit   int    // of base64: how many of its bytes each byte of text was; 2: UTF-16
	skip   int    // of base64: bytes before the first of them
	marks  []mark
	more   bool // what was written for an escape may be part of another
}

// mark says that text[out:out+wide] was written as under[in:in+long].
type mark struct{ out, in, wide, long int32 }

// below maps a range of text to the range that was written for it in the text
// below.
func (l *layer) below(from, to int) (int, int) {
	if l.base64 {
		from, to = l.skip+from*l.unit, l.skip+to*l.unit
		return l.in + from*4/3, l.in + (to*4+2)/3
	}
	a := from
	if m, ok := l.at(from); ok {
		if o := from - int(m.out); o < int(m.wide) {
			a = int(m.in)
		} else {
			a = int(m.in+m.long) + o - int(m.wide)
		}
	}
	b := to
	if m, ok := l.at(to - 1); ok {
		if o := to - int(m.out); o <= int(m.wide) {
			b = int(m.in + m.long)
		} else {
			b = int(m.in+m.long) + o - int(m.wide)
		}
	}
	return l.in + a, l.in + b
}

// at is the last mark at or before a position.
func (l *layer) at(pos int) (mark, bool) {
	i := l.upTo(pos)
	if i == 0 {
		return mark{}, false
	}
	return l.marks[i-1], true
}

// upTo is how many marks begin at or before a position.
func (l *layer) upTo(pos int) int {
	return sort.Search(len(l.marks), func(i int) bool { return int(l.marks[i].out) > pos })
}

// touches gives the kinds of encoding that stand in a range of text or right
// beside it.
func (l *layer) touches(from, to int) (e Encoding) {
	if l.base64 {
		return Base64
	}
	for i := l.upTo(to) - 1; i >= 0 && int(l.marks[i].out+l.marks[i].wide) >= from; i-- {
		e |= kindOf(l.under[l.marks[i].in:])
	}
	return e
}

// unescape undoes all escapes of b that begin with one of the leads, and
// reports whether there was any. What begins so and is no escape stays as it
// is.
func (l *layer) unescape(b []byte, leads string) bool {
	l.text, l.marks, l.under, l.base64, l.more = l.text[:0], l.marks[:0], b, false, false
	var find finder
	for i := 0; i < len(b); {
		j := find.next(b, i, leads)
		l.text = append(l.text, b[i:j]...)
		if i = j; i == len(b) {
			break
		}
		out := len(l.text)
		text, n := escape(l.text, b[i:])
		if n == 0 {
			l.more = l.more || b[i] == '&' && waits(b[i:], referenceLen(b[i:]))
			l.text = append(l.text, b[i])
			i++
			continue
		}
		l.text = text
		l.marks = append(l.marks, mark{int32(out), int32(i), int32(len(text) - out), int32(n)})
		if !l.more {
			l.more = out > 0 && text[out-1] == '\\' || partOfEscape[text[out]] || len(text) > out+1
		}
		i += n
	}
	return len(l.marks) > 0
}

// partOfEscape are the bytes that an escape may consist of; where another
// stands, a backslash stands before it.
var partOfEscape = func() (in [256]bool) {
	for c := range in {
		in[c] = word(byte(c)) || strings.IndexByte(leads+"#;", byte(c)) >= 0
	}
	return in
}()

// finder finds bytes of a few kinds, each of which is looked for once.
type finder [len(leads)]int

// next is where the first lead at or behind i stands, len(b) if there is none.
// Calls go forward.
func (f *finder) next(b []byte, i int, leads string) int {
	at := len(b)
	for k := range len(leads) {
		if f[k] <= i {
			f[k] = len(b) + 1
			if j := bytes.IndexByte(b[i:], leads[k]); j >= 0 {
				f[k] = i + j
				if j == 0 {
					return i
				}
			}
		}
		at = min(at, f[k])
	}
	return at
}

// layers is the stack of a text's encodings while it is searched.
type layers struct {
	stack [deepest]layer
	depth int
	left  int // bytes that may still be decoded for the stretch
	reach int // from an escape to the far end of what it may change; 0: of the text

	quoteless bool // nothing that is looked for holds a quote

	// What counts of the bottom's text: near the ends of a stretch, what stands
	// beside it isn't seen.
	within span

	text []byte // on top
	runs []run  // in the texts of the stack
	own  int    // the first of the top text's

	// Where nothing but tokens is looked for, these are the stretches in which
	// escapes are undone.
	alone   bool
	written []span
}

// dig visits text, and every text that its encodings hide. What is visited is
// valid until visit returns; visit may ask below, and tells of runs.
func (ls *layers) dig(text []byte, visit func(text []byte)) {
	if ls.depth == 0 {
		ls.within, ls.written = span{0, len(text)}, ls.written[:0]
	}
	own, above := ls.own, ls.text
	ls.own, ls.text = len(ls.runs), text
	visit(text)
	if ls.depth < deepest {
		l := &ls.stack[ls.depth]
		if ls.depth == 0 {
			stretches, cut := encoded(text, cmp.Or(ls.reach, len(text)), ls.quoteless), edge
			if ls.alone {
				stretches, cut = slices.Values(ls.written), 0
			}
			for r := range stretches {
				ls.left = growth * (r.to - r.from)
				if l.in = r.from; l.unescape(text[r.from:r.to], leads) {
					ls.within = span{r.from + cut, r.to - cut}
					if r.from == 0 {
						ls.within.from = 0
					}
					if r.to == len(text) {
						ls.within.to = r.to
					}
					ls.inner(l, visit)
				}
			}
			ls.within = span{0, len(text)}
		} else if below := &ls.stack[ls.depth-1]; below.base64 || below.more {
			if l.in = 0; l.unescape(text, leads) {
				ls.inner(l, visit)
			}
		}
		for i := ls.own; i < len(ls.runs); i++ {
			r := ls.runs[i]
			if ls.depth == 0 {
				ls.left = growth * (r.to - r.from)
			} else if ls.stack[ls.depth-1].touches(r.from, r.to) == 0 {
				continue // it stands so in the text below
			}
			for a := range 4 {
				if r.alive>>a&1 != 0 && l.unbase64(text, r.from, r.to, a) {
					ls.inner(l, visit)
				}
				if r.alive>>(wideBit+a)&1 != 0 {
					l.unbase64(text, r.from, r.to, a)
					if l.narrow() {
						ls.inner(l, visit)
					}
				}
			}
		}
	}
	ls.runs = ls.runs[:ls.own]
	ls.own, ls.text = own, above
}

func (ls *layers) inner(l *layer, visit func(text []byte)) {
	if ls.left -= len(l.text); ls.left < 0 {
		return
	}
	ls.depth++
	ls.dig(l.text, visit)
	ls.depth--
}

// below maps a range of the text on top to the text at the bottom, and says
// what it was seen through: the encodings that touch it.
func (ls *layers) below(from, to int) (a, b int, through Encoding) {
	a, b = from, to
	for i := ls.depth - 1; i >= 0; i-- {
		l := &ls.stack[i]
		e := l.touches(a, b)
		if e&through&Percent != 0 {
			e |= Twice
		}
		through |= e
		a, b = l.below(a, b)
	}
	return a, b, through
}

// stands reports whether a match still stands by itself once what is beside it is
// undone, as far as that will be done: 192.0.2.1%30 is another address, and so is
// 1&#46;192.0.2.1. A match that is written otherwise itself counts as it stands.
func (ls *layers) stands(text []byte, from, to int, by bounds) bool {
	left, right := text[max(0, from-edge):from], text[to:min(len(text), to+edge)]
	if !bytes.ContainsAny(left, leads) && !bytes.ContainsAny(right[:min(len(right), farBound)], leads) {
		return true
	}
	var l, r layer
	if l.unescape(text[from:to], leads) {
		return true
	}
	var around []byte
	for range deepest - ls.depth {
		if some := l.unescape(left, leads); !r.unescape(right, leads) && !some {
			break
		}
		left, right = bytes.Clone(l.text), bytes.Clone(r.text)
		around = append(append(append(around[:0], left...), text[from:to]...), right...)
		if _, _, ok := by(around, len(left), len(left)+to-from); !ok {
			return false
		}
	}
	return true
}

// farBound is how many bytes behind a match its bounds look at.
const farBound = 2

// edge is above what bounds look at on either side of a match.
const edge = 72

// whole widens a stretch by what of base64 it cuts, and by an edge for both what
// counts and what bounds look at. Base64 ends where an escape begins.
func (s span) whole(text []byte) span {
	for s.from > 0 && base64Value[text[s.from-1]] != 0xff {
		s.from--
	}
	for s.to < len(text) && base64Value[text[s.to]] != 0xff {
		s.to++
	}
	return span{max(s.from-2*edge, 0), min(s.to+2*edge, len(text))}
}

// encoded gives the stretches of text in which undoing escapes may show what
// isn't seen in the text as it stands: so much on both sides of each escape, and
// the whole of the base64 that it stands in. Most escapes of JSON are of quotes; where
// nothing that is looked for holds one, these change nothing, since a backslash
// parts what a quote parts.
func encoded(text []byte, reach int, quoteless bool) func(func(span) bool) {
	return func(yield func(span) bool) {
		var find finder
		var s span
		var room [8]byte
		for at := 0; ; at++ {
			if at = find.next(text, at, leads); at < len(text) {
				b := text[at:min(len(text), at+longestEscape)]
				if quoteless && len(b) > 1 && b[0] == '\\' && b[1] == '"' {
					continue
				}
				if _, n := escape(room[:0], b); n == 0 && (b[0] != '&' || !waits(b, referenceLen(b))) {
					continue // most ampersands part a query
				}
			}
			if at == len(text) || at-reach > s.to {
				if s.to > 0 && !yield(s.whole(text)) || at == len(text) {
					return
				}
				s.from = max(at-reach, 0)
			}
			s.to = min(at+reach, len(text))
		}
	}
}

// asWritten are the bytes that a token or base64 may consist of while its
// escapes, of whatever kinds and however deep, aren't undone: no escape of such
// a character holds another byte.
var asWritten = token.SetWith(leads + "#;")

// mayEscape reports whether b begins with what may be an escape.
func mayEscape(b []byte) bool {
	switch {
	case len(b) < 2:
		return false
	case b[0] == '&':
		return referenceLen(b) > 0
	case b[0] == '%':
		return len(b) > 2 && (unhex(b[1]) >= 0 && unhex(b[2]) >= 0 || b[1]|0x20 == 'u')
	}
	return true
}

// sign tells those that are no letters, digits or hyphens, and of them the leads.
var sign = func() (s [256]uint8) {
	for _, c := range []byte(leads + "#;") {
		s[c] = 1
	}
	for _, c := range []byte(leads) {
		s[c] = lead
	}
	return s
}()

const lead = 2

// write takes note of a run of at least 22 of them. A token lies within one.
func (ls *layers) write(from, to int) {
	b := ls.text
	led := false // by what may be an escape
	plain := from
	for i, c := range b[from:to] {
		if s := sign[c]; s != 0 {
			if from+i-plain >= leastRun {
				ls.run(plain, from+i)
			}
			if plain = from + i + 1; s == lead && !led {
				led = mayEscape(b[from+i:])
			}
		}
	}
	if to-plain >= leastRun {
		ls.run(plain, to)
	}
	if n := len(ls.written); !led || n > 0 && from < ls.written[n-1].to {
		return
	}
	// Base64 goes on beyond the signs that are its own.
	in := func(c byte) bool { return base64Value[c] != 0xff || partOfEscape[c] }
	for from > 0 && in(b[from-1]) {
		from--
	}
	for to < len(b) && in(b[to]) {
		to++
	}
	// What stands beside it tells whether &copy is a reference.
	ls.written = append(ls.written, span{max(from-1, 0), min(to+1, len(b))})
}
