//go:build !amd64

package ascii

// Fast reports whether masks are made by a kernel.
const Fast = false

func masks(*uint64, *byte, int, *[32]byte) uint64 { panic("ascii: there is no fast way here") }
