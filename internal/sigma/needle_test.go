package sigma

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// folded takes the cases of ASCII together and nothing else.
func folded(s string) string {
	return string(bytes.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r | 0x20
		}
		return r
	}, []byte(s)))
}

func holdsNeedle(e Event, needles []string) bool {
	if len(needles) == 0 {
		return true
	}
	for _, texts := range e {
		for _, t := range texts {
			if slices.ContainsFunc(needles, func(n string) bool { return strings.Contains(folded(t), n) }) {
				return true
			}
		}
	}
	return false
}

func TestNeedles(t *testing.T) {
	for detection, want := range map[string][]string{
		"  s: {a: Xclip}\n  condition: s\n":                                     {"xclip"},
		"  s: {a: abc}\n  condition: s\n":                                       nil, // too short
		"  s: {a: [abcd, efgh]}\n  condition: s\n":                              {"abcd", "efgh"},
		"  s: {a: [abcd, ef]}\n  condition: s\n":                                nil,
		"  s: {a|contains|all: [abcd, efghi, x]}\n  condition: s\n":             {"efghi"},
		"  s: {a: POST, b: longer-text}\n  condition: s\n":                      {"longer-text"},
		"  s: {a: abcd}\n  f: {b: efghijk}\n  condition: s and not f\n":         {"abcd"},
		"  s: {a: abcd}\n  f: {b: efghijk}\n  condition: s or f\n":              {"abcd", "efghijk"},
		"  s: {a: abcd}\n  f: {b: efghijk}\n  condition: not f\n":               nil,
		"  s1: {a: abcd}\n  s2: {b: efghijk}\n  condition: all of s*\n":         {"efghijk"},
		"  s1: {a: abcd}\n  s2: {b: efghijk}\n  condition: 1 of s*\n":           {"abcd", "efghijk"},
		"  s: {a: abcd}\n  f: {b: efgh}\n  condition: [s, f]\n":                 {"abcd", "efgh"},
		"  s: {a: 'x*abcde?efghijk'}\n  condition: s\n":                         {"efghijk"},
		"  s: {a|contains: '/_layouts/15/x.aspx'}\n  condition: s\n":            {"_layouts"},
		"  s: {a|contains: 'say \"hello\"'}\n  condition: s\n":                  {"hello"},
		"  s: {a|contains: 'two words'}\n  condition: s\n":                      {"two words", "two+words"},
		"  s: {a|contains: 'größerx'}\n  condition: s\n":                        nil,
		"  s: {a|windash|contains: 'abcd-efghi'}\n  condition: s\n":             {"efghi"},
		"  s: {a|cased: 'ABCD'}\n  condition: s\n":                              {"abcd"},
		"  s: {a|re: '^ab+cdefg(x|y)hijkl*'}\n  condition: s\n":                 {"cdefg"},
		"  s: {a|re: 'wxyz(abcde|fghijk)'}\n  condition: s\n":                   {"abcde", "fghijk"},
		"  s: {a|re|i: 'powershell'}\n  condition: s\n":                         {"power"},
		"  s: {a|re: '(abcd){2,}|efgh'}\n  condition: s\n":                      {"abcd", "efgh"},
		"  s: {a|re: '(abcd)*[efgh]?'}\n  condition: s\n":                       nil,
		"  s: {a|cidr: 192.0.2.0/24}\n  condition: s\n":                         {"192.0.2.", "ffff:"},
		"  s: {a|cidr: 10.0.0.0/8}\n  condition: s\n":                           nil,
		"  s: {a|cidr: '2001:db8::/32'}\n  condition: s\n":                      nil,
		"  s: {a|base64offset|contains: abcdef}\n  condition: s\n":              {"ywjjzgvm", "fiy2rlz", "hymnkzw"},
		"  s: {a|neq: abcd}\n  condition: s\n":                                  nil,
		"  s: {a|fieldref: abcd}\n  condition: s\n":                             nil,
		"  s: {a|gt: 10000}\n  condition: s\n":                                  nil,
		"  s: {a: null}\n  condition: s\n":                                      nil,
		"  s: [abcd, efgh]\n  condition: s\n":                                   {"abcd", "efgh"},
		"  s: {other: abcdefg, a: abcd}\n  condition: s\n":                      {"abcd"},
		"  s: {a: [abcd, xabcdx]}\n  condition: s\n":                            {"abcd"},
		"  s: {a: [common-text, efgh]}\n  f: {b: abcd}\n  condition: s and f\n": {"abcd"},
		"  s: {a: 'a\\b'}\n  f: {b: 'end of it all'}\n  condition: 1 of them\n": nil,
	} {
		rules, err := Parse(rule(detection))
		if err != nil {
			t.Errorf("%s: %v", detection, err)
			continue
		}
		got := rules[0].Needles(Needling{Least: 4, Most: 40, Common: "some common-text", Verbatim: func(f string) bool { return f != "other" }})
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", detection, got, want)
		}
	}
	rules, _ := Parse(rule("  s: {a: " + strings.Repeat("abcd", 50) + "}\n  condition: s\n"))
	if got := rules[0].Needles(Needling{Least: 4, Most: 40}); len(got) != 1 || len(got[0]) != 40 {
		t.Errorf("%q", got)
	}
}

