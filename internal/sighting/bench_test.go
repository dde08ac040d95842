//go:build unix

package sighting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/token"
)

// corpus is the real EVE records over and over, 32 MB of them: all 5,331 where
// they are, else the project's own sample.
func corpus(b *testing.B) []byte {
	text := append(bytes.Join(records(b, false), []byte("\n")), '\n')
	return bytes.Repeat(text, 1+32_000_000/len(text))
}

// indicators are n of each kind, none of which is in the corpus.
func indicators(n int) (out []Indicator) {
	for i := range n {
		out = append(out,
			Indicator{Kind: Host, Value: fmt.Sprintf("c%d.operator%d.example", i, i*7)},
			Indicator{Kind: Address, Value: fmt.Sprintf("203.0.113.%d", i%256)},
			Indicator{Kind: Address, Value: fmt.Sprintf("2001:db8:%x::%x", i+1, i+1)},
			Indicator{Kind: Path, Value: fmt.Sprintf("/_layouts/15/stage%d/start.aspx", i)},
			Indicator{Kind: Hash, Value: fmt.Sprintf("%064x", uint64(i+1)*0x9E3779B97F4A7C15)},
			Indicator{Kind: Constant, Value: fmt.Sprintf("fw-%08x", uint32(i+1)*0x9E3779B1)},
		)
	}
	return out
}

// cpu is the processor time that this process has taken: on a machine shared
// with others, the clock on the wall says little.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs job over n bytes and reports GB (10⁹ bytes) per CPU-second.
func measure(b *testing.B, n int, job func()) {
	b.SetBytes(int64(n))
	before := cpu(b)
	for b.Loop() {
		job()
	}
	b.ReportMetric(float64(n)*float64(b.N)/1e9/(cpu(b)-before).Seconds(), "GB/cpu-s")
}

// BenchmarkEVE compares a scan with its peer, encoding/json, which reads every
// record as a scanner that parses first would have to. Run it with
//
//	go test -run '^$' -bench EVE -cpu 1 ./internal/sighting
func BenchmarkEVE(b *testing.B) {
	text := corpus(b)
	run := func(name string, s *Scanner) {
		b.Run(name, func(b *testing.B) {
			measure(b, len(text), func() {
				if _, err := s.Scan("", bytes.NewReader(text), func(Sighting) error { return nil }); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	run("lines", &Scanner{})
	run("tokens", &Scanner{Rec: rec})
	run("indicators=60", &Scanner{Indicators: indicators(10)})
	run("indicators=6000", &Scanner{Indicators: indicators(1000)})
	run("all=60", &Scanner{Rec: rec, Indicators: indicators(10)})
	run("all=6000", &Scanner{Rec: rec, Indicators: indicators(1000)})
	b.Run("tokens alone", func(b *testing.B) {
		measure(b, len(text), func() { token.Scan(rec, text, func(int, token.Alphabet, uint64) {}) })
	})
	b.Run("peer=encoding_json", func(b *testing.B) {
		measure(b, len(text), func() {
			d := json.NewDecoder(bytes.NewReader(text))
			for {
				var rec map[string]any
				if err := d.Decode(&rec); err == io.EOF {
					return
				} else if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}
