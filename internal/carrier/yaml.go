package carrier

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxYAML is bytes of a YAML text that is parsed. Rules have a few thousand.
const maxYAML = 1 << 20

// parseYAML reads a stream of YAML documents as a list. Anchors and aliases are
// kept as they are written: nothing is expanded.
func parseYAML(data string) (t *tree, err error) {
	if len(data) > maxYAML {
		return nil, &syntaxError{0, sprintf("YAML of %d bytes; at most %d are read", len(data), maxYAML)}
	}
	if at, deep := tooDeep(data); deep {
		return nil, &syntaxError{at, sprintf("values nest deeper than %d", maxDepth)}
	}
	// The parser has been seen to panic on input that nobody would write. A
	// hostile source must not stop the sealer: it is refused like any other.
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, &syntaxError{0, "not YAML that the parser can read"}
		}
	}()
	file, err := parser.ParseBytes([]byte(data), 0)
	if err != nil {
		return nil, yamlError(data, err)
	}
	t = &tree{kind: listKind}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		v, err := yamlTree(doc.Body, 0)
		if err != nil {
			return nil, err
		}
		t.items = append(t.items, v)
	}
	return t, nil
}

// tooDeep finds where a YAML text nests more than maxDepth, before a recursive
// parser does: a level of flow needs a bracket, a level of block needs a column
// of indentation or an indicator before the line's first word.
func tooDeep(data string) (at int, deep bool) {
	flow := 0
	for _, l := range lines(data, 0, len(data)) {
		lead, indicators := true, 0
		for i := l.at; i < l.end; i++ {
			switch b := data[i]; {
			case b == '[' || b == '{':
				if flow++; flow > maxDepth {
					return i, true
				}
			case b == ']' || b == '}':
				flow = max(0, flow-1)
			case lead && strings.IndexByte("-?:&!*", b) >= 0:
				if indicators++; indicators > maxDepth {
					return i, true
				}
			}
			if b := data[i]; lead && b != ' ' && strings.IndexByte("-?:&!*", b) < 0 {
				lead = false
			}
			if lead && i-l.at > 4*maxDepth {
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

// yamlTree makes a tree of a parsed node.
func yamlTree(n ast.Node, depth int) (*tree, error) {
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
	case *ast.LiteralNode:
		t.kind, t.text = stringKind, v.Value.Value
	case *ast.MappingNode:
		return yamlTable(t, v.Values, depth)
	case *ast.MappingValueNode:
		return yamlTable(t, []*ast.MappingValueNode{v}, depth)
	case *ast.SequenceNode:
		t.kind = listKind
		for _, e := range v.Values {
			item, err := yamlTree(e, depth+1)
			if err != nil {
				return nil, err
			}
			t.items = append(t.items, item)
		}
	case *ast.AnchorNode:
		return yamlWrapped(t, "&", v.Name, v.Value, depth)
	case *ast.TagNode:
		return yamlWrapped(t, "!", v, v.Value, depth)
	default:
		// Numbers, truth values, null, aliases, merge keys: as written, with the
		// kind, so that a string never passes for one of them.
		t.text = n.Type().String() + " " + n.String()
	}
	if t.kind == stringKind {
		if what := hiddenIn(t.text); what != "" {
			return nil, &syntaxError{0, "a string stands for " + what}
		}
	}
	return t, nil
}

// yamlWrapped keeps an anchor or tag next to what it belongs to.
func yamlWrapped(t *tree, sign string, name ast.Node, value ast.Node, depth int) (*tree, error) {
	inner, err := yamlTree(value, depth+1)
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

func yamlTable(t *tree, values []*ast.MappingValueNode, depth int) (*tree, error) {
	t.kind = tableKind
	for _, kv := range values {
		key, err := yamlTree(kv.Key, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := yamlTree(kv.Value, depth+1)
		if err != nil {
			return nil, err
		}
		name := key.text
		if key.kind != stringKind {
			name = key.essence(func([]string) treatment { return fixed })
		}
		v.keyLine, v.keyCol = key.line, key.col
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
