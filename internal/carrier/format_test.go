package carrier

import (
	"strings"
	"testing"
)

const bundleID = "bundle--00000000-0000-4000-8000-000000000001"

var (
	ipA = `{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-4000-8000-00000000000a","value":"192.0.2.1"}`
	ipB = `{"type":"ipv4-addr","id":"ipv4-addr--00000000-0000-4000-8000-00000000000b","value":"192.0.2.2"}`
)

func bundle(objects ...string) string {
	return `{"type":"bundle","id":"` + bundleID + `","objects":[` + strings.Join(objects, ",") + `]}`
}

// same and differ are pairs of files: to their readers' tools the pairs of the
// first say the same, those of the second do not.
var essences = []struct {
	f            *format
	same, differ [][2]string
	broken       []string
}{
	{
		f: jsonFormat,
		same: [][2]string{
			{`{"a":"x","b":[1,2]}`, `{ "b" : [2,1], "a": "y" }`},
			{`[[],{}]`, `[{},[]]`},
		},
		differ: [][2]string{
			{`{"a":1}`, `{"a":"1"}`},
			{`{"a":1}`, `{"b":1}`},
			{`[1]`, `[1,1]`},
			{`1.0`, `1`},
			{`null`, `false`},
			{`[["a"],[]]`, `[["a",[]]]`},
		},
		broken: []string{``, `{`, `{"a":1,}`, `[1]]`, `{"a":1}{}`, `{"a":1,"a":2}`, `"\u202e"`, strings.Repeat("[", 200) + strings.Repeat("]", 200), `nul`, `{1:2}`, `"a" "b"`},
	},
	{
		f: csafFormat,
		same: [][2]string{
			{`{"document":{"csaf_version":"2.0","notes":[{"text":"a"}]}}`, `{"document":{"notes":[{"text":"b"}],"csaf_version":"2.0"}}`},
			{`{"vulnerabilities":[{"product_status":{"fixed":["A","B"]}}]}`, `{"vulnerabilities":[{"product_status":{"fixed":["B","A"]}}]}`},
			{`{"vulnerabilities":[{"remediations":[{"details":"a","product_ids":["A"]}]}]}`, `{"vulnerabilities":[{"remediations":[{"details":"b","product_ids":["A"]}]}]}`},
		},
		differ: [][2]string{
			{`{"document":{"tracking":{"id":"A"}}}`, `{"document":{"tracking":{"id":"B"}}}`},
			{`{"document":{"tracking":{"revision_history":[{"summary":"a"}]}}}`, `{"document":{"tracking":{"revision_history":[{"summary":"b"}]}}}`},
			{`{"document":{"tracking":{"revision_history":[{"number":"1"},{"number":"2"}]}}}`, `{"document":{"tracking":{"revision_history":[{"number":"2"},{"number":"1"}]}}}`},
			{`{"document":{"title":"a"}}`, `{"document":{"title":"b"}}`},
			{`{"product_tree":{"product_groups":[{"summary":"a"}]}}`, `{"product_tree":{"product_groups":[{"summary":"b"}]}}`},
			{`{"vulnerabilities":[{"cve":"CVE-1900-1111"}]}`, `{"vulnerabilities":[{"cve":"CVE-1900-2222"}]}`},
			{`{"text":1}`, `{"text":2}`},
		},
	},
	{
		f: stixFormat,
		same: [][2]string{
			{bundle(ipA, ipB), bundle(ipB, ipA)},
			{bundle(strings.Replace(ipA, "}", `,"description":"a"}`, 1)), bundle(strings.Replace(ipA, "}", `,"description":"b"}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"labels":["a","b"]}`, 1)), bundle(strings.Replace(ipA, "}", `,"labels":["b","a"]}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"external_references":[{"source_name":"a","description":"x"},{"source_name":"b"}]}`, 1)), bundle(strings.Replace(ipA, "}", `,"external_references":[{"source_name":"b"},{"source_name":"a","description":"y"}]}`, 1))},
		},
		differ: [][2]string{
			{bundle(ipA), bundle(ipB)},
			{bundle(ipA), bundle(ipA, ipB)},
			{bundle(ipA), strings.Replace(bundle(ipA), "bundle--0", "bundle--1", 1)},
			{bundle(strings.Replace(ipA, "}", `,"pattern":"a"}`, 1)), bundle(strings.Replace(ipA, "}", `,"pattern":"b"}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"name":"a"}`, 1)), bundle(strings.Replace(ipA, "}", `,"name":"b"}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"modified":"a"}`, 1)), bundle(strings.Replace(ipA, "}", `,"modified":"b"}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"protocols":["ipv4","tcp"]}`, 1)), bundle(strings.Replace(ipA, "}", `,"protocols":["tcp","ipv4"]}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"external_references":[{"description":"x","url":"a"}]}`, 1)), bundle(strings.Replace(ipA, "}", `,"external_references":[{"description":"x","url":"b"}]}`, 1))},
			{bundle(strings.Replace(ipA, "}", `,"extensions":{"e":{"description":"a"}}}`, 1)), bundle(strings.Replace(ipA, "}", `,"extensions":{"e":{"description":"b"}}}`, 1))},
		},
		broken: []string{
			`{"type":"bundle"}`, `{"type":"bundle","id":"bundle--1"}`, `{"type":"report","id":"` + strings.Replace(bundleID, "bundle", "report", 1) + `"}`, bundle(ipA, ipA),
			strings.Replace(bundle(ipA), `"ipv4-addr--`, `"ipv6-addr--`, 1), bundle(`{"id":"x"}`), bundle(`1`), strings.Replace(bundle(), "[]", "{}", 1),
		},
	},
	{
		f: yamlFormat,
		same: [][2]string{
			{"a: x\nb: [1, 2]\n", "b:\n- 2\n- 1\na: z # comment\n"},
			{"- |\n  one\n  two\n", "- other\n"},
		},
		differ: [][2]string{
			{"a: x\n", "a: 1\n"},
			{"a: x\n", "a: true\n"},
			{"a: x\n", "a: null\n"},
			{"a: x\n", "a: 1e3\n"},
			{"a: x\n", "a: 0x10\n"},
			{"a: x\n", "a: yes\n"},
			{"a: x\n", "a: 12:30\n"},
			{"a: x\n", "a: 2025-07-08\n"},
			{"a: x\n", "a:\n"},
			{"a: x\n", "a: [x]\n"},
			{"a: x\n", "b: x\n"},
			{"a: x\n", "a: x\n---\na: x\n"},
			{"a: &n x\nb: *n\n", "a: &n x\nb: x\n"},
			{"a: !t x\n", "a: x\n"},
			{"a: [x, y]\n", "a: [x]\n"},
		},
		broken: []string{"a: [", "a: 'x", "a: x\na: y\n", "a: b: c\n", strings.Repeat("[", 200), strings.Repeat("- ", 200) + "x", "a: \"\\u202e\"\n", "\t- a\n"},
	},
	{
		f: sigmaFormat,
		same: [][2]string{
			{"title: a\ndetection:\n  s:\n    - x\n    - y\n", "title: b\ndetection:\n  s:\n    - y\n    - x\n"},
			{"id: a\nfalsepositives: [a]\ndetection: {}\n", "falsepositives: [b]\nid: b\ndetection: {}\n"},
		},
		differ: [][2]string{
			{"detection:\n  s: x\n", "detection:\n  s: y\n"},
			{"detection:\n  s: [x, y]\n", "detection:\n  s: [x]\n"},
			{"level: high\ndetection: {}\n", "level: low\ndetection: {}\n"},
			{"id: a\ndetection: {}\n", "id: 12\ndetection: {}\n"},
			{"correlation:\n  rules: [a, b]\n", "correlation:\n  rules: [b, a]\n"},
			{"correlation:\n  description: a\n", "correlation:\n  description: b\n"},
		},
	},
	{
		f: csvFormat,
		same: [][2]string{
			{"type,value,note\na,1,x\nb,2,y\n", "type,value,note\nb,2,z\na,1,\"w,w\"\n"},
			{"# made by hand\ntype\na\n", "type\na\n"},
		},
		differ: [][2]string{
			{"type,value\na,1\n", "type,value\na,2\n"},
			{"type,note\na,1\n", "note,type\n1,a\n"},
			{"note\na\n", "note\na\nb\n"},
			{"type,note\na,1\nb,1\n", "note,type\na,1\nb,1\n"},
		},
		broken: []string{"a,b\n1\n", "a\n\"x\n", "a\nx\"y\n"},
	},
	{
		f: suricataFormat,
		same: [][2]string{
			{one + two, two + one},
			{one, "# comment\n\n" + strings.Replace(one, `msg:"one"`, `msg:"another\; text"`, 1)},
			{one, strings.Replace(one, "metadata:a b", "metadata:a c", 1)},
			{one, strings.Replace(one, "; ", ";  ", 3)},
			{one, strings.Replace(one, " (", " \\\n   (", 1)},
			{one + state, state + one},
		},
		differ: [][2]string{
			{one, two},
			{one, one + two},
			{one, strings.Replace(one, `content:"x"`, `content:"y"`, 1)},
			{one, strings.Replace(one, `content:"x"; nocase`, `nocase; content:"x"`, 1)},
			{one, strings.Replace(one, "sid:1", "sid:7", 1)},
			{one, strings.Replace(one, "rev:1", "rev:2", 1)},
			{one, strings.Replace(one, "alert", "drop", 1)},
			{one, strings.Replace(one, "any any ->", "any 80 ->", 1)},
			{state + other, other + state},
			{strings.Replace(state, "flowbits", "FlowBits", 1) + other, other + strings.Replace(state, "flowbits", "FlowBits", 1)},
			{one, strings.Replace(one, `msg:"one"; `, ``, 1)},
		},
		broken: []string{
			"alert tcp any any -> any any\n", "alert tcp any any -> any any (msg:\"a\"; sid:1)\n", "hello\n", "alert tcp any any any any (sid:1;)\n",
			`alert http any any -> any any (msg:"a""; http.uri; content:"/alpha"; metadata:x "; sid:1; rev:1;)`,
			`alert http any any -> any any (msg:"a"; reference:url,x"; content:"/alpha"; metadata:y "; sid:1; rev:1;)`,
			`alert http any any -> any any (msg:"a"; metadata:x\\; content:"/alpha"; sid:1; rev:1;)`,
			"alert tcp any any -> any any (msg:a; sid:1;)\n", "alert tcp any any -> any any (msg:\"a; sid:1;)\n", "alert tcp any any -> any any (msg:\"a\";)\n", one + one,
		},
	},
	{
		f: yaraFormat,
		same: [][2]string{
			{yaraOne, "// comment\n" + strings.Replace(yaraOne, `"text"`, `"other \" text"`, 1)},
			{yaraOne, strings.Replace(yaraOne, "$a = \"x\" ascii\n$b = { 4D 5A }", "$b = { 4D 5A }\n$a = \"x\" ascii", 1)},
			{yaraOne + "rule two { condition: true }", "rule two { condition: true }" + yaraOne},
			{yaraOne, strings.ReplaceAll(yaraOne, "\n", "\n\n/* x */ ")},
		},
		differ: [][2]string{
			{yaraOne, strings.Replace(yaraOne, `"x"`, `"y"`, 1)},
			{yaraOne, strings.Replace(yaraOne, "ascii", "wide", 1)},
			{yaraOne, strings.Replace(yaraOne, "4D", "4E", 1)},
			{yaraOne, strings.Replace(yaraOne, "all of them", "any of them", 1)},
			{yaraOne, strings.Replace(yaraOne, "score = 70", "score = 71", 1)},
			{yaraOne, strings.Replace(yaraOne, "rule one", "rule uno", 1)},
			{yaraOne, strings.Replace(yaraOne, "rule one", "private rule one", 1)},
			{yaraOne, strings.Replace(yaraOne, ": tag", "", 1)},
			{"rule a { condition: true } rule b { condition: a }", "rule b { condition: a } rule a { condition: true }"},
			{"import \"pe\"\nrule a { condition: true }", "rule a { condition: true }"},
		},
		broken: []string{
			"rule", "rule a", "rule a {", "rule a { condition: }", "rule a { condition: true", "rule a { strings: condition: true }", "rule a { meta: x = condition: true }",
			"rule a { strings: $a = \"x condition: true }", "rule a { strings: $a = \"x\" $a = \"y\" condition: true }", "rule a { strings: $a = { ZZ } condition: $a }",
			"rule a { condition: true } rule a { condition: true }", "rule 9$ { condition: true }", "rule a { condition: true /* }", "import pe", "rule a { condition: ä }",
		},
	},
}

