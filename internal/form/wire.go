package form

import (
	"bytes"
	"crypto/sha256"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// Version 1 is for Forms of profile single, whose sites have no law to name;
// version 2 for all others. So one Form has one encoding.
const (
	formMagic   = "forewarn form v1\n"
	formMagic2  = "forewarn form v2\n"
	slotsMagic  = "forewarn slots v1\n"
	slotsMagic2 = "forewarn slots v2\n"
)

// versioned lays out a magic and, in version 2, the profile. The zero Profile is
// version 1.
func versioned(c *wire.Coder, v1, v2 string, p *fpcode.Profile) (laws bool) {
	if laws = c.Either(v1, v2, *p != 0); laws {
		c.U8((*uint8)(p))
		if c.Err() == nil && *p <= fpcode.Single {
			c.Fail("profile %d has no place in version 2", *p)
		}
	}
	return laws
}

// Limits of a Form and of what is read against it.
const (
	MaxSites       = 1 << 16
	MaxQ           = 24       // symbols of a site: the orders of four items
	MaxFiles       = 1000     // output files
	MaxParts       = 1 << 18  // parts of a file
	MaxAlternative = 64 << 10 // bytes of one alternative
	MaxFile        = 8 << 20  // bytes of one output file, whatever the symbols
	MaxTotal       = 64 << 20 // bytes of all output files together
	MaxSlot        = 64       // bytes of a token slot's name
	MaxSpecimens   = 10_000   // specimens of one reading
	MaxSpans       = 256      // places listed for one site of a reading
)

// Wire lays out the Form. Every part has every field, those that its kind does
// not use being empty; alternatives that are the same bytes are written once.
func (f *Form) Wire(c *wire.Coder) {
	laws := versioned(c, formMagic, formMagic2, &f.Profile)
	wire.List(c, &f.Sites, MaxSites, siteWire(laws))
	wire.List(c, &f.Files, MaxFiles, func(c *wire.Coder, file *File) {
		wire.Text(c, &file.Path, maxPath)
		wire.Enum(c, &file.Level, PoC)
		c.Bool(&file.Bulk)
		wire.List(c, &file.Parts, MaxParts, partWire)
	})
	if c.Err() == nil {
		if err := f.Check(); err != nil {
			c.Fail("%s", err)
		}
	}
}

func siteWire(laws bool) func(c *wire.Coder, s *Site) {
	return func(c *wire.Coder, s *Site) {
		c.Fixed(s.ID[:])
		c.U8((*uint8)(&s.Class))
		c.U8(&s.Q)
		if laws {
			c.U8(&s.Law)
		}
	}
}

func partWire(c *wire.Coder, p *Part) {
	wire.Enum(c, &p.Kind, Token)
	c.Bytes(&p.Bytes, MaxFile)
	c.U32(&p.Site)
	texts, of := p.distinct()
	wire.List(c, &texts, MaxQ, func(c *wire.Coder, b *[]byte) { c.Bytes(b, MaxAlternative) })
	c.Bytes(&of, MaxQ)
	wire.Text(c, &p.Slot, MaxSlot)
	wire.Enum(c, &p.Alphabet, token.Base62)
	if !c.Reading() || c.Err() != nil {
		return
	}
	p.Alternatives = nil
	for _, i := range of {
		if int(i) >= len(texts) {
			c.Fail("alternative %d of %d", i, len(texts))
			return
		}
		p.Alternatives = append(p.Alternatives, texts[i])
	}
	// Only the order of first use, without repeats or unused texts, is canonical.
	again, ofAgain := p.distinct()
	if len(again) != len(texts) || !bytes.Equal(of, ofAgain) {
		c.Fail("alternatives are not listed once each in the order of their symbols")
	}
}

// distinct is the alternatives without repeats, in the order in which symbols
// first use them, and for each symbol which of them it is.
func (p *Part) distinct() (texts [][]byte, of []byte) {
	for _, a := range p.Alternatives {
		i := 0
		for i < len(texts) && !bytes.Equal(texts[i], a) {
			i++
		}
		if i == len(texts) {
			texts = append(texts, a)
		}
		of = append(of, uint8(i))
	}
	return texts, of
}

// Marshal is the canonical encoding (doc/spec/form.md). It panics when Check
// refuses the Form.
func (f *Form) Marshal() []byte { return wire.Marshal(f) }

// Parse reads what Marshal wrote and nothing else: a Form that parses
// re-encodes identically and passes Check. Errors wrap wire.ErrFormat.
func Parse(b []byte) (*Form, error) {
	f := new(Form)
	if err := wire.Unmarshal(b, f); err != nil {
		return nil, err
	}
	return f, nil
}

// Hash is the SHA-256 of Marshal: what a wave commits to.
func (f *Form) Hash() [32]byte { return sha256.Sum256(f.Marshal()) }

// SlotTable is the part of a Form that decoding needs and that gives away no
// text: its sites, and its token slots in order of name. Like the Form it is
// committed to before anything leaves.
func (f *Form) SlotTable() []byte { return wire.Marshal(&slotTable{f.Profile, f.Sites, f.Slots()}) }

// SlotTableHash is the SHA-256 of SlotTable.
func (f *Form) SlotTableHash() [32]byte { return sha256.Sum256(f.SlotTable()) }

type slotTable struct {
	profile fpcode.Profile
	sites   []Site
	slots   []Slot
}

func (t *slotTable) Wire(c *wire.Coder) {
	laws := versioned(c, slotsMagic, slotsMagic2, &t.profile)
	wire.List(c, &t.sites, MaxSites, siteWire(laws))
	wire.List(c, &t.slots, MaxFiles*MaxParts, func(c *wire.Coder, s *Slot) {
		wire.Text(c, &s.Name, MaxSlot)
		wire.Enum(c, &s.Alphabet, token.Base62)
	})
}
