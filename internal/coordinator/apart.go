package coordinator

import (
	"context"
	"fmt"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/hostile"
	"forewarn/internal/wire"
)

// Apart does a task of hostile in a process that has no keys. Errors wrap
// hostile.ErrRefused or hostile.ErrFell. Nil does it in place, which is for programmes
// in memory.
type Apart func(ctx context.Context, task string, in []byte) ([]byte, error)

// Do does a task.
func (a Apart) Do(ctx context.Context, task string, in []byte) ([]byte, error) {
	if a == nil {
		return hostile.Tasks[task](in)
	}
	return a(ctx, task, in)
}

// Unpack takes the files out of an archive that somebody sent. Their paths are as
// little to be trusted as the archive. Errors wrap hostile.ErrRefused or
// hostile.ErrFell.
func (d *Desk) Unpack(ctx context.Context, archive []byte) ([]hostile.File, error) {
	b, err := d.Apart.Do(ctx, hostile.Unpack, archive)
	if err != nil {
		return nil, err
	}
	var u hostile.Unpacked
	if err := wire.Unmarshal(b, &u); err != nil {
		return nil, fmt.Errorf("%w: %w", hostile.ErrFell, err)
	}
	return u.Files, nil
}

// Vet has a package's source read apart, before anything here reads it. What is
// wrong with it is told by who compiles it; an error is that it can't be read.
func (d *Desk) Vet(ctx context.Context, src carrier.Source) error {
	packed, err := src.Pack()
	if err != nil {
		return err
	}
	return d.vet(ctx, packed)
}

func (d *Desk) vet(ctx context.Context, packed []byte) error {
	if _, err := d.Apart.Do(ctx, hostile.Compile, packed); err != nil {
		return fmt.Errorf("%w: the source %w", cvd.ErrRefused, err)
	}
	return nil
}
