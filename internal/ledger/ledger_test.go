package ledger_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
	"forewarn/internal/wire"
)

const (
	origin   = "log.example.org/test"
	interval = time.Minute

	kindPlain  entrylog.Kind = 1
	kindPublic entrylog.Kind = 2
)

// number is a body.
type number uint64

func (n *number) Wire(c *wire.Coder) { c.U64((*uint64)(n)) }

// blob is a body of any length.
type blob struct{ b []byte }

func (b *blob) Wire(c *wire.Coder) { c.Bytes(&b.b, 1<<30) }

func body(n uint64) wire.Layout { v := number(n); return &v }

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var genesis = time.Date(2025, 5, 1, 9, 30, 15, 0, time.UTC)

// testKey is a signer and verifier from a seed byte.
func testKey(t testing.TB, seed byte) (note.Signer, note.Verifier) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(fill(seed))
	vkey, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return edSigner{verifier, private}, verifier
}

type edSigner struct {
	note.Verifier
	key ed25519.PrivateKey
}

func (s edSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

func fill(b byte) []byte {
	out := make([]byte, 32)
	for i := range out {
		out[i] = b
	}
	return out
}

// world is a log with all its surroundings.
type world struct {
	t       testing.TB
	clock   *clock
	store   *memstore.Store
	folder  *memstore.Folder
	outside *memstore.Outside
	opt     ledger.Options
	log     *ledger.Log
	state   *state
}

// state is a caller's fold: the sum of all numbers and how many there were.
type state struct {
	entries entrylog.Seq
	sum     uint64
	last    time.Time
}

func (s *state) apply(seq entrylog.Seq, e entrylog.Entry) error {
	if seq != s.entries {
		return fmt.Errorf("entry %d follows %d entries", seq, s.entries)
	}
	if e.Time.Before(s.last) {
		return errors.New("time ran backwards")
	}
	s.entries++
	s.last = e.Time
	if len(e.Body) == 8 {
		s.sum += binary.BigEndian.Uint64(e.Body)
	}
	return nil
}

func options(t testing.TB, c *clock) ledger.Options {
	signer, verifier := testKey(t, 1)
	return ledger.Options{
		Origin: origin, Interval: interval, Signer: signer, Verifier: verifier,
		Blinding: entrylog.Blinding(fill(7)), Clock: c.Now,
		Rand:   &lockedRand{r: rand.NewChaCha8([32]byte{1})},
		Public: func(e entrylog.Entry) bool { return e.Kind == kindPublic },
		Known:  func(k entrylog.Kind) bool { return k == kindPlain || k == kindPublic || k == ledger.KindRecovery },
	}
}

// lockedRand makes a deterministic source fit for several goroutines.
type lockedRand struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedRand) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

func newWorld(t testing.TB) *world {
	c := &clock{now: genesis}
	w := &world{t: t, clock: c, store: memstore.New(nil), folder: memstore.NewFolder(nil), outside: memstore.NewOutside(nil), opt: options(t, c)}
	w.open()
	return w
}

func (w *world) tryOpen(hook memstore.Hook) error {
	w.state = &state{}
	w.store = w.store.Reopen(hook)
	w.folder.SetHook(hook)
	w.outside.SetHook(hook)
	log, err := ledger.Open(context.Background(), w.store, w.folder, w.outside, w.opt, w.state.apply)
	w.log = log
	return err
}

func (w *world) open() {
	w.t.Helper()
	if err := w.tryOpen(nil); err != nil {
		w.t.Fatalf("open: %v", err)
	}
}

func (w *world) append(kind entrylog.Kind, n uint64) ledger.Sealed {
	w.t.Helper()
	s, err := w.log.Append(context.Background(), []ledger.Draft{{Kind: kind, Body: body(n)}})
	if err != nil {
		w.t.Fatalf("append: %v", err)
	}
	return s[0]
}

func (w *world) tick() {
	w.t.Helper()
	if err := w.log.Tick(context.Background()); err != nil {
		w.t.Fatalf("tick: %v", err)
	}
}

// verify audits the world as its files are now.
func (w *world) verify() ledger.Report {
	w.t.Helper()
	against, err := w.outside.Copy(nil).Load(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := ledger.Verify(context.Background(), w.store.Reopen(nil), w.folder.Copy(nil), w.opt, against, nil)
	if err != nil {
		w.t.Fatalf("verify: %v", err)
	}
	return r
}

func (w *world) mustVerify() ledger.Report {
	w.t.Helper()
	r := w.verify()
	if !r.OK() {
		w.t.Fatalf("the log does not verify: %v", r.Problems)
	}
	return r
}

func TestAppendTickProveReopen(t *testing.T) {
	w := newWorld(t)
	if next := w.log.NextTick(); !next.IsZero() {
		t.Errorf("an empty log has its next tick at %v", next)
	}
	w.append(kindPlain, 3)
	public := w.append(kindPublic, 4)
	_, err := w.log.Prove(context.Background(), public.Seq)
	var early *ledger.NotAnchoredError
	if !errors.As(err, &early) || !errors.Is(err, ledger.ErrNotAnchored) {
		t.Fatalf("proof before the tick: %v", err)
	}
	if want := genesis.Truncate(time.Minute).Add(time.Minute); !early.DueAt.Equal(want) || !w.log.NextTick().Equal(want) {
		t.Errorf("due at %v, next tick %v, want %v", early.DueAt, w.log.NextTick(), want)
	}
	w.clock.Add(10 * time.Minute)
	w.tick()
	if got := w.log.Anchors(); got != 10 {
		t.Errorf("%d anchors after ten minutes, want 10", got)
	}
	proof, err := w.log.Prove(context.Background(), public.Seq)
	if err != nil {
		t.Fatal(err)
	}
	e, err := proof.Verify(w.opt.Verifier, interval)
	if err != nil || e.Kind != kindPublic {
		t.Errorf("proof: %v, %+v", err, e)
	}
	if _, err := w.log.Prove(context.Background(), 0); !errors.Is(err, ledger.ErrNotPublic) {
		t.Errorf("proof of a private entry: %v", err)
	}
	if _, err := w.log.Prove(context.Background(), 2); !errors.Is(err, ledger.ErrNoEntry) {
		t.Errorf("proof of no entry: %v", err)
	}
	inner, err := w.log.ProveInner(context.Background(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inner.Verify(w.opt.Verifier, interval); err != nil {
		t.Errorf("inner proof: %v", err)
	}
	rep := w.mustVerify()
	if rep.Entries != 2 || rep.Anchors != 10 || rep.Published != 10 {
		t.Errorf("report: %+v", rep)
	}
	before := w.folder.Files()
	w.open()
	if w.state.sum != 7 {
		t.Errorf("the fold gives %d, want 7", w.state.sum)
	}
	sameFiles(t, before, w.folder.Files())
	w.append(kindPlain, 1)
	w.mustVerify()
}

func sameFiles(t *testing.T, a, b map[string][]byte) {
	t.Helper()
	for path := range a {
		if string(a[path]) != string(b[path]) {
			t.Errorf("%s changed", path)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files became %d", len(a), len(b))
	}
}
