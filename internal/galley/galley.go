// Package galley pulls the sheet on which a person sees found text with every
// passage marked that a reader made something of, what it made of it, and what
// else could stand there.
//
//	Form, specimens, readings, edits ─► Sheet.Page ─► one HTML file
//
// It is looked at before any codeword is opened: whoever corrects a reading
// (form.Edits) must not know whom the correction would help. That is why a Sheet
// has no place for codewords, copies or names, and never will.
//
// A page shows a Form's alternatives. It is as secret as the Form: do not show
// it to case staff or members.
package galley

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"slices"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

//go:embed galley.css
var galleyCSS string

//go:embed galley.tmpl
var galleyText string

var page = template.Must(template.New("galley").Parse(galleyText))

// ErrMismatch: what is to be shown together doesn't belong together.
var ErrMismatch = errors.New("these don't belong together")

// Sheet is what is shown.
type Sheet struct {
	Title     string // of the package
	Form      *form.Form
	Specimens []form.Specimen // those that were read, in that order
	Readings  *form.Readings  // as the reader gave them
	Edits     *form.Edits     // nil if there are none
}

// mark is how a site came out. Each has a shape and a word of its own, so that
// none depends on colour.
type mark struct{ Class, Shape, Word string }

var (
	markRead   = mark{"read", "◆", "read"}
	markDoubt  = mark{"doubt", "◇", "read, with doubt"}
	markOther  = mark{"other", "✕", "something else"}
	markErased = mark{"erased", "○", "not there, or unreadable"}
)

func markOf(s *form.SiteReading) mark {
	switch {
	case s.State == fpcode.Other:
		return markOther
	case s.State == fpcode.Erased:
		return markErased
	case len(s.Likelihood) > 0:
		return markDoubt
	}
	return markRead
}

// siteData is a row of the page's table of sites.
type siteData struct {
	Number       int
	ID           string
	Class        string
	File         string
	Mark         mark
	Found        string // what stands there, as it was found
	Alternatives []alternative
	More         int // orders that are not spelled out
	Edit         *editData
}

type alternative struct {
	Symbol int
	Text   string
	Is     bool   // the symbol that was read, or a likeliest
	Behind string // by how much less likely, in nats
}

type editData struct {
	By, Why string
	Was     mark
	WasText string
}

type countData struct {
	Class                             string
	Sites, Read, Doubt, Other, Erased int
}

type pageData struct {
	CSS       template.CSS
	Title     string
	Reader    string
	All       countData
	Classes   []countData
	Specimens []specimenData
	Shown     []siteData // with a place in the specimens, in order of first appearance
	Absent    []siteData
	Hashes    []hashData
	Edits     int
	Readings  string
	Legend    []mark
}

type hashData struct{ What, Hex string }

// Page is the sheet as one self-contained HTML file: no script, nothing remote.
// The same sheet gives the same bytes. It fails with ErrMismatch unless the
// readings are of these specimens and this Form, and with form.ErrEdits if the
// edits are not of these readings.
func (s *Sheet) Page() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	now := s.Readings
	d := pageData{CSS: template.CSS(galleyCSS), Title: s.Title, Reader: s.Readings.Reader, Readings: fmt.Sprintf("%x", s.Readings.Hash()),
		Legend: []mark{markRead, markDoubt, markOther, markErased}}
	d.Hashes = []hashData{{"Form", fmt.Sprintf("%x", s.Readings.Form)}, {"Readings, as the reader gave them", d.Readings}}
	if s.Edits != nil {
		edited, err := form.ApplyEdits(s.Readings, s.Edits)
		if err != nil {
			return nil, err
		}
		now = &edited.Readings
		d.Edits = len(s.Edits.List)
		d.Hashes = append(d.Hashes, hashData{"Edits", fmt.Sprintf("%x", edited.Edits)}, hashData{"Readings with the edits", fmt.Sprintf("%x", edited.Readings.Hash())})
	}
	for _, x := range now.Specimens {
		d.Hashes = append(d.Hashes, hashData{"Specimen " + visible(x.Name), fmt.Sprintf("%x", x.Hash)})
	}
	numbers := s.number(now)
	d.All, d.Classes = counts(now)
	for i := range s.Specimens {
		d.Specimens = append(d.Specimens, s.specimen(uint32(i), now, numbers))
	}
	texts := s.texts()
	for _, i := range order(numbers) {
		row := s.row(&now.Sites[i], texts[i])
		row.Number = numbers[i]
		if len(now.Sites[i].Spans) > 0 {
			d.Shown = append(d.Shown, row)
		} else {
			d.Absent = append(d.Absent, row)
		}
	}
	var b bytes.Buffer
	if err := page.Execute(&b, d); err != nil {
		panic(err) // the template and its data are of this package, and tested
	}
	return b.Bytes(), nil
}

func (s *Sheet) check() error {
	if s.Form.Hash() != s.Readings.Form || len(s.Form.Sites) != len(s.Readings.Sites) {
		return fmt.Errorf("%w: the readings are of another Form", ErrMismatch)
	}
	if len(s.Specimens) != len(s.Readings.Specimens) {
		return fmt.Errorf("%w: %d specimens, and readings of %d", ErrMismatch, len(s.Specimens), len(s.Readings.Specimens))
	}
	for i, x := range s.Specimens {
		if sha256.Sum256(x.Data) != s.Readings.Specimens[i].Hash {
			return fmt.Errorf("%w: the readings are not of specimen %d as it is here", ErrMismatch, i+1)
		}
	}
	return nil
}

// number counts sites in the order in which they appear in the specimens, then
// those that don't.
func (s *Sheet) number(r *form.Readings) []int {
	at := make([]int, len(r.Sites))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		x, y := r.Sites[a].Spans, r.Sites[b].Spans
		if len(x) == 0 || len(y) == 0 {
			return cmp.Compare(len(y), len(x)) * min(1, len(x)+len(y))
		}
		return cmp.Or(cmp.Compare(x[0].Specimen, y[0].Specimen), cmp.Compare(x[0].Offset, y[0].Offset))
	})
	out := make([]int, len(at))
	for n, i := range at {
		out[i] = n + 1
	}
	return out
}

// order is the sites by number.
func order(numbers []int) []int {
	out := make([]int, len(numbers))
	for i, n := range numbers {
		out[n-1] = i
	}
	return out
}

func counts(r *form.Readings) (all countData, classes []countData) {
	by := map[fpcode.Class]*countData{}
	for i := range r.Sites {
		x := &r.Sites[i]
		if by[x.Class] == nil {
			by[x.Class] = &countData{Class: x.Class.String()}
		}
		for _, c := range []*countData{&all, by[x.Class]} {
			c.Sites++
			switch markOf(x) {
			case markRead:
				c.Read++
			case markDoubt:
				c.Doubt++
			case markOther:
				c.Other++
			default:
				c.Erased++
			}
		}
	}
	for _, c := range fpcode.Classes() {
		if by[c] != nil {
			classes = append(classes, *by[c])
		}
	}
	return all, classes
}
