package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"unicode/utf16"
)

// encoded tests for a value in an encoding. The case of what was encoded counts,
// and so does that of base64.
func (m *modifiers) encoded(s string) (value, error) {
	runs, _ := parsePattern(s).runs()
	if len(runs) > 1 {
		return value{}, unsupported("a wildcard with the modifier %q", m.encode[0])
	}
	texts := [][]byte{[]byte(runs[0])}
	done := ""
	for _, how := range m.encode {
		if done != "" {
			return value{}, unsupported("the modifier %q after %q", how, done)
		}
		var next [][]byte
		for _, b := range texts {
			switch how {
			case "wide", "utf16", "utf16be":
				var out []byte
				if how == "utf16" {
					out = append(out, 0xff, 0xfe) // the mark of its byte order
				}
				for _, u := range utf16.Encode([]rune(string(b))) {
					if how == "utf16be" {
						out = binary.BigEndian.AppendUint16(out, u)
					} else {
						out = binary.LittleEndian.AppendUint16(out, u)
					}
				}
				next = append(next, out)
			case "base64":
				next = append(next, []byte(base64.StdEncoding.EncodeToString(b)))
				done = how
			case "base64offset":
				next = append(next, offsets(b)...)
				done = how
			}
		}
		texts = next
	}
	if done == "" {
		return value{}, unsupported("the modifier %q without base64 or base64offset", m.encode[0])
	}
	cased := *m
	cased.cased = true
	var out value
	for _, t := range texts {
		var p pattern
		for _, r := range string(t) {
			p = append(p, letter{r: r})
		}
		out.any = append(out.any, cased.pattern(p, m.place))
	}
	out.needles = anyNeedles(out.any)
	out.instance, out.hasOne = out.any[0].instance, true
	return out, nil
}

// offsets is what base64 holds of a text wherever the text begins in what was
// encoded: three texts, without the characters that its neighbours decide too.
func offsets(b []byte) [][]byte {
	var out [][]byte
	for i := range 3 {
		e := base64.StdEncoding.EncodeToString(append(make([]byte, i), b...))
		first := []int{0, 2, 3}[i]
		cut := []int{0, 3, 2}[(i+len(b))%3]
		if first < len(e)-cut {
			out = append(out, []byte(e[first:len(e)-cut]))
		}
	}
	return out
}
