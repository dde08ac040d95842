package coordinator

import (
	"context"
	"fmt"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// The desk that has the log serves those in other processes: it is their Serving.

// Where serves ledger.Writer.
func (d *Desk) Where(ctx context.Context, hold bool) (ledger.Standing, error) {
	return d.log.Where(ctx, hold)
}

// Tick serves ledger.Writer.
func (d *Desk) Tick(ctx context.Context) error { return d.log.Tick(ctx) }

// Take serves ledger.Writer. Who asks decided with the same policy on the same
// entries; what is checked here is that the entries fold, and that they are a local
// command's: nobody signed in over there.
func (d *Desk) Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	shreds := false
	err := d.log.Take(ctx, at, recs, under, func(es []entrylog.Entry) error {
		for i, e := range es {
			if e.Auth != entrylog.AuthNone {
				return fmt.Errorf("%w: entry %d says that it is by somebody who is %s", ledger.ErrOffer, at+entrylog.Seq(i), e.Auth)
			}
			shreds = shreds || e.Kind == cvd.KindKeyDestroyed || e.Kind == cvd.KindReportSettled
		}
		if err := d.state.Fits(es); err != nil {
			return fmt.Errorf("%w: %w", ledger.ErrOffer, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if shreds {
		// Who asked does it as well, and says so if it can't; but may have died. What
		// fails here too is done at the next start. What is being appended meanwhile may
		// not be kept: its keys must not go.
		_ = d.View(func(*cvd.Programme) error { return d.forget() })
	}
	return nil
}
