package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/lookout"
	"forewarn/internal/serve"
	"forewarn/internal/web"
)

type serveCmd struct {
	Listen      string        `help:"Where browsers, or the proxy, come in." default:"127.0.0.1:8443" placeholder:"ADDRESS"`
	TLSCert     string        `help:"The certificate, PEM; read again when it changes." name:"tls-cert" placeholder:"FILE" type:"path"`
	TLSKey      string        `help:"Its key, PEM." name:"tls-key" placeholder:"FILE" type:"path"`
	BehindProxy bool          `help:"A proxy ends TLS, sets X-Forwarded-For and keeps the Host."`
	Origin      string        `help:"What browsers call the desk, https://HOST; passkeys are bound to it for good." env:"FOREWARN_ORIGIN" placeholder:"URL"`
	Metrics     string        `help:"Serve Prometheus metrics there: an address of this machine alone." placeholder:"ADDRESS"`
	Time        string        `help:"Compare the clock with the Date of this server's answers: an https address of somebody else's." placeholder:"URL"`
	Idle        time.Duration `help:"Sign out who did nothing for so long." default:"1h"`
	Absolute    time.Duration `help:"Sign out after so long in any case." default:"12h"`
	Watch       []string      `help:"Follow a log of a declared source beside the pages, as 'scan --follow --all' does. Needs --as." placeholder:"SOURCE=PATH" sep:"none"`
	sought
	Witness []string `help:"Ask this witness to cosign each anchor's checkpoint: its URL and its key ('forewarn witness init')." placeholder:"URL=VKEY" sep:"none"`
	Notify  string   `help:"Call who is on duty with this command, as 'alarm call' does. Needs --as." placeholder:"COMMAND"`
	mailFlags

	clocks func() (time.Time, time.Duration) // of trials; nil: the machine's
	slot   time.Duration                     // of mailings
}

func (*serveCmd) Help() string {
	return `While it runs it has the log, and the other commands of this machine write through it. SIGTERM stops it in order. doc/serve.md says more.

Example:
  forewarn serve --watch 'edge sensor=/var/log/suricata/eve.json' --notify './call.sh' --as ana
  forewarn serve --smtp smtp://desk@mx.example:587 --mail-from notices@desk.example --smtp-password-file mail.secret --as ana
  forewarn serve --listen :443 --tls-cert desk.pem --tls-key desk.key --origin https://desk.example --metrics 127.0.0.1:9464`
}

func (c *serveCmd) Run(a *app) error {
	log := slog.New(slog.NewJSONHandler(a.err, nil))
	var rouse coordinator.Notifier
	beside, err := c.beside(a, log, &rouse)
	if err != nil {
		return err
	}
	started := false
	err = serve.Run(a, serve.Config{
		Dir: a.folder(), Listen: c.Listen, TLSCert: c.TLSCert, TLSKey: c.TLSKey, BehindProxy: c.BehindProxy, Origin: c.Origin,
		Metrics: c.Metrics, Time: c.Time, Witnesses: c.Witness, Idle: c.Idle, Absolute: c.Absolute, Log: log, Beside: beside, Rouse: rouse, Calls: c.Notify != "" || len(c.SMTP) > 0, Clocks: c.clocks,
		Started: func(_ net.Addr, origin string) {
			started = true
			a.say("Serving %s.", origin)
		},
	})
	if started && err == nil {
		a.say("Stopped in order.")
	}
	return err
}

// beside is what goes on beside the pages: following sources, calling who is on
// duty, and telling members and staff what waits for them. rouse is set to the way
// to who is on duty, if there is one.
func (c *serveCmd) beside(a *app, log *slog.Logger, rouse *coordinator.Notifier) (out []serve.Task, err error) {
	if len(c.Watch) == 0 && (len(c.Indicator)+len(c.Rule)+len(c.Public) > 0 || c.Package) {
		return nil, usage("--indicator, --rule, --package and --public say what --watch looks for: name a log with it")
	}
	post, err := c.post(a, originOf(c.Origin, c.Listen), func(format string, args ...any) { log.Warn("mail", "note", fmt.Sprintf(format, args...)) })
	if err != nil || len(c.Watch) == 0 && c.Notify == "" && post == nil {
		return nil, err
	}
	c.quiet = true
	paths := map[string][]string{} // by source
	for _, said := range c.Watch {
		source, path, ok := strings.Cut(said, "=")
		if !ok {
			return nil, usage("--watch is SOURCE=PATH, not %q", said)
		}
		if path, err = followed(path); err != nil {
			return nil, err
		}
		paths[source] = append(paths[source], path)
	}
	add := func(name string, w *lookout.Watch) {
		w.Note = func(format string, args ...any) { log.Warn(name, "note", fmt.Sprintf(format, args...)) }
		w.Tell = func(format string, args ...any) { log.Info(name, "note", fmt.Sprintf(format, args...)) }
		w.Said = func(path string, r coordinator.Recorded) {
			log.Info(name, "path", path, "sightings", r.Times, "effect", r.Effect.String())
		}
		out = append(out, serve.Task{Name: name, Run: func(ctx context.Context, d *coordinator.Desk) error {
			w.Look, w.Clock = d, d.Clock
			w.Append = func(_ context.Context, f func(*coordinator.Desk) error) error { return f(d) }
			return w.Run(ctx)
		}})
	}
	err = a.look(func(d *coordinator.Desk, by cvd.Actor) error {
		if way := waysOf(c.Notify, post, func(format string, args ...any) { log.Warn("calling", "note", fmt.Sprintf(format, args...)) }); way != nil {
			add("calling", &lookout.Watch{By: by, Notify: way})
			*rouse = way
		}
		if post != nil {
			if err := unaddressed(a, d, by, log); err != nil {
				return err
			}
			out = append(out, serve.Task{Name: "notices", Run: func(ctx context.Context, d *coordinator.Desk) error {
				last := ""
				return d.KeepDeliveringEvery(ctx, cmp.Or(c.slot, coordinator.Slot), by, post, func(s coordinator.Delivered, unread error) {
					if unread != nil && unread.Error() != last { // once, not each minute
						last = unread.Error()
						log.Error("notices", "error", last)
					}
					if s != (coordinator.Delivered{Waiting: s.Waiting}) {
						log.Info("notices", "queued", s.Queued, "sent", s.Sent, "failed", s.Failed, "bounced", s.Bounced, "waiting", s.Waiting)
					}
				})
			}})
		}
		for _, source := range slices.Sorted(maps.Keys(paths)) {
			w := &lookout.Watch{By: by, Paths: paths[source]}
			if w.Source, err = d.Source(a, by, source); err != nil {
				return err
			}
			x := c.sought
			if w.Scanner, err = x.scanner(a, nil); err != nil {
				return err
			}
			w.Of = x.casesOf(w.Scanner)
			if c.Package {
				x.renews(a, w)
			}
			if w.Scanner.Clock, err = d.ClockOf(w.Source); err != nil {
				return err
			}
			add("watching", w)
		}
		return nil
	})
	return out, err
}

