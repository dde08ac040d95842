package web

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
)

var update = flag.Bool("update", false, "write golden files")

// TestDescription holds the description to its golden. What changes here, programs
// out there notice: fields and operations may be added.
func TestDescription(t *testing.T) {
	got, err := Describe()
	ok(t, err)
	const golden = "testdata/openapi.json"
	if *update {
		ok(t, os.MkdirAll("testdata", 0o777))
		ok(t, os.WriteFile(golden, got, 0o666))
	}
	want, err := os.ReadFile(golden)
	ok(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("the description of the API is not %s; if that is meant, run the test with -update", golden)
	}
	w := newWorld(t)
	r := w.as("").get(apiBase + "/openapi.json")
	if s := w.as("").wants(r, 200); s != string(got) || r.Header.Get("Content-Type") != "application/json" {
		t.Error("what is served is another")
	}
	if r := w.as("").do("GET", apiBase+"/openapi.json", "", http.Header{"If-None-Match": {r.Header.Get("ETag")}}); r.StatusCode != 304 {
		t.Errorf("asked whether it changed: %d", r.StatusCode)
	}
}

// TestDescriptionLint: others' linter has nothing to say about it.
func TestDescriptionLint(t *testing.T) {
	redocly := filepath.Join(os.Getenv("FOREWARN_NPM"), "node_modules", ".bin", "redocly")
	if _, err := os.Stat(redocly); err != nil || os.Getenv("FOREWARN_NPM") == "" {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("FOREWARN_NPM names no folder with npm's @redocly/cli, and FOREWARN_TEST_ALL=1")
		}
		t.Skip("FOREWARN_NPM names no folder with npm's @redocly/cli")
	}
	got, err := Describe()
	ok(t, err)
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "openapi.json"), got, 0o666))
	// Its own list of what is recommended, all of it as errors but what is about a
	// document's place on the web.
	ok(t, os.WriteFile(filepath.Join(dir, "redocly.yaml"), []byte("extends: [recommended-strict]\n"), 0o666))
	lint := exec.Command(redocly, "lint", "openapi.json", "--format", "stylish")
	lint.Dir = dir
	lint.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// document is the description, for looking things up in.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Responses   map[string]struct {
			Ref     string `json:"$ref"`
			Content map[string]struct{ Schema any }
		}
	}
	Components struct{ Schemas map[string]any }
}

func description(t *testing.T) (d document) {
	b, err := Describe()
	ok(t, err)
	ok(t, json.Unmarshal(b, &d))
	return d
}

// fits says where a value is not what a schema says: of those keywords that the
// description uses.
func (d document) fits(schema, value any, at string) (wrong []string) {
	s, isObject := schema.(object)
	if !isObject {
		return []string{at + ": the schema is no object"}
	}
	bad := func(format string, args ...any) { wrong = append(wrong, at+" "+fmt.Sprintf(format, args...)) }
	for word, say := range s {
		switch word {
		case "$ref":
			wrong = append(wrong, d.fits(d.Components.Schemas[strings.TrimPrefix(say.(string), "#/components/schemas/")], value, at)...)
		case "allOf":
			for _, x := range say.([]any) {
				wrong = append(wrong, d.fits(x, value, at)...)
			}
		case "type":
			kinds, several := say.([]any)
			if !several {
				kinds = []any{say}
			}
			if !slices.Contains(kinds, any(kindOf(value))) && !(kindOf(value) == "integer" && slices.Contains(kinds, any("number"))) {
				bad("is %s and not %v", kindOf(value), say)
			}
		case "enum":
			if !slices.Contains(say.([]any), value) {
				bad("is %v, none of %v", value, say)
			}
		case "pattern":
			if text, is := value.(string); is && !regexp.MustCompile(say.(string)).MatchString(text) {
				bad("is %q and not like %s", text, say)
			}
		case "format":
			if text, is := value.(string); is {
				if _, err := time.Parse(time.RFC3339, text); say == "date-time" && err != nil {
					bad("%q is no time", text)
				}
			}
		case "required":
			for _, name := range say.([]any) {
				if o, is := value.(object); is {
					if _, has := o[name.(string)]; !has {
						bad("lacks %s", name)
					}
				}
			}
		case "properties":
			if o, is := value.(object); is {
				for name, x := range o {
					p, known := say.(object)[name]
					if !known {
						bad("has %s, which isn't described", name)
						continue
					}
					wrong = append(wrong, d.fits(p, x, at+"."+name)...)
				}
			}
		case "items":
			if list, is := value.([]any); is {
				for i, x := range list {
					wrong = append(wrong, d.fits(say, x, fmt.Sprintf("%s[%d]", at, i))...)
				}
			}
		case "additionalProperties":
			if o, is := value.(object); is {
				for name, x := range o {
					wrong = append(wrong, d.fits(say, x, at+"."+name)...)
				}
			}
		case "minimum":
			if n, is := value.(float64); is && n < say.(float64) {
				bad("is %v, below %v", n, say)
			}
		case "description", "contentEncoding":
		default:
			bad("has a schema with %q, which this test doesn't know", word)
		}
	}
	return wrong
}

func kindOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if x == float64(int64(x)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// TestAnswersAreAsDescribed: everybody looks at everything there is, in a world
// where something happened, and every answer fits its schema.
func TestAnswersAreAsDescribed(t *testing.T) {
	w := newWorld(t)
	d := description(t)
	look := func(when string) {
		for _, who := range everybody {
			b := w.as(who)
			for _, p := range w.site.pageList {
				method, path := w.at(p.Pattern, true)
				if !p.api || method != "GET" {
					continue
				}
				r := b.do(method, path, "", http.Header{"Accept": {"application/json"}})
				body := text(t, r)
				kind := r.Header.Get("Content-Type")
				_, at, _ := strings.Cut(p.Pattern, apiBase)
				says, known := d.Paths[strings.TrimSuffix(at, "{$}")][strings.ToLower(method)].Responses[fmt.Sprint(r.StatusCode)]
				if !known {
					t.Errorf("%s, %s, %s: %d is not described", when, p.Pattern, who, r.StatusCode)
					continue
				}
				schema := any(object{"$ref": "#/components/schemas/Problem"})
				if says.Ref == "" {
					schema = says.Content[kind].Schema
				}
				if kind == "application/octet-stream" {
					continue
				}
				var value any
				if err := json.Unmarshal([]byte(body), &value); err != nil {
					t.Errorf("%s, %s, %s: %v", when, p.Pattern, who, err)
					continue
				}
				for _, wrong := range d.fits(schema, value, p.Op.Name) {
					t.Errorf("%s, %s: %s", when, who, wrong)
				}
			}
		}
	}
	look("at first")
	w.announce()
	w.opened()
	w.seen("00000000000000aa")
	b := w.as("c0")
	b.wants(b.post("/waves/"+w.wave.String()+"/copy", ""), 303)
	w.machine("c0", cvd.EveryScope)
	look("later")
}

// TestDescriptionIsOfWhatIsServed: an operation is described if and only if it is
// served, under the name that its row has.
func TestDescriptionIsOfWhatIsServed(t *testing.T) {
	w := newWorld(t)
	d := description(t)
	served := 0
	for _, p := range w.site.pageList {
		if !p.api {
			continue
		}
		served++
		method, at, _ := strings.Cut(p.Pattern, " "+apiBase)
		if got := d.Paths[strings.TrimSuffix(at, "{$}")][strings.ToLower(method)].OperationID; got != p.Op.Name {
			t.Errorf("%s is described as %q", p.Pattern, got)
		}
	}
	described := 0
	for _, x := range d.Paths {
		described += len(x)
	}
	if served != described || served == 0 {
		t.Errorf("%d operations are served and %d described", served, described)
	}
}
