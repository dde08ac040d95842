package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/wire"
)

// Unpack is the task that takes files out of an archive, a .zip or a .tar. The
// request is the archive.
const Unpack = "unpack"

const (
	maxNames = 2 * (carrier.MaxFiles + 64) // in an archive, folders among them
	maxPath  = 1 << 16
)

// File is a regular file of an archive. The path is as the archive has it, with
// forward slashes, and is not to be trusted.
type File struct {
	Path []byte
	Data []byte
}

// Unpacked is the answer: the files in the archive's order, of carrier.MaxTotal bytes
// together at most.
type Unpacked struct{ Files []File }

// Wire lays out the answer.
func (u *Unpacked) Wire(c *wire.Coder) {
	c.Magic("forewarn hostile files v1\n")
	wire.List(c, &u.Files, maxNames, func(c *wire.Coder, f *File) {
		c.Bytes(&f.Path, maxPath)
		c.Bytes(&f.Data, carrier.MaxTotal)
	})
}

// Packed reports whether bytes begin as an archive does that Unpack takes.
func Packed(b []byte) bool { return isZip(b) || isTar(b) }

func isZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

func isTar(b []byte) bool { return len(b) > 512 && string(b[257:262]) == "ustar" }

func unpack(b []byte) ([]byte, error) {
	var u Unpacked
	var err error
	switch {
	case isZip(b):
		u.Files, err = unzip(b)
	case isTar(b):
		u.Files, err = untar(b)
	default:
		err = errArchive
	}
	if err != nil {
		return nil, err
	}
	return wire.Append(nil, &u)
}

var errArchive = fmt.Errorf("%w: is an archive that can't be read: make it anew", ErrRefused)

// most reads a file out of an archive, whatever the archive says of its length.
func most(r io.Reader, left *int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(*left)+1))
	if err != nil {
		return nil, errArchive
	}
	if *left -= len(b); *left < 0 {
		return nil, fmt.Errorf("%w: holds more than %d bytes when it is unpacked", ErrRefused, carrier.MaxTotal)
	}
	return b, nil
}

func irregular(name string) error {
	return fmt.Errorf("%w: can't be taken: %q: it is no regular file; put what a link leads to in its place", ErrRefused, name)
}

var errNames = fmt.Errorf("%w: has more than %d names", ErrRefused, maxNames)

func unzip(b []byte) (out []File, err error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, errArchive
	}
	if len(z.File) > maxNames {
		return nil, errNames
	}
	left := carrier.MaxTotal
	for _, f := range z.File {
		mode := f.Mode()
		switch {
		case mode.IsDir() || strings.HasSuffix(f.Name, "/"):
			continue
		case !mode.IsRegular():
			return nil, irregular(f.Name)
		}
		r, err := f.Open()
		if err != nil {
			return nil, errArchive
		}
		data, err := most(r, &left)
		if err != nil {
			return nil, err
		}
		out = append(out, File{[]byte(f.Name), data})
	}
	return out, nil
}

func untar(b []byte) (out []File, err error) {
	t := tar.NewReader(bytes.NewReader(b))
	left := carrier.MaxTotal
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, errArchive
		case n > maxNames:
			return nil, errNames
		case h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case h.Typeflag != tar.TypeReg:
			return nil, irregular(h.Name)
		}
		data, err := most(t, &left)
		if err != nil {
			return nil, err
		}
		out = append(out, File{[]byte(strings.TrimPrefix(h.Name, "./")), data})
	}
}
