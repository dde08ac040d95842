package entrylog

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// ReadTile reads a tile of a published log. A partial one that was removed since,
// because more was published, is cut from the full one. read gives the file of a
// path, or an error that is fs.ErrNotExist.
func ReadTile(read func(path string) ([]byte, error), t Tile) ([]byte, error) {
	want := t.Width * tlog.HashSize
	if t.Entries {
		want = t.Width * BundledSize
	}
	b, err := read(t.Path())
	if errors.Is(err, fs.ErrNotExist) && t.Width < tileWidth {
		full := t
		full.Width = tileWidth
		if b, err = read(full.Path()); err == nil && len(b) > want {
			b = b[:want]
		}
	}
	if err == nil && len(b) != want {
		err = fmt.Errorf("%s has %d bytes, not %d", t.Path(), len(b), want)
	}
	return b, err
}

// Hashes reads the hashes of a published log's tree of the given size and root, out
// of its tiles. What it returns is verified against the root.
func Hashes(read func(path string) ([]byte, error), size uint64, root Hash) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: int64(size), Hash: root}, tiles(read))
}

// tiles are tlog's way to a published log.
type tiles func(path string) ([]byte, error)

func (tiles) Height() int { return tileHeight }

func (r tiles) ReadTiles(ts []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(ts))
	for i, t := range ts {
		var err error
		if out[i], err = ReadTile(r, Tile{Level: t.L, N: t.N, Width: t.W}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
