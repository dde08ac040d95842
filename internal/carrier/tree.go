package carrier

import (
	"slices"
	"strconv"
	"strings"
)

// tree is a parsed JSON or YAML value, as far as copies are compared.
type tree struct {
	kind    treeKind
	text    string // of a string, decoded; of another scalar, its kind and what is written
	written string // YAML: another scalar as written
	keys    []string
	items   []*tree // of a list; of a table, by key

	at, end         int // JSON: bytes of the parsed text that it covers
	line, col       int // YAML: where it begins, from 1
	keyLine, keyCol int // YAML: where its key begins
}

type treeKind uint8

const (
	plainKind  treeKind = iota // a number, truth value, null, alias
	stringKind                 // text
	listKind
	tableKind
)

// get is a table's value, or nil.
func (t *tree) get(key string) *tree {
	if t == nil || t.kind != tableKind {
		return nil
	}
	if i := slices.Index(t.keys, key); i >= 0 {
		return t.items[i]
	}
	return nil
}

// syntaxError is a text that a parser refuses.
type syntaxError struct {
	at   int // byte offset in the parsed text
	what string
}

func (e *syntaxError) Error() string { return e.what }

// treatment is what a rule of comparison says about a value.
type treatment uint8

const (
	fixed   treatment = iota // the same in all copies; lists in any order
	free                     // a string that people read
	ordered                  // the same in all copies, below and in order
)

// essence writes a tree so that two are written alike exactly when they are the
// same to a reader: keys sorted, lists sorted unless ordered, free strings
// blanked. The rule is asked for every value, with its path; list elements are
// "*" in it.
func (t *tree) essence(rule func(path []string) treatment) string {
	var b strings.Builder
	t.write(&b, nil, rule, false)
	return b.String()
}

func (t *tree) write(b *strings.Builder, path []string, rule func([]string) treatment, inOrder bool) {
	how := rule(path)
	inOrder = inOrder || how == ordered
	switch t.kind {
	case plainKind:
		b.WriteString("=" + t.text)
	case stringKind:
		if how == free && !inOrder {
			b.WriteString("*")
			return
		}
		b.WriteString(strconv.Quote(t.text))
	default:
		parts := make([]string, len(t.items))
		for i, v := range t.items {
			var e strings.Builder
			step := "*"
			if t.kind == tableKind {
				step = t.keys[i]
				e.WriteString(strconv.Quote(step) + ":")
			}
			v.write(&e, append(path[:len(path):len(path)], step), rule, inOrder)
			parts[i] = e.String()
		}
		if t.kind == tableKind || !inOrder {
			slices.Sort(parts)
		}
		brackets := [...]string{listKind: "[]", tableKind: "{}"}[t.kind]
		b.WriteString(brackets[:1] + strings.Join(parts, ",") + brackets[1:])
	}
}
