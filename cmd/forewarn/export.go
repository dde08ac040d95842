package main

import (
	"path/filepath"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/keep"
)

type exportCmd struct {
	To string `arg:"" help:"A new folder." type:"path" placeholder:"DIR"`
}

func (*exportCmd) Help() string {
	return `Entries as JSON lines, with their texts in the clear as far as you may read them; members, accounts, cases, waves, receipts, advisories; the published anchors. A README in it says what each field is. The desk may be
served meanwhile. Keep it as you keep the keys.

Example:
  forewarn export handover --as ana`
}

func (c *exportCmd) Run(a *app) error {
	return a.look(func(d *coordinator.Desk, by cvd.Actor) error {
		h, err := home.Open(a.folder())
		if err != nil {
			return err
		}
		out, err := keep.Export(a, d, by, h.LogKey(), filepath.Join(h.Dir, "desk", "anchors"), c.To, a.progress())
		if err != nil {
			return err
		}
		return a.done(fields{"to": c.To, "entries": out.Entries, "texts": out.Texts, "withheld": out.Withheld, "destroyed": out.Gone, "anchor_files": out.Anchors},
			"Exported %s, %s and %s of the published log to %s. %d texts are not in it because you may not read them, or a package's source; %d because their key is destroyed.",
			count(out.Entries, "entry", "entries"), count(out.Texts, "text", "texts"), count(out.Anchors, "file", "files"), c.To, out.Withheld, out.Gone)
	})
}
