package ledger_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"
)

// TestEveryBit flips one bit of every byte of everything that is kept, and the
// audit says where.
func TestEveryBit(t *testing.T) {
	w := grown(t)
	w.append(kindPlain, 7) // not anchored yet
	w.mustVerify()
	bad := func(what string, where func(string) bool) {
		t.Helper()
		rep := w.verify()
		if rep.OK() {
			t.Errorf("%s: unnoticed", what)
		} else if !where(rep.Problems[0].Where) {
			t.Errorf("%s: found at %v", what, rep.Problems)
		}
	}
	flip := func(i int) byte { return 1 << (i % 8) }
	for seq := range 4 {
		is := func(where string) bool { return where == fmt.Sprintf("entry %d", seq) }
		var n int
		w.store.Tamper(func(r []entrylog.Record, _ []byte) { n = len(r[seq].Entry) })
		for i := range n {
			change := func(r []entrylog.Record, _ []byte) { r[seq].Entry[i] ^= flip(i) }
			w.store.Tamper(change)
			bad(fmt.Sprintf("entry %d, byte %d", seq, i), is)
			w.store.Tamper(change)
		}
		for i := range 32 {
			change := func(r []entrylog.Record, _ []byte) { r[seq].Salt[i] ^= flip(i) }
			w.store.Tamper(change)
			bad(fmt.Sprintf("salt %d, byte %d", seq, i), is)
			w.store.Tamper(change)
		}
	}
	head, _ := w.log.Checkpoint()
	for i := range head {
		change := func(_ []entrylog.Record, h []byte) { h[i] ^= flip(i) }
		w.store.Tamper(change)
		bad(fmt.Sprintf("head, byte %d", i), func(where string) bool { return where == "head" || where == "checkpoint" })
		w.store.Tamper(change)
	}
	for path, b := range w.folder.Files() {
		is := func(where string) bool {
			return where == path || strings.HasPrefix(path, "tile/entries/") && strings.HasPrefix(where, "anchor ")
		}
		for i := range b {
			change := func(f map[string][]byte) { f[path][i] ^= flip(i) }
			w.folder.Tamper(change)
			bad(fmt.Sprintf("%s, byte %d", path, i), is)
			w.folder.Tamper(change)
		}
		w.folder.Tamper(func(f map[string][]byte) { f[path] = f[path][:len(b)-1] })
		bad(path+", cut short", is)
		w.folder.Tamper(func(f map[string][]byte) { f[path] = b })
	}
	_, stranger := testKey(t, 3)
	cosigned := fmt.Sprintf("%s— %s %s\n", head, stranger.Name(), base64.StdEncoding.EncodeToString(append([]byte{1, 2, 3, 4}, make([]byte, 64)...)))
	w.folder.Tamper(func(f map[string][]byte) { f["checkpoint"] = []byte(cosigned) })
	bad("a stranger's signature", func(where string) bool { return where == "checkpoint" })
	w.folder.Tamper(func(f map[string][]byte) { f["checkpoint"] = head })
	w.mustVerify()
	w.folder.Tamper(func(f map[string][]byte) { delete(f, "tile/0/000.p/3") })
	bad("a tile gone", func(where string) bool { return where == "tile/0/000.p/3" })
	w.open() // nothing is due, so nothing is published
	w.folder.Tamper(func(f map[string][]byte) { f["tile/0/000.p/3"] = make([]byte, 96); f["passwords.txt"] = nil })
	bad("a stranger", func(where string) bool { return where == "passwords.txt" })
}

// TestVerifySaysWhichAnchor: records changed by somebody with the blinding key,
// so that every salt fits.
func TestVerifySaysWhichAnchor(t *testing.T) {
	w := grown(t)
	key := w.opt.Blinding.SaltKey()
	w.store.Tamper(func(r []entrylog.Record, _ []byte) {
		b := slices.Clone(r[1].Entry)
		b[len(b)-1] ^= 1
		r[1] = entrylog.Record{Entry: b, Salt: entrylog.NewSalt(key, [16]byte{}, 1, b)}
	})
	rep := w.verify()
	var where []string
	for _, p := range rep.Problems {
		where = append(where, p.Where)
		if strings.HasPrefix(p.Where, "anchor 1 (tick ") && strings.Contains(p.What, "entry 1") {
			return
		}
	}
	t.Errorf("found at %q", where)
}

func TestSwappedEntries(t *testing.T) {
	w := newWorld(t)
	w.append(kindPlain, 1)
	w.append(kindPlain, 2) // same time
	w.store.Tamper(func(r []entrylog.Record, _ []byte) { r[0], r[1] = r[1], r[0] })
	if rep := w.verify(); rep.OK() || rep.Problems[0].Where != "entry 0" {
		t.Errorf("swapped entries: %v", rep.Problems)
	}
}

