package wear

import (
	"math/rand/v2"
	"regexp"
	"strings"

	"forewarn/internal/form"
)

// scripts are a copy's proofs of concept: what lies under poc/ and is no prose.
func scripts(copy []form.Output) (out []form.Output) {
	for _, o := range copy {
		if strings.HasPrefix(o.Path, "poc/") && !markdown(o.Path) {
			out = append(out, o)
		}
	}
	return out
}

// literal is a string of a script: its text as written, between the quotes.
type literal struct {
	from, to int // of the text
	text     string
	long     bool // between three quotes: documentation, mostly
}

// literals finds the strings of a script, in order. It knows quotes, escapes and
// comments as most languages have them, and no language.
func literals(s string) (out []literal) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '#', c == '/' && strings.HasPrefix(s[i:], "//"):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				return out
			}
			i += n
		case c == '"' || c == '\'' || c == '`':
			quote := string(c)
			if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[i:], triple) {
				quote = triple
			}
			from := i + len(quote)
			to := closing(s, from, quote)
			if to < 0 {
				continue // an apostrophe
			}
			out = append(out, literal{from, to, s[from:to], len(quote) == 3})
			i = to + len(quote) - 1
		}
	}
	return out
}

// closing is where a string ends, -1 if it doesn't on its line.
func closing(s string, from int, quote string) int {
	for i := from; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i
		case s[i] == '\n' && len(quote) == 1 && quote != "`":
			return -1
		}
	}
	return -1
}

// port retypes a script in another language, by hand: strings are copied, those
// of one line together, in the order in which they stand, and nothing else is.
func port(_ *rand.Rand, copies [][]form.Output) (w Worn) {
	for _, o := range scripts(copies[0]) {
		s := string(o.Data)
		var b strings.Builder
		b.WriteString("'use strict';\nconst http = require('http');\n")
		var used lines
		line, in := -1, []string(nil)
		flush := func() {
			if in != nil {
				b.WriteString("  [" + strings.Join(in, ", ") + "],\n")
			}
			in = nil
		}
		for _, l := range literals(s) {
			if l.long {
				continue
			}
			if n := strings.Count(s[:l.from], "\n"); n != line {
				flush()
				line = n
			}
			in = append(in, "'"+strings.ReplaceAll(l.text, "'", "\\'")+"'")
			used.add(s, l.from, l.to)
		}
		flush()
		w.Specimens = append(w.Specimens, form.Specimen{Name: "port.js", Data: []byte(b.String())})
		w.Kept = append(w.Kept, used.extents(o.Path)...)
	}
	return w
}

// lines are stretches of whole lines of a file.
type lines [][2]int

// add notes the lines that [from, to) touches, in order.
func (ls *lines) add(s string, from, to int) {
	from = strings.LastIndexByte(s[:from], '\n') + 1
	if n := strings.IndexByte(s[to:], '\n'); n >= 0 {
		to += n + 1
	} else {
		to = len(s)
	}
	for i, l := range *ls {
		if from <= l[1] && l[0] <= to {
			(*ls)[i] = [2]int{min(l[0], from), max(l[1], to)}
			return
		}
	}
	*ls = append(*ls, [2]int{from, to})
}

func (ls lines) extents(path string) (out []Extent) {
	for _, l := range ls {
		out = append(out, Extent{path, l[0], l[1]})
	}
	return out
}

var (
	constant = regexp.MustCompile(`(?m)^([A-Z][A-Z0-9_]*)\s*=\s*f?("(?:[^"\\\n]|\\.)*")\s*$`)
	pairs    = regexp.MustCompile(`(?ms)^([A-Z][A-Z0-9_]*)\s*=\s*\[\n(.*?)^\]`)
	pair     = regexp.MustCompile(`\(\s*"([^"\n]*)"\s*,\s*(f?"[^"\n]*"|[A-Z][A-Z0-9_]*)\s*\)`)
	header   = regexp.MustCompile(`(?m)^\s+"([A-Z][A-Za-z-]*)":\s*(.+?),?\s*$`)
	method   = regexp.MustCompile(`"(GET|POST|PUT|PATCH|DELETE)"`)
	target   = regexp.MustCompile(`"(/[^"\n]*)"`)
	encoded  = regexp.MustCompile(`urlencode\(([A-Z][A-Z0-9_]*)\)`)
	operand  = regexp.MustCompile(`f?"((?:[^"\\\n]|\\.)*)"|\b([A-Z][A-Z0-9_]*)\b`)
	upload   = regexp.MustCompile(`filename="\{([A-Z][A-Z0-9_]*)\}"`)
	filled   = regexp.MustCompile(`\{([A-Z][A-Z0-9_]*)\}`)
)

