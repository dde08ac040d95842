package entrylog

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Hashes are kept as C2SP tiles keep them, 256 to a piece: a growing tree never
// moves what it has, and a piece of every eighth level is a tile as it stands.
const tileWidth = 256

type piece [tileWidth]Hash

// Tree is a Merkle tree after RFC 6962, section 2.1, in memory: 64 bytes for
// each leaf. The zero Tree is empty. It keeps every complete subtree's hash, so
// it can answer for itself at any earlier size. Not for concurrent use while
// it grows.
type Tree struct {
	size   int64
	levels [][]*piece // levels[l][i/256][i%256] is the hash of leaves [i·2^l, (i+1)·2^l)
}

// LeafHash is SHA-256(0x00 ‖ data), RFC 6962's hash of a leaf.
func LeafHash(data []byte) Hash {
	// tlog.RecordHash without its allocation, which at a million entries is
	// the greater part of the time.
	var space [1 + 128]byte
	return sha256.Sum256(append(space[:1], data...))
}

var emptyRoot = Hash(sha256.Sum256(nil))

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds a leaf by its hash.
func (t *Tree) Append(leaf Hash) {
	h, i := leaf, t.size
	for l := 0; ; l++ {
		if l == len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		if i%tileWidth == 0 {
			t.levels[l] = append(t.levels[l], new(piece))
		}
		t.levels[l][i/tileWidth][i%tileWidth] = h
		if i&1 == 0 {
			break
		}
		h = tlog.NodeHash(t.at(l, i-1), h)
		i >>= 1
	}
	t.size++
}

// at is the hash of a complete subtree.
func (t *Tree) at(level int, i int64) Hash { return t.levels[level][i/tileWidth][i%tileWidth] }

// Root is the root over all leaves.
func (t *Tree) Root() Hash { return t.rootAt(t.size) }

// RootAt is the root that the tree had at size n ≤ Size.
func (t *Tree) RootAt(n int64) (Hash, error) {
	if n < 0 || n > t.size {
		return Hash{}, fmt.Errorf("a tree of %d leaves has no root at size %d", t.size, n)
	}
	return t.rootAt(n), nil
}

func (t *Tree) rootAt(n int64) Hash {
	if n == 0 {
		return emptyRoot
	}
	return t.subtree(0, n)
}

// subtree is the root over leaves [from, to) where from is a multiple of the
// least power of two that is not less than to − from: the complete subtrees of
// falling size, joined from the right.
func (t *Tree) subtree(from, to int64) Hash {
	l := bits.TrailingZeros64(uint64(to - from))
	rest := to - 1<<l
	h := t.at(l, rest>>l)
	for rest > from {
		l = bits.TrailingZeros64(uint64(rest - from))
		rest -= 1 << l
		h = tlog.NodeHash(t.at(l, rest>>l), h)
	}
	return h
}

// Inclusion is the audit path (RFC 6962, section 2.1.1) of leaf i in the tree
// of size n, from the leaf up.
func (t *Tree) Inclusion(i, n int64) ([]Hash, error) {
	if i < 0 || i >= n || n > t.size {
		return nil, fmt.Errorf("a tree of %d leaves has no path from leaf %d at size %d", t.size, i, n)
	}
	path := make([]Hash, 0, bits.Len64(uint64(n-1)))
	for l, last := 0, n-1; last > 0; l, i, last = l+1, i>>1, last>>1 {
		// At the ragged right edge a node without a sibling rises as it is.
		switch sibling := i ^ 1; {
		case sibling < last || sibling == last && (sibling+1)<<l <= n:
			path = append(path, t.at(l, sibling))
		case sibling == last:
			path = append(path, t.subtree(sibling<<l, n))
		}
	}
	return path, nil
}

// Consistency is the proof (RFC 6962, section 2.1.2) that the tree of size m
// is a prefix of the tree of size n; 1 ≤ m ≤ n ≤ Size.
func (t *Tree) Consistency(m, n int64) ([]Hash, error) {
	if m < 1 || m > n || n > t.size {
		return nil, fmt.Errorf("a tree of %d leaves has no consistency proof from size %d to %d", t.size, m, n)
	}
	return tlog.ProveTree(n, m, t)
}

// ReadHashes makes the tree a tlog.HashReader.
func (t *Tree) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	for k, index := range indexes {
		l, i := tlog.SplitStoredHashIndex(index)
		if (i+1)<<l > t.size {
			return nil, fmt.Errorf("a tree of %d leaves has no hash %d of level %d", t.size, i, l)
		}
		out[k] = t.at(l, i)
	}
	return out, nil
}

// runPath computes the root that an audit path of leaf i at size n leads to.
// It consumes the path exactly, or reports false.
func runPath(path []Hash, i, n int64, h Hash) (Hash, bool) {
	if i < 0 || i >= n {
		return Hash{}, false
	}
	for last := n - 1; last > 0; i, last = i>>1, last>>1 {
		if i^1 > last {
			continue
		}
		if len(path) == 0 {
			return Hash{}, false
		}
		if i&1 == 1 {
			h = tlog.NodeHash(path[0], h)
		} else {
			h = tlog.NodeHash(h, path[0])
		}
		path = path[1:]
	}
	return h, len(path) == 0
}
