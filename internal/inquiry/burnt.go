package inquiry

import (
	"context"
	"fmt"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
)

// burnt are the holders whose keys of a package were opened by findings that were
// drafted before readings were frozen, in that entry: who was named, and the
// partners of who was named. Whoever has those findings could have made what was
// found since, so it proves nothing new about them. What was frozen by then cannot
// have been made from them; and the same run comes to the same findings whatever
// is drafted later.
func (o *Office) burnt(ctx context.Context, pkg cvd.PackageID, frozen entrylog.Seq) (map[entrylog.Ref]string, error) {
	out := map[entrylog.Ref]string{}
	for _, hash := range o.order {
		k := o.findings[hash]
		if k.Package != entrylog.Ref(pkg) || k.Entry >= frozen {
			continue
		}
		b, err := o.Blobs.Get(ctx, k.Dossier)
		if err != nil {
			return nil, fmt.Errorf("the dossier of findings %s, which tells whose keys are open: %w", k.Name(), err)
		}
		d, err := evidence.ParseDossier(b)
		if err != nil {
			return nil, fmt.Errorf("the dossier of findings %s, which tells whose keys are open: %w", k.Name(), err)
		}
		for _, c := range d.Copies {
			if out[c.Holder] == "" {
				out[c.Holder] = k.Name()
			}
		}
	}
	return out, nil
}
