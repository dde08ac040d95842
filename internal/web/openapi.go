package web

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Describe is the description of the API, OpenAPI 3.1 as JSON: made of the table
// of pages, so that it says what is served and nothing else. It is the same for
// every build of the same source, wherever it is served.
func Describe() ([]byte, error) {
	d := describer{schemas: map[string]any{}, types: map[string]reflect.Type{}}
	paths, tags := map[string]object{}, []string{}
	for _, p := range new(Site).pages() {
		if p.Op.Name == "" {
			continue
		}
		method, path, _ := strings.Cut(p.Pattern, " ")
		path = strings.TrimSuffix(path, "{$}")
		op, err := d.operation(p, method, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Pattern, err)
		}
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(method)] = op
		if tag := tagOf(path); !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	problem, err := d.schema(reflect.TypeFor[Problem]())
	if err != nil {
		return nil, err
	}
	types := []string{}
	for _, p := range everyProblem() {
		types = append(types, "/problems/"+p.Type)
	}
	slices.Sort(types)
	d.schemas["Problem"].(object)["properties"].(object)["type"].(object)["enum"] = types
	var tagList []object
	for _, t := range tags {
		tagList = append(tagList, object{"name": t, "description": "What is under /" + strings.TrimPrefix(t, "programme") + "."})
	}
	b, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Forewarn", "version": "1",
			"summary":     "What people do on the desk's pages, for programs.",
			"description": apiAbout,
			"license":     object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
		},
		"servers": []object{{"url": apiBase, "description": "The desk that serves this description."}},
		"tags":    tagList,
		"paths":   paths,
		"components": object{
			"schemas":   d.schemas,
			"responses": problemResponses(problem),
			"headers": object{
				"ETag":            header("Of this answer: send it as If-None-Match to learn whether it changed.", "string"),
				"Location":        header("The path where what came of it is looked at.", "string"),
				"RetryAfter":      header("Seconds after which to try again.", "integer"),
				"RateLimit":       header("What is left of a rate, and seconds until all of it is back (draft-ietf-httpapi-ratelimit-headers).", "string"),
				"RateLimitPolicy": header("The rate: so many requests in so many seconds.", "string"),
				"Replayed":        header("true: this is the first answer again, and nothing was done anew.", "string"),
			},
			"parameters": object{
				"IfNoneMatch": object{"name": "If-None-Match", "in": "header", "description": "A tag of an earlier answer: if nothing changed, the answer is 304.", "schema": object{"type": "string"}},
				"IdempotencyKey": object{"name": idempotencyHead, "in": "header", "schema": object{"type": "string", "minLength": shortestKey + 2, "maxLength": longestKey + 2},
					"description": "A quoted text of 16 to 128 characters that was never used before, such as a UUID. Sent again with the same request within 24 hours, it gets the first answer and nothing is done twice."},
				"Range": object{"name": "Range", "in": "header", "description": "The part that is wanted.", "schema": object{"type": "string"}},
			},
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer", "bearerFormat": "fwt_…", "description": "A token, with the scope that an operation names as its role. It is made on the account's page, lapses, and is never a proof of a person."},
				"session": object{"type": "apiKey", "in": "cookie", "name": "__Host-forewarn", "description": "A person who signed in with a passkey. Some operations ask for the passkey again, within five minutes: they have x-fresh-proof, and answer 403 with /problems/proof otherwise."},
			},
		},
	}, "", "  ")
	return append(b, '\n'), err
}

type object = map[string]any

const apiAbout = `Every page of the desk that shows or does something is an operation here, at the same path, with the same data.
Answers are JSON; errors are problems (RFC 9457) that say what happened, what was kept and what to do.
What somebody may not see is answered as what isn't there. Fields may be added to answers; those that are there keep their meaning.
doc/api.md tells it with examples.`

// describer gathers the schemas of what operations are asked with and answer.
type describer struct {
	schemas object
	types   map[string]reflect.Type
}

func tagOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if first == "" {
		return "programme"
	}
	return first
}

