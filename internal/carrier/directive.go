package carrier

import "strings"

// blockKind is what a block's items are.
type blockKind uint8

const (
	noBlock      blockKind = iota
	orderBlock             // lines or paragraphs, in any order
	factsBlock             // sentences of one paragraph, in any order
	exampleBlock           // paragraphs of which one is shown
)

func (k blockKind) String() string {
	return [...]string{"no block", "an order block", "a block of facts", "a block of examples"}[k]
}

// block is one that is being read.
type block struct {
	kind blockKind
	at   int    // of the directive that opens it
	by   string // who vouches for examples
	cuts []line // between examples
}

// opensBlock says what a line opens. Facts and examples are for running text: in
// a rule, a comment that reads "# facts" is a comment.
func (d *document) opensBlock(s string) (kind blockKind, by string) {
	dir := d.format.directives
	if among(dir.opens, s) {
		return orderBlock, ""
	}
	if !d.format.prose {
		return noBlock, ""
	}
	switch word, rest, _ := strings.Cut(dir.word(s), ":"); {
	case word == "facts" && s == dir.comment("facts"):
		return factsBlock, ""
	case word == "example" && (s == dir.comment("example") || s == dir.comment("example:"+rest)):
		return exampleBlock, strings.TrimSpace(rest)
	}
	return noBlock, ""
}

// nearlyOpens reports whether a line looks as if a directive was meant.
func (d *document) nearlyOpens(s string) bool {
	if kind, _ := d.opensBlock(s); kind != noBlock || nearly(d.format.directives.opens, s) {
		return kind == noBlock
	}
	if !d.format.prose || d.format.directives.word(s) == "" {
		return false
	}
	word := strings.ToLower(strings.TrimSpace(d.format.directives.word(s)))
	return word == "facts" || word == "example" || word == "or" || strings.HasPrefix(word, "example:")
}

// comment is a comment line of the format, as the first of its directives is
// written.
func (dir directives) comment(word string) string {
	return strings.Replace(dir.opens[0], "order", word, 1)
}

// word is what stands in a comment line, or "".
func (dir directives) word(s string) string {
	before, after, _ := strings.Cut(dir.opens[0], "order")
	rest, ok := strings.CutPrefix(s, strings.TrimSpace(before))
	if !ok {
		return ""
	}
	if rest, ok = strings.CutSuffix(rest, strings.TrimSpace(after)); !ok {
		return ""
	}
	return strings.TrimSpace(rest)
}

// or is the line between two examples.
func (dir directives) or() string { return dir.comment("or") }
