package evidence

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// editHead is the first line of a table of edits.
var editHead = []string{"site", "shows", "by", "why"}

// ErrEdits: edits can't be read, or can't be made of these readings. The error says
// which.
var ErrEdits = errors.New("the edits can't be taken")

// ReadEdits reads a table of edits as a person writes one: CSV with the columns
// site (32 hex digits), shows ('erased', 'other' or a symbol's number), by and why,
// in this order; further columns are for people. A row without by and why is not an
// edit: it is as the reader left it (WriteReadings). It gives the edits by site.
// Errors wrap ErrEdits.
func ReadEdits(b []byte) (list []Edit, err error) {
	bad := func(line int, format string, args ...any) error {
		return fmt.Errorf("%w: line %d: %s", ErrEdits, line, fmt.Sprintf(format, args...))
	}
	r := csv.NewReader(bytes.NewReader(b))
	for n := 0; ; n++ {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEdits, err)
		}
		line, _ := r.FieldPos(0)
		switch {
		case n == 0 && (len(row) < len(editHead) || !slices.Equal(row[:len(editHead)], editHead)):
			return nil, bad(line, "it begins with the columns %s", strings.Join(editHead, ","))
		case n == 0:
			continue
		case strings.TrimSpace(row[2]) == "" && strings.TrimSpace(row[3]) == "":
			continue
		case len(list) == MaxEdits:
			return nil, bad(line, "more than %d edits", MaxEdits)
		}
		e := Edit{By: strings.TrimSpace(row[2]), Why: strings.TrimSpace(row[3])}
		site, err := hex.DecodeString(row[0])
		if err != nil || len(site) != len(e.Site) {
			return nil, bad(line, "%q is not a site: 32 hex digits", row[0])
		}
		copy(e.Site[:], site)
		switch row[1] {
		case "erased":
			e.State = fpcode.Erased
		case "other":
			e.State = fpcode.Other
		default:
			v, err := strconv.ParseUint(row[1], 10, 8)
			if err != nil || v >= fpcode.MaxQ {
				return nil, bad(line, "%q is not what a site shows: erased, other, or a symbol's number from 0", row[1])
			}
			e.State, e.Symbol = fpcode.Value, uint8(v)
		}
		if _, err := MarshalEdits([]Edit{e}); err != nil {
			return nil, bad(line, "%v", err)
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b Edit) int { return slices.Compare(a.Site[:], b.Site[:]) })
	for i := 1; i < len(list); i++ {
		if list[i].Site == list[i-1].Site {
			return nil, fmt.Errorf("%w: site %x is edited twice", ErrEdits, list[i].Site)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: it has no edit", ErrEdits)
	}
	return list, nil
}

// WriteReadings is what was read as a table that a person can edit and give to
// ReadEdits: what each site shows, its carrier class, and the alternatives that its
// symbols stand for, from 0. Before an edit it says nothing of any copy: it is of
// specimens and Form alone. A Form is secret, and so is this.
func WriteReadings(f *form.Form, r *form.Readings) []byte {
	texts := map[fpcode.SiteID][]string{}
	for _, file := range f.Files {
		for _, p := range file.Parts {
			if p.Kind != form.Choice || texts[f.Sites[p.Site].ID] != nil {
				continue
			}
			var all []string
			for i, a := range p.Alternatives {
				all = append(all, fmt.Sprintf("%d %q", i, a))
			}
			texts[f.Sites[p.Site].ID] = all
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(append(slices.Clone(editHead), "class", "alternatives"))
	for _, s := range r.Sites {
		shows := s.State.String()
		if s.State == fpcode.Value {
			shows = strconv.Itoa(int(s.Symbol))
			if i := slices.Index(s.Likelihood, 65535); i >= 0 {
				shows = strconv.Itoa(i)
			}
		}
		w.Write([]string{hex.EncodeToString(s.Site[:]), shows, "", "", s.Class.String(), strings.Join(texts[s.Site], "; ")})
	}
	w.Flush()
	return b.Bytes()
}
