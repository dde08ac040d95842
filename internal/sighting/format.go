package sighting

import (
	"bytes"
	"fmt"
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
// still turns into another when a line can be nothing else.
func (p *pass) decide(body []byte) {
	if len(body) == 0 || p.decided && p.sum.Format != Plain {
		return
	}
	was := p.sum.Format
	if f, ok := formatOf(body, !p.decided); ok {
		p.sum.Format, p.layout = f, formats[f].layout()
	}
	if !p.decided {
		p.unread(body)
	}
	if p.decided = true; p.sum.Format != was {
		p.wait.forget(p) // lines before the format was known
	}
}

// unread tells of compression too deep to be undone.
func (p *pass) unread(body []byte) {
	if q := packingOf(body); q != nil && !p.AsItIs && p.src.raw.Load() == 0 {
		p.problem(Problem{Line: p.sum.Lines, Offset: p.base, Class: ErrMalformed,
			What: fmt.Sprintf("the text is %s once more, which isn't undone", q.name),
			Kept: "its bytes are searched as they stand; decompress it first"})
	}
}
