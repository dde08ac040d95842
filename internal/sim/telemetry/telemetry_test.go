package telemetry

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"forewarn/internal/sighting"
	"forewarn/internal/token"
)

var (
	from  = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	until = from.AddDate(0, 2, 0)
)

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestSample(t *testing.T) {
	if len(packed) > 150<<10 {
		t.Errorf("%d bytes", len(packed))
	}
	kinds := map[string]int{}
	for i, r := range Sample() {
		var v struct {
			EventType string `json:"event_type"`
		}
		if err := json.Unmarshal(r, &v); err != nil {
			t.Fatalf("record %d: %v", i+1, err)
		}
		if _, err := stampOf(r); err != nil {
			t.Fatalf("record %d: %v", i+1, err)
		}
		kinds[v.EventType]++
	}
	if want := (map[string]int{"http": 181, "dns": 428, "flow": 282}); !reflect.DeepEqual(kinds, want) {
		t.Errorf("%v, not %v as ATTRIBUTION.md says", kinds, want)
	}
	for file, says := range map[string]string{"LICENSE.suricata-verify": "Permission is hereby granted", "ATTRIBUTION.md": "891 EVE records (181 http, 428 dns, 282 flow)"} {
		if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), says) {
			t.Errorf("%s: %v, or it doesn't say %q", file, err, says)
		}
	}
}

// keys are a record's keys in order, down to two levels.
var keys = regexp.MustCompile(`"([a-z_]+)":`)

func keysOf(r []byte) (out []string) {
	if i := bytes.Index(r, []byte(`"request_headers"`)); i >= 0 {
		r = r[:i]
	}
	for _, m := range keys.FindAllSubmatch(r, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

// A planted record has the fields of some real one, in the same order.
func TestPlantedLayout(t *testing.T) {
	for _, attack := range []Request{
		{Host: "portal.example.com", Method: "POST", URL: "/a", Headers: []Header{{"User-Agent", "x"}}, Boundary: "b"},
		{Host: "portal.example.com", Method: "POST", URL: "/a", Boundary: "b"},
		{Host: "portal.example.com", Method: "GET", URL: "/a", Headers: []Header{{"user-agent", "x"}, {"Referer", "y"}}},
	} {
		attack.At = from
		log, places, err := Plant(nil, dice(1), from, until, []Request{attack})
		if err != nil {
			t.Fatal(err)
		}
		record := log[places[0].Offset:][:places[0].Len]
		got := keysOf(record)
		var members, real map[string]any
		if err := json.Unmarshal(record, &members); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(Sample(), func(r []byte) bool {
			real = nil
			return slices.Equal(keysOf(r), got) && json.Unmarshal(r, &real) == nil && sameTypes(real, members)
		}) {
			t.Errorf("no real record has the layout of %s", record)
		}
	}
}

func sameTypes(a, b map[string]any) bool {
	for k := range b {
		if x, ok := a[k].(map[string]any); ok {
			if y, ok := b[k].(map[string]any); !ok || !sameTypes(x, y) {
				return false
			}
		} else if reflect.TypeOf(a[k]) != reflect.TypeOf(b[k]) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestPlant(t *testing.T) {
	rec := token.NewRecogniser([16]byte{7})
	tok := token.Hex.Encode(rec, 4711)
	boundary := "----" + token.Base62.Encode(rec, 4712)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		var attack []Request
		for range rapid.IntRange(0, 4).Draw(t, "requests") {
			attack = append(attack, Request{
				At:     from.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(from)/time.Microsecond)-1).Draw(t, "at")) * time.Microsecond),
				Host:   "portal.example.com",
				Method: "POST", URL: "/_layouts/15/status.aspx?probe=" + tok,
				Headers: []Header{
					{"User-Agent", rapid.String().Draw(t, "agent")},
					{"X-Raw", string(rapid.SliceOf(rapid.Byte()).Draw(t, "raw"))},
				},
				Boundary: boundary,
			})
		}
		base := Sample()
		log, places, err := Plant(base, dice(seed), from, until, attack)
		if err != nil {
			t.Fatal(err)
		}
		if again, _, _ := Plant(base, dice(seed), from, until, attack); !bytes.Equal(log, again) {
			t.Fatal("the same seed gives another log")
		}
		if other, _, _ := Plant(base, dice(seed+1), from, until, attack); bytes.Equal(log, other) {
			t.Fatal("another seed gives the same log")
		}

		lines := bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n"))
		if len(lines) != len(base)+len(attack) {
			t.Fatalf("%d lines", len(lines))
		}
		planted := map[int64]int{}
		for i, p := range places {
			planted[p.Line-1] = i
			if !bytes.Equal(lines[p.Line-1], log[p.Offset:p.Offset+int64(p.Len)]) {
				t.Fatalf("request %d isn't at %+v", i, p)
			}
		}
		var last time.Time
		next := 0
		for i, line := range lines {
			at, err := stampOf(line)
			if err != nil || at.Before(last) || at.Before(from) || !at.Before(until) {
				t.Fatalf("line %d is of %v after %v: %v", i+1, at, last, err)
			}
			last = at
			if r, ok := planted[int64(i)]; ok {
				if !at.Equal(attack[r].At) {
					t.Fatalf("request %d is of %v", r, at)
				}
				continue
			}
			if !bytes.Equal(timeless(line), timeless(base[next])) {
				t.Fatalf("line %d is\n%s\nwhere\n%s\nwas next", i+1, line, base[next])
			}
			next++
		}

		seen := map[int64]map[string]bool{}
		s := &sighting.Scanner{Rec: rec}
		sum, err := s.Scan("", bytes.NewReader(log), func(s sighting.Sighting) error {
			if seen[s.Line-1] == nil {
				seen[s.Line-1] = map[string]bool{}
			}
			seen[s.Line-1][s.Field] = true
			if r, ok := planted[s.Line-1]; !ok || !s.Time.Contains(attack[r].At) || s.Basis != sighting.Stated {
				t.Fatalf("%+v", s)
			}
			return nil
		})
		if err != nil || sum.BadLines > 0 || len(seen) != len(attack) {
			t.Fatalf("%d seen of %d: %+v %v", len(seen), len(attack), sum, err)
		}
		for line, fields := range seen {
			if !fields["http.url"] || !fields["http.request_headers[3].value"] || len(fields) != 2 {
				t.Fatalf("line %d: %v", line+1, fields)
			}
		}
	})
}

