package inquiry

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/leak"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
	"forewarn/internal/timeline"
)

// Outcome is findings in all their forms. The dossier verified itself before it
// was returned.
type Outcome struct {
	Findings evidence.Findings
	Timeline timeline.Model
	Page     []byte // self-contained HTML
	Dossier  []byte
	Report   evidence.Report
}

// Investigate answers a question. Run again with the same specimens it comes to
// the same findings, and counts as the same run.
func (o *Office) Investigate(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, q Question) (out Outcome, err error) {
	if len(q.Specimens) == 0 {
		return out, fmt.Errorf("%w: no specimen was given", ErrNothing)
	}
	if err := desk.View(func(p *cvd.Programme) error {
		return p.May(by, cvd.ActInvestigate, cvd.ACase(q.Case), o.Clock())
	}); err != nil {
		return out, err
	}
	found := sorted(q.Specimens)
	specimens := make([]form.Specimen, len(found))
	hashes := make([][32]byte, len(found))
	for i, s := range found {
		specimens[i], hashes[i] = s.Specimen, sha256.Sum256(s.Data)
	}

	// Read and freeze. Nothing secret has been opened yet.
	o.step("reading %d specimens", len(specimens))
	cf, f, readings, err := o.read(ctx, q.Case, specimens)
	if err != nil {
		return out, err
	}
	read, _, _ := readings.Count()
	o.step("%d of %d sites read; freezing the readings", read, len(f.Sites))
	freeze, err := o.freeze(ctx, desk, by, evidence.ReadingsFrozen{
		Case: entrylog.Ref(q.Case), Package: entrylog.Ref(cf.Package), Form: f.Hash(),
		Reader: readings.Reader, Readings: readings.Hash(), Specimens: hashes,
	})
	if err != nil {
		return out, err
	}

	// Open the codebook. From here on the run counts.
	facts, waves, err := o.facts(ctx, desk, by, cf.Package)
	if err != nil {
		return out, err
	}
	if len(waves) == 0 {
		return out, fmt.Errorf("%w: no wave of the package has been sealed", ErrNothing)
	}
	book, err := o.Sealer.Codebook(ctx, cf.Package, readings.Hash())
	if err != nil {
		return out, err
	}
	opened, err := o.count(ctx, by, q.Case, cf.Package, book, readings.Hash())
	if err != nil {
		return out, err
	}
	o.step("decoding against %d copies (run %d of this package)", len(book.Lines), book.Run)
	last := waves[len(waves)-1].statement
	result, err := decode(book, &readings, last.Decoder, last.Profile, float64(last.AlphaPico)/1e12)
	if err != nil {
		return out, err
	}

	// Judge.
	frozenAt, _, err := o.log.Entry(ctx, freeze)
	if err != nil {
		return out, err
	}
	tokens := hits(book, f, specimens)
	in := leak.Inputs{Facts: facts, Reading: leak.Reading{
		Form: f, Readings: &readings, FrozenAt: frozenAt.Time,
		Profile: last.Profile, Bias: book.Bias, AlphaPico: last.AlphaPico, Run: int(book.Run), Result: result,
		Tokens:   tokens,
		CopyKey:  copyKeys(book),
		CopyHash: o.copyHashes(ctx, cf.Package),
	}}
	for _, l := range book.Lines {
		in.Reading.Holders = append(in.Reading.Holders, entrylog.Ref(l.Holder))
	}
	for i, s := range found {
		in.Reading.Specimens = append(in.Reading.Specimens, leak.Specimen{Name: s.Name, Size: int64(len(s.Data)), SHA256: hashes[i], Found: interval(s.Found)})
	}
	if in.Seen, err = o.seen(ctx, desk, q.Case, book, found, tokens); err != nil {
		return out, err
	}
	findings, err := leak.Judge(in)
	if err != nil {
		return out, err
	}
	out.Findings = *findings
	out.Timeline = leak.Timeline(in)
	out.Page = leak.Page(&out.Findings, out.Timeline)

	// Pack, sign, verify.
	o.step("building the dossier")
	d, err := o.dossier(ctx, desk, dossierParts{cf: cf, form: f, readings: &readings, specimens: specimens, book: book, waves: waves, findings: out.Findings, freeze: freeze, opened: opened})
	if err != nil {
		return out, err
	}
	if out.Dossier, err = d.Sign(o.signer()); err != nil {
		return out, err
	}
	o.step("verifying the dossier")
	if out.Report, err = evidence.VerifyDossier(out.Dossier, evidence.Trust{LogKey: d.Programme.Key, InquiryKey: o.Key}); err != nil {
		return out, fmt.Errorf("the dossier does not verify and was not kept: %w", err)
	}
	_, err = o.log.Append(ctx, []ledger.Draft{{Kind: KindFindingsMade, Actor: entrylog.Ref(by.Account), Auth: by.Auth, Subject: entrylog.Ref(q.Case),
		Body: &made{Case: entrylog.Ref(q.Case), Readings: readings.Hash(), Dossier: sha256.Sum256(out.Dossier), Traced: out.Findings.Conclusion == evidence.Traced}}})
	return out, err
}

// wave is a sealed wave of the package and its proof.
type wave struct {
	id        cvd.WaveID
	seq       entrylog.Seq
	statement evidence.WaveStatement
	proof     entrylog.EntryProof
}

