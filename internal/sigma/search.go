package sigma

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// search is what a name of the detection stands for: alternatives, of each of
// which all fields must match.
type search []fields

type fields []field

// maxFields is how many fields one mapping of a search may ask for. Published
// rules have a few.
const maxFields = 200

// field is a field's name, "" for keywords in any field, and what it must be.
type field struct {
	name   string
	values []value
	all    bool            // every value, not one of them
	not    bool            // not so
	some   []value         // those of the values that aren't in whole
	whole  map[string]bool // whole texts, folded, one of which is enough
	place  string          // where in the text they stand: contains, startswith, endswith, or the whole
}

func (s search) holds(e *Record, wide bool) bool {
	for _, f := range s {
		if f.hold(e, wide) {
			return true
		}
	}
	return false
}

func (fs fields) hold(e *Record, wide bool) bool {
	for i := range fs {
		if !fs[i].holds(e, wide) {
			return false
		}
	}
	return true
}

func (f *field) holds(e *Record, wide bool) bool {
	wide = wide != f.not
	if f.whole != nil {
		for _, t := range e.texts(f.name, wide) {
			if f.whole[t.low] {
				return !f.not
			}
		}
		return slices.ContainsFunc(f.some, func(v value) bool { return v.in(e, f.name, wide) }) != f.not
	}
	for i := range f.values {
		if f.values[i].in(e, f.name, wide) != f.all {
			return f.all == f.not
		}
	}
	return f.all != f.not
}

func parseSearch(v any) (search, error) {
	switch v := v.(type) {
	case yaml.MapSlice:
		fs, err := parseFields(v)
		return search{fs}, err
	case []any:
		var out search
		var keywords []any
		for _, e := range v {
			if m, ok := e.(yaml.MapSlice); ok {
				fs, err := parseFields(m)
				if err != nil {
					return nil, err
				}
				out = append(out, fs)
			} else {
				keywords = append(keywords, e)
			}
		}
		if len(keywords) > 0 {
			f, err := parseField("", keywords)
			if err != nil {
				return nil, err
			}
			out = append(out, fields{f})
		}
		if len(out) == 0 {
			return nil, syntax("an empty search")
		}
		return out, nil
	case string, uint64, int64, float64:
		f, err := parseField("", v)
		return search{fields{f}}, err
	}
	return nil, syntax("a search is a mapping, a list or a keyword")
}

func parseFields(m yaml.MapSlice) (fields, error) {
	if len(m) == 0 {
		return nil, syntax("an empty search")
	}
	if len(m) > maxFields {
		return nil, unsupported("%d fields in one search; at most %d are looked at", len(m), maxFields)
	}
	var out fields
	for _, kv := range m {
		name, ok := kv.Key.(string)
		if !ok {
			name = fmt.Sprint(kv.Key)
		}
		f, err := parseField(name, kv.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// parseField reads a name with its modifiers, and a value or a list of them.
func parseField(key string, v any) (field, error) {
	name, rest, _ := strings.Cut(key, "|")
	f := field{name: name}
	var mods []string
	if rest != "" {
		mods = strings.Split(rest, "|")
	}
	m, err := parseModifiers(mods)
	if err != nil {
		return f, fmt.Errorf("%s: %w", key, err)
	}
	f.all, f.not, f.place = m.all, m.neq, m.place
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	if len(list) == 0 {
		return f, syntax("%s: an empty list", key)
	}
	for _, e := range list {
		if s, _ := e.(string); len(s) > maxPattern {
			return f, fmt.Errorf("%s: %w", key, unsupported("a value of %d bytes; at most %d are compared", len(s), maxPattern))
		}
		values, err := m.value(e, name == "")
		if err != nil {
			return f, fmt.Errorf("%s: %w", key, err)
		}
		f.values = append(f.values, values)
	}
	f.split()
	return f, nil
}

// split looks up long lists of texts without wildcards instead of comparing each.
func (f *field) split() {
	if f.all || f.name == "" || len(f.values) < 4 {
		return
	}
	f.whole = map[string]bool{}
	for _, v := range f.values {
		if v.whole != nil {
			f.whole[*v.whole] = true
		} else {
			f.some = append(f.some, v)
		}
	}
}

// scalar is a YAML scalar as text; ok is false for null and for what is none.
func scalar(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
