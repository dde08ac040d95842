package suggest

import (
	"path"
	"regexp"
	"strings"

	"forewarn/internal/carrier"
)

// prose is a file of which parts are running text that may be marked.
type prose struct {
	path  string
	src   string
	taken []bool // by byte: not running text, or marked already
	words []word
	lists [][2]int // bullets, by line: from and to
}

// word is a word of running text; at and end are bytes.
type word struct {
	at, end int
	text    string // in small letters
}

// legal are files whose wording is somebody else's, or binding.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|notice|copying|copyright|drl|terms)`)

// readProse looks at a file; nil if it isn't prose that may be worded in another
// way.
func readProse(name, src string) *prose {
	if !carrier.IsProse(name, src) || legal.MatchString(path.Base(name)) {
		return nil
	}
	p := &prose{path: name, src: src, taken: make([]bool, len(src))}
	p.takeLines()
	for _, r := range taken {
		for _, m := range r.FindAllStringIndex(src, -1) {
			p.take(m[0], m[1])
		}
	}
	for _, m := range wordForm.FindAllStringIndex(src, -1) {
		p.words = append(p.words, word{m[0], m[1], strings.ToLower(src[m[0]:m[1]])})
	}
	return p
}

func (p *prose) take(from, to int) {
	for i := from; i < to; i++ {
		p.taken[i] = true
	}
}

func (p *prose) free(from, to int) bool {
	for i := from; i < to; i++ {
		if p.taken[i] {
			return false
		}
	}
	return true
}

var (
	wordForm = regexp.MustCompile(`[\pL\pN][\pL\pN'’-]*`)

	// What inside a line is no running text: marks, code, comments, targets of
	// links, addresses, quotations, and whatever looks like an identifier.
	taken = []*regexp.Regexp{
		regexp.MustCompile(`\{\{[^\n]*?\}\}|\{\{\{\{`),
		regexp.MustCompile("`+[^`\n]*`+"),
		regexp.MustCompile(`<[^>\n]*>`),
		regexp.MustCompile(`\]\([^)\n]*\)|\[[^\]\n]*\]:[^\n]*`),
		regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^ \n]*`),
		regexp.MustCompile(`"[^"\n]*"|“[^”\n]*”|‘[^’\n]*’`),
		regexp.MustCompile(`[^ \n]*[_/\\@$=#%&~^+<>|{}][^ \n]*`),
		regexp.MustCompile(`[^ \n]*[0-9A-Za-z][.:][0-9A-Za-z][^ \n]*`),
	}

	bullet   = regexp.MustCompile(`^[-*+] +\S`)
	numbered = regexp.MustCompile(`^[0-9]+[.)] `)
	fence    = regexp.MustCompile("^ {0,3}(```+|~~~+)")
	opens    = regexp.MustCompile(`^(<!--|#) *(order|facts|example\b.*?) *(-->)?$`)
	closes   = regexp.MustCompile(`^(<!-- end -->|# end)$`)
)

// takeLines takes whole lines: headings, quotations, tables, code, comments,
// blocks that are marked, the front matter. It notes runs of bullets.
func (p *prose) takeLines() {
	fenced, block := "", false
	comment, front := false, strings.HasPrefix(p.src, "---\n")
	list := -1
	at, n := 0, 0
	endList := func(to int) {
		if list >= 0 {
			p.lists = append(p.lists, [2]int{list, to})
		}
		list = -1
	}
	for line := range strings.Lines(p.src) {
		from, to := at, at+len(line)
		at = to
		n++
		s := strings.TrimSpace(line)
		if m := fence.FindStringSubmatch(line); m != nil && !block {
			if fenced == "" {
				fenced = m[1][:3]
			} else if fenced == m[1][:3] {
				fenced = ""
			}
			p.take(from, to)
			endList(from)
			continue
		}
		whole := fenced != "" || block || comment || front
		switch {
		case front && n > 1 && s == "---":
			front = false
		case fenced == "" && opens.MatchString(s):
			block, whole = true, true
		case block && closes.MatchString(s):
			block = false
		case strings.HasPrefix(s, "<!--") && !strings.Contains(s, "-->"):
			comment, whole = true, true
		case comment && strings.Contains(s, "-->"):
			comment = false
		case strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t"):
			whole = true
		case s != "" && (strings.IndexByte("#>|", s[0]) >= 0 || numbered.MatchString(s)):
			whole = true
		}
		switch {
		case !whole && bullet.MatchString(line):
			if list < 0 {
				list = from
			}
		case list >= 0 && !whole && strings.HasPrefix(line, "  ") && s != "":
			// more of the item above
		default:
			endList(from)
		}
		if whole {
			p.take(from, to)
		}
	}
	endList(len(p.src))
}
