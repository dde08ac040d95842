package detect

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forewarn/internal/sighting"
	"forewarn/internal/sigma"
)

// scan says whether a set's one rule holds for the last line of a log, and for no
// other, asked by its needles and asked of every record.
func scan(t *testing.T, s *Set, log string) (holds bool, f sighting.Format) {
	t.Helper()
	rules, _ := s.Rules()
	var found [2]int
	for i := range found {
		sc := sighting.Scanner{Rules: rules, MaxLine: 16 << 10}
		sum, err := sc.Scan("x", strings.NewReader(log), func(x sighting.Sighting) error {
			if int(x.Line) != strings.Count(log, "\n") {
				t.Errorf("line %d of %q", x.Line, log)
			}
			found[i]++
			return nil
		})
		if err != nil || len(sum.Problems) > 0 {
			t.Fatalf("%q: %v %v", log, err, sum.Problems)
		}
		f = sum.Format
		for j := range rules {
			rules[j].Needles, rules[j].Guard = nil, nil
		}
	}
	if found[0] != found[1] {
		t.Errorf("%s: %d sightings by needles, %d without: %s", rules[0].Ref, found[0], found[1], log)
	}
	return found[0] > 0, f
}

// sightings are which rules hold for which lines, and what the log was read as.
func sightings(t *testing.T, rules []sighting.Rule, log string) (map[string]int, sighting.Format) {
	t.Helper()
	out := map[string]int{}
	sc := sighting.Scanner{Rules: rules, MaxLine: 16 << 10}
	sum, err := sc.Scan("x", strings.NewReader(log), func(x sighting.Sighting) error {
		out[fmt.Sprint(x.Line, " ", x.What.Rule.Ref)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, sum.Format
}

// viewHolds is the verdict on values in a format that has no layout yet.
func viewHolds(s *Set, format string, v values) bool {
	s.Rules()
	for _, r := range s.rules {
		for _, w := range r.views {
			if seen := w.see(v); w.serves(format) && w.about(r.of.Source.Service, seen.values) {
				return r.of.Holds(seen.record)
			}
		}
	}
	return false
}

// Published rules say of records what whoever wrote these expects.
func TestVerdicts(t *testing.T) {
	file, err := os.Open("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var s *Set
	rule, fields := "", ""
	rules, verdicts, layouts := 0, 0, map[string]int{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#Fields") {
			fields = line
		}
		if line == "" || line[0] == '#' {
			continue
		}
		how, text, _ := strings.Cut(line, " ")
		if how == "rule" {
			rule = text
			rules++
			s = setOf(t, []string{filepath.Join("testdata/sigma", rule)})
			continue
		}
		format, want := how[:len(how)-1], strings.HasSuffix(how, "+")
		if format == "iis" {
			text = fields + "\n" + text
		}
		got, f := scan(t, s, text+"\n")
		if format == "zeek" && !strings.Contains(strings.ToLower(f.String()), "zeek") {
			e, err := sigma.ReadEvents([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			got = viewHolds(s, "zeek", values(e[0]))
		}
		if got != want {
			t.Errorf("%s: %t for %s", rule, got, line)
		}
		verdicts++
		layouts[f.String()]++
	}
	if t.Logf("%d verdicts of %d rules; lines by layout %v", verdicts, rules, layouts); rules < 30 || verdicts < 2*rules {
		t.Error("too few")
	}
}