const (
	one   = "alert http any any -> $HOME_NET [80,443] (msg:\"one\"; content:\"x\"; nocase; metadata:a b; sid:1; rev:1;)\n"
	two   = "alert tcp any any -> any any (msg:\"two \\; x\"; content:\"z\\;\"; sid:2;)\n"
	state = "alert tcp any any -> any any (msg:\"state\"; flowbits:set,a; sid:3;)\n"
	other = "alert tcp any any -> any any (msg:\"other\"; flowbits:isset,a; sid:4;)\n"

	yaraOne = "rule one : tag\n{\nmeta:\ntext = \"text\"\nscore = 70\nstrings:\n$a = \"x\" ascii\n$b = { 4D 5A }\n$c = /a\\/b{1,2}/i\ncondition:\nall of them and #a > 1 and filesize < 1MB\n}\n"
)

func TestEssence(t *testing.T) {
	for _, c := range essences {
		of := func(s string) string {
			e, err := c.f.essence(s)
			if err != nil {
				t.Errorf("%s: %q: %v", c.f.name, s, err)
			}
			return e
		}
		for _, p := range c.same {
			if a, b := of(p[0]), of(p[1]); a != b {
				t.Errorf("%s: %q and %q should say the same:\n%s\n%s", c.f.name, p[0], p[1], a, b)
			}
		}
		for _, p := range c.differ {
			if a, b := of(p[0]), of(p[1]); a == b {
				t.Errorf("%s: %q and %q should not say the same:\n%s", c.f.name, p[0], p[1], a)
			}
		}
		for _, s := range c.broken {
			if e, err := c.f.essence(s); err == nil {
				t.Errorf("%s: %q should not parse, and gives %q", c.f.name, s, e)
			} else if at := err.(*syntaxError).at; at < 0 || at > len(s) {
				t.Errorf("%s: %q: error at %d", c.f.name, s, at)
			}
		}
	}
}

