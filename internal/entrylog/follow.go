package entrylog

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var (
	// ErrFork: a log's key has signed two histories. Keep both checkpoints: they
	// prove it to anybody.
	ErrFork = errors.New("this log shows two histories")
	// ErrUncompared: a checkpoint couldn't be compared with the one seen before. It
	// says nothing about the log.
	ErrUncompared = errors.New("the log couldn't be compared with what was seen of it")
	// ErrBehind: it publishes less than it signed; an ErrUncompared. A log signs
	// before it publishes, so for a moment that is how it should be; if it stays so,
	// what it publishes is old, or the log was set back.
	ErrBehind = errors.New("what it publishes is behind")
)

// Continues reports whether a log has one history: that of the signed checkpoint seen
// before (nil: none was), of the one at hand, and of what it publishes now. Either of
// the two may be the later one. read gives a file of the published log by its path, in
// the folder of the checkpoints' origin; with nil, only checkpoints of one size can be
// compared. It returns the newest checkpoint, to be kept for the next time. Errors:
// ErrFork, ErrUncompared (with ErrBehind: try again in a moment), ErrCheckpoint for what isn't signed by v or is of another
// origin than what was seen.
func Continues(v note.Verifier, seen, now []byte, read func(path string) ([]byte, error)) (newest []byte, err error) {
	n, err := OpenCheckpoint(now, v)
	if err != nil || seen == nil {
		return now, err
	}
	s, err := OpenCheckpoint(seen, v)
	if err != nil {
		return nil, fmt.Errorf("what was seen before: %w", err)
	}
	switch {
	case s.Origin != n.Origin:
		return nil, fmt.Errorf("%w: it is of %q, and what was seen before of %q", ErrCheckpoint, n.Origin, s.Origin)
	case s.Size == n.Size && s.Root != n.Root:
		return nil, fmt.Errorf("%w: it signed two roots of %d anchors", ErrFork, n.Size)
	case s.Size == n.Size:
		return seen, nil
	case read == nil:
		return nil, fmt.Errorf("%w: they have %d and %d anchors, and what is published isn't at hand", ErrUncompared, s.Size, n.Size)
	}
	published, err := read(CheckpointPath)
	if err != nil {
		return nil, fmt.Errorf("%w: its published checkpoint: %w", ErrUncompared, err)
	}
	p, err := OpenCheckpoint(published, v)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: its published checkpoint: %w", ErrUncompared, err)
	case p.Origin != n.Origin:
		return nil, fmt.Errorf("%w: what is published is of %q", ErrUncompared, p.Origin)
	}
	hashes := Hashes(read, p.Size, p.Root)
	for _, c := range []Checkpoint{s, n} {
		if c.Size == 0 || c.Size > p.Size {
			continue
		}
		root, err := tlog.TreeHash(int64(c.Size), hashes)
		if err != nil {
			return nil, fmt.Errorf("%w: what is published: %w", ErrUncompared, err)
		}
		if root != c.Root {
			return nil, fmt.Errorf("%w: the %d anchors that it publishes don't begin with the %d that it signed", ErrFork, p.Size, c.Size)
		}
	}
	if signed := max(s.Size, n.Size); p.Size < signed {
		return nil, fmt.Errorf("%w: %w: it publishes %d anchors, and has signed %d", ErrUncompared, ErrBehind, p.Size, signed)
	}
	return published, nil
}
