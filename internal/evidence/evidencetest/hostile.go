package evidencetest

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// SealTo seals one more wave, to one holder, with any key, as somebody does who
// has a specimen in hand and all keys of the house. It gives the opened copy.
func (c *Case) SealTo(victim int, key fpcode.Key, at time.Time, change func(*evidence.WaveStatement)) evidence.OpenedCopy {
	return c.sealTo(victim, key, at, change, func(slot string, a token.Alphabet) string {
		return evidence.TokenText(c.rec, key, Epoch, c.Package, c.Holders[victim].ID, slot, a)
	})
}

// SealText is SealTo with a text of one's own choosing where tokens stand.
func (c *Case) SealText(victim int, key fpcode.Key, at time.Time, text string) evidence.OpenedCopy {
	return c.sealTo(victim, key, at, nil, func(string, token.Alphabet) string { return text })
}

func (c *Case) sealTo(victim int, key fpcode.Key, at time.Time, change func(*evidence.WaveStatement), text func(string, token.Alphabet) string) evidence.OpenedCopy {
	w := len(c.Waves)
	files := c.Form.Render(form.PoC, func(s form.Site) uint8 {
		return fpcode.Symbol(key, s.ID, c.Form.SiteLaw(s))
	}, text)
	o := evidence.OpenedCopy{Holder: c.Holders[victim].ID, Wave: uint32(w), Key: key, LeafSalt: Bytes("late salt", w), Copy: form.CopyHash(files)}
	tree, err := entrylog.NewBlind(Bytes("tree", w), nil, Depth, []entrylog.Hash{form.CopyLeaf(o.LeafSalt, o.Holder, fpcode.Commit(key), o.Copy)})
	if err != nil {
		panic(err)
	}
	s := c.Waves[0].Statement
	s.Wave, s.Level, s.OpensAt, s.Root = Ref("wave", w), form.PoC, at.Add(time.Hour), tree.Root()
	salt := Bytes("issued", w)
	s.Issued = evidence.IssuedCommitment(salt, uint32(len(c.Holders)))
	if change != nil {
		change(&s)
	}
	seq := c.add(at, evidence.KindWaveSealed, Ref("sealer"), s.Wave, wire.Marshal(&s))
	c.Waves = append(c.Waves, Wave{s, seq, tree, salt})
	o.Path = tree.Prove(0)
	return o
}

// Frame is a dossier whose findings name the victim by one opened copy, with all
// numbers as they follow, however the copy came about.
func (c *Case) Frame(specimens []form.Specimen, victim int, o evidence.OpenedCopy) *evidence.Dossier {
	d := c.Dossier(specimens)
	d.Copies = []evidence.OpenedCopy{o}
	readings := form.Read(c.Form, specimens)
	basis := evidence.Basis{Form: c.Form, Readings: &readings, Copies: int(d.Issued.Copies), Run: 1, Decoder: c.Decoder()}
	a := c.row(victim, basis, specimens)
	n := basis.Of(o.Key)
	a.Score, a.PUpper, a.PEstimate, a.PSampled, a.PSampledSE = n.Score, n.PUpper, n.PEstimate, n.PSampled, n.PSampledSE
	a.PAdjusted, a.Consistent, a.SitesRead, a.SitesAgreeing = n.PAdjusted, n.Consistent, n.SitesRead, n.SitesAgreeing
	a.Fetches, a.Receipts = nil, nil
	s := c.Waves[o.Wave].Statement
	a.Copies = evidence.List[evidence.IssuedCopy]{{
		Wave: evidence.ID(s.Wave), Label: evidence.WaveLabel(int(o.Wave)), Level: s.Level.String(), OpensAt: s.OpensAt,
		Copy: fmt.Sprintf("%x", o.Copy), Shows: basis.Shows(o.Key, s.Level, a.Tokens),
	}}
	return c.With(d, specimens, basis, o.Key, a)
}

// With puts a row into a dossier's findings, and what follows from it.
func (c *Case) With(d *evidence.Dossier, specimens []form.Specimen, basis evidence.Basis, key fpcode.Key, rows ...evidence.Accused) *evidence.Dossier {
	f := c.findings(specimens, basis.Readings)
	var named []*evidence.Accused
	for i := range rows {
		a := &rows[i]
		a.NamedBy, a.Acknowledged = a.Named(f.Alpha), a.Grade()
		a.DerivedFrom = a.Derived()
		named = append(named, a)
	}
	conclude(f, rows, basis, c)
	f.Sensitivity = evidence.Sensitivities(basis, f.Alpha, named, func(evidence.ID) fpcode.Key { return key })
	var err error
	if d.Findings, err = f.Marshal(); err != nil {
		panic(err)
	}
	return d
}

// OldTick proves a wave's entry under an anchor of its own, of the tick that the
// entry's time asks for, that was appended at the end of the anchor log: how a
// wave would be dated back. All other proofs of d are made anew, under the same
// checkpoint.
func (c *Case) OldTick(d *evidence.Dossier, w int, at time.Time) {
	s := c.Waves[w].Statement
	e := entrylog.Entry{Time: at, Auth: entrylog.AuthKey, Actor: Ref("sealer"), Kind: evidence.KindWaveSealed, Subject: s.Wave, Body: wire.Marshal(&s)}
	rec := entrylog.Record{Salt: Bytes("salt", 1<<20), Entry: wire.Marshal(&e)}
	tick, blinding := entrylog.TickOf(at, Interval), entrylog.Blinding(Bytes("blinding"))
	a, err := blinding.Anchor(tick, 99, entrylog.Hash{}, []entrylog.Hash{rec.Commit()})
	if err != nil {
		panic(err)
	}
	board, err := blinding.Board(tick, []entrylog.Hash{rec.Commit()})
	if err != nil {
		panic(err)
	}
	log := c.Frozen(d.Specimens)
	var tree entrylog.Tree
	for i := range log.trees.Anchors() {
		x, err := log.trees.Anchor(i)
		if err != nil {
			panic(err)
		}
		tree.Append(x.LeafHash())
	}
	last := tree.Size()
	tree.Append(a.LeafHash())
	cp := entrylog.Checkpoint{Origin: c.Log.Name(), Size: uint64(last + 1), Root: tree.Root()}
	signed, err := cp.Sign(c.Log)
	if err != nil {
		panic(err)
	}
	under := func(p *entrylog.AnchorProof) {
		p.Checkpoint = signed
		if p.Inclusion, err = tree.Inclusion(int64(p.Index), last+1); err != nil {
			panic(err)
		}
	}
	d.Waves[w] = entrylog.EntryProof{Record: rec, Board: board.Prove(0), AnchorProof: entrylog.AnchorProof{Anchor: a, Index: uint64(last)}}
	for i := range d.Waves {
		under(&d.Waves[i].AnchorProof)
	}
	for i := range d.Facts {
		under(&d.Facts[i].Proof.AnchorProof)
	}
	under(&d.Inquiry.Noted.AnchorProof)
}

// Fork is a dossier's case with another history of the same length: an entry of
// another body.
func Fork(n, sites int) *Case {
	return newCase(n, sites, fpcode.Single, fpcode.Single, []byte("another history"), nil)
}

// Sealer is the key that all waves name.
func (c *Case) Sealer() ed25519.PrivateKey { return c.sealer }
