package serve

import (
	"testing"
	"time"
)

// TestClock: the time to decide by is the earlier one while the two clocks are
// apart, and the wall clock's while they agree.
func TestClock(t *testing.T) {
	dawn := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	wall, elapsed := dawn, 7*time.Second
	c := newClock(func() (time.Time, time.Duration) { return wall, elapsed })
	for i, row := range []struct {
		wall, elapsed time.Duration // that go by
		want          time.Duration // since dawn
		jumped        bool
	}{
		{0, 0, 0, false},
		{time.Minute, time.Minute, time.Minute, false},
		{65 * time.Second, time.Minute, 125 * time.Second, false},     // five seconds: let be
		{time.Second, 0, 2 * time.Minute, true},                       // a moment more
		{time.Hour, 10 * time.Second, 130 * time.Second, true},        // set an hour ahead: ten seconds went by
		{-time.Hour, 6 * time.Second, 126 * time.Second, true},        // set back, a little too far for what went by
		{13 * time.Second, 3 * time.Second, 139 * time.Second, false}, // right again
		{-time.Hour, 0, 139*time.Second - time.Hour, true},            // an hour behind
	} {
		wall, elapsed = wall.Add(row.wall), elapsed+row.elapsed
		if got := c.Now().Sub(dawn); got != row.want || c.Jumped() != row.jumped {
			t.Errorf("row %d: %s, jumped %v; want %s, %v (apart %s)", i, got, c.Jumped(), row.want, row.jumped, c.Apart())
		}
	}
}

// TestClockOfTheMachine: with the machine's own clocks nothing is apart.
func TestClockOfTheMachine(t *testing.T) {
	c := newClock(nil)
	if now := c.Now(); time.Since(now).Abs() > time.Minute || c.Jumped() {
		t.Errorf("%s, jumped %v", now, c.Jumped())
	}
}
