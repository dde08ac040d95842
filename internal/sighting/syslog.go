package sighting

import (
	"bytes"
	"time"
)

// syslog reads what a syslog daemon writes to a file: lines as RFC 3164 section
// 4.1 has them, with the priority or (as most write them) without, lines of RFC
// 5424 section 6, and mixtures of both. Fields are named as the RFCs name them;
// a parameter of structured data as SD-ID.PARAM-NAME.
//
// RFC 3164 has the month, the day and the time of some local clock: neither the
// year nor the zone. Both are left open unless Clock declares them.
type syslog struct{}

func (syslog) isHeader([]byte) bool  { return false }
func (syslog) header([]byte) *damage { return nil }
func (syslog) advance([]byte)        {}

// isSyslog takes lines that begin with RFC 3339 as well, which by themselves are
// plain text.
func isSyslog(body []byte) bool {
	m, _ := splitSyslog(body, false)
	return m.dated
}

func (syslog) shape(body []byte) *damage {
	if !isSyslog(body) {
		return &damage{0, "no syslog header"}
	}
	return nil
}

func (syslog) read(body []byte, at []int, clock Clock) (record, *damage) {
	m, bad := splitSyslog(body, true)
	return record{m.time(clock), m.locate(at)}, bad
}

func (syslog) values(body []byte, visit func(name, value string)) {
	m, _ := splitSyslog(body, true)
	m.visit(body, "-", visit)
}

// message is a syslog line.
type message struct {
	parts
	dated bool
	stamp stamp // of RFC 3339

	// or of RFC 3164
	month time.Month
	day   int
	since time.Duration // into the day
	grain time.Duration
}

func (m message) time(clock Clock) Interval {
	switch {
	case !m.dated:
		return Interval{}
	case m.month == 0:
		if m.stamp.at.IsZero() {
			return Interval{}
		}
		return clock.interval(m.stamp)
	}
	return clock.inAYear(func(year int) (stamp, bool) {
		f := figures{ok: true}
		day := f.day(year, m.month, m.day)
		return stamp{at: day.Add(m.since), grain: m.grain, local: true}, f.ok && plausible(day)
	})
}

// cutter takes a line apart from its front.
type cutter struct {
	b  []byte
	i  int
	ps parts
}

// take names the bytes up to the next of the ends, and steps over that.
func (c *cutter) take(name string, end byte) span {
	s := span{c.i, len(c.b)}
	c.i = len(c.b)
	if j := bytes.IndexByte(c.b[s.from:], end); j >= 0 {
		s.to = s.from + j
		c.i = s.to + 1
	}
	c.ps = append(c.ps, part{name, s})
	return s
}

// splitSyslog takes a line apart; only its header, unless all is asked for.
func splitSyslog(body []byte, all bool) (m message, bad *damage) {
	c := cutter{b: body}
	priority := false
	if len(body) > 0 && body[0] == '<' {
		j := bytes.IndexByte(body[:min(len(body), 5)], '>')
		if j < 2 {
			return m, nil
		}
		if !digits(body[1:j]) {
			return m, nil
		}
		c.ps = parts{{"PRI", span{1, j}}}
		c.i, priority = j+1, true
	}
	if j := bytes.IndexByte(body[c.i:min(len(body), c.i+4)], ' '); priority && j > 0 && body[c.i] != '0' && digits(body[c.i:c.i+j]) {
		c.take("VERSION", ' ')
		when := c.take("TIMESTAMP", ' ')
		s, n, ok := parseStamp(body[when.from:when.to])
		ok = ok && s.zoned && n == when.to-when.from
		if !ok && string(body[when.from:when.to]) != "-" {
			return message{}, nil
		}
		m.dated, m.stamp = true, s
		if all {
			bad = c.protocol()
		}
		m.parts = c.ps
		return m, bad
	}
	f := figures{body[c.i:], true}
	m.month = f.month()
	f.one(" ")
	if f.next(' ') {
		m.day = f.number(1)
	} else {
		m.day = f.number(2)
	}
	f.one(" ")
	m.since, m.grain = f.clock()
	f.ok = f.ok && m.day >= 1 && m.day <= 31
	if !f.ok {
		// Newer daemons write RFC 3339 in its place.
		s, n, ok := parseStamp(body[c.i:])
		if !ok || !s.zoned {
			return message{}, nil
		}
		m = message{stamp: s}
		f = figures{body[c.i+n:], true}
	}
	end := len(body) - len(f.b)
	if end == len(body) || body[end] != ' ' {
		return message{}, nil
	}
	m.dated = true
	c.ps = append(c.ps, part{"TIMESTAMP", span{c.i, end}})
	c.i = end + 1
	if all {
		c.bsd()
	}
	m.parts = c.ps
	return m, nil
}

