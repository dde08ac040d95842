package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
)

const syncTime = 3 * time.Millisecond

// slowDisk takes syncTime for an append, and counts them.
func slowDisk(appends *atomic.Int64) memstore.Hook {
	return func(op memstore.Op) memstore.Fault {
		if op == memstore.Append {
			appends.Add(1)
			time.Sleep(syncTime)
		}
		return memstore.Fault{}
	}
}

// TestGroupCommit: callers at the same moment share a transaction, a caller
// alone waits for nobody, and nobody waits for more than two.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bareWorld(t)
		w.opt.Clock = time.Now // the bubble's
		var appends atomic.Int64
		if err := w.tryOpen(slowDisk(&appends)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		w.append(kindPlain, 1)
		if took := time.Since(start); took != syncTime {
			t.Errorf("alone, an append takes %v; the disk needs %v", took, syncTime)
		}
		appends.Store(0)
		const callers, each = 200, 5
		var mu sync.Mutex
		var seqs []entrylog.Seq
		var worst time.Duration
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for range each {
					start := time.Now()
					s, err := w.log.Append(context.Background(), []ledger.Draft{
						{Kind: kindPlain, Body: body(uint64(c))}, {Kind: kindPublic, Body: body(uint64(c))}})
					took := time.Since(start)
					if err != nil {
						t.Error(err)
						return
					}
					if s[1].Seq != s[0].Seq+1 {
						t.Errorf("one caller's entries are %d and %d", s[0].Seq, s[1].Seq)
					}
					mu.Lock()
					seqs = append(seqs, s[0].Seq, s[1].Seq)
					worst = max(worst, took)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		slices.Sort(seqs)
		if len(seqs) != 2*callers*each || len(slices.Compact(seqs)) != 2*callers*each {
			t.Errorf("%d different numbers for %d entries", len(slices.Compact(seqs)), 2*callers*each)
		}
		if n := appends.Load(); n > 3*each {
			t.Errorf("%d transactions for %d rounds of %d callers", n, each, callers)
		}
		// The one under way and the next; a caller whose goroutine is held up between the
		// clock and the queue, as a race detector on a busy machine does, sees one more.
		if worst > 3*syncTime {
			t.Errorf("a caller waited %v; two transactions take %v", worst, 2*syncTime)
		}
		w.mustVerify()
		if got := int(w.state.entries); got != 1+2*callers*each {
			t.Errorf("the fold has %d entries", got)
		}
	})
}

// TestDecideSeesEarlierEntries: of many who each want to be the only one,
// one is, though all decide in one batch.
func TestDecideSeesEarlierEntries(t *testing.T) {
	w := newWorld(t)
	errTaken := errors.New("taken")
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := w.log.AppendIf(context.Background(), func(time.Time) ([]ledger.Draft, error) {
				if w.state.sum > 0 {
					return nil, errTaken
				}
				return []ledger.Draft{{Kind: kindPlain, Body: body(1)}}, nil
			})
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, errTaken):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 49 {
		t.Errorf("%d won and %d lost", won.Load(), lost.Load())
	}
}

// TestRefusalNeedsDurability: a refusal that was decided on entries which were
// then not kept is no refusal, but ErrDead.
func TestRefusalNeedsDurability(t *testing.T) {
	w := bareWorld(t)
	gate := make(chan struct{})
	begun := make(chan struct{})
	n := 0
	hook := func(op memstore.Op) memstore.Fault {
		if op != memstore.Append {
			return memstore.Fault{}
		}
		if n++; n == 1 { // holds the writer while two more queue up
			close(begun)
			<-gate
			return memstore.Fault{}
		}
		return memstore.Fault{Err: errFault}
	}
	if err := w.tryOpen(hook); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 3)
	var wg sync.WaitGroup
	start := func(i int, decide func(time.Time) ([]ledger.Draft, error)) {
		wg.Go(func() { _, errs[i] = w.log.AppendIf(context.Background(), decide) })
	}
	draft := func(time.Time) ([]ledger.Draft, error) { return []ledger.Draft{{Kind: kindPlain, Body: body(1)}}, nil }
	start(0, draft)
	<-begun
	start(1, draft)
	time.Sleep(100 * time.Millisecond)
	start(2, func(time.Time) ([]ledger.Draft, error) { return nil, errors.New("refused") })
	time.Sleep(100 * time.Millisecond)
	close(gate)
	wg.Wait()
	if errs[0] != nil || !errors.Is(errs[1], ledger.ErrDead) || !errors.Is(errs[2], ledger.ErrDead) {
		t.Errorf("%v", errs)
	}
}

