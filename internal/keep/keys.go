package keep

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/seal"
	"forewarn/internal/sqlite"
)

// Domain is whose keys a file holds.
type Domain string

// The domains. Of the desk it is the key folder alone, for its blobs are ciphertext
// and are in the backup. What the sealer and the inquiry keep is secret all through,
// so all of it goes under age.
const (
	OfDesk    Domain = "desk"
	OfSealer  Domain = "sealer"
	OfInquiry Domain = "inquiry"
)

// about is the first file of a file of keys.
type about struct {
	Version int       `json:"version"`
	Of      Domain    `json:"of"`
	Origin  string    `json:"origin"`
	LogKey  string    `json:"log_key"`
	Made    time.Time `json:"made"`
	Files   int       `json:"files"` // that follow
}

const aboutName = "about.json"

// maxKept is the most bytes of one file under age.
const maxKept = 1 << 30

// SealKeys writes one domain's secrets to out as an age file that holds a tar, and
// returns how many files. The file is whole once SealKeys has returned nil. It may
// run while the desk is served.
func SealKeys(ctx context.Context, h *home.Home, of Domain, to seal.Recipients, out io.Writer, progress Progress) (int, error) {
	files, done, err := secrets(ctx, h, of)
	if err != nil {
		return 0, err
	}
	defer done()
	if len(files) == 0 && of == OfInquiry {
		return 0, ErrNoInquiry
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("%w: %s has no %s here; say where with --dir on the machine that holds it", home.ErrNoProgramme, h.Dir, of)
	}
	w, err := to.Encrypt(out)
	if err != nil {
		return 0, err
	}
	a, err := json.Marshal(about{Version: 1, Of: of, Origin: h.Origin(), LogKey: h.LogKey(), Made: h.Machine.Clock().UTC(), Files: len(files)})
	if err != nil {
		return 0, err
	}
	t := tar.NewWriter(w)
	put := func(name string, data []byte) error {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o600}); err != nil {
			return err
		}
		_, err := t.Write(data)
		return err
	}
	if err := put(aboutName, a); err != nil {
		return 0, err
	}
	names := slices.Sorted(maps.Keys(files))
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		data, err := files[name]()
		if err != nil {
			return 0, err
		}
		if err := put(name, data); err != nil {
			return 0, err
		}
		progress("keys", i+1, len(names))
	}
	return len(names), errors.Join(t.Close(), w.Close())
}

