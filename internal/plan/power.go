package plan

import (
	"embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"forewarn/internal/fpcode"
)

//go:embed tables/*.table
var tableFiles embed.FS

var tables = sync.OnceValue(func() map[fpcode.Profile]*Table {
	out := map[fpcode.Profile]*Table{}
	names, err := tableFiles.ReadDir("tables")
	if err != nil {
		panic(err) // embedded
	}
	for _, n := range names {
		b, err := tableFiles.ReadFile("tables/" + n.Name())
		if err != nil {
			panic(err)
		}
		t, err := ParseTable(string(b))
		if err != nil {
			panic(fmt.Errorf("%s: %w", n.Name(), err)) // TestTables parses all
		}
		out[t.Profile] = t
	}
	return out
})

// ErrNone: there is no table of the profile, or it has no row for so many.
var ErrNone = errors.New("not tabulated")

// ErrBeyond: more marks than were tabulated.
var ErrBeyond = errors.New("more marks than were simulated")

// TableOf is a profile's table.
func TableOf(p fpcode.Profile) (*Table, error) {
	t := tables()[p]
	if t == nil {
		return nil, fmt.Errorf("%w: profile %v", ErrNone, p)
	}
	return t, nil
}

// crowd is what each further partner costs for each doubling of the copies, in
// bits. A joint decoder has to find the others of the coalition before it can
// test one of them, and the more copies there are, the more of them look like a
// partner by chance. Measured at 24 bits (forewarn lab simulate --attack
// interleaving --seed 9 --trials 80), one of two was caught by 90 marks in 62, 50
// and 37 trials of 80 among a hundred, a thousand and ten thousand copies, one of
// three by 190 marks in 66, 57 and 36, one of four by 330 in 74 and 64: 0.8 bits a
// doubling for two, 1.7 for three, 1.4 for four.
const crowd = .85

// Bits is the evidence to look up: log2(copies/alpha), and what it costs to find
// partners among more copies than the table was made with.
func (t *Table) Bits(c, copies int, alpha float64) float64 {
	bits := math.Log2(float64(copies) / alpha)
	if t.Decoder == fpcode.JointDecoder && copies > t.Copies {
		bits += crowd * float64(c-1) * math.Log2(float64(copies)/float64(t.Copies))
	}
	return bits
}

// evidence is a row of the table at any number of marks: between two rows numbers
// of bits are interpolated, before the first they begin at none, after the last
// they stay.
func (t *Table) evidence(c int, marks float64) ([]float64, error) {
	var before Row
	before.Bits = make([]float64, len(t.Shares))
	found := false
	for _, r := range t.Rows {
		if r.Colluders != c {
			continue
		}
		found = true
		if float64(r.Marks) >= marks {
			f := (marks - float64(before.Marks)) / float64(r.Marks-before.Marks)
			out := make([]float64, len(t.Shares))
			for i := range out {
				out[i] = before.Bits[i] + f*(r.Bits[i]-before.Bits[i])
			}
			return out, nil
		}
		before = r
	}
	if !found {
		return nil, fmt.Errorf("%w: %d colluders in profile %v", ErrNone, c, t.Profile)
	}
	return before.Bits, nil
}

// CatchOne is how probably one of c colluders who do their worst is accused, if
// so many marks are read and so many bits of evidence are asked for. What is
// beyond the table's shares is 0 or 1.
func (t *Table) CatchOne(c int, marks, bits float64) (float64, error) {
	ev, err := t.evidence(c, marks)
	if err != nil {
		return 0, err
	}
	i, exact := slices.BinarySearch(ev, bits)
	switch {
	case i == 0:
		return 1, nil
	case exact: // as much is enough
		return 1 - t.Shares[i-1], nil
	case i == len(ev):
		return 0, nil
	}
	f := (bits - ev[i-1]) / (ev[i] - ev[i-1])
	return 1 - (t.Shares[i-1] + f*(t.Shares[i]-t.Shares[i-1])), nil
}

// Marks is the least number of marks at which CatchOne is goal; ErrBeyond if it
// isn't at as many as were simulated.
func (t *Table) Marks(c int, bits, goal float64) (int, error) {
	most := 0
	for _, r := range t.Rows {
		if r.Colluders == c {
			most = r.Marks
		}
	}
	if most == 0 {
		return 0, fmt.Errorf("%w: %d colluders in profile %v", ErrNone, c, t.Profile)
	}
	lo, hi := 0, most+1
	for hi-lo > 1 {
		m := (lo + hi) / 2
		if p, err := t.CatchOne(c, float64(m), bits); err != nil {
			return 0, err
		} else if p >= goal {
			hi = m
		} else {
			lo = m
		}
	}
	if hi > most {
		return 0, fmt.Errorf("%w: even %d don't suffice against %d", ErrBeyond, most, c)
	}
	return hi, nil
}

// Needed is Marks by a profile's table, for so many copies at a family-wise alpha.
func Needed(p fpcode.Profile, c, copies int, alpha, goal float64) (int, error) {
	t, err := TableOf(p)
	if err != nil {
		return 0, err
	}
	return t.Marks(c, t.Bits(c, copies, alpha), goal)
}
