package ascii

import "golang.org/x/sys/cpu"

var fast = cpu.X86.HasAVX2

// words makes n masks, n > 0, of 64 bytes each.
//
//go:noescape
func words(masks *uint64, text *byte, n int) (beyond uint64)
