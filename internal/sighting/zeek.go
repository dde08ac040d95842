package sighting

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// zeek reads Zeek's own logs: values parted by tabs, under lines that begin with
// # and say how to read them (src/logging/writers/ascii/Ascii.cc). Those may
// come again and change everything. What would be taken for a separator is written
// \x09, a backslash \x5c (twice, by older ones).
//
// ts is when the thing began, in seconds of the epoch; a record that tells how
// long it lasted is about all of that time.
type zeek struct {
	separator string
	set       string // parts the members of a set or vector
	empty     string
	unset     string
	path      string // "http" of http.log
	fields    []string
	types     []string
	ts        int // index of each, -1 for none
	duration  int
}

func newZeek() *zeek {
	return &zeek{separator: "\t", set: ",", empty: "(empty)", unset: "-", ts: -1, duration: -1}
}

func opensZeek(body []byte) bool {
	return bytes.HasPrefix(body, []byte("#separator ")) || bytes.HasPrefix(body, []byte("#fields\t"))
}

func (*zeek) isHeader(body []byte) bool { return len(body) > 0 && body[0] == '#' }

// header takes one of the lines above the records. #separator names its value
// behind a blank, the others behind the separator.
func (z *zeek) header(body []byte) *damage {
	if v, ok := bytes.CutPrefix(body, []byte("#separator ")); ok {
		v := unescaped(v)
		if len(v) < 1 || len(v) > 8 {
			return &damage{len("#separator "), "the separator isn't from one to eight bytes"}
		}
		*z = *newZeek()
		z.separator = v
		return nil
	}
	key, value, ok := strings.Cut(string(body), z.separator)
	if !ok || len(key) > len("#set_separator") {
		return nil
	}
	off := len(body) - len(value)
	if len(value) > 1<<16 {
		return &damage{off, "more than 64 KiB stand behind " + key}
	}
	switch key {
	case "#set_separator":
		z.set = unescaped([]byte(value))
	case "#empty_field":
		z.empty = unescaped([]byte(value))
	case "#unset_field":
		z.unset = unescaped([]byte(value))
	case "#path":
		z.path = value[:min(len(value), MaxExcerpt)]
	case "#fields", "#types":
		var names []string
		var bad *damage
		if n := strings.Count(value, z.separator) + 1; n > maxFields {
			bad = &damage{off, fmt.Sprintf("%s names more than %d", key, maxFields)}
		} else {
			names = strings.Split(value, z.separator)
		}
		if key == "#types" {
			z.types = names
			return bad
		}
		z.fields, z.types, z.ts, z.duration = names, nil, -1, -1
		for i, name := range names {
			switch name {
			case "ts":
				z.ts = i
			case "duration":
				z.duration = i
			}
		}
		return bad
	}
	return nil
}

func (*zeek) advance([]byte) {}

func (z *zeek) shape(body []byte) *damage {
	n := bytes.Count(body, []byte(z.separator)) + 1
	switch {
	case z.fields == nil:
		return &damage{0, "no #fields stands before it"}
	case n != len(z.fields):
		return &damage{0, fmt.Sprintf("%d values for %d fields", n, len(z.fields))}
	}
	return nil
}

func (z *zeek) split(body []byte) (ps parts, bad *damage) {
	if bad := z.shape(body); bad != nil {
		return nil, bad
	}
	i := 0
	for _, name := range z.fields {
		s := span{i, len(body)}
		if j := bytes.Index(body[i:], []byte(z.separator)); j >= 0 {
			s.to = i + j
		}
		ps = append(ps, part{name, s})
		i = s.to + len(z.separator)
	}
	return ps, nil
}

func (z *zeek) read(body []byte, at []int, clock Clock) (r record, bad *damage) {
	ps, bad := z.split(body)
	r.fields = ps.locate(at)
	if bad != nil {
		// The time stands first, where it stands at all: a cut record has it.
		if z.ts == 0 {
			first, _, whole := bytes.Cut(body, []byte(z.separator))
			if whole {
				r.time = epochInterval(first, nil, clock)
			}
		}
		return r, bad
	}
	value := func(i int) []byte {
		if i < 0 {
			return nil
		}
		return body[ps[i].from:ps[i].to]
	}
	r.time = epochInterval(value(z.ts), value(z.duration), clock)
	return r, nil
}

