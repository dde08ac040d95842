package evidencetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// Leak is a specimen: the advisory of a holder's copy in the second wave.
func (c *Case) Leak(h int) []form.Specimen {
	return []form.Specimen{{Name: "paste.txt", Data: c.Copy(h, 1)[0].Data}}
}

// Request is a specimen: the proof of concept of a holder's copy, token and all.
func (c *Case) Request(h int) []form.Specimen {
	return []form.Specimen{{Name: "request.txt", Data: c.Copy(h, 1)[1].Data}}
}

// Dossier is what an inquiry would make of the specimens when it names the
// copies of these holders. It names whom it is told to, so it verifies only
// when that is right.
func (c *Case) Dossier(specimens []form.Specimen, named ...int) *evidence.Dossier {
	readings := form.Read(c.Form, specimens)
	inq, freeze, opened := c.inquire(specimens, &readings)
	c, noted := c.noted(inq.records[freeze])
	d := &evidence.Dossier{
		Programme: evidence.Programme{Key: c.LogKey, Interval: Interval},
		Specimens: specimens,
		Forms:     []evidence.SealedForm{{Revision: c.Revision, Form: c.Form.Marshal()}},
		Readings:  readings.Marshal(),
		Bias:      c.Bias(), Rec: c.recKey,
		Inquiry: evidence.Inquiry{Key: c.InquiryKey, Interval: Interval, Freeze: inq.proof(freeze), Opened: inq.proof(opened), Noted: c.Inner(noted)},
	}
	d.Run = c.Run(readings.Hash(), 1)
	last := len(c.Waves) - 1
	d.Issued = evidence.IssuedOpening{Wave: uint32(last), Copies: uint32(len(c.Holders)), Salt: c.Waves[last].Salt}
	for w := range c.Waves {
		d.Waves = append(d.Waves, c.Entry(w))
	}
	f := c.findings(specimens, &readings)
	basis := evidence.Basis{Form: c.Form, Readings: &readings, Copies: len(c.Holders), Run: 1, Decoder: c.Decoder()}
	var rows []evidence.Accused
	for _, h := range named {
		rows = append(rows, c.row(h, basis, specimens))
		for w := range Opens {
			d.Copies = append(d.Copies, c.open(h, w))
			id := fmt.Sprintf("%d/%d", h, w)
			for _, seq := range []entrylog.Seq{c.Fetch[id], c.Receipt[id]} {
				d.Facts = append(d.Facts, evidence.Fact{Statement: fmt.Sprintf("entry %d of the log", seq), Proof: c.Inner(seq)})
			}
		}
	}
	for _, h := range c.partners(rows) {
		s := c.Waves[0].Statement
		f.Partners = append(f.Partners, evidence.Partner{Holder: evidence.ID(c.Holders[h].ID), Name: c.Holders[h].Name, Wave: evidence.ID(s.Wave), Label: evidence.WaveLabel(0), Means: evidence.PartnerMeans})
		d.Copies = append(d.Copies, c.open(h, 0))
	}
	conclude(f, rows, basis, c)
	var err error
	if d.Findings, err = f.Marshal(); err != nil {
		panic(err)
	}
	return d
}

// Frozen is the case after the inquiry froze its reading of the specimens, as the
// proofs of a dossier show it.
func (c *Case) Frozen(specimens []form.Specimen) *Case {
	readings := form.Read(c.Form, specimens)
	inq, freeze, _ := c.inquire(specimens, &readings)
	out, _ := c.noted(inq.records[freeze])
	return out
}

// noted is the case with the commitment to the freeze in its log.
func (c *Case) noted(freeze entrylog.Record) (*Case, entrylog.Seq) {
	c = c.replay()
	commit := freeze.Commit()
	at := c.NoteAt
	if at.IsZero() {
		at = FrozenAt.Add(time.Minute)
	}
	seq := c.add(at, 37, Ref("inquiry"), entrylog.Ref{}, commit[:])
	c.anchor(FrozenAt.Add(5 * time.Minute))
	return c, seq
}

