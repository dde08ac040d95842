package evidence

import (
	"fmt"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// The kinds of the main log that findings cite. Their layouts are frozen; those
// who write them keep a layout of their own, and a test compares the two.
const (
	kindCopyFetched   entrylog.Kind = 27
	kindReceiptLodged entrylog.Kind = 28
)

// fetched is the body of kindCopyFetched.
type fetched struct{ Wave, Holder entrylog.Ref }

func (b *fetched) Wire(c *wire.Coder) {
	c.Fixed(b.Wave[:])
	c.Fixed(b.Holder[:])
}

// lodged is the body of kindReceiptLodged: a Receipt whose origin is the log's.
type lodged struct {
	fetched
	Receipt
}

func (b *lodged) Wire(c *wire.Coder) {
	b.fetched.Wire(c)
	tick := uint64(b.Tick)
	c.U64(&tick)
	b.Tick = entrylog.Tick(tick)
	c.U64(&b.AnchorSize)
	c.Fixed(b.AnchorRoot[:])
	c.Fixed(b.Leaf[:])
	c.Fixed(b.Key[:])
	c.Fixed(b.Signature[:])
}

// facts checks every opened entry, and that each fetch and receipt which the
// findings cite is among them and says what they say.
func (v *verification) facts() (string, error) {
	opened := map[uint64]entrylog.Entry{}
	for i := range v.d.Facts {
		p := &v.d.Facts[i].Proof
		e, err := p.Verify(v.log, v.d.Programme.Interval)
		if err != nil {
			return "", fmt.Errorf("entry %d: %w", p.Seq, err)
		}
		if _, ok := opened[uint64(p.Seq)]; ok {
			return "", failf("entry %d is opened twice", p.Seq)
		}
		opened[uint64(p.Seq)] = e
	}
	cited := 0
	for _, a := range v.named() {
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
			b.Origin = v.log.Name()
			if err := b.Receipt.Verify(); err != nil {
				return "", fmt.Errorf("%s: the receipt cited as entry %d: %w", a.Name, x.Entry, err)
			}
		}
	}
	return fmt.Sprintf("%d opened, each in the anchored log; %d fetches and receipts cited, each among them", len(opened), cited), nil
}

// cited reads the body of an entry that findings cite.
func (v *verification) cited(opened map[uint64]entrylog.Entry, x Access, kind entrylog.Kind, body wire.Layout) error {
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
