package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
)

// tick makes the anchors when they are due, for as long as the desk runs: an
// anchor that is late says when it did not. It sees within a second when the log has
// stopped.
func (s *server) tick(ctx context.Context, d *home.Desk) {
	var last string
	for {
		wait := min(max(d.Log().NextTick().Sub(s.clock.Now()), 10*time.Millisecond), time.Second)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := d.Log().View(func() {})
		if err == nil && s.clock.Now().Before(d.Log().NextTick()) {
			continue
		}
		if err == nil {
			err = d.Log().Tick(context.WithoutCancel(ctx)) // one that was begun is finished
		}
		if errors.Is(err, ledger.ErrDead) || errors.Is(err, ledger.ErrClosed) {
			s.said(&last, err, "anchoring has ended")
			select {
			case s.dead <- err:
			default:
			}
			return
		}
		if err != nil {
			s.metrics.tickFailures.Inc()
		}
		s.said(&last, err, "anchoring")
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // what was not done stays to be done
			}
		}
	}
}

// alarms says at the start whether an alarm is raised, and whether anybody is
// called: not of what.
func (s *server) alarms(d *home.Desk) error {
	raised := 0
	err := d.View(func(p *cvd.Programme) error {
		for _, id := range p.CaseOrder {
			if p.AlarmState(id, s.clock.Now()) == cvd.AlarmRaised {
				raised++
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case raised > 0 && s.Calls:
		s.Log.Warn("an alarm is raised; who is on duty is called, until somebody acknowledges it on the pages", "alarms", raised)
	case raised > 0:
		s.Log.Warn("an alarm is raised, and nobody is called from here: start it with --notify COMMAND or --smtp SERVER, or acknowledge it on the pages", "alarms", raised)
	case !s.Calls:
		s.Log.Info("no alarm is raised; nobody would be called from here, for there is no --notify and no --smtp")
	default:
		s.Log.Info("no alarm is raised; who is on duty is called when one is")
	}
	return nil
}

// entrances says at the start when nobody can sign in yet, and how the first one does.
func (s *server) entrances(d *home.Desk) error {
	return d.View(func(p *cvd.Programme) error {
		invited := 0
		for _, id := range p.AccountOrder {
			if p.Accounts[id].Invitation(s.clock.Now()) != nil {
				invited++
			}
			for _, x := range p.Accounts[id].Credentials {
				if p.CanSignIn(id, x.Hash()) {
					return nil
				}
			}
		}
		if invited > 0 {
			s.Log.Info("nobody can sign in yet: links for a first passkey are out, and work until they lapse; 'forewarn account invite ACCOUNT' makes one anew, which voids the account's former one", "links", invited, "origin", s.Origin)
			return nil
		}
		s.Log.Info("nobody can sign in yet: 'forewarn account invite ACCOUNT' makes a link for the first passkey", "origin", s.Origin)
		return nil
	})
}

// leave is how long after an approval whoever gave it has to wait for the sealing
// themselves: they are shown how far it is.
const leave = time.Second

// finish seals what was approved and isn't sealed: what a crash left, and what
// nobody waits for.
func (s *server) finish(ctx context.Context, d *home.Desk) {
	s.everyOr(ctx, 30*time.Second, d.Approved(), leave, func() error {
		idle := true
		if err := d.View(func(p *cvd.Programme) error {
			idle = len(p.Unsealed())+len(p.Stale()) == 0
			return nil
		}); err != nil || idle {
			return err
		}
		n, err := d.Resume(ctx, nil)
		if n > 0 {
			s.Log.Info("sealed what was left", "waves", n)
		}
		return err
	}, "sealing")
}

// watch says it once when the clock can't be right, and once when it can again.
// Meanwhile people on duty are roused, the first at once.
func (s *server) watch(ctx context.Context, d *home.Desk) {
	var apart time.Duration
	begun, roused := time.Now(), 0
	s.every(ctx, time.Second, func() error {
		var err error
		off := s.clock.Apart()
		if s.clock.Jumped() {
			err = fmt.Errorf("the clocks are more than %s apart: the desk goes by the earliest and is not ready, until they agree or the desk is started again", jump)
		} else if off = -s.behind(d); off < -jump {
			err = fmt.Errorf("the clock is behind the log's last entry or anchor: set it right if it is wrong; no time goes by for the desk, and it is not ready, until it is there")
		} else {
			begun, roused, apart = time.Now(), 0, 0
			return nil
		}
		if apart == 0 {
			apart = off
		}
		if s.Rouse == nil || time.Since(begun) < time.Duration(roused)*rouseEvery {
			return err
		}
		roused++
		if told, e := d.Rouse(ctx, roused-1, s.Rouse); e != nil {
			s.Log.Error("rousing who is on duty", "error", e.Error())
		} else if told {
			s.Log.Warn("roused who is on duty: the clock can't be right", "off", apart)
		}
		return err
	}, "watching the clock")
}

// written is when the log was last written to: by an entry, or an anchor.
func written(d *home.Desk) (last time.Time) {
	_ = d.View(func(p *cvd.Programme) error { last = p.Last; return nil }) // of one that has stopped, never
	if at := d.Log().Anchored(); at.After(last) {
		last = at
	}
	return last
}

// behind is how far the clock is behind the log, which goes on from its last entry
// whatever the clock says: nothing opens, and nobody is called, until it is there.
func (s *server) behind(d *home.Desk) time.Duration { return written(d).Sub(s.clock.Now()) }

// longOff is how long a desk that isn't served is likely not to be.
const longOff = 24 * time.Hour

// doubts says at the start what rests on this machine's clock alone. One that is far ahead
// looks like a desk that was off for so long, so it holds nothing.
func (s *server) doubts(d *home.Desk) error {
	if s.Time != "" {
		return nil
	}
	last, embargoes := d.Log().Found(), 0
	if err := d.View(func(p *cvd.Programme) error {
		embargoes = p.Embargoes(last)
		return nil
	}); err != nil || embargoes == 0 {
		return err
	}
	if off := s.clock.Now().Sub(last); off > longOff {
		s.Log.Warn("this machine's clock, which alone tells the time, is far after the log's last anchor: if the desk was not off for so long, stop it and set the clock, for what opens and is anchored is not taken back; --time names another clock", "off", off.Round(time.Second).String(), "clock", s.clock.Now(), "embargoes", embargoes)
		return nil
	}
	s.Log.Warn("embargoes are open, and this machine's clock alone tells the time; --time names another", "embargoes", embargoes)
	return nil
}

// rouseEvery is how long one person has before the next is roused.
const rouseEvery = 5 * time.Minute

// hear asks the time source. One that can't be reached holds nothing up: what it
// said last goes on counting, with the time that went by since.
func (s *server) hear(ctx context.Context, source *timeSource) error {
	t, elapsed, err := source.ask(ctx, s.clock)
	if err != nil {
		return err
	}
	s.clock.Hear(t, elapsed)
	return nil
}

// hearFirst asks the time source before anything is decided or anchored by the clock:
// a wave that opened, or an anchor that was made, is not taken back. An answer that took
// too long, on a machine with much to do, says what time it was at least: nothing is
// early by that, and what is late by some seconds is made up when an exact one comes.
// Without any answer there are the machine's own clocks alone, and the process log says
// so.
func (s *server) hearFirst(ctx context.Context, source *timeSource) {
	var err error
	slow := false
	for range 3 { // the first answer may take too long to tell the time by: names, TLS
		t, elapsed, e := source.ask(ctx, s.clock)
		if err = e; err == nil || errors.Is(err, errSlow) {
			if !slow || err == nil || t.After(s.clock.steady(elapsed)) { // the latest of those that it was later than
				s.clock.believeLeast(t, elapsed)
			}
			slow = true
		}
		if err == nil {
			s.clock.Hear(t, elapsed)
			return
		}
	}
	if slow {
		s.Log.Warn("the time source answers slowly: the start counts from the time that it was at least", "error", err.Error(), "clock", s.clock.Now())
		return
	}
	s.Log.Warn("the time source could not be asked before the start; until it answers, this machine's clock is believed", "error", err.Error(), "clock", s.clock.Now())
}

// every does something now and then, and says so when it begins to fail, fails
// otherwise, or works again.
func (s *server) every(ctx context.Context, each time.Duration, do func() error, what string) {
	s.everyOr(ctx, each, nil, 0, do, what)
}

// everyOr is every, and a while after something asks for it.
func (s *server) everyOr(ctx context.Context, each time.Duration, asked <-chan struct{}, after time.Duration, do func() error, what string) {
	var last string
	t := time.NewTicker(each)
	defer t.Stop()
	for {
		if err := do(); ctx.Err() == nil {
			s.said(&last, err, what)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-asked:
			select {
			case <-ctx.Done():
				return
			case <-time.After(after):
			}
		}
	}
}

// said logs an error unless it is the last one again.
func (s *server) said(last *string, err error, what string) {
	switch {
	case err != nil && err.Error() != *last:
		*last = err.Error()
		s.Log.Error(what, "error", *last)
	case err == nil && *last != "":
		*last = ""
		s.Log.Info(what + ": well again")
	}
}
