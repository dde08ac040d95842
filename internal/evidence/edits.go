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

// Edit is a reading that a person put right by hand: the reader took a smudge for
// a word, or missed one that everybody sees.
//
// Edits are frozen with the readings, before any key is opened, and decide
// nothing: what findings conclude rests on the readings without them. What is
// computed with them stands beside it, and says whether the person and the reader
// would come to the same.
type Edit struct {
	Site   fpcode.SiteID
	State  fpcode.State
	Symbol uint8  // of a value
	By     string // who saw it so
	Why    string
}

// MaxEdits is the most edits of one set of readings.
const MaxEdits = 4096

// Wire is the layout of doc/spec/findings.md.
func (e *Edit) Wire(c *wire.Coder) {
	c.Fixed(e.Site[:])
	wire.Enum(c, &e.State, fpcode.Other)
	c.U8(&e.Symbol)
	wire.Text(c, &e.By, 255)
	wire.Text(c, &e.Why, 4096)
	if c.Err() == nil && (e.By == "" || e.Why == "") {
		c.Fail("an edit says who made it and why")
	}
}

// edits is their one encoding.
type edits struct{ list []Edit }

func (e *edits) Wire(c *wire.Coder) { wire.Layouts(c, &e.list, MaxEdits) }

// MarshalEdits is the canonical encoding of edits, and what their hash is of.
// Errors wrap wire.ErrFormat.
func MarshalEdits(list []Edit) ([]byte, error) { return wire.Append(nil, &edits{list}) }

// ParseEdits reads what MarshalEdits wrote.
func ParseEdits(b []byte) ([]Edit, error) {
	var e edits
	err := wire.Unmarshal(b, &e)
	return e.list, err
}

// ApplyEdits gives the readings as a person would have them. It fails with
// ErrEdits when an edit is of a site that isn't there, of a symbol that the
// site doesn't have, of one that was edited before, or changes nothing; sites are
// ascending.
func ApplyEdits(readings []fpcode.Reading, list []Edit) ([]fpcode.Reading, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrEdits}, args...)...)
	}
	out := slices.Clone(readings)
	for n, e := range list {
		i := slices.IndexFunc(out, func(r fpcode.Reading) bool { return r.Site == e.Site })
		switch {
		case i < 0:
			return nil, bad("edit %d: the Form has no site %x", n+1, e.Site)
		case n > 0 && slices.Compare(list[n-1].Site[:], e.Site[:]) >= 0:
			return nil, bad("edit %d: edits are listed by site, one for each", n+1)
		}
		was := out[i]
		r := fpcode.Reading{Site: was.Site, Class: was.Class, Q: was.Q, State: e.State, Symbol: e.Symbol}
		if err := r.Check(); err != nil {
			return nil, bad("edit %d: %v", n+1, err)
		}
		if r.State == was.State && r.Symbol == was.Symbol && len(was.Likelihood) == 0 {
			return nil, bad("edit %d: site %x was read so", n+1, e.Site)
		}
		out[i] = r
	}
	return out, nil
}

// list is the readings of a basis, with its edits where it has some. They were
// applied before, so they can be.
func (b Basis) list() []fpcode.Reading {
	list := b.Readings.List()
	if len(b.Edits) == 0 {
		return list
	}
	out, err := ApplyEdits(list, b.Edits)
	if err != nil {
		panic(err)
	}
	return out
}

// EditsFrozen is the body of KindEditsFrozen. The subject is the case. It stands
// between the freeze of the readings and the opening of keys for them.
type EditsFrozen struct {
	Case, Package entrylog.Ref
	Readings      [32]byte // that they are of
	Edits         [32]byte // SHA-256 of MarshalEdits
	Count         uint32
}

// Wire is the layout of doc/spec/findings.md.
func (b *EditsFrozen) Wire(c *wire.Coder) {
	c.Fixed(b.Case[:])
	c.Fixed(b.Package[:])
	c.Fixed(b.Readings[:])
	c.Fixed(b.Edits[:])
	c.U32(&b.Count)
	if c.Err() == nil && (b.Count == 0 || b.Count > MaxEdits) {
		c.Fail("%d edits; 1 to %d are allowed", b.Count, MaxEdits)
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
// brought them, and when, is for the caller to add. It fails as ApplyEdits does.
func WithEdits(b Basis, list []Edit, alpha string, named []*Accused, key func(ID) fpcode.Key) (*EditedBy, error) {
	before := b.Readings.List()
	after, err := ApplyEdits(before, list)
	if err != nil {
		return nil, err
	}
	b.Edits = list
	out := &EditedBy{PAttainable: b.Attainable(), Readings: countsOf(after)}
	for _, e := range list {
		i := slices.IndexFunc(before, func(r fpcode.Reading) bool { return r.Site == e.Site })
		out.Made = append(out.Made, EditMade{hex.EncodeToString(e.Site[:]), readingText(before[i]), readingText(after[i]), e.By, e.Why})
	}
	for _, a := range named {
		n := b.Of(key(a.Holder))
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

// countsOf is Counts of a list.
func countsOf(list []fpcode.Reading) ReadingCounts {
	r := form.Readings{}
	for _, x := range list {
		r.Sites = append(r.Sites, form.SiteReading{Reading: x})
	}
	return Counts(&r)
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
	if len(v.d.Edits.List) == 0 {
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
	text, err := MarshalEdits(v.d.Edits.List)
	if err != nil {
		return "", err
	}
	switch {
	case b.Case != v.frozen.Case || b.Package != v.frozen.Package || b.Readings != v.frozen.Readings:
		return "", failf("they were frozen for other readings")
	case b.Edits != sha256.Sum256(text) || int(b.Count) != len(v.d.Edits.List):
		return "", failf("they are not those that were frozen")
	case entry.Time.After(v.opened.Time) || v.d.Edits.Frozen[0].Anchor.Tick > v.d.Inquiry.Opened.Anchor.Tick:
		return "", failf("they were frozen on %s, after the keys were opened on %s", stamp(entry.Time), stamp(v.opened.Time))
	case !e.FrozenAt.Equal(entry.Time) || e.Account != ID(entry.Actor):
		return "", failf("the findings date them %s; the entry is of %s, or of another account", stamp(e.FrozenAt), stamp(entry.Time))
	}
	want, err := WithEdits(v.basis, v.d.Edits.List, v.f.Alpha, v.named(), func(h ID) fpcode.Key { return v.keys[h][0].Key })
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
