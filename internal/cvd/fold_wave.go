package cvd

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
)

func (b *WaveDrafted) apply(p *Programme, n Note) error {
	r, err := find("revision", p.Revisions, b.Revision)
	if err != nil {
		return err
	}
	if r.Package != b.Package || r.Case != b.Case {
		return fmt.Errorf("revision %s is of another package or case", b.Revision)
	}
	if len(b.Audience) == 0 {
		return fmt.Errorf("the audience of wave %s is empty", b.Wave)
	}
	for _, h := range b.Audience {
		if !p.holderExists(h) {
			return fmt.Errorf("there is no holder %s", h)
		}
	}
	w := p.Waves[b.Wave]
	if w == nil {
		w = &Wave{ID: b.Wave}
		if err := add(p, "wave", p.Waves, &p.WaveOrder, b.Wave, w); err != nil {
			return err
		}
		push(p, &p.Cases[b.Case].Waves, b.Wave)
		push(p, &p.Packages[b.Package].Waves, b.Wave)
	} else if w.Statement != nil || w.Cancelled != nil || w.Package != b.Package {
		return fmt.Errorf("wave %s can no longer change", b.Wave)
	}
	drafters := w.Drafters
	if !slices.Contains(drafters, n.By) {
		drafters = append(slices.Clip(drafters), n.By)
	}
	set(p, w, Wave{
		ID: b.Wave, Case: b.Case, Package: b.Package, Revision: b.Revision, Purpose: b.Purpose, Level: b.Level,
		Widens: b.Widens, OpensAt: b.OpensAt, LapsesAt: b.LapsesAt, Audience: b.Audience,
		Digest: b.Digest(), Drafted: n, Drafters: drafters, Hold: w.Hold,
	})
	return nil
}

func (b *WaveApproved) apply(p *Programme, n Note) error {
	w, err := find("wave", p.Waves, b.Wave)
	if err != nil {
		return err
	}
	switch {
	case w.Digest != b.Digest:
		return fmt.Errorf("the approval is of another draft of wave %s", b.Wave)
	case slices.Contains(w.Drafters, n.By) || slices.Contains(w.Drafters, b.For):
		return fmt.Errorf("wave %s is approved by one of those who drafted it", b.Wave)
	case w.Cancelled != nil || w.Approval != nil && !w.Reask:
		return fmt.Errorf("wave %s does not wait for an approval", b.Wave)
	}
	set(p, &w.Approval, &Approval{n, b.For, b.Digest})
	set(p, &w.Reask, false)
	if r := p.Revisions[w.Revision]; r.Vouched == nil {
		set(p, &r.Vouched, &n)
	}
	return nil
}

func (b *waveSealed) apply(p *Programme, n Note) error {
	w, err := find("wave", p.Waves, WaveID(b.Wave))
	if err != nil {
		return err
	}
	switch {
	case w.Cancelled != nil || w.Statement != nil:
		return fmt.Errorf("wave %s is cancelled or sealed already", w.ID)
	case w.Purpose == Staged && w.Approval == nil:
		return fmt.Errorf("wave %s was sealed without a second person", w.ID)
	}
	set(p, &w.Statement, &b.WaveStatement)
	set(p, &w.Sealed, &n)
	pk := p.Packages[w.Package]
	if pk.Decoder == "" {
		set(p, &pk.Bias, b.Bias)
		set(p, &pk.Profile, b.Profile)
		set(p, &pk.Decoder, b.Decoder)
	}
	for _, h := range w.Audience {
		if !pk.issued[h] {
			put(p, pk.issued, h, true)
			push(p, &pk.Issued, h)
		}
	}
	return nil
}

// place is where a holder stands in the audience, or -1.
func (w *Wave) place(h HolderID) int {
	i := sort.Search(len(w.Audience), func(i int) bool { return bytes.Compare(w.Audience[i][:], h[:]) >= 0 })
	if i < len(w.Audience) && w.Audience[i] == h {
		return i
	}
	return -1
}

