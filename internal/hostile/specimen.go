package hostile

import (
	"crypto/sha256"
	"errors"
	"slices"

	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// Read is the task that reads specimens against a Form.
const Read = "read"

const (
	maxForm      = 256 << 20
	maxSpecimens = 1 << 16
	maxSpecimen  = 256 << 20
)

// ReadRequest: a Form as it is marshalled, the name of the reader, and specimens. The
// answer is the Readings, marshalled.
type ReadRequest struct {
	Form      []byte
	Reader    string
	Specimens []form.Specimen
}

// Wire lays out the request.
func (q *ReadRequest) Wire(c *wire.Coder) {
	c.Magic("forewarn hostile read v1\n")
	c.Bytes(&q.Form, maxForm)
	wire.Text(c, &q.Reader, 100)
	wire.List(c, &q.Specimens, maxSpecimens, func(c *wire.Coder, s *form.Specimen) {
		wire.Text(c, &s.Name, 4096)
		c.Bytes(&s.Data, maxSpecimen)
	})
}

func read(b []byte) ([]byte, error) {
	var q ReadRequest
	if err := wire.Unmarshal(b, &q); err != nil {
		return nil, err
	}
	f, err := form.Parse(q.Form)
	if err != nil {
		return nil, err
	}
	r, err := form.ReadVersion(f, q.Reader, q.Specimens)
	if err != nil {
		return nil, err
	}
	return r.Marshal(), nil
}

// Readings reads the answer, which must be of what was asked: the Form f, the
// reader, and these very specimens.
func (q *ReadRequest) Readings(f *form.Form, answer []byte) (form.Readings, error) {
	r, err := form.ParseReadings(answer)
	if err != nil {
		return form.Readings{}, err
	}
	same := func(s form.Specimen, of form.SpecimenRef) bool {
		return of == form.SpecimenRef{Name: s.Name, Size: uint64(len(s.Data)), Hash: sha256.Sum256(s.Data)}
	}
	if r.Form != f.Hash() || r.Reader != q.Reader || len(r.Sites) != len(f.Sites) || !slices.EqualFunc(q.Specimens, r.Specimens, same) {
		return form.Readings{}, errors.New("the readings are of something else than was asked")
	}
	return *r, nil
}
