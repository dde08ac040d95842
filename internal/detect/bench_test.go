//go:build unix

package detect

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/sighting"
)

// corpus is the published EVE records over and over, 32 MB of them.
func corpus(b *testing.B) []byte {
	name := filepath.Join(filepath.Dir(filepath.Dir(published(b)[0])), "eve/eve.json.gz")
	f, err := os.Open(name)
	if err != nil {
		b.Skipf("skipped: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Repeat(text, 1+32_000_000/len(text))
}

// cpu is the processor time that this process has taken.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEVE compares a scan with all published rules with one that has none,
// with those that have needles and whose needles aren't there, and with all rules
// asked about every record. Run it with
//
//	FOREWARN_DATA=… go test -run '^$' -bench EVE -cpu 1 ./internal/detect
func BenchmarkEVE(b *testing.B) {
	text := corpus(b)
	rules, reports := setOf(b, published(b)).Rules()
	slow := map[string]bool{}
	for _, r := range reports {
		slow[r.Ref] = slow[r.Ref] || r.Class == Slow
	}
	run := func(name string, rules []sighting.Rule) {
		b.Run(name, func(b *testing.B) {
			s := &sighting.Scanner{Rules: rules}
			n := 0
			b.SetBytes(int64(len(text)))
			before := cpu(b)
			for b.Loop() {
				n = 0
				if _, err := s.Scan("", bytes.NewReader(text), func(sighting.Sighting) error { n++; return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(text))*float64(b.N)/1e9/(cpu(b)-before).Seconds(), "GB/cpu-s")
			b.ReportMetric(float64(n), "sightings")
		})
	}
	fast := slices.DeleteFunc(slices.Clone(rules), func(r sighting.Rule) bool { return slow[r.Ref] })
	all := slices.Clone(rules)
	for i := range all {
		all[i].Needles, all[i].Guard = nil, nil
	}
	run("no rules", nil)
	run("with needles", fast)
	run("all", rules)
	run("asked of every record", all)
}
