package sigma

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// value is one thing that a field may have to be.
type value struct {
	test func(t text) bool
	// null asks for an absent field, exists for one that is there or isn't.
	null   bool
	exists *bool
	any    []value // of base64offset: one of these
	ref    string  // another field, of which a text is like one of this
	like   func(a, b text) bool

	needles func(*seeker) needles // nil: none
	whole   *string               // the one text that passes, folded

	instance string // a text that passes the test
	hasOne   bool
}

func (v *value) in(e *Record, name string, wide bool) bool {
	switch {
	case v.null:
		return len(e.texts(name, false)) == 0
	case v.exists != nil:
		return (len(e.texts(name, false)) > 0) == *v.exists
	case v.any != nil:
		return slices.ContainsFunc(v.any, func(o value) bool { return o.in(e, name, wide) })
	case v.ref != "":
		return slices.ContainsFunc(e.texts(name, wide), func(a text) bool {
			return slices.ContainsFunc(e.texts(v.ref, wide), func(b text) bool { return v.like(a, b) })
		})
	}
	return slices.ContainsFunc(e.texts(name, wide), v.test)
}

// modifiers are what stands behind a field's name.
type modifiers struct {
	all, cased, neq       bool
	place                 string   // contains, startswith, endswith
	encode                []string // wide, utf16, utf16be, base64, base64offset, in order
	re, flags             string   // re and i, m, s
	cidr, exists, windash bool
	fieldref              bool
	compare               string // lt, lte, gt, gte
}

func parseModifiers(list []string) (m modifiers, err error) {
	for _, w := range list {
		switch w {
		case "all":
			m.all = true
		case "cased":
			m.cased = true
		case "contains", "startswith", "endswith":
			if m.place != "" {
				return m, syntax("both %s and %s", m.place, w)
			}
			m.place = w
		case "wide", "utf16le":
			w = "wide"
			fallthrough
		case "utf16", "utf16be", "base64", "base64offset":
			if m.place != "" {
				return m, unsupported("the modifier %q after %q", w, m.place)
			}
			m.encode = append(m.encode, w)
		case "re":
			m.re = w
		case "i", "m", "s":
			if m.re == "" {
				return m, syntax("the modifier %s without re", w)
			}
			m.flags += w
		case "cidr":
			m.cidr = true
		case "exists":
			m.exists = true
		case "windash":
			m.windash = true
		case "fieldref":
			m.fieldref = true
		case "neq":
			m.neq = true
		case "lt", "lte", "gt", "gte":
			m.compare = w
		default:
			return m, unsupported("the modifier %q", w)
		}
	}
	encode := len(m.encode) > 0
	kinds := 0
	for _, set := range []bool{m.re != "", m.cidr, m.exists, m.compare != "", m.place != "" && !m.fieldref || encode || m.windash, m.fieldref} {
		if set {
			kinds++
		}
	}
	if kinds > 1 || encode && m.windash {
		return m, unsupported("the modifiers %s together", strings.Join(list, " and "))
	}
	return m, nil
}

// value makes a test of a YAML scalar. Keywords are looked for inside of values.
func (m *modifiers) value(v any, keyword bool) (value, error) {
	s, ok := scalar(v)
	switch {
	case v == nil:
		if m.place != "" || m.re != "" || m.cidr || m.exists || m.compare != "" || keyword {
			return value{}, syntax("null with a modifier, or as a keyword")
		}
		return value{null: true}, nil
	case !ok:
		return value{}, syntax("a value that is neither text, number, truth value nor null")
	case m.exists:
		yes, err := strconv.ParseBool(s)
		if err != nil || keyword {
			return value{}, syntax("exists asks for true or false of a field")
		}
		return value{exists: &yes, instance: "x", hasOne: yes}, nil
	case m.re != "":
		return m.regexp(s)
	case m.cidr:
		return cidr(s)
	case m.compare != "":
		return m.number(s)
	case m.fieldref:
		return m.reference(s, keyword)
	}
	if len(m.encode) > 0 {
		return m.encoded(s)
	}
	place := m.place
	if keyword && place == "" {
		place = "contains"
	}
	p := parsePattern(s)
	if m.windash {
		for i, c := range p {
			if c.kind == plain && strings.ContainsRune(dashes, c.r) {
				p[i].kind = dash
			}
		}
	}
	return m.pattern(p, place), nil
}

// pattern makes a test of a text with wildcards.
func (m *modifiers) pattern(p pattern, place string) value {
	if place == "contains" || place == "endswith" {
		p = append(pattern{{kind: star}}, p...)
	}
	if place == "contains" || place == "startswith" {
		p = append(p, letter{kind: star})
	}
	v := value{instance: p.instance(), hasOne: true, needles: p.needles}
	if m.cased {
		match := p.matcher()
		v.test = func(t text) bool { return match(t.raw) }
		return v
	}
	low := p.lower()
	v.instance = low.instance()
	if runs, _ := low.runs(); len(runs) == 1 {
		v.whole = &runs[0]
	}
	match := low.matcher()
	v.test = func(t text) bool { return match(t.low) }
	return v
}

// reference compares with another field's texts.
func (m *modifiers) reference(s string, keyword bool) (value, error) {
	if s == "" || keyword {
		return value{}, syntax("fieldref asks for the name of another field")
	}
	how := map[string]func(a, b string) bool{
		"": func(a, b string) bool { return a == b }, "contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix,
	}[m.place]
	return value{ref: s, like: func(a, b text) bool {
		if m.cased {
			return how(a.raw, b.raw)
		}
		return how(a.low, b.low)
	}}, nil
}

func (m *modifiers) regexp(s string) (value, error) {
	flags := ""
	if m.flags != "" {
		flags = "(?" + m.flags + ")"
	}
	re, err := regexp.Compile(flags + s)
	if err != nil {
		// What PCRE has and RE2 hasn't: look-around and back-references.
		return value{}, unsupported("the regular expression %q: %v", s, err)
	}
	one, ok := Instance(flags + s)
	return value{
		test: func(t text) bool { return re.MatchString(t.raw) }, instance: one, hasOne: ok && re.MatchString(one),
		needles: func(k *seeker) needles { return k.expression(flags + s) },
	}, nil
}

func cidr(s string) (value, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return value{}, syntax("%q isn't a network in CIDR notation", s)
	}
	p = p.Masked()
	return value{test: func(t text) bool {
		a, err := netip.ParseAddr(strings.TrimSpace(t.raw))
		return err == nil && p.Contains(a.Unmap())
	}, instance: p.Addr().String(), hasOne: true, needles: func(k *seeker) needles { return k.network(p) }}, nil
}

func (m *modifiers) number(s string) (value, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return value{}, syntax("%q isn't a number", s)
	}
	test := map[string]func(x float64) bool{
		"lt": func(x float64) bool { return x < n }, "lte": func(x float64) bool { return x <= n },
		"gt": func(x float64) bool { return x > n }, "gte": func(x float64) bool { return x >= n },
	}[m.compare]
	one := n + 1
	if m.compare[0] == 'l' {
		one = n - 1
	}
	return value{test: func(t text) bool {
		x, err := strconv.ParseFloat(t.raw, 64)
		return err == nil && test(x)
	}, instance: strconv.FormatFloat(one, 'g', -1, 64), hasOne: true}, nil
}
