package coordinator

import (
	"bytes"
	"context"
	"fmt"
	"regexp"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
)

// mark is how a package's source writes what differs between copies.
var mark = regexp.MustCompile(`\{\{[^{}\n]+\}\}`)

// unmarked refuses a text for the public that has a mark of one of the case's
// packages: it would tell everybody where copies differ, and how. Text of its own may
// have braces.
func (d *Desk) unmarked(ctx context.Context, id cvd.CaseID, text []byte) error {
	marks := mark.FindAllIndex(text, -1)
	if len(marks) == 0 {
		return nil
	}
	var refs []cvd.BlobRef
	if err := d.View(func(p *cvd.Programme) error {
		if c := p.Cases[id]; c != nil {
			for _, k := range c.Packages {
				for _, x := range p.Packages[k].Drafts {
					refs = append(refs, x.Source)
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, ref := range refs {
		packed, err := d.blob(ctx, CaseKey(id), ref)
		if err != nil {
			return err
		}
		src, err := carrier.Unpack(packed)
		if err != nil {
			return err
		}
		for _, f := range src.Files {
			for _, m := range marks {
				if bytes.Contains(f.Data, text[m[0]:m[1]]) {
					return fmt.Errorf("%w: line %d has a mark of the package, %.80q, which would show all wordings that copies may have: write one of them in its place, and so for every mark",
						cvd.ErrRefused, 1+bytes.Count(text[:m[0]], []byte("\n")), text[m[0]:m[1]])
				}
			}
		}
	}
	return nil
}
