package sighting

import (
	"bytes"
	"net/netip"
)

// access reads the access log of a web server in the common log format of the
// W3C's httpd, or the combined one of Apache and nginx, which adds two headers.
// A quote within quotes is written \" (Apache, ap_escape_logitem) or \x22
// (nginx, ngx_http_log_escape), so that a request can't close its own field and
// write another. Fields are named by nginx's variables.
//
// The time is Apache's of the request's arrival and nginx's of its end; which
// wrote it can't be told. Clock holds the doubt.
type access struct{}

// Fields from the request on. Servers may add more behind them.
var accessFields = []struct {
	name   string
	quoted bool
}{{"request", true}, {"status", false}, {"body_bytes_sent", false}, {"http_referer", true}, {"http_user_agent", true}}

const accessDate = len("07/Jul/2025:12:00:00 +0200")

func (access) isHeader([]byte) bool  { return false }
func (access) header([]byte) *damage { return nil }
func (access) advance([]byte)        {}

func isAccess(body []byte) bool {
	_, _, ok := accessHead(body)
	return ok
}

// accessHead finds the quote that opens the request, and the date before it.
// Who names himself [07/Jul/2025:12:00:00 +0200] stands before the date, and
// not between it and the quote.
func accessHead(body []byte) (date span, quote int, ok bool) {
	quote = nextQuote(body, 0)
	date = span{quote - 2 - accessDate, quote - 2}
	ok = date.from >= 2 && string(body[date.from-2:date.from]) == " [" && string(body[date.to:quote]) == "] "
	return date, quote, ok
}

// nextQuote is the next quote from i on that no backslash stands before, -1 if
// there is none.
func nextQuote(b []byte, i int) int {
	for from := i; ; i++ {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return -1
		}
		i += j
		k := i
		for k > from && b[k-1] == '\\' {
			k--
		}
		if (i-k)%2 == 0 {
			return i
		}
		from = i + 1
	}
}

func (access) shape(body []byte) *damage {
	if !isAccess(body) {
		return &damage{0, "no date in brackets and quoted request"}
	}
	return nil
}

// split gives a record's fields in order.
func (access) split(body []byte) (parts, *damage) {
	date, quote, ok := accessHead(body)
	if !ok {
		return nil, access{}.shape(body)
	}
	ps := accessClient(body[:date.from-2])
	ps = append(ps, part{"time_local", date})
	i := quote
	for n := 0; i < len(body); n++ {
		s := span{i, len(body)}
		quoted := body[i] == '"'
		if quoted {
			s.from++
			if s.to = nextQuote(body, s.from); s.to < 0 {
				return ps, &damage{len(body), "the record ends early"}
			}
			i = s.to + 1
		} else {
			if j := bytes.IndexByte(body[i:], ' '); j >= 0 {
				s.to = i + j
			}
			i = s.to
		}
		if n < len(accessFields) {
			f := accessFields[n]
			if quoted == f.quoted {
				ps = append(ps, part{f.name, s})
			} else if n < 3 {
				return ps, &damage{s.from, "expected the field " + f.name}
			} else {
				n = len(accessFields) // a format of somebody's own
			}
		}
		for i < len(body) && body[i] == ' ' {
			i++
		}
	}
	if len(ps) > 0 && ps[len(ps)-1].name == "request" {
		return ps, &damage{len(body), "the record ends early"}
	}
	return ps, nil
}

// accessClient splits what stands before the date: a client, what identd said
// of it, and its name, in which blanks may stand. Debian's logs of all virtual
// hosts begin with the host and its port.
func accessClient(b []byte) (ps parts) {
	names := []string{"remote_addr", "ident", "remote_user"}
	for i := 0; i < len(b) && len(names) > 0; {
		s := span{i, len(b)}
		if j := bytes.IndexByte(b[i:], ' '); j >= 0 && names[0] != "remote_user" {
			s.to = i + j
		}
		if i == 0 && bytes.IndexByte(b[:s.to], ':') > 0 && bytes.Count(b, []byte(" ")) > 2 {
			if _, err := netip.ParseAddr(string(b[:s.to])); err != nil {
				names = append([]string{"host"}, names...)
			}
		}
		ps = append(ps, part{names[0], s})
		names = names[1:]
		i = s.to + 1
	}
	return ps
}

func (a access) read(body []byte, at []int, clock Clock) (r record, bad *damage) {
	ps, bad := a.split(body)
	r.fields = ps.locate(at)
	if date, _, ok := accessHead(body); ok {
		f := figures{body[date.from:date.to], true}
		if s, ok := f.access(); ok {
			r.time = clock.interval(s)
		}
	}
	return r, bad
}

// access reads 07/Jul/2025:12:00:00 +0200.
func (f *figures) access() (s stamp, ok bool) {
	d := f.number(2)
	f.one("/")
	m := f.month()
	f.one("/")
	y := f.number(4)
	f.one(":")
	since, grain := f.clock()
	f.one(" ")
	offset, given := f.zone()
	day := f.day(y, m, d)
	s = stamp{at: day.Add(since - offset), grain: grain, zoned: given}
	return s, f.ok && given && len(f.b) == 0 && plausible(s.at)
}

func (a access) values(body []byte, visit func(name, value string)) {
	ps, _ := a.split(body)
	ps.visit(body, "-", visit)
}
