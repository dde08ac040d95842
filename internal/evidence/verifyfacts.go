package evidence

import (
	"fmt"
	"slices"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// The kinds of the main log that findings cite. Their layouts are frozen; those
// who write them keep a layout of their own, and a test compares the two.
const (
	kindCopyFetched   entrylog.Kind = 27
	kindReceiptLodged entrylog.Kind = 28

	kindCommitmentNoted entrylog.Kind = 37
	kindGroupDeclared   entrylog.Kind = 44
)

// fetched is the body of kindCopyFetched.
type fetched struct{ Wave, Holder entrylog.Ref }

func (b *fetched) Wire(c *wire.Coder) {
	c.Fixed(b.Wave[:])
	c.Fixed(b.Holder[:])
}

// lodged is the body of kindReceiptLodged: a whole Receipt.
type lodged struct {
	fetched
	Receipt
}

func (b *lodged) Wire(c *wire.Coder) {
	b.fetched.Wire(c)
	wire.Text(c, &b.Origin, 255)
	tick := uint64(b.Tick)
	c.U64(&tick)
	b.Tick = entrylog.Tick(tick)
	c.U64(&b.AnchorSize)
	c.Fixed(b.AnchorRoot[:])
	c.Fixed(b.Leaf[:])
	c.Fixed(b.Key[:])
	c.Fixed(b.Signature[:])
}

// declared is the body of kindGroupDeclared.
type declared struct {
	Group   entrylog.Ref
	Members []entrylog.Ref // ascending
}

func (b *declared) Wire(c *wire.Coder) {
	c.Fixed(b.Group[:])
	wire.List(c, &b.Members, maxGroup, func(c *wire.Coder, r *entrylog.Ref) { c.Fixed(r[:]) })
}

const maxGroup = 4096 // members

// fact is an opened entry and the tick that it is proved by.
type fact struct {
	entrylog.Entry
	tick entrylog.Tick
}

// facts checks every opened entry, and that each fetch, receipt and group which
// the findings cite is among them and says what they say.
func (v *verification) facts() (string, error) {
	opened := map[uint64]fact{}
	limit, _ := KnownBefore(v.f.FrozenAt, v.f.Specimens)
	for i := range v.d.Facts {
		p := &v.d.Facts[i].Proof
		e, err := p.Verify(v.log, v.d.Programme.Interval)
		if err == nil {
			err = v.onLog.add(&p.AnchorProof)
		}
		if err != nil {
			return "", fmt.Errorf("entry %d: %w", p.Seq, err)
		}
		if _, ok := opened[uint64(p.Seq)]; ok {
			return "", failf("entry %d is opened twice", p.Seq)
		}
		opened[uint64(p.Seq)] = fact{e, p.Anchor.Tick}
	}
	v.facted = opened
	if err := v.groups(opened); err != nil {
		return "", err
	}
	cited := 0
	for _, a := range v.named() {
		acknowledged := map[*OpenedCopy]bool{}
		for _, x := range a.Fetches {
			cited++
			var b fetched
			if err := v.cited(opened, x, kindCopyFetched, &b); err != nil {
				return "", fmt.Errorf("%s: the fetch cited as entry %d: %w", a.Name, x.Entry, err)
			}
			if v.openedCopy(a.Holder, b) == nil {
				return "", failf("%s: the fetch cited as entry %d is of another copy", a.Name, x.Entry)
			}
		}
		for _, x := range a.Receipts {
			cited++
			var b lodged
			if err := v.cited(opened, x, kindReceiptLodged, &b); err != nil {
				return "", fmt.Errorf("%s: the receipt cited as entry %d: %w", a.Name, x.Entry, err)
			}
			o := v.openedCopy(a.Holder, b.fetched)
			if o == nil || o.leaf() != b.Leaf {
				return "", failf("%s: the receipt cited as entry %d is for another copy", a.Name, x.Entry)
			}
			if err := b.Receipt.Verify(); err != nil {
				return "", fmt.Errorf("%s: the receipt cited as entry %d: %w", a.Name, x.Entry, err)
			}
			if err := v.witness(&b.Receipt); err != nil {
				return "", fmt.Errorf("%s: the receipt cited as entry %d: %w", a.Name, x.Entry, err)
			}
			if opened[x.Entry].tick.Instant(v.d.Programme.Interval).Before(limit) {
				acknowledged[o] = true
			}
		}
		for i, c := range a.Copies {
			if c.Acknowledged != acknowledged[v.keys[a.Holder][i]] {
				return "", failf("%s: the copy in %s is said to be acknowledged: %t; by the receipts cited it is %t", a.Name, c.Label, c.Acknowledged, !c.Acknowledged)
			}
		}
	}
	return fmt.Sprintf("%d opened, each in the anchored log; %d fetches and receipts cited, each among them", len(opened), cited), nil
}

// witness holds a receipt, which is a word on the anchor log too, against the
// dossier's checkpoint of it.
func (v *verification) witness(r *Receipt) error {
	here, err := entrylog.OpenCheckpoint(v.onLog.checkpoint, v.log)
	if err != nil {
		return err
	}
	if _, ok := (entrylog.Checkpoint{Origin: r.Origin}).Recovery(v.log.Name()); !ok {
		return failf("it is of the log %q", r.Origin)
	}
	if r.Origin == here.Origin && r.AnchorSize == here.Size && r.AnchorRoot != here.Root {
		return failf("the log was forked: its holder was shown another root at size %d than this dossier has", r.AnchorSize)
	}
	return nil
}

// groups checks that common ownership was declared before the first wave was
// sealed: afterwards it could be invented to join what contradicts.
func (v *verification) groups(opened map[uint64]fact) error {
	entry := map[ID]uint64{}
	for _, a := range v.named() {
		g := a.Group
		if g.ID.IsZero() {
			if g.Entry != 0 || g.Name != "" || len(g.Members) > 0 {
				return failf("%s: a group without an id", a.Name)
			}
			continue
		}
		if e, ok := entry[g.ID]; ok && e != g.Entry {
			return failf("%s: the group %s is cited by two entries", a.Name, g.Name)
		}
		entry[g.ID] = g.Entry
		e, ok := opened[g.Entry]
		var b declared
		switch {
		case !ok || e.Kind != kindGroupDeclared || e.Subject != entrylog.Ref(g.ID):
			return failf("%s: the entry %d that declares the group %s is not opened here", a.Name, g.Entry, g.Name)
		case !e.Time.Before(v.waveEntry[0].Time) || e.tick > v.d.Waves[0].Anchor.Tick:
			return failf("%s: the group %s was declared on %s, not before the first wave was sealed", a.Name, g.Name, stamp(e.Time))
		}
		if err := wire.Unmarshal(e.Body, &b); err != nil {
			return fmt.Errorf("%s: the declaration of the group: %w", a.Name, err)
		}
		if b.Group != entrylog.Ref(g.ID) || !slices.Contains(b.Members, entrylog.Ref(a.Holder)) || len(g.Members) > len(b.Members) {
			return failf("%s: entry %d declares other members of the group %s", a.Name, g.Entry, g.Name)
		}
	}
	return nil
}

// cited reads the body of an entry that findings cite.
func (v *verification) cited(opened map[uint64]fact, x Access, kind entrylog.Kind, body wire.Layout) error {
	e, ok := opened[x.Entry]
	switch {
	case !ok:
		return failf("the entry is not opened here")
	case e.Kind != kind:
		return failf("the entry is of kind %d, not %d", e.Kind, kind)
	case !e.Time.Equal(x.At) || ID(e.Actor) != x.Account:
		return failf("the entry is of another time or account")
	}
	return wire.Unmarshal(e.Body, body)
}

// openedCopy is the copy that a fetch or receipt is about, if it is opened.
func (v *verification) openedCopy(holder ID, about fetched) *OpenedCopy {
	if ID(about.Holder) != holder {
		return nil
	}
	for _, o := range v.keys[holder] {
		if v.wave[o.Wave].Wave == about.Wave {
			return o
		}
	}
	return nil
}
