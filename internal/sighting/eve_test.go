package sighting

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// records gives the lines of real EVE: all that lie beside the project, or the
// sample within it.
func records(t testing.TB, need bool) [][]byte {
	dir := os.Getenv("FOREWARN_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	b, err := os.ReadFile(filepath.Join(dir, "eve", "eve.json.gz"))
	if err != nil && need {
		t.Skipf("the 5,331 real EVE records are not here (set FOREWARN_DATA to the folder that holds eve/eve.json.gz): %v", err)
	}
	if err != nil {
		if b, err = os.ReadFile(filepath.Join("..", "sim", "telemetry", "eve.json.gz")); err != nil {
			t.Skip(err)
		}
	}
	gz, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(all, []byte("\n")), []byte("\n"))
}

// leaf is a key or scalar with its path, as text.
type leaf struct{ path, value string }

// leaves is walkJSON's view of a text.
func leaves(b []byte) (out []leaf, bad *damage) {
	bad = walkJSON(b, func(path []step, from, to int, key bool) {
		value := string(b[from:to])
		if b[from] == '"' {
			value = "s" + plain(b[from:to])
		}
		if key {
			value = "key"
		}
		out = append(out, leaf{name(path), value})
	})
	return out, bad
}

// oracle is encoding/json's.
func oracle(b []byte) (out []leaf, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var value func(path string) error
	value = func(path string) error {
		tok, err := d.Token()
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case json.Delim:
			for i := 0; d.More(); i++ {
				inner := fmt.Sprintf("%s[%d]", path, i)
				if tok == '{' {
					key, err := d.Token()
					if err != nil {
						return err
					}
					inner = strings.TrimPrefix(path+"."+key.(string), ".")
					if path == "" {
						inner = key.(string)
					}
					out = append(out, leaf{cut(inner), "key"})
				}
				if err := value(inner); err != nil {
					return err
				}
			}
			_, err = d.Token()
			return err
		case string:
			out = append(out, leaf{cut(path), "s" + tok})
		case json.Number:
			out = append(out, leaf{cut(path), tok.String()})
		default:
			s := fmt.Sprint(tok)
			if tok == nil {
				s = "null"
			}
			out = append(out, leaf{cut(path), s})
		}
		return nil
	}
	if !json.Valid(b) {
		return nil, fmt.Errorf("not JSON")
	}
	return out, value("")
}

func cut(path string) string { return path[:min(len(path), MaxExcerpt)] }

// reading gives the earliest and latest instant of a real stamp, by the
// standard library.
func reading(t *testing.T, stamp string) (from, to time.Time) {
	at, err := time.Parse("2006-01-02T15:04:05.999999999-0700", stamp)
	if err != nil {
		t.Fatal(err)
	}
	from, to = at.Truncate(time.Microsecond), at.Add(time.Microsecond)
	if len(stamp) == 32 { // seven digits: microseconds above a million
		var micro time.Duration
		if _, err := fmt.Sscanf(stamp[20:27], "%d", &micro); err != nil {
			t.Fatal(err)
		}
		to = at.Truncate(time.Second).Add(micro * time.Microsecond)
	}
	return from, to
}

func TestEVEAgainstEncodingJSON(t *testing.T) {
	lines := records(t, true)
	if len(lines) != 5331 {
		t.Fatalf("%d records, not the 5,331 that are told of", len(lines))
	}
	odd, never, lost := readings(t, lines)
	if odd != 3 || never != 29 || lost != 39 {
		t.Errorf("%d stamps of seven digits, %d never set, %d flows that began at none; the data holds 3, 29 and 39", odd, never, lost)
	}
}