// unaddressed warns of staff whom no mail reaches.
func unaddressed(a *app, d *coordinator.Desk, by cvd.Actor, log *slog.Logger) error {
	duty, others, err := d.Unaddressed(a, by)
	if errors.Is(err, cvd.ErrDenied) {
		return nil // who delivers says so
	}
	for _, x := range []struct {
		who     string
		handles []string
	}{{"on duty", duty}, {"other staff", others}} {
		if len(x.handles) > 0 {
			log.Warn("mail", "note", fmt.Sprintf("%s: no address, so no mail reaches %s; 'forewarn account mail ACCOUNT ADDRESS' gives one", x.who, strings.Join(x.handles, ", ")))
		}
	}
	return err
}

type accountInvite struct {
	Account string        `arg:"" help:"Handle or id."`
	Origin  string        `help:"What browsers call the desk." env:"FOREWARN_ORIGIN" default:"http://localhost:8443" placeholder:"URL"`
	Lapses  time.Duration `help:"How long the link works." default:"72h" placeholder:"DURATION"`
}

func (*accountInvite) Help() string {
	return `The link works once; a newer one voids it. Send it by a way that only its person reads. For an account that had a passkey before, a second
coordinator confirms it, and it is shown no content for a day.

Example:
  forewarn account invite ben --origin https://desk.example --as ana`
}

func (c *accountInvite) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		inv, err := d.InviteAccount(a, by, id, c.Lapses)
		if err != nil {
			return err
		}
		if c.Origin == "http://localhost:8443" {
			a.note("Neither --origin nor FOREWARN_ORIGIN says what browsers call the desk: the link is to this machine, as 'forewarn serve' without settings is reached. Put what they call it before /join: what stands behind # is the same.")
		}
		link := web.Link(c.Origin, inv.Secret)
		if inv.Recovery {
			a.say("%s had a passkey before: this recovers access. Another coordinator has to say 'forewarn account confirm %s' first.", c.Account, c.Account)
		}
		a.say("Works once, until %s:", when(inv.Until))
		return a.done(fields{"account": id, "link": link, "until": inv.Until, "recovery": inv.Recovery}, "%s", link)
	})
}

type accountConfirm struct {
	Account string `arg:"" help:"Handle or id."`
}

func (*accountConfirm) Help() string {
	return `Ask its person, by a way that you know is theirs, before you say it.

Example:
  forewarn account confirm ben --as cem`
}

func (c *accountConfirm) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		if err := d.ConfirmInvitation(a, by, id); err != nil {
			return err
		}
		return a.done(fields{"account": id, "confirmed": true}, "Confirmed. The link that was sent works now; for a day after it is used, %s can fetch nothing, unless another coordinator than who invited lifts that wait ('forewarn account lift').", c.Account)
	})
}

type accountLift struct {
	Account string `arg:"" help:"Handle or id."`
	Reason  string `help:"How you know that it is its person." required:"" placeholder:"TEXT"`
}

func (*accountLift) Help() string {
	return `For a day after an account was recovered it can fetch no copy and enrol no keys. Another coordinator than who invited lifts that wait, once the new
passkey is there: speak to its person first, by another way than the link went. All who were told of the recovery are told of this, and findings print it.

Example:
  forewarn account lift ben --reason 'called her on the number we had' --as cem`
}

func (c *accountLift) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		if err := d.LiftWait(a, by, id, [32]byte{}, c.Reason); err != nil {
			return err
		}
		return a.done(fields{"account": id, "wait_lifted": true}, "Lifted. %s can fetch and enrol keys now; its member's accounts are told.", c.Account)
	})
}
