package sighting

import (
	"bytes"
	"time"
)

// record is what a scan needs of a line: when, and which fields the bytes
// asked for stand in.
type record struct {
	time   Interval
	fields []string // one for each position asked for; empty where there is none
}

// locate notes the field of every position in at, which are in order, that
// stands in [from, to). Calls come in order too, so that a line full of hits is
// walked over once.
type locate struct {
	at     []int
	fields []string
	next   int
}

func newLocate(at []int) *locate { return &locate{at: at, fields: make([]string, len(at))} }

func (l *locate) visit(from, to int, name func() string) {
	for l.next < len(l.at) && l.at[l.next] < from {
		l.next++
	}
	if l.next == len(l.at) || l.at[l.next] >= to {
		return
	}
	for field := name(); l.next < len(l.at) && l.at[l.next] < to; l.next++ {
		l.fields[l.next] = field
	}
}

// eve is Suricata's EVE: one JSON object a line.
type eve struct{}

var eveOpening = []byte(`{"timestamp":"`)

func opensObject(body []byte) bool { return body[0] == '{' }
func opensEVE(body []byte) bool    { return bytes.HasPrefix(body, eveOpening) }

func (eve) isHeader([]byte) bool  { return false }
func (eve) header([]byte) *damage { return nil }
func (eve) advance([]byte)        {}

func (eve) shape(body []byte) *damage {
	if body[0] != '{' {
		return &damage{0, "no JSON object starts here"}
	}
	if body[len(body)-1] != '}' {
		return &damage{len(body), "the record ends early"}
	}
	return nil
}

func (eve) values(body []byte, visit func(name, value string)) {
	whole := string(body) // of which most values are parts
	walkJSON(body, func(path []step, from, to int, key bool) {
		switch {
		case key || body[from] == 'n': // null is no value
			return
		case body[from] != '"':
			visit(name(path), whole[from:to])
		case isPlain(body[from:to]):
			visit(name(path), whole[from+1:to-1])
		default:
			visit(name(path), plain(body[from:to]))
		}
	})
}

// read reads one record. What was found before a damaged place is kept,
// so that a truncated record still has its time: Suricata writes it first.
//
// The time is the top-level timestamp, never one that a request smuggled into
// a field of the same name below. Records about a whole flow are stamped when
// the flow is logged, perhaps an hour after it; they hold flow.start as well,
// and their interval begins there; without it they have no time. A record with two timestamps is at either.
func (eve) read(line []byte, at []int, clock Clock) (record, *damage) {
	var stated, start Interval
	whole := false
	fields := newLocate(at)
	bad := walkJSON(line, func(path []step, from, to int, key bool) {
		fields.visit(from, to, func() string { return name(path) })
		if key || line[from] != '"' || len(path) > 2 {
			return
		}
		text := line[from:to]
		switch {
		case len(path) == 1 && is(path[0], "timestamp"):
			stated = either(stated, eveTime(text, clock))
		case len(path) == 1 && is(path[0], "event_type"):
			kind := plain(text)
			whole = kind == "flow" || kind == "netflow"
		case len(path) == 2 && is(path[1], "start") && (is(path[0], "flow") || is(path[0], "netflow")):
			start = either(start, eveTime(text, clock))
		}
	})
	if whole {
		stated = stated.Hull(start)
	}
	return record{stated, fields.fields}, bad
}

// either is the hull of what is known.
func either(a, b Interval) Interval {
	switch {
	case !a.Known():
		return b
	case !b.Known():
		return a
	}
	return a.Hull(b)
}

func is(s step, key string) bool {
	if len(s.key) == len(key)+2 {
		return string(s.key[1:len(s.key)-1]) == key
	}
	return len(s.key) > len(key)+2 && plain(s.key) == key
}

// eveTime reads a timestamp in quotes; unknown if it is none.
//
// Suricata prints microseconds with at least six digits. When its count of
// them runs over a million, seven appear, and .1011041 means 1.011041 s and not
// 0.1011041 s (real records have it). It can't be told from an honest seventh
// digit, so such a time is both.
func eveTime(text []byte, clock Clock) Interval {
	if len(text) > 64 {
		return Interval{}
	}
	text = text[1 : len(text)-1]
	s, n, ok := parseStamp(text)
	if !ok || n != len(text) {
		return Interval{}
	}
	if s.grain == 100*time.Nanosecond {
		second := s.at.Truncate(time.Second)
		s.or = second.Add(s.at.Sub(second) / 100 * 1000)
	}
	return clock.interval(s)
}
