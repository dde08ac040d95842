package evidence

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// The kinds of the inquiry's own log that a dossier opens. Like the kinds of the
// main log they are never changed and never used again.
const (
	KindReadingsFrozen  entrylog.Kind = 2
	KindCodebookOpened  entrylog.Kind = 3
	KindEditsFrozen     entrylog.Kind = 5
	KindFindingsDrafted entrylog.Kind = 6
	KindFindingsStage   entrylog.Kind = 7
)

// ReadingsFrozen is the body of KindReadingsFrozen: what was read in which
// specimens, bound before any key is opened. The subject is the case.
type ReadingsFrozen struct {
	Case, Package entrylog.Ref
	Form          [32]byte
	Reader        string
	Readings      [32]byte         // form.Readings.Hash
	Specimens     []FrozenSpecimen // in the order they were read
}

// FrozenSpecimen pins a specimen, and when it is said to have been known to
// exist: what decides whether a copy or a token can have to do with it is bound
// before anybody knows whose it would be.
type FrozenSpecimen struct {
	SHA256   [32]byte
	From, To time.Time // zero: unknown
}

// Wire is the hash and the two times.
func (s *FrozenSpecimen) Wire(c *wire.Coder) {
	c.Fixed(s.SHA256[:])
	c.Time(&s.From)
	c.Time(&s.To)
}

// Wire is the layout of doc/spec/dossier.md.
func (r *ReadingsFrozen) Wire(c *wire.Coder) {
	c.Fixed(r.Case[:])
	c.Fixed(r.Package[:])
	c.Fixed(r.Form[:])
	wire.Text(c, &r.Reader, 64)
	c.Fixed(r.Readings[:])
	wire.Layouts(c, &r.Specimens, form.MaxSpecimens)
}

// CodebookOpened is the body of KindCodebookOpened: the keys of all copies of a
// package were used once more. Every accusation of that run is corrected for
// it (Spend). The subject is the package.
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
