package sighting

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// w3c reads a W3C extended log (Hallam-Baker and Behlendorf, working draft
// WD-logfile-960323), in IIS's dialect too. Directives may stand anywhere and
// change the meaning of every record after them: IIS writes them anew at each
// restart and whenever the choice of fields changes.
type w3c struct {
	fields    []string // lower case, as the last #Fields names them
	date      int      // index of each field, -1 for none
	time      int
	taken     int
	microsoft bool // #Software names Microsoft: time-taken is in milliseconds

	// Some writers give each file one #Date and each record only a time.
	// day is then the record's; it moves on when time runs backwards.
	day   time.Time
	clock time.Duration // of the record before, or of #Date; below 0: none yet
}

var w3cFields = []byte("#fields:")

func newW3C() *w3c { return &w3c{date: -1, time: -1, taken: -1, clock: -1} }

func namesFields(body []byte) bool {
	return len(body) > len(w3cFields) && bytes.EqualFold(body[:len(w3cFields)], w3cFields)
}

func (*w3c) isHeader(body []byte) bool { return len(body) > 0 && body[0] == '#' }

func (w *w3c) shape(body []byte) *damage {
	if bytes.Count(body, []byte(" "))+1 == len(w.fields) {
		return nil
	}
	if w.fields == nil {
		return &damage{0, "no #Fields stands before it"}
	}
	_, bad := w.split(body)
	return bad
}

// values leaves out what was not logged, a hyphen by itself. What holds a blank
// was quoted.
func (w *w3c) values(body []byte, visit func(name, value string)) {
	spans, bad := w.split(body)
	if bad != nil {
		return
	}
	for i, s := range spans {
		if v := string(body[s.from:s.to]); v != "-" {
			if strings.ContainsAny(v, " \t") {
				v = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`), `""`, `"`)
			}
			visit(w.fields[i], v)
		}
	}
}

// Where only the time is logged, a fall by more than disorder has passed
// midnight, and a rise by nearly a day is a record of yesterday's that was
// written after midnight. Disorder between a server's threads is seconds. A
// silence of a whole day can't be seen in such a log.
const disorder = time.Hour

// maxFields is more than any writer has.
const maxFields = 256

// isDirective recognises the names that the draft knows.
func isDirective(line []byte) bool {
	if len(line) < 2 || line[0] != '#' {
		return false
	}
	key, _, ok := bytes.Cut(line[1:], []byte(":"))
	if !ok || len(key) > 16 {
		return false
	}
	switch string(bytes.ToLower(key)) {
	case "version", "fields", "software", "start-date", "end-date", "date", "remark":
		return true
	}
	return false
}

// header takes one directive line.
func (w *w3c) header(line []byte) *damage {
	key, value, _ := bytes.Cut(line[1:], []byte(":"))
	off := len(line) - len(value)
	value = bytes.TrimSpace(value)
	switch string(bytes.ToLower(key)) {
	case "software":
		w.microsoft = bytes.Contains(bytes.ToLower(value), []byte("microsoft"))
	case "date":
		f := figures{value, true}
		day := f.date()
		if !f.ok {
			w.day = time.Time{}
			return &damage{off, "#Date gives no date"}
		}
		w.day, w.clock = day, -1
		if f.next(' ') || f.next('T') {
			if clock, _ := f.clock(); f.ok {
				w.clock = clock
			}
		}
	case "fields":
		w.fields, w.date, w.time, w.taken = nil, -1, -1, -1
		if len(value) > 1<<16 {
			return &damage{off, "#Fields is longer than 64 KiB"}
		}
		for i, name := range bytes.Fields(value) {
			if i == maxFields {
				w.fields = nil
				return &damage{off, fmt.Sprintf("#Fields names more than %d fields", maxFields)}
			}
			name := string(bytes.ToLower(name))
			w.fields = append(w.fields, name)
			switch name {
			case "date":
				w.date = i
			case "time":
				w.time = i
			case "time-taken":
				w.taken = i
			}
		}
		if w.fields == nil {
			return &damage{off, "#Fields names none"}
		}
	}
	return nil
}

// span is a range of bytes of a line.
type span struct{ from, to int }

