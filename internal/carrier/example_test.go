package carrier

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// folder reads a source folder; the adapter that does so for the program is
// stricter and lives on another floor.
func folder(t testing.TB, dir string) (s Source) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
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
	slices.SortFunc(s.Files, func(a, b SourceFile) int { return strings.Compare(a.Path, b.Path) })
	return s
}

const exampleDir = "../../examples/advisory"

var (
	testBias = fpcode.BiasKey(fpcode.Key{1, 2, 3})
	testRec  = token.NewRecogniser([16]byte{4, 5, 6})
)

// copyOf renders a copy whose symbols and tokens are drawn from r.
func copyOf(f *form.Form, level form.Level, r *rand.Rand) []form.Output {
	symbols, tokens := map[fpcode.SiteID]uint8{}, map[string]uint64{}
	for _, s := range f.Sites {
		symbols[s.ID] = uint8(r.IntN(int(s.Q)))
	}
	for _, s := range f.Slots() {
		tokens[s.Name] = r.Uint64()
	}
	return f.Render(level, func(s form.Site) uint8 { return symbols[s.ID] },
		func(slot string, a token.Alphabet) string { return a.Encode(testRec, tokens[slot]) })
}

func compileExample(t testing.TB) (*form.Form, *Manifest, Report) {
	t.Helper()
	f, m, r, err := Compile(folder(t, exampleDir), testBias)
	if err != nil {
		t.Fatal(err)
	}
	return f, m, r
}

func TestExampleIsTraceable(t *testing.T) {
	f, m, r := compileExample(t)
	if len(r.Warnings) > 0 {
		t.Errorf("warned of %v", r.Warnings)
	}
	if m.Title == "" || m.Summary == "" || m.Uses[DeployMitigation].Verdict != Yes || m.BreakPack() != form.Detection {
		t.Errorf("manifest %+v", m)
	}
	i := slices.IndexFunc(r.Files, func(f FileReport) bool { return f.Path == "advisory.md" })
	a := r.Files[i]
	t.Logf("advisory: %d words, %d sites, %.1f bits; any third has at least %d sites and %.1f bits", a.Words, a.Sites, a.Bits.Bits(), a.Third.Sites, a.Third.Bits.Bits())
	t.Logf("package: %d sites, %.1f bits, %d tokens, %d of %d bytes untraceable; by class %+v", r.Sites, r.Bits.Bits(), r.Tokens, r.Untraceable, r.Bytes, r.Classes)
	if a.Words < 1500 || a.Words > 1750 || a.Sites < 190 || a.Third.Sites < 55 {
		t.Errorf("advisory %+v", a)
	}
	for _, level := range []form.Level{form.HeadsUp, form.Description, form.Detection, form.Indicators, form.PoC} {
		if !slices.ContainsFunc(f.Files, func(f form.File) bool { return f.Level == level }) {
			t.Errorf("no file of level %v", level)
		}
	}
}

// Nothing of the syntax is left in a copy, and none shows what it may not.
func TestExampleCopies(t *testing.T) {
	f, _, _ := compileExample(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		for _, o := range copyOf(f, form.PoC, r) {
			text := string(o.Data)
			for _, left := range []string{"{{", "# order", "// order", "<!--", "# end", "token:"} {
				if strings.Contains(text, left) {
					t.Fatalf("%s holds %q", o.Path, left)
				}
			}
			if o.Path == ManifestPath {
				t.Fatal("a copy holds the manifest")
			}
			if what := anAn.FindString(text); what != "" && strings.HasSuffix(o.Path, ".md") {
				t.Fatalf("%s: wrong article in %q", o.Path, what)
			}
		}
	}
}

var anAn = regexp.MustCompile(`\b[Aa] [aeio][a-z]+|\b[Aa]n [b-df-gj-np-tv-z][a-z]+`)

// Every copy is what its readers' tools take, and says the same to them. The
// parsers here are not those that Compile uses, where there are others.
func TestExampleParses(t *testing.T) {
	f, _, _ := compileExample(t)
	r := rand.New(rand.NewPCG(3, 4))
	first := map[string]any{}
	for n := range 60 {
		for _, o := range copyOf(f, form.PoC, r) {
			says, err := toolView(o)
			if err != nil {
				t.Fatalf("%s: %v\n%s", o.Path, err, o.Data)
			}
			if n == 0 {
				first[o.Path] = says
			} else if !reflect.DeepEqual(first[o.Path], says) {
				t.Fatalf("%s: one copy says\n%v\nanother\n%v", o.Path, first[o.Path], says)
			}
		}
	}
}