// secrets lists a domain's files by their path below the programme's folder. done
// gives back what was opened.
func secrets(ctx context.Context, h *home.Home, of Domain) (files map[string]func() ([]byte, error), done func(), err error) {
	files = map[string]func() ([]byte, error){}
	var open []io.Closer
	done = func() {
		for _, c := range open {
			c.Close()
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	// below lists a folder. Those who are not to read what is here can't: Private
	// refuses what others may read.
	below := func(under string) error {
		dir := filepath.Join(h.Dir, filepath.FromSlash(under))
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil // nothing is made by looking
		}
		p, err := folder.OpenPrivate(dir)
		if err != nil {
			return err
		}
		open = append(open, p)
		names, err := p.List("")
		for _, n := range names {
			files[under+"/"+n] = func() ([]byte, error) { return p.Read(n) }
		}
		return err
	}
	switch of {
	case OfDesk:
		err = below("desk/keys")
	case OfSealer:
		err = below("sealer")
	case OfInquiry:
		err = errors.Join(below("inquiry/keys"), below("inquiry/blobs"))
		if log := filepath.Join(h.Dir, "inquiry", "log.db"); err == nil && len(files) > 0 {
			files["inquiry/log.db"] = func() ([]byte, error) { return copyOf(ctx, log) }
		}
	default:
		err = fmt.Errorf("%w: %q is none of desk, sealer, inquiry", ErrKeys, of)
	}
	return files, done, err
}

// copyOf is a log as it is at one moment. The copy lies in the log's own folder for
// that long, and never elsewhere: it is as secret.
func copyOf(ctx context.Context, log string) (b []byte, err error) {
	s, err := sqlite.Open(ctx, log)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	temp := log + ".backup"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := s.CopyTo(ctx, temp); err != nil {
		return nil, err
	}
	defer os.Remove(temp)
	return folder.ReadFile(temp, maxKept)
}

// Kept are secrets in memory: what files of keys hold, by path below the
// programme's folder.
type Kept struct {
	Of    map[Domain]time.Time // when each was put aside
	files map[string][]byte
}

// OpenKeys reads a file that SealKeys wrote and adds it to what was read before.
// ErrKeys when it is of another programme, or of no domain that it says.
func (k *Kept) OpenKeys(r io.Reader, ids seal.Identities, h *home.Home) (Domain, error) {
	plain, err := seal.Open(r, ids)
	if err != nil {
		return "", err
	}
	if k.files == nil {
		k.Of, k.files = map[Domain]time.Time{}, map[string][]byte{}
	}
	t := tar.NewReader(plain)
	name, b, err := nextFile(t)
	if err != nil {
		return "", err
	}
	var a about
	if err := json.Unmarshal(b, &a); name != aboutName || err != nil || a.Version != 1 {
		return "", fmt.Errorf("%w: it is an age file of something else, or of a newer version", ErrKeys)
	}
	if a.LogKey != h.LogKey() {
		return "", fmt.Errorf("%w: it is of %s, and the backup of %s", ErrKeys, a.Origin, h.Origin())
	}
	prefix := map[Domain]string{OfDesk: "desk/keys/", OfSealer: "sealer/", OfInquiry: "inquiry/"}[a.Of]
	got := map[string][]byte{}
	for {
		name, b, err := nextFile(t)
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if prefix == "" || !strings.HasPrefix(name, prefix) || path.Clean(name) != name || !filepath.IsLocal(name) || strings.Contains(name, "\\") || got[name] != nil {
			return "", fmt.Errorf("%w: it holds %q, which is none of the %s's", ErrKeys, name, a.Of)
		}
		got[name] = b
	}
	// To the end: age authenticates the last chunk only there.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return "", err
	}
	if len(got) != a.Files {
		return "", fmt.Errorf("%w: it holds %d files of %d", ErrKeys, len(got), a.Files)
	}
	if _, twice := k.Of[a.Of]; twice {
		return "", fmt.Errorf("%w: two files are of the %s; give the newer one", ErrKeys, a.Of)
	}
	k.Of[a.Of] = a.Made
	maps.Copy(k.files, got)
	return a.Of, nil
}

func nextFile(t *tar.Reader) (string, []byte, error) {
	h, err := t.Next()
	if err == io.EOF {
		return "", nil, err
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if h.Typeflag != tar.TypeReg || h.Size > maxKept {
		return "", nil, fmt.Errorf("%w: %q is no file of keys", ErrKeys, h.Name)
	}
	var b bytes.Buffer
	b.Grow(int(min(h.Size, 1<<20)))
	if _, err := io.Copy(&b, t); err != nil {
		return "", nil, err
	}
	return h.Name, b.Bytes(), nil
}

// below is a folder of what is kept, as a key folder or a sealer's vault that can
// be read and not written.
func (k *Kept) below(dir string) vault { return vault{k.files, dir + "/"} }

type vault struct {
	files map[string][]byte
	dir   string
}

// Lock holds nobody off: it is this process's alone.
func (vault) Lock() (unlock func(), err error) { return func() {}, nil }

var errReadOnly = errors.New("what is examined is not written to")

func (v vault) Read(name string) ([]byte, error) {
	b, ok := v.files[v.dir+name]
	if !ok {
		return nil, fmt.Errorf("%q: %w", v.dir+name, fs.ErrNotExist)
	}
	return b, nil
}

func (vault) Write(string, []byte) error  { return errReadOnly }
func (vault) Create(string, []byte) error { return errReadOnly }

func (v vault) List(under string) (out []string, err error) {
	prefix := v.dir
	if under != "" {
		prefix += under + "/"
	}
	for name := range v.files {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out, nil
}

// looked is a vault on a disk that can't be written through it.
type looked struct{ folder.Private }

func (looked) Write(string, []byte) error  { return errReadOnly }
func (looked) Create(string, []byte) error { return errReadOnly }
