//go:build !unix

package serve

// maxConnections is a bound where the system has none for files.
func maxConnections() int { return 1 << 14 }
