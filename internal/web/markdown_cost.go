package web

import (
	"bytes"
	"errors"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	goldtext "github.com/yuin/goldmark/text"
)

// What a text may cost. The parser is linear over what people write, and for what is made
// to cost it takes time that grows with the square of a text, or fills memory: within a
// paragraph for each sign that could be markup it may look at all of the rest; each line
// goes through all the quotes and lists that it stands in; and a table's rows have as many
// cells as its head, there or not. Each of these is counted before. A text that is above one
// of them is offered as a file, like one that is too long. What people write is far
// below: a paragraph of four thousand letters with two hundred signs comes to a fiftieth.
const (
	mostDeep  = 100        // quotes and lists that one line begins in, an indentation of two columns counted as one
	mostCells = 40_000     // of all tables
	mostSigns = 40_000_000 // of all paragraphs: a paragraph's signs times its bytes
	mostHTML  = 16 * longestProse
)

// outline parses blocks alone, and no markup within them.
var outline = goldmark.New(goldmark.WithParser(parser.NewParser(
	parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
)), goldmark.WithExtensions(tables))

// costly reports whether a text would cost too much, in a time that grows as its length.
func costly(source []byte) bool {
	if deep(source) || tableCells(source) > mostCells {
		return true
	}
	signs := 0
	root := outline.Parser().Parse(goldtext.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering || n.Type() != ast.TypeBlock || n.IsRaw() {
			return ast.WalkContinue, nil
		}
		size, of := 0, 0
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			text := line.Value(source)
			size += len(text)
			for _, c := range text {
				if strings.IndexByte("[]()<>*_~!`\\", c) >= 0 {
					of++
				}
			}
		}
		signs += size * of
		return ast.WalkContinue, nil
	})
	return signs > mostSigns
}

// leads is what a line's quotes and lists begin with.
const leads = " \t>-+*.)0123456789"

// deep reports whether a line begins in more quotes and lists than mostDeep.
func deep(source []byte) bool {
	for line := range bytes.Lines(source) {
		lead := line[:len(line)-len(bytes.TrimLeft(line, leads))]
		columns, marks := 0, bytes.Count(lead, []byte(">"))
		for i, c := range lead {
			switch {
			case c == ' ':
				columns++
			case c == '\t':
				columns += 4
			case c != '>' && (c < '0' || c > '9') && i+1 < len(line) && strings.IndexByte(" \t\n", line[i+1]) >= 0:
				marks++
			}
		}
		if marks+columns/2 > mostDeep {
			return true
		}
	}
	return false
}

// tableCells is how many cells the tables of a text can have: as many in each line as what
// could be the rule below a head has columns.
func tableCells(source []byte) (n int) {
	columns, lines := 0, 0
	for line := range bytes.Lines(source) {
		switch rest := bytes.Trim(line, leads+"|:\n"); {
		case len(bytes.TrimSpace(line)) == 0:
			n, columns, lines = n+columns*lines, 0, 0
			continue
		case len(rest) == 0 && bytes.IndexByte(line, '-') >= 0:
			columns = max(columns, bytes.Count(line, []byte("|"))+1)
		}
		lines++
	}
	return n + columns*lines
}

// errCostly: what is rendered is longer than any honest text comes to, as where a long
// title is referred to again and again.
var errCostly = errors.New("the text comes to too much")

// sparing is a page that has room for so many bytes.
type sparing struct {
	bytes.Buffer
	room int
}

func (s *sparing) Write(b []byte) (int, error) {
	if s.room -= len(b); s.room < 0 {
		return 0, errCostly
	}
	return s.Buffer.Write(b)
}
