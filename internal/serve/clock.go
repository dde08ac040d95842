package serve

import (
	"sync/atomic"
	"time"
)

// jump is how far the wall clock and the elapsed time may come apart.
const jump = 5 * time.Second

// clock is the machine's, and doubts it: the wall clock can be set, the time that
// went by can't. While they are further apart than a jump, it goes by the one
// that is behind, so that no wave opens early because a clock was set; the desk
// is not ready then, and says so. It ends when the clock is set right, or the
// desk is started again.
//
// A machine that slept has a wall clock ahead of the time that it noticed going
// by: that looks the same, and is held the same.
type clock struct {
	read  func() (wall time.Time, elapsed time.Duration)
	start time.Time // of the wall clock, when elapsed was base
	base  time.Duration
	apart atomic.Int64 // as last seen: how far the wall clock is ahead
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
	c.start, c.base = read()
	return c
}

// Now is the time to decide by.
func (c *clock) Now() time.Time {
	wall, elapsed := c.read()
	steady := c.start.Add(elapsed - c.base)
	apart := wall.Sub(steady)
	c.apart.Store(int64(apart))
	if apart > jump {
		return steady
	}
	return wall
}

// Apart is how far the wall clock is ahead of the time that went by.
func (c *clock) Apart() time.Duration {
	c.Now()
	return time.Duration(c.apart.Load())
}

// Jumped reports whether they are too far apart.
func (c *clock) Jumped() bool { return c.Apart().Abs() > jump }
