package folder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/form"
)

const (
	maxDepth = 16   // folders within folders of a source
	maxSeen  = 4096 // names in a source folder, of whatever kind
	maxTold  = 10   // problems told at once
)

// LoadSource reads a package's source folder. Only regular files and folders
// are taken; whatever else is in it (symbolic links, devices, pipes, hidden
// files, names that another system or a terminal would take amiss, more or larger
// files than a package may have) is refused with ErrRefused, all of it told at
// once. Nothing outside the folder is read, whoever changes it meanwhile.
func LoadSource(dir string) (carrier.Source, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return carrier.Source{}, fmt.Errorf("source folder %q: %w", dir, bare(err))
	}
	defer root.Close()
	l := loader{}
	if err := l.folder(root, "", 0); err != nil && !errors.Is(err, errEnough) {
		return carrier.Source{}, fmt.Errorf("source folder %q: %w", dir, err)
	}
	if len(l.files) == 0 && len(l.problems) == 0 {
		l.refuse("", "there is no file in it")
	}
	if len(l.problems) > 0 {
		return carrier.Source{}, fmt.Errorf("source folder %q: %w\n\t%s", dir, ErrRefused, strings.Join(l.problems, "\n\t"))
	}
	slices.SortFunc(l.files, func(a, b carrier.SourceFile) int { return cmp.Compare(a.Path, b.Path) })
	return carrier.Source{Files: l.files}, nil
}

type loader struct {
	files    []carrier.SourceFile
	seen     int
	total    int64
	problems []string
}

// errEnough ends the loading: enough problems to tell, or a limit passed.
var errEnough = errors.New("enough")

func (l *loader) refuse(path, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = fmt.Sprintf("%q: %s", path, text)
	}
	l.problems = append(l.problems, text)
	if len(l.problems) >= maxTold {
		l.problems = append(l.problems, "… and there may be more")
		return errEnough
	}
	return nil
}

func (l *loader) folder(root *os.Root, prefix string, depth int) error {
	d, err := root.Open(".")
	if err != nil {
		return bare(err)
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(256)
		for _, e := range entries {
			if l.seen++; l.seen > maxSeen {
				l.refuse("", "more than %d names; a package has at most %d files: move the rest away", maxSeen, carrier.MaxFiles)
				return errEnough
			}
			if err := l.entry(root, e.Name(), path.Join(prefix, e.Name()), depth); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return bare(err)
		}
	}
}

func (l *loader) entry(root *os.Root, name, p string, depth int) error {
	info, err := root.Lstat(name)
	if err != nil {
		return fmt.Errorf("%q: %w", p, bare(err))
	}
	switch mode := info.Mode(); {
	case strings.HasPrefix(name, "."):
		return l.refuse(p, "a hidden file or folder; it is easily overlooked, so move it away or rename it")
	case form.CheckPath(p) != nil:
		return l.refuse(p, "%v; rename it", form.CheckPath(p))
	case mode.IsDir():
		return l.into(root, name, p, info, depth+1)
	case mode&fs.ModeSymlink != 0:
		return l.refuse(p, "a symbolic link; put a copy of what it leads to in its place")
	case !mode.IsRegular():
		return l.refuse(p, "%s; only files and folders are taken, move it away", kindOf(mode))
	case info.Size() > carrier.MaxFile:
		return l.refuse(p, "%d bytes; a file has at most %d: split it, or give it out by other ways", info.Size(), carrier.MaxFile)
	}
	if l.total += info.Size(); l.total > carrier.MaxTotal {
		l.refuse(p, "with it the files are more than %d bytes together; move some away", carrier.MaxTotal)
		return errEnough
	}
	if len(l.files) > carrier.MaxFiles {
		l.refuse(p, "with it there are more than %d files; pack what belongs together", carrier.MaxFiles)
		return errEnough
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return fmt.Errorf("%q: %w", p, bare(err))
	}
	defer f.Close()
	data, opened, err := readRegular(f, carrier.MaxFile)
	switch {
	case errors.Is(err, ErrRefused):
		return l.refuse(p, "%v", err)
	case err != nil:
		return fmt.Errorf("%q: %w", p, bare(err))
	case !os.SameFile(info, opened):
		return l.refuse(p, "it was exchanged while it was read; try again when nobody writes to the folder")
	}
	l.files = append(l.files, carrier.SourceFile{Path: p, Data: data})
	return nil
}

// into reads a folder within, if it is still the one that was looked at.
func (l *loader) into(root *os.Root, name, p string, info fs.FileInfo, depth int) error {
	if depth > maxDepth {
		return l.refuse(p, "folders are more than %d deep; move it up", maxDepth)
	}
	sub, err := root.OpenRoot(name)
	if err != nil {
		return fmt.Errorf("%q: %w", p, bare(err))
	}
	defer sub.Close()
	opened, err := sub.Stat(".")
	if err != nil {
		return fmt.Errorf("%q: %w", p, bare(err))
	}
	if !os.SameFile(info, opened) {
		return l.refuse(p, "it was exchanged while it was read; try again when nobody writes to the folder")
	}
	return l.folder(sub, p, depth)
}

// ReadFile reads one file that a person named: a specimen, an identity. It
// follows symbolic links, as they named it, but takes only regular files of at
// most limit bytes.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, bare(err))
	}
	defer f.Close()
	b, _, err := readRegular(f, limit)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, bare(err))
	}
	return b, nil
}

// WriteNew writes files as a new folder: all or none, and never over anything
// that is there (fs.ErrExist). Paths are checked again; modes are 0600 and 0700.
func WriteNew(dir string, files []form.Output) error {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("folder %q: %w; name another, or move it away", dir, fs.ErrExist)
	}
	batch := make([]file, len(files))
	taken := map[string]bool{}
	for i, f := range files {
		if err := form.CheckPath(f.Path); err != nil {
			return fmt.Errorf("%w: %w", ErrName, err)
		}
		if low := strings.ToLower(f.Path); taken[low] {
			return fmt.Errorf("%w: %q is there twice", ErrName, f.Path)
		} else {
			taken[low] = true
		}
		batch[i] = file{f.Path, f.Data}
	}
	parent := parentOf(dir)
	if err := makeDir(parent, 0o755); err != nil {
		return fmt.Errorf("folder %q: %w", parent, bare(err))
	}
	temp := filepath.Join(parent, tempBeside("x"))
	t, err := openTree(temp, 0o600, 0o700)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) // nothing is there once it has its name
	err = t.write(context.Background(), batch)
	t.Close()
	if err != nil {
		return err
	}
	// Renaming a folder replaces no file and no folder that holds anything.
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("folder %q: %w", dir, bare(err))
	}
	p, err := os.Open(parent)
	if err != nil {
		return fmt.Errorf("folder %q: %w", parent, bare(err))
	}
	defer p.Close()
	return syncDir(p)
}
