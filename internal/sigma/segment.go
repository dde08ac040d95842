package sigma

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// segments are what stands between the stars of a pattern, the first at the
// beginning of a text and the last at its end. Those between are found one
// behind the other, each as early as it can be.
type segments []*segment

// segment has no star, so all that it fits has as many characters. It is looked
// for with a bit for each of its letters (Baeza-Yates and Gonnet, CACM 35(10),
// 1992): a text takes its length times a 64th of the pattern's, whatever it
// holds.
type segment struct {
	letters pattern
	literal string // the longest text in it
	ascii   [utf8.RuneSelf][]uint64
	other   map[rune][]uint64
	any     []uint64 // of characters that only a mark stands for
}

func (p pattern) segments() (all segments) {
	for {
		i := slices.IndexFunc(p, func(c letter) bool { return c.kind == star })
		if i < 0 {
			return append(all, newSegment(p))
		}
		all, p = append(all, newSegment(p[:i])), p[i+1:]
	}
}

func newSegment(p pattern) *segment {
	s := &segment{letters: p, other: map[rune][]uint64{}, any: make([]uint64, (len(p)+63)/64)}
	runs, _ := p.runs()
	for _, run := range runs {
		if len(run) > len(s.literal) {
			s.literal = run
		}
	}
	named := map[rune]bool{}
	for i, c := range p {
		switch c.kind {
		case mark:
			s.any[i/64] |= 1 << (i % 64)
		case dash:
			for _, r := range dashes {
				named[r] = true
			}
		default:
			named[c.r] = true
		}
	}
	for r := range s.ascii {
		s.ascii[r] = s.any
	}
	for r := range named {
		bits := slices.Clone(s.any)
		if r < utf8.RuneSelf {
			s.ascii[r] = bits
		} else {
			s.other[r] = bits
		}
	}
	for i, c := range p {
		of := string(c.r)
		if c.kind == dash {
			of = dashes
		} else if c.kind == mark {
			continue
		}
		for _, r := range of {
			s.bits(r)[i/64] |= 1 << (i % 64)
		}
	}
	return s
}

func (s *segment) bits(r rune) []uint64 {
	if r < utf8.RuneSelf {
		return s.ascii[r]
	}
	if b := s.other[r]; b != nil {
		return b
	}
	return s.any
}

func (all segments) match(text string) bool {
	first, last := all[0], all[len(all)-1]
	text, ok := first.begin(text)
	if len(all) == 1 {
		return ok && text == ""
	}
	if ok {
		text, ok = last.end(text)
	}
	for _, s := range all[1 : len(all)-1] {
		if !ok {
			break
		}
		text, ok = s.find(text)
	}
	return ok
}

// begin cuts the segment off a text's beginning, end off its end.
func (s *segment) begin(text string) (string, bool) {
	for _, c := range s.letters {
		r, n := utf8.DecodeRuneInString(text)
		if n == 0 || !c.is(r) {
			return "", false
		}
		text = text[n:]
	}
	return text, true
}

func (s *segment) end(text string) (string, bool) {
	for _, c := range slices.Backward(s.letters) {
		r, n := utf8.DecodeLastRuneInString(text)
		if n == 0 || !c.is(r) {
			return "", false
		}
		text = text[:len(text)-n]
	}
	return text, true
}

// find gives what stands behind the first place where the segment fits.
func (s *segment) find(text string) (string, bool) {
	m := len(s.letters)
	if m == 0 {
		return text, true
	}
	if !strings.Contains(text, s.literal) {
		return "", false
	}
	var room [4]uint64
	state := room[:min(len(s.any), len(room))]
	if len(s.any) > len(room) {
		state = make([]uint64, len(s.any))
	}
	for i, r := range text {
		carry := uint64(1)
		for k, bits := range s.bits(r) {
			x := state[k]
			state[k], carry = (x<<1|carry)&bits, x>>63
		}
		if state[(m-1)/64]>>((m-1)%64)&1 != 0 {
			_, n := utf8.DecodeRuneInString(text[i:])
			return text[i+n:], true
		}
	}
	return "", false
}
