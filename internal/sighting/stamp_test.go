package sighting

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func utc(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestParseStamp(t *testing.T) {
	for _, c := range []struct {
		in    string
		at    string // empty: refused
		grain time.Duration
		zoned bool
		n     int
	}{
		{"2025-07-07T16:58:00.000001+0000", "2025-07-07T16:58:00.000001Z", time.Microsecond, true, 31},
		{"2025-07-07T18:58:00.5+02:00 and more", "2025-07-07T16:58:00.5Z", time.Second / 10, true, 27},
		{"2025-07-07 16:58:00Z", "2025-07-07T16:58:00Z", time.Second, true, 20},
		{"2025-07-07T16:58:00", "2025-07-07T16:58:00Z", time.Second, false, 19},
		{"2025-07-07T00:30:00-0130", "2025-07-07T02:00:00Z", time.Second, true, 24},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", time.Second, true, 20}, // a leap second
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", time.Second, true, 20},
		{"1990-01-01T00:00:00Z", "1990-01-01T00:00:00Z", time.Second, true, 20},
		{"1980-01-06T00:00:07Z", "", 0, false, 0},
		{"1990-01-01T00:00:00+0100", "", 0, false, 0},
		{"1970-01-01T00:00:00.000000+0000", "", 0, false, 0}, // a clock that was never set
		{"2023-02-29T00:00:00Z", "", 0, false, 0},
		{"2023-13-01T00:00:00Z", "", 0, false, 0},
		{"2023-00-01T00:00:00Z", "", 0, false, 0},
		{"2023-01-00T00:00:00Z", "", 0, false, 0},
		{"0000-01-01T00:00:00Z", "", 0, false, 0},
		{"2023-01-01T24:00:00Z", "", 0, false, 0},
		{"2023-01-01T00:60:00Z", "", 0, false, 0},
		{"2023-01-01T00:00:61Z", "", 0, false, 0},
		{"2023-01-01T00:00:00.Z", "", 0, false, 0},
		{"2023-01-01T00:00:00.0123456789Z", "", 0, false, 0},
		{"2023-01-01T00:00:00+2400", "", 0, false, 0},
		{"2023-01-01T00:00:00+0", "", 0, false, 0},
		{"9999-12-31T23:59:59-0100", "", 0, false, 0}, // the year 10000
		{"9999-12-31T23:59:59Z", "", 0, false, 0},     // its second ends in it
		{"2023-01-01", "", 0, false, 0},
		{"+023-01-01T00:00:00Z", "", 0, false, 0},
		{"", "", 0, false, 0},
	} {
		s, n, ok := parseStamp([]byte(c.in))
		if ok != (c.at != "") {
			t.Errorf("%q: accepted: %v", c.in, ok)
		} else if ok && (!s.at.Equal(utc(c.at)) || s.grain != c.grain || s.zoned != c.zoned || n != c.n) {
			t.Errorf("%q: got %v to %v, zoned %v, %d bytes", c.in, s.at, s.grain, s.zoned, n)
		}
	}
}

// The standard library reads every stamp as we do, and nothing it refuses is
// let in but leap seconds.
func FuzzParseStamp(f *testing.F) {
	for _, s := range []string{"2025-07-07T16:58:00.000001+0000", "2023-12-08T01:42:11.1011041+0000", "2025-07-07 16:58:00Z", "2025-07-07T16:58:60Z", "1970-01-01T00:00:00Z"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, n, ok := parseStamp(b)
		if !ok {
			return
		}
		text := string(b[:n])
		if text[17:19] == "60" {
			text = text[:17] + "59" + text[19:]
			s.at = s.at.Add(-time.Second)
		}
		for _, layout := range []string{"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05",
			"2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05"} {
			if want, err := time.Parse(layout, text); err == nil {
				if !s.at.Equal(want) {
					t.Fatalf("%q: got %v, want %v", text, s.at, want)
				}
				return
			}
		}
		t.Fatalf("%q is no stamp", text)
	})
}

func TestClockInterval(t *testing.T) {
	berlin := time.FixedZone("CEST", 2*3600)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no time zone data on this machine")
	}
	second := func(s string) stamp { return stamp{at: utc(s), grain: time.Second} }
	zoned := second("2025-07-07T12:00:00Z")
	zoned.zoned = true
	for _, c := range []struct {
		name     string
		clock    Clock
		stamp    stamp
		from, to string
	}{
		{"believed", Clock{}, second("2025-07-07T12:00:00Z"), "2025-07-07T12:00:00Z", "2025-07-07T12:00:01Z"},
		{"skew", Clock{Skew: time.Minute}, second("2025-07-07T12:00:00Z"), "2025-07-07T11:59:00Z", "2025-07-07T12:01:01Z"},
		{"lag", Clock{Skew: time.Second, Lag: time.Minute}, second("2025-07-07T12:00:00Z"), "2025-07-07T11:58:59Z", "2025-07-07T12:00:02Z"},
		{"local or UTC", Clock{Zone: berlin}, second("2025-07-07T12:00:00Z"), "2025-07-07T10:00:00Z", "2025-07-07T12:00:01Z"},
		{"an offset leaves no doubt", Clock{Zone: berlin}, zoned, "2025-07-07T12:00:00Z", "2025-07-07T12:00:01Z"},
		{"west", Clock{Zone: time.FixedZone("", -5*3600)}, second("2025-07-07T12:00:00Z"), "2025-07-07T12:00:00Z", "2025-07-07T17:00:01Z"},
		{"clocks set back: 02:30 comes twice", Clock{Zone: paris}, second("2025-10-26T02:30:00Z"), "2025-10-26T00:30:00Z", "2025-10-26T02:30:01Z"},
		{"clocks set forward: 02:30 never comes", Clock{Zone: paris}, second("2025-03-30T02:30:00Z"), "2025-03-30T00:30:00Z", "2025-03-30T02:30:01Z"},
		{"nanoseconds round outwards", Clock{}, stamp{at: utc("2025-07-07T12:00:00.000000100Z"), grain: 100}, "2025-07-07T12:00:00Z", "2025-07-07T12:00:00.000001Z"},
	} {
		if v := c.clock.interval(c.stamp); !v.From.Equal(utc(c.from)) || !v.To.Equal(utc(c.to)) {
			t.Errorf("%s: got %v, want %s … %s", c.name, v, c.from, c.to)
		}
	}
}

// Whatever a clock may do within what was declared, the interval holds the
// true instant.
func TestClockHoldsTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := int64(24 * time.Hour)
		truth := time.Unix(0, rapid.Int64Range(2*day, 60*365*day).Draw(t, "truth")).UTC()
		clock := Clock{
			Skew: time.Duration(rapid.Int64Range(0, day).Draw(t, "skew")),
			Lag:  time.Duration(rapid.Int64Range(0, day).Draw(t, "lag")),
			Zone: time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone")),
		}
		written := truth.Add(time.Duration(rapid.Int64Range(0, int64(clock.Lag)).Draw(t, "written after"))).
			Add(time.Duration(rapid.Int64Range(-int64(clock.Skew), int64(clock.Skew)).Draw(t, "off by")))
		grain := rapid.SampledFrom([]time.Duration{time.Second, time.Millisecond, time.Microsecond}).Draw(t, "grain")
		s := stamp{at: written.Truncate(grain), grain: grain}
		if rapid.Bool().Draw(t, "local") {
			_, offset := s.at.In(clock.Zone).Zone()
			s.at = s.at.Add(time.Duration(offset) * time.Second)
		}
		if v := clock.interval(s); !v.Contains(truth) {
			t.Fatalf("%v doesn't hold %v", v, truth)
		}
	})
}
