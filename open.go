package forewarn

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"forewarn/internal/form"
)

// File is one file of a copy. Paths are relative, with forward slashes, and safe
// to join to a folder on any system.
type File struct {
	Path string
	Data []byte
}

// Copy is an opened copy: its reader's own.
type Copy struct {
	Files   []File
	BulkKey string // opens the wave's bulk, where there is one; else empty: see CheckBulk
}

// What OpenCopy takes at most. A package's limits are lower.
const (
	maxFiles     = 2000
	maxFileBytes = 64 << 20
	maxAllBytes  = 256 << 20
)

// bulkKeyFile travels in a copy and is no part of it.
const bulkKeyFile = "bulk-key.txt"

// OpenCopy decrypts a sealed copy and unpacks it in memory. It takes regular
// files with safe paths and refuses everything else an archive may hold. That
// it decrypts says nothing about who made it: go on with VerifyCopy.
func OpenCopy(sealed io.Reader, identities ...age.Identity) (*Copy, error) {
	plain, err := age.Decrypt(sealed, identities...)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return nil, &classed{ErrIdentity, fmt.Errorf("none of the %d identities opens this copy: %w", len(identities), err)}
		}
		return nil, &classed{ErrFormat, fmt.Errorf("the copy is not a whole age file: %w", err)}
	}
	c, err := unpack(plain)
	if err != nil {
		return nil, &classed{ErrFormat, fmt.Errorf("the copy's archive: %w", err)}
	}
	return c, nil
}

func unpack(r io.Reader) (*Copy, error) {
	// Every byte is bounded, whatever headers claim.
	limited := &io.LimitedReader{R: r, N: maxAllBytes + maxFiles*2048}
	t := tar.NewReader(limited)
	c, last, seen, all := new(Copy), "", map[string]bool{}, int64(0)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := acceptable(h, last, seen); err != nil {
			return nil, err
		}
		if all += h.Size; len(c.Files) == maxFiles || h.Size > maxFileBytes || all > maxAllBytes {
			return nil, fmt.Errorf("it has more than %d files, %d bytes in one or %d in all", maxFiles, maxFileBytes, maxAllBytes)
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		last = h.Name
		if h.Name == bulkKeyFile {
			c.BulkKey = strings.TrimSuffix(string(data), "\n")
			continue
		}
		c.Files = append(c.Files, File{h.Name, data})
	}
	// Read to the end: age authenticates the last chunk only there.
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return nil, err
	}
	if limited.N == 0 {
		return nil, fmt.Errorf("it is longer than any copy")
	}
	return c, nil
}

// acceptable takes regular files with safe paths, in order, each once.
func acceptable(h *tar.Header, last string, seen map[string]bool) error {
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%q is not a regular file", h.Name)
	}
	for k := range h.PAXRecords {
		if k != "path" {
			return fmt.Errorf("%q has the attribute %q; none is expected", h.Name, k)
		}
	}
	if err := form.CheckPath(h.Name); err != nil {
		return err
	}
	if h.Name <= last {
		return fmt.Errorf("%q is there twice or out of order", h.Name)
	}
	// No file may take another's place, on a system that ignores case either.
	low := strings.ToLower(h.Name)
	for at := range low {
		if low[at] == '/' {
			if file, taken := seen[low[:at]]; taken && file {
				return fmt.Errorf("%q is inside a file", h.Name)
			}
			seen[low[:at]] = false
		}
	}
	if _, taken := seen[low]; taken {
		return fmt.Errorf("%q differs from another only in case, or is a folder", h.Name)
	}
	seen[low] = true
	return nil
}
