package witness_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/witness"
)

const (
	origin   = "works.example/forewarn"
	childDir = "FOREWARN_TEST_WITNESS"
)

// TestMain is also the witness that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a witness on a folder, until it is killed.
func child(dir string) error {
	p, err := folder.OpenPrivate(dir)
	if err != nil {
		return err
	}
	w, err := witness.Open(p, time.Now)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	return http.Serve(l, w.Handler(slog.New(slog.DiscardHandler)))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// history is a published log: anchors that begin alike in every history, up to a
// size, and differ from there on.
type history struct {
	tree  entrylog.Tree
	roots []entrylog.Hash // by size
}

func newHistory(shared, size int, name string) *history {
	h := &history{roots: []entrylog.Hash{entrylog.EmptyLog("").Root}}
	for i := range size {
		leaf := fmt.Sprintf("anchor %d", i)
		if i >= shared {
			leaf += " of " + name
		}
		h.tree.Append(entrylog.LeafHash([]byte(leaf)))
		h.roots = append(h.roots, h.tree.Root())
	}
	return h
}

// signer is the log's key.
type signer struct {
	s note.Signer
	v note.Verifier
	k string
}

func newSigner(t testing.TB, name string) signer {
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	ok(t, err)
	s, err := note.NewSigner(skey)
	ok(t, err)
	v, err := note.NewVerifier(vkey)
	ok(t, err)
	return signer{s, v, vkey}
}

func (h *history) checkpoint(t testing.TB, k signer, size int) []byte {
	b, err := entrylog.Checkpoint{Origin: origin, Size: uint64(size), Root: h.roots[size]}.Sign(k.s)
	ok(t, err)
	return b
}

func (h *history) proof(t testing.TB, from, to int) []entrylog.Hash {
	if from == 0 || from == to {
		return nil
	}
	p, err := h.tree.Consistency(int64(from), int64(to))
	ok(t, err)
	return p
}

func (h *history) submission(t testing.TB, k signer, from, to int) []byte {
	return entrylog.Submission{Old: uint64(from), Proof: h.proof(t, from, to), Checkpoint: h.checkpoint(t, k, to)}.Marshal()
}

// memory is a State whose next Write goes wrong as it is told to.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
	fault fault
}

type fault int

const (
	none fault = iota
	failed
	failedButPersisted
)

var errDisk = errors.New("the disk failed")

func (m *memory) Read(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(b), nil
}

func (m *memory) Write(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != failed {
		m.files[name] = bytes.Clone(data)
	}
	if m.fault != none {
		m.fault = none
		return errDisk
	}
	return nil
}

func (m *memory) Create(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] != nil {
		return fs.ErrExist
	}
	m.files[name] = bytes.Clone(data)
	return nil
}

func (m *memory) List(dir string) (out []string, err error) {
	for n := range m.files {
		if rest, ok := strings.CutPrefix(n, dir+"/"); ok {
			out = append(out, rest)
		}
	}
	return out, nil
}

func newWitness(t testing.TB, state witness.State, k signer) *witness.Witness {
	t.Helper()
	var seed [32]byte
	rand.Read(seed[:])
	_, err := witness.Init(state, "witness.example/w1", seed)
	ok(t, err)
	w, err := witness.Open(state, time.Now)
	ok(t, err)
	ok(t, w.Add(k.k, ""))
	return w
}

