// Package storetest is what every keeper of a log must pass: Run for stores,
// RunPublisher for published folders, RunOutside for outside checkpoints. The
// tests are the contracts in package ledger, made to run; an adapter's own test
// is three lines and what is peculiar to it.
//
// The suite knows nothing of how an adapter works. What it cannot show is that
// an acknowledged append survives a power failure; adapters on a disk show with
// a trace of system calls that they sync, and Killed shows that they lose
// nothing when the process is killed.
package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"

	"pgregory.net/rapid"
)

// Reopen gives another handle on a log, as after a restart or in another
// process. The earlier handle may still be open.
type Reopen func() ledger.Store

// Fresh gives a handle on a new, empty log, and how to get further ones.
type Fresh func(t *testing.T) (ledger.Store, Reopen)

// Run tests a store.
func Run(t *testing.T, fresh Fresh) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Fresh)
	}{
		{"empty", testEmpty},
		{"append and read", testAppendRead},
		{"sizes of records", testRecordSizes},
		{"conflict", testConflict},
		{"fencing", testFencing},
		{"two handles", testTwoHandles},
		{"reopen", testReopen},
		{"head", testHead},
		{"follow", testFollow},
		{"ended contexts", testContexts},
		{"closed", testClosed},
		{"stopping a read", testStopReading},
		{"readers beside a writer", testConcurrent},
		{"two writers at once", testRivals},
		{"against a model", testModel},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh) })
	}
}

var background = context.Background()

// tb is what *testing.T and *rapid.T have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Record makes the record that belongs at seq: equal arguments, equal record.
func Record(seq entrylog.Seq, size int) entrylog.Record {
	r := entrylog.Record{Entry: make([]byte, size)}
	binary.BigEndian.PutUint64(r.Salt[:], uint64(seq)+1)
	r.Salt[31] = byte(size)
	for i := range r.Entry {
		r.Entry[i] = byte(int(seq) + i*7)
	}
	return r
}

func records(at entrylog.Seq, sizes ...int) []entrylog.Record {
	var out []entrylog.Record
	for i, n := range sizes {
		out = append(out, Record(at+entrylog.Seq(i), n))
	}
	return out
}

func same(a, b entrylog.Record) bool { return a.Salt == b.Salt && bytes.Equal(a.Entry, b.Entry) }

func ok(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t tb, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%v, want: %v", err, class)
	}
}

func acquire(t tb, s ledger.Store) uint64 {
	t.Helper()
	epoch, err := s.Acquire(background)
	ok(t, err)
	return epoch
}

// all reads everything from seq on, with copies.
func all(t tb, s ledger.Store, from entrylog.Seq) []entrylog.Record {
	t.Helper()
	var out []entrylog.Record
	err := s.Read(background, from, func(seq entrylog.Seq, r entrylog.Record) error {
		if want := from + entrylog.Seq(len(out)); seq != want {
			return fmt.Errorf("entry %d came where %d was due", seq, want)
		}
		out = append(out, entrylog.Record{Salt: r.Salt, Entry: bytes.Clone(r.Entry)})
		return nil
	})
	ok(t, err)
	return out
}

func holds(t tb, s ledger.Store, want []entrylog.Record) {
	t.Helper()
	size, err := s.Size(background)
	ok(t, err)
	if int(size) != len(want) {
		t.Fatalf("the size is %d, want %d", size, len(want))
	}
	got := all(t, s, 0)
	if len(got) != len(want) {
		t.Fatalf("%d entries were read, want %d", len(got), len(want))
	}
	for i := range want {
		if !same(got[i], want[i]) {
			t.Fatalf("entry %d is not what was appended", i)
		}
	}
}

func testEmpty(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	holds(t, s, nil)
	if head, err := s.Head(background); head != nil || err != nil {
		t.Errorf("head %q, %v", head, err)
	}
	if got := all(t, s, 7); got != nil {
		t.Error("something was read beyond the end")
	}
	// Nobody acquired it: nobody may write.
	for _, epoch := range []uint64{0, 1} {
		is(t, s.Append(background, 0, epoch, records(0, 1)), ledger.ErrFenced)
		is(t, s.SetHead(background, epoch, []byte("x")), ledger.ErrFenced)
	}
	if e := acquire(t, s); e < 1 {
		t.Errorf("the first epoch is %d", e)
	}
	holds(t, s, nil)
}