// request puts together what a script would send from its constants, without
// running it: upper-case names of strings, and of lists of pairs, as our own
// scripts of proof are written. What is made at run time is missing.
type request struct {
	s     string
	names map[string]string
	used  lines
}

// value is an expression's text: strings and known names, one after the other.
func (r *request) value(expression string) string {
	var b strings.Builder
	for _, m := range operand.FindAllStringSubmatch(expression, -1) {
		if m[2] != "" {
			b.WriteString(r.names[m[2]])
			continue
		}
		b.WriteString(filled.ReplaceAllStringFunc(m[1], func(x string) string { return r.names[strings.Trim(x, "{}")] }))
	}
	return b.String()
}

// wire is the request that a script would send.
func wire(_ *rand.Rand, copies [][]form.Output) (w Worn) {
	for _, o := range scripts(copies[0]) {
		r := request{s: string(o.Data), names: map[string]string{}}
		w.Specimens = append(w.Specimens, form.Specimen{Name: "request.http", Data: []byte(r.text())})
		w.Kept = append(w.Kept, r.used.extents(o.Path)...)
	}
	return w
}

func (r *request) text() string {
	boundary := ""
	for _, m := range constant.FindAllStringSubmatchIndex(r.s, -1) {
		name := r.s[m[2]:m[3]]
		r.names[name] = r.value(r.s[m[4]:m[5]])
		r.used.add(r.s, m[4], m[5])
		if strings.Contains(name, "BOUNDARY") {
			boundary = r.names[name]
		}
	}
	inQuery := map[string]bool{}
	for _, m := range encoded.FindAllStringSubmatch(r.s, -1) {
		inQuery[m[1]] = true
	}
	var query, body []string
	for _, m := range pairs.FindAllStringSubmatchIndex(r.s, -1) {
		for _, p := range pair.FindAllStringSubmatch(r.s[m[4]:m[5]], -1) {
			name, value := p[1], r.value(p[2])
			if inQuery[r.s[m[2]:m[3]]] {
				query = append(query, name+"="+value)
			} else {
				body = append(body, "--"+boundary+"\r\nContent-Disposition: form-data; name=\""+name+"\"\r\n\r\n"+value+"\r\n")
			}
		}
		r.used.add(r.s, m[4], m[5]-1)
	}
	if m := upload.FindStringSubmatch(r.s); m != nil {
		body = append(body, "--"+boundary+"\r\nContent-Disposition: form-data; name=\"package\"; filename=\""+r.names[m[1]]+"\"\r\n\r\n\r\n")
	}
	first := func(x *regexp.Regexp, otherwise string) string {
		if m := x.FindStringSubmatchIndex(r.s); m != nil {
			r.used.add(r.s, m[2], m[3])
			return r.s[m[2]:m[3]]
		}
		return otherwise
	}
	var b strings.Builder
	b.WriteString(first(method, "GET") + " " + strings.TrimSuffix(first(target, "/"), "?"))
	if len(query) > 0 {
		b.WriteString("?" + strings.Join(query, "&"))
	}
	b.WriteString(" HTTP/1.1\r\nHost: 192.0.2.80:8080\r\nAccept-Encoding: identity\r\n")
	for _, m := range header.FindAllStringSubmatchIndex(r.s, -1) {
		b.WriteString(r.s[m[2]:m[3]] + ": " + r.value(r.s[m[4]:m[5]]) + "\r\n")
		r.used.add(r.s, m[2], m[5])
	}
	b.WriteString("\r\n" + strings.Join(body, ""))
	if len(body) > 0 && boundary != "" {
		b.WriteString("--" + boundary + "--\r\n")
	}
	return b.String()
}
