package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"
)

type logCmd struct {
	Show    logShow    `cmd:"" help:"Show entries."`
	Prove   logProve   `cmd:"" help:"Write the proof that a wave's entry is in the log, or any entry for an auditor."`
	Anchor  logAnchor  `cmd:"" help:"Make the anchors that are due, once or on every tick."`
	Recover logRecover `cmd:"" help:"Continue after a loss, under a declared new epoch."`
}

type logShow struct {
	From entrylog.Seq `help:"The first entry." placeholder:"N"`
	Kind string       `help:"Only this kind." placeholder:"NAME"`
	Last int          `help:"Only the last so many." placeholder:"N"`
}

func (*logShow) Help() string {
	return "Example:\n  forewarn log show --last 20 --as ana"
}

func (c *logShow) Run(a *app) error {
	if kinds := coordinator.KindNames(); c.Kind != "" && !slices.Contains(kinds, c.Kind) {
		return usage("no entry is of kind %q; the kinds are %s", c.Kind, strings.Join(kinds, ", "))
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		from := c.From
		if size := d.Log().Size(); c.Last > 0 && uint64(c.Last) < uint64(size) {
			from = max(from, size-entrylog.Seq(c.Last))
		}
		values := []coordinator.Row{}
		var rows [][]string
		err := d.EachRow(a, by, from, func(r coordinator.Row) bool {
			if c.Kind == "" || c.Kind == r.Kind {
				values = append(values, r)
				rows = append(rows, []string{fmt.Sprint(r.Seq), r.Time.Format("2006-01-02 15:04:05Z"), r.Kind, r.Actor, r.Subject[:8], r.Auth})
			}
			return true
		})
		if err != nil {
			return err
		}
		return list(a, "No such entry.", []string{"ENTRY", "TIME", "KIND", "ACTOR", "SUBJECT", "AUTH"}, rows, values)
	})
}

type logProve struct {
	Seq entrylog.Seq `arg:"" help:"The entry's number."`
	Out string       `help:"File for the proof." short:"o" required:"" placeholder:"FILE"`
}

func (*logProve) Help() string {
	return `A wave's entry is proved without showing where in the log it stands. Any other is proved to auditors, and then its number and the log's size show.

Example:
  forewarn log prove 41 -o wave.entry --as ada`
}

func (c *logProve) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		if err := d.View(func(p *cvd.Programme) error {
			return p.May(by, cvd.ActViewLog, cvd.TheProgramme(), d.Clock())
		}); err != nil {
			return err
		}
		var proof wire.Layout
		public, err := d.Log().Prove(a, c.Seq)
		proof = &public
		what := "for anybody"
		if errors.Is(err, ledger.ErrNotPublic) {
			inner, ierr := d.Log().ProveInner(a, c.Seq, 0)
			proof, err, what = &inner, ierr, "for an auditor: it shows the entry's number and the log's size"
		}
		if err != nil {
			return err
		}
		if err := create(c.Out, wire.Marshal(proof), 0o600); err != nil {
			return err
		}
		return a.done(fields{"seq": c.Seq, "proof": c.Out, "for": what}, "Wrote the proof of entry %d to %s, %s.", c.Seq, c.Out, what)
	})
}

type logAnchor struct {
	Every bool `help:"Go on, once a tick, until stopped."`
}

func (*logAnchor) Help() string {
	return `Run it on a timer, or with --every, so that what outsiders see of the folder depends on time alone.

Example:
  forewarn log anchor --every`
}

func (c *logAnchor) Run(a *app) error {
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	if !c.Every {
		n, err := a.anchor(h)
		if err != nil {
			return err
		}
		return a.done(fields{"anchors": n}, "%s.", count(int(n), "anchor", "anchors"))
	}
	for {
		// Another command that has the log now makes the anchors that are due.
		if _, err := a.anchor(h); err != nil && !errors.Is(err, ledger.ErrLocked) && a.Err() == nil {
			return err
		}
		if sleepUntil(a, time.Now().Truncate(h.Interval()).Add(h.Interval()+20*time.Millisecond)) != nil {
			return nil // stopped by a signal: that is how it ends
		}
	}
}

// anchor makes what is due, and says how many anchors there are.
func (a *app) anchor(h *home.Home) (uint64, error) {
	d, err := a.desk(h)
	if err != nil {
		return 0, err
	}
	err = d.Log().Tick(a)
	_, cp := d.Log().Checkpoint()
	return uint64(cp.Size), errors.Join(err, d.Close())
}

type logRecover struct {
	Reason string `help:"Why; it is kept in the log, encrypted." required:""`
	Yes    bool   `help:"The newer folder is lost for good, and members will be told of the new epoch."`
}

func (*logRecover) Help() string {
	return `For a folder that is older than the last anchor kept outside, when the newer one is lost for good. Checkpoints from now on are signed under a new origin; whoever holds an older one can tell.

Example:
  forewarn log recover --reason "disk failed; restored the backup of 3 July" --yes --as ana`
}

func (c *logRecover) Run(a *app) error {
	if !c.Yes {
		return usage("a recovery gives up what was signed after this folder's last state, for everybody to see: say --yes")
	}
	if a.As == "" {
		return usage("say who you are: --as ACCOUNT, or FOREWARN_AS in the environment")
	}
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	r, err := h.Recover(a)
	if err != nil {
		return err
	}
	if err := a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		return d.DeclareRecovery(a, by, r, c.Reason)
	}); err != nil {
		return fmt.Errorf("%w: recovery %d is declared on the log, and why isn't: %w", errKept, r.Number, err)
	}
	return a.done(fields{"recovery": r.Number}, "Recovery %d is declared. Tell the members, and publish why.", r.Number)
}
