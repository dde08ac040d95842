package sighting

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// times scans a log for the constant "mark!" and gives the time of each line
// that holds it.
func times(t *testing.T, log string, clock Clock) (out []string, sum Summary) {
	t.Helper()
	s := &Scanner{Indicators: []Indicator{{Kind: Constant, Value: "mark!"}}, Clock: clock}
	sum, err := s.Scan("log", strings.NewReader(log), func(s Sighting) error {
		out = append(out, s.Time.String()+" "+s.Field+" "+s.Basis.String())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, sum
}

func TestW3C(t *testing.T) {
	const iis = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2025-07-07 00:00:00\n"
	span := func(from, to, field string) string {
		return from + ".000000Z … " + to + ".000000Z " + field + " stated"
	}
	for _, c := range []struct {
		name, log string
		want      []string
		bad       int64
		problem   string
	}{
		{"IIS", iis + "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query\n2025-07-07 12:00:00 192.0.2.1 GET /a b=mark!\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
		{"CRLF", strings.ReplaceAll(iis+"#Fields: date time cs-uri-query\n2025-07-07 12:00:00 mark!\n", "\n", "\r\n"),
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
		{"fields change in the middle", iis + "#Fields: date time cs-uri-query\n2025-07-07 12:00:00 mark!\n" + iis + "#Fields: cs-uri-stem time date\nmark! 13:00:00 2025-07-08\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query"), span("2025-07-08T13:00:00", "2025-07-08T13:00:01", "cs-uri-stem")}, 0, ""},
		{"IIS's time-taken is milliseconds, and the request began before", iis + "#Fields: date time cs-uri-query time-taken\n2025-07-07 12:00:10 mark! 5000\n",
			[]string{"2025-07-07T12:00:04.999999Z … 2025-07-07T12:00:11.000000Z cs-uri-query stated"}, 0, ""},
		{"others' is seconds", "#Version: 1.0\n#Fields: date time cs-uri-query time-taken\n2025-07-07 12:00:10 mark! 5\n",
			[]string{"2025-07-07T12:00:04.999999Z … 2025-07-07T12:00:11.000000Z cs-uri-query stated"}, 0, ""},
		{"a time-taken that can't be", iis + "#Fields: date time cs-uri-query time-taken\n2025-07-07 12:00:10 mark! 1e300\n2025-07-07 12:00:10 mark! -\n2025-07-07 12:00:10 mark! NaN\n",
			[]string{span("2025-07-07T12:00:10", "2025-07-07T12:00:11", "cs-uri-query"), span("2025-07-07T12:00:10", "2025-07-07T12:00:11", "cs-uri-query"), span("2025-07-07T12:00:10", "2025-07-07T12:00:11", "cs-uri-query")}, 0, ""},
		{"only the time is logged, and midnight passes", "#Date: 2025-12-31 23:00:00\n#Fields: time cs-uri-query\n23:59:59 mark!\n00:00:01 mark!\n23:59:58 mark!\n00:00:02 mark!\n",
			[]string{span("2025-12-31T23:59:59", "2026-01-01T00:00:00", "cs-uri-query"), span("2026-01-01T00:00:01", "2026-01-01T00:00:02", "cs-uri-query"),
				span("2025-12-31T23:59:58", "2025-12-31T23:59:59", "cs-uri-query"), span("2026-01-01T00:00:02", "2026-01-01T00:00:03", "cs-uri-query")}, 0, ""},
		{"a quiet night", "#Date: 2025-07-07\n#Fields: time cs-uri-query\n20:00:00 mark!\n10:00:00 mark!\n09:59:59 mark!\n",
			[]string{span("2025-07-07T20:00:00", "2025-07-07T20:00:01", "cs-uri-query"), span("2025-07-08T10:00:00", "2025-07-08T10:00:01", "cs-uri-query"),
				span("2025-07-08T09:59:59", "2025-07-08T10:00:00", "cs-uri-query")}, 0, ""},
		{"midnight passes between hits", "#Date: 2025-07-07 23:00:00\n#Fields: time cs-uri-query\n23:30:00 x\n00:30:00 y\n01:00:00 mark!\n",
			[]string{span("2025-07-08T01:00:00", "2025-07-08T01:00:01", "cs-uri-query")}, 0, ""},
		{"a new date", "#Date: 2025-07-07\n#Fields: time cs-uri-query\n12:00:00 mark!\n#Date: 2025-07-11 12:30:00\n12:31:00 mark!\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query"), span("2025-07-11T12:31:00", "2025-07-11T12:31:01", "cs-uri-query")}, 0, ""},
		{"no date at all", "#Fields: time cs-uri-query\n12:00:00 mark!\n", []string{"unknown cs-uri-query no time"}, 0, ""},
		{"only the date", "#Fields: date cs-uri-query\n2025-07-07 mark!\n", []string{span("2025-07-07T00:00:00", "2025-07-08T00:00:00", "cs-uri-query")}, 0, ""},
		{"fractions", "#Fields: date time cs-uri-query\n2025-07-07 12:00:00.5 mark!\n", []string{"2025-07-07T12:00:00.500000Z … 2025-07-07T12:00:00.600000Z cs-uri-query stated"}, 0, ""},
		{"quotes, as the draft has them", "#Fields: date time cs(User-Agent) sc-status\n2025-07-07 12:00:00 \"a \"\"b\"\" mark! c\" 200\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs(user-agent)")}, 0, ""},
		{"quotes that IIS passes on from a request", iis + "#Fields: date time cs-uri-query sc-status\n2025-07-07 12:00:00 \"mark! 200\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
		{"tabs", "#Fields: date\ttime\tcs-uri-query\n2025-07-07\t12:00:00\tmark!\n", []string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
		{"cut", iis + "#Fields: date time cs-uri-query sc-status\n2025-07-07 12:00:00 mark!",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "")}, 1, "3 values for 4 fields"},
		{"too many values", iis + "#Fields: date time cs-uri-query\n2025-07-07 12:00:00 mark! 1 2\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "")}, 1, "5 values for 3 fields"},
		{"no fields yet", "#Version: 1.0\n2025-07-07 12:00:00 mark!\n", []string{"unknown  no time"}, 1, "no #Fields"},
		{"NULs after a crash", iis + "#Fields: date time cs-uri-query\n" + strings.Repeat("\x00", 300) + "2025-07-07 12:00:00 mark!\n",
			[]string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
		{"no such day", iis + "#Fields: date time cs-uri-query\n2025-02-30 12:00:00 mark!\n", []string{"unknown cs-uri-query no time"}, 0, ""},
		{"a directive that gives no date", "#Date: today\n#Fields: time cs-uri-query\n12:00:00 mark!\n", []string{"unknown cs-uri-query no time"}, 1, "#Date"},
		{"too many fields", "#Fields:" + strings.Repeat(" x", 300) + "\nmark!\n", []string{"unknown  no time"}, 2, "more than 256"},
		{"a mark in a directive", "#Remark: mark!\n", []string{"unknown  no time"}, 0, ""},
		{"UTF-8's mark", "\xef\xbb\xbf#Fields: date time cs-uri-query\n2025-07-07 12:00:00 mark!\n", []string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
		{"plain lines before", "tail of a line\n#Fields: date time cs-uri-query\n2025-07-07 12:00:00 mark!\n", []string{span("2025-07-07T12:00:00", "2025-07-07T12:00:01", "cs-uri-query")}, 0, ""},
	} {
		got, sum := times(t, c.log, Clock{})
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		if sum.BadLines != c.bad || sum.Format != W3C {
			t.Errorf("%s: %+v", c.name, sum)
		}
		if c.problem != "" && (len(sum.Problems) == 0 || !strings.Contains(sum.Problems[0].String(), c.problem)) {
			t.Errorf("%s: problems %v", c.name, sum.Problems)
		}
	}
}

func TestW3CLocalTimeDoubt(t *testing.T) {
	got, _ := times(t, "#Fields: date time cs-uri-query\n2025-07-07 12:00:00 mark!\n", Clock{Zone: time.FixedZone("CEST", 7200), Skew: time.Second})
	if want := "2025-07-07T09:59:59.000000Z … 2025-07-07T12:00:02.000000Z cs-uri-query stated"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A log without dates, of requests never a whole day apart and in order but
// for threads' disorder, gives every record its day back.
func TestW3CDaysComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2025, 7, 7, rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, time.UTC)
		var log strings.Builder
		log.WriteString("#Date: " + at.Format("2006-01-02 15:04:05") + "\n#Fields: time x\n")
		w := w3c{date: -1, time: -1, taken: -1, clock: -1}
		for line := range strings.Lines(log.String()) {
			w.header([]byte(strings.TrimSpace(line)))
		}
		for range rapid.IntRange(1, 20).Draw(t, "records") {
			at = at.Add(time.Duration(rapid.IntRange(0, 22*3600).Draw(t, "gap")) * time.Second)
			late := at.Add(-time.Duration(rapid.IntRange(0, 120).Draw(t, "late")) * time.Second)
			for _, when := range []time.Time{at, late} {
				line := []byte(when.Format("15:04:05") + " x")
				w.advance(line)
				r, bad := w.read(line, nil, Clock{})
				if bad != nil || !r.time.From.Equal(when) {
					t.Fatalf("%v became %v (%v)", when, r.time, bad)
				}
			}
		}
	})
}

func FuzzW3C(f *testing.F) {
	f.Add([]byte("#Software: Microsoft\n#Date: 2025-07-07 01:02:03\n#Fields: date time x\n2025-07-07 12:00:00 y\n"))
	f.Add([]byte("#Date: 2025-07-07\n#Fields: time time-taken\n12:00:00 3\n00:00:00 \"a \"\"b\" \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := w3c{date: -1, time: -1, taken: -1, clock: -1}
		for line := range strings.Lines(string(b)) {
			line := []byte(strings.TrimRight(line, "\r\n"))
			if isDirective(line) {
				w.header(line)
				continue
			}
			w.advance(line)
			r, bad := w.read(line, []int{0, len(line) / 2}, Clock{})
			if r.time.Known() && r.time.To.Before(r.time.From) {
				t.Fatalf("%q: %v", line, r.time)
			}
			if bad == nil {
				spans, _ := w.split(line)
				for i, s := range spans {
					if s.from >= s.to || s.to > len(line) || i > 0 && s.from < spans[i-1].to {
						t.Fatalf("%q: %v", line, spans)
					}
				}
			}
		}
	})
}
