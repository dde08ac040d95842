package sighting

import "bytes"

var (
	eveOpening = []byte(`{"timestamp":"`)
	w3cFields  = []byte("#fields:")
)

// trim takes blanks off a line, and NULs: IIS and file systems leave them
// where a write was lost. The stream's first line may begin with the mark that
// Windows puts before UTF-8.
func trim(line []byte, first bool) (body []byte, lead int) {
	if mark := "\xef\xbb\xbf"; first && bytes.HasPrefix(line, []byte(mark)) {
		lead = len(mark)
	}
	b := len(line)
	for b > lead && blank(line[b-1]) {
		b--
	}
	for lead < b && blank(line[lead]) {
		lead++
	}
	return line[lead:b], lead
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == 0 }

// decide settles the format by the first line that isn't blank. Plain text
// still turns into either when a line can be nothing else: a stream may begin
// in the middle of a line.
func (p *pass) decide(body []byte) {
	if len(body) == 0 || p.decided && p.sum.Format != Plain {
		return
	}
	was := p.sum.Format
	switch {
	case !p.decided && body[0] == '{', bytes.HasPrefix(body, eveOpening):
		p.sum.Format = EVE
	case !p.decided && isDirective(body),
		len(body) > len(w3cFields) && bytes.EqualFold(body[:len(w3cFields)], w3cFields):
		p.sum.Format = W3C
		p.w3c = w3c{date: -1, time: -1, taken: -1, clock: -1}
	case !p.decided && (bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff"))):
		p.problem(Problem{Line: p.sum.Lines, Offset: p.base, Class: ErrMalformed,
			What: "the text is UTF-16, which isn't read", Kept: "its bytes are searched as they stand; convert it to UTF-8 first"})
	case !p.decided && bytes.HasPrefix(body, gzipMagic):
		p.problem(Problem{Line: p.sum.Lines, Offset: p.base, Class: ErrMalformed,
			What: "the text is gzip once more, which isn't undone", Kept: "its bytes are searched as they stand; decompress it first"})
	}
	if p.decided = true; p.sum.Format != was {
		p.wait.forget(p) // lines before the format was known
	}
}

// isRecord tells records from blank lines and directives.
func (p *pass) isRecord(body []byte) bool {
	return len(body) > 0 && !(p.sum.Format == W3C && body[0] == '#')
}

// shape is what can be told of a record without reading it.
func (p *pass) shape(body []byte) *damage {
	switch p.sum.Format {
	case EVE:
		if body[0] != '{' {
			return &damage{0, "no JSON object starts here"}
		}
		if body[len(body)-1] != '}' {
			return &damage{len(body), "the record ends early"}
		}
	case W3C:
		if bytes.Count(body, []byte(" "))+1 == len(p.w3c.fields) {
			return nil
		}
		if p.w3c.fields == nil {
			return &damage{0, "no #Fields stands before it"}
		}
		_, bad := p.w3c.split(body)
		return bad
	}
	return nil
}

// read gives a record's time and the fields of the positions asked for.
func (p *pass) read(body []byte, at []int) (r record, bad *damage) {
	switch p.sum.Format {
	case EVE:
		return readEVE(body, at, p.Clock)
	case W3C:
		return p.w3c.record(body, at, p.Clock)
	}
	if s, n, ok := parseStamp(body); ok && s.zoned && (n == len(body) || !word(body[n])) {
		r.time = p.Clock.interval(s)
	}
	return r, nil
}
