package carrier

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"forewarn/internal/fpcode"
)

// folder reads a source folder; the adapter that does so for the program is
// stricter and lives on another floor.
func folder(t testing.TB, dir string) (s Source) {
	t.Helper()
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		s.Files = append(s.Files, SourceFile{path, b})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const exampleDir = "../../examples/advisory"

var testBias = fpcode.BiasKey(fpcode.Key{1, 2, 3})

func TestExample(t *testing.T) {
	f, m, r, err := Compile(folder(t, exampleDir), testBias)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(m.Title, len(f.Sites), f.Slots())
	for _, x := range r.Files {
		t.Logf("%+v", x)
	}
	for _, w := range r.Warnings {
		t.Log(w)
	}
	t.Logf("%+v %d %v %d %d", r.Classes, r.Sites, r.Bits.Bits(), r.Bytes, r.Untraceable)
}
