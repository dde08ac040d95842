package seal

import (
	"bytes"
	"crypto/rand"
	"io"
	"slices"
	"testing"
	"time"

	"forewarn/internal/form"

	"filippo.io/age"
)

// Row A: one member's personal part of 100 KiB, sealed and locked, against the
// plain age library on the same bytes. The two take turns within one run, so
// that a shared machine slows both; the median of the turns' ratios is what
// counts (goal: 0.8 or more).
func BenchmarkSealCopy(b *testing.B) {
	files := []form.Output{{Path: "personal.md", Data: make([]byte, 100<<10)}}
	rand.Read(files[0].Data)
	tar := must(Pack(files, 0))
	id := must(age.GenerateX25519Identity())
	to := must(ParseRecipients([]byte(id.Recipient().String())))
	dst := make([]byte, 0, 128<<10)

	ours := func() {
		if _, err := SealCopy(dst, testWave, testHolder, to, files, 0); err != nil {
			b.Fatal(err)
		}
	}
	peer := func() {
		out := bytes.NewBuffer(dst)
		w, err := age.Encrypt(out, id.Recipient())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(tar); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	const turn = 50
	timed := func(f func()) time.Duration {
		start := time.Now()
		for range turn {
			f()
		}
		return time.Since(start)
	}
	var ratios, rates, peers []float64
	b.SetBytes(int64(len(tar)))
	for b.Loop() {
		p, o := timed(peer), timed(ours)
		ratios = append(ratios, p.Seconds()/o.Seconds())
		rates = append(rates, turn/o.Seconds())
		peers = append(peers, turn/p.Seconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ratios), "×age")
	b.ReportMetric(median(rates), "copies/s")
	b.ReportMetric(median(peers), "age-copies/s")
}

// The whole of what the sealer's adapter does, with keys as text, on all
// processors.
func BenchmarkEnvelopeLockParallel(b *testing.B) {
	files := []form.Output{{Path: "personal.md", Data: make([]byte, 100<<10)}}
	to := []string{must(Keygen(X25519, testTime)).Recipient}
	b.SetBytes(100 << 10)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := (Envelope{}).Lock(to, *testWave, testHolder, files, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "copies/s")
}

func BenchmarkSealBySort(b *testing.B) {
	data := make([]byte, 100<<10)
	for _, m := range members() {
		b.Run(m.kind, func(b *testing.B) {
			for b.Loop() {
				if err := Seal(io.Discard, m.to, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenCopy(b *testing.B) {
	m := members()[0]
	files := []form.Output{{Path: "personal.md", Data: make([]byte, 100<<10)}}
	header, payload, err := Unlock(testWave, testHolder, must(SealCopy(nil, testWave, testHolder, m.to, files, 0)))
	if err != nil {
		b.Fatal(err)
	}
	file := append(header, payload...)
	for b.Loop() {
		if _, err := OpenCopy(bytes.NewReader(file), m.with, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
