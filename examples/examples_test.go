package examples_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"forewarn/examples"
	"forewarn/internal/carrier"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// copies renders the example for so many holders, as the sealer would.
func copies(t *testing.T, n int) [][]form.Output {
	t.Helper()
	var src carrier.Source
	err := fs.WalkDir(examples.Advisory(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(examples.Advisory(), path)
		src.Files = append(src.Files, carrier.SourceFile{Path: path, Data: b})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(src.Files, func(a, b carrier.SourceFile) int { return strings.Compare(a.Path, b.Path) })
	pkg := fpcode.Key{1}
	f, _, _, err := carrier.Compile(src, fpcode.BiasKey(pkg))
	if err != nil {
		t.Fatal(err)
	}
	rec := token.NewRecogniser([16]byte{2})
	var out [][]form.Output
	for i := range n {
		holder := [16]byte{3, byte(i)}
		key := fpcode.CopyKey(pkg, holder)
		out = append(out, f.Render(form.PoC,
			func(s form.Site) uint8 { return fpcode.Symbol(key, s.ID, f.SiteLaw(s)) },
			func(slot string, a token.Alphabet) string {
				return a.Encode(rec, token.Identity([32]byte(pkg), 1, [16]byte{4}, holder, slot))
			}))
	}
	return out
}

// tool skips without the tool, in one clear line, and fails where all tools are
// said to be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") != "" {
			t.Fatalf("%s is not installed, and FOREWARN_TEST_ALL is set", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// documents writes the CSAF of so many copies, each in a folder of its own and
// named as the document's id says.
func documents(t *testing.T, n int) (files []string) {
	t.Helper()
	for _, c := range copies(t, n) {
		dir := t.TempDir()
		for _, f := range c {
			if !strings.HasSuffix(f.Path, ".json") || strings.HasSuffix(f.Path, ".stix.json") {
				continue
			}
			name := filepath.Join(dir, filepath.Base(strings.Replace(f.Path, "advisory.csaf", "hls-2025-014", 1)))
			if err := os.WriteFile(name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, name)
		}
	}
	return files
}

// Whatever the marks, a member's CSAF tools take the advisory. The validator is
// gocsaf's, which nobody here wrote.
func TestCSAFOfEveryCopyIsValid(t *testing.T) {
	validator := tool(t, "csaf_validator")
	for _, name := range documents(t, 20) {
		cmd := exec.Command(validator, name)
		out, err := cmd.CombinedOutput()
		// 4 is the bit for 'no remote validator was named', which none is.
		if code := cmd.ProcessState.ExitCode(); code&^4 != 0 || !strings.Contains(string(out), "passes the schema validation") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// The same by csaf-validator-lib, which has the standard's mandatory tests.
// FOREWARN_NPM is the folder where it is installed.
func TestCSAFPassesTheMandatoryTests(t *testing.T) {
	node, at := tool(t, "node"), os.Getenv("FOREWARN_NPM")
	if at == "" {
		if os.Getenv("FOREWARN_TEST_ALL") != "" {
			t.Fatal("FOREWARN_NPM names no folder with npm's csaf-validator-lib, and FOREWARN_TEST_ALL is set")
		}
		t.Skip("FOREWARN_NPM names no folder with npm's csaf-validator-lib")
	}
	at, err := filepath.Abs(at)
	if err != nil {
		t.Fatal(err)
	}
	files := documents(t, 20)
	out, err := exec.Command(node, append([]string{"testdata/csaf.mjs", at}, files...)...).CombinedOutput()
	if want := fmt.Sprintf("%d documents, ", len(files)); err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v\n%s", err, out)
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	b, err := os.ReadFile(files[0])
	if err == nil {
		err = os.WriteFile(broken, []byte(strings.Replace(string(b), `"AMBER"`, `"YELLOW"`, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(node, "testdata/csaf.mjs", at, broken).CombinedOutput(); err == nil {
		t.Errorf("the judge lets anything pass: %s", out)
	}
}

// The identifiers and versions that tools key on are the same in all copies.
func TestCopiesDifferAndTheirIdentifiersDoNot(t *testing.T) {
	all := copies(t, 20)
	seen := map[string]bool{}
	for _, c := range all {
		seen[fmt.Sprintf("%x", form.CopyHash(c))] = true
		if len(c) != len(all[0]) {
			t.Fatalf("copies of %d and %d files", len(c), len(all[0]))
		}
		for i, f := range c {
			if f.Path != all[0][i].Path {
				t.Errorf("a file is called %s in one copy and %s in another", f.Path, all[0][i].Path)
			}
			for _, id := range []string{"CVE-1900-40117", "7.4.2", "HLS-2025-014"} {
				if got, want := strings.Count(string(f.Data), id), strings.Count(string(all[0][i].Data), id); got != want {
					t.Errorf("%s says %s %d times in one copy and %d times in another", f.Path, id, got, want)
				}
			}
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d copies, %d different", len(all), len(seen))
	}
}
