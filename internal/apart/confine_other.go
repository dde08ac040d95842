//go:build !linux || !(amd64 || arm64)

package apart

// Held says what holds a process apart to its bounds, and Confined whether anything
// but its own good will does.
const (
	Held     = "nobody; on this system they are only processes without keys"
	Confined = false
)

func confine(memory, seconds uint64) error { return nil }
