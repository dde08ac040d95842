package sighting

import "bytes"

// part is a named range of bytes of a record.
type part struct {
	name string
	span
}

// parts stand in order.
type parts []part

func (ps parts) locate(at []int) []string {
	fields := newLocate(at)
	for _, p := range ps {
		fields.visit(p.from, p.to, func() string { return p.name })
	}
	return fields.fields
}

// visit gives the values, with escapes behind backslashes undone, but for those
// that stand for none.
func (ps parts) visit(body []byte, none string, visit func(name, value string)) {
	for _, p := range ps {
		if v := body[p.from:p.to]; string(v) != none {
			visit(p.name, unescaped(v))
		}
	}
}

func unescaped(b []byte) string {
	var l layer
	if bytes.IndexByte(b, '\\') >= 0 && l.unescape(b, `\`) {
		return string(l.text)
	}
	return string(b)
}
