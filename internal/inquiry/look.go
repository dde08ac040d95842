package inquiry

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Look reads specimens against the sealed Form and gives what was read as a text
// from which edits are made: the head of edits of just these readings, and every
// place as a comment. Nothing is frozen and no key is opened. The text says where
// the marks are: it is as secret as the Form.
func (o *Office) Look(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, q Question) ([]byte, error) {
	if err := desk.View(func(p *cvd.Programme) error {
		return p.May(by, cvd.ActInvestigate, cvd.ACase(q.Case), o.Clock())
	}); err != nil {
		return nil, err
	}
	var specimens []form.Specimen
	for _, s := range sorted(q.Specimens) {
		specimens = append(specimens, s.Specimen)
	}
	candidates, err := o.read(ctx, desk, q.Case, specimens)
	if err != nil {
		return nil, err
	}
	return sheet(candidates[0].form, &candidates[0].readings), nil
}

// sheet is the readings of a Form as comments of edits.
func sheet(f *form.Form, r *form.Readings) []byte {
	texts := map[fpcode.SiteID]string{}
	for _, file := range f.Files {
		for _, p := range file.Parts {
			if p.Kind != form.Choice || texts[f.Sites[p.Site].ID] != "" {
				continue
			}
			var all []string
			for i, a := range p.Alternatives {
				all = append(all, fmt.Sprintf("symbol %d is %.80q", i, a))
			}
			texts[f.Sites[p.Site].ID] = strings.Join(all, ", ")
		}
	}
	var b bytes.Buffer
	b.Write((&form.Edits{Of: r.Hash()}).Marshal())
	b.WriteString("\n# To change what a place shows, take the # from its four lines, say what is read\n# ('erased', 'other' or 'symbol' and its number), who saw it, and why.\n")
	for i := range r.Sites {
		s := &r.Sites[i]
		shows := s.State.String()
		if s.State == fpcode.Value {
			v, _ := s.Likeliest()
			shows = fmt.Sprintf("symbol %d", v)
		}
		fmt.Fprintf(&b, "\n# %s: %s\n#site %x\n#read %s\n#by \n#why \n", s.Class, texts[s.Site], s.Site, shows)
	}
	return b.Bytes()
}