// Any other file of EVE, such as Suricata writes of a capture.
func TestEVEOfOnesOwn(t *testing.T) {
	file := os.Getenv("FOREWARN_EVE")
	if file == "" {
		t.Skip("set FOREWARN_EVE to a file of EVE records to have their times checked")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	odd, never, lost := readings(t, lines)
	t.Logf("%d records: %d stamps of seven digits, %d never set, %d flows that began at none", len(lines), odd, never, lost)
}

// readings holds our reading of each record against encoding/json's.
func readings(t *testing.T, lines [][]byte) (odd, never, lost int) {
	for i, line := range lines {
		got, bad := leaves(line)
		want, err := oracle(line)
		if bad != nil || err != nil {
			t.Fatalf("record %d: %v, %v", i+1, bad, err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("record %d: fields differ:\n%v\n%v", i+1, got, want)
		}
		var rec struct {
			Timestamp string
			EventType string `json:"event_type"`
			Flow      struct{ Start string }
		}
		if err := json.Unmarshal(line, &rec); err != nil {
			t.Fatal(err)
		}
		at, or := reading(t, rec.Timestamp)
		r, _ := eve{}.read(line, nil, Clock{})
		if len(rec.Timestamp) == 32 {
			odd++
		}
		if at.Year() < 1990 {
			if never++; r.time.Known() {
				t.Fatalf("record %d: %s is taken for a time", i+1, rec.Timestamp)
			}
			continue
		}
		from, to := at, or
		if rec.EventType == "flow" {
			start, or := reading(t, rec.Flow.Start)
			if start.Year() < 1990 {
				if lost++; r.time.Known() {
					t.Fatalf("record %d: a flow that began at %s has the time %v", i+1, rec.Flow.Start, r.time)
				}
				continue
			}
			if start.Before(from) {
				from = start
			}
			if or.After(to) {
				to = or
			}
		}
		if !r.time.From.Equal(from) || !r.time.To.Equal(to) {
			t.Fatalf("record %d: %v, want %v … %v", i+1, r.time, from, to)
		}
	}
	return odd, never, lost
}

// Every host name that a request was for is seen in that request's record,
// in that field, and at the bytes it stands in.
func TestEVEHostsAgainstEncodingJSON(t *testing.T) {
	lines := records(t, false)
	s := &Scanner{}
	want := map[string]int{} // by line, indicator and field
	known := map[string]bool{}
	for i, line := range lines {
		var rec struct {
			HTTP struct{ Hostname string } `json:"http"`
			DNS  struct{ Rrname string }   `json:"dns"`
		}
		if err := json.Unmarshal(line, &rec); err != nil {
			t.Fatal(err)
		}
		for field, host := range map[string]string{"http.hostname": rec.HTTP.Hostname, "dns.rrname": rec.DNS.Rrname} {
			host = strings.ToLower(host)
			ind := Indicator{Kind: Host, Value: host}
			if ind.Check() != nil {
				continue
			}
			if !known[host] {
				known[host] = true
				s.Indicators = append(s.Indicators, ind)
			}
			want[fmt.Sprint(i+1, " ", host, " ", field)]++
		}
	}
	if len(known) < 20 {
		t.Fatalf("only %d hosts to look for", len(known))
	}
	text := append(bytes.Join(lines, []byte("\n")), '\n')
	got := map[string]int{}
	sum, err := s.Scan("eve", bytes.NewReader(text), func(s Sighting) error {
		if seen := text[s.Offset:][:s.Len]; s.Through == 0 && !strings.EqualFold(string(seen), s.What.Indicator.Value) {
			t.Fatalf("%q stands where %q was seen", seen, s.What.Indicator.Value)
		}
		if n := bytes.Count(text[:s.Offset], []byte("\n")) + 1; int64(n) != s.Line {
			t.Fatalf("byte %d is in line %d, not %d", s.Offset, n, s.Line)
		}
		got[fmt.Sprint(s.Line, " ", s.What.Indicator.Value, " ", s.Field)]++
		return nil
	})
	if err != nil || len(sum.Problems) > 0 || sum.Records != int64(len(lines)) || sum.Format != EVE || sum.Bytes != int64(len(text)) {
		t.Fatalf("%+v, %v", sum, err)
	}
	for k, n := range want {
		if got[k] < n {
			t.Errorf("%s was not seen", k)
		}
	}
}

func TestReadEVE(t *testing.T) {
	const stampA, stampB = `"timestamp":"2025-07-07T12:00:00.000000+0000"`, `"timestamp":"2025-07-07T13:00:00.000000+0000"`
	const a, b = "2025-07-07T12:00:00Z", "2025-07-07T13:00:00Z"
	deep := strings.Repeat(`[`, 100_000)
	for _, c := range []struct {
		name, in string
		from, to string // of whole seconds; empty: unknown
		bad      string
	}{
		{"first", `{` + stampA + `}`, a, a, ""},
		{"last", `{"x":{"y":[1,{"z":null}]},` + stampA + `}`, a, a, ""},
		{"escaped key", `{"\u0074imestamp":"2025-07-07T12:00:00.000000+0000"}`, a, a, ""},
		{"escaped value", `{"timestamp":"2025-07-07T12:00:00.000000\u002b0000"}`, "", "", ""},
		{"smuggled in below", `{"http":{` + stampB + `},` + stampA + `}`, a, a, ""},
		{"smuggled in in text", `{"url":"\",\"timestamp\":\"2025-07-07T13:00:00.000000+0000\"",` + stampA + `}`, a, a, ""},
		{"two", `{` + stampA + `,` + stampB + `}`, a, b, ""},
		{"two, one damaged", `{` + stampA + `,"timestamp":"x"}`, a, a, ""},
		{"none", `{"a":1}`, "", "", ""},
		{"a number", `{"timestamp":1751889600}`, "", "", ""},
		{"flow", `{` + stampB + `,"event_type":"flow","flow":{"start":"2025-07-07T12:00:00.000000+0000"}}`, a, b, ""},
		{"a flow without a start", `{` + stampB + `,"event_type":"flow","flow":{}}`, "", "", ""},
		{"an alert in a flow is at its own time", `{` + stampB + `,"event_type":"alert","flow":{"start":"2025-07-07T12:00:00.000000+0000"}}`, b, b, ""},
		{"cut in the middle", `{` + stampA + `,"http":{"url":"/a`, a, a, "ends early"},
		{"cut before the end", `{` + stampA + `,"http":{}`, a, a, "ends early"},
		{"cut in an escape", `{` + stampA + `,"u":"\u00`, a, a, "ends early"},
		{"something behind", `{` + stampA + `} x`, a, a, "follows"},
		{"two records in a line", `{` + stampA + `}{` + stampB + `}`, a, a, "follows"},
		{"deep", `{` + stampA + `,"d":` + deep, a, a, "deeper"},
		{"deep before the time", `{"d":` + deep + `,` + stampA, "", "", "deeper"},
		{"a control character", "{" + stampA + ",\"a\":\"\x01\"}", a, a, "control"},
		{"a NUL", "{" + stampA + "\x00}", a, a, "comma"},
		{"no such escape", `{` + stampA + `,"a":"\x41"}`, a, a, "escape"},
		{"not UTF-8", "{" + stampA + ",\"a\":\"\xff\xfe\"}", a, a, ""},
		{"colons", `{` + stampA + `,"a" 1}`, a, a, "colon"},
		{"words", `{` + stampA + `,"a":tru}`, a, a, "true"},
		{"numbers", `{` + stampA + `,"a":1.}`, a, a, "digit"},
		{"leading zeros", `{` + stampA + `,"a":01}`, a, a, "comma"},
		{"mixed brackets", `{` + stampA + `,"a":[1}`, a, a, "comma"},
		{"nothing", ``, "", "", "ends early"},
	} {
		r, bad := eve{}.read([]byte(c.in), nil, Clock{})
		if c.bad == "" != (bad == nil) || bad != nil && !strings.Contains(bad.Error(), c.bad) {
			t.Errorf("%s: damage %v", c.name, bad)
		}
		if c.from == "" != !r.time.Known() {
			t.Errorf("%s: time %v", c.name, r.time)
		} else if c.from != "" && (!r.time.From.Equal(utc(c.from)) || !r.time.To.Equal(utc(c.to).Add(time.Microsecond))) {
			t.Errorf("%s: time %v, want %s to %s", c.name, r.time, c.from, c.to)
		}
	}
}

// walkJSON accepts what encoding/json accepts, nesting above maxDepth aside,
// and sees the same values under the same paths.
func FuzzWalkJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00\/",{"b":null}],"c":{}}`, `[]`, `"\ud800"`, `{"a":1,"a":[true,false]}`,
		`{"timestamp":"2025-07-07T12:00:00.000000+0000"}`, "{\"\xff\":\"\xff\"}", `[[[[`, ` 1 `, `-0`, `01`, `{"":{"":1}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, bad := leaves(b)
		if bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) > maxDepth {
			return
		}
		want, err := oracle(b)
		if (bad == nil) != (err == nil) {
			t.Fatalf("%q: damage %v, encoding/json says %v", b, bad, err)
		}
		if err == nil && !slices.Equal(got, want) {
			t.Fatalf("%q:\n%q\n%q", b, got, want)
		}
		eve{}.read(b, []int{0, len(b) / 2, len(b)}, Clock{})
	})
}

// What rules see of a record is what encoding/json reads.
func FuzzEVEValues(f *testing.F) {
	for _, s := range []string{`{"timestamp":"2025-07-07T12:00:00.000000+0000","http":{"url":"\/a\u00e9\ud83d\ude00","status":200,"x":[null,true,{"y":-1.5e3}]}}`,
		"{\"a\":\"\xff\"}", `{"a":"\ud800","a":""}`, `{"":{"":[[1]]}}`, `{"a":1}x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []leaf
		if len(b) > 0 {
			eve{}.values(b, func(name, value string) { got = append(got, leaf{name, value}) })
		}
		if bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) > maxDepth {
			return
		}
		want, err := oracle(b)
		if err != nil || slices.ContainsFunc(want, func(l leaf) bool { return l.value == "null" }) {
			return // whether null is a value is for rules to say
		}
		want = slices.DeleteFunc(want, func(l leaf) bool { return l.value == "key" })
		for i := range want {
			want[i].value = strings.TrimPrefix(want[i].value, "s")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q:\n%q\n%q", b, got, want)
		}
	})
}