func testAppendRead(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	epoch := acquire(t, s)
	var want []entrylog.Record
	for _, n := range []int{1, 0, 2, 7, 8, 9, 16, 17, 300, 5000} {
		at := entrylog.Seq(len(want))
		var recs []entrylog.Record
		for i := range n {
			recs = append(recs, Record(at+entrylog.Seq(i), 100+i%50))
		}
		want = append(want, recs...)
		// The slices stay the caller's: the store must have copied.
		lent := make([]entrylog.Record, n)
		for i, r := range recs {
			lent[i] = entrylog.Record{Salt: r.Salt, Entry: bytes.Clone(r.Entry)}
		}
		ok(t, s.Append(background, at, epoch, lent))
		for i := range lent {
			clear(lent[i].Entry)
			lent[i].Salt = [32]byte{}
		}
	}
	holds(t, s, want)
	for _, from := range []int{1, 2, 9, 42, 359, len(want) - 1, len(want), len(want) + 1} {
		got := all(t, s, entrylog.Seq(from))
		if len(got) != max(0, len(want)-from) {
			t.Fatalf("from %d: %d entries", from, len(got))
		}
		if len(got) > 0 && (!same(got[0], want[from]) || !same(got[len(got)-1], want[len(want)-1])) {
			t.Errorf("from %d: other entries", from)
		}
	}
}

func testRecordSizes(t *testing.T, fresh Fresh) {
	s, reopen := fresh(t)
	epoch := acquire(t, s)
	want := records(0, 1, 2, 31, 32, 33, 4095, 4096, 70_000, entrylog.MaxEntry, 1, entrylog.MaxEntry, entrylog.MaxEntry)
	ok(t, s.Append(background, 0, epoch, want))
	holds(t, s, want)
	ok(t, s.Close())
	holds(t, reopen(), want)
}

func testConflict(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	epoch := acquire(t, s)
	want := records(0, 10, 20, 30)
	ok(t, s.Append(background, 0, epoch, want))
	for _, at := range []entrylog.Seq{0, 2, 4, 1 << 40} {
		is(t, s.Append(background, at, epoch, records(at, 5)), ledger.ErrConflict)
		is(t, s.Append(background, at, epoch, nil), ledger.ErrConflict)
		holds(t, s, want)
	}
	ok(t, s.Append(background, 3, epoch, nil))
	// The writer goes on.
	ok(t, s.Append(background, 3, epoch, records(3, 5)))
	holds(t, s, append(want, Record(3, 5)))
}

func testFencing(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	first := acquire(t, s)
	ok(t, s.Append(background, 0, first, records(0, 10)))
	ok(t, s.SetHead(background, first, []byte("first")))
	second := acquire(t, s) // the same handle may
	if second <= first {
		t.Fatalf("epoch %d after %d", second, first)
	}
	for _, epoch := range []uint64{first, 0, second + 1} {
		is(t, s.Append(background, 1, epoch, records(1, 10)), ledger.ErrFenced)
		is(t, s.Append(background, 1, epoch, nil), ledger.ErrFenced)
		is(t, s.SetHead(background, epoch, []byte("fenced")), ledger.ErrFenced)
		// The epoch is looked at before the size.
		err := s.Append(background, 9, epoch, records(9, 10))
		is(t, err, ledger.ErrFenced)
		if errors.Is(err, ledger.ErrConflict) {
			t.Error("a fenced append said that it conflicts")
		}
	}
	holds(t, s, records(0, 10))
	if head, err := s.Head(background); string(head) != "first" || err != nil {
		t.Errorf("head %q, %v", head, err)
	}
	ok(t, s.Append(background, 1, second, records(1, 10)))
}

// A second handle either is told that the log is held, and then the first goes
// on, or it fences the first.
func testTwoHandles(t *testing.T, fresh Fresh) {
	s, reopen := fresh(t)
	first := acquire(t, s)
	want := records(0, 10)
	ok(t, s.Append(background, 0, first, want))

	other := reopen()
	holds(t, other, want)
	second, err := other.Acquire(background)
	if errors.Is(err, ledger.ErrLocked) {
		want = append(want, Record(1, 10))
		ok(t, s.Append(background, 1, first, want[1:]))
		holds(t, other, want)
		is(t, other.Append(background, 2, first+1, records(2, 10)), ledger.ErrFenced)
		ok(t, s.Close())
		second, err = other.Acquire(background)
	}
	ok(t, err)
	if second <= first {
		t.Errorf("epoch %d after %d", second, first)
	}
	err = s.Append(background, entrylog.Seq(len(want)), first, records(9, 10))
	if !errors.Is(err, ledger.ErrFenced) && !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("the earlier writer: %v", err)
	}
	ok(t, other.Append(background, entrylog.Seq(len(want)), second, nil))
	holds(t, other, want)
}

