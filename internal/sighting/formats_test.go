package sighting

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// listed are a record's values as name=value.
func listed(l layout, log string) (out []string) {
	for line := range strings.Lines(log) {
		body := []byte(strings.TrimRight(line, "\r\n"))
		if l.isHeader(body) {
			l.header(body)
			continue
		}
		l.advance(body)
		l.values(body, func(name, value string) { out = append(out, name+"="+value) })
	}
	return out
}

const zeekHead = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n#open\t2025-07-07-12-00-00\n" +
	"#fields\tts\tuid\tid.orig_h\thost\turi\ttags\n#types\ttime\tstring\taddr\tstring\tstring\tset[enum]\n"

func TestFormats(t *testing.T) {
	at := func(from, to, field string) string { return from + "Z … " + to + "Z " + field + " stated" }
	noon := func(field string) string {
		return at("2025-07-07T10:00:00.000000", "2025-07-07T10:00:01.000000", field)
	}
	micro := func(field string) string {
		return at("2025-07-07T12:00:00.123456", "2025-07-07T12:00:00.123457", field)
	}
	const none = "unknown  no time"
	year := Clock{Within: Interval{utc("2025-01-01T00:00:00Z"), utc("2025-12-31T00:00:00Z")}, Zone: time.UTC}
	const client = `192.0.2.1 - - [07/Jul/2025:12:00:00 +0200] `
	for _, c := range []struct {
		name, log string
		format    Format
		clock     Clock
		want      string
		bad       int64
	}{
		{"combined", client + `"GET /a?b=mark! HTTP/1.1" 200 12 "http://example.test/" "Mozilla/5.0"`, Access, Clock{}, noon("request"), 0},
		{"common", client + `"GET /mark! HTTP/1.1" 200 -`, Access, Clock{}, noon("request"), 0},
		{"a referer and an agent", client + `"GET / HTTP/1.1" 200 12 "mark!" "mark!"`, Access, Clock{}, noon("http_referer") + "|" + noon("http_user_agent"), 0},
		{"Apache's escapes", client + `"GET /\"\\ HTTP/1.1" 200 12 "-" "\x6dark! \"x\\"`, Access, Clock{}, noon("http_user_agent"), 0},
		{"a user with blanks and brackets", `192.0.2.1 - a mark! [01/Jan/2020:00:00:00 +0000] [07/Jul/2025:12:00:00 +0200] "GET / HTTP/1.1" 200 12`, Access, Clock{}, noon("remote_user"), 0},
		{"a user that holds an escaped quote", `192.0.2.1 - x\" [01/Jan/2020:00:00:00 +0000] \"mark! [07/Jul/2025:12:00:00 +0200] "GET / HTTP/1.1" 200 12`, Access, Clock{}, noon("remote_user"), 0},
		{"an IPv6 client", `2001:db8::1 - - [07/Jul/2025:12:00:00 +0200] "mark!" 400 -`, Access, Clock{}, noon("request"), 0},
		{"a virtual host before it", `mark!.example.test:80 192.0.2.1 - - [07/Jul/2025:12:00:00 +0200] "GET / HTTP/1.1" 200 1`, Access, Clock{}, noon("host"), 0},
		{"an agent that holds a record", client + `"GET / HTTP/1.1" 200 1 "-" "x\" 200 1\x0a192.0.2.9 - - [01/Jan/2020:00:00:00 +0000] \"GET /mark! HTTP/1.1\" 200 1"`, Access, Clock{}, noon("http_user_agent"), 0},
		{"fields of one's own", client + `"GET / HTTP/1.1" 200 1 0.003 "mark!"`, Access, Clock{}, noon(""), 0},
		{"cut", client + `"GET /mark!`, Access, Clock{}, noon(""), 1},
		{"cut behind the request", client + `"GET /mark!"`, Access, Clock{}, noon("request"), 1},
		{"no such day", strings.Replace(client, "07/Jul", "31/Jun", 1) + `"GET /mark!" 200 1`, Access, Clock{}, "unknown request no time", 0},
		{"something else between", client + `"GET / HTTP/1.1" 200 1` + "\nmark!\n", Access, Clock{}, none, 1},
		{"behind the tail of a line", "tail\n" + client + `"GET /mark! HTTP/1.1" 200 1`, Access, Clock{}, noon("request"), 0},

		{"Zeek", zeekHead + "1751889600.123456\tC1\t192.0.2.1\texample.test\t/mark!\t(empty)\n#close\t2025-07-07-13-00-00\n", Zeek, Clock{}, micro("uri"), 0},
		{"Zeek, in the middle of a file", "tail\tmark!\n#fields\tts\turi\n1751889600.123456\tmark!\n", Zeek, Clock{}, none + "|" + micro("uri"), 0},
		{"Zeek, an escape", zeekHead + "1751889600.123456\tC1\t192.0.2.1\texample.test\t/ma\\x72k!\t-\n", Zeek, Clock{}, micro("uri"), 0},
		{"Zeek, a comma between", "#separator \\x2c\n#set_separator,;\n#fields,ts,uri\n1751889600.123456,mark!\n", Zeek, Clock{}, micro("uri"), 0},
		{"Zeek, two bytes between", "#separator \\x7c\\x7c\n#unset_field||\\x2d\n#fields||ts||x||uri\n1751889600.123456||-||mark!\n", Zeek, Clock{}, micro("uri"), 0},
		{"Zeek, as long as it lasts", "#separator \\x09\n#fields\tts\tduration\turi\n1751889600.123456\t2.5\tmark!\n", Zeek, Clock{}, at("2025-07-07T12:00:00.123456", "2025-07-07T12:00:02.623457", "uri"), 0},
		{"Zeek, fields change at every line", "#fields\tts\tx\n1751889600.123456\tmark!\n#fields\ty\tts\nmark!\t1751889600.123456\n", Zeek, Clock{}, micro("x") + "|" + micro("y"), 0},
		{"Zeek, cut", zeekHead + "1751889600.123456\tC1\tmark!", Zeek, Clock{}, micro(""), 1},
		{"Zeek, unset", zeekHead + "-\tC1\t192.0.2.1\texample.test\t/mark!\t-\n", Zeek, Clock{}, "unknown uri no time", 0},
		{"Zeek, too many fields", "#fields" + strings.Repeat("\tx", 300) + "\nmark!\n", Zeek, Clock{}, none, 2},

		{"Zeek JSON", `{"ts":1751889600.123456,"uid":"C1","id.orig_h":"192.0.2.1","uri":"/mark!"}`, ZeekJSON, Clock{}, micro("uri"), 0},
		{"Zeek JSON, zeros left away", `{"ts":1751889600.12,"id.orig_h":"mark!"}`, ZeekJSON, Clock{}, at("2025-07-07T12:00:00.120000", "2025-07-07T12:00:00.120001", "id.orig_h"), 0},
		{"Zeek JSON, ISO 8601", `{"_path":"http","ts":"2025-07-07T12:00:00.123456Z","uri":"mark!"}`, ZeekJSON, Clock{}, micro("uri"), 0},
		{"Zeek JSON, milliseconds", `{"ts":1751889600123,"uri":"mark!"}`, ZeekJSON, Clock{}, at("2025-07-07T12:00:00.123000", "2025-07-07T12:00:00.124000", "uri"), 0},
		{"Zeek JSON, as long as it lasts", `{"ts":1751889600.123456,"duration":2.5,"service":"mark!"}`, ZeekJSON, Clock{}, at("2025-07-07T12:00:00.123456", "2025-07-07T12:00:02.623457", "service"), 0},
		{"Zeek JSON, a time smuggled in", `{"ts":1751889600.123456,"uri":"\",\"ts\":1.5,\"","x":{"ts":7},"y":"mark!"}`, ZeekJSON, Clock{}, micro("y"), 0},
		{"Zeek JSON, two times", `{"ts":1751889600.123456,"ts":1751889601.0,"y":"mark!"}`, ZeekJSON, Clock{}, "unknown y no time", 0},

		{"RFC 3164, nothing declared", "<34>Oct 11 22:14:15 mymachine su: mark!", Syslog, Clock{}, "unknown CONTENT no time", 0},
		{"RFC 3164, a year and a zone", "<34>Oct 11 22:14:15 mymachine su: mark!", Syslog, year, at("2025-10-11T22:14:15.000000", "2025-10-11T22:14:16.000000", "CONTENT"), 0},
		{"RFC 3164, no zone", "Oct 11 22:14:15 mymachine su[7]: mark!", Syslog, Clock{Within: year.Within}, at("2025-10-11T08:14:15.000000", "2025-10-12T10:14:16.000000", "CONTENT"), 0},
		{"RFC 3164, a day of one digit", "Jul  7 12:00:00 mark! su: x", Syslog, year, at("2025-07-07T12:00:00.000000", "2025-07-07T12:00:01.000000", "HOSTNAME"), 0},
		{"RFC 3164, two years", "Jul  7 12:00:00 h su: mark!", Syslog, Clock{Zone: time.UTC, Within: Interval{utc("2024-07-01T00:00:00Z"), utc("2025-12-31T00:00:00Z")}}, at("2024-07-07T12:00:00.000000", "2025-07-07T12:00:01.000000", "CONTENT"), 0},
		{"RFC 3164, around New Year", "Dec 31 23:59:59 h su: mark!", Syslog, Clock{Zone: time.UTC, Within: Interval{utc("2024-12-01T00:00:00Z"), utc("2025-01-31T00:00:00Z")}}, at("2024-12-31T23:59:59.000000", "2025-01-01T00:00:00.000000", "CONTENT"), 0},
		{"RFC 3164, in no year", "Feb 29 12:00:00 h su: mark!", Syslog, year, "unknown CONTENT no time", 0},
		{"RFC 3164, the leap year", "Feb 29 12:00:00 h su: mark!", Syslog, Clock{Zone: time.UTC, Within: Interval{utc("2021-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z")}}, at("2024-02-29T12:00:00.000000", "2024-02-29T12:00:01.000000", "CONTENT"), 0},
		{"RFC 3164, the year as written", "Dec 31 23:30:00 h su: mark!", Syslog, Clock{Year: 2025, Zone: time.FixedZone("", -8*3600)}, at("2026-01-01T07:30:00.000000", "2026-01-01T07:30:01.000000", "CONTENT"), 0},
		{"RFC 3164, the year as written in the east", "Jan  1 03:30:00 h su: mark!", Syslog, Clock{Year: 2025, Zone: time.FixedZone("", 9*3600), Within: year.Within}, at("2024-12-31T18:30:00.000000", "2024-12-31T18:30:01.000000", "CONTENT"), 0},
		{"RFC 3164, the year as written anywhere", "Jan  1 00:00:00 h su: mark!", Syslog, Clock{Year: 2025}, at("2024-12-31T10:00:00.000000", "2025-01-01T12:00:01.000000", "CONTENT"), 0},
		{"RFC 3164, a day that the year hasn't", "Feb 29 12:00:00 h su: mark!", Syslog, Clock{Year: 2025, Within: Interval{utc("2021-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z")}}, "unknown CONTENT no time", 0},
		{"RFC 3164, RFC 3339 in its place", "<34>2025-07-07T12:00:00.5+02:00 h su: mark!", Syslog, Clock{}, at("2025-07-07T10:00:00.500000", "2025-07-07T10:00:00.600000", "CONTENT"), 0},
		{"RFC 5424", `<165>1 2025-07-07T12:00:00.123456Z h app 8710 ID47 [ex@32473 a="1" b="mark!"][x] text`, Syslog, Clock{}, micro("ex@32473.b"), 0},
		{"RFC 5424, text", "<165>1 2025-07-07T12:00:00.123456Z h app - - - \xef\xbb\xbfmark!", Syslog, Clock{}, micro("MSG"), 0},
		{"RFC 5424, no time", "<165>1 - h app - - - mark!", Syslog, Clock{}, "unknown MSG no time", 0},
		{"RFC 5424, an escaped bracket", `<165>1 2025-07-07T12:00:00.123456Z h app - - [ex a="\"\] mark!"] x`, Syslog, Clock{}, micro("ex.a"), 0},
		{"RFC 5424, cut", `<165>1 2025-07-07T12:00:00.123456Z h app - - [ex a="mark!`, Syslog, Clock{}, micro(""), 1},
		{"both RFCs", "<165>1 - h app - - - x\n<34>Oct 11 22:14:15 h su: mark!\n", Syslog, year, at("2025-10-11T22:14:15.000000", "2025-10-11T22:14:16.000000", "CONTENT"), 0},
		{"a line that is no message", "<165>1 - h app - - - x\nmark!\n", Syslog, year, none, 1},

		{"HTML", "<!DOCTYPE html>\n<p>m&#97;rk&excl;</p>\n", HTML, Clock{}, none, 0},
		{"no page", "<a mark!>", Plain, Clock{}, none, 0},
	} {
		got, sum := times(t, c.log, c.clock)
		if strings.Join(got, "|") != c.want || sum.Format != c.format || sum.BadLines != c.bad {
			t.Errorf("%s: %v, %d bad lines\ngot  %s\nwant %s\n%v", c.name, sum.Format, sum.BadLines, strings.Join(got, "|"), c.want, sum.Problems)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		name string
		l    layout
		log  string
		want string
	}{
		{"combined", access{}, `192.0.2.1 - ann [07/Jul/2025:12:00:00 +0200] "GET /\x22\"\\ HTTP/1.1" 200 - "-" "x\ty"`,
			"remote_addr=192.0.2.1|remote_user=ann|time_local=07/Jul/2025:12:00:00 +0200|request=GET /\"\"\\ HTTP/1.1|status=200|http_user_agent=x\ty"},
		{"Zeek", newZeek(), zeekHead + "1.5\t-\t2001:db8::1\t(empty)\t/a\\x09\\\\\tx,y\\x2c\n",
			"_path=http|ts=1.5|id.orig_h=2001:db8::1|host=|uri=/a\t\\|tags=x|tags=y,"},
		{"Zeek JSON", zeekJSON{}, `{"ts":1.5,"id.orig_h":"192.0.2.1","tags":["a","b"]}`, "ts=1.5|id.orig_h=192.0.2.1|tags[0]=a|tags[1]=b"},
		{"RFC 3164", syslog{}, "<34>Oct 11 22:14:15 h su[7]: 'su root' failed", "PRI=34|TIMESTAMP=Oct 11 22:14:15|HOSTNAME=h|TAG=su|CONTENT=[7]: 'su root' failed"},
		{"RFC 3164 without a host", syslog{}, "Oct 11 22:14:15 su: x", "TIMESTAMP=Oct 11 22:14:15|TAG=su|CONTENT=: x"},
		{"RFC 5424", syslog{}, `<165>1 - h app - ID47 [ex@32473 a="\"\]\\" b=""] text`, `PRI=165|VERSION=1|HOSTNAME=h|APP-NAME=app|MSGID=ID47|SD-ID=ex@32473|ex@32473.a="]\|ex@32473.b=|MSG=text`},
	} {
		if got := strings.Join(listed(c.l, c.log), "|"); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
		}
	}
}

