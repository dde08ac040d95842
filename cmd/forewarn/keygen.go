package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"forewarn/internal/seal"
)

type keygenCmd struct {
	Out string `help:"File for the secret keys; the public ones go beside it, with .pub added." short:"o" required:"" placeholder:"FILE"`
	PQ  bool   `help:"Hybrid post-quantum keys: ML-KEM-768 with X25519." name:"pq"`
}

func (*keygenCmd) Help() string {
	return `Makes an age identity for opening copies and an Ed25519 key for signing receipts. Keep the first file; send the .pub file to the programme. Existing SSH keys work too: put the public key beside a forewarn-sign- line.

Example:
  forewarn keygen -o mia.key`
}

func (c *keygenCmd) Run(a *app) error {
	kind := seal.X25519
	if c.PQ {
		kind = seal.Hybrid
	}
	now := time.Now()
	k, err := seal.Keygen(kind, now)
	if err != nil {
		return err
	}
	pub, err := k.Public()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.Out + ".pub"); err == nil {
		return exists(c.Out + ".pub")
	}
	if err := create(c.Out, k.Identity, 0o600); err != nil {
		return err
	}
	if err := create(c.Out+".pub", pub.Text(now), 0o644); err != nil {
		os.Remove(c.Out)
		return err
	}
	return a.done(fields{"secret": c.Out, "public": c.Out + ".pub", "recipient": k.Recipient, "receipts": k.Verify},
		"Wrote %s (keep it secret) and %s.pub (send it to the programme).", c.Out, c.Out)
}

func exists(name string) error { return fmt.Errorf("%q: %w", name, fs.ErrExist) }

// create writes a new file durably, and never over one that is there.
func create(name string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return exists(name)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(name)
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// replace writes a file whole, over an earlier one of that name: it has the old
// content or the new one, whatever happens.
func replace(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
