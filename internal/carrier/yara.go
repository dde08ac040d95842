package carrier

import (
	"slices"
	"strconv"
	"strings"
)

// yaraRule is a rule of a YARA file, cut as far as copies are compared.
type yaraRule struct {
	head      string   // modifiers, name, tags in order of the alphabet
	name      string   //
	meta      []string // key and value, texts blanked
	strings   []string // definitions, each one text
	condition []string // tokens
}

// yaraEssence is the rules without the texts of meta; entries of meta, strings
// and rules in any order. A rule that names another must come after it, so which
// comes first is kept for those.
func yaraEssence(data string) (string, error) {
	top, rules, err := parseYARA(data)
	if err != nil {
		return "", err
	}
	place := map[string]int{}
	for i, r := range rules {
		place[r.name] = i
	}
	out := make([]string, len(rules))
	for i, r := range rules {
		slices.Sort(r.meta)
		slices.Sort(r.strings)
		var after []string
		for _, w := range r.condition {
			if j, names := place[w]; names {
				after = append(after, sprintf("%s:%t", w, j < i))
			}
		}
		out[i] = strings.Join([]string{r.head, strings.Join(r.meta, ";"), strings.Join(r.strings, ";"), strings.Join(r.condition, " "), strings.Join(after, " ")}, "\n")
	}
	slices.Sort(out)
	return strings.Join(top, "\n") + "\n\n" + strings.Join(out, "\n\n"), nil
}

// parseYARA reads a rule file: imports and includes, then rules.
func parseYARA(data string) (top []string, rules []yaraRule, err error) {
	p := yaraParser{data: data}
	names := map[string]bool{}
	for p.next(); p.kind != yaraEnd; {
		at := p.at
		switch p.tok {
		case "import", "include":
			word := p.tok
			p.next()
			top = append(top, word+" "+p.tok)
			if p.kind != yaraText {
				p.fail(at, word+" without a text in quotes")
			}
			p.next()
		default:
			r := p.rule()
			if names[r.name] {
				p.fail(at, sprintf("two rules are called %s", quote(r.name)))
			}
			names[r.name] = true
			rules = append(rules, r)
		}
		if p.err != nil {
			return nil, nil, p.err
		}
	}
	if p.err != nil {
		return nil, nil, p.err
	}
	return top, rules, nil
}

type yaraKind uint8

const (
	yaraEnd yaraKind = iota
	yaraWord
	yaraText  // "…"
	yaraRegex // /…/flags
	yaraHex   // { … } of a hex string
	yaraSign
)

// yaraParser is a scanner with one token in hand. The first error ends the text.
type yaraParser struct {
	data string
	off  int // after the token
	at   int // of the token
	tok  string
	kind yaraKind
	err  *syntaxError
}

func (p *yaraParser) fail(at int, what string) {
	if p.err == nil {
		p.err = &syntaxError{at, what}
	}
	p.kind, p.tok, p.off = yaraEnd, "", len(p.data)
}

