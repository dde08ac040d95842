package sighting

import (
	"bytes"
	"net/netip"
	"unicode"
	"unicode/utf8"
)

// bounds decides whether what stands around text[from:to] lets it stand by
// itself, and may stretch the range to all that it takes in.
type bounds func(text []byte, from, to int) (int, int, bool)

// word is a letter or digit of ASCII.
func word(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' <= 25
}

// before and behind give the byte on either side, 0 at an end. A sign beyond ASCII that
// is of no word, such as a quotation mark, parts as an end does.
func before(text []byte, from int) byte {
	if from <= 0 {
		return 0
	}
	if c := text[from-1]; c < utf8.RuneSelf {
		return c
	}
	return beyond(utf8.DecodeLastRune(text[:from]))
}

func behind(text []byte, to int) byte {
	if to >= len(text) {
		return 0
	}
	if c := text[to]; c < utf8.RuneSelf {
		return c
	}
	return beyond(utf8.DecodeRune(text[to:]))
}

// beyond is a byte that stands for a rune beyond ASCII, 0 if it parts. What is no UTF-8
// may be a letter in another encoding.
func beyond(r rune, n int) byte {
	if letter(r) || unicode.IsMark(r) || r == utf8.RuneError && n == 1 {
		return utf8.RuneSelf
	}
	return 0
}

// anywhere asks nothing of what stands around.
func anywhere(_ []byte, from, to int) (int, int, bool) { return from, to, true }

// wordBounds: a value that begins or ends in a letter or digit isn't glued to
// another one there.
func wordBounds(text []byte, from, to int) (int, int, bool) {
	return from, to, !(word(text[from]) && word(before(text, from))) &&
		!(word(text[to-1]) && word(behind(text, to)))
}

// hostBounds: labels below the host may stand before it, nothing that makes it
// another name may stand around it. Letters beyond ASCII are part of a name.
func hostBounds(text []byte, from, to int) (int, int, bool) {
	part := func(c byte) bool { return word(c) || c == '-' || c == '_' || c >= 0x80 }
	ok := !part(before(text, from)) && !part(behind(text, to)) &&
		!(behind(text, to) == '.' && part(behind(text, to+1)))
	return from, to, ok
}

// pathBounds: from a separator on, or from where a name starts; to where it
// ends, or into what lies under it.
func pathBounds(text []byte, from, to int) (int, int, bool) {
	part := func(c byte) bool { return word(c) || c == '-' || c == '_' || c == '~' || c >= 0x80 }
	separator := func(c byte) bool { return c == '/' || c == '\\' }
	b, e := before(text, from), behind(text, to)
	ok := separator(text[from]) || !part(b) && b != '.'
	return from, to, ok && (separator(text[to-1]) || !part(e) && !(e == '.' && part(behind(text, to+1))))
}

// v4Bounds: no digit, label or further octet joins the address.
func v4Bounds(text []byte, from, to int) (int, int, bool) {
	part := func(c byte) bool { return word(c) || c == '_' || c >= 0x80 }
	b, further, e, next := before(text, from), before(text, from-1), behind(text, to), behind(text, to+1)
	ok := !part(b) && !(b == '.' && part(further)) && !(b == '-' && part(further) && further-'0' > 9)
	return from, to, ok && !part(e) && !(e == '.' && part(next)) && !(e == '-' && part(next) && next-'0' > 9)
}

// v6Run takes in the run of hex digits, colons and dots around a piece of an
// address, and reads the run.
func v6Run(text []byte, from, to int) (a, b int, addr netip.Addr) {
	const longest = 64 // above any spelling
	in := func(c byte) bool { return unhex(c) >= 0 || c == ':' || c == '.' }
	a, b = from, to
	for a > 0 && from-a < longest && in(text[a-1]) {
		a--
	}
	for b < len(text) && b-to < longest && in(text[b]) {
		b++
	}
	if word(before(text, a)) { // "src:2001:db8::1": the c is none of its digits
		i := bytes.IndexByte(text[a:from], ':')
		if i < 0 {
			return from, to, addr
		}
		a += i + 1
	}
	if b-a > 1 && text[a] == ':' && text[a+1] != ':' {
		a++
	}
	for b > to && (text[b-1] == '.' || text[b-1] == ':' && text[b-2] != ':') {
		b--
	}
	if word(behind(text, b)) {
		return from, to, addr
	}
	addr, err := netip.ParseAddr(string(text[a:b]))
	if err != nil {
		return from, to, netip.Addr{}
	}
	return a, b, addr.Unmap()
}

// v6Bounds: the run around it is read as the same address.
func v6Bounds(a netip.Addr) bounds {
	return func(text []byte, from, to int) (int, int, bool) {
		_, _, b := v6Run(text, from, to)
		return from, to, a == b
	}
}

// groups are the eight numbers of an IPv6 address.
func groups(a [16]byte) (g [8]uint16) {
	for i := range g {
		g[i] = uint16(a[2*i])<<8 | uint16(a[2*i+1])
	}
	return g
}

// anchor picks a group that isn't zero, such that it and the group after it
// stand side by side in every spelling: best two of full length, and before
// the last two, which may be written as an IPv4 address. It is -1 if there is
// none.
func anchor(g [8]uint16) int {
	best, score := -1, 0
	for i := range 7 {
		if g[i] == 0 {
			continue
		}
		s := 1
		if i < 5 {
			s += 4
		}
		if g[i+1] != 0 {
			s += 2
		}
		if g[i] > 0xfff {
			s++
		}
		if s > score {
			best, score = i, s
		}
	}
	return best
}
