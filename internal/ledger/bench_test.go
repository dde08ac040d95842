package ledger_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
)

// fullWorld has a log of n entries of 100 bytes, one a second, some public.
func fullWorld(b *testing.B, n int) *world {
	w := newWorld(b)
	drafts := make([]ledger.Draft, 1000)
	for i := 0; i < n; i += len(drafts) {
		for j := range drafts {
			drafts[j] = ledger.Draft{Kind: kindPlain, Body: &blob{make([]byte, 48)}}
		}
		drafts[0].Kind = kindPublic
		if _, err := w.log.Append(context.Background(), drafts); err != nil {
			b.Fatal(err)
		}
		w.clock.Add(1000 * time.Second)
	}
	return w
}

// BenchmarkReplay opens a log of a million entries, from memory: what is left
// over a store's own reading.
func BenchmarkReplay(b *testing.B) {
	const n = 1_000_000
	w := fullWorld(b, n)
	w.log = nil
	runtime.GC()
	for b.Loop() {
		log, err := ledger.Open(context.Background(), w.store.Reopen(nil), w.folder, w.outside, w.opt,
			func(entrylog.Seq, entrylog.Entry) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-with-store")
		runtime.KeepAlive(log)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkGroupCommit appends from many callers to a disk that takes two
// milliseconds to sync.
func BenchmarkGroupCommit(b *testing.B) {
	w := bareWorld(b)
	if err := w.tryOpen(func(op memstore.Op) memstore.Fault {
		if op == memstore.Append {
			time.Sleep(2 * time.Millisecond)
		}
		return memstore.Fault{}
	}); err != nil {
		b.Fatal(err)
	}
	const callers = 256
	var mu sync.Mutex
	var all []time.Duration
	work := make(chan struct{}, callers)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			var took []time.Duration
			for range work {
				start := time.Now()
				if _, err := w.log.Append(context.Background(), []ledger.Draft{{Kind: kindPlain, Body: body(1)}}); err != nil {
					b.Error(err)
					return
				}
				took = append(took, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
