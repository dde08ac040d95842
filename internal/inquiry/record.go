package inquiry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/leak"
	"forewarn/internal/timeline"
)

// made puts findings that verified on the inquiry's log, with what they need to be
// shown again.
func (i *inquest) made(ctx context.Context, c candidate, f *evidence.Findings, m timeline.Model, dossier []byte) (Kept, error) {
	text, err := f.Marshal()
	if err != nil {
		return Kept{}, err
	}
	picture, err := json.Marshal(m)
	if err != nil {
		return Kept{}, err
	}
	return i.draft(ctx, i.by, evidence.FindingsDrafted{
		Case: entrylog.Ref(i.cs), Package: entrylog.Ref(c.Package), Readings: c.readings.Hash(),
		Findings: sha256.Sum256(text), Dossier: sha256.Sum256(dossier), Timeline: sha256.Sum256(picture),
		Traced: f.Conclusion == evidence.Traced, Named: holdersNamed(f),
	}, dossier, picture)
}

// page is the findings' page with what became of them.
func (o *Office) page(ctx context.Context, desk *coordinator.Desk, k Kept, f *evidence.Findings, m timeline.Model) (page []byte, err error) {
	err = desk.View(func(p *cvd.Programme) error {
		name := desk.Names(ctx, p).Ref
		page = leak.PageOf(f, m, leak.LifeOf(k.Life, k.Name(), name))
		return nil
	})
	return page, err
}

// Record is findings as they stand: the dossier with every act on them and every
// text that was attached, signed anew and verified, and the page.
type Record struct {
	Kept     Kept
	Findings evidence.Findings
	Page     []byte
	Dossier  []byte
	Report   evidence.Report
	Texts    [][]byte // of Kept.Life.Done, empty where an act has none
}

// Record makes the record of findings. It changes nothing. The acts are proved in
// the inquiry's log, so it waits for the anchor of the last.
func (o *Office) Record(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, id [32]byte) (r Record, err error) {
	if r.Kept, err = o.kept(id); err != nil {
		return r, err
	}
	if err := desk.View(func(p *cvd.Programme) error {
		return p.May(by, cvd.ActInvestigate, cvd.ACase(cvd.CaseID(r.Kept.Case)), o.Clock())
	}); err != nil {
		return r, err
	}
	d, f, m, err := o.draftOf(ctx, r.Kept)
	if err != nil {
		return r, err
	}
	r.Findings = *f
	var acts []entrylog.Seq
	for _, x := range r.Kept.Life.Done {
		acts = append(acts, x.Entry)
	}
	if err := o.settle(ctx, o.log, acts...); err != nil {
		return r, err
	}
	d.Life = nil
	for _, x := range r.Kept.Life.Done {
		l := evidence.LifeEntry{}
		if l.Proof, err = o.log.ProveInner(ctx, x.Entry, 0); err != nil {
			return r, err
		}
		if x.Text != [32]byte{} {
			if l.Text, err = o.Blobs.Get(ctx, x.Text); err != nil {
				return r, fmt.Errorf("the text of entry %d: %w", x.Entry, err)
			}
		}
		d.Life, r.Texts = append(d.Life, l), append(r.Texts, l.Text)
	}
	if err := o.reprove(ctx, d, r.Kept); err != nil {
		return r, err
	}
	if r.Dossier, err = d.Sign(o.Log.Signer); err != nil {
		return r, err
	}
	if r.Report, err = evidence.VerifyDossier(r.Dossier, evidence.Trust{LogKey: desk.Key, InquiryKey: o.Key}); err != nil {
		return r, fmt.Errorf("%w: %w", ErrUnsound, err)
	}
	r.Page, err = o.page(ctx, desk, r.Kept, f, m)
	return r, err
}

// draftOf reads what was kept of findings.
func (o *Office) draftOf(ctx context.Context, k Kept) (d *evidence.Dossier, f *evidence.Findings, m timeline.Model, err error) {
	b, err := o.Blobs.Get(ctx, k.Dossier)
	if err != nil {
		return nil, nil, m, fmt.Errorf("the dossier of findings %s: %w", k.Name(), err)
	}
	if d, err = evidence.ParseDossier(b); err != nil {
		return nil, nil, m, err
	}
	if f, err = evidence.ParseFindings(d.Findings); err != nil {
		return nil, nil, m, err
	}
	if b, err = o.Blobs.Get(ctx, k.Timeline); err != nil {
		return nil, nil, m, fmt.Errorf("the picture of findings %s: %w", k.Name(), err)
	}
	err = json.Unmarshal(b, &m)
	return d, f, m, err
}

// reprove makes the inquiry's proofs in a dossier anew, under the newest
// checkpoint: all proofs of one log show one history.
func (o *Office) reprove(ctx context.Context, d *evidence.Dossier, k Kept) (err error) {
	prove := func(p *entrylog.EntryProof) {
		if err != nil {
			return
		}
		e, perr := entrylog.ParseEntry(p.Record.Entry)
		seq, ok := o.places[place(e)]
		if perr != nil || !ok {
			err = fmt.Errorf("an entry that the dossier proves is not on the inquiry's log")
			return
		}
		*p, err = o.log.Prove(ctx, seq)
	}
	prove(&d.Inquiry.Freeze)
	prove(&d.Inquiry.Opened)
	for i := range d.History {
		prove(&d.History[i].Freeze)
		prove(&d.History[i].Opened)
	}
	for i := range d.Edits.Frozen {
		if err == nil {
			d.Edits.Frozen[i], err = o.log.ProveInner(ctx, d.Edits.Frozen[i].Seq, 0)
		}
	}
	return err
}
