package ascii

import "golang.org/x/sys/cpu"

// Fast reports whether masks are made by the kernel.
var Fast = cpu.X86.HasAVX2

// masks makes n masks, n > 0, of 64 bytes each. The table has a bit for each high half
// of a byte: at the low half those with which it is of the set, and 16 further on, at
// the high half, its own.
//
//go:noescape
func masks(out *uint64, text *byte, n int, table *[32]byte) (beyond uint64)