// split cuts a record at blanks. A quoted value may hold blanks, and doubles
// its quotes; IIS doesn't quote, and a value of its may start with a quote
// because a request did. So quotes count only if the record fits its fields
// with them and not without.
func (w *w3c) split(line []byte) ([]span, *damage) {
	var plain, quoted []span
	for i := 0; i < len(line) && len(plain) <= maxFields; {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		j := i
		for j < len(line) && line[j] != ' ' && line[j] != '\t' {
			j++
		}
		plain = append(plain, span{i, j})
		i = j
	}
	if len(plain) == len(w.fields) {
		return plain, nil
	}
	for i := 0; i < len(line) && len(quoted) <= maxFields; {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		j := i
		for in := false; j < len(line) && (in || line[j] != ' ' && line[j] != '\t'); j++ {
			if line[j] == '"' && (in || j == i) {
				in = !in || j+1 < len(line) && line[j+1] == '"'
				if in && j > i {
					j++
				}
			}
		}
		quoted = append(quoted, span{i, j})
		i = j
	}
	if len(quoted) == len(w.fields) {
		return quoted, nil
	}
	return plain, &damage{0, fmt.Sprintf("%d values for %d fields", len(plain), len(w.fields))}
}

// advance keeps the day where records have none. It must see every record in
// order.
func (w *w3c) advance(line []byte) {
	if w.date >= 0 || w.time < 0 || w.day.IsZero() {
		return
	}
	spans, _ := w.split(line)
	if w.time >= len(spans) {
		return
	}
	f := figures{line[spans[w.time].from:spans[w.time].to], true}
	clock, _ := f.clock()
	if !f.ok {
		return
	}
	switch d := clock - w.clock; {
	case w.clock < 0, d > 0 && d <= 24*time.Hour-disorder:
		w.clock = clock
	case d < -disorder:
		w.day = w.day.AddDate(0, 0, 1)
		w.clock = clock
	}
}

// read reads one record. date and time are UTC, says the draft; Clock holds
// the doubt about it. They tell when the request was over: where time-taken is
// logged the interval begins that much earlier. The draft has it in seconds,
// IIS in milliseconds; for an unknown writer it counts as seconds, which is the
// wider.
func (w *w3c) read(line []byte, at []int, c Clock) (r record, bad *damage) {
	if w.fields == nil {
		return record{fields: make([]string, len(at))}, &damage{0, "no #Fields stands before it"}
	}
	spans, bad := w.split(line)
	fields := newLocate(at)
	for i, s := range spans {
		if bad == nil {
			fields.visit(s.from, s.to, func() string { return w.fields[i] })
		}
	}
	r.fields = fields.fields
	value := func(i int) []byte {
		if i < 0 || i >= len(spans) {
			return nil
		}
		return line[spans[i].from:spans[i].to]
	}
	s, ok := w.stamp(value(w.date), value(w.time))
	if !ok {
		return r, bad
	}
	if took, ok := w.took(value(w.taken)); ok && bad == nil {
		c.Lag += took
	}
	r.time = c.interval(s)
	return r, bad
}

func (w *w3c) stamp(date, clock []byte) (s stamp, ok bool) {
	day := w.day
	if w.date >= 0 {
		f := figures{bytes.Trim(date, `"`), true}
		if day = f.date(); !f.ok || len(f.b) > 0 {
			return s, false
		}
	}
	if day.IsZero() {
		return s, false
	}
	s = stamp{at: day, grain: 24 * time.Hour}
	if w.time < 0 {
		return s, w.date >= 0 && plausible(s.at)
	}
	f := figures{bytes.Trim(clock, `"`), true}
	since, grain := f.clock()
	if !f.ok || len(f.b) > 0 {
		return s, false
	}
	if w.date < 0 && w.clock >= 0 && since-w.clock > 24*time.Hour-disorder {
		s.at = s.at.AddDate(0, 0, -1)
	}
	s.at, s.grain = s.at.Add(since), grain
	return s, plausible(s.at)
}

// took reads time-taken; no request took longer than a week.
func (w *w3c) took(b []byte) (time.Duration, bool) {
	if len(b) == 0 || len(b) > 16 || b[0]-'0' > 9 {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(b), 64)
	if err != nil || n < 0 {
		return 0, false
	}
	unit := time.Second
	if w.microsoft {
		unit = time.Millisecond
	}
	const week = 7 * 24 * time.Hour
	if n >= float64(week/unit) {
		return 0, false
	}
	return time.Duration(n*float64(unit)) + 1, true
}
