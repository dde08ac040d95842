//go:build unix

package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
	"forewarn/internal/storetest"
)

// counted counts transactions, so that the peer can have as many.
type counted struct {
	ledger.Store
	appends atomic.Int64
}

func (c *counted) Append(ctx context.Context, at entrylog.Seq, epoch uint64, recs []entrylog.Record) error {
	c.appends.Add(1)
	return c.Store.Append(ctx, at, epoch, recs)
}

// Row D: durable appends by many callers at once, through the whole ledger
// (decision, encoding, salt, commitment, tree, transaction), against bare SQLite
// that inserts rows of the same size in transactions of the same number of rows,
// with the same settings. The two take turns within one run; the median of the
// turns' ratios is what counts (goal: 0.7 or more; 20,000 entries/s at a p99 of
// at most 25 ms). On a machine that others use, the ratio of processor time
// tells more than that of wall time.
func BenchmarkLedgerAppend(b *testing.B) {
	for _, callers := range []int{16, 64, 256, 1024} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			dir := b.TempDir()
			s, err := Create(ctx, filepath.Join(dir, "log.db"))
			ok(b, err)
			defer s.Close()
			store := &counted{Store: s}
			l, err := ledger.Open(ctx, store, memstore.NewFolder(nil), memstore.NewOutside(nil), logOptions(b), nil)
			ok(b, err)
			defer l.Close()
			peer := newBare(b, filepath.Join(dir, "bare.db"))
			defer peer.db.Close()

			const turn = 20_000
			var ratios, cpu, rates, peers, batches, p99s []float64
			for b.Loop() {
				store.appends.Store(0)
				cpu0 := processorTime()
				rate, p99 := appendTurn(b, l, callers, turn)
				cpu1 := processorTime()
				batch := max(1, turn/int(store.appends.Load()))
				bare := peer.turn(b, turn, batch)
				cpu2 := processorTime()
				ratios, cpu = append(ratios, rate/bare), append(cpu, float64(cpu2-cpu1)/float64(cpu1-cpu0))
				rates, peers, batches, p99s = append(rates, rate), append(peers, bare), append(batches, float64(batch)), append(p99s, p99.Seconds()*1000)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(middle(ratios), "×sqlite")
			b.ReportMetric(middle(cpu), "×sqlite-cpu")
			b.ReportMetric(middle(rates), "entries/s")
			b.ReportMetric(middle(peers), "sqlite-rows/s")
			b.ReportMetric(middle(batches), "entries/batch")
			b.ReportMetric(middle(p99s), "p99-ms")
		})
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func appendTurn(b *testing.B, l *ledger.Log, callers, n int) (rate float64, p99 time.Duration) {
	var left atomic.Int64
	left.Store(int64(n))
	waits := make([][]time.Duration, callers)
	var wg sync.WaitGroup
	start := time.Now()
	for c := range callers {
		wg.Go(func() {
			drafts := []ledger.Draft{{Kind: 1, Body: &body150{}}}
			for left.Add(-1) >= 0 {
				from := time.Now()
				if _, err := l.Append(ctx, drafts); err != nil {
					b.Error(err)
					return
				}
				waits[c] = append(waits[c], time.Since(from))
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	all := slices.Concat(waits...)
	slices.Sort(all)
	return float64(n) / took.Seconds(), all[len(all)*99/100]
}

// bare is SQLite as anybody would use it: one prepared insert a row.
type bare struct {
	db   *sql.DB
	conn *sql.Conn
	stmt *sql.Stmt
	next int64
	row  []byte
}

func newBare(b *testing.B, path string) *bare {
	db, err := connect(path, "rwc", 1)
	ok(b, err)
	conn, err := db.Conn(ctx)
	ok(b, err)
	_, err = conn.ExecContext(ctx, "CREATE TABLE rows (seq INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT")
	ok(b, err)
	stmt, err := conn.PrepareContext(ctx, "INSERT INTO rows VALUES (?, ?)")
	ok(b, err)
	p := &bare{db: db, conn: conn, stmt: stmt, row: make([]byte, 32+48+150)}
	rand.Read(p.row)
	return p
}

func (p *bare) turn(b *testing.B, n, batch int) (rate float64) {
	start := time.Now()
	for done := 0; done < n; {
		_, err := p.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		ok(b, err)
		for range min(batch, n-done) {
			_, err := p.stmt.ExecContext(ctx, p.next, p.row)
			ok(b, err)
			p.next++
			done++
		}
		_, err = p.conn.ExecContext(ctx, "COMMIT")
		ok(b, err)
	}
	return float64(n) / time.Since(start).Seconds()
}

// The store alone, by size of batch.
func BenchmarkStoreAppend(b *testing.B) {
	for _, batch := range []int{1, 16, 128, 1024} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			s, err := Create(ctx, filepath.Join(b.TempDir(), "log.db"))
			ok(b, err)
			defer s.Close()
			epoch, err := s.Acquire(ctx)
			ok(b, err)
			recs := make([]entrylog.Record, batch)
			for i := range recs {
				recs[i] = storetest.Record(entrylog.Seq(i), 198)
			}
			at := entrylog.Seq(0)
			for b.Loop() {
				ok(b, s.Append(ctx, at, epoch, recs))
				at += entrylog.Seq(batch)
			}
			b.ReportMetric(float64(at)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// Row H: opening a log of a million entries, each in a row of its own as if it
// had been appended alone: reading, checking every salt and commitment, folding,
// building the trees. The peer reads the same file and hashes each entry once.
// FOREWARN_BENCH_ENTRIES takes another number. Goal: less than 6 s, less than
// 1 GB.
func BenchmarkLedgerOpen(b *testing.B) {
	entries := 1_000_000
	fmt.Sscan(os.Getenv("FOREWARN_BENCH_ENTRIES"), &entries)
	path := filepath.Join(b.TempDir(), "log.db")
	opt := logOptions(b)
	// A minute for each thousand entries, so that anchors are in it as well.
	now := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	opt.Clock = func() time.Time { return now }
	pub, out := memstore.NewFolder(nil), memstore.NewOutside(nil)
	s, err := Create(ctx, path)
	ok(b, err)
	s.writer.rowMost = 0
	l, err := ledger.Open(ctx, s, pub, out, opt, nil)
	ok(b, err)
	drafts := make([]ledger.Draft, 1000)
	for i := range drafts {
		drafts[i] = ledger.Draft{Kind: 1, Body: &body150{byte(i)}}
	}
	for range entries / len(drafts) {
		_, err := l.Append(ctx, drafts)
		ok(b, err)
		now = now.Add(time.Minute)
	}
	ok(b, l.Tick(ctx))
	ok(b, l.Close())
	ok(b, s.Close())

	var opens, reads, ratios []float64
	for b.Loop() {
		start := time.Now()
		s, err := Open(ctx, path)
		ok(b, err)
		n := 0
		ok(b, s.Read(ctx, 0, func(_ entrylog.Seq, r entrylog.Record) error {
			entrylog.Commit(r.Salt, r.Entry)
			n++
			return nil
		}))
		read := time.Since(start)
		start = time.Now()
		folded := 0
		l, err := ledger.Open(ctx, s, pub, out, opt, func(_ entrylog.Seq, e entrylog.Entry) error { folded++; return nil })
		ok(b, err)
		open := time.Since(start)
		if n != folded || n != entries/len(drafts)*len(drafts) {
			b.Fatalf("%d read, %d folded", n, folded)
		}
		ok(b, l.Close())
		ok(b, s.Close())
		opens, reads, ratios = append(opens, open.Seconds()), append(reads, read.Seconds()), append(ratios, open.Seconds()/read.Seconds())
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(middle(opens), "open-s")
	b.ReportMetric(middle(reads), "read+hash-s")
	b.ReportMetric(middle(ratios), "×read+hash")
	b.ReportMetric(float64(mem.Sys)/1e6, "MB-from-system")
}

func middle(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
