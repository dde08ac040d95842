package inquiry

import (
	"context"
	"fmt"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

func marshal(v wire.Layout) []byte { return wire.Marshal(v) }

// parts is what a dossier is made of.
type parts struct {
	candidate
	book                  sealer.Codebook
	waves                 []wave
	findings              *evidence.Findings
	frozen, noted, opened entrylog.Seq
	edits                 *form.Edits  // nil: none
	edited                entrylog.Seq // their entry
}

// fact is an entry to open, and what it says.
type fact struct {
	seq  entrylog.Seq
	text string
}

// dossier gathers everything that the findings rest on. All proofs of one log
// are made under one checkpoint, so that they show one history.
func (i *inquest) dossier(ctx context.Context, p parts) (*evidence.Dossier, error) {
	log := i.desk.Log()
	d := &evidence.Dossier{
		Programme: evidence.Programme{Key: i.desk.Key, Interval: i.desk.Config.Log.Interval},
		Specimens: i.specimens,
		Forms:     []evidence.SealedForm{{Revision: entrylog.Ref(p.Revision), Form: p.Form}},
		Readings:  p.readings.Marshal(),
		Bias:      p.book.Bias, Rec: p.book.Recognition, Run: p.book.Run,
		Inquiry: evidence.Inquiry{Key: i.Key, Interval: i.Log.Interval},
	}
	var err error
	if d.Findings, err = p.findings.Marshal(); err != nil {
		return nil, err
	}
	last := p.waves[len(p.waves)-1]
	for _, w := range p.book.Counts {
		if w.Wave == last.id {
			d.Issued = evidence.IssuedOpening{Wave: uint32(len(p.waves) - 1), Copies: w.Copies, Salt: w.Salt}
		}
	}
	for n, w := range p.waves {
		for _, a := range named(p.findings) {
			if err := i.open(ctx, d, p, w, uint32(n), a); err != nil {
				return nil, err
			}
		}
		for _, x := range p.findings.Partners {
			if entrylog.Ref(x.Wave) == entrylog.Ref(w.id) {
				if err := i.openCopy(ctx, d, p, w, uint32(n), entrylog.Ref(x.Holder)); err != nil {
					return nil, err
				}
			}
		}
	}
	facts := cited(p.findings)
	settle := []entrylog.Seq{p.noted}
	for _, f := range facts {
		settle = append(settle, f.seq)
	}
	for _, w := range p.waves {
		settle = append(settle, w.seq)
	}
	if err := i.settle(ctx, log, settle...); err != nil {
		return nil, err
	}
	own := []entrylog.Seq{p.frozen, p.opened}
	if p.edits != nil {
		own = append(own, p.edited)
	}
	if err := i.settle(ctx, i.log, own...); err != nil {
		return nil, err
	}
	for _, w := range p.waves {
		proof, err := log.Prove(ctx, w.seq)
		if err != nil {
			return nil, err
		}
		d.Waves = append(d.Waves, proof)
	}
	for _, f := range facts {
		proof, err := log.ProveInner(ctx, f.seq, 0)
		if err != nil {
			return nil, err
		}
		d.Facts = append(d.Facts, evidence.Fact{Statement: f.text, Proof: proof})
	}
	if d.Inquiry.Noted, err = log.ProveInner(ctx, p.noted, 0); err != nil {
		return nil, err
	}
	if d.Inquiry.Freeze, err = i.log.Prove(ctx, p.frozen); err != nil {
		return nil, err
	}
	if d.Inquiry.Opened, err = i.log.Prove(ctx, p.opened); err != nil {
		return nil, err
	}
	if p.edits != nil {
		proof, err := i.log.ProveInner(ctx, p.edited, 0)
		if err != nil {
			return nil, err
		}
		d.Edits = evidence.DossierEdits{Text: p.edits.Marshal(), Frozen: []entrylog.InnerProof{proof}}
	}
	return d, i.history(ctx, d, p.findings)
}

// named lists every copy that the findings name, accused or conflicting.
func named(f *evidence.Findings) []evidence.Accused {
	return append(append([]evidence.Accused{}, f.Accused...), f.Conflicting...)
}

// cited lists the entries that findings cite, each once.
func cited(f *evidence.Findings) (out []fact) {
	seen := map[entrylog.Seq]bool{}
	add := func(seq uint64, format string, args ...any) {
		if s := entrylog.Seq(seq); !seen[s] {
			seen[s] = true
			out = append(out, fact{s, fmt.Sprintf(format, args...)})
		}
	}
	for _, a := range named(f) {
		for _, x := range append(append([]evidence.Access{}, a.Fetches...), a.Receipts...) {
			add(x.Entry, "%s, %s by %s", a.Name, x.At.UTC().Format(time.RFC3339), x.AccountName)
		}
		if a.Group.Entry != 0 {
			add(a.Group.Entry, "%s is under common ownership with others", a.Name)
		}
	}
	if r := f.Recoveries; r != nil {
		for _, x := range r.Accounts {
			for _, seq := range x.Entries() {
				add(seq, "the recovery of the account %s of %s", x.AccountName, x.Name)
			}
		}
		for _, x := range r.Log {
			add(x.Entry, "a declared recovery of the log")
		}
	}
	return out
}

// open opens a named holder's copy in a wave, if the findings list one there.
func (i *inquest) open(ctx context.Context, d *evidence.Dossier, p parts, w wave, index uint32, a evidence.Accused) error {
	for _, c := range a.Copies {
		if entrylog.Ref(c.Wave) != entrylog.Ref(w.id) {
			continue
		}
		if err := i.openCopy(ctx, d, p, w, index, entrylog.Ref(a.Holder)); err != nil {
			return err
		}
	}
	return nil
}

func (i *inquest) openCopy(ctx context.Context, d *evidence.Dossier, p parts, w wave, index uint32, holder entrylog.Ref) error {
	opening, err := i.Sealer.Opening(ctx, p.Package, w.id, cvd.HolderID(holder))
	if err != nil {
		return err
	}
	d.Copies = append(d.Copies, evidence.OpenedCopy{Holder: holder, Wave: index, Key: copyKeys(p.book)(holder),
		LeafSalt: opening.LeafSalt, Copy: opening.Copy, Path: opening.Path})
	return nil
}