func FuzzEssence(f *testing.F) {
	formats := []*format{csafFormat, sigmaFormat, csvFormat, suricataFormat, yaraFormat, stixFormat}
	for _, c := range essences {
		for i, of := range formats {
			if of == c.f || c.f == jsonFormat && of == csafFormat || c.f == yamlFormat && of == sigmaFormat {
				for _, p := range append(c.same, c.differ...) {
					f.Add(uint8(i), p[0])
				}
				for _, s := range c.broken {
					f.Add(uint8(i), s)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data string) {
		of := formats[int(which)%len(formats)]
		a, err := of.essence(data)
		if err != nil {
			if s, ok := err.(*syntaxError); !ok || s.at < 0 || s.at > len(data) {
				t.Fatalf("%s: error %#v outside the text of %d bytes", of.name, err, len(data))
			}
			return
		}
		if b, err := of.essence(data); err != nil || a != b {
			t.Fatalf("%s: read twice, two essences", of.name)
		}
	})
}

func TestFormatOf(t *testing.T) {
	for _, c := range []struct{ path, src, want string }{
		{"a.md", "", "markdown"}, {"a.MD", "", "markdown"}, {"LICENSE", "", "text"}, {"x.unknown", "", "text"},
		{"a.json", "{}", "json"}, {"a.json", `{"document":{"csaf_version":"2.0"}}`, "csaf"},
		{"a.json", `{ "type" : "bundle" }`, "stix"}, {"a.json", `{"type":"bundles"}`, "json"},
		{"a.yml", "a: b", "yaml"}, {"a.yaml", "title: a\ndetection:\n", "sigma"}, {"a.yml", "x:\n  detection:\n", "yaml"},
		{"a.yml", "'detection': {s: x}\n", "sigma"}, {"a.yml", "{title: a, detection: {s: x}}\n", "sigma"}, {"a.yml", "  detection:\n    s: x\n", "sigma"},
		{"a.yml", "\"det\\x65ction\": {s: x}\n", "sigma"}, {"a.yml", "? detection\n: {s: x}\n", "sigma"}, {"a.yml", "a: b\n---\ncorrelation: {}\n", "sigma"},
		{"a.yml", "!!map\ndetection: {s: x}\n", "sigma"}, {"a.yml", "!!str detection: {s: x}\n", "sigma"}, {"a.yml", "title: {{quick|fast}}\n'detection': {}\n", "sigma"},
		{"a.json", `{"document":{"csaf\u005fversion":"2.0"}}`, "csaf"}, {"a.json", `{"typ\u0065":"bundl\u0065"}`, "stix"}, {"a.json", `{"x":{"type":"bundle"}}`, "json"},
		{"r.rule", "", "suricata"}, {"r.rules", "", "suricata"}, {"r.yara", "", "yara"}, {"i.csv", "", "csv"},
		{"poc/x", "", "code"}, {"poc/x.md", "", "markdown"}, {"tools/x.py", "", "code"}, {"poc/requests.txt", "", "code"},
	} {
		if got := formatOf(c.path, c.src).name; got != c.want {
			t.Errorf("%s %q: %s, want %s", c.path, c.src, got, c.want)
		}
	}
}

func TestPointer(t *testing.T) {
	root, err := parseJSON(`{"a":[{"b/c":[1]},{"~":"x"}],"":2}`)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{"": "{", "/a": "[", "/a/0/b~1c": "[", "/a/1/~0": "x", "/": "2", "/a/2": "", "/a/-1": "", "/a/01": "", "/b": "", "/a/0/b~1c/0/x": "", "x": ""} {
		got := ""
		switch v := root.pointer(p); {
		case v == nil:
		case v.kind == tableKind:
			got = "{"
		case v.kind == listKind:
			got = "["
		default:
			got = v.text
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", p, got, want)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		glob, path string
		want       bool
	}{
		{"a.md", "a.md", true}, {"*.md", "a.md", true}, {"*.md", "b/a.md", false}, {"**/*.md", "a.md", true}, {"**/*.md", "x/y/a.md", true},
		{"poc/**", "poc/a", true}, {"poc/**", "poc/a/b", true}, {"poc/**", "pocket/a", false}, {"a/**/b", "a/b", true}, {"a/**/b", "a/x/y/b", true},
		{"**", "a/b", true}, {"a/*", "a/b/c", false}, {"[", "[", false}, {"a?", "ab", true}, {"**/**/**/x", "a/b/c/d/e/f/x", true},
	} {
		if matchGlob(c.glob, c.path) != c.want {
			t.Errorf("%q matches %q: not %t", c.glob, c.path, c.want)
		}
	}
	for glob, want := range map[string]bool{"a/**": true, "[a-z]*": true, "": false, "a//b": false, "../a": false, "/a": false, "[": false, "a**": false, "./a": false} {
		if validGlob(glob) != want {
			t.Errorf("%q valid: not %t", glob, want)
		}
	}
}

// Nesting counts, not brackets in texts: approvals quote many.
func TestTooDeep(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("[", 101):                          true,
		"a: [\"\n\", " + strings.Repeat("[", 200) + " \"": true,
		"- |\n  \"\n- " + strings.Repeat("[", 200):        true,
		strings.Repeat("- ", 101) + "x":                   true,
		strings.Repeat("- a: \"[{\"\n", 300):              false,
		strings.Repeat("- a [ b\n", 300):                  false,
		strings.Repeat("- [a]\n", 300):                    false,
	} {
		if _, deep := tooDeep(text); deep != want {
			t.Errorf("%.40q: not %t", text, want)
		}
	}
}
