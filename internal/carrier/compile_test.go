package carrier

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

func mustCompile(t testing.TB, s Source, bias fpcode.Key) *form.Form {
	t.Helper()
	f, _, _, err := Compile(s, bias)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCompileIsDeterministic(t *testing.T) {
	src := folder(t, exampleDir)
	f, m, r, err := Compile(src, testBias)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		g, n, q, err := Compile(src, testBias)
		if err != nil || !bytes.Equal(f.Marshal(), g.Marshal()) || !bytes.Equal(wire.Marshal(m), wire.Marshal(n)) || !bytes.Equal(wire.Marshal(&r), wire.Marshal(&q)) {
			t.Fatalf("compiled again, another Form, manifest or report (%v)", err)
		}
	}
	if g := mustCompile(t, src, fpcode.Key{7}); bytes.Equal(f.Marshal(), g.Marshal()) {
		t.Error("another bias key gives the same Form")
	}
}

// alternatives lists, by site, which text each symbol shows.
func alternatives(f *form.Form) map[fpcode.SiteID]string {
	out := map[fpcode.SiteID]string{}
	for _, file := range f.Files {
		for _, p := range file.Parts {
			if p.Kind == form.Choice {
				out[f.Sites[p.Site].ID] += string(bytes.Join(p.Alternatives, []byte("|"))) + "\n"
			}
		}
	}
	return out
}

// A revision shows in a site that kept its texts what the one before showed:
// members who compare the two learn nothing.
func TestRevisionsKeepSymbols(t *testing.T) {
	const list = "<!-- order -->\n- a\n- b\n- c\n- d\n<!-- end -->\n"
	before := alternatives(mustCompile(t, source("a.md", "It is {{quick|fast}} and so {{large|big}} here.\n\n"+list, "b.csv", "type,note\nx,{{quick|fast}}\n"), testBias))
	for _, c := range []struct {
		name, text  string
		kept, fresh int
	}{
		{"nothing", "It is {{quick|fast}} and so {{large|big}} here.\n\n" + list, 4, 0},
		{"text moved", "Now:\n" + list + "It was {{large|big}} and it was {{quick|fast}}.\n", 4, 0},
		{"alternatives turned", "It is {{fast|quick}} and so {{big|large}} here.\n\n" + list, 4, 0},
		{"items turned", "It is {{quick|fast}} and so {{large|big}} here.\n<!-- order -->\n- d\n- c\n- a\n- b\n<!-- end -->\n", 4, 0},
		{"an alternative added", "It is {{quick|fast|rapid}} and so {{large|big}} here.\n\n" + list, 3, 1},
		{"an alternative changed", "It is {{quick|rapid}} and so {{large|big}} here.\n\n" + list, 3, 1},
		{"the same again", "It is {{quick|fast}} and so {{large|big}} here, {{quick|fast}} indeed.\n\n" + list, 4, 1},
		{"an item changed", "It is {{quick|fast}} and so {{large|big}} here.\n\n" + strings.Replace(list, "- d", "- e", 1), 3, 1},
	} {
		after := alternatives(mustCompile(t, source("a.md", c.text, "b.csv", "type,note\nx,{{quick|fast}}\n"), testBias))
		kept, fresh := 0, 0
		for id, texts := range after {
			switch old, was := before[id]; {
			case !was:
				fresh++
			case c.name == "items turned":
				kept++ // the same texts in other places
			case old != texts:
				t.Errorf("%s: a site shows %q where it showed %q", c.name, texts, old)
			default:
				kept++
			}
		}
		if kept != c.kept || fresh != c.fresh {
			t.Errorf("%s: %d sites kept and %d new, want %d and %d", c.name, kept, fresh, c.kept, c.fresh)
		}
	}
}

// One name is one site, wherever it stands.
func TestNamesShareSymbols(t *testing.T) {
	f := mustCompile(t, source("a.md", "{{#v quick|fast|rapid}} and then {{#v slow|lazy|tardy}} x", "b.md", "{{#v a way|another|some path}} {{token:hex#t}}", "c.md", "{{token:hex#t}} {{token:hex}} {{token:hex}}"), testBias)
	if len(f.Sites) != 1 || len(f.Slots()) != 3 {
		t.Fatalf("%d sites and %d slots, want 1 and 3", len(f.Sites), len(f.Slots()))
	}
	authored := [][]string{{"quick", "fast", "rapid"}, {"slow", "lazy", "tardy"}, {"a way", "another", "some path"}}
	for v := range uint8(3) {
		i := -1
		part := 0
		for _, file := range f.Files {
			for _, p := range file.Parts {
				if p.Kind != form.Choice {
					continue
				}
				j := slices.Index(authored[part], string(p.Alternatives[v]))
				if i >= 0 && i != j {
					t.Errorf("symbol %d shows alternative %d in one place and %d in another", v, i, j)
				}
				i = j
				part++
			}
		}
	}
}

