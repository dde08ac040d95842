package carrier

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep values nest. Published formats need a dozen.
const maxDepth = 100

// parseJSON reads one JSON value, with the place of each part. Keys that occur
// twice are refused: readers don't agree on which counts.
func parseJSON(data string) (*tree, error) {
	p := jsonParser{data: data, dec: json.NewDecoder(strings.NewReader(data))}
	p.dec.UseNumber()
	t, err := p.value(0)
	if err == nil {
		if _, err = p.dec.Token(); err == io.EOF {
			return t, nil
		}
		if err == nil {
			err = &syntaxError{int(p.dec.InputOffset()), "something follows the end of the value"}
		}
	}
	var syntax *syntaxError
	if s, ok := err.(*syntaxError); ok {
		syntax = s
	} else if s, ok := err.(*json.SyntaxError); ok {
		syntax = &syntaxError{max(int(s.Offset)-1, 0), s.Error()}
	} else {
		syntax = &syntaxError{len(data), "the text ends inside a value"}
	}
	return nil, syntax
}

type jsonParser struct {
	data string
	dec  *json.Decoder
}

// next reads a token and where it begins.
func (p *jsonParser) next() (t json.Token, at int, err error) {
	at = int(p.dec.InputOffset())
	for at < len(p.data) && strings.IndexByte(" \t\r\n,:", p.data[at]) >= 0 {
		at++
	}
	t, err = p.dec.Token()
	return t, at, err
}

func (p *jsonParser) value(depth int) (*tree, error) {
	tok, at, err := p.next()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, &syntaxError{at, sprintf("values nest deeper than %d", maxDepth)}
	}
	t := &tree{at: at}
	switch v := tok.(type) {
	case json.Delim:
		t.kind = listKind
		if v == '{' {
			t.kind = tableKind
		}
		if err := p.inside(t, depth); err != nil {
			return nil, err
		}
	case string:
		t.kind, t.text = stringKind, v
		if r := hiddenIn(v); r != "" {
			return nil, &syntaxError{at, "a string stands for " + r}
		}
	case json.Number:
		t.text = v.String()
	case bool:
		t.text = strconv.FormatBool(v)
	default:
		t.text = "null"
	}
	t.end = int(p.dec.InputOffset())
	return t, nil
}

func (p *jsonParser) inside(t *tree, depth int) error {
	seen := map[string]bool{}
	for p.dec.More() {
		if t.kind == tableKind {
			k, at, err := p.next()
			if err != nil {
				return err
			}
			key, _ := k.(string)
			if seen[key] {
				return &syntaxError{at, sprintf("the key %s occurs twice", quote(key))}
			}
			seen[key] = true
			t.keys = append(t.keys, key)
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		t.items = append(t.items, v)
	}
	_, _, err := p.next()
	return err
}

// hiddenIn is hidden for a decoded string: an escape may stand for what the
// source itself may not hold. Line ends are common in JSON texts.
func hiddenIn(s string) string {
	for _, r := range s {
		if what := hidden(r); what != "" && r != '\r' {
			return sprintf("%s (U+%04X)", what, r)
		}
	}
	return ""
}

// jsonText is what an alternative inside a JSON string stands for. It must be a
// string's inside by itself, so that no alternative lends an escape to its
// neighbours.
func jsonText(raw string) (text, what string) {
	if err := json.Unmarshal([]byte(`"`+raw+`"`), &text); err != nil {
		return "", sprintf("%s isn't the inside of a JSON string: write \\\" for a quote and \\\\ for a backslash", quote(raw))
	}
	if strings.ContainsRune(text, utf8.RuneError) {
		return "", sprintf("%s stands for half a character", quote(raw))
	}
	if hidden := hiddenIn(text); hidden != "" {
		return "", sprintf("%s stands for %s", quote(raw), hidden)
	}
	return text, ""
}

func jsonEssence(data string) (string, error) {
	return treeEssence(parseJSON, data, func([]string) treatment { return free })
}

func csafEssence(data string) (string, error) { return treeEssence(parseJSON, data, csafRule) }

func treeEssence(parse func(string) (*tree, error), data string, rule func([]string) treatment) (string, error) {
	t, err := parse(data)
	if err != nil {
		return "", err
	}
	return t.essence(rule), nil
}

// csafRule says what may differ between copies of a CSAF 2.0 document: what
// section 3 of the standard calls text for people. The tracking object tells
// readers' tools which document this is, so nothing in it moves.
func csafRule(path []string) treatment {
	if len(path) >= 2 && path[0] == "document" && path[1] == "tracking" {
		return ordered
	}
	if len(path) < 2 || path[0] == "product_tree" {
		return fixed
	}
	switch path[len(path)-1] {
	case "text", "details", "summary", "url":
		return free
	}
	return fixed
}

// pointer finds the value that an RFC 6901 pointer names, or nil.
func (t *tree) pointer(p string) *tree {
	if p == "" {
		return t
	}
	if p[0] != '/' {
		return nil
	}
	for step := range strings.SplitSeq(p[1:], "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		if t == nil {
			return nil
		}
		switch t.kind {
		case tableKind:
			t = t.get(step)
		case listKind:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(t.items) || strconv.Itoa(i) != step {
				return nil
			}
			t = t.items[i]
		default:
			return nil
		}
	}
	return t
}
