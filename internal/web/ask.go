package web

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Ask reads what was asked with into a struct: the query of a page that shows
// something, the form that a page sent, or a program's JSON. Its fields' names are
// their json tags, in all three. What a field may be:
//
//	string, bool, int, time.Time, anything with UnmarshalText, and slices of these;
//	[]byte, which is base64 in a form as in JSON, or a file, of a page that takes
//	Files; a struct that is embedded
//	need:"true"      it can't be left out
//	max:"2000"       of a text, in characters; 200 if nothing is said
//	one:"a,b"        of a text: it is one of these
//	low:"1" high:"9" of a number
//	doc:"…"          what it is, for the description of the API
//
// In a form a tick box is true when it is there, an empty field is none, and a
// time without a zone is in the one that the field "zone" names, else in the
// reader's. Errors: *FieldError, which says what is wrong where.
func (v *Visit) Ask(into any) error {
	rv := reflect.ValueOf(into).Elem()
	kind, _, _ := strings.Cut(v.Header.Get("Content-Type"), ";")
	if !v.reads() && kind == "application/json" {
		b, err := io.ReadAll(v.Body)
		if err != nil {
			return err
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil || d.More() {
			return jsonError(err)
		}
		return v.check(rv)
	}
	values := v.URL.Query()
	if !v.reads() {
		values = v.PostForm
	}
	for f, rf := range fieldsOf(rv) {
		name := fieldName(f)
		if b, is := rf.Addr().Interface().(*[]byte); is {
			if at := slices.IndexFunc(v.Files, func(u Upload) bool { return u.Field == name }); at >= 0 {
				*b = v.Files[at].Data
				continue
			}
		}
		said := values[name]
		for j := range said {
			said[j] = strings.ReplaceAll(strings.TrimSpace(said[j]), "\r\n", "\n")
		}
		if err := v.set(rf, said, values); err != nil {
			return &FieldError{name, err.Error()}
		}
	}
	return v.check(rv)
}

// fieldsOf yields a struct's fields, and those of structs that it embeds.
func fieldsOf(rv reflect.Value) iter.Seq2[reflect.StructField, reflect.Value] {
	return func(yield func(reflect.StructField, reflect.Value) bool) {
		for _, f := range reflect.VisibleFields(rv.Type()) {
			if f.Anonymous || !f.IsExported() {
				continue
			}
			if !yield(f, rv.FieldByIndex(f.Index)) {
				return
			}
		}
	}
}

// FieldError says which field of what was sent is wrong, and how.
type FieldError struct{ Field, What string }

func (e *FieldError) Error() string { return e.Field + " " + e.What }

// Is makes it one of what can't be read.
func (e *FieldError) Is(target error) bool { return target == errInput }

func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func jsonError(err error) error {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return &FieldError{kind.Field, "is not " + inWords(kind.Type)}
	case err != nil && strings.HasPrefix(err.Error(), "json: unknown field "):
		name, unquoted := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		if unquoted == nil && len(name) < 100 {
			return &FieldError{name, "is no field of this"}
		}
	}
	return fmt.Errorf("%w: it is not the JSON object that is described", errInput)
}

// inWords is what a field takes, as JSON has it.
func inWords(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return "a list, each of it " + inWords(t.Elem())
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return "an object"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64:
		return "a number that fits"
	}
	return "a text"
}

// set reads the texts of one field.
func (v *Visit) set(f reflect.Value, said []string, all url.Values) error {
	if f.Kind() == reflect.Slice && f.Type().Elem().Kind() != reflect.Uint8 {
		for _, s := range said {
			if s == "" {
				continue
			}
			x := reflect.New(f.Type().Elem()).Elem()
			if err := v.set(x, []string{s}, all); err != nil {
				return err
			}
			f.Set(reflect.Append(f, x))
		}
		return nil
	}
	if len(said) == 0 || said[0] == "" {
		return nil
	}
	s := said[0]
	switch x := f.Addr().Interface().(type) {
	case *time.Time:
		t, err := v.time(s, all.Get("zone"))
		*x = t
		return err
	case encoding.TextUnmarshaler:
		if err := x.UnmarshalText([]byte(s)); err != nil {
			return errors.New("is not one")
		}
		return nil
	}
	switch f.Kind() {
	case reflect.Slice: // of bytes
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return errors.New("is not base64")
		}
		f.SetBytes(b)
	case reflect.String:
		f.SetString(s)
	case reflect.Bool:
		f.SetBool(s != "false")
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("is not a whole number")
		}
		f.SetInt(int64(n))
	default:
		return errors.New("can't be asked for")
	}
	return nil
}

