package detect

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// most is how many items of an array are looked at.
const most = 1000

// list is a field's texts; an array's items stand under name[0] and on, or under
// the name by themselves.
func list(v values, name string) []string {
	if texts := v[name]; len(texts) > 0 {
		return texts
	}
	var out []string
	for i := range most {
		texts := v[fmt.Sprintf("%s[%d]", name, i)]
		if len(texts) == 0 {
			break
		}
		out = append(out, texts...)
	}
	return out
}

// with is which of an array's objects have a field, in order. Any may lack it.
func with(v values, array, name string) (at []int) {
	for key, texts := range v {
		if rest, ok := strings.CutPrefix(key, array+"["); ok && len(texts) > 0 {
			if number, ok := strings.CutSuffix(rest, "]."+name); ok {
				if i, err := strconv.Atoi(number); err == nil && i < most {
					at = append(at, i)
				}
			}
		}
	}
	slices.Sort(at)
	return at
}

// each is a field of all objects in an array.
func each(array, name string) field {
	return func(v values) (out []string) {
		for _, i := range with(v, array, name) {
			out = append(out, v[fmt.Sprintf("%s[%d].%s", array, i, name)]...)
		}
		return out
	}
}

// header is a request's header, where EVE was told to dump them all.
func header(name string) field {
	return func(v values) (out []string) {
		for _, i := range with(v, "http.request_headers", "name") {
			if strings.EqualFold(v[fmt.Sprintf("http.request_headers[%d].name", i)][0], name) {
				out = append(out, v[fmt.Sprintf("http.request_headers[%d].value", i)]...)
			}
		}
		return out
	}
}

// part is a word of a request line: the method, all that is between, the protocol.
func part(n int) field {
	return func(v values) (out []string) {
		for _, line := range v["request"] {
			first, last := strings.IndexByte(line, ' '), strings.LastIndexByte(line, ' ')
			if first < 0 {
				first, last = len(line), len(line)
			}
			if last == first { // HTTP/0.9 names no protocol
				last = len(line)
			}
			word := [3]string{line[:first], strings.TrimPrefix(line[first:last], " "), strings.TrimPrefix(line[last:], " ")}[n]
			if word != "" {
				out = append(out, word)
			}
		}
		return out
	}
}

// blanks is a field in which IIS writes plus signs for blanks: as it stands, and
// with blanks if it has none.
func blanks(names ...string) field {
	f := at(names...)
	return func(v values) []string {
		texts := f(v)
		for _, t := range texts[:len(texts):len(texts)] {
			if strings.Contains(t, "+") && !strings.Contains(t, " ") {
				texts = append(texts[:len(texts):len(texts)], strings.ReplaceAll(t, "+", " "))
			}
		}
		return texts
	}
}

// whole puts a request's target together where it was logged in two fields.
func whole(v values) (out []string) {
	for _, stem := range v["cs-uri-stem"] {
		if query := v["cs-uri-query"]; len(query) > 0 {
			stem += "?" + query[0]
		}
		out = append(out, stem)
	}
	return out
}

// before is what stands before the question mark of a target.
func before(target field) field {
	return func(v values) (out []string) {
		for _, t := range target(v) {
			stem, _, _ := strings.Cut(t, "?")
			out = append(out, stem)
		}
		return out
	}
}

// behind is what stands behind the question mark of a target. IIS writes an empty
// query as none, and so does this.
func behind(target field) field {
	return func(v values) (out []string) {
		for _, t := range target(v) {
			if _, query, _ := strings.Cut(t, "?"); query != "" {
				out = append(out, query)
			}
		}
		return out
	}
}

// scheme is what request writes before a host: no needle may be made of it.
const scheme = "http://"

// names of one thing: webserver rules call it by one, proxy rules by another.
var names = map[string]string{
	"c-uri": "url", "cs-uri": "url", "c-useragent": "cs-user-agent", "cs(user-agent)": "cs-user-agent",
	"cs-referrer": "cs-referer", "cs(referer)": "cs-referer", "cs(cookie)": "cs-cookie",
	"cs-host": "host", "r-dns": "host", "src_ip": "c-ip", "dst_ip": "s-ip", "src_port": "c-port", "dst_port": "s-port",
	"c-uri-stem": "cs-uri-stem", "c-uri-query": "cs-uri-query", "c-uri-extension": "extension", "cs-uri-extension": "extension",
}

// also are fields whose texts a rule may find what it looks for in, and not miss it:
// Sigma's rules look for paths in the query, its taxonomy calls the proxy's query a
// "path component of requested URL", and what searches logs in which the target is
// one field compares the whole.
var also = map[string]string{"cs-uri-query": "target", "c-uri-query": "target"}

// request adds to a format's fields those that are part of others, and Sigma's
// further names of them.
//
// A target is one text, put together where two fields hold it. The stem is what stands
// before the question mark, the query what stands behind it, or their columns where
// there are any: one request has one verdict, in whichever format it was logged. A
// URL is the target, and again with the host before it where the target has none.
func request(f map[string]field) map[string]field {
	f = maps.Clone(f)
	target, host := f["target"], f["host"]
	f["url"] = func(v values) []string {
		out := target(v)
		if hosts := host(v); len(hosts) > 0 && len(hosts) == len(out) {
			for i, t := range out[:len(out):len(out)] {
				if strings.HasPrefix(t, "/") {
					out = append(out[:len(out):len(out)], scheme+hosts[i]+t)
				}
			}
		}
		return out
	}
	if f["cs-uri-query"] == nil {
		f["cs-uri-query"] = behind(target)
	}
	if f["cs-uri-stem"] == nil {
		f["cs-uri-stem"] = before(target)
	}
	stem := f["cs-uri-stem"]
	f["extension"] = func(v values) (out []string) {
		for _, s := range stem(v) {
			s = s[strings.LastIndexByte(s, '/')+1:]
			if i := strings.LastIndexByte(s, '.'); i >= 0 {
				out = append(out, s[i+1:])
			}
		}
		return out
	}
	for sigma, name := range names {
		if of := f[name]; of != nil {
			f[sigma] = of
		}
	}
	return f
}
