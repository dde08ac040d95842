package wear

import (
	"math/rand/v2"
	"strings"
	"unicode"

	"forewarn/internal/form"
)

func paste(_ *rand.Rand, copies [][]form.Output) Worn {
	var b strings.Builder
	for _, o := range copies[0] {
		for _, line := range strings.Split(string(o.Data), "\n") {
			b.WriteString(strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), " \r"))
			b.WriteByte('\n')
		}
	}
	return Worn{[]form.Specimen{{Name: "paste", Data: []byte(b.String())}}, whole(copies[0])}
}

// reflow fills paragraphs anew. A long word that doesn't fit is broken with a hyphen
// half of the time.
func reflow(dice *rand.Rand, _, s string) string {
	width := 48 + dice.IntN(48)
	var b strings.Builder
	col := 0
	put := func(w string) {
		if col == 0 {
			b.WriteString("> ")
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(w)
		col += len(w) + 1
	}
	for _, paragraph := range strings.Split(s, "\n\n") {
		for _, w := range strings.Fields(paragraph) {
			if col+len(w) > width {
				if r := []rune(w); len(r) >= 7 && letters(r[:6]) && dice.IntN(2) == 0 {
					at := 3 + dice.IntN(3)
					put(string(r[:at]) + "-")
					w = string(r[at:])
				}
				b.WriteString("\r\n")
				col = 0
			}
			put(w)
		}
		b.WriteString("\r\n>\r\n")
		col = 0
	}
	return b.String()
}

func letters(w []rune) bool {
	for _, r := range w {
		if !unicode.IsLetter(r) {
			return false
		}
	}
	return true
}

// fold changes the case of everything and the make of quotes and dashes.
func fold(dice *rand.Rand, _, s string) string {
	if dice.IntN(2) == 0 {
		s = strings.ToUpper(s)
	} else {
		s = strings.ToLower(s)
	}
	if dice.IntN(2) == 0 {
		return strings.NewReplacer(`"`, "”", "'", "’", " - ", " – ", "...", "…", "--", "—").Replace(s)
	}
	return strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'", "–", "-", "—", "--", "…", "...").Replace(s)
}

// unpunctuated drops what is neither letter, digit nor space. A dash or slash
// within a word leaves the two halves apart.
func unpunctuated(_ *rand.Rand, _, s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsSpace(r), unicode.IsMark(r):
			return r
		case r == '-' || r == '/' || r == '_' || r == '.':
			return ' '
		}
		return -1
	}, s)
}