// Run is the sealer's word on an opening of the keys.
func (c *Case) Run(readings [32]byte, number uint32) evidence.Run {
	r := evidence.Run{Package: c.Package, Readings: readings, Number: number, Copies: uint32(len(c.Holders))}
	for _, w := range c.Waves {
		r.Waves = append(r.Waves, w.Statement.Wave)
	}
	slices.SortFunc(r.Waves, func(a, b entrylog.Ref) int { return bytes.Compare(a[:], b[:]) })
	r.Sign(c.sealer)
	return r
}

// proof proves an entry of the board.
func (c *Case) proof(seq entrylog.Seq) entrylog.EntryProof {
	board, tick, ok := c.trees.ProvePublic(seq)
	if !ok {
		panic("no public entry")
	}
	return entrylog.EntryProof{Record: c.records[seq], Board: board, AnchorProof: c.prove(tick)}
}

// inquire lives the inquiry's own log.
func (c *Case) inquire(specimens []form.Specimen, r *form.Readings) (log *Case, freeze, opened entrylog.Seq) {
	log = &Case{Log: c.Inquiry}
	var err error
	if log.trees, err = entrylog.NewTrees(entrylog.Blinding(Bytes("inquiry blinding")), Interval); err != nil {
		panic(err)
	}
	z := evidence.ReadingsFrozen{Case: c.ID, Package: c.Package, Form: r.Form, Reader: r.Reader, Readings: r.Hash()}
	for _, s := range specimens {
		z.Specimens = append(z.Specimens, evidence.FrozenSpecimen{SHA256: sha256.Sum256(s.Data), From: FoundAt, To: FoundAt.Add(time.Hour)})
	}
	o := evidence.CodebookOpened{Case: c.ID, Package: c.Package, Run: 1, Copies: uint32(len(c.Holders)), Readings: z.Readings}
	log.public(FrozenAt.Add(-time.Hour), 1, c.ID, nil)
	freeze = log.public(FrozenAt, evidence.KindReadingsFrozen, c.ID, wire.Marshal(&z))
	opened = log.public(FrozenAt.Add(2*time.Minute), evidence.KindCodebookOpened, c.Package, wire.Marshal(&o))
	log.anchor(FrozenAt.Add(5 * time.Minute))
	return log, freeze, opened
}

func (c *Case) public(at time.Time, kind entrylog.Kind, subject entrylog.Ref, body []byte) entrylog.Seq {
	e := entrylog.Entry{Time: at, Auth: entrylog.AuthNone, Actor: Ref("investigator"), Kind: kind, Subject: subject, Body: body}
	seq := c.trees.Entries()
	rec := entrylog.Record{Salt: Bytes("inquiry salt", int(seq)), Entry: wire.Marshal(&e)}
	c.records = append(c.records, rec)
	if err := c.trees.Add(at, rec.Commit(), true); err != nil {
		panic(err)
	}
	return seq
}

func (c *Case) open(h, w int) evidence.OpenedCopy {
	p := c.Proof(h, w)
	return evidence.OpenedCopy{Holder: p.Holder, Wave: uint32(w), Key: c.Key(h), LeafSalt: p.LeafSalt, Copy: p.Copy, Path: p.Path}
}

