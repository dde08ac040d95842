package sigma

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// The classes of what Parse refuses.
var (
	ErrSyntax      = errors.New("not a Sigma rule")
	ErrUnsupported = errors.New("a Sigma feature that is not evaluated here")
)

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

// Rule is a rule that can be evaluated.
type Rule struct {
	Title     string
	names     []string // of searches, in order
	searches  map[string]search
	condition expression
}

// Match reports whether the rule's condition holds for an event.
func (r *Rule) Match(e Event) bool { return r.condition.holds(r, &look{e, map[called]bool{}}) }

// maxText is how many bytes of rules are read; the YAML parser is no faster than
// it has to be.
const maxText = 128 << 10

// Parse reads a stream of YAML documents, each a rule. Errors are ErrSyntax, or
// ErrUnsupported with the feature's name.
func Parse(text string) (rules []Rule, err error) {
	if len(text) > maxText {
		return nil, syntax("%d bytes; at most %d are read", len(text), maxText)
	}
	// The YAML parser has been seen to panic on what nobody would write.
	defer func() {
		if recover() != nil {
			rules, err = nil, syntax("not YAML that the parser can read")
		}
	}()
	if nests(text) {
		return nil, syntax("values nest deeper than a rule's do")
	}
	d := yaml.NewDecoder(strings.NewReader(text), yaml.UseOrderedMap())
	for {
		var doc any
		if err := d.Decode(&doc); err != nil {
			if err.Error() == "EOF" {
				break
			}
			return nil, syntax("%s", strings.SplitN(err.Error(), "\n", 2)[0])
		}
		if doc == nil {
			continue
		}
		m, ok := doc.(yaml.MapSlice)
		if !ok {
			return nil, syntax("a document that isn't a mapping")
		}
		r, err := parseRule(m)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	if len(rules) == 0 {
		return nil, syntax("no rule")
	}
	return rules, nil
}

// maxFlow is how deep brackets stand within one another.
const maxFlow = 100

// nests reports whether a text may nest further than a recursive parser should
// follow. Brackets count where the parser's scanner takes them for such; those in
// texts don't.
func nests(text string) bool {
	flow := 0
	for _, t := range lexer.Tokenize(text) {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > maxFlow {
				return true
			}
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		}
	}
	for line := range strings.Lines(text) {
		lead := line[:len(line)-len(strings.TrimLeft(line, " -?:&!*"))]
		if len(lead) > 200 || strings.Count(lead, "-") > 20 {
			return true
		}
	}
	return false
}

func parseRule(m yaml.MapSlice) (r Rule, err error) {
	var detection yaml.MapSlice
	for _, kv := range m {
		switch kv.Key {
		case "title":
			r.Title, _ = kv.Value.(string)
		case "correlation":
			return r, unsupported("correlation")
		case "filter":
			return r, unsupported("filter")
		case "action":
			return r, unsupported("action: %v", kv.Value)
		case "detection":
			var ok bool
			if detection, ok = kv.Value.(yaml.MapSlice); !ok {
				return r, syntax("detection isn't a mapping")
			}
		}
	}
	if detection == nil {
		return r, syntax("no detection")
	}
	r.searches = map[string]search{}
	var conditions []string
	for _, kv := range detection {
		name, ok := kv.Key.(string)
		switch {
		case !ok:
			return r, syntax("a search whose name isn't text")
		case name == "timeframe":
			return r, unsupported("timeframe")
		case name == "condition":
			if conditions, err = texts(kv.Value); err != nil {
				return r, err
			}
		default:
			s, err := parseSearch(kv.Value)
			if err != nil {
				return r, fmt.Errorf("%s: %w", name, err)
			}
			if _, twice := r.searches[name]; twice {
				return r, syntax("two searches are called %q", name)
			}
			r.names, r.searches[name] = append(r.names, name), s
		}
	}
	if len(conditions) == 0 {
		return r, syntax("no condition")
	}
	// Several conditions are alternatives.
	var any anyOf
	for _, c := range conditions {
		e, err := parseCondition(c, r.names)
		if err != nil {
			return r, err
		}
		any = append(any, e)
	}
	r.condition = any
	return r, nil
}

// texts is a text or a list of them.
func texts(v any) ([]string, error) {
	if s, ok := v.(string); ok {
		return []string{s}, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, syntax("a condition that isn't text")
	}
	var out []string
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, syntax("a condition that isn't text")
		}
		out = append(out, s)
	}
	return out, nil
}