func yaraLetter(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// skip passes white space and comments.
func (p *yaraParser) skip() {
	for p.off < len(p.data) {
		rest := p.data[p.off:]
		switch {
		case strings.IndexByte(" \t\n\r", rest[0]) >= 0:
			p.off++
		case strings.HasPrefix(rest, "//"):
			i := strings.IndexByte(rest, '\n')
			if i < 0 {
				i = len(rest)
			}
			p.off += i
		case strings.HasPrefix(rest, "/*"):
			i := strings.Index(rest[2:], "*/")
			if i < 0 {
				p.fail(p.off, "a comment is opened and not closed")
				return
			}
			p.off += i + 4
		default:
			return
		}
	}
}

func (p *yaraParser) set(kind yaraKind, n int) {
	p.kind, p.tok = kind, p.data[p.at:p.at+n]
	p.off = p.at + n
}

// next reads a token. A slash begins a regular expression: YARA divides with \.
func (p *yaraParser) next() {
	p.skip()
	p.at = p.off
	rest := p.data[p.off:]
	if rest == "" {
		p.kind, p.tok = yaraEnd, ""
		return
	}
	n := 1
	switch b := rest[0]; {
	case b == '"' || b == '/':
		if n = closed(rest, b); n < 0 {
			p.fail(p.at, "a text or regular expression is opened and not closed on its line")
			return
		}
		if b == '"' {
			p.set(yaraText, n)
			return
		}
		for n < len(rest) && (rest[n] == 'i' || rest[n] == 's') {
			n++
		}
		p.set(yaraRegex, n)
	case yaraLetter(b) || strings.IndexByte("$#@!", b) >= 0:
		for n < len(rest) && yaraLetter(rest[n]) {
			n++
		}
		if n < len(rest) && rest[n] == '*' && b == '$' {
			n++
		}
		p.set(yaraWord, n)
	case strings.IndexByte("(){}[]<>=:,.+-*&|^~%\\", b) >= 0:
		p.set(yaraSign, 1)
	default:
		p.fail(p.at, sprintf("the character %q", b))
	}
}

// closed is the length of a text that its first byte closes, or -1.
func closed(s string, by byte) int {
	for i := 1; i < len(s) && s[i] != '\n'; i++ {
		switch s[i] {
		case '\\':
			i++
		case by:
			return i + 1
		}
	}
	return -1
}

// hex reads the rest of a hex string, whose opening brace is in hand.
func (p *yaraParser) hex() {
	i := strings.IndexByte(p.data[p.at:], '}')
	body := ""
	if i > 0 {
		body = p.data[p.at+1 : p.at+i]
	}
	if i < 0 || strings.Trim(body, "0123456789abcdefABCDEF?~[]-()| \t\n\r") != "" && !strings.Contains(body, "/") {
		p.fail(p.at, "a hex string holds hexadecimal digits, ?, jumps and alternatives, and ends in }")
		return
	}
	p.set(yaraHex, i+1)
}

// want takes a token of one text.
func (p *yaraParser) want(tok string) {
	if p.err == nil && p.tok != tok {
		p.fail(p.at, sprintf("%q is wanted, not %s", tok, quote(p.tok)))
		return
	}
	p.next()
}

func (p *yaraParser) rule() (r yaraRule) {
	var head []string
	for p.tok == "private" || p.tok == "global" {
		head = append(head, p.tok)
		p.next()
	}
	slices.Sort(head)
	p.want("rule")
	if r.name = p.tok; p.kind != yaraWord || !yaraLetter(r.name[0]) {
		p.fail(p.at, "a rule without a name")
		return r
	}
	p.next()
	var tags []string
	if p.tok == ":" {
		for p.next(); p.kind == yaraWord; p.next() {
			tags = append(tags, p.tok)
		}
		slices.Sort(tags)
	}
	r.head = strings.Join(head, " ") + " " + r.name + ":" + strings.Join(tags, " ")
	p.want("{")
	if p.tok == "meta" {
		r.meta = p.meta()
	}
	if p.tok == "strings" {
		r.strings = p.definitions()
	}
	p.want("condition")
	p.want(":")
	for depth := 0; p.err == nil; p.next() {
		switch p.tok {
		case "{":
			depth++
		case "}":
			if depth--; depth < 0 {
				if len(r.condition) == 0 {
					p.fail(p.at, "an empty condition")
					return r
				}
				p.next()
				return r
			}
		case "":
			p.fail(p.at, "a rule is opened and not closed")
			return r
		}
		r.condition = append(r.condition, p.tok)
	}
	return r
}

// meta reads "meta:" and its entries: a key, =, and a text, number or truth
// value. Texts are for people, so they are blanked.
func (p *yaraParser) meta() (out []string) {
	p.next()
	p.want(":")
	for p.kind == yaraWord && p.tok != "strings" && p.tok != "condition" {
		key := p.tok
		p.next()
		p.want("=")
		value := p.tok
		switch {
		case p.kind == yaraText:
			value = "*"
		case p.tok == "-":
			p.next()
			value = "-" + p.tok
		case p.kind != yaraWord:
			p.fail(p.at, "a value of meta is a text, a number or a truth value")
		}
		p.next()
		out = append(out, key+"="+value)
	}
	return out
}

var yaraModifiers = []string{"ascii", "wide", "nocase", "fullword", "private", "xor", "base64", "base64wide"}

// definitions reads "strings:" and its definitions.
func (p *yaraParser) definitions() (out []string) {
	p.next()
	p.want(":")
	seen := map[string]bool{}
	for p.err == nil && strings.HasPrefix(p.tok, "$") {
		name := p.tok
		if seen[name] && name != "$" {
			p.fail(p.at, sprintf("two strings are called %s", quote(name)))
			return nil
		}
		seen[name] = true
		p.next()
		p.want("=")
		if p.tok == "{" {
			p.hex()
		}
		if p.kind != yaraText && p.kind != yaraRegex && p.kind != yaraHex {
			p.fail(p.at, "a string is a text, a regular expression or a hex string")
			return nil
		}
		def := []string{name, "=", strconv.Quote(p.tok)}
		p.next()
		for slices.Contains(yaraModifiers, p.tok) {
			def = append(def, p.tok)
			p.next()
			if p.tok == "(" { // of xor and base64
				for p.err == nil && p.kind != yaraEnd && p.tok != ")" {
					def = append(def, p.tok)
					p.next()
				}
				def = append(def, ")")
				p.want(")")
			}
		}
		out = append(out, strings.Join(def, " "))
	}
	if len(out) == 0 && p.err == nil {
		p.fail(p.at, "no strings under strings:")
	}
	return out
}