// toolView is what a tool takes from an output, by other means than essences.
func toolView(o form.Output) (any, error) {
	if o.Path == "indicators.stix.json" {
		var bundle map[string]any
		if err := json.Unmarshal(o.Data, &bundle); err != nil {
			return nil, err
		}
		objects, ok := bundle["objects"].([]any)
		if !ok || len(objects) != 8 {
			return nil, errors.New("not a bundle of eight objects")
		}
		slices.SortFunc(objects, func(a, b any) int {
			return strings.Compare(a.(map[string]any)["id"].(string), b.(map[string]any)["id"].(string))
		})
		return bundle, nil
	}
	switch filepath.Ext(o.Path) {
	case ".json":
		var doc struct {
			Document struct {
				Tracking any `json:"tracking"`
				Title    string
			}
			ProductTree     any `json:"product_tree"`
			Vulnerabilities []struct {
				CVE    string
				Scores any
			}
		}
		if err := json.Unmarshal(o.Data, &doc); err != nil {
			return nil, err
		}
		slices.SortFunc(doc.Vulnerabilities, func(a, b struct {
			CVE    string
			Scores any
		}) int {
			return strings.Compare(a.CVE, b.CVE)
		})
		return doc, nil
	case ".yml":
		var rule map[string]any
		if err := yaml.Unmarshal(o.Data, &rule); err != nil {
			return nil, err
		}
		for _, text := range []string{"title", "id", "description"} {
			if s, ok := rule[text].(string); !ok || s == "" {
				return nil, errors.New(text + " isn't a text")
			}
			delete(rule, text)
		}
		delete(rule, "falsepositives")
		return unordered(rule), nil
	case ".csv":
		rows, err := csv.NewReader(strings.NewReader(string(o.Data))).ReadAll()
		if err != nil {
			return nil, err
		}
		var values []string
		for _, row := range rows {
			values = append(values, strings.Join(row[:4], "|"))
		}
		slices.Sort(values[1:])
		return values, nil
	case ".rules":
		var rules []string
		for l := range strings.Lines(string(o.Data)) {
			if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
				rules = append(rules, ruleText.ReplaceAllString(l, ""))
			}
		}
		slices.Sort(rules)
		return rules, nil
	}
	return nil, nil
}

var ruleText = regexp.MustCompile(`(msg|metadata|reference):[^;]*;`)

// unordered sorts lists, at any depth, by what they print as.
func unordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = unordered(v[k])
		}
	case []any:
		for i := range v {
			v[i] = unordered(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(sprintf("%v", a), sprintf("%v", b)) })
	}
	return v
}

// tool finds a program that the fuller tests need.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("FOREWARN_TEST_ALL") == "1" {
		t.Fatalf("%s isn't installed, and FOREWARN_TEST_ALL=1 asks for it", name)
	}
	if err != nil {
		t.Skipf("skipped: %s isn't installed", name)
	}
	return path
}

// write puts a copy on disk.
func write(t *testing.T, dir string, out []form.Output) {
	t.Helper()
	for _, o := range out {
		path := filepath.Join(dir, filepath.FromSlash(o.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, o.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What YARA finds with one copy's rules, it finds with any copy's.
func TestExampleYARA(t *testing.T) {
	yara := tool(t, "yara")
	f, _, _ := compileExample(t)
	corpus := t.TempDir()
	write(t, corpus, []form.Output{
		{Path: "template", Data: []byte("#lpt 7\nhost.spawn(x)\n")},
		{Path: "package", Data: []byte("PK\x03\x04 layout.manifest t20250516.lpt")},
		{Path: "log", Data: []byte("POST /portal/layout/import\n/portal/signout\nX-Larkspur-Import: queued\nlarkspur-probe/1.2\n")},
		{Path: "log2", Data: []byte("POST /portal/layout/import /portal/signout GET /portal/theme/t20250516.lpt")},
		{Path: "half", Data: []byte("POST /portal/layout/import /portal/signout")},
		{Path: "innocent", Data: []byte("nothing of the kind")},
	})
	r := rand.New(rand.NewPCG(5, 6))
	var want string
	for n := range 12 {
		dir := t.TempDir()
		write(t, dir, copyOf(f, form.Detection, r))
		cmd := exec.Command(yara, "-w", "-r", filepath.Join(dir, "rules", "larkspur.yar"), ".")
		cmd.Dir = corpus
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("yara: %v\n%s", err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		slices.Sort(lines)
		got := strings.Join(lines, "\n")
		if n == 0 {
			want = got
			if len(lines) != 5 || strings.Contains(got, "innocent") || strings.Contains(got, "half") {
				t.Errorf("yara finds\n%s", got)
			}
		} else if got != want {
			t.Fatalf("yara finds\n%s\nwith one copy's rules and\n%s\nwith another's", want, got)
		}
	}
}

// Suricata itself takes every copy's rules.
func TestExampleSuricata(t *testing.T) {
	suricata := tool(t, "suricata")
	f, _, _ := compileExample(t)
	r := rand.New(rand.NewPCG(7, 8))
	for range 2 {
		dir := t.TempDir()
		write(t, dir, copyOf(f, form.Detection, r))
		if out, err := exec.Command(suricata, "-T", "-l", dir, "-S", filepath.Join(dir, "rules", "larkspur.rules")).CombinedOutput(); err != nil {
			t.Fatalf("suricata: %v\n%s", err, out)
		}
	}
}

// The probe is a program in every copy.
func TestExampleProbe(t *testing.T) {
	python := tool(t, "python3")
	f, _, _ := compileExample(t)
	r := rand.New(rand.NewPCG(9, 10))
	args := []string{"-c", "import ast, sys\nfor p in sys.argv[1:]: ast.parse(open(p).read())"}
	var probe string
	for range 8 {
		dir := t.TempDir()
		write(t, dir, copyOf(f, form.PoC, r))
		probe = filepath.Join(dir, "poc", "probe.py")
		args = append(args, probe)
	}
	if out, err := exec.Command(python, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(python, "-B", probe).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "usage: probe.py") {
		t.Fatalf("without an address the probe should explain itself: %v\n%s", err, out)
	}
}
