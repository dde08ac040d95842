package sighting

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	method := func(want string) func(*Record) bool {
		return func(r *Record) bool { return slices.Contains(r.Values["http.http_method"], want) }
	}
	on := func(want Format) func(Format) bool { return func(f Format) bool { return f == want } }
	log := `{"timestamp":"2025-07-07T12:00:00.000000+0000","http":{"url":"\/portal\/IMPORT","http_method":"POST"}}
{"timestamp":"2025-07-07T12:00:01.000000+0000","http":{"url":"\/portal\/import","http_method":"GET"}}
not a record of \/portal\/import
{"timestamp":"2025-07-07T12:00:02.000000+0000","http":{"url":"\/other","http_method":"POST"}}
`
	s := Scanner{Rules: []Rule{
		{Ref: "posted", Needles: []string{"nowhere", "/portal/Import"}, Match: method("POST")},
		{Ref: "any post", Match: method("POST")},
		{Ref: "guarded", Guard: []string{"nowhere", "other"}, Serves: on(EVE), Match: method("POST")},
		{Ref: "not here", Serves: on(W3C), Match: method("POST")},
		{Ref: "not here either", Needles: []string{"/portal/Import"}, Serves: on(W3C), Match: method("POST")},
	}}
	var got []string
	sum, err := s.Scan("x", strings.NewReader(log), func(s Sighting) error {
		got = append(got, strings.Repeat("I", int(s.Line))+" "+s.What.Kind()+" "+s.What.Rule.Ref)
		if s.Basis != Stated || !bytes.HasPrefix([]byte(log)[s.Offset:], []byte("{")) || log[s.Offset+int64(s.Len)] != '\n' {
			t.Errorf("%+v", s)
		}
		return nil
	})
	if want := []string{"I rule posted", "I rule any post", "IIII rule any post", "IIII rule guarded"}; err != nil || !slices.Equal(got, want) || sum.Sightings != 4 {
		t.Errorf("%v, %q, want %q", err, got, want)
	}
	for _, r := range []Rule{{}, {Ref: "x"}, {Ref: "x", Needles: []string{"abc"}, Match: method("GET")}, {Ref: "x", Needles: []string{"abcd"}, Guard: []string{"x"}, Match: method("GET")}} {
		if _, err := (&Scanner{Rules: []Rule{r}}).Scan("x", strings.NewReader(log), nil); !errors.Is(err, ErrScanner) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// What rules judge by is what was logged, without the format's own quotes.
func TestRulesJudgeValues(t *testing.T) {
	for log, want := range map[string]string{
		`{"a":{"b":"x\/\u00e9","n":null,"l":["p",7,true]}}` + "\n": `a.b="x/é" a.l[0]="p" a.l[1]="7" a.l[2]="true"`,
		"#Fields: a b c d\nx - \"say \"\"hello there\"\"\" y\n":    `a="x" c="say \"hello there\"" d="y"`,
		"#Fields: a b\n\"x y\n":                                    `a="\"x" b="y"`,
		"a line of text\n":                                         `message="a line of text"`,
	} {
		var got []string
		s := Scanner{Rules: []Rule{{Ref: "r", Match: func(r *Record) bool {
			for _, name := range slices.Sorted(maps.Keys(r.Values)) {
				for _, v := range r.Values[name] {
					got = append(got, fmt.Sprintf("%s=%q", name, v))
				}
			}
			return false
		}}}}
		if _, err := s.Scan("x", strings.NewReader(log), nil); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s, %v", log, got, want, err)
		}
	}
}