// facts is what the programme's log says of a package, with the proofs of all
// its waves, in order of the log.
func (o *Office) facts(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, pkg cvd.PackageID) (facts leak.Facts, waves []wave, err error) {
	err = desk.View(func(p *cvd.Programme) error {
		var err error
		if facts, err = leak.Gather(p, pkg, desk.Names(ctx, p).Ref); err != nil {
			return err
		}
		for _, id := range p.Packages[pkg].Waves {
			if w := p.Waves[id]; w.Statement != nil {
				waves = append(waves, wave{id: id, seq: w.Sealed.Seq, statement: *w.Statement})
			}
		}
		return nil
	})
	for i := range waves {
		if err != nil {
			break
		}
		waves[i].proof, err = anchored(ctx, o, desk.Log(), func() (entrylog.EntryProof, error) { return desk.Log().Prove(ctx, waves[i].seq) })
	}
	return facts, waves, err
}

// count puts the opening of the codebook on the inquiry's log, once for each set
// of readings.
func (o *Office) count(ctx context.Context, by cvd.Actor, cs cvd.CaseID, pkg cvd.PackageID, book sealer.Codebook, readings [32]byte) (entrylog.Seq, error) {
	if seq, ok := o.opened[readings]; ok {
		return seq, nil
	}
	sealed, err := o.log.Append(ctx, []ledger.Draft{{Kind: KindCodebookOpened, Actor: entrylog.Ref(by.Account), Auth: by.Auth, Subject: entrylog.Ref(pkg),
		Body: &evidence.CodebookOpened{Case: entrylog.Ref(cs), Package: entrylog.Ref(pkg), Run: book.Run, Copies: uint32(len(book.Lines)), Readings: readings}}})
	if err != nil {
		return 0, err
	}
	return sealed[0].Seq, nil
}

type dossierParts struct {
	cf             sealer.CaseForm
	form           *form.Form
	readings       *form.Readings
	specimens      []form.Specimen
	book           sealer.Codebook
	waves          []wave
	findings       evidence.Findings
	freeze, opened entrylog.Seq
}

// dossier gathers everything that the findings rest on.
func (o *Office) dossier(ctx context.Context, desk *coordinator.Desk, p dossierParts) (*evidence.Dossier, error) {
	d := &evidence.Dossier{
		Programme: evidence.Programme{Key: desk.Key, Interval: desk.Config.Log.Interval},
		Specimens: p.specimens,
		Forms:     []evidence.SealedForm{{Revision: entrylog.Ref(p.cf.Revision), Form: p.cf.Form}},
		Readings:  p.readings.Marshal(),
		Bias:      p.book.Bias,
		Inquiry:   evidence.Inquiry{Key: o.Key, Interval: o.Log.Interval},
	}
	var err error
	if d.Findings, err = p.findings.Marshal(); err != nil {
		return nil, err
	}
	last := len(p.waves) - 1
	d.Issued = evidence.IssuedOpening{Wave: uint32(last), Copies: uint32(len(p.book.Lines))}
	for i, w := range p.book.Waves {
		if w.Wave == p.waves[last].id {
			d.Issued.Salt = p.book.IssuedSalts[i]
		}
	}
	for i, w := range p.waves {
		d.Waves = append(d.Waves, w.proof)
		if w.statement.Form != p.form.Hash() {
			continue
		}
		for _, a := range named(p.findings) {
			copies, err := o.openedCopies(ctx, p, w, uint32(i), a)
			if err != nil {
				return nil, err
			}
			d.Copies = append(d.Copies, copies...)
		}
	}
	for _, a := range named(p.findings) {
		for _, x := range append(append([]evidence.Access{}, a.Fetches...), a.Receipts...) {
			proof, err := anchored(ctx, o, desk.Log(), func() (entrylog.InnerProof, error) {
				return desk.Log().ProveInner(ctx, entrylog.Seq(x.Entry), 0)
			})
			if err != nil {
				return nil, err
			}
			d.Facts = append(d.Facts, evidence.Fact{Statement: fmt.Sprintf("%s, %s by %s", a.Name, x.At.UTC().Format(time.RFC3339), x.AccountName), Proof: proof})
		}
	}
	if d.Inquiry.Freeze, err = o.prove(ctx, p.freeze); err != nil {
		return nil, err
	}
	d.Inquiry.Opened, err = o.prove(ctx, p.opened)
	return d, err
}

// named lists every copy that the findings name, accused or conflicting.
func named(f evidence.Findings) []evidence.Accused {
	return append(append([]evidence.Accused{}, f.Accused...), f.Conflicting...)
}

// openedCopies opens a named holder's copy in a wave, if it has one there.
func (o *Office) openedCopies(ctx context.Context, p dossierParts, w wave, index uint32, a evidence.Accused) ([]evidence.OpenedCopy, error) {
	for _, c := range a.Copies {
		if entrylog.Ref(c.Wave) != entrylog.Ref(w.id) {
			continue
		}
		opening, err := o.Sealer.Opening(ctx, p.cf.Package, w.id, cvd.HolderID(a.Holder))
		if err != nil {
			return nil, err
		}
		oc := evidence.OpenedCopy{Holder: entrylog.Ref(a.Holder), Wave: index, LeafSalt: opening.LeafSalt, Copy: opening.Copy, Path: opening.Path}
		for _, l := range p.book.Lines {
			if l.Holder != cvd.HolderID(a.Holder) {
				continue
			}
			oc.Key = l.Key
			text := map[string]string{}
			for _, t := range l.Tokens {
				text[t.Slot] = t.Text
			}
			for _, s := range evidence.SlotsAt(p.form, w.statement.Level) {
				oc.Tokens = append(oc.Tokens, evidence.TokenText{Slot: s.Name, Text: text[s.Name]})
			}
		}
		return []evidence.OpenedCopy{oc}, nil
	}
	return nil, nil
}
