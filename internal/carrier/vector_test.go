package carrier

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
)

var update = flag.Bool("update", false, "write doc/spec/vectors/source anew")

const vectorDir = "../../doc/spec/vectors/source"

type vector struct {
	Comment string       `json:"comment"`
	Bias    string       `json:"bias"`
	Files   []vectorFile `json:"files"`
	Packed  string       `json:"packed,omitempty"`
	Form    string       `json:"form,omitempty"`
	Sites   []vectorSite `json:"sites,omitempty"`
	Slots   []string     `json:"slots,omitempty"`
	Refused []string     `json:"refused,omitempty"`
}

type vectorFile struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

type vectorSite struct {
	ID    string   `json:"id"`
	Class string   `json:"class"`
	Shows []string `json:"shows"` // by symbol, in the site's first place
}

// run compiles a vector's source and says what came of it.
func (v vector) run(t *testing.T) vector {
	t.Helper()
	var bias fpcode.Key
	if b, err := hex.DecodeString(v.Bias); err != nil || copy(bias[:], b) != 32 {
		t.Fatalf("bias %q", v.Bias)
	}
	var src Source
	for _, f := range v.Files {
		src.Files = append(src.Files, SourceFile{f.Path, []byte(f.Text)})
	}
	v.Packed, v.Form, v.Sites, v.Slots, v.Refused = "", "", nil, nil, nil
	f, _, _, err := Compile(src, bias)
	var rs Refusals
	if errors.As(err, &rs) {
		for _, r := range rs {
			v.Refused = append(v.Refused, r.String())
		}
		return v
	}
	packed, err := src.Pack()
	if err != nil {
		t.Fatal(err)
	}
	hash := f.Hash()
	v.Packed, v.Form = hex.EncodeToString(packed), hex.EncodeToString(hash[:])
	for i, s := range f.Sites {
		site := vectorSite{ID: hex.EncodeToString(s.ID[:]), Class: s.Class.String()}
		for _, file := range f.Files {
			for _, p := range file.Parts {
				if p.Alternatives != nil && int(p.Site) == i && site.Shows == nil {
					for _, a := range p.Alternatives {
						site.Shows = append(site.Shows, string(a))
					}
				}
			}
		}
		v.Sites = append(v.Sites, site)
	}
	for _, s := range f.Slots() {
		v.Slots = append(v.Slots, s.Name+" "+s.Alphabet.String())
	}
	return v
}

