package serve

import (
	"runtime/debug"
	"testing"
)

// A small programme gets room; what the machine's keeper says goes before it.
func TestRoomy(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	debug.FreeOSMemory() // a collection: what is live is known from the last
	roomy()
	if got := debug.SetGCPercent(100); got <= 100 || got > 3200 {
		t.Errorf("a small heap: %d %%", got)
	}
	ballast := make([]byte, 2*headroom)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	debug.FreeOSMemory()
	roomy()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("a large heap: %d %%", got)
	}
	ballast[0]++
	t.Setenv("GOGC", "50")
	debug.SetGCPercent(50)
	roomy()
	if got := debug.SetGCPercent(100); got != 50 {
		t.Errorf("GOGC=50: %d %%", got)
	}
}
