package serve

import (
	"os"
	"runtime/debug"
	measured "runtime/metrics"
)

// headroom is how much a desk may allocate, at least, before it collects garbage.
// A small programme lives in 10 MB (GODEBUG=gctrace=1), and collecting after every 10 MB
// more costs a desk that sends pages a fifth of its time (forewarn bench pages).
const headroom = 128 << 20

// roomy sets the collector by what the programme takes up now: large ones have Go's
// usual proportion. What GOGC says is left alone, and GOMEMLIMIT goes before it.
func roomy() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []measured.Sample{{Name: "/gc/heap/live:bytes"}}
	measured.Read(live)
	debug.SetGCPercent(max(100, int(headroom*100/max(live[0].Value.Uint64(), 4<<20)))) // of less, Go makes 4 MiB too
}