// What C2SP's tlog-witness says of each answer.
func TestAddCheckpoint(t *testing.T) {
	k, other := newSigner(t, origin), newSigner(t, origin)
	a, b := newHistory(5, 20, "a"), newHistory(5, 20, "b")
	w := newWitness(t, &memory{files: map[string][]byte{}}, k)
	if err := w.Add(k.k, ""); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a log was begun anew: %v", err)
	}
	v, err := entrylog.NewCosignVerifier(w.Public())
	ok(t, err)
	s := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	defer s.Close()
	elsewhere, err := entrylog.Checkpoint{Origin: "other.example", Size: 1, Root: a.roots[1]}.Sign(newSigner(t, "other.example").s)
	ok(t, err)
	wrong := a.proof(t, 7, 12)
	wrong[0][0] ^= 1
	extended, err := note.Sign(&note.Note{Text: strings.TrimSuffix(string(mustText(t, k, a.checkpoint(t, k, 14))), "") + "an extension\n"}, k.s)
	ok(t, err)
	for _, row := range []struct {
		name   string
		body   []byte
		status int
		says   string
	}{
		{"nonsense", []byte("nonsense"), 400, ""},
		{"an old size with a zero", []byte("old 00\n\n" + string(a.checkpoint(t, k, 3))), 400, ""},
		{"a proof that is no base64", []byte("old 0\nxyz\n\n" + string(a.checkpoint(t, k, 3))), 400, ""},
		{"too much proof", []byte("old 0\n" + strings.Repeat("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 64) + "\n" + string(a.checkpoint(t, k, 3))), 400, ""},
		{"too long", bytes.Repeat([]byte("a"), entrylog.MaxSubmission+1), 400, ""},
		{"an unknown log", entrylog.Submission{Checkpoint: elsewhere}.Marshal(), 404, ""},
		{"another's key", a.submission(t, other, 0, 3), 403, ""},
		{"no signature", []byte("old 0\n\n" + strings.SplitAfter(string(a.checkpoint(t, k, 3)), "\n\n")[0]), 403, ""},
		{"shrinking", entrylog.Submission{Old: 5, Checkpoint: a.checkpoint(t, k, 3)}.Marshal(), 400, ""},
		{"a size that was never cosigned", a.submission(t, k, 2, 3), 409, "0\n"},
		{"a proof from nothing", entrylog.Submission{Proof: a.proof(t, 2, 3), Checkpoint: a.checkpoint(t, k, 3)}.Marshal(), 422, ""},
		{"the first", a.submission(t, k, 0, 3), 200, ""},
		{"the same again", a.submission(t, k, 3, 3), 200, ""},
		{"from a size before", a.submission(t, k, 0, 7), 409, "3\n"},
		{"further", a.submission(t, k, 3, 7), 200, ""},
		{"a wrong proof", entrylog.Submission{Old: 7, Proof: wrong, Checkpoint: a.checkpoint(t, k, 12)}.Marshal(), 422, ""},
		{"no proof", entrylog.Submission{Old: 7, Checkpoint: a.checkpoint(t, k, 12)}.Marshal(), 422, ""},
		{"the other view, of this size", b.submission(t, k, 7, 7), 409, "7\n"},
		{"the other view, further", b.submission(t, k, 7, 12), 422, ""},
		{"further again", a.submission(t, k, 7, 12), 200, ""},
		{"with an extension", entrylog.Submission{Old: 12, Proof: a.proof(t, 12, 14), Checkpoint: extended}.Marshal(), 200, ""},
	} {
		r, err := http.Post(s.URL+"/add-checkpoint", "", bytes.NewReader(row.body))
		ok(t, err)
		body, err := io.ReadAll(r.Body)
		ok(t, err)
		r.Body.Close()
		if r.StatusCode != row.status || row.says != "" && string(body) != row.says {
			t.Errorf("%s: %d %q, want %d %q", row.name, r.StatusCode, body, row.status, row.says)
			continue
		}
		if row.status == 409 && r.Header.Get("Content-Type") != "text/x.tlog.size" {
			t.Errorf("%s: content type %q", row.name, r.Header.Get("Content-Type"))
		}
		if row.status == 200 {
			_, cp, _ := bytes.Cut(row.body, []byte("\n\n"))
			if at, yes := v.CosignedAt(append(bytes.Clone(cp), body...)); !yes || time.Since(at) > time.Minute {
				t.Errorf("%s: %q is no cosignature", row.name, body)
			}
		}
	}
	if r, err := http.Get(s.URL + "/add-checkpoint"); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v %v", r.StatusCode, err)
	}
	logs, err := w.Logs()
	if err != nil || len(logs) != 1 || logs[0].Last.Size != 14 {
		t.Errorf("what is witnessed: %+v %v", logs, err)
	}
}

func mustText(t testing.TB, k signer, signed []byte) string {
	n, err := note.Open(signed, note.VerifierList(k.v))
	ok(t, err)
	return n.Text
}

// Each effect has its two fault rows: neither lets a signature out, and after neither
// is another view signed.
func TestFaults(t *testing.T) {
	k := newSigner(t, origin)
	a, b := newHistory(5, 20, "a"), newHistory(5, 20, "b")
	for _, row := range []struct {
		name  string
		fault fault
		last  uint64
	}{{"failed", failed, 5}, {"failed but persisted", failedButPersisted, 9}} {
		t.Run(row.name, func(t *testing.T) {
			state := &memory{files: map[string][]byte{}}
			w := newWitness(t, state, k)
			_, err := w.Cosign(a.submission(t, k, 0, 5))
			ok(t, err)
			state.fault = row.fault
			if line, err := w.Cosign(a.submission(t, k, 5, 9)); !errors.Is(err, errDisk) || line != nil {
				t.Fatalf("a signature left before it was kept: %q, %v", line, err)
			}
			w, err = witness.Open(state, time.Now)
			ok(t, err)
			logs, err := w.Logs()
			ok(t, err)
			if logs[0].Last.Size != row.last {
				t.Errorf("it counts %d as cosigned, want %d", logs[0].Last.Size, row.last)
			}
			// The other view: allowed only while nothing beyond the common part may count.
			_, err = w.Cosign(b.submission(t, k, int(row.last), 12))
			if row.fault == failedButPersisted && !errors.Is(err, witness.ErrInconsistent) {
				t.Errorf("the other view: %v", err)
			}
			if row.fault == failed {
				ok(t, err)
				if _, err := w.Cosign(a.submission(t, k, 12, 13)); !errors.Is(err, witness.ErrInconsistent) {
					t.Errorf("and then the first again: %v", err)
				}
			}
		})
	}
	// A record that is cut is not begun anew.
	state := &memory{files: map[string][]byte{}}
	w := newWitness(t, state, k)
	_, err := w.Cosign(a.submission(t, k, 0, 5))
	ok(t, err)
	for name, b := range state.files {
		if strings.HasPrefix(name, "logs/") {
			state.files[name] = b[:len(b)-8]
		}
	}
	if _, err := w.Cosign(a.submission(t, k, 0, 5)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("on a damaged record: %v", err)
	}
}

// Two histories are submitted at once to a witness that is killed again and again. All
// that it ever signed is of one of them.
func TestKilledWitnessSignsOneView(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	p, err := folder.OpenPrivate(dir)
	ok(t, err)
	k := newSigner(t, origin)
	w := newWitness(t, p, k)
	v, err := entrylog.NewCosignVerifier(w.Public())
	ok(t, err)
	const shared, all, rounds = 6, 4000, 12
	views := []*history{newHistory(shared, all, "a"), newHistory(shared, all, "b")}
	var mu sync.Mutex
	signed := [2]int{} // signatures beyond the common part
	total := 0
	dice := mrand.New(mrand.NewPCG(1, 2))
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		url, err := bufio.NewReader(out).ReadString('\n')
		ok(t, err)
		url = strings.TrimSpace(url)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i, h := range views {
			wg.Go(func() {
				last := 0
				for size := 1; ctx.Err() == nil; {
					if size > all {
						return
					}
					body := h.submission(t, k, min(last, size), size)
					q, _ := http.NewRequestWithContext(ctx, "POST", url+"/add-checkpoint", bytes.NewReader(body))
					r, err := http.DefaultClient.Do(q)
					if err != nil {
						return // killed
					}
					answer, err := io.ReadAll(r.Body)
					r.Body.Close()
					switch {
					case err != nil:
						return
					case r.StatusCode == http.StatusOK:
						if _, yes := v.CosignedAt(append(h.checkpoint(t, k, size), answer...)); !yes {
							continue // cut by the kill
						}
						mu.Lock()
						total++
						if size > shared {
							signed[i]++
						}
						mu.Unlock()
						last, size = size, size+1
					case r.StatusCode == http.StatusConflict:
						fmt.Sscanf(string(answer), "%d", &last)
						size = max(size, last)
						if size == last {
							size++
						}
					default:
						size++ // refused: try the next
					}
				}
			})
		}
		time.Sleep(time.Duration(20+dice.IntN(80)) * time.Millisecond)
		ok(t, cmd.Process.Kill())
		_ = cmd.Wait()
		cancel()
		wg.Wait()
		if signed[0] > 0 && signed[1] > 0 {
			t.Fatalf("after round %d it has signed %d checkpoints of one view and %d of the other", round, signed[0], signed[1])
		}
	}
	if total < rounds || signed[0]+signed[1] == 0 {
		t.Errorf("it signed %d checkpoints, %v beyond the common part: this shows nothing", total, signed)
	}
}

