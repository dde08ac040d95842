package inquiry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

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
	Kept     Kept // as they are on the inquiry's log
}

// ErrRunLost: the sealer numbers a run that this inquiry's log has had already.
// Its journal was lost or put back; restore it, or runs would count for less.
var ErrRunLost = errors.New("the sealer's journal of runs is behind the inquiry's log")

// errOtherRevision: a copy is named whose holder was never given the revision
// that was read.
var errOtherRevision = errors.New("named, but never given this revision")

// Investigate answers a question. Run again with the same specimens, over the
// same copies, it comes to the same findings and counts as the same run.
func (o *Office) Investigate(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, q Question) (Outcome, error) {
	if len(q.Specimens) == 0 {
		return Outcome{}, fmt.Errorf("%w: no specimen was given", ErrNothing)
	}
	if err := desk.View(func(p *cvd.Programme) error {
		return p.May(by, cvd.ActInvestigate, cvd.ACase(q.Case), o.Clock())
	}); err != nil {
		return Outcome{}, err
	}
	i := inquest{Office: o, desk: desk, by: by, cs: q.Case, found: sorted(q.Specimens), edited: q.Edits}
	for _, s := range i.found {
		i.specimens = append(i.specimens, s.Specimen)
	}
	o.step("reading %s", evidence.Count(len(i.specimens), "specimen", "specimens"))
	candidates, err := o.read(ctx, desk, q.Case, i.specimens)
	if err != nil {
		return Outcome{}, err
	}
	// Revisions that say equally much can't be told apart by what was read. Who
	// is named may have only the older one: then that one is read, as a further
	// run.
	for n, c := range candidates {
		out, err := i.try(ctx, c)
		if errors.Is(err, errOtherRevision) && n+1 < len(candidates) {
			o.step("revision %d was not given to who is named; reading the one before it", c.Number)
			continue
		}
		return out, err
	}
	return Outcome{}, ErrNothing
}

// inquest is one question under way.
type inquest struct {
	*Office
	desk      *coordinator.Desk
	by        cvd.Actor
	cs        cvd.CaseID
	found     []Specimen
	specimens []form.Specimen
	edited    *form.Edits
}

// wave is a sealed wave of the package.
type wave struct {
	id        cvd.WaveID
	seq       entrylog.Seq
	statement evidence.WaveStatement
}

