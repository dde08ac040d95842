package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"forewarn/internal/form"
)

// specimens reads what was named on the command line: files, and of folders all
// regular files within. What else a folder holds is counted as passed over.
func (a *app) specimens(names []string) (out []form.Specimen, passed int, err error) {
	total := 0
	take := func(path, name string) error {
		if len(out) == form.MaxSpecimens {
			return usage("at most %d specimens are read at once", form.MaxSpecimens)
		}
		b, err := a.read(path, maxSpecimen-int64(total))
		if err != nil {
			return err
		}
		if len(b) > 0 {
			out = append(out, form.Specimen{Name: line(name), Data: b})
			total += len(b)
		}
		return a.Err()
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", errInput, err)
		}
		if !info.IsDir() {
			if err := take(name, filepath.Base(name)); err != nil {
				return nil, 0, err
			}
			continue
		}
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fmt.Errorf("%w: %w", errInput, err)
			case d.IsDir():
				return nil
			case !d.Type().IsRegular():
				passed++
				return nil
			}
			within, _ := filepath.Rel(name, path)
			return take(path, filepath.ToSlash(within))
		})
		if err != nil {
			return nil, 0, err
		}
	}
	if len(out) == 0 {
		return nil, 0, fmt.Errorf("%w: there is nothing in what was named", errInput)
	}
	return out, passed, nil
}
