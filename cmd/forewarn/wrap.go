package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// pageWidth is the most columns that sentences take, however wide a terminal is:
// longer lines are hard to come back from.
const pageWidth = 100

// para prints sentences, broken between words so that no line is wider than the
// terminal or pageWidth. A word that is wider stands alone, whole: it may be a path.
func (a *app) para(format string, args ...any) {
	a.say("%s", wrap(fmt.Sprintf(format, args...), min(a.width(), pageWidth)))
}

// wrap breaks each line of s between words at width columns. A line that begins
// with spaces keeps them, and so does what is broken off it.
func wrap(s string, width int) string {
	var b strings.Builder
	for i, l := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		indent := l[:len(l)-len(strings.TrimLeft(l, " "))]
		at := 0
		for _, word := range strings.Fields(l) {
			n := utf8.RuneCountInString(word)
			switch {
			case at == 0:
				b.WriteString(indent)
				at = len(indent)
			case at+1+n > width:
				b.WriteString("\n" + indent)
				at = len(indent)
			default:
				b.WriteByte(' ')
				at++
			}
			b.WriteString(word)
			at += n
		}
	}
	return b.String()
}
