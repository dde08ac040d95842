package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"forewarn/internal/carrier"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/lab"
)

type labIssue struct {
	Source  string  `help:"The source folder." required:"" placeholder:"DIR"`
	N       int     `help:"How many copies." required:"" name:"n" placeholder:"N"`
	Out     string  `help:"The folder to write: it is made, or empty." required:"" short:"o" placeholder:"DIR"`
	Profile string  `help:"The bias profile; 'default' if not given, which is for leaks by one to five." default:"default" placeholder:"PROFILE"`
	Seed    *uint64 `help:"Make the keys from it, so that anybody can make the same copies; random if not given." placeholder:"S"`
}

func (*labIssue) Help() string {
	return `Writes N complete copies of a package, each in a folder of its own, and beside them one file, 'codebook', that 'forewarn lab trace' needs. Whoever has the codebook has every copy's key: it is for experiments, and no programme's.

Example:
  forewarn lab issue --source examples/advisory --n 100 --out trial`
}

// codebookName is the file beside the copies.
const codebookName = "codebook"

// mostIssued is the most that is written at once, in bytes.
const mostIssued = 1 << 30

func (c *labIssue) Run(a *app) error {
	profile, err := fpcode.ParseProfile(c.Profile)
	if err != nil {
		return usage("%v", err)
	}
	if c.N < 1 || c.N > lab.MaxCopies {
		return usage("--n is from 1 to %d", lab.MaxCopies)
	}
	if err := vacant(c.Out); err != nil {
		return err
	}
	src, err := a.source(c.Source)
	if err != nil {
		return err
	}
	k := lab.Keys{}
	if c.Seed != nil {
		k = lab.Seeded(*c.Seed)
	} else {
		rand.Read(k.Package[:])
		rand.Read(k.Recognition[:])
	}
	f, m, r, err := carrier.CompileFor(src, k.Bias(), profile, nil)
	if err != nil {
		return err
	}
	if most := mostIssued / max(1, r.Bytes); uint64(c.N) > most {
		return usage("%d copies of %d bytes are more than an experiment may have: issue at most %d", c.N, r.Bytes, most)
	}
	var files []form.Output
	bar := a.bar("rendering")
	book, err := lab.Issue(m.Title, f, profile.Decoder(), k, c.N, func(name string, copy []form.Output) error {
		for _, o := range copy {
			o.Path = name + "/" + o.Path
			files = append(files, o)
		}
		bar(len(files)/max(1, len(copy)), c.N)
		return a.Err()
	})
	if err != nil {
		return err
	}
	files = append(files, form.Output{Path: codebookName, Data: book.Marshal()})
	// WriteNew writes all or nothing, and never over anything. An empty folder is
	// nothing.
	if err := os.Remove(c.Out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	if err := folder.WriteNew(c.Out, files); err != nil {
		return err
	}
	v := fields{"folder": c.Out, "codebook": filepath.Join(c.Out, codebookName), "copies": c.N, "profile": profile.String(), "reader": book.Reader, "decoder": book.Decoder, "sites": len(f.Sites), "bits": r.Bits.Bits(), "form": fmt.Sprintf("%x", f.Hash()), "seeded": k.Seeded}
	if a.JSON {
		return a.printJSON(v)
	}
	a.say("%s", m.Title)
	a.say("%s in profile %v, %d sites, %.0f bits each.", count(c.N, "copy", "copies"), profile, len(f.Sites), r.Bits.Bits())
	a.say("copies    %s to %s", filepath.Join(c.Out, book.Copies[0].Name), book.Copies[c.N-1].Name)
	a.say("codebook  %s", v["codebook"])
	if k.Seeded {
		a.say("The keys are made from the seed: anybody can make these copies.")
	}
	return nil
}

// vacant fails unless nothing is there, or an empty folder.
func vacant(dir string) error {
	names, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", errInput, err)
	case len(names) > 0:
		return fmt.Errorf("folder %q is not empty: %w", dir, fs.ErrExist)
	}
	return nil
}
