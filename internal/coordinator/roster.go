package coordinator

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"forewarn/internal/cvd"
)

// MaxRoster is how large a file of members may be, in bytes.
const MaxRoster = 16 << 20

// RosterRow is one line of a file of members: an admission, or what is wrong
// with it.
type RosterRow struct {
	Admission
	Line  int    // of the file, from 1
	Wrong string // why the line can't be read; empty: it can
}

// rosterColumns are what a file may have; the first two it must.
var rosterColumns = []string{"name", "tier", "jurisdictions", "contact", "contact_name", "contact_mail"}

// ReadRoster reads a file of members: CSV in UTF-8 with a line that names its
// columns. An error says that it is no such file; what is wrong with one line
// stands with that line.
func ReadRoster(b []byte) ([]RosterRow, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	switch {
	case len(b) > MaxRoster:
		return nil, fmt.Errorf("it is more than %d bytes", MaxRoster)
	case !utf8.Valid(b):
		return nil, errors.New("it is not UTF-8 text")
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.TrimLeadingSpace, r.FieldsPerRecord = true, -1
	head, err := r.Read()
	if err == io.EOF {
		return nil, errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	col := map[string]int{}
	for i, h := range head {
		h = strings.TrimSpace(strings.ToLower(h))
		if _, twice := col[h]; twice || !slices.Contains(rosterColumns, h) {
			if strings.ContainsAny(h, ";\t") {
				return nil, errors.New("line 1: fields are separated by commas, and these by something else: save it anew as CSV with commas")
			}
			return nil, fmt.Errorf("line 1: column %q is not known, or there twice: the columns are %s", h, strings.Join(rosterColumns, ", "))
		}
		col[h] = i
	}
	for _, must := range rosterColumns[:2] {
		if _, ok := col[must]; !ok {
			return nil, fmt.Errorf("line 1 has no column %q: the columns are %s", must, strings.Join(rosterColumns, ", "))
		}
	}
	var out []RosterRow
	for {
		rec, err := r.Read()
		switch {
		case err == io.EOF && len(out) == 0:
			return nil, errors.New("it names no member")
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, err // of the quotes: where the next line begins isn't known
		}
		line, _ := r.FieldPos(0)
		out = append(out, rosterRow(rec, line, len(head), col))
	}
}

func rosterRow(rec []string, line, columns int, col map[string]int) RosterRow {
	get := func(name string) string {
		if i, ok := col[name]; ok && i < len(rec) {
			return strings.TrimSpace(rec[i])
		}
		return ""
	}
	row := RosterRow{Line: line, Admission: Admission{
		Name: get("name"), Jurisdictions: strings.Fields(get("jurisdictions")),
		Contact: get("contact"), ContactName: get("contact_name"), ContactMail: get("contact_mail"),
	}}
	tier, err := strconv.ParseUint(get("tier"), 10, 8)
	switch {
	case len(rec) != columns:
		row.Wrong = fmt.Sprintf("it has %d fields, and the first line has %d", len(rec), columns)
	case err != nil || tier == 0:
		row.Wrong = fmt.Sprintf("tier %q is not a number from 1 to 255", get("tier"))
	}
	row.Tier = uint8(tier)
	return row
}

// RosterLine is what would become of one line of a file of members.
type RosterLine struct {
	Line          int      `json:"line"`
	Name          string   `json:"name"`
	Tier          uint8    `json:"tier"`
	Jurisdictions []string `json:"jurisdictions"`
	Contact       string   `json:"contact,omitempty"`
	Wrong         string   `json:"refused,omitempty"` // why; empty: it is not
	There         bool     `json:"there_already,omitempty"`
}

// CheckRoster says of each line whether it would be admitted, is there already
// (a member of that name, tier and jurisdictions, whose contact is an account of
// it), or is refused and why. Nothing is done.
func (d *Desk) CheckRoster(ctx context.Context, by cvd.Actor, rows []RosterRow) (out []RosterLine, err error) {
	if err := d.Warm(ctx); err != nil {
		return nil, err
	}
	err = d.View(func(p *cvd.Programme) error {
		now, n := d.at(p), d.Names(ctx, p)
		if err := p.May(by, cvd.ActAdmitMember, cvd.TheProgramme(), now); err != nil {
			return err
		}
		called := map[string]cvd.MemberID{}
		for _, id := range p.MemberOrder {
			called[strings.ToLower(n.Member(id))] = id
		}
		handles, members := d.inUse.now(ctx, d, p)
		for _, r := range rows {
			x := RosterLine{Line: r.Line, Name: r.Name, Tier: r.Tier, Jurisdictions: append([]string{}, r.Jurisdictions...), Contact: r.Contact, Wrong: r.Wrong}
			if id, known := called[strings.ToLower(r.Name)]; x.Wrong == "" && known {
				x.There, x.Wrong = sameMember(p, n, p.Members[id], r.Admission)
			} else if x.Wrong == "" {
				if err := d.checkAdmission(p, by, r.Admission, handles, members); err != nil {
					x.Wrong = strings.TrimPrefix(err.Error(), cvd.ErrRefused.Error()+": ")
				}
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// sameMember reports whether a member is what a line says, or how it differs.
func sameMember(p *cvd.Programme, n Names, m *cvd.Member, a Admission) (same bool, differs string) {
	have := []string{}
	for _, j := range m.Jurisdictions {
		have = append(have, j.String())
	}
	want := []string{}
	for _, j := range a.Jurisdictions {
		want = append(want, strings.ToUpper(j))
	}
	slices.Sort(want)
	contact := a.Contact == "" || slices.ContainsFunc(m.Accounts, func(id cvd.AccountID) bool { return strings.EqualFold(n.Account(id), a.Contact) })
	switch {
	case m.Tier != a.Tier:
		return false, fmt.Sprintf("a member of that name is there, in tier %d", m.Tier)
	case !slices.Equal(have, slices.Compact(want)):
		return false, fmt.Sprintf("a member of that name is there, with the jurisdictions %q", strings.Join(have, " "))
	case !contact:
		return false, fmt.Sprintf("a member of that name is there, and %q is no account of it", a.Contact)
	}
	return true, ""
}
