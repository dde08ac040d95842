package plan

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"forewarn/internal/fpcode"
)

// Table is what marks of one profile are worth against coalitions that do their
// worst, as 'forewarn lab tabulate' measured it.
type Table struct {
	Profile fpcode.Profile
	Decoder string
	Copies  int // that there were in the simulation
	Trials  int // of each row and attack
	Seed    uint64
	Shares  []float64 // rising
	Rows    []Row     // by colluders, then marks
}

// Row is what so many marks are worth against so many colluders.
type Row struct {
	Colluders, Marks int
	Bits             []float64 // by Table.Shares: in so many trials there was less evidence
	Attacks          string
}

// ErrTable: a text that is not a table.
var ErrTable = errors.New("not a table of marks")

const tableMagic = "forewarn marks v1"

// Command is how the table was made.
func (t *Table) Command() string {
	s := fmt.Sprintf("forewarn lab tabulate --profile %v --trials %d --seed %d", t.Profile, t.Trials, t.Seed)
	var some []string
	for c := 1; c <= fpcode.MaxColluders; c++ {
		if slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Colluders == c }) {
			some = append(some, strconv.Itoa(c))
		}
	}
	if len(some) < fpcode.MaxColluders {
		s += " --colluders " + strings.Join(some, ",")
	}
	return s
}

// String is the table's file: doc/lab.md says how it is read.
func (t *Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nprofile %v\ndecoder %s\ncopies %d\ntrials %d\nseed %d\nshares", tableMagic, t.Profile, t.Decoder, t.Copies, t.Trials, t.Seed)
	for _, s := range t.Shares {
		b.WriteString(" " + strconv.FormatFloat(s, 'g', -1, 64))
	}
	fmt.Fprintf(&b, "\n# Made by: %s\n# colluders marks attacks bits of evidence by share of trials\n", t.Command())
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "%d %d %s", r.Colluders, r.Marks, r.Attacks)
		for _, x := range r.Bits {
			b.WriteString(" " + strconv.FormatFloat(x, 'f', 2, 64))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// ParseTable reads what String writes. Errors are ErrTable, with the line.
func ParseTable(s string) (*Table, error) {
	t := &Table{}
	in := bufio.NewScanner(strings.NewReader(s))
	n := 0
	bad := func(what string) (*Table, error) { return nil, fmt.Errorf("%w: line %d: %s", ErrTable, n, what) }
	heads := []struct {
		key string
		set func(string) error
	}{
		{"", func(v string) error {
			if v != tableMagic {
				return fmt.Errorf("want %q", tableMagic)
			}
			return nil
		}},
		{"profile ", func(v string) (err error) { t.Profile, err = fpcode.ParseProfile(v); return }},
		{"decoder ", func(v string) error { t.Decoder = v; return nil }},
		{"copies ", whole(&t.Copies)},
		{"trials ", whole(&t.Trials)},
		{"seed ", func(v string) (err error) { t.Seed, err = strconv.ParseUint(v, 10, 64); return }},
		{"shares ", func(v string) (err error) { t.Shares, err = numbers(strings.Fields(v)); return }},
	}
	for _, h := range heads {
		n++
		if !in.Scan() {
			return bad("it ends early")
		}
		v, ok := strings.CutPrefix(in.Text(), h.key)
		if !ok {
			return bad(fmt.Sprintf("want %q", strings.TrimSpace(h.key)))
		}
		if err := h.set(v); err != nil {
			return bad(err.Error())
		}
	}
	if len(t.Shares) < 2 || !rising(t.Shares) || t.Shares[0] <= 0 || t.Shares[len(t.Shares)-1] >= 1 {
		return bad("shares rise between 0 and 1")
	}
	for in.Scan() {
		n++
		f := strings.Fields(in.Text())
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		var r Row
		var err error
		if len(f) != 3+len(t.Shares) {
			return bad("a row has colluders, marks, attacks and one number for each share")
		}
		if err = errors.Join(whole(&r.Colluders)(f[0]), whole(&r.Marks)(f[1])); err == nil {
			r.Attacks = f[2]
			r.Bits, err = numbers(f[3:])
		}
		if err != nil {
			return bad(err.Error())
		}
		if r.Colluders > fpcode.MaxColluders {
			return bad(fmt.Sprintf("%d colluders; decoders know up to %d", r.Colluders, fpcode.MaxColluders))
		}
		if !slices.IsSorted(r.Bits) {
			return bad("evidence rises with the share of trials")
		}
		if k := len(t.Rows); k > 0 && (r.Colluders < t.Rows[k-1].Colluders || r.Colluders == t.Rows[k-1].Colluders && r.Marks <= t.Rows[k-1].Marks) {
			return bad("rows stand in order of colluders and marks")
		}
		t.Rows = append(t.Rows, r)
	}
	if err := in.Err(); err != nil {
		return bad(err.Error())
	}
	return t, nil
}

func rising(v []float64) bool {
	for i := 1; i < len(v); i++ {
		if !(v[i-1] < v[i]) {
			return false
		}
	}
	return true
}

func whole(to *int) func(string) error {
	return func(v string) error {
		n, err := strconv.Atoi(v)
		if err == nil && (n < 1 || n > 1<<20) {
			err = fmt.Errorf("%d is out of range", n)
		}
		*to = n
		return err
	}
}

func numbers(f []string) (out []float64, err error) {
	for _, s := range f {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || !(x >= 0 && x < 1e4) {
			return nil, fmt.Errorf("%q is not such a number", s)
		}
		out = append(out, x)
	}
	return out, nil
}