func digits(b []byte) bool {
	for _, c := range b {
		if !digit(c) {
			return false
		}
	}
	return len(b) > 0
}

// bsd names what follows the time in RFC 3164. A host may be left out: what
// ends in a colon or holds a bracket is a tag.
func (c *cutter) bsd() {
	word := c.b[c.i:]
	if j := bytes.IndexByte(word, ' '); j >= 0 {
		word = word[:j]
	}
	if len(word) > 0 && word[len(word)-1] != ':' && bytes.IndexByte(word, '[') < 0 {
		c.take("HOSTNAME", ' ')
	}
	s := span{c.i, c.i}
	for s.to < len(c.b) && s.to-s.from < 64 && bytes.IndexByte([]byte(" :["), c.b[s.to]) < 0 {
		s.to++
	}
	c.ps = append(c.ps, part{"TAG", s}, part{"CONTENT", span{s.to, len(c.b)}})
}

// protocol names what follows the time in RFC 5424.
func (c *cutter) protocol() *damage {
	for _, name := range []string{"HOSTNAME", "APP-NAME", "PROCID", "MSGID"} {
		c.take(name, ' ')
	}
	if c.i >= len(c.b) {
		return &damage{len(c.b), "the record ends early"}
	}
	if c.b[c.i] == '-' {
		c.i++
	}
	for c.i < len(c.b) && c.b[c.i] == '[' {
		if bad := c.element(); bad != nil {
			return bad
		}
	}
	switch {
	case c.i == len(c.b):
		return nil
	case c.b[c.i] != ' ':
		return &damage{c.i, "expected structured data"}
	}
	c.i++
	if bytes.HasPrefix(c.b[c.i:], []byte("\xef\xbb\xbf")) {
		c.i += 3
	}
	c.ps = append(c.ps, part{"MSG", span{c.i, len(c.b)}})
	return nil
}

// element reads one [SD-ID name="value" …].
func (c *cutter) element() *damage {
	b := c.b
	word := func(ends string) span {
		s := span{c.i, c.i}
		for s.to < len(b) && bytes.IndexByte([]byte(ends), b[s.to]) < 0 {
			s.to++
		}
		c.i = s.to
		return s
	}
	c.i++
	id := word(" ]")
	c.ps = append(c.ps, part{"SD-ID", id})
	for c.i < len(b) && b[c.i] == ' ' {
		c.i++
		key := word("= ]")
		if !bytes.HasPrefix(b[c.i:], []byte(`="`)) {
			return &damage{c.i, "expected a quoted value in structured data"}
		}
		value := span{c.i + 2, nextQuote(b, c.i+2)}
		if value.to < 0 {
			break
		}
		name := b[id.from:min(id.to, id.from+MaxExcerpt)]
		c.ps = append(c.ps, part{string(name) + "." + string(b[key.from:min(key.to, key.from+MaxExcerpt)]), value})
		c.i = value.to + 1
	}
	if c.i >= len(b) || b[c.i] != ']' {
		return &damage{len(b), "the structured data ends early"}
	}
	c.i++
	return nil
}