// time reads an instant, or what a browser's field for one has.
func (v *Visit) time(s, zone string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	if zone == "" {
		zone = v.Session.Zone
	}
	in, err := time.LoadLocation(zone) // "" is UTC
	if err != nil || zone == "Local" {
		return time.Time{}, errors.New("has a zone that isn't known: say one like Europe/Vienna, or UTC")
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, in); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("is not a time: say 2026-05-01T09:00:00Z")
}

// check holds the fields to what their tags say.
func (v *Visit) check(rv reflect.Value) error {
	for sf, f := range fieldsOf(rv) {
		tag := sf.Tag
		wrong := func(format string, args ...any) error {
			return &FieldError{fieldName(sf), fmt.Sprintf(format, args...)}
		}
		if f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0 {
			if tag.Get("need") == "true" {
				return wrong("is missing")
			}
			if f.Kind() != reflect.Int || tag.Get("low") == "" || v.reads() {
				continue
			}
		}
		texts := []string{}
		switch x := f.Interface().(type) {
		case time.Time:
			if y := x.UTC().Year(); y < 1 || y > 9999 {
				return wrong("is outside of the years 1 to 9999, in UTC")
			}
		case string:
			texts = append(texts, x)
		case []string:
			texts = x
		}
		most, one := number(tag.Get("max"), 200), tag.Get("one")
		for _, s := range texts {
			switch {
			case one != "" && !slices.Contains(strings.Split(one, ","), s):
				return wrong("is none of %s", strings.ReplaceAll(one, ",", ", "))
			case !utf8.ValidString(s):
				return wrong("is not text")
			case utf8.RuneCountInString(s) > most:
				return wrong("is longer than %d characters", most)
			}
		}
		if f.Kind() == reflect.Int {
			n, low, high := int(f.Int()), number(tag.Get("low"), 0), number(tag.Get("high"), 1<<31-1)
			if n < low || n > high {
				return wrong("is not between %d and %d", low, high)
			}
		}
	}
	return nil
}

func number(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}

// window is the part of a list that was asked for: query fields of every page
// that shows one. Embed it, or give it to cut.
type window struct {
	After string `json:"after" doc:"Go on behind this: the 'next' of an earlier answer."`
	Limit int    `json:"limit" low:"0" high:"200" doc:"How many at most; 50 if nothing is said."`
}

// cut gives the part of a list that was asked for, and the cursor of the next:
// empty at the end. The list's order must stay, so that nothing is shown twice or
// passed over while it grows at its end. key is of one item alone.
func cut[T any](list []T, w window, key func(T) string) (part []T, next string, err error) {
	from := 0
	if w.After != "" {
		from = -1
		for i := range list {
			if key(list[i]) == w.After {
				from = i + 1
				break
			}
		}
		if from < 0 {
			return nil, "", &FieldError{"after", "is no place in this list: begin anew without it"}
		}
	}
	limit := w.Limit
	if limit == 0 {
		limit = 50
	}
	part = list[from:]
	if len(part) > limit {
		part = part[:limit]
		next = key(part[limit-1])
	}
	return part, next, nil
}

// Done answers an act: a page goes on to a path of this site, a program gets what
// came of it (nil: nothing but that it was done) and the same path under the API.
func (v *Visit) Done(path string, out any) error {
	if !v.API() {
		return v.Redirect(path)
	}
	v.w.Header().Set("Location", apiBase+local(path))
	if out == nil {
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return v.JSON(http.StatusOK, out)
}