func (d *describer) operation(p Page, method, path string) (object, error) {
	reads := method == http.MethodGet
	about := []string{}
	security := []object{} // none
	if p.Who == SignedIn {
		if p.Scope != 0 {
			security = append(security, object{"token": strings.Split(p.Scope.String(), ", ")})
			about = append(about, "A token needs the scope "+p.Scope.String()+".")
		} else {
			about = append(about, "For people who are signed in, and no token.")
		}
		security = append(security, object{"session": []string{}})
	} else {
		about = append(about, "For anyone.")
	}
	if p.Fresh {
		about = append(about, "Needs the passkey again, within five minutes.")
	}
	if p.Reserved {
		about = append(about, "It has room of its own when the desk is busy.")
	}
	op := object{"operationId": p.Op.Name, "summary": p.Op.Does, "description": strings.Join(about, " "), "tags": []string{tagOf(path)}, "security": security}
	if p.Fresh {
		op["x-fresh-proof"] = true
	}

	params := []object{}
	for _, m := range anyPathField.FindAllStringSubmatch(path, -1) {
		params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": pathSchema(m[1])})
	}
	statuses := []int{404, 429, 500, 503}
	if p.Who == SignedIn {
		statuses = append(statuses, 401, 403)
	}
	switch {
	case reads && p.Op.In != nil:
		statuses = append(statuses, 400)
		query, err := d.query(reflect.TypeOf(p.Op.In))
		if err != nil {
			return nil, err
		}
		params = append(params, query...)
	case !reads:
		statuses = append(statuses, 400, 403, 409, 413, 422)
		params = append(params, object{"$ref": "#/components/parameters/IdempotencyKey"})
		if p.Op.In != nil {
			body, err := d.input(reflect.TypeOf(p.Op.In))
			if err != nil {
				return nil, err
			}
			op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": body}}}
		}
	}
	responses := object{}
	good := object{"description": "It is done."}
	code := "204"
	heads := object{}
	for _, h := range []string{"RateLimit", "RateLimit-Policy"} {
		heads[h] = object{"$ref": "#/components/headers/" + strings.ReplaceAll(h, "-", "")}
	}
	if !reads {
		heads["Location"] = object{"$ref": "#/components/headers/Location"}
		heads[replayedHead] = object{"$ref": "#/components/headers/Replayed"}
	}
	switch out := p.Op.Out.(type) {
	case nil:
		if reads {
			return nil, fmt.Errorf("it shows something, and Op.Out is nil")
		}
	case octets:
		code, good["description"] = "200", "The file, to be saved as it is."
		good["content"] = object{"application/octet-stream": object{"schema": object{}}}
		responses["206"] = object{"description": "The part that was asked for.", "content": good["content"]}
		statuses = append(statuses, 409)
		params = append(params, object{"$ref": "#/components/parameters/Range"})
	default:
		schema, err := d.schema(reflect.TypeOf(out))
		if err != nil {
			return nil, err
		}
		code, good["description"] = "200", "What there is."
		if !reads {
			good["description"] = "What came of it."
		}
		good["content"] = object{"application/json": object{"schema": schema}}
	}
	if reads {
		heads["ETag"] = object{"$ref": "#/components/headers/ETag"}
		params = append(params, object{"$ref": "#/components/parameters/IfNoneMatch"})
		responses["304"] = object{"description": "Nothing changed."}
	}
	good["headers"] = heads
	responses[code] = good
	for _, s := range statuses {
		responses[strconv.Itoa(s)] = object{"$ref": "#/components/responses/Problem" + strconv.Itoa(s)}
	}
	op["responses"] = responses
	if len(params) > 0 {
		op["parameters"] = params
	}
	return op, nil
}

var anyPathField = regexp.MustCompile(`\{([a-z_]+)(?:\.\.\.)?\}`)

// pathSchema is what a path's field may be: an id, where nothing else is said.
func pathSchema(name string) object {
	switch name {
	case "file":
		return object{"type": "string", "enum": []string{"sealed", "bulk", "proof"}}
	case "name", "path", "word":
		return object{"type": "string"}
	case "number", "round":
		return object{"type": "integer", "minimum": 1}
	}
	return idSchema()
}

func idSchema() object { return object{"type": "string", "pattern": "^[0-9a-v]{26}$"} }

// problemResponses are the answers that say no, by status.
func problemResponses(schema any) object {
	by := map[int][]string{}
	for _, p := range everyProblem() {
		by[p.Status] = append(by[p.Status], "/problems/"+p.Type+": "+p.What)
	}
	out := object{}
	for _, status := range []int{400, 401, 403, 404, 409, 413, 422, 429, 500, 503} {
		r := object{"description": strings.Join(by[status], "\n"), "content": object{"application/problem+json": object{"schema": schema}}}
		if status == 409 || status == 429 || status == 503 {
			r["headers"] = object{"Retry-After": object{"$ref": "#/components/headers/RetryAfter"}}
		}
		out["Problem"+strconv.Itoa(status)] = r
	}
	return out
}

func header(about, kind string) object {
	return object{"description": about, "schema": object{"type": kind}}
}

// input is the schema of a struct that Visit.Ask reads.
func (d *describer) input(t reflect.Type) (any, error) {
	return d.named(t, func() (object, error) {
		props, required := object{}, []string{}
		for f, rf := range fieldsOf(reflect.New(t).Elem()) {
			s, err := inputField(f, rf.Type())
			if err != nil {
				return nil, err
			}
			props[fieldName(f)] = s
			if needed(f) {
				required = append(required, fieldName(f))
			}
		}
		out := object{"type": "object", "properties": props, "additionalProperties": false}
		if len(required) > 0 {
			out["required"] = required
		}
		return out, nil
	})
}

// query is the same struct as the parameters of a query.
func (d *describer) query(t reflect.Type) (out []object, err error) {
	for f, rf := range fieldsOf(reflect.New(t).Elem()) {
		s, err := inputField(f, rf.Type())
		if err != nil {
			return nil, err
		}
		p := object{"name": fieldName(f), "in": "query", "schema": s}
		if f.Tag.Get("need") == "true" {
			p["required"] = true
		}
		if about, ok := s["description"]; ok {
			p["description"] = about
			delete(s, "description")
		}
		out = append(out, p)
	}
	return out, nil
}

