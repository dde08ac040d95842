package sigma

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Event is a record of a log: the texts of each field. A field that is absent or
// null has none; a list has several.
type Event map[string][]string

// ErrEvent is a text that isn't events.
var ErrEvent = errors.New("not events in JSON, one object after another")

// maxEvents is how many are read of one text.
const maxEvents = 200_000

// maxField is how many bytes of a field are compared with patterns; the walk may
// take the product of both lengths.
const maxField = 64 << 10

// ReadEvents reads JSON objects, one after another, as in a file of lines. What
// is nested is named with dots: {"a":{"b":1}} has the field a.b.
func ReadEvents(text []byte) (out []Event, err error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	for {
		var v map[string]any
		switch err := d.Decode(&v); {
		case err == io.EOF:
			return out, nil
		case err != nil || v == nil:
			return nil, ErrEvent
		case len(out) == maxEvents:
			return nil, ErrEvent
		}
		e := Event{}
		e.add("", v, 0)
		for name, texts := range e {
			for _, t := range texts {
				if len(t) > maxField {
					return nil, fmt.Errorf("%w: the field %q has %d bytes; at most %d are compared", ErrEvent, name[:min(len(name), 100)], len(t), maxField)
				}
			}
		}
		out = append(out, e)
	}
}

func (e Event) add(name string, v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			if name != "" {
				k = name + "." + k
			}
			if depth < 20 {
				e.add(k, w, depth+1)
			}
		}
	case []any:
		for _, w := range v {
			if depth < 20 {
				e.add(name, w, depth+1)
			}
		}
	case string:
		e[name] = append(e[name], v)
	case json.Number:
		e[name] = append(e[name], v.String())
	case bool:
		e[name] = append(e[name], strconv.FormatBool(v))
	}
}

// with is the event with a field set to one text.
func (e Event) with(name, text string) Event {
	out := Event{}
	for k, v := range e {
		out[k] = v
	}
	out[name] = []string{text}
	return out
}

func (e Event) without(name string) Event {
	out := Event{}
	for k, v := range e {
		if k != name {
			out[k] = slices.Clone(v)
		}
	}
	return out
}
