package sighting

import "strings"

// layout reads the lines of one format. It may keep what earlier lines say of
// later ones (W3C's #Fields); a scan has one of its own.
type layout interface {
	// isHeader tells lines that are no records but say how to read those behind
	// them, such as directives. header takes one.
	isHeader(body []byte) bool
	header(body []byte) *damage

	// advance sees every record, in order, before anything else is asked of it.
	advance(body []byte)

	// shape is what can be told of a record without reading it.
	shape(body []byte) *damage

	// read gives a record's time and the fields of the positions asked for,
	// which are in order. What was read before damage is kept.
	read(body []byte, at []int, clock Clock) (record, *damage)

	// values visits every value of a record by its field's name, with the
	// format's own quotes and escapes undone, for rules to judge.
	values(body []byte, visit func(name, value string))
}

// Format is what a source looks like.
type Format uint8

const (
	Plain    Format = iota // lines of text; a time only where a line starts with RFC 3339
	EVE                    // Suricata's EVE: one JSON object a line
	W3C                    // W3C extended log file format, as IIS writes it
	Access                 // common or combined log of a web server
	Zeek                   // Zeek's logs, parted by tabs
	ZeekJSON               // Zeek's logs, one JSON object a line
	Syslog                 // RFC 3164 and RFC 5424
	HTML                   // lines of text
)

// A row for each format. certain tells it by a line, wherever it stands, that
// can be nothing else: a stream may begin in the middle of a line. Such lines
// begin with one of the bytes in begins, or any if it is empty. Where none is certain,
// opens tells it by the first line that isn't blank.
type row struct {
	name    string
	opens   func(body []byte) bool
	begins  string
	certain func(body []byte) bool
	layout  func() layout
}

var formats = [...]row{
	Plain:    {"plain text", nil, "", nil, func() layout { return plainText{} }},
	EVE:      {"Suricata EVE", opensObject, "{", opensEVE, func() layout { return eve{} }},
	W3C:      {"W3C extended log", isDirective, "#", namesFields, func() layout { return newW3C() }},
	Access:   {"combined log", nil, "", isAccess, func() layout { return access{} }},
	Zeek:     {"Zeek", nil, "#", opensZeek, func() layout { return newZeek() }},
	ZeekJSON: {"Zeek JSON", nil, "{", opensZeekJSON, func() layout { return zeekJSON{} }},
	Syslog:   {"syslog", nil, "<JFMASOND", isSyslog, func() layout { return syslog{} }},
	HTML:     {"HTML", opensHTML, "", nil, func() layout { return plainText{} }},
}

// formatOf tells a format by a line; first says that none stands before it.
func formatOf(body []byte, first bool) (Format, bool) {
	for f := range formats {
		r := &formats[f]
		if r.certain != nil && (r.begins == "" || strings.IndexByte(r.begins, body[0]) >= 0) && r.certain(body) {
			return Format(f), true
		}
	}
	for f := range formats {
		if open := formats[f].opens; first && open != nil && open(body) {
			return Format(f), true
		}
	}
	return Plain, false
}

func (f Format) String() string { return formats[min(int(f), len(formats)-1)].name }

// plainText has no records to speak of: lines, some of which begin with a time.
type plainText struct{}

func (plainText) isHeader([]byte) bool  { return false }
func (plainText) header([]byte) *damage { return nil }
func (plainText) advance([]byte)        {}
func (plainText) shape([]byte) *damage  { return nil }

func (plainText) values(body []byte, visit func(name, value string)) { visit("message", string(body)) }

func (plainText) read(body []byte, at []int, clock Clock) (r record, _ *damage) {
	if s, n, ok := parseStamp(body); ok && s.zoned && (n == len(body) || !word(body[n])) {
		r.time = clock.interval(s)
	}
	return r, nil
}