// TestOutsidersView: an idle programme and a busy one, on the same clock, show
// the same names, sizes and counts, and proofs of the same length.
func TestOutsidersView(t *testing.T) {
	idle, busy := newWorld(t), newWorld(t)
	idle.append(kindPublic, 1)
	busy.append(kindPublic, 1)
	for i := range 300 {
		idle.clock.Add(time.Minute)
		busy.clock.Add(time.Minute)
		for j := range i % 7 {
			busy.append(kindPlain+entrylog.Kind(j%2), uint64(i))
		}
		idle.tick()
		busy.tick()
		if i%100 != 17 && i != 299 {
			continue
		}
		a, b := idle.folder.Files(), busy.folder.Files()
		for path := range a {
			if len(a[path]) != len(b[path]) {
				t.Fatalf("after %d ticks: %s has %d and %d bytes", i, path, len(a[path]), len(b[path]))
			}
		}
		if len(a) != len(b) {
			t.Fatalf("after %d ticks: %d and %d files", i, len(a), len(b))
		}
	}
	p, err := idle.log.Prove(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := len(wire.Marshal(&p))
	proved := 0
	for seq := range busy.log.Size() {
		q, err := busy.log.Prove(context.Background(), seq)
		if err != nil {
			continue
		}
		proved++
		// The audit path of an index is a function of time, too.
		extra := 32 * (len(q.Inclusion) - len(p.Inclusion))
		if got := len(wire.Marshal(&q)); got != want+extra {
			t.Errorf("the proof of entry %d has %d bytes, on an idle log %d", seq, got, want+extra)
		}
	}
	if proved < 100 {
		t.Errorf("only %d entries proved", proved)
	}
}

// tileClient reads the published folder as any C2SP client does.
type tileClient struct {
	t     *testing.T
	files map[string][]byte
}

func (c tileClient) Height() int { return 8 }

func (c tileClient) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		b, ok := c.files[path]
		if !ok {
			return nil, fmt.Errorf("%s is not published", path)
		}
		out = append(out, b)
	}
	return out, nil
}

func (c tileClient) SaveTiles([]tlog.Tile, [][]byte) {}

// TestTilesForAnyClient reads the log with nothing but x/mod's tile reader.
func TestTilesForAnyClient(t *testing.T) {
	w := newWorld(t)
	w.append(kindPublic, 1)
	for _, minutes := range []int{1, 254, 1, 1, 300, 65536 - 557, 5, 1000} {
		w.clock.Add(time.Duration(minutes) * time.Minute)
		w.append(kindPublic, 1)
		w.tick()
		files := w.folder.Files()
		cp, err := entrylog.OpenCheckpoint(files["checkpoint"], w.opt.Verifier)
		if err != nil {
			t.Fatal(err)
		}
		tree := tlog.Tree{N: int64(cp.Size), Hash: cp.Root}
		reader := tlog.TileHashReader(tree, tileClient{t, files})
		for _, i := range []int64{0, tree.N / 3, tree.N - 1} {
			// The leaf, out of the bundle that it is in.
			bundle := entrylog.Tile{Entries: true, N: i / 256, Width: int(min(256, tree.N-i/256*256))}
			anchors, err := entrylog.ParseBundle(files[bundle.Path()])
			if err != nil {
				t.Fatalf("%s: %v", bundle.Path(), err)
			}
			proof, err := tlog.ProveRecord(tree.N, i, reader)
			if err != nil {
				t.Fatalf("size %d, anchor %d: %v", tree.N, i, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, i, anchors[i%256].LeafHash()); err != nil {
				t.Errorf("size %d, anchor %d: %v", tree.N, i, err)
			}
		}
		// Partial tiles of full tiles are gone, so that folders stay small.
		for path := range files {
			if tile, err := entrylog.ParseTilePath(path); err == nil && tile.Width < 256 {
				tile.Width = 256
				if _, full := files[tile.Path()]; full {
					t.Errorf("%s is left beside its full tile", path)
				}
			}
		}
	}
	w.mustVerify()
}

// TestVerifyBesideWriter audits while the writer works.
func TestVerifyBesideWriter(t *testing.T) {
	w := grown(t)
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		defer close(done)
		for i := range 2000 { // the audits must not chase a log that grows faster
			select {
			case <-stop:
				return
			default:
			}
			if _, err := w.log.Append(context.Background(), []ledger.Draft{{Kind: kindPublic, Body: body(uint64(i))}}); err != nil {
				done <- err
				return
			}
			w.clock.Add(11 * time.Second)
			if i%3 == 0 {
				if err := w.log.Tick(context.Background()); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	for range 40 {
		r, err := ledger.Verify(context.Background(), w.store.Reopen(nil), w.folder, w.opt, nil, nil)
		if err != nil || !r.OK() {
			t.Errorf("beside a writer: %v %v", err, r.Problems)
			break
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
