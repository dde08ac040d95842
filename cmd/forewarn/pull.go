package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
)

type pullCmd struct {
	Wave string `arg:"" optional:"" help:"Only this wave, even if it was fetched before; else every open one that isn't in the folder yet."`
	Out  string `help:"Folder for the sealed files." short:"o" default:"." placeholder:"DIR"`
	Wait bool   `help:"Wait for what opens, or is anchored, within ten minutes."`
	remote
	Log  vkey          `help:"With --server: the programme's log key (vkey), to check proofs before copies come." name:"log-key" placeholder:"VKEY"`
	Tick time.Duration `help:"With --log-key: time between the log's anchors." default:"60s"`
	following

	not []pulled // those that can't be fetched now, and why
}

func (*pullCmd) Help() string {
	return `Each copy arrives as WAVE.age, an age file, with WAVE.proof beside it. That you fetched it is recorded before a byte is written.

Example:
  forewarn pull --as mia -o inbox --wait
  forewarn pull --server https://desk.example --token-file mia.token -o inbox`
}

// pulled is one wave's result.
type pulled struct {
	Wave   cvd.WaveID `json:"wave"`
	Sealed string     `json:"sealed,omitempty"`
	Bulk   string     `json:"bulk,omitempty"`
	Proof  string     `json:"proof,omitempty"`
	Here   bool       `json:"already_here,omitempty"`
	Proved bool       `json:"proof_checked,omitempty"` // by this command
	WhyNot string     `json:"why_not,omitempty"`
	Error  string     `json:"error,omitempty"`

	opens time.Time
	tick  time.Duration // between the log's anchors, as the proof has it
}

const longestWait = 10 * time.Minute

func (c *pullCmd) Run(a *app) error {
	round := c.round
	switch {
	case c.Server != "":
		desk, err := c.desk(a)
		if err != nil {
			return err
		}
		round = func(a *app, done *[]pulled) (time.Time, error) { return c.roundFrom(a, desk, done) }
	case a.As == "":
		return usage("say who you are: --as ACCOUNT, or FOREWARN_AS in the environment")
	}
	until := time.Now().Add(longestWait)
	var done []pulled
	for {
		due, err := round(a, &done)
		if err != nil && (due.IsZero() || !c.Wait || due.After(until)) {
			return c.report(a, done, err)
		}
		if due.IsZero() {
			return c.report(a, done, nil)
		}
		// The desk is closed meanwhile: others have work to do.
		a.note("Waiting until %s.", when(due))
		if err := sleepUntil(a, due.Add(50*time.Millisecond)); err != nil {
			return c.report(a, done, err)
		}
	}
}

// round fetches what can be fetched now. With an error that time will mend it
// says when.
func (c *pullCmd) round(a *app, done *[]pulled) (due time.Time, err error) {
	h, err := home.Open(a.folder())
	if err != nil {
		return due, err
	}
	err = a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		// Before anything is recorded: a log that forks gets no fetch.
		if signed, cp := d.Log().Checkpoint(); cp.Size > 0 {
			if err := c.follow(a, d.Config.Log.Verifier, signed); err != nil {
				return fmt.Errorf("%w; nothing was fetched", err)
			}
		}
		waves, holder, err := c.waves(a, d, by)
		if err != nil {
			return err
		}
		var all error
		for _, w := range waves {
			if has(*done, w.Wave) {
				continue
			}
			p := pulled{Wave: w.Wave}
			p.Here = c.Wave == "" && p.isHere(filepath.Join(c.Out, w.Wave.Short()))
			if !p.Here {
				if err := p.fetch(a, d, by, holder, c.Out); err != nil {
					at := later(h, w, err)
					if at.IsZero() || !c.Wait {
						p.Error = err.Error()
						*done = append(*done, p)
					}
					if due.IsZero() || !at.IsZero() && at.Before(due) {
						due = at
					}
					all = errors.Join(all, err)
					continue
				}
			}
			*done = append(*done, p)
		}
		return all
	})
	return due, err
}

func has(done []pulled, id cvd.WaveID) bool {
	for _, p := range done {
		if p.Wave == id {
			return true
		}
	}
	return false
}

// waves are those to fetch: the one that was named, or all that are or will be
// open, unless nobody waits for the latter.
func (c *pullCmd) waves(a *app, d *coordinator.Desk, by cvd.Actor) (out []coordinator.Waiting, holder cvd.HolderID, err error) {
	holder, inbox, err := d.Inbox(by)
	if err != nil {
		return nil, holder, err
	}
	if c.Wave != "" {
		id, err := d.Wave(a, by, c.Wave)
		if err != nil {
			return nil, holder, err
		}
		for _, w := range inbox {
			if w.Wave == id {
				return []coordinator.Waiting{w}, holder, nil
			}
		}
		return nil, holder, fmt.Errorf("%w: wave %s has no copy for you", coordinator.ErrUnknown, id.Short())
	}
	c.not = nil
	for _, w := range inbox {
		soon := w.State == cvd.StateSealed && time.Until(w.OpensAt) < longestWait
		switch {
		case w.Why == "", soon && c.Wait:
			out = append(out, w)
		case !w.Fetched:
			c.not = append(c.not, pulled{Wave: w.Wave, WhyNot: w.Why, opens: w.OpensAt})
		}
	}
	return out, holder, nil
}