// TestViewShowsOnlyDurable holds an append in the disk and looks at the state.
func TestViewShowsOnlyDurable(t *testing.T) {
	w := bareWorld(t)
	gate, begun := make(chan struct{}), make(chan struct{})
	hook := func(op memstore.Op) memstore.Fault {
		if op == memstore.Append {
			close(begun)
			<-gate
		}
		return memstore.Fault{}
	}
	if err := w.tryOpen(hook); err != nil {
		t.Fatal(err)
	}
	var durable atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.append(kindPlain, 5)
	}()
	<-begun
	seen := make(chan bool)
	go func() {
		_ = w.log.View(func() { seen <- w.state.sum == 0 || durable.Load() })
	}()
	select {
	case ok := <-seen:
		if !ok {
			t.Error("an entry was shown before it was durable")
		}
	case <-time.After(20 * time.Millisecond):
		durable.Store(true)
		close(gate)
		if !<-seen {
			t.Error("an entry was shown before it was durable")
		}
		<-done
		return
	}
	close(gate)
	<-done
}

func TestContext(t *testing.T) {
	w := bareWorld(t)
	gate, begun := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hook := func(op memstore.Op) memstore.Fault {
		if op == memstore.Append {
			once.Do(func() { close(begun); <-gate })
		}
		return memstore.Fault{}
	}
	if err := w.tryOpen(hook); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan error, 2)
	add := func() {
		_, err := w.log.Append(ctx, []ledger.Draft{{Kind: kindPlain, Body: body(1)}})
		results <- err
	}
	go add() // is in the disk: its context has no say any more
	<-begun
	go add() // is queued: withdrawn
	time.Sleep(100 * time.Millisecond)
	cancel()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("queued: %v", err)
	}
	close(gate)
	if err := <-results; err != nil {
		t.Errorf("under way: %v", err)
	}
	if n := w.log.Size(); n != 1 {
		t.Errorf("%d entries", n)
	}
	if _, err := w.log.Append(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before it began: %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	if _, err := w.log.AppendIf(ctx, func(time.Time) ([]ledger.Draft, error) {
		cancel() // others may be in the batch
		return []ledger.Draft{{Kind: kindPlain}}, nil
	}); err != nil {
		t.Errorf("ended while deciding: %v", err)
	}
}

