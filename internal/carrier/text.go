package carrier

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Format characters (category Cf) that show as ink and change nothing else.
var visibleFormat = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x0600, Hi: 0x0605, Stride: 1}, {Lo: 0x06DD, Hi: 0x06DD, Stride: 1}, {Lo: 0x070F, Hi: 0x070F, Stride: 1}, {Lo: 0x0890, Hi: 0x0891, Stride: 1}, {Lo: 0x08E2, Hi: 0x08E2, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x110BD, Hi: 0x110CD, Stride: 0x10}},
}

// hidden says why a reader would not see a character for what it is; "" if
// they would. Such characters are marks of somebody's, attacks on a terminal, or
// accidents: none belongs in a package.
func hidden(r rune) string {
	switch {
	case r >= ' ' && r < 0x7F:
		return "" // nearly all of every file
	case r == 0:
		return "a NUL character"
	case r == '\r':
		return "a carriage return"
	case r == '\u2028' || r == '\u2029':
		return "a line separator that most tools don't know"
	case r != '\n' && r != '\t' && unicode.IsControl(r):
		return "a control character"
	case unicode.Is(unicode.Bidi_Control, r):
		return "a bidirectional control, which shows text in another order than it has"
	case unicode.Is(unicode.Cf, r) && !unicode.Is(visibleFormat, r):
		return "an invisible character"
	case r >= 0xE0100 && r <= 0xE01EF, r >= 0xFE00 && r <= 0xFE0E:
		return "a variation selector, which is invisible"
	}
	return ""
}

// Advice for the one that is common and innocent.
const unixLines = "save the file with Unix line endings (LF)"

// checkText refuses text that isn't plain UTF-8, at most five places of it.
func (c *compiler) checkText(d *document) bool {
	found := 0
	for i := 0; i < len(d.src) && found < 5; {
		r, size := utf8.DecodeRuneInString(d.src[i:])
		what, do := hidden(r), "remove it"
		switch {
		case r == utf8.RuneError && size == 1:
			what, do = "not valid UTF-8", "save the file as UTF-8, or list it under bulk: in "+ManifestPath
		case r == '\r':
			do = unixLines
		case r == 0:
			do = "remove it, or list the file under bulk: in " + ManifestPath
		}
		if what != "" {
			found++
			c.refuse(d.path, i, sprintf("%s (U+%04X)", what, r), do)
			// One message for a run of them, and for all carriage returns.
			if r == '\r' {
				break
			}
			for i < len(d.src) {
				next, n := utf8.DecodeRuneInString(d.src[i:])
				if hidden(next) == "" && (next != utf8.RuneError || n != 1) {
					break
				}
				i += n
			}
			continue
		}
		i += size
	}
	return found == 0
}

// line is a line's bytes in a text, with its end-of-line.
type line struct{ at, end int }

// lines cuts text[from:to], which begins at a line's start.
func lines(text string, from, to int) (out []line) {
	for from < to {
		end := to
		if i := strings.IndexByte(text[from:to], '\n'); i >= 0 {
			end = from + i + 1
		}
		out = append(out, line{from, end})
		from = end
	}
	return out
}