// CopyOf is a holder's copy of a sealed wave, or nil: not in the audience, or
// nothing stored yet.
func (w *Wave) CopyOf(h HolderID) *Copy {
	i := w.place(h)
	if i < 0 || w.Copies == nil || w.Copies[i].Blob.IsZero() {
		return nil
	}
	return &w.Copies[i]
}

// fetched reports whether anybody ever had a copy.
func (w *Wave) fetched() bool {
	for i := range w.Copies {
		if len(w.Copies[i].Fetches) > 0 {
			return true
		}
	}
	return false
}

func (b *CopiesStored) apply(p *Programme, n Note) error {
	w, err := find("wave", p.Waves, b.Wave)
	if err != nil {
		return err
	}
	if w.Statement == nil {
		return fmt.Errorf("wave %s is not sealed", b.Wave)
	}
	for i := range b.Copies {
		if w.place(b.Copies[i].Holder) < 0 {
			return fmt.Errorf("%s is not in the audience of wave %s", b.Copies[i].Holder, b.Wave)
		}
	}
	if w.Copies == nil {
		set(p, &w.Copies, make([]Copy, len(w.Audience)))
	}
	for i := range b.Copies {
		s := &b.Copies[i]
		c := &w.Copies[w.place(s.Holder)]
		next := *c
		next.Leaf, next.Blob, next.Size, next.Keys, next.Stored = s.Leaf, s.Blob, s.Size, s.Keys, n
		set(p, c, next)
	}
	if !b.Bulk.IsZero() {
		set(p, &w.Bulk, b.Bulk)
	}
	return nil
}

func (b *WaveCancelled) apply(p *Programme, n Note) error {
	w, err := find("wave", p.Waves, b.Wave)
	if err != nil {
		return err
	}
	if w.Cancelled != nil {
		return fmt.Errorf("wave %s is cancelled already", b.Wave)
	}
	set(p, &w.Cancelled, &n)
	return nil
}

// holdOf is where a hold on a case, or on a wave of it, is kept.
func (p *Programme) holdOf(id CaseID, wave WaveID) (**HoldNote, error) {
	c, err := find("case", p.Cases, id)
	if err != nil || wave.IsZero() {
		if err != nil {
			return nil, err
		}
		return &c.Hold, nil
	}
	w, err := find("wave", p.Waves, wave)
	if err != nil {
		return nil, err
	}
	if w.Case != id {
		return nil, fmt.Errorf("wave %s is of another case", wave)
	}
	return &w.Hold, nil
}

func (b *Held) apply(p *Programme, n Note) error {
	hold, err := p.holdOf(b.Case, b.Wave)
	if err != nil {
		return err
	}
	if *hold != nil {
		return fmt.Errorf("held already")
	}
	set(p, hold, &HoldNote{n, b.Reason})
	return nil
}

func (b *HoldLifted) apply(p *Programme, _ Note) error {
	hold, err := p.holdOf(b.Case, b.Wave)
	if err != nil {
		return err
	}
	if *hold == nil {
		return fmt.Errorf("there is no hold to lift")
	}
	set(p, hold, nil)
	return nil
}

func (b *CopyFetched) apply(p *Programme, n Note) error {
	w := p.Waves[b.Wave]
	if w == nil {
		return fmt.Errorf("there is no wave %s", b.Wave)
	}
	c := w.CopyOf(b.Holder)
	if c == nil {
		return fmt.Errorf("holder %s has no copy of wave %s", b.Holder, b.Wave)
	}
	push(p, &c.Fetches, Fetched{n.By, n.At, n.Seq})
	return nil
}

func (b *ReceiptLodged) apply(p *Programme, n Note) error {
	w := p.Waves[b.Wave]
	if w == nil {
		return fmt.Errorf("there is no wave %s", b.Wave)
	}
	c := w.CopyOf(b.Holder)
	if c == nil {
		return fmt.Errorf("holder %s has no copy of wave %s", b.Holder, b.Wave)
	}
	if c.Leaf != b.Leaf {
		return fmt.Errorf("the receipt is for another copy than that of holder %s in wave %s", b.Holder, b.Wave)
	}
	set(p, &c.Receipt, &Lodged{n, b.Origin, b.Tick, b.AnchorSize, b.AnchorRoot, b.Key, b.Signature})
	return nil
}
