package sigma

import (
	"strings"
	"unicode"
)

// pattern is a text in which some characters stand for others.
type pattern []letter

type letter struct {
	kind kind
	r    rune
}

type kind uint8

const (
	plain kind = iota
	star       // any characters
	mark       // any one
	dash       // any of dashes
)

// maxPattern is how many bytes a value may have.
const maxPattern = 4 << 10

// dashes are what the specification takes for one another under windash.
const dashes = "-/–—―"

// parsePattern reads a value of the Sigma specification: * and ? are wildcards, a
// backslash before one of them or before a backslash takes its meaning away, and
// stands for itself before anything else.
func parsePattern(s string) (p pattern) {
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; {
		case r == '\\' && i+1 < len(rs) && strings.ContainsRune(`*?\`, rs[i+1]):
			i++
			p = append(p, letter{r: rs[i]})
		case r == '*':
			p = append(p, letter{kind: star})
		case r == '?':
			p = append(p, letter{kind: mark})
		default:
			p = append(p, letter{r: r})
		}
	}
	return p
}

// starred reads the names of searches in a condition: only * is special.
func starred(s string) (p pattern) {
	for _, r := range s {
		if r == '*' {
			p = append(p, letter{kind: star})
		} else {
			p = append(p, letter{r: r})
		}
	}
	return p
}

// fold takes cases together. What isn't ASCII doesn't become it: the sign for
// Kelvin is no k, to a rule or to a search for the rule's texts in bytes.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return strings.Map(lower, s)
		}
	}
	return strings.ToLower(s)
}

func lower(r rune) rune {
	if l := unicode.ToLower(r); l >= 0x80 || r < 0x80 {
		return l
	}
	return r
}

func (p pattern) lower() pattern {
	out := make(pattern, len(p))
	for i, c := range p {
		out[i] = letter{c.kind, lower(c.r)}
	}
	return out
}

// runs are the texts between what stands for others. only says whether nothing
// but stars is between them.
func (p pattern) runs() (out []string, only bool) {
	only = true
	var b strings.Builder
	for _, c := range p {
		if c.kind == plain {
			b.WriteRune(c.r)
			continue
		}
		only = only && c.kind == star
		out = append(out, b.String())
		b.Reset()
	}
	return append(out, b.String()), only
}

// matcher is match, prepared for many texts.
func (p pattern) matcher() func(text string) bool {
	runs, only := p.runs()
	if !only {
		return p.segments().match
	}
	if len(runs) == 1 {
		return func(text string) bool { return text == runs[0] }
	}
	first, last, middle := runs[0], runs[len(runs)-1], runs[1:len(runs)-1]
	return func(text string) bool {
		text, ok := strings.CutPrefix(text, first)
		if !ok || len(text) < len(last) {
			return false
		}
		text, ok = strings.CutSuffix(text, last)
		for _, run := range middle {
			i := strings.Index(text, run)
			if i < 0 {
				return false
			}
			text = text[i+len(run):]
		}
		return ok
	}
}

// match is the usual walk with one place to go back to: the last star. It takes
// at most the product of the lengths.
func (p pattern) match(text string) bool {
	rs := []rune(text)
	i, j, back, from := 0, 0, -1, 0
	for j < len(rs) {
		switch {
		case i < len(p) && p[i].kind == star:
			back, from = i, j
			i++
		case i < len(p) && p[i].is(rs[j]):
			i++
			j++
		case back >= 0:
			from++
			i, j = back+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i].kind == star {
		i++
	}
	return i == len(p)
}

func (c letter) is(r rune) bool {
	return c.kind == mark || c.kind == dash && strings.ContainsRune(dashes, r) || c.kind == plain && c.r == r
}

// instance is a text that matches, with something that few values hold where
// anything may stand.
func (p pattern) instance() string {
	var b strings.Builder
	for _, c := range p {
		switch c.kind {
		case plain:
			b.WriteRune(c.r)
		case mark:
			b.WriteByte('~')
		case star:
			b.WriteString("~~")
		case dash:
			b.WriteByte('-')
		}
	}
	return b.String()
}
