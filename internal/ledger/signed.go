package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"forewarn/internal/entrylog"
)

// signed is a checkpoint found in one of the places that keep it.
type signed struct {
	place  place
	signed []byte // nil when the place is empty
	cp     entrylog.Checkpoint
	err    error // why it is no checkpoint of this log's
}

type place int

const (
	inHead place = iota
	inOutside
	inPublished
	given // by the caller of Verify
)

func (p place) String() string {
	return [...]string{"the store's head", "the outside checkpoint", "the published checkpoint", "the given checkpoint"}[p]
}

// repair says what to do about a place whose content is no checkpoint.
func (p place) repair() string {
	switch p {
	case inPublished:
		return "Delete that file; opening makes it anew."
	case given:
		return "Give one that this log signed."
	}
	return "Restore it from a copy, or declare a recovery."
}

// findSigned reads the three places. The fold must have replayed: where the
// published checkpoint is depends on the recoveries.
func findSigned(ctx context.Context, f *fold, store Store, pub Publisher, outside Outside) ([]signed, error) {
	head, err := store.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", inHead, err)
	}
	out, err := outside.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", inOutside, err)
	}
	published, err := readPublished(ctx, pub, f.folder())
	if err != nil {
		return nil, fmt.Errorf("%v: %w", inPublished, err)
	}
	return []signed{
		f.parse(inHead, head),
		f.parse(inOutside, out),
		f.parse(inPublished, published),
	}, nil
}

// readPublished returns nil when there is no checkpoint.
func readPublished(ctx context.Context, pub Publisher, folder string) ([]byte, error) {
	b, err := pub.ReadFile(ctx, folder+entrylog.CheckpointPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (f *fold) parse(p place, b []byte) signed {
	s := signed{place: p, signed: b}
	if b == nil {
		return s
	}
	s.cp, s.err = entrylog.OpenCheckpoint(b, f.opt.Verifier)
	if s.err == nil {
		if _, ok := s.cp.Recovery(f.opt.Origin); !ok {
			s.err = fmt.Errorf("%w: it is of %q, not of %q", entrylog.ErrCheckpoint, s.cp.Origin, f.opt.Origin)
		}
	}
	return s
}

// matches reports why the log does not contain what s signs: nil when it does,
// or when a recovery has given s up. It makes the anchors that it needs.
func (f *fold) matches(s signed) error {
	switch {
	case s.signed == nil:
		// Both were there before the first entry was.
		if (s.place == inHead || s.place == inOutside) && f.trees.Entries() > 0 {
			return fmt.Errorf("%w: %v is missing, and the log has %d entries. Nothing was changed. "+
				"Bring it back from where it was kept, or declare a recovery", ErrFork, s.place, f.trees.Entries())
		}
		return nil
	case contains(f.lost, s.signed):
		return nil
	case s.err != nil:
		return fmt.Errorf("%w: %v: %w. %s", ErrDamaged, s.place, s.err, s.place.repair())
	}
	n, _ := s.cp.Recovery(f.opt.Origin)
	if n > f.recovery {
		return fmt.Errorf("%w: %v is of recovery %d, and this folder knows of %d: it is an older one. %s",
			ErrFork, s.place, n, f.recovery, forkAdvice)
	}
	if err := f.extend(s.cp.Size); err != nil {
		return fmt.Errorf("%v: %w", s.place, err)
	}
	have, err := f.trees.Checkpoint(s.cp.Origin, s.cp.Size)
	if err != nil {
		return err
	}
	if have.Root != s.cp.Root {
		return fmt.Errorf("%w: %v signs %d anchors that this folder's %d entries do not make: it is an older folder, or was changed. %s",
			ErrFork, s.place, s.cp.Size, f.trees.Entries(), forkAdvice)
	}
	return nil
}

const forkAdvice = "Nothing was changed. Bring back the newer folder; if there is none, declare a recovery"

// stands reports whether s is under the present origin, so that its size counts.
func (f *fold) stands(s signed) bool {
	if s.signed == nil || s.err != nil || contains(f.lost, s.signed) {
		return false
	}
	n, _ := s.cp.Recovery(f.opt.Origin)
	return n == f.recovery
}