func TestRefusedDrafts(t *testing.T) {
	w := newWorld(t)
	tooLarge := &blob{make([]byte, entrylog.MaxBody+1)}
	for name, drafts := range map[string][]ledger.Draft{
		"body":     {{Kind: kindPlain}, {Kind: kindPlain, Body: tooLarge}},
		"kind":     {{Kind: kindPlain}, {Kind: 0}},
		"own kind": {{Kind: ledger.KindRecovery}},
		"auth":     {{Kind: kindPlain, Auth: 99}},
	} {
		if _, err := w.log.Append(context.Background(), drafts); err == nil || errors.Is(err, ledger.ErrDead) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.state.entries != 0 || w.log.Size() != 0 {
		t.Errorf("%d entries applied, %d kept", w.state.entries, w.log.Size())
	}
	if got, err := w.log.Append(context.Background(), nil); got != nil || err != nil {
		t.Errorf("no drafts: %v %v", got, err)
	}
	large := make([]ledger.Draft, 1<<entrylog.BoardDepth)
	for i := range large {
		large[i] = ledger.Draft{Kind: kindPublic}
	}
	if _, err := w.log.Append(context.Background(), large); err != nil {
		t.Fatal(err)
	}
	if _, err := w.log.Append(context.Background(), large[:1]); !errors.Is(err, ledger.ErrBoardFull) {
		t.Errorf("a full board: %v", err)
	}
	w.append(kindPlain, 1)
	w.clock.Add(time.Minute)
	w.append(kindPublic, 1)
}

// TestPanic: a decision that panics takes the writer with it, and nobody hangs.
func TestPanic(t *testing.T) {
	w := newWorld(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = w.log.AppendIf(context.Background(), func(time.Time) ([]ledger.Draft, error) { panic("bug") })
	}()
	if _, err := w.log.Append(context.Background(), nil); !errors.Is(err, ledger.ErrDead) {
		t.Errorf("after a panic: %v", err)
	}
	w.open()
	w.append(kindPlain, 1)
}

// TestReplayErrorStops: a fold that refuses a new entry ends the writer before
// the entry is kept.
func TestReplayErrorStops(t *testing.T) {
	w := bareWorld(t)
	log, err := ledger.Open(context.Background(), w.store, w.folder, w.outside, w.opt, func(seq entrylog.Seq, e entrylog.Entry) error {
		if seq == 1 {
			return fmt.Errorf("cannot be")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	one := []ledger.Draft{{Kind: kindPlain}}
	if _, err := log.Append(context.Background(), one); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(context.Background(), one); !errors.Is(err, ledger.ErrDead) {
		t.Errorf("%v", err)
	}
	if n, _ := w.store.Size(context.Background()); n != 1 {
		t.Errorf("%d entries kept", n)
	}
}

// TestUnfit: what a fold says beforehand that it would refuse is refused to who asked
// for it, and to nobody else, in one batch too.
func TestUnfit(t *testing.T) {
	w := bareWorld(t)
	odd := errors.New("odd one out")
	w.opt.Fits = func(es []entrylog.Entry) error {
		for _, e := range es {
			if e.Kind == kindPublic {
				return odd
			}
		}
		return nil
	}
	folded := 0
	log, err := ledger.Open(context.Background(), w.store, w.folder, w.outside, w.opt, func(_ entrylog.Seq, e entrylog.Entry) error {
		if folded++; e.Kind == kindPublic {
			return errors.New("cannot be")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			kind := kindPlain
			if i%4 == 0 {
				kind = kindPublic
			}
			_, err := log.Append(context.Background(), []ledger.Draft{{Kind: kindPlain}, {Kind: kind}})
			if (i%4 == 0) != errors.Is(err, odd) || errors.Is(err, ledger.ErrDead) {
				t.Errorf("append %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n, _ := w.store.Size(context.Background()); n != 60 || folded != 60 {
		t.Errorf("%d entries kept, %d folded", n, folded)
	}
}

func TestReader(t *testing.T) {
	w := grown(t)
	seen := &state{}
	readonly := w.opt
	readonly.Signer, readonly.Clock, readonly.Rand = nil, nil, nil
	r, err := ledger.OpenReader(context.Background(), w.store.Reopen(nil), readonly, seen.apply)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Prove(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(w.opt.Verifier, interval); err != nil {
		t.Error(err)
	}
	if _, err := r.Append(context.Background(), nil); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if err := r.Tick(context.Background()); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("tick: %v", err)
	}
	w.append(kindPublic, 5)
	w.clock.Add(time.Minute)
	w.tick()
	if err := r.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if seen.entries != 4 || r.Anchors() != w.log.Anchors() {
		t.Errorf("after a refresh: %d entries, %d anchors", seen.entries, r.Anchors())
	}
	if _, err := r.Prove(context.Background(), 3); err != nil {
		t.Error(err)
	}
	w.append(kindPlain, 1) // the reader did not hinder the writer
}

func TestClose(t *testing.T) {
	w := grown(t)
	if err := w.log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.log.Append(context.Background(), nil); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if err := w.log.Tick(context.Background()); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("tick: %v", err)
	}
}
