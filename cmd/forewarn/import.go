package main

import (
	"errors"
	"fmt"
	"io"

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
		if errors.Is(err, errInput) { // it names the file
			return fmt.Errorf("%w; nobody was admitted", err)
		}
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
			return fmt.Errorf("%s: line %d: %w; nobody was admitted", c.File, rows[one.Index].Line, one.Err)
		}
		if err != nil {
			return err
		}
		return a.done(fields{"admitted": len(out), "members": out}, "Admitted %s. Their contacts accept the terms and enrol keys: forewarn member accept --keys FILE --as HANDLE", count(len(out), "member", "members"))
	})
}

func (c *memberImport) rows(a *app) ([]coordinator.RosterRow, error) {
	var b []byte
	var err error
	if c.File == "-" {
		b, err = io.ReadAll(io.LimitReader(a.in, coordinator.MaxRoster+1))
	} else {
		b, err = a.read(c.File, coordinator.MaxRoster)
	}
	if err != nil {
		return nil, err
	}
	rows, err := coordinator.ReadRoster(b)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Wrong != "" {
			return nil, fmt.Errorf("line %d: %s", r.Line, r.Wrong)
		}
	}
	return rows, nil
}