func (p *pulled) names(base string) { p.Sealed, p.Proof = base+".age", base+".proof" }

// isHere reports whether an earlier pull left the files. The proof is the last to
// be written.
func (p *pulled) isHere(base string) bool {
	for _, name := range []string{base + ".age", base + ".proof"} {
		if i, err := os.Stat(name); err != nil || !i.Mode().IsRegular() {
			return false
		}
	}
	p.names(base)
	return true
}

// fetch records the fetch, and writes what came.
func (p *pulled) fetch(a *app, d *coordinator.Desk, by cvd.Actor, holder cvd.HolderID, out string) error {
	if err := os.MkdirAll(out, 0o700); err != nil {
		return fmt.Errorf("%w: %w; nothing was fetched", errOutput, err)
	}
	del, err := d.Fetch(a, by, p.Wave, holder)
	if err != nil {
		return fmt.Errorf("wave %s: %w", p.Wave.Short(), err)
	}
	base := filepath.Join(out, p.Wave.Short())
	for _, f := range []struct {
		name string
		data []byte
	}{{base + ".age", del.Sealed}, {base + ".bulk.age", del.Bulk}, {base + ".proof", del.Proof.Marshal()}} {
		if len(f.data) == 0 {
			continue
		}
		if err := replace(f.name, f.data); err != nil {
			return fmt.Errorf("wave %s: %w: %w; the fetch is recorded, and pulling again is free", p.Wave.Short(), errKept, err)
		}
	}
	if len(del.Bulk) > 0 {
		p.Bulk = base + ".bulk.age"
	}
	p.names(base)
	return nil
}

// later says when a fetch that was refused for its time can be tried again; zero
// when time won't help.
func later(h *home.Home, w coordinator.Waiting, err error) time.Time {
	var due *ledger.NotAnchoredError
	switch {
	case errors.As(err, &due):
		return due.DueAt
	case w.State == cvd.StateSealed && time.Now().Before(w.OpensAt):
		return w.OpensAt
	}
	return time.Time{}
}

// report says what came. What failed is the error, and alone if nothing came.
func (c *pullCmd) report(a *app, done []pulled, failed error) error {
	came := 0
	for _, p := range done {
		if p.Error == "" {
			came++
		}
	}
	if came == 0 && failed != nil {
		return failed
	}
	if a.JSON {
		return errors.Join(a.printJSON(append(append([]pulled{}, done...), c.not...)), failed)
	}
	if len(done)+len(c.not) == 0 {
		a.say("Nothing is waiting for you.")
	}
	for _, p := range c.not {
		when := ""
		if now := time.Now(); p.opens.After(now) {
			when = " (" + in(p.opens, now) + ")"
		}
		a.say("Not now: wave %s: %s%s.", p.Wave.Short(), p.WhyNot, when)
	}
	for _, p := range done {
		switch {
		case p.Here:
			a.say("Already here: %s. Name the wave to fetch it again.", p.Sealed)
		case p.Error == "":
			a.say("Fetched %s", p.Sealed)
			if c.Server != "" && !p.Proved {
				a.say("  proof not checked: no --log-key was given; 'forewarn open' checks it")
			}
			a.say("  open it: forewarn%s open %s --key YOUR.key --lodge%s", a.elsewhere(), shown(p.Sealed), c.opening(a, p))
		}
	}
	return failed
}

// opening is what 'open' has to be told beside the copy and the key.
func (c *pullCmd) opening(a *app, p pulled) string {
	if c.Server == "" {
		return " --as " + shown(a.As)
	}
	key := "VKEY"
	if c.Log != "" {
		key = shown(string(c.Log))
	}
	out := " --log-key " + key
	if p.tick > 0 && p.tick != usualTick {
		out += " --tick " + p.tick.String()
	}
	out += " --server " + shown(c.Server)
	if c.TokenFile != "" {
		out += " --token-file " + shown(c.TokenFile)
	}
	return out
}

// elsewhere names the programme's folder for a command line that people copy, where
// it was named on this one.
func (a *app) elsewhere() string {
	if a.Dir == "" || a.Dir == os.Getenv("FOREWARN_DIR") {
		return ""
	}
	return " --dir " + shown(a.Dir)
}

// shown is a path for a command line that people copy.
func shown(path string) string {
	if strings.ContainsAny(path, " '\"\\$`!*?[](){}<>|&;~#") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