func testReopen(t *testing.T, fresh Fresh) {
	s, reopen := fresh(t)
	var want []entrylog.Record
	var last uint64
	for i := range 5 {
		epoch := acquire(t, s)
		if epoch <= last {
			t.Fatalf("epoch %d after %d", epoch, last)
		}
		last = epoch
		recs := records(entrylog.Seq(len(want)), 50, 60+i)
		ok(t, s.Append(background, entrylog.Seq(len(want)), epoch, recs))
		want = append(want, recs...)
		ok(t, s.SetHead(background, epoch, fmt.Append(nil, "head ", i)))
		ok(t, s.Close())
		s = reopen()
		holds(t, s, want)
		if head, err := s.Head(background); string(head) != fmt.Sprint("head ", i) || err != nil {
			t.Errorf("head %q, %v", head, err)
		}
		is(t, s.Append(background, entrylog.Seq(len(want)), 0, nil), ledger.ErrFenced)
	}
}

func testHead(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	epoch := acquire(t, s)
	for _, want := range [][]byte{[]byte("one"), []byte("two\n\x00"), bytes.Repeat([]byte("x"), 64<<10), []byte("y")} {
		lent := bytes.Clone(want)
		ok(t, s.SetHead(background, epoch, lent))
		clear(lent)
		got, err := s.Head(background)
		ok(t, err)
		if !bytes.Equal(got, want) {
			t.Fatalf("head of %d bytes, want %d", len(got), len(want))
		}
		clear(got)
		if again, _ := s.Head(background); !bytes.Equal(again, want) {
			t.Fatal("the head is lent, not copied")
		}
	}
	holds(t, s, nil)
}

func testFollow(t *testing.T, fresh Fresh) {
	s, reopen := fresh(t)
	epoch := acquire(t, s)
	ok(t, s.Append(background, 0, epoch, records(0, 10, 10)))
	if n, err := s.Follow(background, 1); n != 2 || err != nil {
		t.Errorf("size %d, %v: it was there already", n, err)
	}
	for name, h := range map[string]ledger.Store{"the writer's handle": s, "another handle": reopen()} {
		got := make(chan entrylog.Seq, 1)
		size, err := s.Size(background)
		ok(t, err)
		go func() {
			n, err := h.Follow(background, size)
			if err != nil {
				n = 0
			}
			got <- n
		}()
		time.Sleep(5 * time.Millisecond) // let it wait
		ok(t, s.Append(background, size, epoch, records(size, 10)))
		select {
		case n := <-got:
			if n != size+1 {
				t.Errorf("%s: size %d, want %d", name, n, size+1)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: an append went unnoticed", name)
		}
	}
	short, stop := context.WithTimeout(background, 20*time.Millisecond)
	defer stop()
	_, err := s.Follow(short, 1000)
	is(t, err, context.DeadlineExceeded)

	ended := make(chan error, 1)
	go func() {
		_, err := s.Follow(background, 1000)
		ended <- err
	}()
	time.Sleep(5 * time.Millisecond)
	ok(t, s.Close())
	select {
	case err := <-ended:
		is(t, err, ledger.ErrClosed)
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not end Follow")
	}
}

// each calls every operation once and gives their errors.
func each(ctx context.Context, s ledger.Store, epoch uint64) map[string]error {
	out := map[string]error{}
	_, out["Acquire"] = s.Acquire(ctx)
	out["Append"] = s.Append(ctx, 0, epoch, records(0, 10))
	out["Read"] = s.Read(ctx, 0, func(entrylog.Seq, entrylog.Record) error { return nil })
	_, out["Size"] = s.Size(ctx)
	out["SetHead"] = s.SetHead(ctx, epoch, []byte("x"))
	_, out["Head"] = s.Head(ctx)
	_, out["Follow"] = s.Follow(ctx, 0)
	return out
}

func testContexts(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	epoch := acquire(t, s)
	ended, end := context.WithCancel(background)
	end()
	for op, err := range each(ended, s, epoch) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", op, err)
		}
	}
	ok(t, s.Append(background, 0, epoch, nil)) // neither fenced nor longer
	if head, _ := s.Head(background); head != nil {
		t.Error("the head was set")
	}
}

func testClosed(t *testing.T, fresh Fresh) {
	s, reopen := fresh(t)
	epoch := acquire(t, s)
	ok(t, s.Append(background, 0, epoch, records(0, 10)))
	ok(t, s.Close())
	ok(t, s.Close())
	for op, err := range each(background, s, epoch) {
		if !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("%s: %v", op, err)
		}
	}
	s = reopen()
	holds(t, s, records(0, 10))
	acquire(t, s) // its lock was given back
}

func testStopReading(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	epoch := acquire(t, s)
	ok(t, s.Append(background, 0, epoch, records(0, 1, 1, 1, 1, 1)))
	stop := errors.New("enough")
	n := 0
	err := s.Read(background, 1, func(entrylog.Seq, entrylog.Record) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	})
	if err != stop || n != 2 {
		t.Errorf("%v after %d entries", err, n)
	}
	ctx, end := context.WithCancel(background)
	defer end()
	n = 0
	err = s.Read(ctx, 0, func(entrylog.Seq, entrylog.Record) error {
		n++
		end()
		return nil
	})
	// A store may finish what it has already fetched.
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v after %d entries", err, n)
	}
	ok(t, s.Append(background, 5, epoch, records(5, 1))) // the store still works
}

