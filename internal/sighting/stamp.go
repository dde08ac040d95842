package sighting

import "time"

// stamp is a date and time as it was written.
type stamp struct {
	at    time.Time     // the written figures, in UTC if no offset stands with them
	or    time.Time     // a later instant that it may mean instead; zero for none
	grain time.Duration // of the last written digit
	zoned bool          // an offset stands with it
	local bool          // it is in some zone that nothing tells of; else, without an offset, in UTC as its format says
}

// figures reads fixed figures from the front of b; ok turns false at the first
// that isn't as it should be, and stays so.
type figures struct {
	b  []byte
	ok bool
}

func (f *figures) number(digits int) int {
	if len(f.b) < digits {
		f.ok = false
	}
	n := 0
	for i := 0; f.ok && i < digits; i++ {
		d := f.b[i] - '0'
		if d > 9 {
			f.ok = false
			return 0
		}
		n = n*10 + int(d)
	}
	if f.ok {
		f.b = f.b[digits:]
	}
	return n
}

func (f *figures) one(of string) byte {
	if f.ok && len(f.b) > 0 {
		for i := range len(of) {
			if f.b[0] == of[i] {
				f.b = f.b[1:]
				return of[i]
			}
		}
	}
	f.ok = false
	return 0
}

func (f *figures) next(c byte) bool {
	if f.ok && len(f.b) > 0 && f.b[0] == c {
		f.b = f.b[1:]
		return true
	}
	return false
}

// date reads yyyy-mm-dd and refuses days that no month has.
func (f *figures) date() time.Time {
	y := f.number(4)
	f.one("-")
	m := f.number(2)
	f.one("-")
	d := f.number(2)
	return f.day(y, time.Month(m), d)
}

// day is a date that a calendar has.
func (f *figures) day(y int, m time.Month, d int) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	f.ok = f.ok && y >= 1 && m >= 1 && m <= 12 && d >= 1 && t.Day() == d
	return t
}

// month reads the English name that logs have, of three letters.
func (f *figures) month() time.Month {
	if f.ok && len(f.b) >= 3 {
		for m := time.January; m <= time.December; m++ {
			if string(f.b[:3]) == m.String()[:3] {
				f.b = f.b[3:]
				return m
			}
		}
	}
	f.ok = false
	return 0
}

// clock reads hh:mm:ss and an optional fraction. A leap second is let in as
// the second that follows it.
func (f *figures) clock() (since, grain time.Duration) {
	h := f.number(2)
	f.one(":")
	m := f.number(2)
	f.one(":")
	s := f.number(2)
	if h > 23 || m > 59 || s > 60 {
		f.ok = false
	}
	since = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	grain = time.Second
	if f.next('.') {
		fraction := 0
		for ; len(f.b) > 0 && f.b[0]-'0' <= 9; fraction++ {
			if fraction == 9 {
				f.ok = false
				return since, grain
			}
			grain /= 10
			since += time.Duration(f.b[0]-'0') * grain
			f.b = f.b[1:]
		}
		f.ok = f.ok && fraction > 0
	}
	return since, grain
}

// zone reads Z, ±hh:mm or ±hhmm; ok stays true when there is none.
func (f *figures) zone() (offset time.Duration, given bool) {
	if f.next('Z') {
		return 0, true
	}
	if !f.ok || len(f.b) == 0 || f.b[0] != '+' && f.b[0] != '-' {
		return 0, false
	}
	sign := f.one("+-")
	h := f.number(2)
	f.next(':')
	m := f.number(2)
	if h > 23 || m > 59 {
		f.ok = false
	}
	offset = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if sign == '-' {
		offset = -offset
	}
	return offset, true
}

// parseStamp reads a date and time as RFC 3339 and Suricata write them
// (2025-07-07T16:58:00.000000+0000) from the start of b, and says how many
// bytes it took.
//
// What is before 1990 is not a time: it is what a clock says that was never set
// (1970, 1980) and has run for a while, and what Suricata writes when a packet
// has none.
func parseStamp(b []byte) (s stamp, n int, ok bool) {
	f := figures{b, true}
	day := f.date()
	f.one("T ")
	since, grain := f.clock()
	offset, given := f.zone()
	if !f.ok {
		return stamp{}, 0, false
	}
	s = stamp{at: day.Add(since - offset), grain: grain, zoned: given}
	if !plausible(s.at) {
		return stamp{}, 0, false
	}
	return s, len(b) - len(f.b), true
}

// plausible leaves a year for what a clock may be off: an interval of what is later could
// end after year 9999, which no log entry can hold.
func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 9999 }
