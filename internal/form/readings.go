package form

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"math"
	"slices"

	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

const (
	readingsMagic = "forewarn readings v1\n"
	maxName       = 4096 // bytes of a specimen's name
)

// Span is a place in a specimen, in bytes of its data as it was found.
type Span struct {
	Specimen uint32 // index in the list of specimens that was read
	Offset   uint64
	Length   uint64
}

// SiteReading is what was read at one site and where. An Erased site that no
// specimen covers has no spans; an Other site lists every place that was
// looked at.
type SiteReading struct {
	fpcode.Reading
	Spans []Span // sorted by specimen, then offset
}

// Likeliest is the symbol that was read, or one of the likeliest, and by how many
// whole nats the next is behind it: 0 if there is no telling, or nothing was
// read, and math.MaxInt for a hard reading.
func (s *SiteReading) Likeliest() (symbol uint8, nats int) {
	if s.State != fpcode.Value {
		return 0, 0
	}
	if len(s.Likelihood) == 0 {
		return s.Symbol, math.MaxInt
	}
	symbol = uint8(slices.Index(s.Likelihood, 65535))
	nats = natsMost
	for x, l := range s.Likelihood {
		if x != int(symbol) {
			nats = min(nats, slices.IndexFunc(likelihood65535[:], func(n uint16) bool { return n <= max(l, likelihood65535[natsMost]) }))
		}
	}
	return symbol, nats
}

// SpecimenRef pins the bytes of a specimen that was read.
type SpecimenRef struct {
	Name string
	Size uint64
	Hash [32]byte // SHA-256 of the data
}

// Readings is the frozen result of reading: what stood at each site of a Form,
// by which reader, in exactly which bytes. The same Form and specimens give the
// same Readings, byte for byte, for one value of Reader.
type Readings struct {
	Reader    string // name and version of the algorithm
	Form      [32]byte
	Specimens []SpecimenRef
	Sites     []SiteReading // one for every site of the Form, in its order
}

// List is the readings alone, as the decoders take them.
func (r *Readings) List() []fpcode.Reading {
	out := make([]fpcode.Reading, len(r.Sites))
	for i := range r.Sites {
		out[i] = r.Sites[i].Reading
	}
	return out
}

// Count is the number of sites in each state.
func (r *Readings) Count() (value, other, erased int) {
	for i := range r.Sites {
		switch r.Sites[i].State {
		case fpcode.Value:
			value++
		case fpcode.Other:
			other++
		default:
			erased++
		}
	}
	return value, other, erased
}

// Marshal is the canonical encoding (doc/spec/form.md, Readings).
func (r *Readings) Marshal() []byte { return wire.Marshal(r) }

// Hash is the SHA-256 of Marshal: what an inquiry freezes.
func (r *Readings) Hash() [32]byte { return sha256.Sum256(r.Marshal()) }

// ParseReadings reads what Marshal wrote and nothing else.
func ParseReadings(b []byte) (*Readings, error) {
	r := new(Readings)
	if err := wire.Unmarshal(b, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Wire lays out the readings.
func (r *Readings) Wire(c *wire.Coder) {
	c.Magic(readingsMagic)
	wire.Text(c, &r.Reader, 64)
	c.Fixed(r.Form[:])
	wire.List(c, &r.Specimens, MaxSpecimens, func(c *wire.Coder, s *SpecimenRef) {
		wire.Text(c, &s.Name, maxName)
		c.U64(&s.Size)
		c.Fixed(s.Hash[:])
	})
	wire.List(c, &r.Sites, MaxSites, func(c *wire.Coder, s *SiteReading) {
		c.Fixed(s.Site[:])
		c.U8((*uint8)(&s.Class))
		c.U8(&s.Q)
		wire.Enum(c, &s.State, fpcode.Other)
		c.U8(&s.Symbol)
		wire.List(c, &s.Likelihood, MaxQ, func(c *wire.Coder, v *uint16) { c.U16(v) })
		wire.List(c, &s.Spans, MaxSpans, func(c *wire.Coder, p *Span) {
			c.U32(&p.Specimen)
			c.U64(&p.Offset)
			c.U64(&p.Length)
		})
	})
	r.check(c)
}

// check refuses readings that no reader writes, in either direction.
func (r *Readings) check(c *wire.Coder) {
	for i := range r.Sites {
		s := &r.Sites[i]
		switch {
		case c.Err() != nil:
			return
		case i > 0 && bytes.Compare(r.Sites[i-1].Site[:], s.Site[:]) >= 0:
			c.Fail("reading %d: sites are not strictly ascending", i)
		case s.Check() != nil:
			c.Fail("reading %d: %s", i, s.Check())
		}
		for j, p := range s.Spans {
			if int64(p.Specimen) >= int64(len(r.Specimens)) || p.Offset > r.Specimens[p.Specimen].Size ||
				p.Length > r.Specimens[p.Specimen].Size-p.Offset {
				c.Fail("reading %d: span %d lies outside its specimen", i, j)
			} else if j > 0 && s.Spans[j-1].compare(p) >= 0 {
				c.Fail("reading %d: spans are not strictly ascending", i)
			}
		}
	}
}

func (p Span) compare(o Span) int {
	return cmp.Or(cmp.Compare(p.Specimen, o.Specimen), cmp.Compare(p.Offset, o.Offset), cmp.Compare(p.Length, o.Length))
}
