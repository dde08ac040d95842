//go:build !amd64

package ascii

const fast = false

func words(*uint64, *byte, int) uint64 { panic("ascii: there is no fast way here") }
