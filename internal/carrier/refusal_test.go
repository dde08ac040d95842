package carrier

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
)

const plainManifest = "title: t\ntlp: TLP:RED\n"

// source makes a source of paths and texts, with a manifest unless one is given.
func source(pairs ...string) (s Source) {
	manifest := false
	for i := 0; i < len(pairs); i += 2 {
		s.Files = append(s.Files, SourceFile{pairs[i], []byte(pairs[i+1])})
		manifest = manifest || pairs[i] == ManifestPath
	}
	if !manifest {
		s.Files = append(s.Files, SourceFile{ManifestPath, []byte(plainManifest)})
	}
	slices.SortStableFunc(s.Files, func(a, b SourceFile) int { return strings.Compare(a.Path, b.Path) })
	return s
}

const sigmaRuleText = "title: t\nid: {{token:uuid}}\ndetection:\n  s: x\n"

func TestRefused(t *testing.T) {
	many := Source{}
	for i := range MaxFiles + 2 {
		many.Files = append(many.Files, SourceFile{sprintf("%05d.md", i), nil})
	}
	for _, c := range []struct {
		name string
		src  Source
		want string // how a line of the error begins
	}{
		// The folder.
		{"no manifest", Source{Files: []SourceFile{{"a.md", nil}}}, "no forewarn.yaml; put one in the folder's root"},
		{"only a manifest", source(), "a source without files"},
		{"too many files", many, "1002 files; a package has at most 1000"},
		{"too large", source("a.md", strings.Repeat("x", MaxFile+1)), "a.md: 8388609 bytes; a file has at most 8388608"},
		{"traversal", source("../a.md", ""), `../a.md: path "../a.md": ".." is not a name`},
		{"absolute", source("/a.md", ""), `/a.md: path "/a.md": "" is not a name`},
		{"backslash", source(`a\b.md`, ""), `a\\b.md: path "a\\b.md": the character '\\' is not allowed`},
		{"terminal escape in a name", source("\x1b[2J.md", ""), `\x1b[2J.md: path "\x1b[2J.md": the character '\x1b' is not allowed`},
		{"device", source("con.md", ""), `con.md: path "con.md": "con.md" is a device`},
		{"same but for case", source("A.md", "", "a.md", ""), `a.md: the same name as "A.md" but for case`},
		{"twice", source("a.md", "", "a.md", ""), `a.md: the same name as "a.md" but for case`},
		{"file and folder", source("a", "", "a/b.md", ""), `a/b.md: "a" is a file, so it can't be a folder`},
		{"reserved", source("Bulk-Key.txt", ""), "Bulk-Key.txt: this name is reserved"},
		{"manifest in capitals", source("Forewarn.yaml", ""), "Forewarn.yaml: this name is reserved"},
		{"unsorted", Source{Files: []SourceFile{{"b.md", nil}, {"a.md", nil}, {ManifestPath, []byte(plainManifest)}}}, `a.md: comes after "b.md"; sort`},

		// Levels.
		{"no level", source("LICENSE", "x"), "LICENSE:1:1: no level; say in forewarn.yaml under files:"},
		{"poc shown early", source("poc/a.py", "x", ManifestPath, plainManifest+"files:\n  poc/*: detection\n"), "poc/a.py:1:1: a file under poc/ at level detection"},
		{"bulk poc", source("poc/a.bin", "x", ManifestPath, plainManifest+"bulk:\n  - poc/*\n"), "poc/a.bin:1:1: bulk of level poc"},
		{"two levels", source("a.md", "x", ManifestPath, plainManifest+"files:\n  a.*: poc\n  '*.md': detection\n"), `a.md:1:1: "*.md" makes it detection and "a.*" makes it poc`},
		{"rule for nothing", source("a.md", "x", ManifestPath, plainManifest+"files:\n  b.md: poc\n"), `forewarn.yaml:1:1: files: "b.md" matches no file`},
		{"bulk of nothing", source("a.md", "x", ManifestPath, plainManifest+"bulk: [b.md]\n"), `forewarn.yaml:1:1: bulk: "b.md" matches no file`},

		// The manifest.
		{"manifest isn't YAML", source("a.md", "", ManifestPath, "title: [\n"), "forewarn.yaml:1:8: not YAML:"},
		{"manifest is a list", source("a.md", "", ManifestPath, "- a\n"), "forewarn.yaml:1:1: not one mapping"},
		{"no title", source("a.md", "", ManifestPath, "tlp: TLP:RED\n"), "forewarn.yaml:1:1: no title"},
		{"no label", source("a.md", "", ManifestPath, "title: t\n"), "forewarn.yaml:1:1: no TLP label"},
		{"old label", source("a.md", "", ManifestPath, "title: t\ntlp: TLP:WHITE\n"), `forewarn.yaml:2:6: "TLP:WHITE" isn't a TLP label`},
		{"unknown key", source("a.md", "", ManifestPath, plainManifest+"permited-use:\n  deploy-patch: no\n"), `forewarn.yaml:3:1: the key "permited-use" is unknown; use bulk, files, order, permitted-use, summary, title, tlp`},
		{"twice a key", source("a.md", "", ManifestPath, plainManifest+"title: u\n"), `forewarn.yaml:3:1: not YAML: the key "title" occurs twice`},
		{"bare date", source("a.md", "", ManifestPath, plainManifest+"permitted-use:\n  deploy-patch: from 2025-07-08\n"), `forewarn.yaml:4:17: "from 2025-07-08" isn't a ruling`},
		{"unknown use", source("a.md", "", ManifestPath, plainManifest+"permitted-use:\n  deploy: yes\n"), `forewarn.yaml:4:3: the key "deploy" is unknown`},
		{"unknown level", source("a.md", "", ManifestPath, plainManifest+"files:\n  a.md: secret\n"), `forewarn.yaml:4:9: "secret" isn't a level`},
		{"bad glob", source("a.md", "", ManifestPath, plainManifest+"files:\n  '../*': poc\n"), `forewarn.yaml:4:11: "../*" isn't a glob`},
		{"two lines of title", source("a.md", "", ManifestPath, "title: \"a\\nb\"\ntlp: TLP:RED\n"), "forewarn.yaml:1:8: a title of several lines"},
		{"number for a title", source("a.md", "", ManifestPath, "title: 12\ntlp: TLP:RED\n"), "forewarn.yaml:1:1: not a text"},
		{"order without a file", source("a.md", "", ManifestPath, plainManifest+"order:\n  - pointer: /a\n"), "forewarn.yaml:4:5: an order without file: or pointer:"},
		{"order of no JSON", source("a.md", "", ManifestPath, plainManifest+"order:\n  - file: a.md\n    pointer: /a\n"), `forewarn.yaml:1:1: order: "a.md" isn't a JSON file`},
		{"order of nothing", source("a.json", "{}", ManifestPath, plainManifest+"files: {a.json: description}\norder:\n  - file: a.json\n    pointer: /a\n"), `forewarn.yaml:1:1: order: a.json has nothing at "/a"`},
		{"order of an object", source("a.json", `{"a":{}}`, ManifestPath, plainManifest+"files: {a.json: description}\norder:\n  - file: a.json\n    pointer: /a\n"), `forewarn.yaml:1:1: order: a.json "/a" isn't a list`},
		{"order in an order", source("a.json", `[["a","b"],["c","d"]]`, ManifestPath, plainManifest+"files: {a.json: description}\norder:\n  - {file: a.json, pointer: ''}\n  - {file: a.json, pointer: /0}\n"), "a.json:1:2: a free list inside another"},

		// Characters.
		{"NUL", source("a.md", "ab\x00c"), "a.md:1:3: a NUL character (U+0000)"},
		{"not UTF-8", source("a.md", "ab\ncd\xff"), "a.md:2:3: not valid UTF-8"},
		{"carriage return", source("a.md", "ab\r\ncd\r\n"), "a.md:1:3: a carriage return (U+000D); save the file with Unix line endings"},
		{"bidi", source("a.md", "ab\u202ecd"), "a.md:1:3: a bidirectional control"},
		{"zero width", source("a.md", "ab\u200bcd"), "a.md:1:3: an invisible character (U+200B)"},
		{"soft hyphen", source("a.md", "ab\u00adcd"), "a.md:1:3: an invisible character (U+00AD)"},
		{"byte order mark", source("a.md", "\ufeffab"), "a.md:1:1: an invisible character (U+FEFF)"},
		{"tag characters", source("a.md", "ab\U000e0041"), "a.md:1:3: an invisible character (U+E0041)"},
		{"terminal escape", source("a.md", "ab\x1b[2J"), "a.md:1:3: a control character (U+001B)"},
		{"line separator", source("a.md", "ab\u2028"), "a.md:1:3: a line separator"},
		{"hidden in an escape", source("a.json", "{\"a\":\"\\u202e{{quick|fast}}\"}", ManifestPath, plainManifest+"files: {a.json: description}\n"), "a.json:1:6: not JSON: a string stands for a bidirectional control"},

		// Marks.
		{"unbalanced", source("a.md", "é {{a|b"), "a.md:1:3: a mark is opened and not closed on its line; close it with }}"},
		{"across lines", source("a.md", "{{quick|\nfast}}"), "a.md:1:1: a mark is opened and not closed"},
		{"one alternative", source("a.md", "see {{ .Name }}"), `a.md:1:7: " .Name " has one alternative; separate 2 to 4 with |; for a literal {{ write {{{{`},
		{"empty alternative", source("a.md", "{{also|}}"), "a.md:1:8: an empty alternative"},
		{"equal alternatives", source("a.md", "x {{fast|Fast}}"), `a.md:1:10: "fast" and "Fast" are the same once case`},
		{"a number", source("a.md", "from {{7.4.2|7.4.3}}"), `a.md:1:14: "7.4.2" and "7.4.3" differ in a number or identifier (7.4.2 against 7.4.3); alternatives must mean exactly the same`},
		{"a negation", source("a.md", "it {{is|is not}} so"), `a.md:1:9: one of "is" and "is not" holds the other`},
		{"markup", source("a.md", "{{**now**|at once}}"), "a.md:1:3: the character '*' in an alternative could end what it stands in"},
		{"leading dash", source("a.md", "{{- now|at once}}"), "a.md:1:3: an alternative begins with '-'"},
		{"part of a word", source("a.md", "un{{safe|sound}}"), `a.md:1:3: the choice is part of "un{{safe|sound}}"; let alternatives be whole words`},
		{"part of an address", source("a.md", "see https://{{quick|fast}}.example/x."), `a.md:1:13: the choice is part of "https://{{quick|fast}}.example/x."`},
		{"touching", source("a.md", "{{quick|fast}}{{large|big}}"), `a.md:1:1: the choice is part of "{{quick|fast}}{{large"`},
		{"touching a token", source("a.md", "{{quick|fast}}-{{token:hex}}"), `a.md:1:1: the choice is part of`},
		{"part of a name in code", source("poc/a.py", "x_{{quick|fast}} = 1\n"), `poc/a.py:1:3: the choice is part of`},
		{"after an escape that is a letter", source("a.json", "{\"a\":\"\\u00e9{{quick|fast}}\"}", ManifestPath, plainManifest+"files: {a.json: description}\n"), `a.json:1:13: the choice is part of`},
		{"name with two sizes", source("a.md", "{{#n quick|fast}} and then {{#n quick|fast|rapid}}"), `a.md:1:28: the choice "n" has 3 alternatives of class prose here and 2 of class prose at a.md:1:1`},
		{"name in two classes", source("a.md", "{{#n quick|fast}}", "poc/a.py", "# {{#n quick|fast}}"), `poc/a.py:1:3: the choice "n" has 2 alternatives of class code here and 2 of class prose at a.md:1:1`},
		{"token with two alphabets", source("a.md", "{{token:hex#t}} {{token:uuid#t}}"), `a.md:1:17: the token "t" is uuid here and hex elsewhere`},

		// Free lists.
		{"not closed", source("a.md", "x\n<!-- order -->\n- a\n- b\n"), `a.md:2:1: an order block is opened and not closed; put "<!-- end -->"`},
		{"not opened", source("a.md", "- a\n<!-- end -->\n"), `a.md:2:1: "<!-- end -->" closes no block`},
		{"nested", source("a.md", "<!-- order -->\n<!-- order -->\n- a\n- b\n<!-- end -->\n"), "a.md:2:1: an order block inside an order block"},
		{"nearly a directive", source("a.md", "<!--order-->\n- a\n- b\n"), `a.md:1:1: "<!--order-->" is not quite a directive`},
		{"nearly a comment", source("a.rules", "#order\n"), `a.rules:1:1: "#order" is not quite a directive`},
		{"one item", source("a.md", "<!-- order -->\n- a\n<!-- end -->\n"), "a.md:1:1: a free list of 1 items"},
		{"other punctuation", source("a.md", "<!-- order -->\n- a\n- b.\n<!-- end -->\n"), "a.md:3:1: an item ends in other punctuation"},
		{"equal but for case", source("a.md", "<!-- order -->\n- a\n- A\n<!-- end -->\n"), "a.md:3:1: an item is the same as an earlier one once case"},
		{"numbered", source("a.md", "<!-- order -->\n1. a\n2. b\n<!-- end -->\n"), "a.md:2:1: a numbered item in a free list"},
		{"mixed bullets", source("a.md", "<!-- order -->\n- a\n* b\n<!-- end -->\n"), "a.md:3:1: an item begins in another way"},
		{"deeper first", source("a.md", "<!-- order -->\n  - a\n- b\n<!-- end -->\n"), "a.md:2:1: the first item of a free list is deeper"},
		{"tab", source("a.md", "<!-- order -->\n- a\n\t- b\n<!-- end -->\n"), "a.md:3:1: a tab in the indentation"},
		{"mark in an item", source("a.md", "<!-- order -->\n- a {{quick|fast}}\n- b\n<!-- end -->\n"), "a.md:2:5: a mark inside an item of a free list"},
		{"token in an item", source("a.md", "<!-- order -->\n- a {{token:hex}}\n- b\n<!-- end -->\n"), "a.md:2:5: a mark inside an item of a free list"},
		{"comment among rules", source("a.rules", "# order\n# why\n"+one+two+"# end\n"), "a.rules:2:1: a comment in a free list"},
		{"item too long", source("a.md", "<!-- order -->\n- a\n- "+strings.Repeat("b", maxItem)+"\n<!-- end -->\n"), "a.md:3:1: an item of 61443 bytes"},

		// Verdicts: what only parsing the copies shows.
		{"JSON that isn't", source("a.csaf.json", `{"csaf_version": {{a|b}}}`), "a.csaf.json:1:18: not JSON:"},
		{"half an escape", source("a.json", `{"a":"{{x\|y}}"}`, ManifestPath, plainManifest+"files: {a.json: description}\n"), "a.json:1:9: not JSON: invalid character"},
		{"quote in JSON", source("a.json", `{"a":"{{x", "b":"|y}}"}`, ManifestPath, plainManifest+"files: {a.json: description}\n"), `a.json:1:9: "x\", \"b\":\"" isn't the inside of a JSON string`},
		{"mark in a key", source("a.json", `{"{{quick|fast}}":"b"}`, ManifestPath, plainManifest+"files: {a.json: description}\n"), "a.json:1:3: a copy that shows this would say something else"},
		{"tracking id", source("a.json", `{"document":{"csaf_version":"2.0","tracking":{"id":"{{token:hex}}"}}}`), "a.json:1:53: a copy that shows this would say something else to its readers' tools; copies may differ only in text, details and summary outside tracking"},
		{"tracking history", source("a.json", `{"document":{"csaf_version":"2.0","tracking":{"revision_history":[{"number":"1"},{"number":"2"}]}}}`, ManifestPath, plainManifest+"order:\n  - {file: a.json, pointer: /document/tracking/revision_history}\n"),
			"a.json:1:67: this list's order matters to its readers' tools"},
		{"choice in a CSV comment", source("a.csv", "# {{quick|fast}}\ntype,note\na,b\n"), "a.csv:1:3: a mark in a CSV line that begins with #"},
		{"token in a CSV comment", source("a.csv", "type,note\na,b\n# x {{token:hex}}\n"), "a.csv:3:5: a mark in a CSV line that begins with #"},
		{"Sigma in quoted keys", source("a.yml", "title: t\n'detection':\n  s: {{quick|fast}}\n"), "a.yml:3:6: a copy that shows this would say something else"},
		{"rules by another ending", source("rules/a.snort", "x {{quick|fast}}\n", ManifestPath, plainManifest+"files: {rules/*: detection}\n"), `rules/a.snort:1:1: marks in a file of rules/ whose ending ".snort" says nothing`},
		{"YARA include", source("a.md", "{{quick|fast}}\n", "r.yar", "include \"a.md\"\nrule a { condition: true }\n"), "r.yar:1:1: a YARA include in a package with marks"},
		{"Sigma detection", source("a.yml", "title: t\ndetection:\n  s: {{quick|fast}}\n"), "a.yml:3:6: a copy that shows this would say something else"},
		{"Sigma level", source("a.yml", "title: t\nlevel: {{high|severe}}\ndetection:\n  s: x\n"), "a.yml:2:8: a copy that shows this"},
		{"Sigma key", source("a.yml", "title: t\n{{quick|fast}}: x\ndetection:\n  s: x\n"), "a.yml:2:1: a copy that shows this"},
		{"token that may be a number", source("a.yml", strings.Replace(sigmaRuleText, "uuid", "hex", 1)), "a.yml:2:5: a copy that shows this would say something else to its readers' tools; copies may differ only in title, description and falsepositives, a token in id and references, comments, and the order of lists and keys outside a correlation; and a token stands in quotes"},
		{"truth value", source("a.yml", "title: {{on|active}}\ndetection: {}\n"), "a.yml:1:8: a copy that shows this"},
		{"correlation order", source("a.yml", "title: t\ncorrelation:\n  rules:\n  # order\n  - a\n  - b\n  # end\n"), "a.yml:5:1: this list's order matters"},
		{"items and keys", source("a.yml", "a:\n# order\n- a\nb: c\n# end\n"), "a.yml:4:1: a list item next to a key"},
		{"Suricata content", source("a.rules", strings.Replace(one, `content:"x"`, `content:"{{quick|fast}}"`, 1)), "a.rules:1:63: a copy that shows this would say something else"},
		{"Suricata sid", source("a.rules", strings.Replace(one, "sid:1", "sid:{{token:hex}}", 1)), "a.rules:1:1: not suricata: a rule without a sid"},
		{"Suricata flow bits", source("a.rules", "# order\n"+state+other+"# end\n"), "a.rules:2:1: this list's order matters"},
		{"Suricata contents", source("a.rules", "alert tcp any any -> any any ( \\\n# order\n content:\"a\"; \\\n content:\"b\"; distance:0; \\\n# end\nsid:1;)\n"), "a.rules:3:1: this list's order matters"},
		{"semicolon", source("a.rules", strings.Replace(one, `msg:"one"`, `msg:"{{one; x|other}}"`, 1)), "a.rules:1:50: the character ';' in an alternative"},
		{"YARA string", source("a.yar", strings.Replace(yaraOne, `"x"`, `"{{quick|fast}}"`, 1)), "a.yar:7:7: a copy that shows this would say something else"},
		{"YARA name", source("a.yar", strings.Replace(yaraOne, "rule one", "rule {{quick|fast}}", 1)), "a.yar:1:6: a copy that shows this"},
		{"YARA dependency", source("a.yar", "// order\n\nrule a { condition: true }\n\nrule b { condition: a }\n\n// end\n"), "a.yar:3:1: this list's order matters"},
		{"YARA half a rule", source("a.yar", "// order\nrule a {\ncondition: true\n}\n// end\n"), "a.yar:"},
		{"CSV value", source("a.csv", "type,value\nhost,{{quick|fast}}\n"), "a.csv:2:6: a copy that shows this would say something else"},
		{"CSV header", source("a.csv", "# order\ntype,value\nhost,x.example\n# end\n"), "a.csv:2:1: this list's order matters"},
		{"CSV column", source("a.csv", "type,note\nhost,\"{{now, then|at once}}\"\nhost,{{now, then|at once}}\n"), "a.csv:3:6: a copy that shows this would not be csv"},
		{"code", source("poc/a.py", "x = \"{{a' + b|c}}\"\n"), `poc/a.py:1:8: the character '\'' in an alternative could end`},
		{"mark in bare code", source("poc/a.py", "x = 1\nif a {{is|equals}} b:\n"), "poc/a.py:2:6: a choice in code outside of a string or a comment"},
		{"mark after a string", source("poc/a.c", "f(\"x\", {{quick|fast}}); // x\n"), "poc/a.c:1:8: a choice in code outside"},
		{"mark after a comment", source("poc/a.js", "/* it's */ {{quick|fast}}\n"), "poc/a.js:1:12: a choice in code outside"},
		{"mark after a triple quote", source("poc/a.py", "\"\"\"a\n'b\n\"\"\"\n{{quick|fast}}\n"), "poc/a.py:4:1: a choice in code outside"},
		{"choice in a request", source("poc/a.http", "GET / HTTP/1.1\nAccept: {{quick|fast}}\n"), "poc/a.http:2:9: a choice in code outside"},
		{"value in code", source("poc/a.py", "# within {{count:12}} tries\n"), "poc/a.py:1:10: a count in code; write the value out"},
		{"statements", source("poc/a.py", "# order\nopen(a)\nclose(b)\n# end\n"), "poc/a.py:2:1: an item of code that isn't one element"},
	} {
		f, m, r, err := Compile(c.src, testBias)
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		if f != nil || m != nil || len(r.Files) > 0 || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: refused with a result, or not as ErrRefused", c.name)
		}
		lines := strings.Split(err.Error(), "\n")
		if !slices.ContainsFunc(lines[1:], func(l string) bool { return strings.HasPrefix(l, c.want) }) {
			t.Errorf("%s: want a line beginning\n%s\ngot\n%s", c.name, c.want, err)
		}
		for _, r := range err.(Refusals) {
			if r.Do == "" || strings.ContainsAny(r.String(), "\n\x1b") {
				t.Errorf("%s: %q says not what to do, or would act on a terminal", c.name, r)
			}
		}
	}
}

