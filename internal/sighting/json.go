package sighting

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// maxDepth is how deep a record may nest. Suricata's nest about six deep.
const maxDepth = 512

// step is one level of the path to a value: a member of an object by its key
// (as written, with quotes), or an element of an array.
type step struct {
	key   []byte // nil in an array
	index int
}

// damage is where and how a JSON text is none. What was visited before it
// stands.
type damage struct {
	off  int
	what string
}

func (d *damage) Error() string { return fmt.Sprintf("column %d: %s", d.off+1, d.what) }

// walkJSON visits the keys and the scalar values of one JSON text (RFC 8259)
// in order, with the path to each and the range of bytes it stands in, quotes
// included; key tells which. It takes no memory per value and doesn't recurse,
// so that depth costs a hostile record's writer more than its reader. path is
// valid during the call only. Bytes that are no UTF-8 are let through.
func walkJSON(b []byte, visit func(path []step, start, end int, key bool)) *damage {
	w := walker{b: b, visit: visit}
	for w.space(); w.value(); w.space() {
		if !w.after() {
			break
		}
	}
	if w.bad != nil {
		return w.bad
	}
	return nil
}

type walker struct {
	b     []byte
	i     int
	path  []step
	visit func(path []step, start, end int, key bool)
	bad   *damage
}

func (w *walker) fail(what string) bool {
	if w.bad == nil {
		if w.i >= len(w.b) {
			what = "the record ends early"
		}
		w.bad = &damage{w.i, what}
	}
	return false
}

func (w *walker) space() {
	for w.i < len(w.b) {
		switch w.b[w.i] {
		case ' ', '\t', '\n', '\r':
			w.i++
		default:
			return
		}
	}
}

func (w *walker) peek() byte {
	if w.i < len(w.b) {
		return w.b[w.i]
	}
	return 0
}

// value reads a scalar, or opens containers until it has read one or has
// closed an empty one.
func (w *walker) value() bool {
	for {
		c := w.peek()
		if c != '{' && c != '[' {
			return w.scalar()
		}
		if len(w.path) == maxDepth {
			return w.fail(fmt.Sprintf("nested deeper than %d", maxDepth))
		}
		w.i++
		w.space()
		if w.peek() == c+2 { // } and ] follow { and [ by two in ASCII
			w.i++
			return true
		}
		w.path = append(w.path, step{})
		if c == '{' && !w.key() {
			return false
		}
	}
}

// after goes on from the end of a value to the start of the next; false at
// the end of the text.
func (w *walker) after() bool {
	for {
		w.space()
		if len(w.path) == 0 {
			if w.i < len(w.b) {
				w.fail("something follows the record")
			}
			return false
		}
		top := &w.path[len(w.path)-1]
		object := top.key != nil
		switch c := w.peek(); {
		case c == ',' && object:
			w.i++
			w.space()
			return w.key()
		case c == ',':
			w.i++
			top.index++
			return true
		case c == '}' && object, c == ']' && !object:
			w.i++
			w.path = w.path[:len(w.path)-1]
		default:
			return w.fail("expected a comma or the end of an object or array")
		}
	}
}

func (w *walker) key() bool {
	start := w.i
	if w.peek() != '"' {
		return w.fail("expected a key in quotes")
	}
	if !w.text() {
		return false
	}
	w.path[len(w.path)-1].key = w.b[start:w.i]
	w.visit(w.path, start, w.i, true)
	w.space()
	if w.peek() != ':' {
		return w.fail("expected a colon after the key")
	}
	w.i++
	w.space()
	return true
}

func (w *walker) scalar() bool {
	start := w.i
	ok := false
	switch c := w.peek(); {
	case c == '"':
		ok = w.text()
	case c == 't':
		ok = w.word("true")
	case c == 'f':
		ok = w.word("false")
	case c == 'n':
		ok = w.word("null")
	case c == '-' || c >= '0' && c <= '9':
		ok = w.number()
	default:
		ok = w.fail("expected a value")
	}
	if ok {
		w.visit(w.path, start, w.i, false)
	}
	return ok
}

func (w *walker) word(s string) bool {
	for i := range len(s) {
		if w.peek() != s[i] {
			return w.fail("expected true, false or null")
		}
		w.i++
	}
	return true
}

func (w *walker) digits() bool {
	start := w.i
	for c := w.peek(); c >= '0' && c <= '9'; c = w.peek() {
		w.i++
	}
	return w.i > start || w.fail("expected a digit")
}

func (w *walker) number() bool {
	if w.peek() == '-' {
		w.i++
	}
	if w.peek() == '0' {
		w.i++
	} else if !w.digits() {
		return false
	}
	if w.peek() == '.' {
		w.i++
		if !w.digits() {
			return false
		}
	}
	if c := w.peek(); c == 'e' || c == 'E' {
		w.i++
		if c := w.peek(); c == '+' || c == '-' {
			w.i++
		}
		return w.digits()
	}
	return true
}

// text reads a string, quotes included.
func (w *walker) text() bool {
	for w.i++; w.i < len(w.b); w.i++ {
		switch c := w.b[w.i]; {
		case c == '"':
			w.i++
			return true
		case c < ' ':
			return w.fail("a control character stands in a string")
		case c == '\\':
			w.i++
			switch w.peek() {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					w.i++
					if unhex(w.peek()) < 0 {
						return w.fail("expected four hex digits after \\u")
					}
				}
			default:
				return w.fail("no such escape")
			}
		}
	}
	return w.fail("")
}

// plain undoes a JSON string's quotes and escapes. b has been walked over.
func plain(b []byte) string {
	var s string
	if !isPlain(b) && json.Unmarshal(b, &s) == nil {
		return s
	}
	return string(b[1 : len(b)-1])
}

// isPlain reports whether a string is what it is written as.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}

// name writes a path as http.request_headers[3].value.
func name(path []step) string {
	out := make([]byte, 0, 64)
	for _, s := range path {
		switch {
		case s.key == nil:
			out = append(out, '[')
			out = strconv.AppendInt(out, int64(s.index), 10)
			out = append(out, ']')
		default:
			if len(out) > 0 {
				out = append(out, '.')
			}
			if isPlain(s.key) {
				out = append(out, s.key[1:len(s.key)-1]...)
			} else {
				out = append(out, plain(s.key)...)
			}
		}
		if len(out) > MaxExcerpt {
			return string(out[:MaxExcerpt])
		}
	}
	return string(out)
}

// unhex gives a hex digit's value, or -1.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