// What the vectors are made of; the rest follows.
var vectorSources = map[string]vector{
	"good-choices": {Comment: "Choices with and without names; the same words twice are two sites, the same name is one.",
		Files: []vectorFile{{"a.md", "It is {{quick|fast}} and {{#size large|big}}, so {{fast|quick}} and {{#size wide|broad}} at once. {{{{x}}\n"}}},
	"good-orders": {Comment: "A list of seven is a group of four and a group of three; a list of five leaves one item in its place.",
		Files: []vectorFile{{"a.md", "<!-- order -->\n- one thing\n- another\n- a third\n- more\n- less\n- late\n- last\n<!-- end -->\n\n<!-- order -->\n- red\n- green\n- blue\n- grey\n- pink\n<!-- end -->\n"}}},
	"good-tokens": {Comment: "Tokens with and without names.",
		Files: []vectorFile{{"poc/a.sh", "curl -H 'X: {{token:hex#trace}}' http://192.0.2.1/{{token:base62}}\ncurl http://192.0.2.1/{{token:base62}}?{{token:hex#trace}}\n"}}},
	"good-json": {Comment: "A list named by pointer; escapes stay as they are written.",
		Files: []vectorFile{{"a.json", `{"document": {"csaf_version": "2.0", "notes": [{"text": "{{say \"go\"|call out \"go\"}} now"}], "references": [{"url": "https://a.example/"}, {"url": "https://b.example/"}]}}`}},
	},
	"good-rules": {Comment: "One class for all marks of rules.",
		Files: []vectorFile{{"a.yml", "title: {{quick|fast}} imports\nid: {{token:uuid}}\ndetection:\n  s:\n    # order\n    - x\n    - y\n    # end\n"}}},
	"good-values": {Comment: "One value in several ways; the same value twice is two sites, values of one name are one.",
		Files: []vectorFile{{"a.md", "Due {{date:2025-07-08#day}}, told {{date:2025-06-24#day}}; asked {{date:2025-07-08}} and {{date:2025-07-08}}, within {{duration:90m}}, at {{time:17:00}}, {{count:12}} of {{size:64 KiB}}.\n"}}},
	"good-facts": {Comment: "The sentences of a paragraph; an abbreviation ends none.",
		Files: []vectorFile{{"a.md", "<!-- facts -->\nThe module, i.e. the old one, is loaded. Checking is off.\nNobody\nlooked. Logs are kept.\n<!-- end -->\n"}}},
	"good-examples": {Comment: "One of three examples; who vouches for them is in no copy.",
		Files: []vectorFile{{"a.md", "<!-- example: Mira Lindqvist -->\nOne host was found so.\n<!-- or -->\nTwo were found later on.\n\nNobody saw the third.\n<!-- or -->\n\nFour came by post.\n\n<!-- end -->\n"}, {"approvals.yaml", "format: approvals/1\napprovals: []\n"}}},
	"good-stix": {Comment: "Roles are a set, descriptions are for people.",
		Files: []vectorFile{{"a.json", `{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [{"type": "ipv4-addr", "id": "ipv4-addr--00000000-0000-4000-8000-00000000000a", "value": "192.0.2.1"}, {"type": "identity", "id": "identity--00000000-0000-4000-8000-00000000000b", "description": "A {{quick|fast}} one", "roles": ["ciso", "psirt", "desk"]}]}`}}},
	"fail-value-is-none": {Comment: "A day that no calendar has.",
		Files: []vectorFile{{"a.md", "Due {{date:2025-02-29}}.\n"}}},
	"fail-value-has-one-way": {Comment: "10:30 am holds 10:30.",
		Files: []vectorFile{{"a.md", "At {{time:10:30}}.\n"}}},
	"fail-fact-leans-on-another": {Comment: "A sentence that points back.",
		Files: []vectorFile{{"a.md", "<!-- facts -->\nChecking is off. This is new.\n<!-- end -->\n"}}},
	"fail-nobody-vouches": {Comment: "Examples without a name.",
		Files: []vectorFile{{"a.md", "<!-- example -->\nOne host was found so.\n<!-- or -->\nTwo were found later on.\n<!-- end -->\n"}}},
	"fail-examples-differ-in-an-address": {Comment: "Members would look for different addresses.",
		Files: []vectorFile{{"a.md", "<!-- example: Mira -->\nOne was 192.0.2.1 for sure.\n<!-- or -->\nOne was 192.0.2.2 for sure.\n<!-- end -->\n"}}},
	"fail-stix-pattern": {Comment: "A choice in what tools match.",
		Files: []vectorFile{{"a.json", `{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [{"type": "indicator", "id": "indicator--00000000-0000-4000-8000-00000000000b", "pattern": "{{quick|fast}}"}]}`}}},
	"fail-choice-is-not-equal": {Comment: "Alternatives with another version.",
		Files: []vectorFile{{"a.md", "Install {{release 7.4.2|release 7.4.3}} now.\n"}}},
	"fail-mark-not-closed": {Comment: "A mark across two lines.",
		Files: []vectorFile{{"a.md", "It is {{quick|\nfast}}.\n"}}},
	"fail-rule-matches-otherwise": {Comment: "A choice in what a rule looks for.",
		Files: []vectorFile{{"a.yml", "title: t\ndetection:\n  s: {{quick|fast}}\n"}}},
	"fail-list-not-closed": {Comment: "A directive without its other half.",
		Files: []vectorFile{{"a.md", "<!-- order -->\n- a\n- b\n"}}},
	"fail-poc-shown-early": {Comment: "A level below poc for a file under poc/.",
		Files: []vectorFile{{"poc/a.sh", "true\n"}}},
}

func TestVectors(t *testing.T) {
	names := map[string]bool{}
	for name, v := range vectorSources {
		names[name] = true
		path := filepath.Join(vectorDir, name+".json")
		if *update {
			v.Bias = strings.Repeat("0b", 32)
			manifest := "title: t\ntlp: TLP:CLEAR\n"
			switch name {
			case "good-stix":
				manifest += "order:\n  - file: a.json\n    pointer: /objects/1/roles\n"
			case "good-json":
				manifest += "order:\n  - file: a.json\n    pointer: /document/references\n"
			case "fail-poc-shown-early":
				manifest += "files:\n  poc/*: detection\n"
			}
			v.Files = append(v.Files, vectorFile{ManifestPath, manifest})
			slices.SortFunc(v.Files, func(a, b vectorFile) int { return strings.Compare(a.Path, b.Path) })
			b, err := json.MarshalIndent(v.run(t), "", "  ")
			if err == nil {
				err = os.WriteFile(path, append(b, '\n'), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want vector
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		got, err := json.MarshalIndent(want.run(t), "", "  ")
		if err != nil || string(got)+"\n" != string(b) {
			t.Errorf("%s: compiles to\n%s", name, got)
		}
		if refused := len(want.Refused) > 0; refused != strings.HasPrefix(name, "fail-") {
			t.Errorf("%s: refused %t", name, refused)
		}
	}
	files, err := os.ReadDir(vectorDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !names[strings.TrimSuffix(f.Name(), ".json")] {
			t.Errorf("%s is the vector of no test", f.Name())
		}
	}
}
