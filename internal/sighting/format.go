package sighting

import "bytes"

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
	for f, row := range formats {
		if !p.decided && row.opens(body) || row.certain(body) {
			p.sum.Format, p.layout = Format(f), row.layout()
			break
		}
	}
	if !p.decided {
		p.unread(body)
	}
	if p.decided = true; p.sum.Format != was {
		p.wait.forget(p) // lines before the format was known
	}
}

// unread tells of text that needs something done to it first.
func (p *pass) unread(body []byte) {
	for _, row := range []struct{ begins, what, first string }{
		{"\xff\xfe", "the text is UTF-16, which isn't read", "convert it to UTF-8 first"},
		{"\xfe\xff", "the text is UTF-16, which isn't read", "convert it to UTF-8 first"},
		{string(gzipMagic), "the text is gzip once more, which isn't undone", "decompress it first"},
	} {
		if bytes.HasPrefix(body, []byte(row.begins)) {
			p.problem(Problem{Line: p.sum.Lines, Offset: p.base, Class: ErrMalformed, What: row.what,
				Kept: "its bytes are searched as they stand; " + row.first})
		}
	}
}