func (z *zeek) values(body []byte, visit func(name, value string)) {
	ps, bad := z.split(body)
	if bad != nil {
		return
	}
	if z.path != "" {
		visit("_path", z.path) // as Zeek's logs in JSON name it
	}
	for i, p := range ps {
		switch v := string(body[p.from:p.to]); {
		case v == z.unset:
		case v == z.empty:
			visit(p.name, "")
		case i < len(z.types) && z.set != "" && (strings.HasPrefix(z.types[i], "set[") || strings.HasPrefix(z.types[i], "vector[")):
			for _, m := range strings.Split(v, z.set) {
				visit(p.name, unescaped([]byte(m)))
			}
		default:
			visit(p.name, unescaped([]byte(v)))
		}
	}
}

// epochInterval is from ts, in seconds of the epoch, for as long as duration
// says, if it says anything.
func epochInterval(ts, duration []byte, clock Clock) Interval {
	s, ok := parseEpoch(ts)
	if !ok {
		return Interval{}
	}
	if d, err := strconv.ParseFloat(string(duration), 64); err == nil && d > 0 && d < math.MaxInt32 {
		s.or = s.at.Add(time.Duration(d*float64(time.Second)) + s.grain)
	}
	return clock.interval(s)
}

// parseEpoch reads seconds since 1970 with a fraction, or whole milliseconds.
// Zeek keeps microseconds; in JSON it leaves zeros at the end away, so that a
// shorter fraction is no coarser.
func parseEpoch(b []byte) (s stamp, ok bool) {
	whole, fraction, dotted := bytes.Cut(b, []byte("."))
	if !digits(whole) || dotted && !digits(fraction) || len(whole) > 15 || len(fraction) > 9 {
		return s, false
	}
	n, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil {
		return s, false
	}
	s.zoned, s.grain = true, time.Second
	switch {
	case !dotted && len(whole) >= 12:
		s.at, s.grain = time.UnixMilli(n), time.Millisecond
	case len(whole) >= 12:
		return s, false
	default:
		s.at = time.Unix(n, 0)
	}
	if dotted {
		micro := time.Second
		for _, d := range fraction {
			micro /= 10
			s.at = s.at.Add(time.Duration(d-'0') * micro)
		}
		s.grain = time.Microsecond
	}
	s.at = s.at.UTC()
	return s, plausible(s.at)
}

// zeekJSON is Zeek's logs with an object a line (LogAscii::use_json).
type zeekJSON struct{ eve }

// opensZeekJSON tells it from EVE by the keys that stand first: ts, or those
// that the package json-streaming-logs puts before it.
func opensZeekJSON(body []byte) bool {
	for _, key := range []string{`{"ts":`, `{"_path":"`, `{"_write_ts":`, `{"_system_name":"`} {
		if bytes.HasPrefix(body, []byte(key)) {
			return true
		}
	}
	return false
}

func (zeekJSON) read(body []byte, at []int, clock Clock) (record, *damage) {
	var ts, duration []byte
	twice := false
	fields := newLocate(at)
	bad := walkJSON(body, func(path []step, from, to int, key bool) {
		fields.visit(from, to, func() string { return name(path) })
		if key || len(path) != 1 || path[0].key == nil {
			return
		}
		switch {
		case is(path[0], "ts"):
			twice = ts != nil
			ts = body[from:to]
		case is(path[0], "duration"):
			duration = body[from:to]
		}
	})
	r := record{fields: fields.fields}
	switch {
	case ts == nil || twice: // Zeek names no field twice
	case ts[0] == '"':
		r.time = eveTime(ts, clock)
		if s, err := strconv.ParseFloat(string(duration), 64); err == nil && r.time.Known() && s > 0 && s < math.MaxInt32 {
			r.time = between(r.time.From, r.time.To.Add(time.Duration(s*float64(time.Second))))
		}
	default:
		r.time = epochInterval(ts, duration, clock)
	}
	return r, bad
}
