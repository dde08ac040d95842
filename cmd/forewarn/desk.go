package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/lookout"
)

// folder is the programme's.
func (a *app) folder() string {
	if a.Dir == "" {
		return kong.ExpandPath("forewarn")
	}
	return kong.ExpandPath(a.Dir)
}

// patience is how long a command waits for another one that writes the log.
const patience = 90 * time.Second // an investigation may wait a minute for an anchor

// desk opens the programme's desk, through the process that serves it or after
// whoever else has it now.
func (a *app) desk(h *home.Home) (d *home.Desk, err error) {
	err = a.patiently(func() error { d, err = h.Join(a); return err })
	return d, err
}

// patiently tries again while another process writes the log, and serves nobody.
func (a *app) patiently(f func() error) error {
	begun := time.Now()
	for said := false; ; {
		err := f()
		if !errors.Is(err, ledger.ErrLocked) || time.Since(begun) > patience {
			return err
		}
		if !said && time.Since(begun) > time.Second {
			a.note("Waiting: %v.", err)
			said = true
		}
		if err := sleepUntil(a, time.Now().Add(20*time.Millisecond)); err != nil {
			return err
		}
	}
}

// withDesk opens the programme as the acting account.
func (a *app) withDesk(f func(*coordinator.Desk, cvd.Actor) error) error {
	if a.As == "" {
		return usage("say who you are: --as ACCOUNT, or FOREWARN_AS in the environment")
	}
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	d, err := a.desk(h)
	if err != nil {
		return err
	}
	by := cvd.Actor{Auth: entrylog.AuthNone}
	if by.Account, err = d.Login(a, a.As); err == nil {
		err = f(d.Desk, by)
	}
	return errors.Join(err, d.Close())
}

// withCase is withDesk for a case that somebody named.
func (a *app) withCase(name string, f func(*coordinator.Desk, cvd.Actor, cvd.CaseID) error) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Case(a, by, name)
		if err != nil {
			return err
		}
		return f(d, by, id)
	})
}

// viewDesk is withDesk for looking.
func (a *app) viewDesk(f func(*coordinator.Desk, cvd.Actor, *cvd.Programme, coordinator.Names, time.Time) error) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		return d.View(func(p *cvd.Programme) error { return f(d, by, p, d.Names(a, p), d.Clock()) })
	})
}

// read reads a file that was named on the command line.
func (a *app) read(name string, limit int64) ([]byte, error) {
	b, err := folder.ReadFile(name, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInput, err)
	}
	return b, nil
}

// sleepUntil waits, or ends early with why.
func sleepUntil(a *app, t time.Time) error {
	select {
	case <-a.Done():
		return a.Err()
	case <-time.After(time.Until(t)):
		return nil
	}
}

// looking opens the programme for looking at, also while another process writes.
func (a *app) looking(f func(lookout.Desk, cvd.Actor) error) error {
	if a.As == "" {
		return usage("say who you are: --as ACCOUNT, or FOREWARN_AS in the environment")
	}
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	d, err := h.Look(a)
	if err != nil {
		return err
	}
	by := cvd.Actor{Auth: entrylog.AuthNone}
	if by.Account, err = d.Login(a, a.As); err == nil {
		err = f(d, by)
	}
	return errors.Join(err, d.Close())
}

// look is looking once.
func (a *app) look(f func(*coordinator.Desk, cvd.Actor) error) error {
	return a.looking(func(d lookout.Desk, by cvd.Actor) error { return f(d.(*home.Looker).Desk, by) })
}

// lookCase is look at a case that somebody named.
func (a *app) lookCase(name string, f func(*coordinator.Desk, cvd.Actor, cvd.CaseID) error) error {
	return a.look(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Case(a, by, name)
		if err != nil {
			return err
		}
		return f(d, by, id)
	})
}

// watch keeps watch until it is stopped. It is the programme's writer only while it
// appends.
func (a *app) watch(w *lookout.Watch) error {
	w.Clock, w.Note, w.Tell = time.Now, a.note, a.note
	return a.looking(func(d lookout.Desk, by cvd.Actor) error {
		l := d.(*home.Looker)
		w.Look, w.By = l, by
		w.Append = func(ctx context.Context, f func(*coordinator.Desk) error) error {
			return a.patiently(func() error { return l.Append(ctx, f) })
		}
		return w.Run(a)
	})
}