// Every symbol is in use: over copies drawn by the code each alternative shows.
func TestAlternativesArePermuted(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		b.WriteString(sprintf("Line %d is {{alpha|beta}} here.\n", i))
	}
	f := mustCompile(t, source("a.md", b.String()), testBias)
	first := 0
	for _, p := range f.Files[0].Parts {
		if p.Kind == form.Choice && string(p.Alternatives[0]) == "alpha" {
			first++
		}
	}
	// 200 fair coins leave this range once in 10⁹.
	if first < 55 || first > 145 {
		t.Errorf("the first alternative is symbol 0 at %d of 200 sites", first)
	}
}

func TestJSONOrder(t *testing.T) {
	src := source("a.json", "{\"x\": [\n  {\"k\": 1, \"t\": \"a\"},\n  {\"k\": 2, \"t\": \"b {{{{\"},\n  {\"k\": 3, \"t\": \"c\"}\n], \"note\": \"\\n{{quick \\\"go\\\"|fast \\\"go\\\"}}\\t.\"}",
		ManifestPath, plainManifest+"files: {a.json: description}\norder:\n  - {file: a.json, pointer: /x}\n")
	f := mustCompile(t, src, testBias)
	r := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	for range 200 {
		var doc struct {
			X    []struct{ K int }
			Note string
		}
		data := copyOf(f, form.PoC, r)[0].Data
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		seen[sprintf("%v %s", doc.X, strings.TrimSuffix(strings.TrimSpace(doc.Note), "\t."))] = true
	}
	if len(seen) != 12 || !seen[`[{1} {2} {3}] quick "go"`] || !seen[`[{3} {1} {2}] fast "go"`] {
		t.Errorf("%d different copies, want 12: %v", len(seen), seen)
	}
}

