package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"forewarn/internal/home"
	"forewarn/internal/keep"
)

type doctorCmd struct {
	Verbose bool   `help:"Name each problem, also where there are many." short:"v"`
	Backup  string `arg:"" optional:"" help:"A backup to examine instead of the programme's folder." type:"path" placeholder:"BACKUP"`
	TLSCert string `help:"The desk's certificate, PEM: is it about to end?" name:"tls-cert" placeholder:"FILE" type:"path"`
	keysGiven
}

func (*doctorCmd) Help() string {
	return `Proves that the programme, or a backup with the keys that are kept apart, reopens every case: the log verifies and replays, every text decrypts but for what was shredded, the sealer still has what each wave was
made of. Looks at modes, disk, clock, the outside checkpoint and the certificate. It tells everything it finds, changes nothing, and may run while the desk is served. Exit code 1: something is broken.

Example:
  forewarn doctor --tls-cert desk.pem
  forewarn doctor /mnt/backup/desk --keys desk-keys.age --keys sealer-keys.age --identity paper.key`
}

func (c *doctorCmd) Run(a *app) (err error) {
	var p *keep.Parts
	if c.Backup == "" {
		if len(c.Keys) > 0 {
			return usage("--keys go with a BACKUP; the programme's folder has its own")
		}
		h, err := home.Open(a.folder())
		if err != nil {
			return err
		}
		if p, err = keep.OpenFolder(a, h); err != nil {
			return err
		}
	} else {
		m, err := keep.LoadManifest(c.Backup)
		if err != nil {
			return err
		}
		h, err := m.Home()
		if err != nil {
			return err
		}
		k, err := c.open(a, h)
		if err != nil {
			return err
		}
		if p, err = keep.OpenBackup(a, c.Backup, m, k); err != nil {
			return err
		}
	}
	checks, err := keep.Examine(a, p, keep.Exam{Now: time.Now(), TLSCert: c.TLSCert, Progress: a.progress()})
	if err = errors.Join(err, p.Close()); err != nil {
		return err
	}
	if a.JSON {
		err = a.printJSON(fields{"well": !broken(checks), "checks": checks})
	} else {
		a.checks(checks, c.Verbose)
	}
	if err == nil && broken(checks) {
		return fmt.Errorf("%w; nothing was changed", keep.ErrBroken)
	}
	return err
}

func broken(checks []keep.Check) bool {
	for _, c := range checks {
		if c.Grade == keep.Broken {
			return true
		}
	}
	return false
}

// fewProblems is how many problems of a check are named one by one unless all are
// asked for: more say the same, as a rule.
const fewProblems = 3

// checks prints one line a check, and below it what to do.
func (a *app) checks(checks []keep.Check, all bool) {
	for _, c := range checks {
		first := fmt.Sprintf("%-7s %-19s ", c.Grade, c.Name)
		a.item(first, c.Says)
		if c.Do == "" {
			continue
		}
		indent := strings.Repeat(" ", 8)
		if c.Count > fewProblems && !all {
			c.Where = []string{fmt.Sprintf("%d problems; -v names them", c.Count)}
		}
		for _, w := range c.Where {
			a.item(indent+"- ", w)
		}
		a.item(indent+"→ ", c.Do)
	}
}
