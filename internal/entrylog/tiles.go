package entrylog

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// File is one file of the published anchor log. Paths are those of C2SP's
// tlog-tiles: 'checkpoint', 'tile/<level>/<n>[.p/<width>]' and
// 'tile/entries/<n>[.p/<width>]'.
type File struct {
	Path string
	Data []byte
}

// CheckpointPath is where the signed checkpoint is published.
const CheckpointPath = "checkpoint"

const tileHeight = 8

// Tile names one tile: Width hashes of level Level·8 of the anchor log's tree,
// from hash N·256 on; or as many whole anchors, when Entries.
type Tile struct {
	Entries bool
	Level   int
	N       int64
	Width   int // 1 to 256
}

// Path is the tile's place in the published folder.
func (t Tile) Path() string {
	inner := tlog.Tile{H: tileHeight, L: t.Level, N: t.N, W: t.Width}
	if !t.Entries {
		return "tile/" + strings.TrimPrefix(inner.Path(), "tile/8/")
	}
	inner.L = -1
	return "tile/entries/" + strings.TrimPrefix(inner.Path(), "tile/8/data/")
}

// ParseTilePath reads what Path writes.
func ParseTilePath(path string) (Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return Tile{}, fmt.Errorf("%q is not the path of a tile", path)
	}
	n, entries := strings.CutPrefix(rest, "entries/")
	if entries {
		rest = "data/" + n
	}
	inner, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || inner.L > 63 || !entries && strings.HasPrefix(n, "data/") || inner.N > 1<<54 {
		return Tile{}, fmt.Errorf("%q is not the path of a tile", path)
	}
	t := Tile{Entries: entries, Level: max(inner.L, 0), N: inner.N, Width: inner.W}
	return t, nil
}

// Needs is how many anchors the log must have for the tile to exist.
func (t Tile) Needs() uint64 {
	shift := tileHeight * t.Level
	n := uint64(t.N)*tileWidth + uint64(t.Width)
	if shift >= 63 || n<<shift>>shift != n || n<<shift > 1<<62 {
		return 1 << 63
	}
	return n << shift
}

// TilesFor lists the tiles that a log which grew from one size to another must
// publish: partial ones only for the final size.
func TilesFor(from, to uint64) []Tile {
	var out []Tile
	for _, t := range tlog.NewTiles(tileHeight, int64(from), int64(to)) {
		out = append(out, Tile{Level: t.L, N: t.N, Width: t.W})
		if t.L == 0 {
			out = append(out, Tile{Entries: true, N: t.N, Width: t.W})
		}
	}
	return out
}

// hashes is the tile's content out of the tree that it is of.
func (t *Tree) hashes(tile Tile) []byte {
	p := t.levels[tileHeight*tile.Level][tile.N]
	out := make([]byte, 0, tile.Width*tlog.HashSize)
	for i := range tile.Width {
		out = append(out, p[i][:]...)
	}
	return out
}

// appendBundled adds an anchor to an entry bundle: a 16-bit length and the leaf.
func appendBundled(dst []byte, a Anchor) []byte {
	leaf := a.Leaf()
	dst = binary.BigEndian.AppendUint16(dst, AnchorSize)
	return append(dst, leaf[:]...)
}

// AnchorLog is an anchor log made of its anchors alone, by a reader who has
// neither records nor blinding key: a mirror, or an auditor of what was
// published. The zero AnchorLog is empty.
type AnchorLog struct {
	tree    Tree
	anchors []Anchor
}

// Append adds the next anchor.
func (l *AnchorLog) Append(a Anchor) {
	l.tree.Append(a.LeafHash())
	l.anchors = append(l.anchors, a)
}

// Anchors is how many there are.
func (l *AnchorLog) Anchors() uint64 { return uint64(l.tree.size) }

// Root is the root at a size up to Anchors.
func (l *AnchorLog) Root(size uint64) (Hash, error) { return l.tree.RootAt(int64(size)) }

// TileData is what a tile must contain. It exists when Needs ≤ Anchors.
func (l *AnchorLog) TileData(tile Tile) ([]byte, error) {
	return tileData(&l.tree, tile, func(i uint64) (Anchor, error) { return l.anchors[i], nil })
}

func tileData(tree *Tree, tile Tile, anchor func(uint64) (Anchor, error)) ([]byte, error) {
	if tile.Width < 1 || tile.Width > tileWidth || tile.N < 0 || tile.Level < 0 || tile.Needs() > uint64(tree.size) {
		return nil, fmt.Errorf("%s needs %d anchors; there are %d", tile.Path(), tile.Needs(), tree.size)
	}
	if !tile.Entries {
		return tree.hashes(tile), nil
	}
	out := make([]byte, 0, tile.Width*BundledSize)
	for i := range uint64(tile.Width) {
		a, err := anchor(uint64(tile.N)*tileWidth + i)
		if err != nil {
			return nil, err
		}
		out = appendBundled(out, a)
	}
	return out, nil
}

// BundledSize is the length of an anchor in an entry bundle.
const BundledSize = 2 + AnchorSize

// ParseBundle reads an entry bundle of the anchor log. Errors wrap
// wire.ErrFormat or name the anchor within the bundle.
func ParseBundle(b []byte) ([]Anchor, error) {
	const each = BundledSize
	if len(b) == 0 || len(b)%each != 0 || len(b) > tileWidth*each {
		return nil, fmt.Errorf("a bundle is 1 to %d anchors of %d bytes, not %d bytes", tileWidth, each, len(b))
	}
	out := make([]Anchor, 0, len(b)/each)
	for i := 0; len(b) > 0; i, b = i+1, b[each:] {
		if n := binary.BigEndian.Uint16(b); n != AnchorSize {
			return nil, fmt.Errorf("anchor %d of the bundle: a length of %d, expected %d", i, n, AnchorSize)
		}
		a, err := ParseAnchor(b[2:each])
		if err != nil {
			return nil, fmt.Errorf("anchor %d of the bundle: %w", i, err)
		}
		out = append(out, a)
	}
	return out, nil
}