func (c *Case) row(h int, basis evidence.Basis, specimens []form.Specimen) evidence.Accused {
	who := c.Holders[h]
	parts, test := c.test(h, basis)
	n := basis.Under(test).Of(c.Key(h))
	a := evidence.Accused{
		Holder: evidence.ID(who.ID), Name: who.Name, Staff: who.Staff,
		Score: n.Score, PUpper: n.PUpper, PEstimate: n.PEstimate, PSampled: n.PSampled, PSampledSE: n.PSampledSE,
		PAdjusted: n.PAdjusted, Consistent: n.Consistent, SitesRead: n.SitesRead, SitesAgreeing: n.SitesAgreeing,
	}
	a.Parts, a.PChosen = parts, n.PChosen
	for w := range Opens {
		s, id := c.Waves[w].Statement, fmt.Sprintf("%d/%d", h, w)
		a.Copies = append(a.Copies, evidence.IssuedCopy{Wave: evidence.ID(s.Wave), Label: evidence.WaveLabel(w), Level: s.Level.String(), OpensAt: s.OpensAt, Copy: fmt.Sprintf("%x", form.CopyHash(c.Copy(h, w))), Acknowledged: true})
		a.Fetches = append(a.Fetches, c.access(who, c.Fetch[id]))
		a.Receipts = append(a.Receipts, c.access(who, c.Receipt[id]))
	}
	var size int64
	slots := c.Form.Slots()
	for i, s := range specimens {
		size += int64(len(s.Data))
		for _, slot := range slots {
			text := c.Token(h, slot.Name, slot.Alphabet)
			if at := bytes.Index(s.Data, []byte(text)); at >= 0 {
				a.Tokens = append(a.Tokens, evidence.TokenHit{Slot: slot.Name, Text: text, Specimen: i, Offset: int64(at), Counts: true})
			}
		}
	}
	if len(a.Tokens) > 0 {
		a.PTokens, a.PAimed = evidence.TokenChance(size, basis.Copies, len(slots), basis.Run), evidence.TokenAim(basis.Copies, len(slots))
	}
	for w := range a.Copies {
		a.Copies[w].Shows = basis.Shows(c.Key(h), level(w), a.Tokens)
	}
	a.NamedBy = a.Named(evidence.AlphaText(1_000_000))
	a.Acknowledged = a.Grade()
	a.DerivedFrom = a.Derived()
	return a
}

func (c *Case) access(who Holder, seq entrylog.Seq) evidence.Access {
	return evidence.Access{Account: evidence.ID(who.Account), AccountName: "contact of " + who.Name, At: c.At(seq), Entry: uint64(seq)}
}

func (c *Case) findings(specimens []form.Specimen, r *form.Readings) *evidence.Findings {
	f := &evidence.Findings{
		Version: evidence.FindingsVersion, Programme: Programme,
		Case: evidence.ID(c.ID), Package: evidence.ID(c.Package), Revision: evidence.ID(c.Revision),
		Reader: r.Reader, Decoder: c.Decoder(), Profile: c.Profile.String(), Channel: evidence.ChannelText(c.Decoder()),
		Alpha: evidence.AlphaText(1_000_000), Run: 1, Copies: len(c.Holders), FrozenAt: FrozenAt,
		Rule: evidence.RuleFor(c.Decoder()), Meaning: evidence.Meaning, ProcessError: evidence.ProcessError, Assumptions: evidence.AssumptionsFor(c.Decoder()),
		Readings: evidence.Counts(r),
	}
	for _, s := range specimens {
		f.Specimens = append(f.Specimens, evidence.SpecimenFacts{
			Name: s.Name, SHA256: fmt.Sprintf("%x", sha256.Sum256(s.Data)), Size: int64(len(s.Data)),
			Found: evidence.Window{From: FoundAt, To: FoundAt.Add(time.Hour)},
		})
	}
	return f
}

func conclude(f *evidence.Findings, rows []evidence.Accused, basis evidence.Basis, c *Case) {
	f.SetVersion()
	f.Limits = evidence.RequiredLimits(f)
	var named []*evidence.Accused
	for i := range rows {
		named = append(named, &rows[i])
	}
	f.Sensitivity = evidence.Sensitivities(basis, f.Alpha, named, func(id evidence.ID) fpcode.Key { return fpcode.CopyKey(c.pkg, id) })
	var why string
	f.PAttainable, f.OtherCopies.Count = basis.Attainable(), basis.Copies-len(rows)
	f.Conclusion, why = evidence.Conclude(f.Alpha, f.PAttainable, 0, rows)
	f.Statement = evidence.Sentence(f.Conclusion, rows)
	if f.Conclusion == evidence.Traced {
		f.Accused = rows
	} else {
		f.Conflicting, f.Why = rows, evidence.List[string]{why}
	}
}
