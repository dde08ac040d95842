package sigma

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule is a rule of searches and a condition, as text.
func rule(detection string) string { return "title: t\ndetection:\n" + detection }

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, detection string
		yes, no         []string // events in JSON
	}{
		{"a value, without case", "  s:\n    a: Xclip\n  condition: s\n", []string{`{"a":"xcLIP"}`}, []string{`{"a":"xclip "}`, `{}`, `{"b":"xclip"}`, `{"a":null}`}},
		{"all fields", "  s:\n    a: x\n    b: y\n  condition: s\n", []string{`{"a":"x","b":"y"}`}, []string{`{"a":"x"}`, `{"a":"x","b":"x"}`}},
		{"a list of values", "  s:\n    a: [x, 7]\n  condition: s\n", []string{`{"a":"x"}`, `{"a":7}`, `{"a":"7"}`}, []string{`{"a":"y"}`}},
		{"wildcards", "  s:\n    a: 'x*y?z'\n  condition: s\n", []string{`{"a":"xy1z"}`, `{"a":"x..yy2z"}`}, []string{`{"a":"xyz"}`, `{"a":"axy1z"}`}},
		{"escapes", `  s:` + "\n" + `    a: 'c:\x\*\\?\'` + "\n  condition: s\n", []string{`{"a":"c:\\x*\\q\\"}`}, []string{`{"a":"c:\\xy\\q\\"}`, `{"a":"c:\\x*\\\\"}`}},
		{"contains, startswith, endswith", "  s:\n    a|contains: b\n    c|startswith: d\n    e|endswith: f\n  condition: s\n", []string{`{"a":"abc","c":"de","e":"ef"}`}, []string{`{"a":"abc","c":"ed","e":"ef"}`, `{"a":"ac","c":"de","e":"ef"}`, `{"a":"abc","c":"de","e":"fe"}`}},
		{"contains all", "  s:\n    a|contains|all: [x, y]\n  condition: s\n", []string{`{"a":"y-x"}`}, []string{`{"a":"x"}`, `{"a":["x","z"]}`}},
		{"cased", "  s:\n    a|cased|contains: Xy\n  condition: s\n", []string{`{"a":"aXyb"}`}, []string{`{"a":"axyb"}`}},
		{"re", "  s:\n    a|re: '^ab+c'\n  condition: s\n", []string{`{"a":"abbcd"}`}, []string{`{"a":"ABC"}`, `{"a":"xabc"}`}},
		{"re without case", "  s:\n    a|re|i: '^ab+c'\n  condition: s\n", []string{`{"a":"ABC"}`}, []string{`{"a":"xabc"}`}},
		{"cidr", "  s:\n    a|cidr: [192.0.2.0/24, '2001:db8::/32']\n  condition: s\n", []string{`{"a":"192.0.2.7"}`, `{"a":"2001:db8::1"}`, `{"a":"::ffff:192.0.2.7"}`}, []string{`{"a":"192.0.3.7"}`, `{"a":"x"}`}},
		{"numbers", "  s:\n    a|gte: 3\n    b|lt: 2.5\n  condition: s\n", []string{`{"a":3,"b":2}`}, []string{`{"a":2,"b":2}`, `{"a":3,"b":2.5}`, `{"a":"x","b":1}`}},
		{"null and exists", "  s:\n    a: null\n    b|exists: true\n    c|exists: false\n  condition: s\n", []string{`{"b":""}`, `{"a":null,"b":1}`}, []string{`{"a":"x","b":1}`, `{}`, `{"b":1,"c":1}`}},
		{"an empty text", "  s:\n    a: ''\n  condition: s\n", []string{`{"a":""}`}, []string{`{"a":"x"}`, `{}`}},
		{"keywords", "  s:\n    - foo\n    - bar*z\n  condition: s\n", []string{`{"q":"a FOO b"}`, `{"q":{"r":"barz"}}`}, []string{`{"q":"fo o"}`}},
		{"keywords, all", "  s:\n    '|all': [dd, 'if=']\n  condition: s\n", []string{`{"m":"dd if=x"}`, `{"m":"dd","n":"if="}`}, []string{`{"m":"dd"}`}},
		{"a list of mappings", "  s:\n    - a: x\n      b: y\n    - c: z\n  condition: s\n", []string{`{"c":"z"}`, `{"a":"x","b":"y"}`}, []string{`{"a":"x"}`}},
		{"not binds tighter than and, and than or", "  a:\n    x: 1\n  b:\n    y: 1\n  c:\n    z: 1\n  condition: a or b and not c\n", []string{`{"x":1,"z":1}`, `{"y":1}`}, []string{`{"y":1,"z":1}`, `{"z":1}`}},
		{"parentheses", "  a:\n    x: 1\n  b:\n    y: 1\n  c:\n    z: 1\n  condition: (a or b) and not (c)\n", []string{`{"x":1}`}, []string{`{"x":1,"z":1}`}},
		{"1 of and all of", "  s_a:\n    x: 1\n  s_b:\n    y: 1\n  f:\n    z: 1\n  condition: 1 of s_* and not all of s_* and not 1 of f\n", []string{`{"x":1}`}, []string{`{"x":1,"y":1}`, `{"x":1,"z":1}`}},
		{"them", "  a:\n    x: 1\n  _b:\n    y: 1\n  condition: all of them\n", []string{`{"x":1}`}, []string{`{"y":1}`}},
		{"several conditions", "  a:\n    x: 1\n  b:\n    y: 1\n  condition:\n    - a\n    - b\n", []string{`{"x":1}`, `{"y":1}`}, []string{`{}`}},
		{"a list in an event", "  s:\n    a: x\n  condition: s\n", []string{`{"a":["y","x"]}`}, []string{`{"a":["y"]}`, `{"a":[]}`}},
		{"base64", "  s:\n    a|base64|contains: foobar\n  condition: s\n", []string{`{"a":"x Zm9vYmFy"}`}, []string{`{"a":"foobar"}`, `{"a":"zm9vymfy"}`}},
		{"base64offset", "  s:\n    a|base64offset|contains: /bin/bash\n  condition: s\n",
			// "/bin/bash" behind none, one and two characters.
			[]string{`{"a":"L2Jpbi9iYXNo"}`, `{"a":"eC9iaW4vYmFzaA=="}`, `{"a":"eHgvYmluL2Jhc2g="}`, `{"a":"eHh4L2Jpbi9iYXNoeA=="}`}, []string{`{"a":"L2Jpbi9zaA=="}`}},
		{"wide", "  s:\n    a|wide|base64offset|contains: ab\n  condition: s\n", []string{`{"a":"YQBiAA=="}`}, []string{`{"a":"YWI="}`}},
		{"windash", "  s:\n    a|windash|contains: ' -e'\n  condition: s\n", []string{`{"a":"x -e"}`, `{"a":"x /e"}`, `{"a":"x ―e"}`}, []string{`{"a":"x e"}`}},
		{"windash, every dash by itself", "  s:\n    a|windash: '-a /b'\n  condition: s\n", []string{`{"a":"-a /b"}`, `{"a":"/a -b"}`, `{"a":"–a —b"}`}, []string{`{"a":"a -b"}`}},
		{"utf16 with its mark", "  s:\n    a|utf16|base64: ab\n  condition: s\n", []string{`{"a":"//5hAGIA"}`}, []string{`{"a":"YQBiAA=="}`}},
		{"base64 of what looks like an escape", "  s:\n    a|base64: 'a\\*b'\n  condition: s\n", []string{`{"a":"YSpi"}`}, []string{`{"a":"YVwqYg=="}`}},
		{"neq", "  s:\n    a|neq: [x, 7]\n  condition: s\n", []string{`{"a":"y"}`, `{}`}, []string{`{"a":"X"}`, `{"a":7}`}},
		{"neq with a place", "  s:\n    a|contains|neq: x\n  condition: s\n", []string{`{"a":"y"}`}, []string{`{"a":"axa"}`}},
		{"neq, all", "  s:\n    a|contains|all|neq: [x, y]\n  condition: s\n", []string{`{"a":"x"}`}, []string{`{"a":"xy"}`}},
		{"fieldref", "  s:\n    a|fieldref: b\n  condition: s\n", []string{`{"a":"X","b":"x"}`, `{"a":["y","x"],"b":"x"}`}, []string{`{"a":"x","b":"y"}`, `{"a":"x"}`, `{"b":"x"}`, `{}`}},
		{"fieldref with a place and case", "  s:\n    a|fieldref|endswith|cased: b\n  condition: s\n", []string{`{"a":"yX","b":"X"}`}, []string{`{"a":"yX","b":"x"}`, `{"a":"Xy","b":"X"}`}},
		{"fieldref, neq", "  s:\n    a|fieldref|neq: b\n  condition: s\n", []string{`{"a":"x","b":"y"}`}, []string{`{"a":"x","b":"x"}`}},
		{"re with its flags", "  s:\n    a|re|i|m|s: '^b.c$'\n  condition: s\n", []string{"{\"a\":\"a\\nB\\nC\\nd\"}"}, []string{`{"a":"ab.c"}`}},
		{"re without flags", "  s:\n    a|re: '^b.c$'\n  condition: s\n", []string{`{"a":"b-c"}`}, []string{"{\"a\":\"b\\nc\"}", "{\"a\":\"a\\nb-c\"}", `{"a":"B-c"}`}},
		{"keywords under re", "  s:\n    '|re': ['x[0-9]']\n  condition: s\n", []string{`{"q":"ax5"}`}, []string{`{"q":"x"}`}},
		{"a mapping and words in one list", "  s:\n    - a: x\n    - foo\n  condition: s\n", []string{`{"a":"x"}`, `{"b":"a foo"}`}, []string{`{"b":"x"}`}},
		{"case of what isn't ASCII", "  s:\n    a: 'köl'\n  condition: s\n", []string{`{"a":"KÖL"}`}, []string{"{\"a\":\"\u212aöl\"}"}},
		{"any of, and case in the condition", "  s_a:\n    x: 1\n  s_b:\n    y: 1\n  condition: ANY OF s_* AND NOT s_b\n", []string{`{"x":1}`}, []string{`{"y":1}`, `{}`}},
		{"asterisks within a name", "  sel_web_a:\n    x: 1\n  sel_dns_a:\n    y: 1\n  condition: all of sel_*_a\n", []string{`{"x":1,"y":1}`}, []string{`{"x":1}`}},
	} {
		rules, err := Parse(rule(c.detection))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for want, events := range map[bool][]string{true: c.yes, false: c.no} {
			for _, text := range events {
				e, err := ReadEvents([]byte(text))
				if err != nil || len(e) != 1 {
					t.Fatalf("%s: %s: %v", c.name, text, err)
				}
				if got := rules[0].Match(e[0]); got != want {
					t.Errorf("%s: %s: %t", c.name, text, got)
				}
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"title: t\n":                                      ErrSyntax,
		"- a\n":                                           ErrSyntax,
		"":                                                ErrSyntax,
		"a: [":                                            ErrSyntax,
		rule("  s: {a: b}\n"):                             ErrSyntax, // no condition
		rule("  s: {a: b}\n  condition: x\n"):             ErrSyntax,
		rule("  s: {a: b}\n  condition: s s\n"):           ErrSyntax,
		rule("  s: {a: b}\n  condition: (s\n"):            ErrSyntax,
		rule("  s: {a: b}\n  condition: not\n"):           ErrSyntax,
		rule("  s: {}\n  condition: s\n"):                 ErrSyntax,
		rule("  s: []\n  condition: s\n"):                 ErrSyntax,
		rule("  s: {a: []}\n  condition: s\n"):            ErrSyntax,
		rule("  s: {a: {b: c}}\n  condition: s\n"):        ErrSyntax,
		rule("  s: {a: b}\n  condition: 1 of x*\n"):       ErrSyntax,
		rule("  s: {a|cidr: x}\n  condition: s\n"):        ErrSyntax,
		rule("  s: {a|lt: x}\n  condition: s\n"):          ErrSyntax,
		rule("  s: {a|contains: null}\n  condition: s\n"): ErrSyntax,
		rule("  s: {a|i: x}\n  condition: s\n"):           ErrSyntax,
		rule("  s: {a: b}\n  condition: " + strings.Repeat("(", 100) + "s\n"): ErrSyntax,
		rule("  s: {a: b}\n  condition: s | count() > 5\n"):                   ErrUnsupported,
		rule("  s: {a: b}\n  condition: 2 of s*\n"):                           ErrUnsupported,
		rule("  s: {a: b}\n  timeframe: 5m\n  condition: s\n"):                ErrUnsupported,
		rule("  s: {a: b}\n  condition: near s\n"):                            ErrUnsupported,
		rule("  s: {a|expand: '%x%'}\n  condition: s\n"):                      ErrUnsupported,
		rule("  s: {a|fieldref|re: b}\n  condition: s\n"):                     ErrUnsupported,
		rule("  s: {a|fieldref: ''}\n  condition: s\n"):                       ErrSyntax,
		rule("  s: {a|hour: 3}\n  condition: s\n"):                            ErrUnsupported,
		rule("  s: {a|windash|base64: -x}\n  condition: s\n"):                 ErrUnsupported,
		rule("  s: {a|contains|base64: x}\n  condition: s\n"):                 ErrUnsupported,
		rule("  s: {a|base64: 'x*'}\n  condition: s\n"):                       ErrUnsupported,
		"title: f\nfilter: {rules: any, s: {a: b}, condition: s}\n":           ErrUnsupported, // for no rule here
		"title: f\nfilter: {s: {a: b}, condition: s}\n":                       ErrSyntax,
		"title: f\nfilter: {rules: [{}], s: {a: b}, condition: s}\n":          ErrSyntax,
		"title: f\nlogsource: x\n" + rule("  s: {a: b}\n  condition: s\n"):    ErrSyntax,
		rule("  s: {a|re: '(?=x)'}\n  condition: s\n"):                        ErrUnsupported,
		rule("  s: {a|wide|contains: x}\n  condition: s\n"):                   ErrUnsupported,
		"correlation: {type: event_count}\n":                                  ErrUnsupported,
	} {
		if _, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// Events that are made of a rule show both of its verdicts, and tell it from the
// same rule with one thing changed.
func TestInstances(t *testing.T) {
	base := "  sel_a:\n    a|contains: [one, two]\n    b|re: '^x[0-9]{3}(y|z)$'\n  sel_b:\n    c|contains|all: [p, q]\n    d: null\n  filter:\n    e|cidr: 192.0.2.0/24\n  condition: all of sel_* and not filter\n"
	verdicts := func(r Rule, events []Event) string {
		var b strings.Builder
		for _, e := range events {
			b.WriteByte("01"[map[bool]int{true: 1}[r.Match(e)]])
		}
		return b.String()
	}
	rules, err := Parse(rule(base))
	if err != nil {
		t.Fatal(err)
	}
	events := rules[0].Instances()
	want := verdicts(rules[0], events)
	if !strings.Contains(want, "1") || !strings.Contains(want, "0") {
		t.Fatalf("%d events, all with one verdict", len(events))
	}
	for _, change := range [][2]string{
		{"two", "twoo"}, {"one, two", "one"}, {"{3}", "{4}"}, {"[p, q]", "[p]"}, {"|all", ""}, {"d: null", "d: x"}, {"192.0.2.0/24", "192.0.3.0/24"},
		{"all of sel_*", "1 of sel_*"}, {" and not filter", ""}, {"a|contains", "a|endswith"},
	} {
		other, err := Parse(rule(strings.Replace(base, change[0], change[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if verdicts(other[0], events) == want {
			t.Errorf("%q for %q isn't seen", change[1], change[0])
		}
	}
}

// shared is a folder of real data, which is not part of this repository.
func shared(t *testing.T, name string) []string {
	t.Helper()
	dir := os.Getenv("FOREWARN_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(dir, name))
	if err != nil || len(files) == 0 {
		t.Skipf("skipped: no %s; FOREWARN_DATA names the folder of published rules", name)
	}
	return files
}

// mostUnsupported is how many published rules may be refused.
const mostUnsupported = 0

// Published rules are parsed, or refused by the name of a feature; and the events
// made of them show that they can match.
func TestPublishedRules(t *testing.T) {
	parsed, shown := 0, 0
	refused := map[string][]string{} // files by feature
	for _, name := range shared(t, "sigma/*.yml") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := Parse(string(text))
		if errors.Is(err, ErrUnsupported) {
			refused[err.Error()] = append(refused[err.Error()], filepath.Base(name))
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		parsed++
		yes, no := false, false
		for _, e := range rules[0].Instances() {
			m := rules[0].Match(e)
			yes, no = yes || m, no || !m
		}
		if yes && no {
			shown++
		} else {
			t.Logf("%s: the events made of it match %t, don't %t", filepath.Base(name), yes, no)
		}
	}
	n := 0
	for feature, files := range refused {
		t.Logf("| %s | %s |", feature, strings.Join(files, ", "))
		n += len(files)
	}
	t.Logf("%d parsed, %d refused by feature; for %d the events made of them show both verdicts", parsed, n, shown)
	if n > mostUnsupported || parsed < 100 || shown < parsed {
		t.Errorf("%d parsed, %d refused, %d shown", parsed, n, shown)
	}
}

// What isn't supported is named, and where it stands.
func TestUnsupportedSaysWhere(t *testing.T) {
	text := rule("  s: {a: b}\n  condition: s\n") + "---\n" + rule("  s: {a: b}\n  odd:\n    q|expand: '%x%'\n  condition: s\n")
	if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), `document 2: odd: q|expand: `) || !strings.Contains(err.Error(), `the modifier "expand"`) {
		t.Errorf("%v", err)
	}
}

// A filter adds its condition to the rules it names, by id or name, of its source.
func TestFilters(t *testing.T) {
	one := func(id, product string) string {
		return "title: r\nid: " + id + "\nname: n" + id + "\nlogsource: {product: " + product + "}\n" + "detection: {s: {a: x}, condition: s}\n---\n"
	}
	filter := func(rules, source string) string {
		return "title: f\nlogsource: {" + source + "}\nfilter: {rules: " + rules + ", s: {b|startswith: adm_}, condition: not s}\n"
	}
	accepted := Event{"a": {"x"}, "b": {"adm_1"}}
	for _, c := range []struct {
		filter string
		want   string // for each rule, whether it holds for what the filter accepts; - for refused
	}{
		{filter("[r1]", "product: web"), "011"},
		{filter("[nr1, R2]", "product: web"), "001"},
		{filter("any", "product: web"), "001"},
		{filter("any", ""), "000"},
		{filter("[]", "product: web"), "001"},
		{filter("r3", "product: web"), "-"},
		{filter("[r1]", "product: web, service: x"), "-"},
		{filter("[r1]", "product: web") + "---\n" + filter("any", "product: web"), "001"},
	} {
		rules, err := Parse(one("r1", "web") + one("r2", "web") + one("r3", "other") + c.filter)
		if c.want == "-" {
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %v", c.filter, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		got := ""
		for _, r := range rules {
			got += map[bool]string{true: "1", false: "0"}[r.Match(accepted)]
			if !r.Match(Event{"a": {"x"}, "b": {"eve"}}) {
				t.Errorf("%s: nothing is left", c.filter)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.filter, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(rule("  s:\n    a|contains|all: [x, y]\n    b|re: '^x{2,3}'\n  f: [k, l]\n  condition: 1 of s* and not f\n"), `{"a":"xy","b":["xx"]}`)
	f.Add(rule("  s: {a|windash|neq: -x, b|fieldref|contains: a, c|re|i: 'k(ab|cd)+[xy]'}\n  condition: s\n")+"---\ntitle: f\nfilter: {rules: any, s: {d: e}, condition: not s}\n", `{"a":"x"}`)
	f.Add(rule("  s:\n    - a|base64offset|contains: x\n    - b|cidr: 192.0.2.0/24\n  condition: s or (s and not s)\n"), `{}`)
	f.Fuzz(func(t *testing.T, text, event string) {
		rules, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		events, _ := ReadEvents([]byte(event))
		again, err := Parse(text)
		if err != nil || len(again) != len(rules) {
			t.Fatalf("read twice, %d rules and %d: %v", len(rules), len(again), err)
		}
		for i := range rules {
			needles := rules[i].Needles(Needling{Least: 4, Most: 40})
			for _, e := range append(events, rules[i].Instances()...) {
				yes := rules[i].Match(e)
				if yes != again[i].Match(e) {
					t.Fatal("two verdicts")
				}
				if yes && !holdsNeedle(e, needles) {
					t.Fatalf("%v holds, and has none of %q", e, needles)
				}
			}
		}
	})
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,null,"x",true]}}` + "\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := ReadEvents(text); err != nil && !errors.Is(err, ErrEvent) {
			t.Fatal(err)
		}
	})
}

// A rule of a few kilobytes must not take gigabytes, nor an event forever.
func TestLimits(t *testing.T) {
	var wide, many strings.Builder
	for i := range 150 {
		fmt.Fprintf(&wide, "    f%d: [%s]\n", i, strings.TrimSuffix(strings.Repeat("a,", 150), ","))
	}
	for i := range 3000 {
		fmt.Fprintf(&many, "  s%d:\n    f%d: a\n", i, i)
	}
	for name, text := range map[string]string{
		"fields":   "title: t\ndetection:\n  s:\n" + wide.String() + "  condition: s\n",
		"searches": "title: t\ndetection:\n" + many.String() + "  condition: all of them\n",
	} {
		rules, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		events := rules[0].Instances()
		entries, yes := 0, false
		for _, e := range events {
			entries += len(e)
			yes = yes || rules[0].Match(e)
		}
		if len(events) > maxInstances || entries > maxMade/64+5000 || !yes {
			t.Errorf("%s: %d events with %d fields, one that matches: %t", name, len(events), entries, yes)
		}
	}
	long := strings.Repeat("a", maxPattern+1)
	for name, text := range map[string]string{
		"value":     "title: t\ndetection:\n  s:\n    f: " + long + "\n  condition: s\n",
		"fields":    "title: t\ndetection:\n  s: {" + strings.TrimSuffix(strings.Repeat("f%: a, ", maxFields+1), ", ") + "}\n  condition: s\n",
		"condition": "title: t\ndetection:\n" + many.String() + "  condition: " + strings.Repeat("1 of them or ", 10) + "s1\n",
	} {
		for i := 0; strings.Contains(text, "%"); i++ {
			text = strings.Replace(text, "%", strconv.Itoa(i), 1)
		}
		if _, err := Parse(text); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
	// Needles of a condition that asks for all of much, again and again.
	rules, err := Parse("title: t\ndetection:\n  s1:\n    f: [" + strings.TrimSuffix(strings.Repeat("abcd, ", 9000), ", ") + "]\n  condition: (" + strings.Repeat("1 of s* or ", 5000) + "s1) and s1\n")
	if err != nil {
		t.Fatal(err)
	}
	if n := rules[0].Needles(Needling{Least: 4, Most: 40}); !slices.Equal(n, []string{"abcd"}) {
		t.Errorf("%d needles", len(n))
	}
	if _, err := ReadEvents([]byte(`{"a":"` + strings.Repeat("x", maxField+1) + `"}`)); !errors.Is(err, ErrEvent) {
		t.Errorf("%v, want ErrEvent", err)
	}
}

// Nesting counts, not how many brackets there are or what stands in texts.
func TestNests(t *testing.T) {
	for text, deep := range map[string]bool{
		strings.Repeat("[", 101):                                                            true,
		strings.Repeat("{a: ", 200):                                                         true,
		"a: [\"\n\", " + strings.Repeat("[", 200) + " \"":                                   true,
		"- |\n  \"\n- " + strings.Repeat("[", 200):                                          true,
		strings.Repeat("- [a]\n", 6000):                                                     false,
		"a: \"" + strings.Repeat("[", 6000) + "\"\nb: '" + strings.Repeat("{", 200) + "'\n": false,
	} {
		if nests(text) != deep {
			t.Errorf("%.40q: not %t", text, deep)
		}
	}
}
