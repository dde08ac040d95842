package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// Edits by hand (form.Edits) are frozen with the readings that they are of, before
// any key is opened, and decide nothing: what findings conclude rests on the
// readings as the reader gave them. What is computed with the edits stands beside
// it, and says whether the person and the reader would come to the same.

// maxEdits is the most bytes of edits, and the most edits.
const maxEdits = 1 << 20

// list is the readings of a basis, with its edits where it has some. They were
// applied before, so they can be.
func (b Basis) list() []fpcode.Reading {
	if b.Edits == nil {
		return b.Readings.List()
	}
	out, err := form.ApplyEdits(b.Readings, b.Edits)
	if err != nil {
		panic(err)
	}
	return out.Readings.List()
}

// EditsFrozen is the body of KindEditsFrozen. The subject is the case. It stands
// between the freeze of the readings and the opening of keys for them.
type EditsFrozen struct {
	Case, Package entrylog.Ref
	Readings      [32]byte // that they are of
	Edits         [32]byte // form.Edits.Hash
	Count         uint32
}

// Wire is the layout of doc/spec/findings.md.
func (b *EditsFrozen) Wire(c *wire.Coder) {
	c.Fixed(b.Case[:])
	c.Fixed(b.Package[:])
	c.Fixed(b.Readings[:])
	c.Fixed(b.Edits[:])
	c.U32(&b.Count)
	if c.Err() == nil && (b.Count == 0 || b.Count > maxEdits) {
		c.Fail("%d edits; 1 to %d are allowed", b.Count, maxEdits)
	}
}

// EditedBy is the part of findings about edits.
type EditedBy struct {
	FrozenAt    time.Time      `json:"frozen_at"` // before keys were opened for these readings
	Account     ID             `json:"account"`   // who brought them
	AccountName string         `json:"account_name"`
	Made        List[EditMade] `json:"made"`
	Readings    ReadingCounts  `json:"readings"` // with them
	PAttainable string         `json:"p_attainable"`
	With        List[Edited]   `json:"with"` // what wording says of the copies named, with them
}

// EditMade is one edit.
type EditMade struct {
	Site    string `json:"site"` // hex
	Was     string `json:"was"`
	Becomes string `json:"becomes"`
	By      string `json:"by"`
	Why     string `json:"why"`
}

// Edited is the wording's numbers of a named copy, with the edits.
type Edited struct {
	Holder        ID     `json:"holder"`
	Name          string `json:"name"`
	Score         int64  `json:"score"`
	PUpper        string `json:"p_upper"`
	PEstimate     string `json:"p_estimate"`
	PSampled      string `json:"p_sampled"`
	PSampledSE    string `json:"p_sampled_se"`
	PAdjusted     string `json:"p_adjusted"`
	Consistent    bool   `json:"consistent"`
	SitesRead     int    `json:"sites_read"`
	SitesAgreeing int    `json:"sites_agreeing"`
	Result        string `json:"result"` // what wording would say of it, alone
}

// WithEdits computes the part about edits that follows from readings and keys; who
// brought them, and when, is for the caller to add. It fails as form.ApplyEdits
// does.
func WithEdits(b Basis, e *form.Edits, alpha string, named []*Accused, key func(ID) fpcode.Key) (*EditedBy, error) {
	after, err := form.ApplyEdits(b.Readings, e)
	if err != nil {
		return nil, err
	}
	b.Edits = e
	out := &EditedBy{PAttainable: b.Attainable(), Readings: Counts(&after.Readings)}
	at := func(r *form.Readings, site fpcode.SiteID) string {
		i := slices.IndexFunc(r.Sites, func(s form.SiteReading) bool { return s.Site == site })
		return readingText(r.Sites[i].Reading)
	}
	for _, x := range e.List {
		out.Made = append(out.Made, EditMade{hex.EncodeToString(x.Site[:]), at(b.Readings, x.Site), at(&after.Readings, x.Site), x.By, x.Why})
	}
	for _, a := range named {
		n := b.under(a, key).Of(key(a.Holder))
		result := namesNone
		if n.Consistent && atMost(n.PAdjusted, alpha) {
			result = namesIt
		}
		out.With = append(out.With, Edited{a.Holder, a.Name, n.Score, n.PUpper, n.PEstimate, n.PSampled, n.PSampledSE, n.PAdjusted, n.Consistent, n.SitesRead, n.SitesAgreeing, result})
	}
	return out, nil
}

