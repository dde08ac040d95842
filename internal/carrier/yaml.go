package carrier

import (
	"errors"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxYAML is bytes of a YAML text that is parsed. Rules have a few thousand, and
// the parser takes time by the square of a mapping's keys.
const maxYAML = 128 << 10

// parseYAML reads a stream of YAML documents as a list. Anchors and aliases are
// kept as they are written: nothing is expanded.
func parseYAML(data string) (t *tree, err error) {
	if len(data) > maxYAML {
		return nil, &syntaxError{0, sprintf("YAML of %d bytes; at most %d are read", len(data), maxYAML)}
	}
	// The parser has been seen to panic on input that nobody would write. A
	// hostile source must not stop the sealer: it is refused like any other.
	defer func() {
		if recover() != nil {
			t, err = nil, &syntaxError{0, "not YAML that the parser can read"}
		}
	}()
	if at, deep := tooDeep(data); deep {
		return nil, &syntaxError{at, sprintf("values nest deeper than %d", maxDepth)}
	}
	// Looking for duplicate keys is left to table: the parser's way is quadratic.
	file, err := parser.ParseBytes([]byte(data), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlError(data, err)
	}
	p := &yamlReader{data}
	t = &tree{kind: listKind}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		v, err := p.tree(doc.Body, 0)
		if err != nil {
			return nil, err
		}
		t.items = append(t.items, v)
	}
	return t, nil
}

// tooDeep finds where a YAML text nests more than maxDepth, before a recursive
// parser does: a level of flow needs a bracket that the parser's own scanner, which
// doesn't recurse, takes for one; a level of block needs a column of indentation or
// an indicator before the line's first word. Brackets within texts are none.
func tooDeep(data string) (at int, deep bool) {
	flow := 0
	for _, t := range lexer.Tokenize(data) {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > maxDepth {
				return offset(data, t.Position.Line, t.Position.Column), true
			}
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		}
	}
	for _, l := range lines(data, 0, len(data)) {
		indicators := 0
		for i := l.at; i < l.end; i++ {
			b := data[i]
			if b != ' ' && strings.IndexByte("-?:&!*", b) < 0 {
				break
			}
			if b != ' ' {
				indicators++
			}
			if indicators > maxDepth || i-l.at > 4*maxDepth {
				return i, true
			}
		}
	}
	return 0, false
}

func yamlError(data string, err error) *syntaxError {
	var e yaml.Error
	if errors.As(err, &e) && e.GetToken() != nil && e.GetToken().Position != nil {
		pos := e.GetToken().Position
		return &syntaxError{offset(data, pos.Line, pos.Column), e.GetMessage()}
	}
	return &syntaxError{0, "not YAML: " + quote(err.Error())}
}

// ambiguous are unquoted scalars that some reader doesn't take for text: what
// YAML 1.1 and 1.2 resolve to a truth value, null, number, time or merge key.
var ambiguous = regexp.MustCompile(`(?i)^(y|yes|n|no|true|false|on|off|null|~|<<|=` +
	`|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])*(\.[0-9_]*)?(e[-+]?[0-9]+)?|[-+]?\.[0-9_]+(e[-+]?[0-9]+)?|[-+]?\.inf|\.nan` +
	`|[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-f_]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([t \t].*)?)$`)

// offset is the byte offset of a line and column, both from 1, in characters.
func offset(text string, line, col int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	for i := range text[at:] {
		if col--; col <= 0 {
			return at + i
		}
	}
	return len(text)
}

// yamlReader makes trees of parsed nodes.
type yamlReader struct{ data string }

func (p *yamlReader) tree(n ast.Node, depth int) (*tree, error) {
	t := &tree{}
	var tok *token.Token
	if n != nil {
		tok = n.GetToken()
	}
	if tok != nil && tok.Position != nil {
		t.line, t.col = tok.Position.Line, tok.Position.Column
	}
	if depth > maxDepth {
		return nil, &syntaxError{0, sprintf("values nest deeper than %d", maxDepth)}
	}
	switch v := n.(type) {
	case nil:
		t.text = "null"
	case *ast.StringNode:
		t.kind, t.text = stringKind, v.Value
		if tok.Type == token.StringType && ambiguous.MatchString(v.Value) {
			t.kind, t.text, t.written = plainKind, "ambiguous "+v.Value, v.Value
		}
	case *ast.LiteralNode:
		t.kind, t.text = stringKind, v.Value.Value
	case *ast.MappingNode:
		return p.table(t, v.Values, depth)
	case *ast.MappingValueNode:
		return p.table(t, []*ast.MappingValueNode{v}, depth)
	case *ast.SequenceNode:
		t.kind = listKind
		for _, e := range v.Values {
			item, err := p.tree(e, depth+1)
			if err != nil {
				return nil, err
			}
			t.items = append(t.items, item)
		}
	case *ast.AnchorNode:
		return p.wrapped(t, "&", v.Name, v.Value, depth)
	case *ast.TagNode:
		return p.wrapped(t, "!", v, v.Value, depth)
	default:
		// Numbers, truth values, null, aliases, merge keys: as written, with the
		// kind, so that a string never passes for one of them.
		t.text, t.written = n.Type().String()+" "+n.String(), n.String()
	}
	if t.kind == stringKind {
		if what := hiddenIn(t.text); what != "" {
			return nil, &syntaxError{0, "a string stands for " + what}
		}
	}
	return t, nil
}

// wrapped keeps an anchor or tag next to what it belongs to.
func (p *yamlReader) wrapped(t *tree, sign string, name ast.Node, value ast.Node, depth int) (*tree, error) {
	inner, err := p.tree(value, depth+1)
	if err != nil {
		return nil, err
	}
	t.kind = tableKind
	label := ""
	if name != nil && name.GetToken() != nil {
		label = name.GetToken().Value
	}
	t.keys, t.items = []string{sign + label}, []*tree{inner}
	return t, nil
}

func (p *yamlReader) table(t *tree, values []*ast.MappingValueNode, depth int) (*tree, error) {
	t.kind = tableKind
	seen := map[string]bool{}
	for _, kv := range values {
		key, err := p.tree(kv.Key, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := p.tree(kv.Value, depth+1)
		if err != nil {
			return nil, err
		}
		name := key.text
		if key.kind != stringKind {
			name = key.essence(func([]string) treatment { return fixed })
		}
		if seen[name] {
			return nil, &syntaxError{offset(p.data, key.line, key.col), sprintf("the key %s occurs twice", quote(name))}
		}
		seen[name] = true
		v.keyLine, v.keyCol = key.line, key.col
		if len(t.keys) == 0 {
			t.line, t.col = key.line, key.col
		}
		t.keys, t.items = append(t.keys, name), append(t.items, v)
	}
	return t, nil
}

func yamlEssence(data string) (string, error) {
	return treeEssence(parseYAML, data, func([]string) treatment { return free })
}

func sigmaEssence(data string) (string, error) { return treeEssence(parseYAML, data, sigmaRule) }

// sigmaRule says what may differ between copies of a Sigma rule: the fields that
// the specification leaves to people, and the rule's own identifier. Values of a
// list are alternatives, all of a mapping's keys must match, and neither has an
// order; a correlation's may.
func sigmaRule(path []string) treatment {
	if len(path) < 2 {
		return fixed
	}
	switch path[1] { // path[0] is the document in the stream
	case "correlation":
		return ordered
	case "title", "description", "falsepositives", "id", "references":
		return free
	}
	return fixed
}
