package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"forewarn/internal/entrylog"
)

// tiles reads hashes over HTTP for Go's own client of transparency logs, which
// checks each tile against the tree.
type tiles struct {
	w *world
	n int
}

func (r *tiles) Height() int { return 8 }

func (r *tiles) ReadTiles(want []tlog.Tile) (out [][]byte, _ error) {
	for _, t := range want {
		a := r.w.as("").get("/log/" + strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		if a.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %d", t.Path(), a.StatusCode)
		}
		if kind := a.Header.Get("Content-Type"); kind != "application/octet-stream" || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
			return nil, fmt.Errorf("%s: %s, %s", t.Path(), kind, a.Header.Get("Cache-Control"))
		}
		out = append(out, []byte(text(r.w.t, a)))
		r.n++
	}
	return out, nil
}

func (r *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// TestAnchorsAreALog: with the key from the front page alone, a client that knows
// nothing of this program checks the log from what is served: the signature, that
// the tiles make the signed root, that it grew from what it was.
func TestAnchorsAreALog(t *testing.T) {
	w := newWorld(t)
	key, err := note.NewVerifier(w.desk.Key)
	ok(t, err)
	head := func() tlog.Tree {
		signed, err := note.Open([]byte(text(t, w.as("").get("/log/checkpoint"))), note.VerifierList(key))
		ok(t, err)
		cp, err := entrylog.ParseCheckpoint(signed.Text)
		ok(t, err)
		return tlog.Tree{N: int64(cp.Size), Hash: tlog.Hash(cp.Root)}
	}
	w.now = w.now.Add(40 * time.Minute)
	ok(t, w.desk.Log().Tick(ctx))
	before := head()
	w.now = w.now.Add(500 * time.Minute)
	ok(t, w.desk.Log().Tick(ctx))
	now := head()
	if before.N < 40 || now.N < 540 {
		t.Fatalf("%d, then %d anchors", before.N, now.N)
	}
	r := &tiles{w: w}
	hashes := tlog.TileHashReader(now, r)
	root, err := tlog.TreeHash(now.N, hashes)
	ok(t, err)
	if root != now.Hash {
		t.Error("the tiles don't make the signed root")
	}
	proof, err := tlog.ProveTree(now.N, before.N, hashes)
	ok(t, err)
	ok(t, tlog.CheckTree(proof, now.N, now.Hash, before.N, before.Hash))
	if r.n < 3 {
		t.Errorf("only %d tiles were read", r.n)
	}
}

// checkConsistency has Go's own client check a proof.
func checkConsistency(t *testing.T, c consistencyShown) {
	t.Helper()
	hash := func(s string) (h tlog.Hash) {
		ok(t, h.UnmarshalJSON([]byte(`"`+s+`"`)))
		return h
	}
	var p tlog.TreeProof
	for _, s := range c.Proof {
		p = append(p, hash(s))
	}
	if err := tlog.CheckTree(p, int64(c.To), hash(c.ToRoot), int64(c.From), hash(c.FromRoot)); err != nil {
		t.Errorf("%+v: %v", c, err)
	}
}