// Whatever a line is, reading it in any format keeps within the line, and rules
// see as many values as its length allows.
func FuzzLayouts(f *testing.F) {
	for _, s := range []string{
		`192.0.2.1 - a [07/Jul/2025:12:00:00 +0200] "GET /\" HTTP/1.1" 200 - "-" "x"`, "h:80 192.0.2.1 - - [07/Jul/2025:12:00:00 +0200] \"",
		zeekHead + "1751889600.123456\tC1\t192.0.2.1\texample.test\t/a\\x09\tx,y\n", "#separator ,\n#fields,ts,duration\n1751889600.5,1e9\n", "#separator \\x\n#types\ta\n",
		`{"ts":1751889600.5,"ts":"2025-07-07T12:00:00Z","duration":1e300}`, `{"_path":"conn","ts":175188960012345}`,
		"<34>Oct 11 22:14:15 h su[7]: x", "Feb 29 00:00:00 su: x", `<165>1 2025-07-07T12:00:00.1Z h a p m [x y="\]"] z`, "<1>1 - a b c d [", "<html>&#0;",
	} {
		f.Add([]byte(s))
	}
	clock := Clock{Skew: time.Second, Within: Interval{utc("2000-02-29T00:00:00Z"), utc("2100-01-01T00:00:00Z")}}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, row := range formats {
			l := row.layout()
			for line := range strings.Lines(string(b)) {
				body, _ := trim([]byte(strings.TrimRight(line, "\n")), false)
				if len(body) == 0 {
					continue
				}
				formatOf(body, true)
				if l.isHeader(body) {
					l.header(body)
					continue
				}
				l.advance(body)
				l.shape(body)
				at := []int{0, len(body) / 3, len(body) / 2, len(body) - 1}
				slices.Sort(at)
				r, bad := l.read(body, at, clock)
				if r.time.Known() && r.time.To.Before(r.time.From) || r.fields != nil && len(r.fields) != len(at) || bad != nil && (bad.off < 0 || bad.off > len(body)) {
					t.Fatalf("%v: %q: %+v, %v", Format(i), body, r, bad)
				}
				total := 0
				l.values(body, func(name, value string) { total += len(value) })
				if total > 4*len(body)+MaxExcerpt {
					t.Fatalf("%v: %q gives %d bytes of values", Format(i), body, total)
				}
			}
		}
	})
}

