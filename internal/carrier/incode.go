package carrier

import (
	"path"
	"slices"
	"strings"
)

// Where marks may stand in code: inside a string or a comment. Elsewhere a choice
// would be another name, or another statement.

// language is how a family of languages writes strings and comments, as far as it
// takes to tell what a mark stands in. Strings end with their line unless they are
// among the blocks.
type language struct {
	line   []string    // begin a comment up to the end of the line
	block  [][2]string // begin and end what may go over lines
	quotes string
}

var (
	pythonCode = &language{line: []string{"#"}, block: [][2]string{{`"""`, `"""`}, {"'''", "'''"}}, quotes: `"'`}
	shellCode  = &language{line: []string{"#"}, quotes: `"'`}
	powerCode  = &language{line: []string{"#"}, block: [][2]string{{"<#", "#>"}, {`@"`, "\n\"@"}, {"@'", "\n'@"}}, quotes: `"'`}
	slashCode  = &language{line: []string{"//"}, block: [][2]string{{"/*", "*/"}, {`"""`, `"""`}}, quotes: `"'`}
	tickCode   = &language{line: []string{"//"}, block: [][2]string{{"/*", "*/"}, {"`", "`"}}, quotes: `"'`}
	phpCode    = &language{line: []string{"//", "#"}, block: [][2]string{{"/*", "*/"}}, quotes: `"'`}
	otherCode  = &language{line: []string{"//", "#"}, block: [][2]string{{"/*", "*/"}}, quotes: `"'`}
)

func languageOf(name string) *language {
	switch strings.ToLower(path.Ext(name)) {
	case ".py":
		return pythonCode
	case ".sh", ".rb", ".pl":
		return shellCode
	case ".ps1":
		return powerCode
	case ".c", ".java":
		return slashCode
	case ".js", ".go":
		return tickCode
	case ".php":
		return phpCode
	}
	return otherCode
}

// quotedIn lists the stretches of a text that are inside a string or a comment,
// by where they begin and end. It is a scanner and no parser: an odd quote in a
// regular expression may mislead it up to the end of its line.
func (l *language) quotedIn(text string) (out [][2]int) {
	for i := 0; i < len(text); {
		from, end, raw, over := i, "", false, true
		switch b, c := l.opensBlock(text[i:]), l.opensLine(text, i); {
		case b != nil:
			from, end, raw = i+len(b[0]), b[1], b[0] != `"""` && b[0] != "'''"
		case c != "":
			from, end, raw = i+len(c), "\n", true
		case strings.IndexByte(l.quotes, text[i]) >= 0:
			from, end, over = i+1, text[i:i+1], false
		case text[i] == '\\':
			i += 2
			continue
		default:
			i++
			continue
		}
		i = from
		for i < len(text) && !strings.HasPrefix(text[i:], end) && (over || text[i] != '\n') {
			if text[i] == '\\' && !raw && i+1 < len(text) && (over || text[i+1] != '\n') {
				i++
			}
			i++
		}
		i = min(i, len(text))
		out = append(out, [2]int{from, i})
		if strings.HasPrefix(text[i:], end) {
			i += len(end)
		}
	}
	return out
}

func (l *language) opensBlock(s string) *[2]string {
	for i := range l.block {
		if strings.HasPrefix(s, l.block[i][0]) {
			return &l.block[i]
		}
	}
	return nil
}

// opensLine finds a line comment. A # within a word begins none in a shell.
func (l *language) opensLine(text string, i int) string {
	for _, c := range l.line {
		if strings.HasPrefix(text[i:], c) && (c != "#" || i == 0 || strings.IndexByte(" \t\n", text[i-1]) >= 0) {
			return c
		}
	}
	return ""
}

// checkInCode refuses a choice of code that stands outside of strings and comments,
// and values anywhere in code: their ways differ in digits, which programs read. A
// token may stand anywhere, as the word of a command line: it is the author's to
// place, and every copy has one of the same form.
func (c *compiler) checkInCode(d *document, m inline) bool {
	if !d.format.words {
		return true
	}
	if m.fact != nil {
		c.refuse(d.path, m.at, sprintf("a %s in code", m.fact.name), "write the value out: a program may read it")
		return false
	}
	if d.quoted == nil {
		d.quoted = languageOf(d.path).quotedIn(d.src)
	}
	i, _ := slices.BinarySearchFunc(d.quoted, m.at, func(q [2]int, at int) int { return q[1] - at })
	if i < len(d.quoted) && d.quoted[i][0] <= m.at {
		return true
	}
	c.refuse(d.path, m.at, "a choice in code outside of a string or a comment", "keep marks inside quotes or comments; elsewhere they would change what the program does")
	return false
}