// randomRule writes a rule of few and short texts, so that events of the same
// texts often fulfil it.
func randomRule(r *rand.Rand) string {
	words := []string{"abcd", "EFGH", "ab", "Kelvin", "x y", "/p/abcd", `q\uote`, `say "abcd"`, "größe", "a,bcde", "1.2.3.4", "a?cd", "*efgh", "abcd*ef", "%2e%2e", "İstan", "ſtone"}
	word := func() string { return words[r.IntN(len(words))] }
	quoted := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	var b strings.Builder
	names := []string{"s", "t", "u"}
	for _, n := range names {
		b.WriteString("  " + n + ":\n")
		for i := range 1 + r.IntN(2) {
			mods := []string{"", "|contains", "|startswith", "|endswith", "|contains|all", "|re", "|re|i", "|cidr", "|cased", "|windash|contains", "|base64offset|contains", "|neq", "|fieldref", "|exists"}
			m := mods[r.IntN(len(mods))]
			value := "[" + quoted(word()) + ", " + quoted(word()) + "]"
			switch m {
			case "|re", "|re|i":
				value = quoted([]string{"ab(cd|gh)", "[ke]lvin", "efgh.*", "(abcd)+", "^x y$", "kel", "(?:stone|abcd|kelvin)"}[r.IntN(7)])
			case "|cidr":
				value = quoted([]string{"1.2.3.0/24", "1.2.3.4/32", "1.2.0.0/15"}[r.IntN(3)])
			case "|exists":
				value = "true"
			case "|base64offset|contains":
				value = "[abcd, EFGH]"
			case "|fieldref":
				value = "f1"
			}
			b.WriteString("    f" + string(rune('0'+i)) + m + ": " + value + "\n")
		}
	}
	b.WriteString("  condition: " + []string{"s and t", "s or t", "s and not t", "1 of them", "all of them", "s and (t or u)", "not s", "not (s and not t)", "not not s"}[r.IntN(9)] + "\n")
	return rule(b.String())
}

// A record for which a rule holds has one of its needles.
func TestNeedlesStand(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"abcd", "efgh", "EFGH", "ab", "kelvin", "\u212aelvin", "x y", "x+y", "/P/ABCD", `q\uote`, `say "abcd"`, "GRÖSSE", "größe", "a,bcde", "1.2.3.4", "::ffff:1.2.3.4", "::ffff:0102:0304", "abcd-ef", "xefgh", "%2e%2e", "istan", "İstan", "ſtone", "stone", "YWJjZA==", "xRUZHSA", "abcdabcd"}
	held, with := 0, 0
	for range 3000 {
		text := randomRule(r)
		rules, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		needles := rules[0].Needles(Needling{Least: 4, Most: 40, Common: "abcd"})
		events := rules[0].Instances()
		for range 40 {
			e := Event{}
			for _, f := range []string{"f0", "f1"} {
				if r.IntN(5) > 0 {
					e[f] = []string{texts[r.IntN(len(texts))]}
				}
			}
			events = append(events, e)
		}
		for _, e := range events {
			if rules[0].Match(e) {
				held++
				if len(needles) > 0 {
					with++
				}
				if !holdsNeedle(e, needles) {
					t.Fatalf("%s%q holds, and has none of %q", text, e, needles)
				}
			}
		}
	}
	if t.Logf("%d of %d verdicts of yes are of rules with needles", with, held); with < 1000 {
		t.Error("too few to say anything")
	}
}
