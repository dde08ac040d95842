package sighting

import "bytes"

// run is a stretch of base64's characters, and the alignments at which it may
// be text: bit a stands for groups of four that begin at positions that are a
// modulo 4, and bit wideBit+a for such groups that hold UTF-16.
type run struct {
	from, to int
	alive    uint8
}

// leastText is how many bytes of ASCII text in a row tell base64 from a word or
// a number. A token has more.
const leastText = 16

// leastRun is how many letters, digits and hyphens in a row may be base64, or a
// token.
const leastRun = 22

// Within leastText bytes of text, in whatever alignment, stand four whole
// groups, and so a window that starts at a multiple of hop.
const (
	window = 8
	hop    = 4*4 - window + 1
)

// base64Value is the value of a character in the standard and in the URL
// alphabet (RFC 4648 sections 4 and 5), 0xff for others.
var base64Value = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		v[c] = byte(i)
	}
	v['-'], v['_'] = 62, 63
	return v
}()

func isText(c byte) bool { return c >= ' ' && c < 0x7f || c == '\t' || c == '\r' || c == '\n' }

// alive[p][c] has bit a set if c, at a position that is p modulo 4, may be part
// of text whose groups begin at a. The first character of a group holds the six
// high bits of a byte, the second two bits and the next byte's four high ones,
// the third four and two; the last may be any.
var alive = func() (t [4][256]uint8) {
	for c, v := range base64Value {
		if v == 0xff {
			continue
		}
		ok := [4]bool{v >= 8 && v < 32 || v == 2 || v == 3, v&15 < 8 && v&15 != 1, v&2 == 0, true}
		for p := range 4 {
			for a := range 4 {
				if ok[(p-a)&3] {
					t[p][c] |= 1 << a
				}
			}
		}
	}
	return t
}()

// run takes note of a run of letters, digits and hyphens in the text on top, if
// it may hold text in base64. Runs come in order.
func (ls *layers) run(from, to int) {
	b := ls.text
	var all uint8
	for p := from; p+window <= to; p += hop {
		a := ^all
		for i := p; i < p+window && a != 0; i++ {
			a &= alive[i&3][b[i]]
		}
		for ; a != 0; a &= a - 1 {
			if streak(b, p, a&-a) {
				all |= a & -a
			}
		}
	}
	if all |= wideRun(b[from:to], from); all == 0 {
		return
	}
	if n := len(ls.runs); n > ls.own && from < ls.runs[n-1].to {
		ls.runs[n-1].alive |= all // they are parted by a sign of base64's own
		return
	}
	for from > 0 && base64Value[b[from-1]] != 0xff {
		from--
	}
	for to < len(b) && base64Value[b[to]] != 0xff {
		to++
	}
	ls.runs = append(ls.runs, run{from, to, all})
}

// streak reports whether four groups' length around the window at p may be text
// in one alignment.
func streak(b []byte, p int, bit uint8) bool {
	lo, hi := p, p+window
	for lo > 0 && hi-lo < 16 && alive[(lo-1)&3][b[lo-1]]&bit != 0 {
		lo--
	}
	for hi < len(b) && hi-lo < 16 && alive[hi&3][b[hi]]&bit != 0 {
		hi++
	}
	return hi-lo == 16
}

// wideBit is the first bit of a run that stands for UTF-16.
const wideBit = 4

// period is how many characters of base64 stand for three units of UTF-16. Of
// these, in ASCII with the low byte first, two are A, one is A or B, and one is of
// the first eight: the high bytes are zero.
const (
	period      = 8
	leastPeriod = 4 // 12 units in a row
)

// wideRun is the alignments at which a run may be ASCII in UTF-16, as PowerShell's
// -EncodedCommand has it. b begins at position from of its text.
func wideRun(b []byte, from int) (out uint8) {
	for p := 0; p+leastPeriod*period <= len(b); p++ {
		j := bytes.IndexByte(b[p:len(b)-leastPeriod*period+1], 'A')
		if j < 0 {
			break
		}
		p += j
		bit := uint8(1) << (wideBit + (from+p)&3)
		if out&bit != 0 {
			continue
		}
		text := true
		for q := p; q < p+leastPeriod*period && text; q += period {
			text = b[q] == 'A' && b[q+3] == 'A' && b[q+1] <= 'H' && b[q+1] >= 'A' && (b[q+6] == 'A' || b[q+6] == 'B')
		}
		if text {
			out |= bit
		}
	}
	return out
}

// narrow makes bytes that base64 was undone to text of UTF-16, the low byte first,
// and reports whether there is any. What isn't ASCII becomes a question mark each.
func (l *layer) narrow() bool {
	for skip := range 2 {
		row := 0
		for i := skip; i+1 < len(l.text); i += 2 {
			if !isText(l.text[i]) || l.text[i+1] != 0 {
				row = 0
			} else if row++; row == leastText {
				l.skip, l.unit = skip, 2
				break
			}
		}
	}
	if l.unit != 2 {
		return false
	}
	n := 0
	for i := l.skip; i+1 < len(l.text); i += 2 {
		if c := l.text[i]; l.text[i+1] == 0 && c < 0x80 {
			l.text[n] = c
		} else {
			l.text[n] = '?'
		}
		n++
	}
	l.text = l.text[:n]
	return true
}

// unbase64 undoes base64 in text[from:to], whose groups begin at positions that
// are a modulo 4, and reports whether there is text in it. All of it is
// decoded: a packet is text and other bytes.
func (l *layer) unbase64(text []byte, from, to, a int) bool {
	from += (a - from) & 3
	l.text, l.marks, l.base64, l.more, l.in, l.unit, l.skip = l.text[:0], l.marks[:0], true, false, from, 1, 0
	if from >= to {
		return false
	}
	l.under = text[from:to]
	b := l.under
	for ; len(b) >= 4; b = b[4:] {
		v := uint32(base64Value[b[0]])<<18 | uint32(base64Value[b[1]])<<12 | uint32(base64Value[b[2]])<<6 | uint32(base64Value[b[3]])
		l.text = append(l.text, byte(v>>16), byte(v>>8), byte(v))
	}
	if len(b) >= 2 {
		l.text = append(l.text, base64Value[b[0]]<<2|base64Value[b[1]]>>4)
	}
	if len(b) == 3 {
		l.text = append(l.text, base64Value[b[1]]<<4|base64Value[b[2]]>>2)
	}
	row := 0
	for _, c := range l.text {
		if !isText(c) {
			row = 0
		} else if row++; row == leastText {
			return true
		}
	}
	return false
}