func TestTooManyMarks(t *testing.T) {
	for name, text := range map[string]string{
		"choices": strings.Repeat("{{quick|fast}}\n", form.MaxSites+1),
		"orders": func() string {
			var b strings.Builder
			b.WriteString("<!-- order -->\n")
			for i := range 4*form.MaxSites + 8 {
				b.WriteString(sprintf("- %d\n", i))
			}
			return b.String() + "<!-- end -->\n"
		}(),
	} {
		_, _, _, err := Compile(source("a.md", text), testBias)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "more than 65536 marks") {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}

func TestPack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Source
		for _, p := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z/]{1,8}`), 0, 6, rapid.ID[string]).Draw(t, "paths") {
			s.Files = append(s.Files, SourceFile{p, rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "data")})
		}
		b, err := s.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unpack(b)
		if err != nil || len(got.Files) != len(s.Files) {
			t.Fatalf("%d files of %d: %v", len(got.Files), len(s.Files), err)
		}
		slices.Reverse(s.Files)
		if again, _ := s.Pack(); !bytes.Equal(again, b) {
			t.Fatal("the order of files shows in the packed source")
		}
	})
	twice := Source{Files: []SourceFile{{"a", nil}, {"a", nil}}}
	if _, err := twice.Pack(); !errors.Is(err, wire.ErrFormat) {
		t.Errorf("packed the same path twice: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	for _, s := range []Source{{}, source("a.md", "x"), source("a.md", "x", "b/c.yml", "")} {
		b, err := s.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Unpack(b)
		if err != nil {
			return
		}
		if again, err := s.Pack(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("parses and re-encodes otherwise: %v", err)
		}
	})
}

func TestManifestAndReportRoundTrip(t *testing.T) {
	_, m, r := compileExample(t)
	var m2 Manifest
	var r2 Report
	if err := wire.Unmarshal(wire.Marshal(m), &m2); err != nil || !bytes.Equal(wire.Marshal(&m2), wire.Marshal(m)) {
		t.Errorf("manifest: %v", err)
	}
	if err := wire.Unmarshal(wire.Marshal(&r), &r2); err != nil || !bytes.Equal(wire.Marshal(&r2), wire.Marshal(&r)) {
		t.Errorf("report: %v", err)
	}
}

// A report of anything that compiles can be sent.
func TestLongWarnings(t *testing.T) {
	long := strings.Repeat("\u0302é", 70)
	_, _, r, err := Compile(source("a.md", "{{x"+long+"|y"+long+"}} z"), testBias)
	if err != nil || len(r.Warnings) != 1 {
		t.Fatalf("%d warnings, %v", len(r.Warnings), err)
	}
	var back Report
	if err := wire.Unmarshal(wire.Marshal(&r), &back); err != nil {
		t.Error(err)
	}
}

// One path for each format.
var fuzzPaths = []string{"a.md", "a.json", "a.yml", "a.csv", "a.rules", "a.yar", "poc/a.sh", "NOTES"}

// Whatever is compiled keeps its format in every copy, and all copies say the
// same: the few variants that Compile tries stand for all. The seeds are one of
// each kind.
func FuzzCompile(f *testing.F) {
	add := func(path, text string) {
		for i, p := range fuzzPaths {
			if p[strings.LastIndex(p, ".")+1:] == path[strings.LastIndex(path, ".")+1:] {
				f.Add(uint8(i), text, uint64(1))
			}
		}
	}
	for _, s := range folder(f, exampleDir).Files {
		if len(s.Data) < 4000 {
			add(s.Path, string(s.Data))
		}
	}
	for _, s := range [][2]string{
		{"a.json", `{"a":["{{x|y}}","{{token:hex}}"],"csaf_version":"\u00e9"}`},
		{"a.yml", "a: {{x|y}}\nb: '{{token:base62}}'\nc: # order\n  # order\n  - 1\n  - 2\n  # end\n"},
		{"a.yml", "detection:\n  # order\n  a: 1\n  b: [x]\n  # end\ntitle: >\n  {{x y|z}}\n"},
		{"a.csv", "note,b\n\"{{x|y}}\",1\n# order\na,2\nb,3\n# end\n"},
		{"a.rules", one + "# order\n" + two + strings.Replace(one, "sid:1", "sid:9", 1) + "# end\n"},
		{"a.yar", yaraOne + "// {{x|y}}\n"},
		{"a.md", "<!-- order -->\n- a\n\n- b\n<!-- end -->\n{{#n a b|c}} {{token:uuid#u}} {{{{\n"},
		{"poc/a.sh", "# {{x|y}}\na=(\n# order\n1,\n2,\n# end\n)\n"},
	} {
		add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, which uint8, text string, seed uint64) {
		path := fuzzPaths[int(which)%len(fuzzPaths)]
		src := source(path, text, ManifestPath, plainManifest+"files:\n  '**': poc\n")
		form, _, report, err := Compile(src, testBias)
		if err != nil {
			if !errors.Is(err, ErrRefused) || form != nil {
				t.Fatalf("refused as %v", err)
			}
			return
		}
		if err := form.Check(); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 1))
		marked := !report.Files[0].Untraceable()
		var says string
		for n := range 4 {
			o := copyOf(form, 5, r)[0]
			if !marked {
				if want := strings.ReplaceAll(text, escaped, opening); len(report.Warnings) == 0 && !strings.Contains(text, "order") && string(o.Data) != want {
					t.Fatalf("%q became %q without a mark", text, o.Data)
				}
				continue
			}
			if err := parses(report.Files[0].Format, o.Data); err != nil {
				t.Fatalf("%s compiles and a copy doesn't parse: %v\n%s", path, err, o.Data)
			}
			if of := formatOf(path, text); of.essence != nil {
				e, err := of.essence(string(o.Data))
				if n == 0 {
					says = e
				}
				if err != nil || e != says {
					t.Fatalf("%s compiles, and one copy says\n%s\nanother\n%s\n%v\n%s", path, says, e, err, o.Data)
				}
			}
		}
	})
}

// parses reads an output with parsers other than Compile's, where there are any.
func parses(name string, data []byte) error {
	switch name {
	case "json", "csaf":
		var v any
		return json.Unmarshal(data, &v)
	case "yaml", "sigma":
		var v any
		return yaml.UnmarshalWithOptions(data, &v, yaml.AllowDuplicateMapKey())
	case "csv":
		_, err := parseCSV(string(data))
		return err
	case "suricata":
		_, err := parseSuricata(string(data))
		return err
	case "yara":
		_, _, err := parseYARA(string(data))
		return err
	}
	return nil
}

func BenchmarkCompileExample(b *testing.B) {
	src := folder(b, exampleDir)
	for b.Loop() {
		if _, _, _, err := Compile(src, testBias); err != nil {
			b.Fatal(err)
		}
	}
}

// What no gate compares is told.
func TestUnread(t *testing.T) {
	for path, want := range map[string]bool{"a.yml": true, "a.txt": true, "a.json": true, "b.md": false} {
		text := "\"{{quick|fast}}\"\n"
		_, _, r, err := Compile(source(path, text, ManifestPath, plainManifest+"files: {'*': detection}\n"), fpcode.Key{})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(r.Warnings, func(w Warning) bool { return strings.Contains(w.Text, "nobody compares") })
		if got != want {
			t.Errorf("%s: warned %t: %v", path, got, r.Warnings)
		}
	}
}
