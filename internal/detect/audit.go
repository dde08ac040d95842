package detect

import (
	"encoding/hex"
	"slices"
	"strings"
)

// auditRecord takes an audit record out of a line of text: what auditd writes to
// audit.log, or a dispatcher hands to syslog. Names and values are type=EXECVE,
// a0="cat", a1=2F746D70; behind a group separator stands what an enriched log
// adds, such as SYSCALL=execve.
//
// The kernel writes what a user could choose in quotes, or in hexadecimal where it
// holds a quote, a blank or what isn't ASCII. Such a value is given decoded too.
func auditRecord(v values) values {
	out := values{}
	for _, text := range at("message", "MSG", "CONTENT")(v) {
		i := strings.Index(text, "type=")
		if i < 0 || i > 0 && text[i-1] != ' ' || !strings.Contains(text[i:], "msg=audit(") {
			continue
		}
		text = strings.ReplaceAll(text[i:], "\x1d", " ")
		for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
			name, rest, ok := strings.Cut(text, "=")
			if blank := strings.LastIndexByte(name, ' '); blank >= 0 {
				name = name[blank+1:]
			}
			if !ok {
				break
			}
			var value string
			if inner, quoted := strings.CutPrefix(rest, `"`); quoted {
				value, text, _ = strings.Cut(inner, `"`)
			} else {
				value, text, _ = strings.Cut(rest, " ")
				// What a program adds stands in one more pair of quotes: msg='op=…'.
				if inner, more := strings.CutPrefix(value, "'"); more {
					value, text = "", inner+" "+text
				}
			}
			name, value = strings.Trim(name, "',"), strings.TrimSuffix(value, "'")
			if name != "" && value != "" {
				out[name] = append(out[name], value)
			}
		}
	}
	for name, texts := range out {
		if asAudited(name) || name[0] == 'a' && name[1:] != "cct" && !slices.Contains(out["type"], "EXECVE") {
			continue // a system call's a0 is a number
		}
		for _, t := range texts {
			if b, err := hex.DecodeString(t); err == nil && len(b) > 1 && t == strings.ToUpper(t) {
				// Several keys stand in one value, and a title's words end in NUL.
				out[name] = append(out[name], strings.Split(strings.ReplaceAll(string(b), "\x00", " "), "\x01")...)
			}
		}
	}
	return out
}

// asAudited reports whether a field's value stands in the record as it is; others,
// and so words in any, may be in hexadecimal.
func asAudited(name string) bool {
	switch name {
	case "", "comm", "exe", "name", "cwd", "proctitle", "cmd", "data", "path", "key", "acct", "grp":
		return false
	}
	digits := strings.TrimPrefix(name, "a")
	return digits == name || strings.Trim(digits, "0123456789") != "" || digits == ""
}
