package serve

import (
	"sync/atomic"
	"time"
)

// jump is how far clocks may come apart.
const jump = 5 * time.Second

// clock is the machine's, and doubts it: the wall clock can be set, the time that
// went by can't, and where a time source is configured (Config.Time) a third party
// that signs what it says has a word too. While any two are further apart than a
// jump, the clock goes by the one that is behind, so that no wave opens because a
// clock was set; where that one rests on the source, by what it was at least: an answer
// is exact to a doubt. The desk is not ready then, and says so. It ends when the clock is
// set right, or the desk is started again. A source that was heard before the programme
// was opened is what the time that goes by is counted from: so a desk that was started
// on a wrong clock goes on when that is set right.
//
// A machine that slept has a wall clock ahead of the time that it noticed going
// by: that looks the same, and is held the same.
type clock struct {
	read  func() (wall time.Time, elapsed time.Duration)
	begun atomic.Int64                  // Unix time in nanoseconds when nothing had gone by, by who is believed: the wall clock at the start, or the source if it was heard first
	apart atomic.Int64                  // as last seen: how far the wall clock is ahead of the others, by the one that is furthest
	least atomic.Bool                   // who is believed said what time it was at least (believeLeast)
	heard atomic.Pointer[time.Duration] // how far the source is ahead of the time that went by; nil: never heard
}

// newClock begins to watch. read is the machine's own clocks when it is nil.
func newClock(read func() (time.Time, time.Duration)) *clock {
	if read == nil {
		begun := time.Now()
		read = func() (time.Time, time.Duration) {
			now := time.Now()
			return now.Round(0), now.Sub(begun)
		}
	}
	c := &clock{read: read}
	c.believe(read())
	return c
}

// believe counts from there on: it was t when so much had gone by.
func (c *clock) believe(t time.Time, elapsed time.Duration) {
	c.begun.Store(t.UnixNano() - int64(elapsed))
}

// believeLeast counts from there on until a source is heard that says how much later it
// was.
func (c *clock) believeLeast(t time.Time, elapsed time.Duration) {
	c.believe(t, elapsed)
	none := time.Duration(0)
	c.heard.Store(&none)
	c.least.Store(true)
}

// steady is the time by what went by since the start.
func (c *clock) steady(elapsed time.Duration) time.Time {
	return time.Unix(0, c.begun.Load()+int64(elapsed)).UTC()
}

// Now is the time to decide by.
func (c *clock) Now() time.Time {
	wall, elapsed := c.read()
	first, last := wall, wall
	steady := c.steady(elapsed)
	times := [2]time.Time{steady, steady}
	inexact := time.Duration(0)
	if ahead := c.heard.Load(); ahead != nil {
		times[1] = steady.Add(*ahead)
		inexact = doubt
	}
	worst := time.Duration(0)
	for _, t := range times {
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
		if d := wall.Sub(t); d.Abs() > worst.Abs() {
			worst = d
		}
	}
	if last.Sub(first) <= jump {
		c.apart.Store(int64(worst))
		return wall
	}
	if worst.Abs() <= jump { // the other two are apart, each within a jump of the wall clock
		worst = last.Sub(first)
	}
	c.apart.Store(int64(worst))
	if first.Before(wall) {
		return first.Add(-inexact)
	}
	return wall
}

// Hear takes what a source said the time was, when so much had gone by.
func (c *clock) Hear(t time.Time, elapsed time.Duration) {
	ahead := t.Sub(c.steady(elapsed))
	if ahead >= 0 && ahead <= longest+doubt && c.least.CompareAndSwap(true, false) {
		c.believe(t, elapsed)
		ahead = 0
	}
	c.heard.Store(&ahead)
}

// Apart is how far the clocks are apart: the wall clock ahead where it is
// positive.
func (c *clock) Apart() time.Duration {
	c.Now()
	return time.Duration(c.apart.Load())
}

// Jumped reports whether they are too far apart.
func (c *clock) Jumped() bool { return c.Apart().Abs() > jump }
