package entrylog

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestMacIsHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		label := rapid.StringN(0, 40, 80).Draw(t, "label")
		a := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "a")
		b := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "b")
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte(label))
		h.Write(a)
		h.Write(b)
		if got := mac(&key, label, a, b); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Fatalf("mac is not HMAC-SHA256")
		}
	})
}

func leafHashes(n int) []Hash {
	out := make([]Hash, n)
	for i := range out {
		b := u64(uint64(i))
		out[i] = LeafHash(b[:])
	}
	return out
}

func treeOf(n int) *Tree {
	t := &Tree{}
	for _, h := range leafHashes(n) {
		t.Append(h)
	}
	return t
}

// peer is tlog's own tree over the same leaves.
type peer []Hash

func (p *peer) append(h Hash) {
	hashes, err := tlog.StoredHashesForRecordHash(p.size(), h, p)
	if err != nil {
		panic(err)
	}
	*p = append(*p, hashes...)
}

func (p *peer) size() int64 {
	n := int64(0)
	for tlog.StoredHashCount(n) < int64(len(*p)) {
		n++
	}
	return n
}

func (p *peer) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	for i, x := range indexes {
		out[i] = (*p)[x]
	}
	return out, nil
}

func TestLeafHash(t *testing.T) {
	for _, n := range []int{0, 1, 32, 72, 128, 129, 5000} {
		b := bytes.Repeat([]byte{3}, n)
		if LeafHash(b) != tlog.RecordHash(b) {
			t.Errorf("%d bytes: not RFC 6962's leaf hash", n)
		}
	}
}

// TestTreeIsRFC6962 compares every root, path and proof with tlog's, which is
// compatible with Certificate Transparency.
func TestTreeIsRFC6962(t *testing.T) {
	const most = 70
	var ours Tree
	var theirs peer
	for n := int64(0); n <= most; n++ {
		for m := int64(0); m <= n; m++ {
			root, err := ours.RootAt(m)
			if err != nil {
				t.Fatal(err)
			}
			want, err := tlog.TreeHash(m, &theirs)
			if err != nil || root != want {
				t.Fatalf("root at %d of %d: %v, want %v (%v)", m, n, root, want, err)
			}
			if m == 0 {
				continue
			}
			if n < most && n%7 != 0 {
				continue
			}
			proof, err := ours.Consistency(m, n)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(proof, n, ours.Root(), m, root); err != nil {
				t.Errorf("consistency %d to %d: %v", m, n, err)
			}
			for i := range m {
				path, err := ours.Inclusion(i, m)
				if err != nil {
					t.Fatal(err)
				}
				want, err := tlog.ProveRecord(m, i, &theirs)
				if err != nil || !slices.Equal(path, []Hash(want)) {
					t.Fatalf("path of %d at %d: %v, want %v", i, m, path, want)
				}
			}
		}
		h := leafHashes(int(n) + 1)[n]
		ours.Append(h)
		theirs.append(h)
	}
}

func TestTreeRefuses(t *testing.T) {
	tree := treeOf(5)
	if _, err := tree.RootAt(6); err == nil {
		t.Error("a root beyond the size")
	}
	for _, x := range [][2]int64{{0, 0}, {5, 5}, {-1, 3}, {0, 6}} {
		if _, err := tree.Inclusion(x[0], x[1]); err == nil {
			t.Errorf("a path of %d at %d", x[0], x[1])
		}
	}
	for _, x := range [][2]int64{{0, 3}, {4, 3}, {3, 6}} {
		if _, err := tree.Consistency(x[0], x[1]); err == nil {
			t.Errorf("a proof from %d to %d", x[0], x[1])
		}
	}
	if _, err := tree.ReadHashes([]int64{tlog.StoredHashIndex(3, 0)}); err == nil {
		t.Error("the hash of an incomplete subtree")
	}
}

// TestPaths: any path of any tree leads to its root, and nothing else does.
func TestPaths(t *testing.T) {
	tree := treeOf(3000)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, tree.Size()).Draw(t, "size")
		i := rapid.Int64Range(0, n-1).Draw(t, "leaf")
		root := tree.rootAt(n)
		path, err := tree.Inclusion(i, n)
		if err != nil {
			t.Fatal(err)
		}
		leaf := tree.at(0, i)
		if got, ok := runPath(path, i, n, leaf); !ok || got != root {
			t.Fatalf("the path of %d at %d does not lead to the root", i, n)
		}
		if err := tlog.CheckRecord(path, n, root, i, leaf); err != nil {
			t.Fatal(err)
		}
		wrong := slices.Clone(path)
		j := rapid.Int64Range(0, n-1).Draw(t, "other")
		switch rapid.IntRange(0, 4).Draw(t, "harm") {
		case 0:
			if len(wrong) == 0 {
				return
			}
			wrong = wrong[:len(wrong)-1]
		case 1:
			wrong = append(wrong, root)
		case 2:
			if len(wrong) == 0 {
				return
			}
			wrong[rapid.IntRange(0, len(wrong)-1).Draw(t, "at")][0] ^= 1
		case 3:
			if i == j {
				return
			}
			if got, ok := runPath(path, j, n, leaf); ok && got == root {
				t.Errorf("the path of %d proves leaf %d", i, j)
			}
			return
		case 4:
			leaf[31] ^= 1
		}
		if got, ok := runPath(wrong, i, n, leaf); ok && got == root {
			t.Error("a damaged path leads to the root")
		}
	})
}

func TestTilePaths(t *testing.T) {
	for path, tile := range map[string]Tile{
		"tile/0/000":                     {N: 0, Width: 256},
		"tile/0/000.p/5":                 {N: 0, Width: 5},
		"tile/0/x001/x234/067.p/255":     {N: 1234067, Width: 255},
		"tile/2/x001/000":                {Level: 2, N: 1000, Width: 256},
		"tile/entries/000":               {Entries: true, N: 0, Width: 256},
		"tile/entries/x001/067.p/8":      {Entries: true, N: 1067, Width: 8},
		"tile/entries/x999/x999/999":     {Entries: true, N: 999999999, Width: 256},
		"tile/entries/x001/x000/000.p/1": {Entries: true, N: 1000000, Width: 1},
	} {
		if got := tile.Path(); got != path {
			t.Errorf("%+v is at %s, want %s", tile, got, path)
		}
		if got, err := ParseTilePath(path); err != nil || got != tile {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{"", "checkpoint", "tile/", "tile/0", "tile/8/0/000", "tile/data/000", "tile/0/0",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/00/000", "tile/-1/000", "tile/0/000.p/05", "tile/entries/data/000",
		"tile/64/000", "/tile/0/000", "tile/0/../000", "tile/entries/entries/000", "tile/0/x000/000"} {
		if tile, err := ParseTilePath(path); err == nil {
			t.Errorf("%q was read as %+v", path, tile)
		}
	}
	if (Tile{Level: 7, N: 1 << 50, Width: 256}).Needs() <= 1<<62 {
		t.Error("a tile that no log can have needs few anchors")
	}
}
