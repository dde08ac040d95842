package form

import (
	"errors"
	"fmt"
	"slices"
)

// The readers that there are. A reader never changes: one that reads otherwise
// has another name. Readings of different readers are not comparable, and a
// dossier names the one that it must be read again with.
const (
	// Align1 gives hard readings: a symbol, other, or erased.
	Align1 = "align/1"
	// Align2 sees the same passages and says how sure it is: where the margin
	// between alternatives is not clear-cut it gives a likelihood of each.
	Align2 = "align/2"
)

// ReaderVersion is the reader that NewReader and Read use.
const ReaderVersion = Align1

// ReaderVersions are the names of all readers that this program has, oldest
// first.
var ReaderVersions = []string{Align1, Align2}

// ErrReader: a reader is asked for by a name that this program has none of.
var ErrReader = errors.New("unknown reader")

// rules are how a reader judges what an alignment saw. The alignment itself,
// the rivalry of passages and the order of things are the same for all.
type rules struct {
	one      func(*lattice, *look) verdict                    // a choice by itself
	together func(*lattice, []int32, map[int32]*look) verdict // the places of a list
	strewn   bool                                             // look for lists outside their text
}

var readerRules = map[string]rules{
	Align1: {judgeOne, judgeTogether, false},
	Align2: {weighOne, weighTogether, true},
}

// NewReader prepares to read against f, which must be valid, with ReaderVersion.
func NewReader(f *Form) *Reader {
	r, err := NewReaderVersion(f, ReaderVersion)
	if err != nil {
		panic(err) // it is of the table
	}
	return r
}

// NewReaderVersion prepares to read against f, which must be valid, with the
// reader of that name. It fails with ErrReader if there is none.
func NewReaderVersion(f *Form, version string) (*Reader, error) {
	how, ok := readerRules[version]
	if !ok {
		return nil, fmt.Errorf("%w %q: this program has %q; use a version of forewarn that has it", ErrReader, version, ReaderVersions)
	}
	l := newLattice(f)
	r := &Reader{version: version, rules: how, form: f.Hash(), sites: slices.Clone(f.Sites), lattice: l, index: newSeedIndex(l)}
	if how.strewn {
		r.items = l.items()
	}
	return r, nil
}

// Read reads with ReaderVersion: see Reader.Read.
func Read(f *Form, specimens []Specimen) Readings { return NewReader(f).Read(specimens) }

// ReadVersion reads with the reader of that name: see Reader.Read. It fails with
// ErrReader if there is none.
func ReadVersion(f *Form, version string, specimens []Specimen) (Readings, error) {
	r, err := NewReaderVersion(f, version)
	if err != nil {
		return Readings{}, err
	}
	return r.Read(specimens), nil
}
