//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package folder

// Lock does nothing where there is no flock: let one process at a time use the
// folder there.
func (p Private) Lock() (unlock func(), err error) { return func() {}, nil }
