package main

import (
	"path/filepath"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/keep"
)

type exportCmd struct {
	To       string `arg:"" help:"A new folder." type:"path" placeholder:"DIR"`
	Packages bool   `help:"With the last source of each package that you may open. That you opened each is an entry."`
}

func (*exportCmd) Help() string {
	return `Entries as JSON lines, with their texts in the clear as far as you may read them; members, accounts, cases, waves, receipts, advisories; the published anchors. A README in it says what each field is. Sources of
packages are in it only with --packages, for opening one is an entry; keys and sealed copies never are. The desk may be served meanwhile. Keep it as you keep the keys.

Example:
  forewarn export handover --as ana`
}

func (c *exportCmd) Run(a *app) error {
	open := a.look
	if c.Packages {
		open = a.withDesk
	}
	return open(func(d *coordinator.Desk, by cvd.Actor) error {
		h, err := home.Open(a.folder())
		if err != nil {
			return err
		}
		out, err := keep.Export(a, d, by, h.LogKey(), filepath.Join(h.Dir, "desk", "anchors"), c.To, c.Packages, a.progress())
		if err != nil {
			return err
		}
		return a.done(fields{"to": c.To, "entries": out.Entries, "texts": out.Texts, "withheld": out.Withheld, "destroyed": out.Gone, "anchor_files": out.Anchors, "packages": out.Packages},
			"Exported %s, %s, %s and %s of the published log to %s. Not in it: %s that you may not read, or that are sources of packages and sealed reports; %d whose key is destroyed.",
			count(out.Entries, "entry", "entries"), count(out.Texts, "text", "texts"), count(out.Packages, "source of a package", "sources of packages"), count(out.Anchors, "file", "files"), c.To, count(out.Withheld, "text", "texts"), out.Gone)
	})
}
