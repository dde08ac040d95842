package main

import (
	"errors"
	"time"

	"forewarn/internal/keep"
)

type restoreCmd struct {
	Backup   string `arg:"" help:"The backup's folder." type:"path" placeholder:"BACKUP"`
	Outside  string `help:"Keep the last anchor in this folder from now on; where it was before, if not given. Nothing is written there now." placeholder:"DIR" type:"path"`
	Unsigned bool   `help:"Believe the forewarn.json of a backup that isn't signed, as those of earlier versions aren't."`
	keysGiven
}

func (*restoreCmd) Help() string {
	return `Makes the new folder that --dir names, of a backup and the files of keys. It is built beside its place, examined as 'forewarn doctor' does, and gets its name last. Keys that the log says are destroyed are left
out. If the log was signed further after the backup, the desk does not open with it: bring the newer folder back, or declare the loss with 'forewarn log recover'.

Example:
  forewarn --dir programme restore /mnt/backup/desk --keys desk-keys.age --keys sealer-keys.age --identity paper.key`
}

func (c *restoreCmd) Run(a *app) error {
	if a.Dir == "" {
		return usage("name the new folder with --dir, or FOREWARN_DIR")
	}
	if len(c.Keys) == 0 || len(c.Identity) == 0 {
		return usage("give the files of keys with --keys, and what opens them with --identity")
	}
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
	dir := a.folder()
	r, err := keep.Restore(a, c.Backup, k, dir, keep.Choices{Outside: c.Outside, Unsigned: c.Unsigned}, keep.Exam{Now: time.Now(), Progress: a.progress()})
	if err != nil {
		if errors.Is(err, keep.ErrBroken) && !a.JSON {
			a.checks(r.Checks, true)
		}
		return err
	}
	older := broken(r.Checks) // of the outside checkpoint alone
	if a.JSON {
		if r.Shredded == nil {
			r.Shredded = []string{}
		}
		return a.printJSON(fields{"dir": dir, "entries": m.Entries, "made": m.Made, "opens": !older, "outside": r.Home.Outside(), "last": r.Last, "left_out": r.Shredded, "checks": r.Checks})
	}
	a.checks(r.Checks, true)
	// When it was made nobody signs; entries have times of their own.
	a.say("Restored the backup of %s to %s: %s, the last of %s.", when(m.Made), dir, count(int(m.Entries), "entry", "entries"), when(r.Last))
	// Both are what the backup says: perhaps an older one of this programme, and whoever
	// kept one that isn't signed could have changed it.
	a.say("The last anchor is kept in %s. If that isn't your folder, don't go on: it would tell nothing of what was signed later.", r.Home.Outside())
	if s := r.Home.SealerSocket(); s != "" {
		a.say("The sealer is met at %s. If that isn't yours, don't go on.", s)
	}
	if len(r.Shredded) > 0 {
		a.say("Left out: %s that the log says %s destroyed. Destroy that file of keys and write it anew.", count(len(r.Shredded), "key", "keys"), map[bool]string{true: "is", false: "are"}[len(r.Shredded) == 1])
	}
	if older {
		a.say("The desk does not open yet: it can't be told that nothing was signed after this backup. Bring the newer folder or the outside checkpoint back. If they are lost for good: forewarn log recover")
	}
	return nil
}
