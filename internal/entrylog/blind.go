package entrylog

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"golang.org/x/mod/sumdb/tlog"

	"forewarn/internal/wire"
)

// MaxBlindDepth bounds the depth of a blind tree, so that proofs from
// strangers have a known size.
const MaxBlindDepth = 32

const (
	placeLabel = "forewarn/blind-place/v1\n"
	emptyLabel = "forewarn/blind-empty/v1\n"
)

// Blind is a Merkle tree that tells nothing but what it proves. Its depth is
// fixed, its leaves stand at places drawn under a key, and where nothing stands
// there is the output of a keyed function instead of a hash. Without the key a
// place, a sibling and the root look the same whether the tree holds one
// leaf or all: a member cannot count the members.
//
// Leaves must be unguessable (salted commitments), or a sibling could be
// recognised. One key and context are for one list of leaves: two trees that
// share them show where they are equal.
type Blind struct {
	key     [32]byte
	context []byte
	depth   int
	places  []uint64      // places[i] is where leaf i stands
	levels  [][]blindNode // occupied nodes, by place; levels[depth] is the root or nothing
}

type blindNode struct {
	place uint64
	hash  Hash
}

// NewBlind places leaves, at most 2^depth, in a tree of depth 1 to
// MaxBlindDepth. It is deterministic.
func NewBlind(key [32]byte, context []byte, depth int, leaves []Hash) (*Blind, error) {
	if depth < 1 || depth > MaxBlindDepth {
		return nil, fmt.Errorf("a blind tree's depth is 1 to %d, not %d", MaxBlindDepth, depth)
	}
	if uint64(len(leaves)) > 1<<depth {
		return nil, fmt.Errorf("a blind tree of depth %d holds %d leaves, not %d", depth, uint64(1)<<depth, len(leaves))
	}
	b := &Blind{key: key, context: slices.Clone(context), depth: depth}
	b.place(leaves)
	for l := range depth {
		var up []blindNode
		level := b.levels[l]
		for i := 0; i < len(level); i++ {
			n := level[i]
			sibling := n.place ^ 1
			if n.place&1 == 0 && i+1 < len(level) && level[i+1].place == sibling {
				up = append(up, blindNode{n.place >> 1, tlog.NodeHash(n.hash, level[i+1].hash)})
				i++
			} else {
				up = append(up, blindNode{n.place >> 1, join(n.place, n.hash, b.empty(l, sibling))})
			}
		}
		b.levels = append(b.levels, up)
	}
	return b, nil
}

// place gives every leaf the first free place of its own keyed sequence: each
// leaf's place is uniform, and no two are the same.
func (b *Blind) place(leaves []Hash) {
	taken := make(map[uint64]bool, len(leaves))
	b.places = make([]uint64, len(leaves))
	level := make([]blindNode, len(leaves))
	for i, leaf := range leaves {
		for try := uint64(0); ; try++ {
			n, t := u64(uint64(i)), u64(try)
			draw := mac(&b.key, placeLabel, n[:], t[:], b.context)
			p := binary.BigEndian.Uint64(draw[:8]) >> (64 - b.depth)
			if !taken[p] {
				taken[p] = true
				b.places[i] = p
				level[i] = blindNode{p, LeafHash(leaf[:])}
				break
			}
		}
	}
	sort.Slice(level, func(i, j int) bool { return level[i].place < level[j].place })
	b.levels = append(make([][]blindNode, 0, b.depth+1), level)
}

// empty stands for the subtree of height level with nothing in it.
func (b *Blind) empty(level int, place uint64) Hash {
	return emptySubtree(&b.key, b.context, level, place)
}

func emptySubtree(key *[32]byte, context []byte, level int, place uint64) Hash {
	p := u64(place)
	return mac(key, emptyLabel, []byte{uint8(level)}, p[:], context)
}

func join(place uint64, h, sibling Hash) Hash {
	if place&1 == 1 {
		return tlog.NodeHash(sibling, h)
	}
	return tlog.NodeHash(h, sibling)
}

// Depth is the length of every path.
func (b *Blind) Depth() int { return b.depth }

// Root commits to the leaves. An empty tree has a root like any other.
func (b *Blind) Root() Hash {
	if top := b.levels[b.depth]; len(top) > 0 {
		return top[0].hash
	}
	return b.empty(b.depth, 0)
}

// Prove returns the path of leaf i, counted as in the list that made the tree.
// It panics when there is no such leaf.
func (b *Blind) Prove(i int) BlindProof {
	p := BlindProof{Position: b.places[i], Siblings: make([]Hash, b.depth)}
	place := b.places[i]
	for l := range b.depth {
		level, sibling := b.levels[l], place^1
		k := sort.Search(len(level), func(k int) bool { return level[k].place >= sibling })
		if k < len(level) && level[k].place == sibling {
			p.Siblings[l] = level[k].hash
		} else {
			p.Siblings[l] = b.empty(l, sibling)
		}
		place >>= 1
	}
	return p
}

// BlindProof is a path in a blind tree. It has as many siblings as the tree is
// deep, always.
type BlindProof struct {
	Position uint64
	Siblings []Hash // from the leaf up
}

// Wire is the place and the siblings.
func (p *BlindProof) Wire(c *wire.Coder) {
	c.U64(&p.Position)
	wire.List(c, &p.Siblings, MaxBlindDepth, func(c *wire.Coder, h *Hash) { c.Fixed(h[:]) })
	if n := len(p.Siblings); c.Err() == nil && n < 64 && p.Position>>n != 0 {
		c.Fail("place %d is not in a tree of depth %d", p.Position, n)
	}
}

// Root is where the path leads from leaf. It proves nothing by itself: compare
// the depth (the number of siblings) and the root with those of the tree, or
// use Check.
func (p BlindProof) Root(leaf Hash) Hash {
	h, place := LeafHash(leaf[:]), p.Position
	for _, s := range p.Siblings {
		h = join(place, h, s)
		place >>= 1
	}
	return h
}

// Check verifies that leaf stands in the tree of that depth and root. Errors
// wrap ErrProof.
func (p BlindProof) Check(depth int, root, leaf Hash) error {
	switch {
	case len(p.Siblings) != depth:
		return fmt.Errorf("%w: the path has %d siblings; the tree is %d deep", ErrProof, len(p.Siblings), depth)
	case p.Position>>depth != 0:
		return fmt.Errorf("%w: place %d is not in a tree of depth %d", ErrProof, p.Position, depth)
	case p.Root(leaf) != root:
		return fmt.Errorf("%w: the path does not lead to the tree's root", ErrProof)
	}
	return nil
}
