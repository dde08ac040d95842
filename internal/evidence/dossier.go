package evidence

import (
	"crypto/sha256"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

const dossierMagic = "forewarn dossier v1\n"

// The limits of a dossier.
const (
	MaxDossier  = 1 << 30   // bytes of a dossier
	maxSection  = 512 << 20 // bytes of one section
	maxForm     = 96 << 20  // bytes of one Form: its literals are the files' (form.MaxTotal)
	maxFormsAll = 128 << 20 // bytes of all Forms together: parsing one takes several times its size
	maxWaves    = 4096
	maxCopies   = 128
	maxFacts    = 65536
	maxForms    = 16
)

// Dossier is findings with everything they rest on, in one canonical file
// (doc/spec/dossier.md). Build one, Sign it, and hand it to whoever has to
// judge; VerifyDossier is what they run.
type Dossier struct {
	Programme Programme
	Findings  []byte // Findings.Marshal
	Specimens []form.Specimen
	Forms     []SealedForm // the one that was read, and those of other waves named in the findings
	Readings  []byte       // form.Readings.Marshal
	Bias      fpcode.Key
	Rec       [16]byte // recognition key: tokens are written again with it
	Run       Run      // the sealer's word on how often, and over what, codes were opened
	Issued    IssuedOpening
	Waves     []entrylog.EntryProof // KindWaveSealed: all of the package's, oldest first
	Copies    []OpenedCopy          // of those named, one for each copy that the findings list; and one of each partner
	Facts     []Fact                // opened entries of the main log behind fetches, receipts and groups
	Inquiry   Inquiry

	// What only version 2 has. A dossier with none of it is of version 1.
	Edits   DossierEdits
	History []HistoryCase
	Life    []LifeEntry

	signature [64]byte
}

// Programme says which log the waves and facts are in.
type Programme struct {
	Key      string        // vkey of C2SP signed-note; its name is the log's origin
	Interval time.Duration // of the anchors, whole seconds
}

// Inquiry says who signed, and what its own log holds.
type Inquiry struct {
	Key      string        // vkey: signs the inquiry's log and this dossier
	Interval time.Duration // of its anchors, whole seconds
	Freeze   entrylog.EntryProof
	Opened   entrylog.EntryProof
	Noted    entrylog.InnerProof // on the programme's log: the commitment to Freeze
}

// SealedForm is a Form under the revision that it was compiled for.
type SealedForm struct {
	Revision entrylog.Ref
	Form     []byte // form.Form.Marshal
}

// IssuedOpening opens WaveStatement.Issued of one wave: the last one before the
// codebook was opened.
type IssuedOpening struct {
	Wave   uint32 // index in Dossier.Waves
	Copies uint32
	Salt   [32]byte
}

// OpenedCopy opens one copy's commitment: with it the copy can be printed again,
// since its marks and its tokens follow from its key.
type OpenedCopy struct {
	Holder   entrylog.Ref
	Wave     uint32 // index in Dossier.Waves
	Key      fpcode.Key
	LeafSalt [32]byte
	Copy     [32]byte
	Path     entrylog.BlindProof
}

// Fact is an opened entry of the main log, and what it says in words. The words
// are the inquiry's; the entry is the log's.
type Fact struct {
	Statement string
	Proof     entrylog.InnerProof
}

// section is one named part of the file.
type section struct {
	name string
	lay  func(*Dossier, *wire.Coder)
}

// The order is the format's.
var sections = []section{
	{"programme", func(d *Dossier, c *wire.Coder) {
		wire.Text(c, &d.Programme.Key, 512)
		seconds(c, &d.Programme.Interval)
	}},
	{"findings", func(d *Dossier, c *wire.Coder) { c.Bytes(&d.Findings, MaxFindings) }},
	{"specimens", func(d *Dossier, c *wire.Coder) {
		wire.List(c, &d.Specimens, form.MaxSpecimens, func(c *wire.Coder, s *form.Specimen) {
			wire.Text(c, &s.Name, 4096)
			c.Bytes(&s.Data, maxSection)
		})
	}},
	{"forms", func(d *Dossier, c *wire.Coder) {
		wire.List(c, &d.Forms, maxForms, func(c *wire.Coder, f *SealedForm) {
			c.Fixed(f.Revision[:])
			c.Bytes(&f.Form, maxForm)
		})
	}},
	{"readings", func(d *Dossier, c *wire.Coder) { c.Bytes(&d.Readings, maxSection) }},
	{"keys", func(d *Dossier, c *wire.Coder) {
		c.Fixed(d.Bias[:])
		c.Fixed(d.Rec[:])
	}},
	{"run", func(d *Dossier, c *wire.Coder) { d.Run.Wire(c) }},
	{"copies issued", func(d *Dossier, c *wire.Coder) {
		c.U32(&d.Issued.Wave)
		c.U32(&d.Issued.Copies)
		c.Fixed(d.Issued.Salt[:])
	}},
	{"waves", func(d *Dossier, c *wire.Coder) { wire.Layouts(c, &d.Waves, maxWaves) }},
	{"copies", func(d *Dossier, c *wire.Coder) { wire.Layouts(c, &d.Copies, maxCopies) }},
	{"facts", func(d *Dossier, c *wire.Coder) {
		wire.List(c, &d.Facts, maxFacts, func(c *wire.Coder, f *Fact) {
			wire.Text(c, &f.Statement, 4096)
			f.Proof.Wire(c)
		})
	}},
	{"inquiry", func(d *Dossier, c *wire.Coder) {
		wire.Text(c, &d.Inquiry.Key, 512)
		seconds(c, &d.Inquiry.Interval)
		d.Inquiry.Freeze.Wire(c)
		d.Inquiry.Opened.Wire(c)
		d.Inquiry.Noted.Wire(c)
	}},
}

// seconds is a positive whole number of seconds, at most a day, as a u32.
func seconds(c *wire.Coder, d *time.Duration) {
	s := uint32(*d / time.Second)
	c.U32(&s)
	if c.Err() == nil && (s == 0 || s > 86400 || !c.Reading() && time.Duration(s)*time.Second != *d) {
		c.Fail("an interval is 1 to 86,400 whole seconds")
		return
	}
	*d = time.Duration(s) * time.Second
}

// table is what is signed: magic, then each section's name and hash.
func (f *format) table(hashes [][32]byte) []byte {
	return wire.Marshal(layoutFunc(func(c *wire.Coder) {
		c.Magic(f.magic)
		for i, s := range f.sections {
			name := s.name
			wire.Text(c, &name, 32)
			c.Fixed(hashes[i][:])
		}
	}))
}

// Sign lays the dossier out and signs it with the inquiry's key, whose vkey must
// be d.Inquiry.Key. It doesn't verify; run VerifyDossier on what it returns
// before you hand it to anybody.
func (d *Dossier) Sign(inquiry note.Signer) ([]byte, error) {
	f := d.format()
	bodies := make([][]byte, len(f.sections))
	hashes := make([][32]byte, len(f.sections))
	for i, s := range f.sections {
		b, err := wire.Append(nil, layoutFunc(func(c *wire.Coder) { s.lay(d, c) }))
		if err != nil {
			return nil, fmt.Errorf("the dossier's section %q cannot be written: %w", s.name, err)
		}
		bodies[i], hashes[i] = b, sha256.Sum256(b)
	}
	signature, err := inquiry.Sign(f.table(hashes))
	if err != nil {
		return nil, fmt.Errorf("the dossier could not be signed: %w", err)
	}
	if len(signature) != len(d.signature) {
		return nil, fmt.Errorf("the dossier could not be signed: the inquiry's key is not an Ed25519 key")
	}
	copy(d.signature[:], signature)
	return wire.Append(nil, layoutFunc(func(c *wire.Coder) { f.frame(c, &bodies, hashes, &d.signature) }))
}

// frame is the file: magic, named sections, the table of their hashes, the
// signature.
func (f *format) frame(c *wire.Coder, bodies *[][]byte, hashes [][32]byte, signature *[64]byte) {
	c.Magic(f.magic)
	for i, s := range f.sections {
		name := s.name
		wire.Text(c, &name, 32)
		if c.Err() == nil && name != s.name {
			c.Fail("section %d is called %q; it should be %q", i+1, name, s.name)
		}
		most := maxSection
		if s.name == "forms" {
			most = maxFormsAll
		}
		c.Bytes(&(*bodies)[i], most)
	}
	for i := range hashes {
		c.Fixed(hashes[i][:])
	}
	c.Fixed(signature[:])
}
