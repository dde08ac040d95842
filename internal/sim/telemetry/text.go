package telemetry

import (
	"fmt"
	"unicode/utf8"
)

// text writes a JSON string as Suricata does: it escapes what JSON must have
// escaped and no slash, and spells bytes that are no UTF-8 as \xHH, with the
// backslash escaped in turn.
func text(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch c := s[0]; {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\\x%02x`, c)
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\b':
			b = append(b, `\b`...)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return append(b, '"')
}
