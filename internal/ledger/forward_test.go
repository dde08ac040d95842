package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// through asks a log in place of another process, and may lose what is asked or
// answered.
type through struct {
	*ledger.Log
	fits func([]entrylog.Entry) error
	lose func(op string, do func() error) error // nil: nothing is lost
}

func (w *through) Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	do := func() error {
		return w.Log.Take(ctx, at, recs, under, func(es []entrylog.Entry) error {
			if w.fits == nil {
				return nil
			}
			return w.fits(es)
		})
	}
	if w.lose == nil {
		return do()
	}
	return w.lose("take", do)
}

// beside opens a reader that writes through the world's log.
func (w *world) beside(t testing.TB, asked *through) (*ledger.Log, *state) {
	t.Helper()
	s := &state{}
	r, err := ledger.OpenReader(context.Background(), w.store.Reopen(nil), w.opt, s.apply)
	if err != nil {
		t.Fatal(err)
	}
	r.Through(asked)
	return r, s
}

// TestForward: a writer and readers beside it append by what they have seen, each
// all of what came before. None is lost or kept twice.
func TestForward(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	const readers, each = 8, 40
	var wg sync.WaitGroup
	// What is decided counts the entries before it: it holds only if nothing came
	// between.
	counted := func(l *ledger.Log, s *state) {
		defer wg.Done()
		for range each {
			var saw entrylog.Seq
			sealed, err := l.AppendIf(ctx, func(time.Time) ([]ledger.Draft, error) {
				saw = s.entries
				return []ledger.Draft{{Kind: kindPublic, Body: body(uint64(saw))}, {Kind: kindPlain, Body: body(0)}}, nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			if len(sealed) != 2 || sealed[0].Seq != saw || sealed[1].Seq != saw+1 {
				t.Errorf("decided after %d entries, and appended as %+v", saw, sealed)
			}
		}
	}
	for range readers {
		r, s := w.beside(t, &through{Log: w.log})
		wg.Add(1)
		go counted(r, s)
	}
	wg.Add(1)
	go counted(w.log, w.state)
	ticking := make(chan struct{})
	go func() {
		defer close(ticking)
		for range 50 {
			w.clock.Add(time.Second)
			_ = w.log.Tick(ctx)
		}
	}()
	wg.Wait()
	<-ticking
	if n := w.log.Size(); n != 2*each*(readers+1) {
		t.Errorf("%d entries, want %d", n, 2*each*(readers+1))
	}
	w.mustVerify()
	r, s := w.beside(t, &through{Log: w.log})
	if s.sum != w.state.sum {
		t.Errorf("the writer's sum is %d, a reader's %d", w.state.sum, s.sum)
	}
	// Anchors are made for a reader too.
	w.clock.Add(2 * time.Minute)
	if err := r.Tick(ctx); err != nil || r.Anchors() != w.log.Anchors() {
		t.Errorf("%v, %d anchors of %d", err, r.Anchors(), w.log.Anchors())
	}
	// A decision's own refusal, and one for nothing.
	refused := errors.New("no")
	if _, err := r.AppendIf(ctx, func(time.Time) ([]ledger.Draft, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("a refusal: %v", err)
	}
	if got, err := r.Append(ctx, nil); got != nil || err != nil {
		t.Errorf("nothing: %v %v", got, err)
	}
	// The writer stops in order.
	if err := w.log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Append(ctx, []ledger.Draft{{Kind: kindPlain}}); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("after the writer was closed: %v", err)
	}
}

// TestHold: a decision that takes long is not kept out by those that don't; and one
// that never comes holds nobody up for long.
func TestHold(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	r, s := w.beside(t, &through{Log: w.log})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := w.log.Append(ctx, []ledger.Draft{{Kind: kindPlain, Body: body(1)}}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	tries := 0
	sealed, err := r.AppendIf(ctx, func(time.Time) ([]ledger.Draft, error) {
		tries++
		time.Sleep(30 * time.Millisecond)
		return []ledger.Draft{{Kind: kindPublic, Body: body(uint64(s.entries))}}, nil
	})
	close(stop)
	wg.Wait()
	if err != nil || len(sealed) != 1 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	if tries < 2 {
		t.Errorf("nobody was in the way: %d tries", tries)
	}
	w.mustVerify()

	// A reader that holds and is killed.
	held, err := w.log.Where(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if got := w.append(kindPlain, 1); got.Seq != held.Size {
		t.Errorf("an entry came while the log was held: %d, want %d", got.Seq, held.Size)
	}
	if d := time.Since(begun); d < time.Second || d > 30*time.Second {
		t.Errorf("held for %v", d)
	}
	w.mustVerify()
}

// TestDecidesAlone: while a reader decides nobody looks at its state, which the
// decision may change and take back.
func TestDecidesAlone(t *testing.T) {
	w := grown(t)
	r, _ := w.beside(t, &through{Log: w.log})
	var deciding atomic.Bool
	var wg sync.WaitGroup
	_, err := r.AppendIf(context.Background(), func(time.Time) ([]ledger.Draft, error) {
		deciding.Store(true)
		wg.Go(func() {
			err := r.View(func() {
				if deciding.Load() {
					t.Error("somebody looked")
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
		time.Sleep(50 * time.Millisecond)
		deciding.Store(false)
		return []ledger.Draft{{Kind: kindPlain, Body: body(1)}}, nil
	})
	if err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// TestWhoseHold: a hold is ended by who has it, and not by another who decided at the
// same time.
func TestWhoseHold(t *testing.T) {
	w := grown(t)
	ctx := context.Background()
	var at entrylog.Seq
	var offers [2][]entrylog.Record
	for i := range offers {
		r, _ := w.beside(t, &through{Log: w.log})
		r.Through(&noting{&through{Log: w.log}, &at, &offers[i]})
		if _, err := r.Append(ctx, []ledger.Draft{{Kind: kindPublic, Body: body(uint64(i))}}); !errors.Is(err, ledger.ErrBoardFull) {
			t.Fatal(err)
		}
	}
	fine := func([]entrylog.Entry) error { return nil }
	held, err := w.log.Where(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan error, 1)
	go func() { other <- w.log.Take(ctx, at, offers[0], 0, fine) }()
	select {
	case err := <-other:
		t.Errorf("an offer under no hold was answered during one: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := w.log.Take(ctx, at, offers[1], held.Hold, fine); err != nil {
		t.Errorf("who held it: %v", err)
	}
	if err := <-other; !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("the other: %v", err)
	}
	w.mustVerify()
}

// TestHoldGivenBack: who decides under a hold that there is nothing to append keeps
// nobody waiting for it to lapse.
func TestHoldGivenBack(t *testing.T) {
	w := newWorld(t)
	refused := errors.New("refused")
	for _, no := range []error{refused, nil} {
		r, _ := w.beside(t, &through{Log: w.log})
		held := false
		_, err := r.AppendIf(context.Background(), func(time.Time) ([]ledger.Draft, error) {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			if _, err := w.log.Append(ctx, []ledger.Draft{{Kind: kindPlain, Body: body(1)}}); err == nil {
				return []ledger.Draft{{Kind: kindPlain, Body: body(2)}}, nil // too late
			}
			held = true
			return nil, no
		})
		if !errors.Is(err, no) || !held {
			t.Fatalf("held %t: %v", held, err)
		}
		begun := time.Now()
		w.append(kindPlain, 3)
		if d := time.Since(begun); d > time.Second {
			t.Errorf("after %v it was held for %v", no, d)
		}
	}
	w.mustVerify()
}

// An entry has the time that it was decided for, which the writer's clock says.
func TestForwardedTime(t *testing.T) {
	w := grown(t)
	ctx := context.Background()
	r, _ := w.beside(t, &through{Log: w.log})
	var decided time.Time
	sealed, err := r.AppendIf(ctx, func(now time.Time) ([]ledger.Draft, error) {
		if decided.IsZero() {
			// A tick passes between deciding and taking: it is decided again.
			w.clock.Add(time.Minute)
			if err := w.log.Tick(ctx); err != nil {
				t.Error(err)
			}
		}
		decided = now
		return []ledger.Draft{{Kind: kindPublic}}, nil
	})
	if err != nil || !sealed[0].Entry.Time.Equal(decided) || !decided.Equal(w.clock.Now()) {
		t.Errorf("%v: an entry of %v, decided for %v, at %v", err, sealed[0].Entry.Time, decided, w.clock.Now())
	}
	w.mustVerify()
}

// TestForwardFaults: the way to the writer fails, or fails after the writer did what
// it was asked. What comes back says what was kept, and nothing is kept twice.
func TestForwardFaults(t *testing.T) {
	lost := errors.New("the line is gone")
	uncertain := fmt.Errorf("%w: %w", ledger.ErrUncertain, lost)
	for _, row := range []struct {
		name  string
		lose  func(n int, do func() error) error // n is from 1
		class error                              // nil: it is appended
		kept  bool
	}{
		{"failed", func(n int, do func() error) error {
			if n == 1 {
				return uncertain
			}
			return do()
		}, nil, true},
		{"failed but persisted", func(n int, do func() error) error {
			err := do()
			if n == 1 {
				return uncertain
			}
			return err
		}, nil, true},
		{"lost, and arrived after the next", func() func(int, func() error) error {
			var late func() error
			return func(n int, do func() error) error {
				if n == 1 {
					late = do
					return uncertain
				}
				err := do()
				if e := late(); !errors.Is(e, ledger.ErrConflict) {
					t.Errorf("the late offer: %v", e)
				}
				return err
			}
		}(), nil, true},
		{"lost, and waits there while the clock is wrong", func() func(int, func() error) error {
			var late func() error
			return func(n int, do func() error) error {
				switch n {
				case 1:
					late = do
					return uncertain
				case 2:
					return fmt.Errorf("%w: the clock was set back", ledger.ErrConflict)
				case 3:
					if err := late(); err != nil {
						t.Errorf("the late offer: %v", err)
					}
				}
				return do()
			}
		}(), nil, true},
		{"persisted, and nobody there", func(n int, do func() error) error {
			if n == 1 {
				_ = do()
				return uncertain
			}
			return fmt.Errorf("%w: %w", ledger.ErrUnreached, lost)
		}, nil, true},
		{"failed, and nobody there", func(n int, do func() error) error {
			if n == 1 {
				return uncertain
			}
			return fmt.Errorf("%w: %w", ledger.ErrUnreached, lost)
		}, ledger.ErrUnreached, false},
		{"never reached", func(int, func() error) error { return fmt.Errorf("%w: %w", ledger.ErrUnreached, lost) }, ledger.ErrUnreached, false},
		{"dead", func(int, func() error) error { return fmt.Errorf("%w: %w", ledger.ErrDead, lost) }, ledger.ErrUnreached, false},
		{"dead after it persisted", func(_ int, do func() error) error {
			_ = do()
			return fmt.Errorf("%w: %w", ledger.ErrDead, lost)
		}, ledger.ErrUncertain, true},
		{"refused", func(int, func() error) error { return ledger.ErrBoardFull }, ledger.ErrBoardFull, false},
		{"acknowledged and not done", func(int, func() error) error { return nil }, ledger.ErrDamaged, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := grown(t)
			n := 0
			r, _ := w.beside(t, &through{Log: w.log, lose: func(_ string, do func() error) error { n++; return row.lose(n, do) }})
			before := w.log.Size()
			sealed, err := r.Append(context.Background(), []ledger.Draft{{Kind: kindPublic, Body: body(7)}, {Kind: kindPlain, Body: body(8)}})
			if !errors.Is(err, row.class) || row.class == nil && err != nil {
				t.Errorf("%v, want %v", err, row.class)
			}
			want := before
			if row.kept {
				want += 2
			}
			if size := w.log.Size(); size != want {
				t.Errorf("%d entries were kept, want %d", size-before, want-before)
			}
			if err == nil {
				e, rec, err := r.Entry(context.Background(), sealed[1].Seq)
				if err != nil || rec.Salt != sealed[1].Salt || !e.Time.Equal(sealed[1].Entry.Time) {
					t.Errorf("entry %d is another than was told: %v", sealed[1].Seq, err)
				}
			}
			w.mustVerify()
			// The next one goes well.
			next, _ := w.beside(t, &through{Log: w.log})
			if _, err := next.Append(context.Background(), []ledger.Draft{{Kind: kindPublic}}); err != nil {
				t.Error(err)
			}
			w.mustVerify()
		})
	}
}

// TestTake: what doesn't fit is refused, keeps nothing and does the writer no harm.
func TestTake(t *testing.T) {
	w := grown(t)
	ctx := context.Background()
	var recs []entrylog.Record
	var at entrylog.Seq
	r, _ := w.beside(t, &through{Log: w.log, lose: func(string, func() error) error { return ledger.ErrBoardFull }})
	r.Through(&noting{&through{Log: w.log}, &at, &recs})
	if _, err := r.Append(ctx, []ledger.Draft{{Kind: kindPublic, Body: body(1)}, {Kind: kindPlain, Body: body(2)}}); !errors.Is(err, ledger.ErrBoardFull) {
		t.Fatal(err)
	}
	size := w.log.Size()
	changed := func(change func(r []entrylog.Record)) []entrylog.Record {
		out := append([]entrylog.Record(nil), recs...)
		for i := range out {
			out[i].Entry = append([]byte(nil), out[i].Entry...)
		}
		change(out)
		return out
	}
	refused := errors.New("it does not fold")
	fine := func([]entrylog.Entry) error { return nil }
	for _, row := range []struct {
		name  string
		at    entrylog.Seq
		recs  []entrylog.Record
		fits  func([]entrylog.Entry) error
		class error
	}{
		{"before the end", at - 1, recs, fine, ledger.ErrConflict},
		{"beyond the end", at + 1, recs, fine, ledger.ErrConflict},
		{"another salt", at, changed(func(r []entrylog.Record) { r[1].Salt[20] ^= 1 }), fine, ledger.ErrOffer},
		{"another byte", at, changed(func(r []entrylog.Record) { r[0].Entry[len(r[0].Entry)-1] ^= 1 }), fine, ledger.ErrOffer},
		{"exchanged", at, changed(func(r []entrylog.Record) { r[0], r[1] = r[1], r[0] }), fine, ledger.ErrOffer},
		{"no entry", at, changed(func(r []entrylog.Record) { r[0].Entry = nil }), fine, ledger.ErrOffer},
		{"half an entry", at, changed(func(r []entrylog.Record) { r[0].Entry = r[0].Entry[:5] }), fine, ledger.ErrOffer},
		{"a state that can't", at, recs, func([]entrylog.Entry) error { return refused }, refused},
		{"nothing", at, nil, fine, nil},
	} {
		if err := w.log.Take(ctx, row.at, row.recs, 0, row.fits); !errors.Is(err, row.class) {
			t.Errorf("%s: %v, want %v", row.name, err, row.class)
		}
		if w.log.Size() != size {
			t.Fatalf("%s: something was kept", row.name)
		}
	}
	if err := w.log.Take(ctx, at, recs, 0, fine); err != nil || w.log.Size() != size+2 {
		t.Errorf("in its place: %v", err)
	}
	if err := w.log.Take(ctx, at, recs, 0, fine); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a second time: %v", err)
	}
	if err := r.Take(ctx, at, recs, 0, fine); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("by a reader: %v", err)
	}
	w.mustVerify()
}

// noting keeps what is offered, and refuses it.
type noting struct {
	*through
	at   *entrylog.Seq
	recs *[]entrylog.Record
}

func (n *noting) Take(_ context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	*n.at, *n.recs = at, recs
	return ledger.ErrBoardFull
}
