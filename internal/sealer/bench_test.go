package sealer_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"forewarn/internal/seal"
	"forewarn/internal/sealer"
)

// A whole wave, from Form to parcels: every copy printed, hashed, put under the
// root, printed again and sealed, against the age library encrypting the same
// bytes on as many processors. Both take turns within one run, so that a shared
// machine slows both; the median of the ratios counts (goal: 0.8 or more).
func BenchmarkSeal(b *testing.B) {
	const holders = 64
	w := newBench(b, 100<<10)
	q := w.request(1, holders)
	_, parcels, err := w.seal(q)
	ok(b, err)
	w.now = q.OpensAt
	key, err := w.s.WaveKey(ctx, w.q.Package, q.Wave)
	ok(b, err)
	tars := make([][]byte, holders)
	to := make([]age.Recipient, holders)
	for i, p := range parcels {
		header, payload, err := seal.Unlock((*seal.WaveKey)(&key), [16]byte(p.Opening.Holder), p.Locked)
		ok(b, err)
		files, err := seal.OpenCopy(bytes.NewReader(append(header, payload...)), w.keys[i], seal.DefaultLimits)
		ok(b, err)
		tars[i], err = seal.Pack(files, 0)
		ok(b, err)
		to[i], err = age.ParseX25519Recipient(q.Holders[i].Recipients[0])
		ok(b, err)
	}
	peer := func() {
		ok(b, sealer.Parallel(ctx, holders, func(i int) ([]byte, error) {
			out := bytes.NewBuffer(make([]byte, 0, len(tars[i])+1024))
			e, err := age.Encrypt(out, to[i])
			if err != nil {
				return nil, err
			}
			if _, err := e.Write(tars[i]); err != nil {
				return nil, err
			}
			return out.Bytes(), e.Close()
		}, func(int, []byte) error { return nil }))
	}
	ours := func() {
		if _, err := w.s.Seal(ctx, q, func(sealer.Parcel) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	timed := func(f func()) time.Duration {
		start := time.Now()
		f()
		return time.Since(start)
	}
	var ratios, rates, peers []float64
	for b.Loop() {
		p, o := timed(peer), timed(ours)
		ratios = append(ratios, p.Seconds()/o.Seconds())
		rates = append(rates, holders/o.Seconds())
		peers = append(peers, holders/p.Seconds())
	}
	middle := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(tars[0])), "bytes/copy")
	b.ReportMetric(middle(ratios), "×age")
	b.ReportMetric(middle(rates), "copies/s")
	b.ReportMetric(middle(peers), "age-copies/s")
}
