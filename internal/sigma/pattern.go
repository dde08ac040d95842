package sigma

import "strings"

// pattern is a text in which some characters stand for any.
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
)

// maxPattern is how many bytes a value may have.
const maxPattern = 4 << 10

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

func (p pattern) lower() pattern {
	out := make(pattern, len(p))
	for i, c := range p {
		out[i] = c
		if c.kind == plain {
			out[i].r = []rune(strings.ToLower(string(c.r)))[0]
		}
	}
	return out
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
		case i < len(p) && (p[i].kind == mark || p[i].kind == plain && p[i].r == rs[j]):
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
		}
	}
	return b.String()
}