func readingText(r fpcode.Reading) string {
	switch {
	case r.State != fpcode.Value:
		return r.State.String()
	case len(r.Likelihood) > 0:
		return "a likelihood"
	}
	return fmt.Sprintf("symbol %d of %d", r.Symbol, r.Q)
}

const limitEdits = "%d readings were changed by hand, before keys were opened for them. The conclusion rests on what the reader read; with the changes, wording would name %d of the %d copies that it names without."

// laterLimits are the limits that follow from what only later versions of findings
// can say.
func (f *Findings) laterLimits() (out []string) {
	if e := f.Edits; e != nil {
		with, without := 0, 0
		for _, a := range append(slices.Clone(f.Accused), f.Conflicting...) {
			if !slices.Contains(a.NamedBy, EvidenceWording) {
				continue
			}
			without++
			if slices.ContainsFunc(e.With, func(x Edited) bool { return x.Holder == a.Holder && x.Result == namesIt }) {
				with++
			}
		}
		out = append(out, fmt.Sprintf(limitEdits, len(e.Made), with, without))
	}
	return append(out, f.accumulatedLimits()...)
}

// edits checks that the edits were frozen with the readings before the keys were
// opened, that they can be made, and every number with them.
func (v *verification) edits() (string, error) {
	e := v.f.Edits
	if len(v.d.Edits.Text) == 0 {
		if e != nil {
			return "", failf("the findings tell of edits; the dossier has none")
		}
		return "none were made", nil
	}
	if e == nil {
		return "", failf("the dossier has edits that the findings do not tell of")
	}
	if len(v.d.Edits.Frozen) != 1 {
		return "", failf("%d entries freeze the edits; there is one", len(v.d.Edits.Frozen))
	}
	entry, err := v.inquiryEntry(&v.d.Edits.Frozen[0])
	if err != nil {
		return "", err
	}
	var b EditsFrozen
	if entry.Kind != KindEditsFrozen {
		return "", failf("the entry is of kind %d, not %d", entry.Kind, KindEditsFrozen)
	}
	if err := wire.Unmarshal(entry.Body, &b); err != nil {
		return "", err
	}
	list, err := form.ParseEdits(v.d.Edits.Text)
	if err != nil {
		return "", failf("%v", err)
	}
	switch {
	case b.Case != v.frozen.Case || b.Package != v.frozen.Package || b.Readings != v.frozen.Readings:
		return "", failf("they were frozen for other readings")
	case b.Edits != sha256.Sum256(v.d.Edits.Text) || int64(b.Count) != int64(len(list.List)):
		return "", failf("they are not those that were frozen")
	case entry.Time.After(v.opened.Time) || v.d.Edits.Frozen[0].Anchor.Tick > v.d.Inquiry.Opened.Anchor.Tick:
		return "", failf("they were frozen on %s, after the keys were opened on %s", stamp(entry.Time), stamp(v.opened.Time))
	case !e.FrozenAt.Equal(entry.Time) || e.Account != ID(entry.Actor):
		return "", failf("the findings date them %s; the entry is of %s, or of another account", stamp(e.FrozenAt), stamp(entry.Time))
	}
	want, err := WithEdits(v.basis, list, v.f.Alpha, v.named(), func(h ID) fpcode.Key { return v.keys[h][0].Key })
	if err != nil {
		return "", failf("%v", err)
	}
	if !sameCounts(want.Readings, e.Readings) || want.PAttainable != e.PAttainable || !slices.Equal(want.Made, e.Made) || !slices.Equal(want.With, e.With) {
		return "", failf("what the findings say of the edits is not as computed again")
	}
	return fmt.Sprintf("%d, frozen on %s before the keys were opened; numbers with them computed again, the same. The conclusion rests on none", len(e.Made), stamp(entry.Time)), nil
}

// inquiryEntry opens an entry of the inquiry's log by its inner proof.
func (v *verification) inquiryEntry(p *entrylog.InnerProof) (entrylog.Entry, error) {
	e, err := p.Verify(v.inq, v.d.Inquiry.Interval)
	if err == nil {
		err = v.onInquiry.add(&p.AnchorProof)
	}
	return e, err
}
