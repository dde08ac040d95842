package carrier

import (
	"slices"
	"strings"
)

// suricataRule is one rule as Suricata's own parser cuts it: a header of seven
// fields and options, each ended by a semicolon.
type suricataRule struct {
	at      int
	header  string // with single spaces
	action  string
	options []suricataOption
}

type suricataOption struct{ key, value string }

// Options that make a rule's verdict depend on rules before it.
var suricataState = []string{"flowbits", "flowint", "xbits", "hostbits", "dataset", "datarep", "lua", "luajit", "noalert", "bypass", "tag", "config"}

// Options whose value only people and reports read.
var suricataFree = []string{"msg", "metadata", "reference"}

var suricataActions = []string{"alert", "pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "config", "accept"}

func (r *suricataRule) stateless() bool {
	return r.action == "alert" && !slices.ContainsFunc(r.options, func(o suricataOption) bool { return slices.Contains(suricataState, o.key) })
}

func (r *suricataRule) essence() string {
	var b strings.Builder
	b.WriteString(r.header)
	for _, o := range r.options {
		b.WriteString(";" + o.key)
		switch {
		case slices.Contains(suricataFree, o.key):
			b.WriteString(":*")
		case o.value != "":
			b.WriteString(":" + o.value)
		}
	}
	return b.String()
}

// suricataEssence is the rules without what people read; rules that keep state,
// or do anything but alert, in their order, the others in any.
func suricataEssence(data string) (string, error) {
	rules, err := parseSuricata(data)
	if err != nil {
		return "", err
	}
	var state, rest []string
	for i := range rules {
		if e := rules[i].essence(); rules[i].stateless() {
			rest = append(rest, e)
		} else {
			state = append(state, e)
		}
	}
	slices.Sort(rest)
	return strings.Join(state, "\n") + "\n\n" + strings.Join(rest, "\n"), nil
}

// parseSuricata reads a rule file: one rule a line, which a backslash at its end
// continues.
func parseSuricata(data string) ([]suricataRule, error) {
	var out []suricataRule
	sids := map[string]bool{}
	ls := lines(data, 0, len(data))
	for i := 0; i < len(ls); i++ {
		at, text := ls[i].at, strings.TrimSpace(data[ls[i].at:ls[i].end])
		if text == "" || text[0] == '#' {
			continue
		}
		for strings.HasSuffix(text, "\\") && i+1 < len(ls) {
			i++
			text = strings.TrimSuffix(text, "\\") + strings.TrimSpace(data[ls[i].at:ls[i].end])
		}
		r, what := suricataLine(text)
		r.at = at
		if what != "" {
			return nil, &syntaxError{at, what}
		}
		for _, o := range r.options {
			if o.key == "sid" {
				if sids[o.value] {
					return nil, &syntaxError{at, "two rules have sid " + quote(o.value)}
				}
				sids[o.value] = true
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func suricataLine(text string) (r suricataRule, what string) {
	head, body, ok := strings.Cut(text, "(")
	if !ok || !strings.HasSuffix(body, ")") {
		return r, "not a rule: a rule is a header and options in parentheses, on one line"
	}
	fields := suricataHeader(head)
	switch {
	case len(fields) == 0 || !slices.Contains(suricataActions, suricataAction(fields[0])):
		return r, "not a rule: it begins with none of " + strings.Join(suricataActions, ", ")
	case len(fields) != 7 || fields[4] != "->" && fields[4] != "<>" && fields[4] != "=>":
		// Firewall rules may leave out addresses; nothing else may.
		if len(fields) != 2 {
			return r, "not a rule: the header is action, protocol, source, port, direction, destination, port"
		}
	}
	r.action, r.header = fields[0], strings.Join(fields, " ")
	if r.options, what = suricataOptions(strings.TrimSuffix(body, ")")); what != "" {
		return r, what
	}
	if !slices.ContainsFunc(r.options, func(o suricataOption) bool { return o.key == "sid" && digits(o.value) }) {
		return r, "a rule without a sid"
	}
	return r, ""
}

// suricataAction is an action without the scope of a firewall rule, as in
// "accept:flow".
func suricataAction(s string) string { s, _, _ = strings.Cut(s, ":"); return s }

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// suricataHeader cuts at spaces outside of address lists.
func suricataHeader(s string) (out []string) {
	depth, field := 0, ""
	for _, r := range s {
		if (r == ' ' || r == '\t') && depth == 0 {
			if field != "" {
				out, field = append(out, field), ""
			}
			continue
		}
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		field += string(r)
	}
	if field != "" {
		out = append(out, field)
	}
	return out
}

// suricataOptions cuts at semicolons that no backslash escapes. Suricata cuts there
// whatever the quotes say, and looks at the one byte before; so a semicolon in
// quotes, or after two backslashes, would be read in two ways, and is refused.
func suricataOptions(s string) (out []suricataOption, what string) {
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ';':
			if quoted {
				return nil, "a semicolon in quotes: Suricata ends the option there; write \\;"
			}
			if i > 0 && s[i-1] == '\\' {
				return nil, "a semicolon after two backslashes: Suricata takes it for escaped; put a space between"
			}
			key, value, _ := strings.Cut(s[start:i], ":")
			o := suricataOption{strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)} // keywords have no case
			if o.key == "" || strings.ContainsAny(o.key, " \t\"") {
				return nil, sprintf("%s isn't an option", quote(strings.TrimSpace(s[start:i])))
			}
			if o.key == "msg" && (len(o.value) < 3 || o.value[0] != '"' || o.value[len(o.value)-1] != '"') {
				return nil, "msg isn't a text in quotes"
			}
			out, start = append(out, o), i+1
		}
	}
	if quoted {
		return nil, "a quote is opened and not closed"
	}
	if strings.TrimSpace(s[min(start, len(s)):]) != "" {
		return nil, "the last option isn't ended by a semicolon"
	}
	return out, ""
}