// try takes one candidate from readings to a verified dossier.
func (i *inquest) try(ctx context.Context, c candidate) (out Outcome, err error) {
	// Freeze. Nothing secret has been opened yet.
	i.step("%d of %d sites read; freezing the readings", c.read, len(c.form.Sites))
	freeze := evidence.ReadingsFrozen{Case: entrylog.Ref(i.cs), Package: entrylog.Ref(c.Package), Form: c.form.Hash(), Reader: c.readings.Reader, Readings: c.readings.Hash()}
	for _, s := range i.found {
		freeze.Specimens = append(freeze.Specimens, evidence.FrozenSpecimen{SHA256: sha256.Sum256(s.Data), From: s.Found.From, To: s.Found.To})
	}
	if before, ok := i.Office.frozen[timeless(freeze)]; ok {
		for n, s := range before.specimens {
			if !s.From.Equal(i.found[n].Found.From) || !s.To.Equal(i.found[n].Found.To) {
				i.step("these specimens were frozen before: the times that were given then stand")
				break
			}
		}
		for n, s := range before.specimens {
			i.found[n].Found = evidence.Window{From: s.From, To: s.To}
		}
	}
	if err := i.keep(ctx, c.readings.Marshal()); err != nil {
		return out, err
	}
	frozen, noted, err := i.freeze(ctx, i.desk, i.by, freeze)
	if err != nil {
		return out, err
	}
	made, editing, err := i.freezeEdits(ctx, c, i.edited)
	if err != nil {
		return out, err
	}

	entry, _, err := i.log.Entry(ctx, frozen)
	if err != nil {
		return out, err
	}

	// Whose keys were open before. It is asked first, so that a dossier that can't
	// be read doesn't leave a case behind that was opened and not counted.
	open, err := i.burnt(ctx, c.Package, frozen)
	if err != nil {
		return out, err
	}

	// Open the codebook. From here on the run counts.
	facts, waves, err := i.facts(ctx, c.Package)
	if err != nil {
		return out, err
	}
	book, err := i.Sealer.Codebook(ctx, c.Package, c.readings.Hash())
	if err != nil {
		return out, err
	}
	opened, err := i.count(ctx, i.cs, c.Package, book)
	if err != nil {
		return out, err
	}
	i.step("decoding against %s (run %d of this package)", evidence.Count(len(book.Lines), "copy", "copies"), book.Run.Number)
	last := waves[len(waves)-1].statement
	tokens := hits(book, c.form, i.specimens)
	result, tested, err := decode(book, c.form, &c.readings, tokens, last.Decoder, float64(last.AlphaPico)/1e12)
	if err != nil {
		return out, err
	}
	if err := i.countCase(ctx, c, book, last.Decoder, i.inTime(facts, c.form.Hash(), entry.Time), open); err != nil {
		return out, err
	}
	for _, a := range result.Accused {
		if !slices.ContainsFunc(facts.Waves, func(w leak.Wave) bool {
			return w.Form == c.form.Hash() && slices.Contains(w.Holders, entrylog.Ref(a.Holder))
		}) {
			return out, errOtherRevision
		}
	}

	// Judge.
	in := leak.Inputs{Facts: facts, AlphaAllPico: AlphaAllPico, Reading: leak.Reading{
		Form: c.form, Readings: &c.readings, FrozenAt: entry.Time,
		Profile: last.Profile, Bias: book.Bias, AlphaPico: last.AlphaPico, Run: int(book.Run.Number), Result: result,
		Tokens: tokens, Tested: tested, CopyKey: copyKeys(book), CopyHash: i.copyHashes(ctx, c.Package),
	}, Burnt: open}
	for _, l := range book.Lines {
		in.Reading.Holders = append(in.Reading.Holders, entrylog.Ref(l.Holder))
	}
	for _, s := range i.found {
		in.Reading.Specimens = append(in.Reading.Specimens, leak.Specimen{Name: s.Name, Size: int64(len(s.Data)), SHA256: sha256.Sum256(s.Data), Found: interval(s.Found)})
	}
	if in.Seen, err = i.seen(ctx, i.desk, i.cs, book, i.found, tokens); err != nil {
		return out, err
	}
	if made != nil {
		e, _, err := i.log.Entry(ctx, editing.seq)
		if err != nil {
			return out, err
		}
		in.Reading.Edits = &leak.Edits{Made: made, FrozenAt: e.Time, Account: editing.by}
		if in.Reading.Edits.AccountName, err = i.editor(ctx, editing); err != nil {
			return out, err
		}
	}
	if in.Accumulated, err = i.accumulated(facts); err != nil {
		return out, err
	}
	findings, err := leak.Judge(in)
	if err != nil {
		return out, err
	}
	out.Findings, out.Timeline = *findings, leak.Timeline(in)

	// Pack, sign, verify.
	i.step("building the dossier")
	d, err := i.dossier(ctx, parts{candidate: c, book: book, waves: waves, findings: findings, frozen: frozen, noted: noted, opened: opened, edits: made, edited: editing.seq})
	if err != nil {
		return out, err
	}
	if out.Dossier, err = d.Sign(i.Log.Signer); err != nil {
		return out, err
	}
	i.step("verifying the dossier")
	if out.Report, err = evidence.VerifyDossier(out.Dossier, evidence.Trust{LogKey: d.Programme.Key, InquiryKey: i.Key}); err != nil {
		return out, fmt.Errorf("the dossier does not verify and was not kept: %w", err)
	}
	if out.Kept, err = i.made(ctx, c, findings, out.Timeline, out.Dossier); err != nil {
		return out, err
	}
	out.Page, err = i.page(ctx, i.desk, out.Kept, findings, out.Timeline)
	return out, err
}

// facts is what the programme's log says of a package, and its sealed waves, in
// order of the log. The sealer is told of each, in case a crash kept the desk
// from it.
func (i *inquest) facts(ctx context.Context, pkg cvd.PackageID) (facts leak.Facts, waves []wave, err error) {
	err = i.desk.View(func(p *cvd.Programme) error {
		var err error
		if facts, err = leak.Gather(p, pkg, i.desk.Names(ctx, p).Ref); err != nil {
			return err
		}
		for _, id := range p.Packages[pkg].Waves {
			if w := p.Waves[id]; w.Statement != nil {
				waves = append(waves, wave{id: id, seq: w.Sealed.Seq, statement: *w.Statement})
			}
		}
		return nil
	})
	slices.SortFunc(waves, func(a, b wave) int { return int(a.seq) - int(b.seq) })
	for _, w := range waves {
		if err == nil {
			err = i.Sealer.Confirm(ctx, pkg, w.id)
		}
	}
	return facts, waves, err
}

// count puts the opening of the codebook on the inquiry's log, once for each run
// of the sealer's. A number that this log has had for another run means that the
// sealer forgot some.
func (i *inquest) count(ctx context.Context, cs cvd.CaseID, pkg cvd.PackageID, book sealer.Codebook) (entrylog.Seq, error) {
	body := &evidence.CodebookOpened{Case: entrylog.Ref(cs), Package: entrylog.Ref(pkg), Run: book.Run.Number, Copies: book.Run.Copies, Readings: book.Run.Readings}
	if seq, ok := i.opened[string(marshal(body))]; ok {
		return seq, nil
	}
	if had := i.runs[entrylog.Ref(pkg)]; book.Run.Number <= had {
		return 0, fmt.Errorf("%w: it calls this run %d, and %d are on the log; restore the sealer's folder from its newest copy", ErrRunLost, book.Run.Number, had)
	}
	sealed, err := i.log.Append(ctx, []ledger.Draft{{Kind: KindCodebookOpened, Actor: entrylog.Ref(i.by.Account), Auth: i.by.Auth, Subject: entrylog.Ref(pkg), Body: body}})
	if err != nil {
		return 0, err
	}
	return sealed[0].Seq, nil
}