// What a client writes can't make records, whatever the format: each of these
// requests holds a whole record of its format, with another time.
func TestInjectedRecords(t *testing.T) {
	fake := map[Format]string{
		Access:   `192.0.2.9 - - [01/Jan/2020:00:00:00 +0000] "GET /mark! HTTP/1.1" 200 1 "-" "-"`,
		EVE:      `{"timestamp":"2020-01-01T00:00:00.000000+0000","http":{"url":"mark!"}}`,
		ZeekJSON: `{"ts":1577836800.0,"uri":"mark!"}`,
		Zeek:     "1577836800.0\tC9\t192.0.2.9\tmark!\t/\t-",
		Syslog:   "<34>1 2020-01-01T00:00:00Z h a - - - mark!",
	}
	hex := func(s string) string {
		var out strings.Builder
		for _, c := range []byte(s) {
			if c < ' ' || c == '"' || c == '\\' {
				fmt.Fprintf(&out, `\x%02x`, c)
			} else {
				out.WriteByte(c)
			}
		}
		return out.String()
	}
	for f, record := range fake {
		text := "x\n" + record + "\n"
		log := map[Format]string{
			Access:   `192.0.2.1 - - [07/Jul/2025:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "` + hex(text) + `"`,
			EVE:      fmt.Sprintf(`{"timestamp":"2025-07-07T12:00:00.000000+0000","http":{"http_user_agent":%q}}`, text),
			ZeekJSON: fmt.Sprintf(`{"ts":1751889600.000000,"user_agent":%q}`, text),
			Zeek:     zeekHead + "1751889600.000000\tC1\t192.0.2.1\texample.test\t" + hex(text) + "\t-",
			Syslog:   `<34>1 2025-07-07T12:00:00Z h a - - - ` + hex(text),
		}[f] + "\n"
		got, sum := times(t, log, Clock{})
		if len(got) != 1 || !strings.HasPrefix(got[0], "2025-07-07T12:00:00.0") || sum.Records != 1 || sum.BadLines != 0 || sum.Format != f {
			t.Errorf("%v: %q, %+v", f, got, sum)
		}
	}
}
