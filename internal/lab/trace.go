package lab

import (
	"fmt"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Trace is what specimens say of the copies of a codebook.
type Trace struct {
	Readings form.Readings
	fpcode.Result
	Tokens []Hit // apart: none of the Result's numbers knows of them
}

// Hit is a token of an issued copy that stands in a specimen.
type Hit struct {
	Copy     string
	Slot     string
	Specimen int
	Offset   int
	Text     string
}

// Tracer reads and judges against one codebook, many times.
type Tracer struct {
	book    *Codebook
	reader  *form.Reader
	decoder fpcode.Decoder
	keys    map[[16]byte]fpcode.Key
	holders [][16]byte
	rec     *token.Recogniser
	slots   map[string]token.Alphabet
	owners  map[uint64]owner

	public map[[16]byte]bool
}

type owner struct{ copy, slot string }

// NewTracer prepares. It fails where the codebook names a reader or a decoder that
// this program doesn't have.
func NewTracer(b *Codebook) (*Tracer, error) {
	t := &Tracer{book: b, rec: token.NewRecogniser(b.Recog), keys: map[[16]byte]fpcode.Key{}, slots: map[string]token.Alphabet{}, owners: map[uint64]owner{}}
	var err error
	if t.reader, err = form.NewReaderVersion(b.Form, b.Reader); err != nil {
		return nil, err
	}
	d, ok := fpcode.Decoders[b.Decoder]
	if !ok {
		return nil, fmt.Errorf("the codebook names decoder %q, which this program doesn't have; use a version that does", b.Decoder)
	}
	t.decoder = d
	for _, s := range b.Form.Slots() {
		t.slots[s.Name] = s.Alphabet
	}
	for _, x := range b.Copies {
		key := fpcode.CopyKey(b.Key, x.Holder)
		t.keys[x.Holder] = key
		t.holders = append(t.holders, x.Holder)
		for slot := range t.slots {
			t.owners[b.identity(key, x.Holder, slot)] = owner{x.Name, slot}
		}
	}
	return t, nil
}

// Publish says that a copy is in everybody's hands, as the advisory once it is
// released: it may have been merged with others, and is never accused.
func (t *Tracer) Publish(name string) error {
	for _, x := range t.book.Copies {
		if x.Name == name {
			if t.public == nil {
				t.public = map[[16]byte]bool{}
			}
			t.public[x.Holder] = true
			return nil
		}
	}
	return fmt.Errorf("the codebook has no copy named %q", name)
}

// Trace reads the specimens and has the decoder judge: alpha is family-wise, run
// the how-manieth decoding of the codebook's package this is, from 1.
func (t *Tracer) Trace(specimens []form.Specimen, alpha float64, run int) (out Trace, err error) {
	out.Readings = t.reader.Read(specimens)
	out.Result, err = t.decoder.Decode(fpcode.Problem{
		Readings: out.Readings.List(), Laws: t.book.Form.Laws(), Holders: t.holders,
		CopyKey: func(h [16]byte) fpcode.Key { return t.keys[h] },
		Run:     run, Alpha: alpha, Seed: out.Readings.Hash(),
		Public: func(h [16]byte) bool { return t.public[h] },
	})
	if err != nil {
		return Trace{}, err
	}
	for i, s := range specimens {
		token.Scan(t.rec, s.Data, func(off int, a token.Alphabet, identity uint64) {
			if o, ok := t.owners[identity]; ok && t.slots[o.slot] == a {
				out.Tokens = append(out.Tokens, Hit{Copy: o.copy, Slot: o.slot, Specimen: i, Offset: off, Text: string(s.Data[off : off+a.Len()])})
			}
		})
	}
	return out, nil
}
