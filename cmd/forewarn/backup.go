package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"forewarn/internal/home"
	"forewarn/internal/keep"
	"forewarn/internal/seal"
)

type backupCmd struct {
	Make backupMake `cmd:"" default:"withargs" help:"Copy the desk to a folder, also while it is served; no keys."`
	Keys backupKeys `cmd:"" help:"Put one domain's keys into a file under age, apart from the backup."`
}

type backupMake struct {
	To string `arg:"" help:"The backup's folder: a new one, or an earlier backup of this programme, to which only what is new is copied." type:"path" placeholder:"DIR"`
}

func (*backupMake) Help() string {
	return `Log, published anchors and ciphertext, as they were at one moment; the desk may be served meanwhile. 'make' may be left out. No key is in it: 'forewarn backup keys' puts them apart. The
checkpoint that is kept outside isn't either: with it an older folder could not be told from the newest.

Example:
  forewarn backup make /mnt/backup/desk`
}

func (c *backupMake) Run(a *app) error {
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	out, err := keep.Backup(a, h, c.To, a.progress())
	if err != nil && !errors.Is(err, keep.ErrIncomplete) {
		return err
	}
	if (err == nil || errors.Is(err, keep.ErrIncomplete)) && !out.Signed {
		a.note("Its forewarn.json is not signed, for the log's key can't be read: 'forewarn doctor' says why.")
	}
	if out.Missing == nil {
		out.Missing = []string{}
	}
	return errors.Join(err, a.done(fields{"to": c.To, "entries": out.Entries, "blobs": out.Blobs, "copied": out.Copied, "bytes": out.Bytes, "missing": out.Missing},
		"Backed up %s and %s to %s: %s copied, %d KiB.", count(int(out.Entries), "entry", "entries"), count(out.Blobs, "blob", "blobs"), c.To, count(out.Copied, "file", "files"), out.Bytes>>10))
}

// progress shows on a terminal what takes long.
func (a *app) progress() keep.Progress {
	what, bar := "", func(int, int) {}
	return func(now string, done, all int) {
		if all == 0 {
			return
		}
		if now != what {
			what, bar = now, a.bar(now)
		}
		bar(done, all)
	}
}

type backupKeys struct {
	File string   `arg:"" help:"A new file for the keys." type:"path" placeholder:"FILE"`
	Of   string   `help:"Whose: desk (its key folder), sealer (all of its folder) or inquiry (all of its folder)." enum:"desk,sealer,inquiry" default:"desk"`
	To   []string `help:"An age recipient (age1…, age1pq1…, ssh-ed25519 …) whose owner can open the file." required:"" placeholder:"RECIPIENT" sep:"none"`
}

func (*backupKeys) Help() string {
	return `Each domain's keys go into a file of its own, to people of its own: who has the desk's and the sealer's can do what both can. 'forewarn keygen' makes an identity; keep it on paper or on a token, not beside
the backup. After a key is destroyed, write the file anew and destroy the old one: it still holds that key.

Example:
  forewarn backup keys /mnt/safe/desk-keys.age --of desk --to age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj`
}

func (c *backupKeys) Run(a *app) error {
	to, err := seal.ParseRecipients([]byte(strings.Join(c.To, "\n")))
	if err != nil {
		return usage("--to: %v", err)
	}
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.File); err == nil {
		return exists(c.File)
	}
	n := 0
	err = inFull(c.File, func(w io.Writer) (err error) {
		n, err = keep.SealKeys(a, h, keep.Domain(c.Of), to, w, a.progress())
		return err
	})
	if err != nil {
		return err
	}
	return a.done(fields{"file": c.File, "of": c.Of, "files": n, "recipients": to.Lines()},
		"Put %s of the %s into %s, for %s.", count(n, "file", "files"), c.Of, c.File, count(to.Len(), "recipient", "recipients"))
}

// inFull writes a new file that has its name only once it is whole and durable.
func inFull(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces.
	if err := os.Link(f.Name(), name); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// keysGiven are files of keys and what opens them, on the command line.
type keysGiven struct {
	Keys     []string `help:"A file that 'forewarn backup keys' wrote; one for each domain." placeholder:"FILE" sep:"none" type:"path"`
	Identity []string `help:"Your age identity, or SSH key, that the files are sealed to." placeholder:"FILE" sep:"none" type:"path"`
}

// open reads them. They stay in memory.
func (k *keysGiven) open(a *app, h *home.Home) (*keep.Kept, error) {
	var ids seal.Identities
	for _, name := range k.Identity {
		more, err := a.identities(name)
		if err != nil {
			return nil, err
		}
		ids = ids.Join(more)
	}
	kept := new(keep.Kept)
	for _, name := range k.Keys {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errInput, err)
		}
		_, err = kept.OpenKeys(f, ids, h)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", errInput, name, err)
		}
	}
	return kept, nil
}