var times = regexp.MustCompile(`"(timestamp|start|end)":"[^"]*"|"pcap_cnt":[0-9]+`)

func timeless(r []byte) []byte { return times.ReplaceAll(r, nil) }

// A flow keeps its length and its distance from its record.
func TestFlowsMoveWhole(t *testing.T) {
	type flow struct {
		Timestamp string
		Flow      struct{ Start, End string }
	}
	read := func(r []byte) (at, start, end time.Time) {
		var f flow
		if err := json.Unmarshal(r, &f); err != nil {
			t.Fatal(err)
		}
		var err [3]error
		at, err[0] = time.Parse(layout, f.Timestamp)
		start, err[1] = time.Parse(layout, f.Flow.Start)
		end, err[2] = time.Parse(layout, f.Flow.End)
		if err != [3]error{} {
			t.Fatal(err)
		}
		return
	}
	n := 0
	for _, r := range Sample() {
		if !bytes.Contains(r, []byte(`"event_type":"flow"`)) {
			continue
		}
		n++
		at, start, end := read(r)
		newAt, newStart, newEnd := read(renew(r, 1000*time.Hour, 5))
		if newAt.Sub(at) != 1000*time.Hour || newStart.Sub(start) != 1000*time.Hour || newEnd.Sub(end) != 1000*time.Hour {
			t.Fatalf("%s", r)
		}
	}
	if n == 0 {
		t.Error("no flows")
	}
}

func TestPlantRefuses(t *testing.T) {
	good := Request{At: from, Host: "portal.example.com", Method: "GET", URL: "/"}
	for says, change := range map[string]func(r *Request){
		"outside the period":   func(r *Request) { r.At = until },
		"before the period":    func(r *Request) { r.At = from.Add(-1) },
		"needs a method":       func(r *Request) { r.Method = "" },
		"RFC 5737":             func(r *Request) { r.Source = netip.MustParseAddr("8.8.8.8") },
		"(RFC 5737)":           func(r *Request) { r.Server = netip.MustParseAddr("10.0.0.1") },
		"for documentation (R": func(r *Request) { r.Server = netip.MustParseAddr("::1") },
	} {
		r := good
		change(&r)
		if says == "before the period" {
			says = "outside the period"
		}
		if _, _, err := Plant(nil, dice(1), from, until, []Request{good, r}); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "request 2") {
			t.Errorf("%s: %v", says, err)
		}
	}
	if _, _, err := Plant(nil, dice(1), until, from, nil); err == nil {
		t.Error("an empty period")
	}
	for _, r := range []string{``, `{}`, `{"timestamp":"x"}`, `{"timestamp":"2025-07-07T12:00:00Z"}`, `{"timestamp":"2025-07-07T12:00:00.1000000+0000"}`, `{"timestamp":"0025-07-07T12:00:00.000000+0000"`, `{"timestamp":"`} {
		if _, _, err := Plant([][]byte{[]byte(r)}, dice(1), from, until, nil); err == nil || !strings.Contains(err.Error(), "base record 1") {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"a/b":           `"a/b"`,
		`"\`:            `"\"\\"`,
		"\n\r\t\f\b":    `"\n\r\t\f\b"`,
		"\x00\x1b":      `"\u0000\u001b"`,
		"\xc5é\u2028":   "\"\\\\xc5é\u2028\"",
		"nas1\x00":      `"nas1\u0000"`,
		"VACKD\x03\xc5": `"VACKD\u0003\\xc5"`,
	} {
		if got := string(text(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
		if !json.Valid(text(nil, in)) {
			t.Errorf("%q is no JSON", in)
		}
	}
}

// Whatever base records hold, they are refused or come out dated.
func FuzzPlant(f *testing.F) {
	f.Add([]byte(`{"timestamp":"2025-07-07T12:00:00.000000+0000","flow_id":1,"pcap_cnt":12,"event_type":"flow","flow":{"start":"x","end":"`), "POST", "/a\"\xff")
	f.Fuzz(func(t *testing.T, record []byte, method, url string) {
		if bytes.ContainsAny(record, "\n") {
			return
		}
		log, places, err := Plant([][]byte{record, record}, dice(1), from, until, []Request{{At: from, Host: "portal.example.com", Method: method, URL: url}})
		if err != nil {
			return
		}
		for line := range bytes.Lines(log) {
			if at, err := stampOf(bytes.TrimSuffix(line, []byte("\n"))); err != nil || at.Before(from) || !at.Before(until) {
				t.Fatalf("%s: %v, %v", line, at, err)
			}
		}
		if r := log[places[0].Offset:][:places[0].Len]; !json.Valid(r) {
			t.Fatalf("%s", r)
		}
	})
}
