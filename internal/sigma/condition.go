package sigma

import "strings"

// expression is a condition, or a part of one. wide says that texts beyond a field's
// own may meet it: see NewRecord.
type expression interface {
	holds(r *Rule, e *look, wide bool) bool
}

type (
	anyOf  []expression
	allOf  []expression
	not    struct{ of expression }
	called string // a search by its name
)

func (x anyOf) holds(r *Rule, e *look, wide bool) bool {
	for _, p := range x {
		if p.holds(r, e, wide) {
			return true
		}
	}
	return false
}

func (x allOf) holds(r *Rule, e *look, wide bool) bool {
	for _, p := range x {
		if !p.holds(r, e, wide) {
			return false
		}
	}
	return true
}

func (x not) holds(r *Rule, e *look, wide bool) bool { return !x.of.holds(r, e, !wide) }

func (x called) holds(r *Rule, e *look, wide bool) bool {
	q := question{x, wide}
	yes, known := e.known[q]
	if !known {
		yes = r.searches[string(x)].holds(e.Record, wide)
		if e.known == nil {
			e.known = map[question]bool{}
		}
		e.known[q] = yes
	}
	return yes
}

// renamed is the same condition of searches under other names.
func renamed(x expression, name func(string) string) expression {
	each := func(list []expression) (out []expression) {
		for _, p := range list {
			out = append(out, renamed(p, name))
		}
		return out
	}
	switch x := x.(type) {
	case anyOf:
		return anyOf(each(x))
	case allOf:
		return allOf(each(x))
	case not:
		return not{renamed(x.of, name)}
	case called:
		return called(name(string(x)))
	}
	return x
}

// Record is what rules are matched with: fields by the names that rules have for
// them, each asked for once and its texts folded once, whichever rules ask and
// however many values they compare it with. It is for one goroutine.
type Record struct {
	field func(name string) (own, more []string)
	words func() []string
	read  map[string]read
}

// NewRecord makes one. field gives a field's own texts, and more that what a rule
// looks for may stand in as well. Those may only help a rule to hold: under not and
// neq, and where a rule asks whether the field is there, its own alone count. words
// gives the texts of all fields, for rules that ask for keywords.
func NewRecord(field func(name string) (own, more []string), words func() []string) *Record {
	return &Record{field, words, map[string]read{}}
}

// read is a field that was asked for: its own texts stand first.
type read struct {
	all []text
	own int
}

// text is one text of a field, as it stands and with its case folded.
type text struct{ raw, low string }

// texts are a field's, its own alone unless wide; those of "" are every field's.
func (e *Record) texts(name string, wide bool) []text {
	x, known := e.read[name]
	if !known {
		var own, more []string
		if name == "" {
			own = e.words()
		} else {
			own, more = e.field(name)
		}
		x.own = len(own)
		for _, list := range [][]string{own, more} {
			for _, t := range list {
				x.all = append(x.all, text{t, fold(t)})
			}
		}
		e.read[name] = x
	}
	if wide {
		return x.all
	}
	return x.all[:x.own]
}

// look is a record and which searches of one rule hold for it, so that each is
// asked once however often a condition names it.
type look struct {
	*Record
	known map[question]bool
}

type question struct {
	of   called
	wide bool
}

// conditionParser reads, from loosest to tightest: or, and, not, and "1 of", a
// name or parentheses.
type conditionParser struct {
	words []string
	names []string
	depth int
	calls int // of searches, so far
}

const (
	maxDepth = 50     // parentheses and nots within one another
	maxCalls = 20_000 // of searches, with those of "1 of" counted each
)

func parseCondition(text string, names []string) (expression, error) {
	if strings.Contains(text, "|") {
		return nil, unsupported("an aggregation in the condition")
	}
	for _, sign := range "()" {
		text = strings.ReplaceAll(text, string(sign), " "+string(sign)+" ")
	}
	p := &conditionParser{words: strings.Fields(text), names: names}
	e, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = syntax("%q in the condition is one too many", p.words[0])
	}
	return e, err
}

func (p *conditionParser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

func (p *conditionParser) is(w string) bool {
	return len(p.words) > 0 && strings.EqualFold(p.words[0], w)
}

func (p *conditionParser) or() (expression, error) {
	e, err := p.and()
	out := anyOf{e}
	for err == nil && p.is("or") {
		p.next()
		if e, err = p.and(); err == nil {
			out = append(out, e)
		}
	}
	return out, err
}

func (p *conditionParser) and() (expression, error) {
	e, err := p.unary()
	out := allOf{e}
	for err == nil && p.is("and") {
		p.next()
		if e, err = p.unary(); err == nil {
			out = append(out, e)
		}
	}
	return out, err
}

func (p *conditionParser) unary() (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, syntax("a condition nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	switch w := p.next(); strings.ToLower(w) {
	case "":
		return nil, syntax("a condition that ends too early")
	case "not":
		e, err := p.unary()
		return not{e}, err
	case "(":
		e, err := p.or()
		if err == nil && p.next() != ")" {
			err = syntax("a parenthesis in the condition is not closed")
		}
		return e, err
	case "1", "any", "all":
		if p.is("of") {
			p.next()
			return p.of(strings.EqualFold(w, "all"))
		}
		return p.named(w)
	case "near":
		return nil, unsupported("near")
	default:
		return p.named(w)
	}
}

func (p *conditionParser) named(w string) (expression, error) {
	for _, n := range p.names {
		if n == w {
			return called(w), nil
		}
	}
	if len(p.words) > 0 && p.is("of") {
		return nil, unsupported("%q of searches", w)
	}
	return nil, syntax("the condition names %q, which is no search", w)
}

// of reads the searches of "1 of" and "all of": a name with asterisks, or them.
// Names with a leading underscore are not among them.
func (p *conditionParser) of(all bool) (expression, error) {
	pattern := p.next()
	var found []expression
	glob := starred(pattern)
	for _, n := range p.names {
		match := glob.match(n)
		if pattern == "them" {
			match = !strings.HasPrefix(n, "_")
		}
		if match {
			if p.calls++; p.calls > maxCalls {
				return nil, unsupported("a condition that asks for more than %d searches", maxCalls)
			}
			found = append(found, called(n))
		}
	}
	switch {
	case len(found) == 0:
		return nil, syntax("the condition asks for %q, and no search is called so", pattern)
	case all:
		return allOf(found), nil
	}
	return anyOf(found), nil
}
