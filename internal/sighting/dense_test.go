package sighting

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
)

// Indicators that overlap may be seen several times at every few bytes. However
// the lines are cut, all of it is seen, in order, in little memory; and it is said
// where a line was too full to be read as a record.
func TestDense(t *testing.T) {
	s := &Scanner{}
	for _, v := range []string{"/aaa", "/aaa/", "aaa/", "aaa/aaa", "/aaa/aaa", "/aaa/aaa/aaa", "/aaa/aaa/aaa/aaa"} {
		s.Indicators = append(s.Indicators, Indicator{Kind: Path, Value: v})
	}
	const times = 40_000
	for name, c := range map[string]struct {
		line, lines int
		full        int64
	}{
		"one line":        {times, 1, 1},
		"two lines":       {times, 2, 2},
		"shorter lines":   {times / 10, 10, 0},
		"short lines":     {100, times / 100, 0},
		"above MaxLine":   {7 * times, 1, 1},
		"full, then lean": {times, 1, 1},
	} {
		text := bytes.Repeat(append(bytes.Repeat([]byte("/aaa"), c.line), '\n'), c.lines)
		if name == "full, then lean" {
			text = append(text, bytes.Repeat([]byte("x /aaa/aaa\n"), 20_000)...)
		}
		want := 0
		for _, i := range s.Indicators {
			for from := 0; ; from++ {
				at := bytes.Index(text[from:], []byte(i.Value))
				if at < 0 {
					break
				}
				from += at
				if _, _, ok := pathBounds(text, from, from+len(i.Value)); ok {
					want++
				}
			}
		}
		runtime.GC() // what tests before this one left isn't its own
		got, last, peak := 0, int64(0), uint64(0)
		sum, err := s.Scan("", bytes.NewReader(text), func(x Sighting) error {
			if got++; x.Offset < last || got%10_000 == 0 && x.Line != int64(bytes.Count(text[:x.Offset], []byte("\n"))+1) {
				t.Fatalf("%s: behind byte %d: %+v", name, last, x)
			}
			if last = x.Offset; got%20_000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
			return nil
		})
		if err != nil || got != want || sum.Lines != int64(bytes.Count(text, []byte("\n"))) {
			t.Errorf("%s: %d sightings, want %d: %v, %+v", name, got, want, err, sum)
		}
		if peak > 96<<20 {
			t.Errorf("%s: %d MB of heap", name, peak>>20)
		}
		if sum.LongLines != c.full || int64(len(sum.Problems)) != c.full || c.full > 0 && !errors.Is(sum.Problems[0].Class, ErrLong) {
			t.Errorf("%s: %d lines are said to be full: %v", name, sum.LongLines, sum.Problems)
		}
		t.Logf("%s: %d sightings, %d MB of heap", name, got, peak>>20)
	}
}