// needed: a number that can't be nothing can't be left out either.
func needed(f reflect.StructField) bool {
	return f.Tag.Get("need") == "true" || f.Type.Kind() == reflect.Int && number(f.Tag.Get("low"), 0) > 0
}

func inputField(f reflect.StructField, t reflect.Type) (object, error) {
	if fieldName(f) == "" {
		return nil, fmt.Errorf("%s has no json tag", f.Name)
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		item, err := inputField(f, t.Elem())
		if err != nil {
			return nil, err
		}
		out := object{"type": "array", "items": item}
		if about, ok := item["description"]; ok {
			out["description"] = about
			delete(item, "description")
		}
		return out, nil
	}
	out := plainSchema(t)
	if out == nil {
		return nil, fmt.Errorf("%s can't be asked for: it is %s", f.Name, t)
	}
	switch t.Kind() {
	case reflect.String:
		out["maxLength"] = number(f.Tag.Get("max"), 200)
		if one := f.Tag.Get("one"); one != "" {
			out["enum"] = strings.Split(one, ",")
			delete(out, "maxLength")
		}
	case reflect.Int:
		out["minimum"], out["maximum"] = number(f.Tag.Get("low"), 0), number(f.Tag.Get("high"), 1<<31-1)
	}
	if about := f.Tag.Get("doc"); about != "" {
		out["description"] = about
	}
	return out, nil
}

var (
	textType   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonType   = reflect.TypeFor[json.Marshaler]()
	timeType   = reflect.TypeFor[time.Time]()
	momentType = reflect.TypeFor[Moment]()
)

// plainSchema is the schema of what is no object and no list; nil for those.
func plainSchema(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == momentType:
		return object{"type": []string{"string", "null"}, "format": "date-time"}
	case t.Kind() == reflect.Array && t.Len() == 16 && t.Implements(textType):
		return idSchema()
	case t == reflect.TypeFor[digest]():
		return object{"type": "string", "pattern": "^[0-9a-f]{64}$"}
	case t.Implements(jsonType):
		return object{}
	case t.Implements(textType):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
	}
	return nil
}

// schema is that of what encoding/json makes of a type.
func (d *describer) schema(t reflect.Type) (any, error) {
	if s := plainSchema(t); s != nil {
		return s, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Slice, reflect.Array:
		item, err := d.schema(t.Elem())
		return object{"type": "array", "items": item}, err
	case reflect.Map:
		item, err := d.schema(t.Elem())
		return object{"type": "object", "additionalProperties": item}, err
	case reflect.Struct:
		return d.named(t, func() (object, error) {
			out := object{"type": "object", "properties": object{}}
			required, err := d.properties(t, out["properties"].(object))
			if len(required) > 0 {
				slices.Sort(required)
				out["required"] = required
			}
			return out, err
		})
	}
	return nil, fmt.Errorf("%s has no schema", t)
}

// properties adds a struct's fields, and those of structs that it embeds where it
// has none of that name itself. It gives the names that are always there.
func (d *describer) properties(t reflect.Type, into object) (required []string, err error) {
	embedded := []reflect.Type{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			e := f.Type
			if e.Kind() == reflect.Pointer {
				e = e.Elem()
			}
			embedded = append(embedded, e)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			return nil, fmt.Errorf("%s.%s has no json tag", t, f.Name)
		case into[name] != nil:
			continue
		}
		s, err := d.schema(f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		if about := f.Tag.Get("doc"); about != "" {
			s = described(s, about)
		}
		into[name] = s
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	for _, e := range embedded {
		more, err := d.properties(e, into)
		if err != nil {
			return nil, err
		}
		required = append(required, more...)
	}
	return required, nil
}

func described(s any, about string) any {
	o := s.(object)
	if _, ref := o["$ref"]; ref {
		return object{"allOf": []any{o}, "description": about}
	}
	o["description"] = about
	return o
}

// named puts a struct's schema among the components once, and refers to it.
func (d *describer) named(t reflect.Type, make func() (object, error)) (any, error) {
	name := capital(t.Name())
	switch {
	case name == "":
		return make()
	case d.types[name] == nil:
		d.types[name], d.schemas[name] = t, object{}
		s, err := make()
		if err != nil {
			return nil, err
		}
		d.schemas[name] = s
	case d.types[name] != t:
		return nil, fmt.Errorf("%s and %s would both be called %s", t, d.types[name], name)
	}
	return object{"$ref": "#/components/schemas/" + name}, nil
}

// openapi serves the description.
func openapi(v *Visit) error {
	h := v.w.Header()
	h.Set("ETag", v.site.about.etag)
	h.Set("Cache-Control", "public, no-cache")
	if known(v.Header.Get("If-None-Match"), v.site.about.etag) {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	v.send(http.StatusOK, v.site.about.kind, v.site.about.data)
	return nil
}