// What looks odd and is fine.
func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		name string
		src  Source
		want string // all files at symbol-independent places: what a copy holds
	}{
		{"escape", source("a.md", "a {{{{ b }} {c}"), "a {{ b }} {c}"},
		{"directives vanish", source("a.md", "x\n\n<!-- order -->\n\n<!-- end -->\n"), ""},
		{"order says nothing in Markdown headings", source("a.md", "# order\n\nof things\n\n# end\n"), "# order\n\nof things\n\n# end\n"},
		{"compact JSON", source("a.json", `{"a":{"b":{"c":{}}}}`, ManifestPath, plainManifest+"files: {a.json: description}\n"), `{"a":{"b":{"c":{}}}}`},
		{"unmarked nonsense is passed on", source("a.yml", "a: [\n"), "a: [\n"},
		{"bulk may be anything", source("a.bin", "\x00\xff{{a\r\n", ManifestPath, plainManifest+"bulk: [a.bin]\nfiles: {a.bin: indicators}\n"), "\x00\xff{{a\r\n"},
		{"whole words", source("a.yml", "a: (it's) \"so\", e.g. - _x_\n"), "a: (it's) \"so\", e.g. - _x_\n"},
		{"emoji and other alphabets", source("a.md", "naïve ⚠️ Ünïcode עברית"), "naïve ⚠️ Ünïcode עברית"},
		{"empty file", source("a.md", ""), ""},
	} {
		f, _, _, err := Compile(c.src, testBias)
		if c.name == "directives vanish" {
			if err == nil {
				t.Errorf("%s: an empty list was accepted", c.name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		out := append(f.Render(5, nil, nil), f.RenderBulk(5)...)
		if len(out) != 1 || !bytes.Equal(out[0].Data, []byte(c.want)) {
			t.Errorf("%s: %q, want %q", c.name, out, c.want)
		}
	}
}

func TestManyRefusals(t *testing.T) {
	_, _, _, err := Compile(source("a.md", strings.Repeat("{{a|a}}\n", 5000)), fpcode.Key{})
	var rs Refusals
	if !errors.As(err, &rs) || len(rs) != manyRefusals {
		t.Fatalf("%d refusals kept, want %d", len(rs), manyRefusals)
	}
	if n := strings.Count(err.Error(), "\n"); n != maxRefusals+1 {
		t.Errorf("%d lines told, want %d", n, maxRefusals+1)
	}
}
