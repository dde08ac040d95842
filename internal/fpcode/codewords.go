package fpcode

import (
	"runtime"
	"sync"
)

// A sight is what a specimen shows at one site, ready to be weighed: read,
// erased, or other. Sites read twice in different ways have none.
type sight struct {
	site  SiteID
	class Class
	law   Law
	state State
	like  []uint16 // of a Value: ℓ by symbol
	kind  int      // index of equal (class, law, state, like)
	col   int      // first column
	cols  int      // columns: 1, or q for likelihoods over more than two symbols
	bit   uint8    // of a single column: the symbol that it marks
}

// A column is one bit of every codeword, given the readings: whether the copy
// shows a certain symbol at a site. A site of two symbols is one column; so is a
// site where one symbol was read for sure, since all others are alike. Scores
// are weights summed over the columns that are set.
//
// Codewords holds these bits for all copies, packed, 64 columns to a word.
type codewords struct {
	n     int
	words int      // for each copy
	bits  []uint64 // copy by copy
}

// codewordsOf draws the codewords of n copies at the sights, by their keys.
// Derivation is most of the work of a decoding; it runs on all processors.
func codewordsOf(sights []sight, columns, n int, key func(i int) Key) *codewords {
	c := &codewords{n: n, words: (columns + 63) / 64}
	c.bits = make([]uint64, n*c.words)
	const batch = 256
	next := make(chan int, (n+batch-1)/batch)
	for i := 0; i < n; i += batch {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for from := range next {
				for i := from; i < min(n, from+batch); i++ {
					c.draw(i, sights, key(i))
				}
			}
		})
	}
	wg.Wait()
	return c
}

func (c *codewords) draw(i int, sights []sight, key Key) {
	prf := newCopyPRF(key)
	row := c.row(i)
	for j := range sights {
		s := &sights[j]
		x := prf.symbol(s.site, s.law)
		switch {
		case s.cols > 1:
			at := s.col + int(x)
			row[at>>6] |= 1 << (at & 63)
		case x == s.bit:
			row[s.col>>6] |= 1 << (s.col & 63)
		}
	}
}

func (c *codewords) row(i int) []uint64 { return c.bits[i*c.words : (i+1)*c.words] }

func (c *codewords) has(i, col int) bool { return c.row(i)[col>>6]>>(col&63)&1 != 0 }

// scores adds up the weights of each copy's columns, plus base, into out.
// Weights are in any unit that keeps the sum of all of them below 2³¹.
func (c *codewords) scores(base int32, weight []int32, out []int32) {
	if c.n < 4096 {
		c.byNibbles(base, weight, out)
		return
	}
	c.byBytes(base, weight, out)
}

// byNibbles has small tables, for when there are few copies to use them.
func (c *codewords) byNibbles(base int32, weight []int32, out []int32) {
	tables := make([][16]int32, c.words*16)
	for i := range tables {
		t := &tables[i]
		for b := range 4 {
			var w int32
			if 4*i+b < len(weight) {
				w = weight[4*i+b]
			}
			for v := 1 << b; v < 2<<b; v++ {
				t[v] = t[v-1<<b] + w
			}
		}
	}
	for i := range out {
		s := base
		for w, bits := range c.row(i) {
			t := tables[16*w : 16*w+16]
			for k := range t {
				s += t[k][bits&15]
				bits >>= 4
			}
		}
		out[i] = s
	}
}

// byBytes looks up eight columns at a time. Tables of one word of columns, 8
// KiB, stay in the first-level cache while a block of copies passes, and the block,
// of 128 KiB, in the second while all tables do.
func (c *codewords) byBytes(base int32, weight []int32, out []int32) {
	block := max(256, 1<<14/max(1, c.words))
	tables := make([][8][256]int32, c.words)
	for i := range tables {
		for k := range 8 {
			t := &tables[i][k]
			for b := range 8 {
				var w int32
				if at := 64*i + 8*k + b; at < len(weight) {
					w = weight[at]
				}
				for v := 1 << b; v < 2<<b; v++ {
					t[v] = t[v-1<<b] + w
				}
			}
		}
	}
	next := make(chan int, (c.n+block-1)/block)
	for i := 0; i < c.n; i += block {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for from := range next {
				to := min(c.n, from+block)
				some := out[from:to]
				for i := range some {
					some[i] = base
				}
				for w := range tables {
					t := &tables[w]
					at := from*c.words + w
					for i := range some {
						b := c.bits[at]
						at += c.words
						some[i] += t[0][b&255] + t[1][b>>8&255] + t[2][b>>16&255] + t[3][b>>24&255] +
							t[4][b>>32&255] + t[5][b>>40&255] + t[6][b>>48&255] + t[7][b>>56]
					}
				}
			}
		})
	}
	wg.Wait()
}
