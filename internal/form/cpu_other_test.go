//go:build !unix

package form

import "time"

var began = time.Now()

func cpuTime() time.Duration { return time.Since(began) }