// A log asks; what it gets verifies beside its own signature, and after its own
// restart it finds where the witness is.
func TestAsk(t *testing.T) {
	k := newSigner(t, origin)
	var log entrylog.AnchorLog
	for i := range 700 {
		log.Append(entrylog.Anchor{Tick: entrylog.Tick(i)})
	}
	signed := func(size uint64) []byte {
		root, err := log.Root(size)
		ok(t, err)
		b, err := entrylog.Checkpoint{Origin: origin, Size: size, Root: root}.Sign(k.s)
		ok(t, err)
		return b
	}
	read := func(path string) ([]byte, error) {
		tile, err := entrylog.ParseTilePath(path)
		if err != nil {
			return nil, fs.ErrNotExist
		}
		full := tile
		if full.Width = 256; tile.Width < 256 && full.Needs() <= 700 {
			return nil, fs.ErrNotExist // removed since
		}
		return log.TileData(tile)
	}
	state := &memory{files: map[string][]byte{}}
	w := newWitness(t, state, k)
	s := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	defer s.Close()
	peer := func() *witness.Peer {
		p, err := witness.ParsePeer(s.URL + "/=" + w.Public())
		ok(t, err)
		return p
	}
	p := peer()
	for _, size := range []uint64{1, 1, 2, 255, 256, 300, 700} {
		if size == 300 {
			p = peer() // as after a restart
		}
		line, err := p.Ask(t.Context(), signed(size), k.v, read)
		if err != nil {
			t.Fatalf("at size %d: %v", size, err)
		}
		both := append(signed(size), line...)
		if _, yes := p.Key.CosignedAt(both); !yes {
			t.Errorf("at size %d: no cosignature", size)
		}
		if _, err := entrylog.OpenCheckpoint(both, k.v); err != nil {
			t.Errorf("at size %d: the cosigned checkpoint: %v", size, err)
		}
	}
	if _, err := peer().Ask(t.Context(), signed(600), k.v, read); !errors.Is(err, witness.ErrAhead) {
		t.Errorf("asking for less than was cosigned: %v", err)
	}
	impostor, err := entrylog.NewCosigner("witness.example/w1", [32]byte{1})
	ok(t, err)
	p, err = witness.ParsePeer(s.URL + "=" + impostor.Public())
	ok(t, err)
	if _, err := p.Ask(t.Context(), signed(700), k.v, read); err == nil {
		t.Error("another's cosignature was taken")
	}
}
