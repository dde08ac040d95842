package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"forewarn/internal/herd"
)

type benchHerd struct {
	Members    int           `help:"Who poll." default:"10000" placeholder:"N"`
	Lead       time.Duration `help:"From the draft of the wave to its opening: sealing goes on in it, and the first polls." default:"2m"`
	Every      time.Duration `help:"How often a member asks, at times of its own." default:"20s"`
	Kills      int           `help:"Kill the desk so often while the herd comes, without warning, and start it again." placeholder:"N"`
	Notices    bool          `help:"The desk tells members by mail, to a mail server of this command that outlives kills; each fetches once it was told. Opens at a whole minute."`
	MailDead   bool          `help:"With --notices: the first of two mail servers takes connections and says nothing."`
	Slot       time.Duration `help:"With --notices: mailings leave, and the wave opens, at whole multiples of this instead of a minute. The desk is not serve itself then, but the same with this one change." placeholder:"DURATION"`
	ClockSteps bool          `help:"Before the opening set the desk's clock 48 hours ahead and back, kill the desk and start it so; over the opening let its machine sleep. Beside its clock it asks a time server of this command."`
	Limit      time.Duration `help:"Give up so long after the opening." default:"5m"`
	Seed       uint64        `help:"Of when members ask." default:"1" placeholder:"S"`
	Keep       string        `help:"Leave the programme and the process log there, in a new folder; else nothing is left." placeholder:"DIR"`
}

func (*benchHerd) Help() string {
	return `Founds a programme in the temporary folder, seals a wave of the example package to all members, serves it as a process of its own, and lets the members come over TLS on this machine. Every copy is checked and opened; afterwards the log is read. Until it opens, fifty members ask for its files all the while, and all answers to one question must be the same. It fails if anything was early, a fetch that was acknowledged isn't on the log, a member has none, or with --notices if one was lost.

Example:
  forewarn bench herd --members 2000 --kills 5 --json
  forewarn bench herd --members 2000 --kills 20 --notices --limit 10m
  forewarn bench herd --members 2000 --clock-steps`
}

// benchDesk is the desk of a herd: what serve is, on clocks that the herd sets. That
// serve has no such flag is the point.
type benchDesk struct {
	serveCmd
	Clocks string        `help:"How far its clocks are off." type:"path"`
	Slot   time.Duration `help:"Of mailings."`
}

func (c *benchDesk) Run(a *app) error {
	c.clocks, c.slot = herd.Clocks(c.Clocks), c.Slot
	return c.serveCmd.Run(a)
}

func (c *benchHerd) Run(a *app) (err error) {
	if !c.Notices && (c.MailDead || c.Slot != 0) || c.Slot < 0 || c.Slot%time.Second != 0 {
		return usage("--mail-dead and --slot say how notices leave, and a slot has whole seconds: give --notices with them")
	}
	if c.ClockSteps && c.Kills > 0 {
		return usage("--clock-steps has kills of its own: give --kills in another run")
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	dir := c.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "forewarn-herd-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	h := herd.Herd{Binary: binary, Dir: dir, Members: c.Members, Lead: c.Lead, Every: c.Every, Kills: c.Kills, Notices: c.Notices, MailDead: c.MailDead, Slot: c.Slot, Steps: c.ClockSteps, Limit: c.Limit, Seed: c.Seed, Say: func(s string) { a.note("%s", s) }}
	r, err := h.Run(a)
	if errors.Is(err, herd.ErrHerd) {
		return usage("%v", err)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else {
		a.say("%s, %d cores; %s; %s, seed %d", r.CPU, r.Cores, r.Go, count(r.Members, "member", "members"), r.Seed)
		a.say("%d have their copy: half after %.1f s, 99 in a hundred after %.1f s, the last after %.1f s; %d MB.", r.Have, r.Median, r.P99, r.Last, r.Bytes/1e6)
		a.say("Processors: the desk %.1f s, the members %.1f s. %d requests, %d told to come back, %d broken connections, %d kills.", r.ServerCPU, r.ClientCPU, r.Requests, r.Turned, r.Broken, r.Killed)
		a.say("Others meanwhile: %d pages, 99 in a hundred within %.0f ms; %d failed.", r.Others, r.Others99, r.OthersFailed)
		a.say("Before the opening: %d answers, %d early, %s to one question, %d changed. On the log: %d; acknowledged and lost: %d.", r.Asked, r.Early, count(r.Shapes, "kind of answer", "kinds of answers"), r.Tags, r.Logged, r.Lost)
		if p := r.Post; p != nil {
			a.say("Notices: %d due, %d arrived, %d came again under their Message-ID, %d lost, %d strays, %d members without; 99 in a hundred handed off after %.1f s.", p.Due, p.Arrived, p.Doubled, p.Lost, p.Strays, p.Untold, p.Handed99)
		}
		if k := r.Clock; k != nil {
			a.say("Clocks: apart for %.1f s by /readyz; who is on duty was called %s; the first member was let in %.1f s after the opening, and the desk was ready again after %.1f s.", k.Apart, count(k.Roused, "time", "times"), k.Until, k.Ready)
		}
	}
	if r.Early+r.Lost > 0 || r.Have < r.Members || r.Logged < r.Members || r.Shapes > 1 || r.Tags > 0 {
		return fmt.Errorf("%w: of %d members %d have a copy; %d early, %d lost, %d kinds of answers before the opening, %d changed", errUnverified, r.Members, r.Have, r.Early, r.Lost, r.Shapes, r.Tags)
	}
	if p := r.Post; p != nil && p.Lost+p.Strays+p.Untold > 0 {
		return fmt.Errorf("%w: of %d notices %d never came, %d came that the log doesn't have, %d members have none", errUnverified, p.Due, p.Lost, p.Strays, p.Untold)
	}
	if r.Clock != nil && r.Clock.Roused == 0 {
		return fmt.Errorf("%w: the clocks were apart, and nobody was called", errUnverified)
	}
	return nil
}
