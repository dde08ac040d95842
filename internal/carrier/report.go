package carrier

import (
	"math"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// Millibits is an amount of identification in thousandths of a bit, rounded
// down: the entropy of what a copy shows. In the single profile a site of q symbols
// carries log₂ q bits.
type Millibits uint64

// Bits is the amount in bits, for people.
func (m Millibits) Bits() float64 { return float64(m) / 1000 }

// lawBits is how much a reading of a site with that law identifies the one copy
// that it is from, on average.
func lawBits(l fpcode.Law) Millibits {
	var bits float64
	for v := range l.Q() {
		bits -= l.P(v) * math.Log2(l.P(v))
	}
	return Millibits(math.Floor(1000*bits + 1e-6))
}

// Report says what can be traced in a package: what an author is shown before
// anything is sealed. It gives away no key and no mark's value.
type Report struct {
	Files       []FileReport  // sorted by path
	Classes     []ClassReport // of the whole package, in order of class; only those with sites
	Sites       uint32        // a site that stands in several files counts once
	Bits        Millibits
	Tokens      uint32 // slots: different tokens of one copy
	Bytes       uint64 // of one copy, about: its length differs by which alternatives it shows
	Untraceable uint64 // bytes of files that are the same in every copy
	Warnings    []Warning
}

// FileReport is the part of one output file.
type FileReport struct {
	Path    string
	Level   form.Level
	Format  string // "markdown", "csaf", "sigma", …
	Bulk    bool
	Prose   bool // running text, of which an excerpt may leak
	Bytes   uint64
	Words   uint32
	Classes []ClassReport
	Sites   uint32
	Bits    Millibits
	Tokens  uint32 // slots in this file
	Third   Third  // of prose
}

// Untraceable reports whether the file is the same in every copy.
func (f *FileReport) Untraceable() bool { return f.Sites == 0 && f.Tokens == 0 }

// ClassReport is the part of one carrier class.
type ClassReport struct {
	Class fpcode.Class
	Sites uint32
	Bits  Millibits
}

// Third is the least that any contiguous third of a file holds. A site counts
// when it can be read from the third alone: a choice with all of its words, an
// order with all of its items.
type Third struct {
	Sites uint32    // least number of sites
	Bits  Millibits // least bits, perhaps of another third
	Line  uint32    // of the source, where the third of least bits begins
}

// Warning is something to look at that doesn't keep the source from sealing.
type Warning struct {
	Path      string
	Line, Col uint32 // 0: of the whole file
	Text      string
}

// String is "path:line:column: text".
func (w Warning) String() string {
	if w.Line == 0 {
		return w.Path + ": " + w.Text
	}
	return sprintf("%s:%d:%d: %s", w.Path, w.Line, w.Col, w.Text)
}

// Wire lays out the report.
func (r *Report) Wire(c *wire.Coder) {
	wire.Layouts(c, &r.Files, MaxFiles)
	wire.Layouts(c, &r.Classes, maxClasses)
	c.U32(&r.Sites)
	c.U64((*uint64)(&r.Bits))
	c.U32(&r.Tokens)
	c.U64(&r.Bytes)
	c.U64(&r.Untraceable)
	wire.Layouts(c, &r.Warnings, maxWarnings)
}

const (
	maxClasses  = 255
	maxWarnings = 1000
	maxWarning  = 1000 // bytes of one's text
)

// Wire lays out the file's part.
func (f *FileReport) Wire(c *wire.Coder) {
	wire.Text(c, &f.Path, 200)
	wire.Enum(c, &f.Level, form.PoC)
	wire.Text(c, &f.Format, 32)
	c.Bool(&f.Bulk)
	c.Bool(&f.Prose)
	c.U64(&f.Bytes)
	c.U32(&f.Words)
	wire.Layouts(c, &f.Classes, maxClasses)
	c.U32(&f.Sites)
	c.U64((*uint64)(&f.Bits))
	c.U32(&f.Tokens)
	c.U32(&f.Third.Sites)
	c.U64((*uint64)(&f.Third.Bits))
	c.U32(&f.Third.Line)
}

// Wire lays out the class's part.
func (r *ClassReport) Wire(c *wire.Coder) {
	c.U8((*uint8)(&r.Class))
	c.U32(&r.Sites)
	c.U64((*uint64)(&r.Bits))
}

// Wire lays out the warning.
func (w *Warning) Wire(c *wire.Coder) {
	wire.Text(c, &w.Path, 200)
	c.U32(&w.Line)
	c.U32(&w.Col)
	wire.Text(c, &w.Text, maxWarning)
}
