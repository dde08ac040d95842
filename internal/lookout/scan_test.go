package lookout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/follow"
	"forewarn/internal/ledger"
	"forewarn/internal/sighting"
)

// eye is a watch over one log, of which nothing is recorded.
type eye struct {
	*Watch
	t   *testing.T
	log *log
}

func newEye(t *testing.T, s *sighting.Scanner) *eye {
	path := filepath.Join(t.TempDir(), "a.log")
	w := &Watch{Scanner: s, Clock: time.Now, yearless: true, Note: func(format string, args ...any) { t.Errorf(format, args...) }}
	l := &log{File: follow.Open(path, nil, false), known: map[string]bool{}, quoted: map[string]uint64{}}
	t.Cleanup(func() { l.Close() })
	return &eye{w, t, l}
}

// see appends to the log and looks at it.
func (e *eye) see(text string) {
	e.t.Helper()
	f, err := os.OpenFile(e.log.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	for err == nil {
		var p follow.Piece
		if p, err = e.log.Next(); err != nil || len(p.Data) == 0 {
			break
		}
		e.log.end = p.Mark
		err = e.scan(context.Background(), e.log, p)
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

func planted() *sighting.Scanner {
	return &sighting.Scanner{Indicators: []sighting.Indicator{{Kind: sighting.Constant, Value: "planted-here"}}}
}

const excerpt = "the overflow in deserialize handler\nlets anybody assembly a viewstate signature of\ntheir own hostname vector"

// TestExcerptLineByLine: an excerpt is seen once, whether it is written at once or
// line by line.
func TestExcerptLineByLine(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		e := newEye(t, &sighting.Scanner{Texts: []sighting.Text{{Ref: "x", Parts: []sighting.Part{{Alternatives: [][]byte{[]byte(excerpt)}}}}}})
		e.see("hello there\n")
		lines := strings.SplitAfter(excerpt+"\n", "\n")
		for len(lines) > 0 {
			k := min(n, len(lines))
			e.see(strings.Join(lines[:k], ""))
			lines = lines[k:]
		}
		e.see("bye\n")
		if len(e.log.waiting) != 1 {
			t.Fatalf("%d lines at once: %d sightings", n, len(e.log.waiting))
		}
		x := e.log.waiting[0]
		if want := uint64(len("hello there\n")); x.Offset != want || x.Line != 2 {
			t.Errorf("%d lines at once: at byte %d, line %d", n, x.Offset, x.Line)
		}
	}
}

// TestExcerptGrows: of an excerpt that is written line by line each length that is
// another thing is seen once.
func TestExcerptGrows(t *testing.T) {
	var lines []string
	for i := range 15 {
		var words []string
		for j := range 4 {
			words = append(words, "vex"+strings.Repeat(string(rune('a'+i)), 2)+"quil"+strings.Repeat(string(rune('k'+j)), 3))
		}
		lines = append(lines, strings.Join(words, " ")+"\n")
	}
	e := newEye(t, &sighting.Scanner{Texts: []sighting.Text{{Ref: "x", Parts: []sighting.Part{{Alternatives: [][]byte{[]byte(strings.Join(lines, ""))}}}}}})
	for _, l := range lines {
		e.see(l)
	}
	seen := map[string]int{}
	for _, x := range e.log.waiting {
		seen[x.Value]++
	}
	if len(seen) != 3 || len(e.log.waiting) != 3 { // of 12, 24 and 48 words
		t.Errorf("%d sightings: %v", len(e.log.waiting), seen)
	}
}

// TestAcrossTheCut: a long line is read in pieces, and what stands across their
// boundary is seen once.
func TestAcrossTheCut(t *testing.T) {
	for before := range 14 {
		e := newEye(t, planted())
		at := 4<<20 - before
		e.see(strings.Repeat(".", at) + "planted-here" + strings.Repeat(".", 100) + "\n")
		if len(e.log.waiting) != 1 || e.log.waiting[0].Offset != uint64(at) || e.log.waiting[0].End != uint64(at+12) {
			t.Errorf("%d bytes before the cut: %d sightings", before, len(e.log.waiting))
		}
	}
}

// TestYearOfAFollowedLog: a time without a year is of the year before now, as now
// moves on, whatever day it is.
func TestYearOfAFollowedLog(t *testing.T) {
	e := newEye(t, planted())
	e.Scanner.Clock.Zone = time.UTC
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	e.Clock = func() time.Time { return now }
	for i, row := range []struct {
		now   string
		wrote string
		want  string
	}{
		{"2026-11-26", "Oct 10", "2026-10-10"},
		{"2026-11-26", "Nov 27", "2026-11-27"},
		{"2026-11-26", "Dec 24", "2025-12-24"},
		{"2027-01-02", "Dec 31", "2026-12-31"},
		{"2027-11-20", "Oct 10", "2027-10-10"},
		{"2028-03-01", "Feb 29", "2028-02-29"},
	} {
		day, err := time.Parse(time.DateOnly, row.now)
		if err != nil {
			t.Fatal(err)
		}
		now = day.Add(12 * time.Hour)
		e.see(row.wrote + " 03:00:00 host app: planted-here\n")
		if got := e.log.waiting[i].From.Format(time.DateOnly); got != row.want {
			t.Errorf("on %s %q is %s, want %s", row.now, row.wrote, got, row.want)
		}
	}
}

// TestDayOfAFollowedLog: where only a header long before says the day, followed
// lines are of no known day, and never of a wrong one; a remark takes no field away.
func TestDayOfAFollowedLog(t *testing.T) {
	e := newEye(t, planted())
	e.see("#Version: 1.0\n#Date: 2026-11-20 00:00:00\n#Fields: time cs-method cs-uri-stem sc-status\n")
	e.see("00:01:00 GET /planted-here 200\n")
	for m := range 24 * 60 {
		e.see(fmt.Sprintf("%02d:%02d:00 GET /page 200\n", m/60, m%60))
	}
	e.see("#Remark: still here\n")
	e.see(strings.Repeat("23:59:00 GET /page 200\n", 1000))
	e.see("00:01:00 GET /planted-here 200\n")
	first, last := e.log.waiting[0], e.log.waiting[1]
	if first.From.Day() != 20 || !last.From.IsZero() || last.Field != "cs-uri-stem" {
		t.Errorf("%+v\n%+v", first, last)
	}
}

// TestFlood: what waits is bounded within a turn as well, and nothing is recorded
// twice or not at all.
func TestFlood(t *testing.T) {
	e := newEye(t, planted())
	var at []coordinator.Stretch
	e.Append = func(context.Context, func(*coordinator.Desk) error) error {
		if len(e.log.waiting) > maxWaiting {
			t.Errorf("%d wait", len(e.log.waiting))
		}
		at = append(at, coordinator.Stretch{Begin: e.log.begin, End: e.log.waiting[len(e.log.waiting)-1].End})
		return nil
	}
	const n = 20_000
	e.see(strings.Repeat("GET /planted-here\n", n))
	if len(at) != n/maxWaiting || len(e.log.waiting) != n%maxWaiting {
		t.Errorf("recorded %d times, and %d wait", len(at), len(e.log.waiting))
	}
	for i := 1; i < len(at); i++ {
		if at[i].Begin < at[i-1].End {
			t.Errorf("stretch %d begins at %d, the one before ends at %d", i, at[i].Begin, at[i-1].End)
		}
	}
}

// TestDeadLog: what can't come back by waiting isn't waited for.
func TestDeadLog(t *testing.T) {
	for _, dead := range []error{ledger.ErrDead, ledger.ErrClosed} {
		e := newEye(t, planted())
		e.Append = func(context.Context, func(*coordinator.Desk) error) error { return dead }
		e.see("GET /planted-here\n")
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		if err := e.record(ctx, e.log, e.log.end.Offset); !errors.Is(err, dead) || len(e.log.waiting) != 1 {
			t.Errorf("%v, and %d wait", err, len(e.log.waiting))
		}
	}
}
