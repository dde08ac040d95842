package home

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"forewarn/internal/coordinator"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/ledger"
	"forewarn/internal/relay"
	"forewarn/internal/seal"
	"forewarn/internal/sqlite"
)

// Join opens the desk to write: as its one writer, or, where another process serves
// it, through that one. With ledger.ErrLocked another process has the log and
// serves nobody, or not yet.
func (h *Home) Join(ctx context.Context) (*Desk, error) {
	d, err := h.Desk(ctx)
	if !errors.Is(err, ledger.ErrLocked) {
		return d, err
	}
	d = &Desk{}
	way := h.way(&d.open)
	if there, e := way.there(ctx); !there || e != nil {
		return nil, errors.Join(cmp.Or(e, err), d.open.Close())
	}
	s, err := h.Sealer(&d.open)
	if err == nil {
		d.Desk, err = h.reader(ctx, s, way, &d.open)
	}
	if err != nil {
		return nil, errors.Join(err, d.open.Close())
	}
	return d, nil
}

// Served reports whether a process serves the desk. The error is of one that should
// and can't.
func (h *Home) Served(ctx context.Context) (bool, error) {
	var open closers
	defer func() { open.Close() }()
	return h.way(&open).there(ctx)
}

// way is the way to the process that serves the desk, if one does.
func (h *Home) way(open *closers) *served {
	s := &served{Client: relay.NewClient(filepath.Join(h.Dir, "desk")), log: filepath.Join(h.Dir, "desk", "log.db")}
	open.add(s)
	return s
}

// served is relay's client, that also knows when nobody is at the other end.
type served struct {
	*relay.Client
	log    string
	unsure bool // an offer was made and not answered
}

// Take serves ledger.Writer. The process that was asked may go on without its
// socket, until its lock is free.
func (s *served) Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	err := s.Client.Take(ctx, at, recs, under)
	if errors.Is(err, ledger.ErrUnreached) && s.unsure {
		if e := s.fence(ctx); e != nil {
			return fmt.Errorf("%w: %w", ledger.ErrUncertain, e)
		}
	}
	s.unsure = errors.Is(err, ledger.ErrUncertain)
	return err
}

// there reports whether a process serves the desk. The error is of one that should
// and can't.
func (s *served) there(ctx context.Context) (bool, error) {
	switch _, err := s.Where(ctx, false); {
	case err == nil:
		return true, nil
	case errors.Is(err, ledger.ErrUnreached):
		return false, nil
	case errors.Is(err, ledger.ErrDead): // its own log: this process has none that could be
		return false, fmt.Errorf("%w: it answers that %s", ledger.ErrUnreached, err)
	default:
		return false, err
	}
}

// fence takes the log for a moment: whoever had it can keep nothing from then on.
func (s *served) fence(ctx context.Context) error {
	store, err := sqlite.Open(ctx, s.log)
	if err != nil {
		return err
	}
	_, err = store.Acquire(ctx)
	return errors.Join(err, store.Close())
}

// reader opens the desk beside its writer.
func (h *Home) reader(ctx context.Context, s coordinator.Sealer, through coordinator.Serving, open *closers) (*coordinator.Desk, error) {
	f, err := h.logIn(ctx, "desk", deskOutside, h.Interval(), open)
	if err != nil {
		return nil, err
	}
	blobs, err := folder.OpenBlobs(filepath.Join(h.Dir, "desk", "blobs"))
	if err != nil {
		return nil, err
	}
	open.add(blobs)
	return coordinator.OpenReader(ctx, coordinator.Config{
		Store: f.store, Log: f.opt, Key: h.config.LogKey, Blobs: blobs, Keys: f.keys, Crypt: seal.Crypt{},
		Clock: h.Machine.Clock, Rand: h.Machine.Rand, Apart: h.Machine.Apart(), Sealer: s, Through: through,
	})
}

// Looker is the open desk of a programme for looking, beside whoever writes. It can
// write for a moment: what it has read isn't read again for that. Use it from one
// goroutine.
type Looker struct {
	*coordinator.Desk
	home   *Home
	served *served
	open   closers
}

// Close lets go of the programme.
func (l *Looker) Close() error { return l.open.Close() }

// Look opens the desk for looking, also while another process writes.
func (h *Home) Look(ctx context.Context) (*Looker, error) {
	l := &Looker{home: h}
	return l, l.again(ctx)
}

// again opens it anew.
func (l *Looker) again(ctx context.Context) (err error) {
	l.open.Close()
	l.open = nil
	defer func() {
		if err != nil {
			l.open.Close()
			l.open = nil
		}
	}()
	l.served = l.home.way(&l.open)
	l.Desk, err = l.home.reader(ctx, nil, l.served, &l.open)
	return err
}

// Append lets f write: as the log's one writer, or through the process that serves
// the desk. With ledger.ErrLocked somebody else writes who serves nobody, and f was
// not called. When the log can't tell any more what is in it, it is opened anew.
func (l *Looker) Append(ctx context.Context, f func(*coordinator.Desk) error) error {
	var open closers
	w, err := l.home.logIn(ctx, "desk", deskOutside, l.home.Interval(), &open)
	if err == nil {
		err = l.Turn(ctx, w.store, w.publisher, w.outside, func() error { return f(l.Desk) })
	}
	err = errors.Join(err, open.Close())
	if errors.Is(err, ledger.ErrDead) {
		err = errors.Join(err, l.again(ctx))
	}
	if !errors.Is(err, ledger.ErrLocked) {
		return err
	}
	if there, e := l.served.there(ctx); !there || e != nil {
		return errors.Join(err, e)
	}
	if err := l.Refresh(ctx); err != nil {
		return err
	}
	return f(l.Desk)
}
