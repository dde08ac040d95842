package sighting

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes hostile bytes fit to show, on a terminal or a page: what a
// terminal would obey, what would reorder or hide text, and what is no UTF-8
// is spelled out as less does it, <1B> for a byte and <U+202E> for a
// character. The result has no line breaks and is valid UTF-8. It is for eyes:
// it isn't escaped for HTML, and can't be read back.
func Printable(raw []byte) string {
	var out strings.Builder
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
			fmt.Fprintf(&out, "<%02X>", raw[0])
		case !unicode.IsPrint(r), hides(r):
			fmt.Fprintf(&out, "<U+%04X>", r)
		default:
			out.WriteRune(r)
		}
		raw = raw[n:]
	}
	return out.String()
}

// hides are characters that Unicode counts as printable and that show nothing,
// or that pile up on others without end. (Controls, directional formatting and
// zero-width characters are not printable to begin with.)
func hides(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
