package token

import (
	"math/bits"

	"forewarn/internal/ascii"
)

// eachRun gives the runs of at least shortest bytes of a set, in order.
func eachRun(of *ascii.Set, b []byte, f func(from, to int)) {
	if ascii.Fast {
		byMasks(of, b, f)
	} else {
		byLeaps(of, b, f)
	}
}

// byMasks looks at every byte, 64 at a time: a bit stays set of a mask where it is set
// in so many places before it too, found by doubling. The bits that are shifted in come
// from the mask before.
func byMasks(of *ascii.Set, b []byte, f func(from, to int)) {
	var masks [ascii.Most]uint64
	var one, two, four, eight, sixteen uint64 // bytes in a row, in the block before
	open := -1                                // where a run began that reaches the block's end
	for at := 0; at < len(b); {
		blocks := min(len(masks), (len(b)-at+ascii.Block-1)/ascii.Block)
		of.Masks(masks[:blocks], b[at:])
		for _, m := range masks[:blocks] {
			m2 := m & (m<<1 | one>>63)
			m4 := m2 & (m2<<2 | two>>62)
			m8 := m4 & (m4<<4 | four>>60)
			m16 := m8 & (m8<<8 | eight>>56)
			long := m16 & (m16<<(shortest-16) | sixteen>>(64-shortest+16))
			one, two, four, eight, sixteen = m, m2, m4, m8, m16
			if open >= 0 {
				n := bits.TrailingZeros64(^long)
				if n < ascii.Block {
					f(open, at+n)
					open = -1
				}
				long &^= 1<<n - 1
			}
			for long != 0 {
				i := bits.TrailingZeros64(long)
				from := at + i + 1 - shortest
				n := i + bits.TrailingZeros64(^(long >> i))
				if n >= ascii.Block {
					open = from
					break
				}
				f(from, at+n)
				long &^= 1<<n - 1
			}
			at += ascii.Block
		}
	}
	if open >= 0 {
		f(open, len(b))
	}
}

// A run of at least shortest bytes has a whole window at a multiple of hop from
// wherever it may begin.
const (
	window = 8
	hop    = shortest - window + 1
)

// byLeaps looks at few bytes: where of every 15 the first eight aren't all of the
// set, nothing else is read (the idea of Boyer and Moore, CACM 20, 1977).
func byLeaps(of *ascii.Set, b []byte, f func(from, to int)) {
	for lo, p := 0, hop-1; p+window <= len(b); {
		if !all(of, b[p:][:window]) {
			p += hop
			continue
		}
		from, to := p, p+window
		for from > lo && of.Has(b[from-1]) {
			from--
		}
		for to < len(b) && of.Has(b[to]) {
			to++
		}
		if to-from >= shortest {
			f(from, to)
		}
		lo, p = to+1, to+hop
	}
}

// all reports whether all bytes of a window are of the set.
func all(of *ascii.Set, b []byte) bool {
	for _, x := range b {
		if !of.Has(x) {
			return false
		}
	}
	return true
}
