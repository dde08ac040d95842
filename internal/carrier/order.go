package carrier

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"forewarn/internal/fpcode"
)

// groupSize is the most items that share one symbol. The orders of four are as many
// as a site has symbols; a longer list is several sites, so that a lost item
// spoils one of them and not the whole list.
const groupSize = 4

// groupOf is how many items share one symbol in a profile. Where copies may be
// merged it is two: of two orders, any that an attacker makes of them is one that
// some copy shows, or tells that they differed. Larger groups have orders that are
// between two copies'.
func groupOf(p fpcode.Profile) int {
	if p == fpcode.Single {
		return groupSize
	}
	return 2
}

// groups splits a list into secret groups: which items belong together follows
// from the bias key and the items' texts. Each group is the items' indexes in
// the list, ascending. An item that is left over is in no group.
func groups(bias fpcode.Key, path string, items []string, size int) [][]int {
	type place struct {
		prf [32]byte
		i   int
	}
	places := make([]place, len(items))
	for i, it := range items {
		h := hmac.New(sha256.New, bias[:])
		h.Write([]byte("forewarn/order-groups/v1"))
		writeText(h, path)
		writeText(h, it)
		places[i].i = i
		h.Sum(places[i].prf[:0])
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(bytes.Compare(a.prf[:], b.prf[:]), cmp.Compare(a.i, b.i))
	})
	var out [][]int
	for chunk := range slices.Chunk(places, size) {
		if len(chunk) < 2 {
			break
		}
		var g []int
		for _, p := range chunk {
			g = append(g, p.i)
		}
		slices.Sort(g)
		out = append(out, g)
	}
	return out
}

// writeText writes a text so that no two sequences of texts look alike.
func writeText(w interface{ Write([]byte) (int, error) }, s string) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(s)))
	w.Write(n[:])
	w.Write([]byte(s))
}

// permutations is all orders of k things, 2 ≤ k ≤ 4, in lexicographic order.
func permutations(k int) [][]int {
	first := make([]int, k)
	for i := range first {
		first[i] = i
	}
	out := [][]int{first}
	for {
		p := slices.Clone(out[len(out)-1])
		i := k - 2
		for i >= 0 && p[i] > p[i+1] {
			i--
		}
		if i < 0 {
			return out
		}
		j := k - 1
		for p[j] < p[i] {
			j--
		}
		p[i], p[j] = p[j], p[i]
		slices.Reverse(p[i+1:])
		out = append(out, p)
	}
}

// orders is permutations, and rotations the index of those that move each item
// one place further: between them, every item stands in every place.
var orders, rotations = func() (orders [groupSize + 1][][]int, rotations [groupSize + 1][]int) {
	for k := 2; k <= groupSize; k++ {
		orders[k] = permutations(k)
		for r := range k {
			rotations[k] = append(rotations[k], slices.IndexFunc(orders[k], func(p []int) bool {
				for i := range p {
					if p[i] != (i+r)%k {
						return false
					}
				}
				return true
			}))
		}
	}
	return orders, rotations
}()
