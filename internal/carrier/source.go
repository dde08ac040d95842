package carrier

import (
	"cmp"
	"slices"
	"strings"

	"forewarn/internal/form"
	"forewarn/internal/wire"
)

const sourceMagic = "forewarn source v1\n"

// ManifestPath is the file that says what the others are. It is in every source
// and in no copy.
const ManifestPath = "forewarn.yaml"

// bulkKeyPath is where a sealed copy carries the key of its bulk files.
const bulkKeyPath = "bulk-key.txt"

// Limits of a source. They are those of a Form, so that nothing is read that
// could not be sealed.
const (
	MaxFiles = form.MaxFiles
	MaxFile  = form.MaxFile  // bytes of one file
	MaxTotal = form.MaxTotal // bytes of all files together
)

// SourceFile is one file of a source folder. The path is relative to the folder,
// with forward slashes.
type SourceFile struct {
	Path string
	Data []byte
}

// Source is a source folder in memory. Compile wants the files sorted by path.
type Source struct {
	Files []SourceFile
}

// Pack is the canonical encoding of the source, sorted by path. Errors wrap
// wire.ErrFormat: the source is over a limit.
func (s Source) Pack() ([]byte, error) {
	sorted := Source{slices.Clone(s.Files)}
	slices.SortStableFunc(sorted.Files, func(a, b SourceFile) int { return cmp.Compare(a.Path, b.Path) })
	return wire.Append(nil, &sorted)
}

// Unpack reads what Pack wrote and nothing else. Errors wrap wire.ErrFormat. It
// doesn't check paths or contents; Compile does.
func Unpack(b []byte) (Source, error) {
	var s Source
	if err := wire.Unmarshal(b, &s); err != nil {
		return Source{}, err
	}
	return s, nil
}

// Wire lays out the source: each file's path and bytes.
func (s *Source) Wire(c *wire.Coder) {
	c.Magic(sourceMagic)
	total, last := 0, ""
	// One more than the files of a Form: the manifest is none of its files.
	wire.List(c, &s.Files, MaxFiles+1, func(c *wire.Coder, f *SourceFile) {
		wire.Text(c, &f.Path, 4096)
		c.Bytes(&f.Data, MaxFile)
		if last != "" && f.Path <= last {
			c.Fail("path %q comes after %q: paths are in ascending order", f.Path, last)
		}
		last = f.Path
		if total += len(f.Data); total > MaxTotal {
			c.Fail("the files together are more than %d bytes", MaxTotal)
		}
	})
}

// checkSource refuses what no file of a source may be, whatever the manifest
// says, and tells whether the rest can be looked at.
func (c *compiler) checkSource(s Source) bool {
	if len(s.Files) > MaxFiles+1 {
		c.refuse("", 0, sprintf("%d files", len(s.Files)), sprintf("a package has at most %d; pack what belongs together", MaxFiles))
		return false
	}
	folded, total := map[string]string{}, 0
	for i, f := range s.Files {
		if err := form.CheckPath(f.Path); err != nil {
			c.refuse(f.Path, 0, err.Error(), "rename the file")
			continue
		}
		low := strings.ToLower(f.Path)
		switch other, taken := folded[low]; {
		case taken:
			c.refuse(f.Path, 0, sprintf("the same name as %q but for case", other), "rename one of them: some systems would keep only one")
		case i > 0 && s.Files[i-1].Path > f.Path:
			c.refuse(f.Path, 0, sprintf("comes after %q", s.Files[i-1].Path), "sort the files by path")
		case low == bulkKeyPath || low == ManifestPath && f.Path != ManifestPath || low == ApprovalsPath && f.Path != ApprovalsPath:
			c.refuse(f.Path, 0, "this name is reserved", "rename the file")
		case len(f.Data) > MaxFile:
			c.refuse(f.Path, 0, sprintf("%d bytes", len(f.Data)), sprintf("a file has at most %d", MaxFile))
		}
		folded[low] = f.Path
		total += len(f.Data)
	}
	for low, path := range folded {
		for i, r := range low {
			if file, taken := folded[low[:i]]; r == '/' && taken {
				c.refuse(path, 0, sprintf("%q is a file, so it can't be a folder", file), "rename one of them")
			}
		}
	}
	if total > MaxTotal {
		c.refuse("", 0, sprintf("%d bytes in all files together", total), sprintf("a package has at most %d", MaxTotal))
	}
	return len(c.refusals) == 0
}
