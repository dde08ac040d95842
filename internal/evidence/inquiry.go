package evidence

import (
	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// The kinds of the inquiry's own log that a dossier opens. Like the kinds of the
// main log they are never changed and never used again.
const (
	KindReadingsFrozen entrylog.Kind = 2
	KindCodebookOpened entrylog.Kind = 3
)

// ReadingsFrozen is the body of KindReadingsFrozen: what was read in which
// specimens, bound before any key is opened. The subject is the case.
type ReadingsFrozen struct {
	Case, Package entrylog.Ref
	Form          [32]byte
	Reader        string
	Readings      [32]byte   // form.Readings.Hash
	Specimens     [][32]byte // SHA-256 of each, in the order they were read
}

// Wire is the layout of doc/spec/dossier.md.
func (r *ReadingsFrozen) Wire(c *wire.Coder) {
	c.Fixed(r.Case[:])
	c.Fixed(r.Package[:])
	c.Fixed(r.Form[:])
	wire.Text(c, &r.Reader, 64)
	c.Fixed(r.Readings[:])
	wire.List(c, &r.Specimens, form.MaxSpecimens, func(c *wire.Coder, h *[32]byte) { c.Fixed(h[:]) })
}

// CodebookOpened is the body of KindCodebookOpened: the keys of all copies of a
// package were used once more. Every accusation of that run is corrected by
// Run·(Run+1). The subject is the package.
type CodebookOpened struct {
	Case, Package entrylog.Ref
	Run           uint32   // of this package, from 1
	Copies        uint32   // that were tested
	Readings      [32]byte // as frozen before
}

// Wire is the layout of doc/spec/dossier.md.
func (o *CodebookOpened) Wire(c *wire.Coder) {
	c.Fixed(o.Case[:])
	c.Fixed(o.Package[:])
	c.U32(&o.Run)
	c.U32(&o.Copies)
	c.Fixed(o.Readings[:])
	if c.Err() == nil && (o.Run == 0 || o.Copies == 0) {
		c.Fail("run %d over %d copies; both are counted from 1", o.Run, o.Copies)
	}
}
