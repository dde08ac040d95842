package equivalence

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/sigma"
)

// exchange is a request and its reply, made of what a rule looks for.
type exchange struct {
	parts  map[string][]string // by buffer
	client bool                // the rule looks at what goes to the client
}

// maxExchanges is how many are made of one file of rules.
const maxExchanges = 2000

// captures is one capture with an exchange for each rule, and one without each
// thing that a rule looks for; rules that can't be read make none.
func captures(rules string) []File {
	parsed, err := carrier.SuricataRules(rules)
	if err != nil {
		return nil
	}
	all := []exchange{{}}
	for _, r := range parsed {
		pieces, client := looksFor(r)
		whole := exchange{parts: map[string][]string{}, client: client}
		for _, p := range pieces {
			if !p.not {
				whole.parts[p.buffer] = append(whole.parts[p.buffer], p.text)
			}
		}
		all = append(all, whole)
		for out := range pieces {
			e := exchange{parts: map[string][]string{}, client: client}
			for i, q := range pieces {
				// What must not be there is there once.
				if i == out == q.not {
					e.parts[q.buffer] = append(e.parts[q.buffer], q.text)
				}
			}
			if all = append(all, e); len(all) >= maxExchanges {
				break
			}
		}
	}
	c := newCapture()
	for _, e := range all {
		request, reply := e.bytes()
		c.session(request, reply)
	}
	return []File{{"made-of-the-rules.pcap", c.bytes()}}
}

// piece is one content of a rule.
type piece struct {
	buffer, text string
	not          bool
}

var (
	escapes = regexp.MustCompile(`\\([\\":;])`)
	pipes   = regexp.MustCompile(`\|[0-9A-Fa-f ]*\|`)
	pcre    = regexp.MustCompile(`^"/(.*)/([A-Za-z]*)"$`)
)

// old are modifiers that name the buffer of the content before them.
var old = map[string]string{
	"http_method": "http.method", "http_uri": "http.uri", "http_raw_uri": "http.uri", "http_header": "http.header", "http_cookie": "http.cookie",
	"http_user_agent": "http.user_agent", "http_host": "http.host", "http_client_body": "http.request_body", "http_server_body": "http.response_body",
	"http_stat_code": "http.stat_code", "http_stat_msg": "http.stat_msg", "http_referer": "http.referer",
}

func looksFor(r carrier.SuricataRule) (out []piece, client bool) {
	buffer := ""
	for _, o := range r.Options {
		switch {
		case o.Value == "" && strings.Contains(o.Key, "."), o.Key == "pkt_data", o.Key == "file_data":
			buffer = o.Key
		case old[o.Key] != "" && len(out) > 0:
			out[len(out)-1].buffer = old[o.Key]
		case o.Key == "flow":
			client = client || strings.Contains(o.Value, "to_client") || strings.Contains(o.Value, "from_server")
		case o.Key == "content" || o.Key == "uricontent":
			value, not := strings.CutPrefix(o.Value, "!")
			out = append(out, piece{buffer, content(value), not})
		case o.Key == "pcre":
			value, not := strings.CutPrefix(o.Value, "!")
			if m := pcre.FindStringSubmatch(value); m != nil {
				if text, ok := sigma.Instance(strings.ReplaceAll(m[1], `\/`, "/")); ok {
					out = append(out, piece{buffer, text, not})
				}
			}
		}
	}
	return out, client
}

// content decodes a content: bytes in hexadecimal between bars, and escapes.
func content(value string) string {
	value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
	value = pipes.ReplaceAllStringFunc(value, func(s string) string {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(s, "|"), " ", ""))
		if err != nil {
			return ""
		}
		return string(b)
	})
	return escapes.ReplaceAllString(value, "$1")
}

// bytes writes the exchange in HTTP/1.1.
func (e *exchange) bytes() (request, reply []byte) {
	get := func(buffer, otherwise string) string {
		if p := e.parts[buffer]; len(p) > 0 {
			return strings.Join(p, "")
		}
		return otherwise
	}
	uri := get("http.uri", get("http.uri.raw", "/"))
	if !strings.HasPrefix(uri, "/") {
		uri = "/" + uri
	}
	var head, answer strings.Builder
	for _, h := range [][2]string{
		{"Host", "http.host"}, {"User-Agent", "http.user_agent"}, {"Referer", "http.referer"}, {"Cookie", "http.cookie"},
		{"Content-Type", "http.content_type"}, {"Accept", "http.accept"}, {"Accept-Language", "http.accept_lang"}, {"Accept-Encoding", "http.accept_enc"},
	} {
		if v := get(h[1], map[string]string{"Host": "host.example"}[h[0]]); v != "" {
			fmt.Fprintf(&head, "%s: %s\r\n", h[0], v)
		}
	}
	lines := &head
	if e.client {
		lines = &answer
	}
	for _, l := range append(e.parts["http.header"], e.parts["http.header.raw"]...) {
		if l = strings.Trim(l, "\r\n"); !strings.Contains(l, ":") {
			l = "X-Note: " + l
		}
		fmt.Fprintf(lines, "%s\r\n", l)
	}
	body, page := get("http.request_body", ""), get("http.response_body", get("file.data", get("file_data", "")))
	for _, b := range []string{"", "pkt_data"} {
		if e.client {
			page += get(b, "")
		} else {
			body += get(b, "")
		}
	}
	request = fmt.Appendf(nil, "%s %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", get("http.method", "GET"), uri, head.String(), len(body), body)
	for _, h := range [][2]string{{"Server", "http.server"}, {"Location", "http.location"}} {
		if v := get(h[1], ""); v != "" {
			fmt.Fprintf(&answer, "%s: %s\r\n", h[0], v)
		}
	}
	reply = fmt.Appendf(nil, "HTTP/1.1 %s %s\r\n%sContent-Length: %d\r\n\r\n%s", get("http.stat_code", "200"), get("http.stat_msg", "OK"), answer.String(), len(page), page)
	return request, reply
}
