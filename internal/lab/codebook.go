package lab

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

const (
	magicStem = "forewarn lab codebook v"
	magic     = magicStem + "1\n"
	maxTitle  = 1000
	maxName   = 64
	maxForm   = 256 << 20
	// MaxCopies is how many copies one experiment has at most.
	MaxCopies = 10_000
)

// ErrVersion: a codebook of a version that this program doesn't know.
var ErrVersion = errors.New("a codebook of another version")

// Codebook is all that it takes to trace: the Form, and the keys that everything
// else follows from. Specified in doc/spec/codebook.md.
type Codebook struct {
	Title   string
	Seeded  bool   // whether the keys were made from Seed, so that anybody has them
	Seed    uint64 // 0 unless Seeded
	Reader  string
	Decoder string
	Key     fpcode.Key // the package's: bias key and copy keys follow from it
	Recog   [16]byte   // recognition key of tokens
	Bias    [32]byte   // commitment to the bias key
	Copies  []Copy     // in order of name
	Form    *form.Form
}

// Copy is one that was issued.
type Copy struct {
	Name   string
	Holder [16]byte
	Key    [32]byte // commitment to its key
	Hash   [32]byte // of its files (doc/spec/copy.md)
}

// Wire lays out the codebook. What follows from the keys is checked.
func (b *Codebook) Wire(c *wire.Coder) {
	c.Magic(magic)
	wire.Text(c, &b.Title, maxTitle)
	c.Bool(&b.Seeded)
	c.U64(&b.Seed)
	wire.Text(c, &b.Reader, 64)
	wire.Text(c, &b.Decoder, 64)
	c.Fixed(b.Key[:])
	c.Fixed(b.Recog[:])
	c.Fixed(b.Bias[:])
	wire.List(c, &b.Copies, MaxCopies, func(c *wire.Coder, x *Copy) {
		wire.Text(c, &x.Name, maxName)
		c.Fixed(x.Holder[:])
		c.Fixed(x.Key[:])
		c.Fixed(x.Hash[:])
	})
	var f []byte
	if !c.Reading() {
		f = b.Form.Marshal()
	}
	c.Bytes(&f, maxForm)
	if c.Reading() && c.Err() == nil {
		var err error
		if b.Form, err = form.Parse(f); err != nil {
			c.Fail("the Form: %s", err)
		}
	}
	if c.Err() == nil {
		if err := b.check(); err != nil {
			c.Fail("%s", err)
		}
	}
}

func (b *Codebook) check() error {
	switch {
	case b.Seed != 0 && !b.Seeded:
		return errors.New("a seed, and keys that aren't from one")
	case b.Bias != fpcode.Commit(fpcode.BiasKey(b.Key)):
		return errors.New("the bias key isn't the one that was committed to")
	case len(b.Copies) == 0:
		return errors.New("no copies")
	}
	holders := map[[16]byte]bool{}
	for i, x := range b.Copies {
		switch {
		case x.Name == "" || strings.ContainsFunc(x.Name, func(r rune) bool { return r < ' ' || r > '~' }):
			return fmt.Errorf("copy %d: a name is of printable ASCII", i)
		case i > 0 && b.Copies[i-1].Name >= x.Name:
			return fmt.Errorf("copy %q: names are not strictly ascending", x.Name)
		case holders[x.Holder]:
			return fmt.Errorf("copy %q: its holder has another copy", x.Name)
		case x.Key != fpcode.Commit(fpcode.CopyKey(b.Key, x.Holder)):
			return fmt.Errorf("copy %q: its key isn't the one that was committed to", x.Name)
		}
		holders[x.Holder] = true
	}
	return nil
}

// Marshal is the canonical encoding. It panics on a codebook that Parse refuses.
func (b *Codebook) Marshal() []byte { return wire.Marshal(b) }

// Parse reads what Marshal wrote and nothing else. A codebook of another version is
// ErrVersion; other errors wrap wire.ErrFormat.
func Parse(data []byte) (*Codebook, error) {
	if rest, ok := bytes.CutPrefix(data, []byte(magicStem)); ok && !bytes.HasPrefix(data, []byte(magic)) {
		v, _, _ := bytes.Cut(rest[:min(len(rest), 16)], []byte("\n"))
		return nil, fmt.Errorf("%w: %q, and this program reads version 1", ErrVersion, v)
	}
	b := new(Codebook)
	if err := wire.Unmarshal(data, b); err != nil {
		return nil, err
	}
	return b, nil
}

// Name is the name of a holder's copy, empty if there is none.
func (b *Codebook) Name(holder [16]byte) string {
	for _, x := range b.Copies {
		if x.Holder == holder {
			return x.Name
		}
	}
	return ""
}