// Readers on two handles see a growing prefix, without gaps and with each
// append whole, while a writer appends batches.
func testConcurrent(t *testing.T, fresh Fresh) {
	s, reopen := fresh(t)
	epoch := acquire(t, s)
	const batch, rounds = 7, 40
	var done atomic.Bool
	var wg sync.WaitGroup
	for _, h := range []ledger.Store{s, reopen(), s} {
		wg.Go(func() {
			last := 0
			for !done.Load() {
				n := 0
				err := h.Read(background, 0, func(seq entrylog.Seq, r entrylog.Record) error {
					if int(seq) != n || !same(r, Record(seq, 40)) {
						return fmt.Errorf("entry %d is not what was appended as %d", seq, n)
					}
					n++
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if n < last || n%batch != 0 {
					t.Errorf("%d entries after %d: not a whole number of appends", n, last)
					return
				}
				last = n
				runtime.Gosched()
			}
		})
	}
	for i := range rounds {
		at := entrylog.Seq(i * batch)
		var recs []entrylog.Record
		for j := range batch {
			recs = append(recs, Record(at+entrylog.Seq(j), 40))
		}
		ok(t, s.Append(background, at, epoch, recs))
		if i%8 == 0 {
			ok(t, s.SetHead(background, epoch, fmt.Append(nil, i)))
		}
	}
	done.Store(true)
	wg.Wait()
}

// Many goroutines append at the size that they saw: one of each round wins, the
// others conflict, and nothing is lost.
func testRivals(t *testing.T, fresh Fresh) {
	s, _ := fresh(t)
	epoch := acquire(t, s)
	var wins atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for wins.Load() < 60 {
				at, err := s.Size(background)
				if err == nil {
					err = s.Append(background, at, epoch, []entrylog.Record{Record(at, 20)})
				}
				switch {
				case err == nil:
					wins.Add(1)
				case !errors.Is(err, ledger.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for i, r := range all(t, s, 0) {
		if !same(r, Record(entrylog.Seq(i), 20)) {
			t.Fatalf("entry %d is not what was appended", i)
		}
	}
	if n, err := s.Size(background); int64(n) != wins.Load() {
		t.Errorf("%d entries, %d acknowledged, %v", n, wins.Load(), err)
	}
}

// testModel draws operations and compares with a slice.
func testModel(t *testing.T, fresh Fresh) {
	rounds := 0
	rapid.Check(t, func(rt *rapid.T) {
		if rounds++; rounds > 12 { // stores on a disk wait for it
			return
		}
		s, reopen := fresh(t)
		var model []entrylog.Record
		var head []byte
		var epoch uint64
		for i := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch op := rapid.SampledFrom([]string{"append", "append", "conflict", "head", "acquire", "reopen", "read"}).Draw(rt, "op"); op {
			case "append", "conflict":
				at := entrylog.Seq(len(model))
				if op == "conflict" {
					at += entrylog.Seq(rapid.IntRange(-min(2, len(model)), 2).Draw(rt, "off"))
				}
				recs := records(at, rapid.SliceOfN(rapid.IntRange(1, 3000), 0, 12).Draw(rt, "records")...)
				err := s.Append(background, at, epoch, recs)
				switch {
				case epoch == 0:
					is(rt, err, ledger.ErrFenced)
				case int(at) != len(model):
					is(rt, err, ledger.ErrConflict)
				default:
					ok(rt, err)
					model = append(model, recs...)
				}
			case "head":
				text := fmt.Append(nil, "head ", i)
				if err := s.SetHead(background, epoch, text); epoch == 0 {
					is(rt, err, ledger.ErrFenced)
				} else {
					ok(rt, err)
					head = text
				}
			case "acquire":
				e := acquire(rt, s)
				if e <= epoch {
					rt.Fatalf("epoch %d after %d", e, epoch)
				}
				epoch = e
			case "reopen":
				ok(rt, s.Close())
				s, epoch = reopen(), 0
			case "read":
				from := rapid.IntRange(0, len(model)+1).Draw(rt, "from")
				if got := all(rt, s, entrylog.Seq(from)); len(got) != max(0, len(model)-from) {
					rt.Fatalf("from %d: %d of %d entries", from, len(got), len(model))
				}
			}
			if got, err := s.Head(background); err != nil || !bytes.Equal(got, head) {
				rt.Fatalf("head %q, want %q, %v", got, head, err)
			}
		}
		holds(rt, s, model)
		ok(rt, s.Close())
	})
}
