package carrier

import (
	"strings"

	"forewarn/internal/token"
)

// The inline syntax, by examples:
//
//	{{quickly|fast}}             a choice: two to four alternatives
//	{{#tone quickly|fast}}       the same choice wherever the name stands
//	{{token:hex}}                a constant of the copy
//	{{token:uuid#boundary}}      the same constant wherever the name stands
//	{{date:2025-07-08}}          a value that copies write in different ways
//	{{date:2025-07-08#days}}     all of the name are written in the same way
//	{{{{                         a literal {{
//
// A mark stands on one line. Alternatives hold no braces and no bars.

// inline is one piece of a text with marks: a literal, a choice or a token. Its
// source is text[at:end].
type inline struct {
	at, end int
	literal string // what stands there, when neither alts nor alphabet are set
	alts    []string
	altsAt  []int // where each begins
	name    string
	alpha   token.Alphabet
	fact    *factKind // of a value; alts are its ways, without places
	value   string    // canonical
}

const (
	opening = "{{"
	closing = "}}"
	escaped = "{{{{"

	maxName         = 40  // of a site or slot
	maxAlternatives = 4   // of a choice
	maxAlternative  = 300 // bytes of one
)

const nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

func validName(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, nameLetters) == ""
}

// parseInline cuts text[from:to] into pieces. refuse is told of everything wrong;
// what was wrong is left out of the pieces.
func parseInline(text string, from, to int, refuse func(at int, what, do string)) []inline {
	var out []inline
	literal := from // start of the literal that is being read
	flush := func(end int) {
		if literal < end {
			out = append(out, inline{at: literal, end: end, literal: text[literal:end]})
		}
	}
	for i := from; i < to; {
		j := strings.Index(text[i:to], opening)
		if j < 0 {
			break
		}
		i += j
		flush(i)
		if strings.HasPrefix(text[i:to], escaped) {
			out = append(out, inline{at: i, end: i + len(escaped), literal: opening})
			i += len(escaped)
			literal = i
			continue
		}
		rest := text[i:to]
		if eol := strings.IndexByte(rest, '\n'); eol >= 0 {
			rest = rest[:eol]
		}
		end := strings.Index(rest, closing)
		if end < 0 {
			refuse(i, "a mark is opened and not closed on its line", "close it with }}; for a literal {{ write "+escaped)
			i += len(opening)
			literal = i
			continue
		}
		if m, ok := parseMark(text, i+len(opening), i+end, refuse); ok {
			m.at, m.end = i, i+end+len(closing)
			out = append(out, m)
		}
		i += end + len(closing)
		literal = i
	}
	flush(to)
	return out
}

// parseMark reads what stands between the braces.
func parseMark(text string, from, to int, refuse func(at int, what, do string)) (m inline, ok bool) {
	body := text[from:to]
	if alphabet, isToken := strings.CutPrefix(body, "token:"); isToken {
		alphabet, name, named := strings.Cut(alphabet, "#")
		a, err := token.ParseAlphabet(alphabet)
		switch {
		case err != nil:
			refuse(from, err.Error(), "write {{token:hex}}, {{token:uuid}} or {{token:base62}}")
		case named && (!validName(name) || strings.HasPrefix(name, autoSlot)):
			refuse(from, sprintf("%s isn't a token's name", quote(name)), sprintf("use 1 to %d letters, digits and ._-, not beginning with %s", maxName, autoSlot))
		default:
			return inline{alpha: a, name: name}, true
		}
		return inline{}, false
	}
	if k := factOf(body); k != nil {
		return parseFact(k, body[len(k.name)+1:], from, refuse)
	}
	if strings.HasPrefix(body, "#") {
		name, rest, spaced := strings.Cut(body[1:], " ")
		if !spaced || !validName(name) {
			refuse(from, sprintf("%s isn't a choice's name", quote(name)), sprintf("after {{# write a name of 1 to %d letters, digits and ._-, then a space; no alternative may begin with #", maxName))
			return inline{}, false
		}
		m.name, from, body = name, to-len(rest), rest
	}
	if strings.ContainsAny(body, "{}") {
		refuse(from, "braces inside a mark", "leave them out; for a literal {{ write "+escaped)
		return inline{}, false
	}
	m.alts = strings.Split(body, "|")
	at := from
	for _, a := range m.alts {
		m.altsAt = append(m.altsAt, at)
		at += len(a) + 1
	}
	switch n := len(m.alts); {
	case n == 1:
		refuse(from, sprintf("%s has one alternative", quote(body)), sprintf("separate 2 to %d with |; for a literal {{ write %s", maxAlternatives, escaped))
		return inline{}, false
	case n > maxAlternatives:
		refuse(from, sprintf("%d alternatives", n), sprintf("give 2 to %d", maxAlternatives))
		return inline{}, false
	}
	return m, true
}

// parseFact reads a value and its name, and writes it in all ways.
func parseFact(k *factKind, body string, from int, refuse func(at int, what, do string)) (m inline, ok bool) {
	given, name, named := strings.Cut(body, "#")
	if named && !validName(name) {
		refuse(from, sprintf("%s isn't a name", quote(name)), sprintf("use 1 to %d letters, digits and ._-", maxName))
		return inline{}, false
	}
	value, ways := k.write(given)
	if value == "" {
		refuse(from, sprintf("%s isn't a %s that can be marked", quote(given), k.name), "write "+k.given)
		return inline{}, false
	}
	if what, do := k.checkFact(value, ways); what != "" {
		refuse(from, what, do)
		return inline{}, false
	}
	m = inline{fact: k, value: value, alts: ways, name: name}
	for range ways {
		m.altsAt = append(m.altsAt, from)
	}
	return m, true
}
