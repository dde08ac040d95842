package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"forewarn/internal/herd"
)

type benchHerd struct {
	Members int           `help:"Who poll." default:"10000" placeholder:"N"`
	Lead    time.Duration `help:"From the draft of the wave to its opening: sealing goes on in it, and the first polls." default:"2m"`
	Every   time.Duration `help:"How often a member asks, at times of its own." default:"20s"`
	Kills   int           `help:"Kill the desk so often while the herd comes, without warning, and start it again." placeholder:"N"`
	Steps   int           `help:"Set the desk's clock so often by 48 hours, forth and back, before the opening and across it; with kills and suspensions in between." placeholder:"N"`
	Limit   time.Duration `help:"Give up so long after the opening." default:"5m"`
	Seed    uint64        `help:"Of when members ask." default:"1" placeholder:"S"`
	Keep    string        `help:"Leave the programme and the process log there, in a new folder; else nothing is left." placeholder:"DIR"`
}

func (*benchHerd) Help() string {
	return `Founds a programme in the temporary folder, seals a wave of the example package to all members, serves it as a process of its own, lets the members come over TLS on this machine, and takes its notices on a mail server of its own. Every copy is checked and opened; afterwards the log is read. It fails if a copy was early, or a fetch that was acknowledged isn't on the log, or a notice was lost, or a member has no copy.

Example:
  forewarn bench herd --members 2000 --kills 5 --json`
}

func (c *benchHerd) Run(a *app) (err error) {
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
	h := herd.Herd{Binary: binary, Dir: dir, Members: c.Members, Lead: c.Lead, Every: c.Every, Kills: c.Kills, Steps: c.Steps, Limit: c.Limit, Seed: c.Seed, Say: func(s string) { a.note("%s", s) }}
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
		a.say("Notices: %d, of which %d arrived, 99 in a hundred %.0f s after the opening; %d came twice, told by their id; lost: %d, unknown: %d.", r.Mail.Queued, r.Mail.Arrived, r.Mail.P99, r.Mail.Doubled, r.Mail.Lost, r.Mail.Unknown)
		if r.Stepped > 0 {
			a.say("The clock was set %d times, and wrong for %.1f s from the opening on; who is on duty was called %d times.", r.Stepped, r.Wrong, r.Mail.Calls)
		}
		a.say("Early: %d; kinds of answers before the opening: %d. On the log: %d; acknowledged and lost: %d.", r.Early, r.Shapes, r.Logged, r.Lost)
	}
	if r.Early+r.Lost+r.Mail.Lost+r.Mail.Unknown > 0 || r.Have < r.Members || r.Logged < r.Members || r.Shapes > 1 {
		return fmt.Errorf("%w: of %d members %d have a copy; %d early, %d lost, %d kinds of answers before the opening; of the notices %d lost, %d unknown", errUnverified, r.Members, r.Have, r.Early, r.Lost, r.Shapes, r.Mail.Lost, r.Mail.Unknown)
	}
	return nil
}

// benchDesk is the desk under a herd: the same as serve, but for the clock.
type benchDesk struct {
	Clock string `help:"The file that sets it: seconds to add." required:""`
	serveCmd
}

func (c *benchDesk) Run(a *app) error {
	c.clocks = herd.Clocks(c.Clock)
	return c.serveCmd.Run(a)
}
