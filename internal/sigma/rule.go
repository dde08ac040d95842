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
	Title, ID, Name string
	Source          LogSource
	Taxonomy        string // of its fields' names, "" for Sigma's own

	names     []string // of searches, in order
	searches  map[string]search
	condition expression
}

// LogSource says which records a rule is about. Match doesn't look at it.
type LogSource struct{ Category, Product, Service string }

// Within reports whether whatever is of one source is of another, wider one.
func (s LogSource) Within(wide LogSource) bool {
	in := func(a, b string) bool { return b == "" || a == b }
	return in(s.Category, wide.Category) && in(s.Product, wide.Product) && in(s.Service, wide.Service)
}

func (s LogSource) String() string {
	var out []string
	for _, p := range [][2]string{{"category", s.Category}, {"product", s.Product}, {"service", s.Service}} {
		if p[1] != "" {
			out = append(out, p[0]+": "+p[1])
		}
	}
	return strings.Join(out, ", ")
}

// Match reports whether the rule's condition holds for an event.
func (r *Rule) Match(e Event) bool {
	return r.Holds(NewRecord(func(name string) (own, more []string) { return e[name], nil }, func() (all []string) {
		for _, texts := range e {
			all = append(all, texts...)
		}
		return all
	}))
}

// Holds is Match with a record that other rules are matched with too.
func (r *Rule) Holds(e *Record) bool { return r.condition.holds(r, &look{Record: e}, true) }

// Fields are the names that the rule asks for, each once, in order; keywords says
// whether it also asks for words in any field.
func (r *Rule) Fields() (names []string, keywords bool) {
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, n := range r.names {
		for _, fs := range r.searches[n] {
			for _, f := range fs {
				keywords = keywords || f.name == ""
				add(f.name)
				for _, v := range f.values {
					add(v.ref)
				}
			}
		}
	}
	return names, keywords
}

// maxText is how many bytes of rules are read; the YAML parser is no faster than
// it has to be.
const maxText = 128 << 10

// Parse reads a stream of YAML documents, each a rule, or a filter for rules of
// the same stream. Errors are ErrSyntax, or ErrUnsupported with the feature's name
// and where it stands.
func Parse(text string) ([]Rule, error) {
	rules, filters, err := Read(text)
	if err != nil {
		return nil, err
	}
	for i := range filters {
		if filters[i].Apply(rules) == 0 {
			return nil, unsupported("the filter %q without the rules that it is for", filters[i].Title)
		}
	}
	if len(rules) == 0 {
		return nil, syntax("no rule")
	}
	return rules, nil
}

// Read is Parse without applying the filters: they may be for rules of other
// texts.
func Read(text string) (rules []Rule, filters []Filter, err error) {
	if len(text) > maxText {
		return nil, nil, syntax("%d bytes; at most %d are read", len(text), maxText)
	}
	// The YAML parser has been seen to panic on what nobody would write.
	defer func() {
		if recover() != nil {
			rules, filters, err = nil, nil, syntax("not YAML that the parser can read")
		}
	}()
	if nests(text) {
		return nil, nil, syntax("values nest deeper than a rule's do")
	}
	d := yaml.NewDecoder(strings.NewReader(text), yaml.UseOrderedMap())
	for n := 1; ; n++ {
		var doc any
		if err := d.Decode(&doc); err != nil {
			if err.Error() == "EOF" {
				return rules, filters, nil
			}
			return nil, nil, syntax("%s", strings.SplitN(err.Error(), "\n", 2)[0])
		}
		if doc == nil {
			continue
		}
		m, ok := doc.(yaml.MapSlice)
		if !ok {
			return nil, nil, syntax("a document that isn't a mapping")
		}
		r, f, err := parseDocument(m)
		switch {
		case err != nil && n > 1:
			return nil, nil, fmt.Errorf("document %d: %w", n, err)
		case err != nil:
			return nil, nil, err
		case f != nil:
			filters = append(filters, *f)
		default:
			rules = append(rules, r)
		}
	}
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

// parseDocument reads a rule, or a filter, which then is not nil.
func parseDocument(m yaml.MapSlice) (r Rule, f *Filter, err error) {
	var detection, filter yaml.MapSlice
	for _, kv := range m {
		ok := true
		switch kv.Key {
		case "title":
			r.Title, _ = kv.Value.(string)
		case "id":
			r.ID, _ = scalar(kv.Value)
		case "name":
			r.Name, _ = scalar(kv.Value)
		case "taxonomy":
			if r.Taxonomy, ok = scalar(kv.Value); r.Taxonomy == "sigma" {
				r.Taxonomy = ""
			}
		case "logsource":
			r.Source, ok = logSource(kv.Value)
		case "correlation":
			return r, nil, unsupported("correlation")
		case "action":
			return r, nil, unsupported("action: %v", kv.Value)
		case "detection":
			detection, ok = kv.Value.(yaml.MapSlice)
		case "filter":
			filter, ok = kv.Value.(yaml.MapSlice)
		}
		if !ok {
			return r, nil, syntax("%v isn't written as a rule has it", kv.Key)
		}
	}
	switch {
	case detection != nil && filter != nil:
		return r, nil, syntax("a document with both detection and filter")
	case filter != nil:
		f, err = parseFilter(r, filter)
		return r, f, err
	case detection == nil:
		return r, nil, syntax("no detection")
	}
	err = r.detect(detection)
	return r, nil, err
}

func logSource(v any) (s LogSource, ok bool) {
	m, ok := v.(yaml.MapSlice)
	for _, kv := range m {
		part := map[any]*string{"category": &s.Category, "product": &s.Product, "service": &s.Service}[kv.Key]
		if part != nil && kv.Value != nil {
			text, plain := scalar(kv.Value)
			*part, ok = strings.ToLower(text), ok && plain
		}
	}
	return s, ok
}

// detect reads the searches and the condition.
func (r *Rule) detect(detection yaml.MapSlice) (err error) {
	r.searches = map[string]search{}
	var conditions []string
	for _, kv := range detection {
		name, ok := kv.Key.(string)
		switch {
		case !ok:
			return syntax("a search whose name isn't text")
		case name == "timeframe":
			return unsupported("timeframe")
		case name == "condition":
			if conditions, err = texts(kv.Value); err != nil {
				return err
			}
		default:
			s, err := parseSearch(kv.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if _, twice := r.searches[name]; twice {
				return syntax("two searches are called %q", name)
			}
			r.names, r.searches[name] = append(r.names, name), s
		}
	}
	if len(conditions) == 0 {
		return syntax("no condition")
	}
	// Several conditions are alternatives.
	var any anyOf
	for _, c := range conditions {
		e, err := parseCondition(c, r.names)
		if err != nil {
			return err
		}
		any = append(any, e)
	}
	r.condition = any
	return nil
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
