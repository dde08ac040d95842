package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type memberImport struct {
	File string `arg:"" help:"CSV with the columns name, tier, and as wanted jurisdictions (separated by spaces), contact (a handle), contact_name, contact_mail; - is standard input."`
}

func (*memberImport) Help() string {
	return `Admits all of the file's members or none. Each contact then accepts the terms and enrols keys.

Example:
  forewarn member import members.csv --as ana`
}

func (c *memberImport) Run(a *app) error {
	rows, err := c.rows(a)
	if err != nil {
		return fmt.Errorf("%w: %s: %w; nobody was admitted", errInput, c.File, err)
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		all := make([]coordinator.Admission, len(rows))
		for i, r := range rows {
			all[i] = r.Admission
		}
		out, err := d.AdmitAll(a, by, all, a.bar("Admitting"))
		var one *coordinator.AdmissionError
		if errors.As(err, &one) {
			return fmt.Errorf("%s: line %d: %w; nobody was admitted", c.File, rows[one.Index].line, one.Err)
		}
		if err != nil {
			return err
		}
		return a.done(fields{"admitted": len(out), "members": out}, "Admitted %s. Their contacts accept the terms and enrol keys: forewarn member accept --keys FILE --as HANDLE", count(len(out), "member", "members"))
	})
}

const maxImport = 16 << 20

func (c *memberImport) rows(a *app) ([]memberRow, error) {
	if c.File != "-" {
		b, err := a.read(c.File, maxImport)
		if err != nil {
			return nil, err
		}
		return readMembers(b)
	}
	b, err := io.ReadAll(io.LimitReader(a.in, maxImport+1))
	if err == nil && len(b) > maxImport {
		err = fmt.Errorf("more than %d bytes", maxImport)
	}
	if err != nil {
		return nil, err
	}
	return readMembers(b)
}

type memberRow struct {
	coordinator.Admission
	line int
}

var columns = []string{"name", "tier", "jurisdictions", "contact", "contact_name", "contact_mail"}

// readMembers checks a whole CSV file.
func readMembers(b []byte) ([]memberRow, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8 text")
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.TrimLeadingSpace = true
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
		if _, twice := col[h]; twice || !slices.Contains(columns, h) {
			return nil, fmt.Errorf("line 1: column %q is not known, or there twice: the columns are %s", h, strings.Join(columns, ", "))
		}
		col[h] = i
	}
	for _, must := range columns[:2] {
		if _, ok := col[must]; !ok {
			return nil, fmt.Errorf("line 1 has no column %q: the columns are %s", must, strings.Join(columns, ", "))
		}
	}
	var out []memberRow
	for {
		rec, err := r.Read()
		if err == io.EOF {
			if len(out) == 0 {
				return nil, errors.New("it names no member")
			}
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		get := func(name string) string {
			if i, ok := col[name]; ok {
				return strings.TrimSpace(rec[i])
			}
			return ""
		}
		tier, err := strconv.ParseUint(get("tier"), 10, 8)
		if err != nil || tier == 0 {
			return nil, fmt.Errorf("line %d: tier %q is not a number from 1 to 255", line, get("tier"))
		}
		out = append(out, memberRow{line: line, Admission: coordinator.Admission{
			Name: get("name"), Tier: uint8(tier), Jurisdictions: strings.Fields(get("jurisdictions")),
			Contact: get("contact"), ContactName: get("contact_name"), ContactMail: get("contact_mail"),
		}})
	}
}
