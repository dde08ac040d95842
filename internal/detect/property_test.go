package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	someFields = []string{"cs-method", "cs-uri-stem", "cs-uri-query", "c-uri", "c-useragent", "cs-referer", "cs-host", "sc-status", "c-ip"}
	someTexts  = []string{
		"GET", "post", "/portal/import", "/Portal/Layouts/start.aspx", "id=7&q=select+x", "id=7&q=SELECT%20x", "example tool 1.0", "Example+Tool+1.0", "198.51.100.7",
		"::ffff:198.51.100.7", "200", "portal.example.com", `say "hello"`, `back\slash`, "größe", "GRÖSSE", "a,b;cdef", "\u212aelvin scale", "kelvin scale", "<script>&", "%252e%252e", "tab\there", "x",
	}
)

// someRule writes a rule of web requests.
func someRule(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("title: t\nlogsource: {category: webserver}\ndetection:\n")
	quote := func(s string) string { q, _ := json.Marshal(s); return string(q) }
	piece := func() string {
		if r.IntN(8) == 0 {
			return []string{`import\?id=7`, `aspx\?id=7&q`, `rt\?ID=7`, "http://portal.example.com/portal"}[r.IntN(4)]
		}
		s := []rune(someTexts[r.IntN(len(someTexts))])
		from := r.IntN(len(s))
		s = s[from:min(len(s), from+1+r.IntN(12))]
		return strings.TrimRight(string(s), `\`)
	}
	for _, n := range []string{"s", "t"} {
		if r.IntN(4) == 0 {
			b.WriteString("  " + n + ": [" + quote("k"+piece()) + ", " + quote(piece()) + "]\n")
			continue
		}
		b.WriteString("  " + n + ":\n")
		used := map[string]bool{}
		for range 1 + r.IntN(2) {
			mods := []string{"", "|contains", "|startswith", "|endswith", "|contains|all", "|re|i", "|cidr", "|neq", "|windash|contains"}
			key := someFields[r.IntN(len(someFields))] + mods[r.IntN(len(mods))]
			if used[key] {
				continue
			}
			used[key] = true
			value := "[" + quote(piece()) + ", " + quote(piece()) + "]"
			switch {
			case strings.HasSuffix(key, "|re|i"):
				value = quote([]string{"tool [0-9]", "portal.*start", "(get|post)", "select.x", "kelvin|hello", "^id=7", `\\?id=7&q`}[r.IntN(7)])
			case strings.HasSuffix(key, "|cidr"):
				value = "198.51.100.0/24"
			}
			b.WriteString("    " + quote(key) + ": " + value + "\n")
		}
	}
	b.WriteString("  condition: " + []string{"s", "s or t", "s and t", "s and not t", "1 of them"}[r.IntN(5)] + "\n")
	return b.String()
}

// written is a record in a format, under the lines that it needs before it, and
// its values in case no layout reads that format.
type written struct {
	format, head, line string
	values             values
}

// someRequest is a request as four formats have it.

func someRequest(r *rand.Rand) []written {
	pick := func() string { return someTexts[r.IntN(len(someTexts))] }
	method, stem, query, ua, ref, host, status, ip := pick(), pick(), pick(), pick(), pick(), pick(), "200", "198.51.100.7"
	if r.IntN(3) == 0 {
		ip = "::ffff:c633:6407"
	}
	url := stem + "?" + query
	h := map[string]any{"http_method": method, "url": url, "http_user_agent": ua, "http_refer": ref, "hostname": host, "status": 200}
	if r.IntN(4) == 0 {
		delete(h, "http_user_agent")
	}
	b, _ := json.Marshal(map[string]any{"timestamp": "2025-07-07T12:00:00.000000+0000", "event_type": "http", "src_ip": ip, "dest_ip": "192.0.2.80", "http": h})
	if r.IntN(2) == 0 { // as Suricata writes slashes, and not <, > and &
		b = bytes.ReplaceAll(b, []byte("/"), []byte(`\/`))
		for _, sign := range "<>&" {
			b = bytes.ReplaceAll(b, fmt.Appendf(nil, `\u%04x`, sign), []byte(string(sign)))
		}
	}
	iis := func(s string) string { return strings.NewReplacer(" ", "+", "\t", "+").Replace(s) }
	w3c := "2025-07-07 12:00:00"
	for _, s := range []string{method, stem, query, ua, ref, host, status, ip} {
		w3c += " " + iis(s)
	}
	// nginx writes quotes, backslashes, controls and what isn't ASCII as \xHH.
	nginx := func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			if c == '"' || c == '\\' || c < ' ' || c >= 0x7f {
				fmt.Fprintf(&b, `\x%02X`, c)
			} else {
				b.WriteByte(c)
			}
		}
		return b.String()
	}
	request := method + " " + url + " HTTP/1.1"
	combined := fmt.Sprintf(`%s - - [07/Jul/2025:12:00:00 +0000] "%s" %s 0 "%s" "%s"`, ip, nginx(request), status, nginx(ref), nginx(ua))
	zeek := strings.Join([]string{"1751889600.5", "C1", ip, method, nginx(host), nginx(url), nginx(ref), nginx(ua), status}, "\t")
	return []written{
		{"eve", "", string(b), nil},
		{"w3c", "#Fields: date time cs-method cs-uri-stem cs-uri-query cs(User-Agent) cs(Referer) cs-host sc-status c-ip\n", w3c, nil},
		{"combined", "", combined, values{"remote_addr": {ip}, "request": {request}, "status": {status}, "http_referer": {ref}, "http_user_agent": {ua}}},
		{"zeek", "#separator \\x09\n#unset_field\t-\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tmethod\thost\turi\treferrer\tuser_agent\tstatus_code\n", zeek, values{"_path": {"http"}, "id.orig_h": {ip}, "method": {method}, "host": {host}, "uri": {url}, "referrer": {ref}, "user_agent": {ua}, "status_code": {status}}},
	}
}

// A record for which a rule holds has one of its needles, in every format.
func TestNeedlesStandInRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	with := map[string]int{} // verdicts of yes, of rules with needles
	layouts := map[string]bool{}
	for range 1500 {
		text := someRule(r)
		s := &Set{}
		if err := s.Add("r", text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rules, _ := s.Rules()
		if len(rules) == 0 {
			t.Fatal(text)
		}
		n := rules[0].Needles
		if len(n) == 0 {
			continue
		}
		logs, all := map[string]string{}, map[string][]written{}
		for range 16 {
			for _, w := range someRequest(r) {
				if logs[w.format] == "" {
					logs[w.format] = w.head
				}
				logs[w.format] += w.line + "\n"
				all[w.format] = append(all[w.format], w)
			}
		}
		for format, log := range logs {
			rules[0].Needles = n
			found, f := sightings(t, rules, log)
			if !strings.Contains(strings.ToLower(f.String()), format) {
				for _, w := range all[format] {
					if !viewHolds(s, format, w.values) {
						continue
					}
					with[format]++
					if !slices.ContainsFunc(n, func(n string) bool { return strings.Contains(asciiLower(w.line), n) }) {
						t.Errorf("%q of %s\n%s\nhave none of %q", w.values, w.line, text, n)
					}
				}
				continue
			}
			rules[0].Needles = nil
			every, _ := sightings(t, rules, log)
			with[format] += len(every)
			layouts[f.String()] = true
			if !maps.Equal(found, every) {
				t.Errorf("%v with the needles %q, %v without, of\n%s%s", found, n, every, text, log)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Log(with, "by layouts of", slices.Sorted(maps.Keys(layouts)))
	for _, f := range []string{"eve", "w3c", "combined", "zeek"} {
		if with[f] < 300 {
			t.Errorf("too few to say anything of %s", f)
		}
	}
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] |= 0x20
		}
	}
	return string(b)
}

// FuzzRules: no text and no log bring the bridge down, and needles never change
// what is found.
func FuzzRules(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 8 {
		w := someRequest(r)
		f.Add(someRule(r), w[0].line)
		f.Add(someRule(r), w[1].head+w[1].line)
	}
	f.Add("title: t\nlogsource: {product: linux, service: auditd}\ndetection: {s: {type: EXECVE, a0|startswith: /tmp, key: k1}, condition: s}\n", "type=EXECVE msg=audit(1.5:2): a0=2F746D70 key=6B31016B32 msg='op=x y=\"z'\x1dSYSCALL=execve")
	f.Add("title: t\nlogsource: {product: linux, service: auditd}\ndetection: {s: [tmpdir], condition: s}\n", "type=EXECVE msg=audit(1.5:2): a0=544D5044495221")
	f.Add("title: t\nlogsource: {category: proxy}\ndetection: {s: {c-uri|endswith: ab}, condition: s}\n", `{"timestamp":"x","h\u0074tp":{"url":"\/ab"}}`)
	f.Add("title: t\nlogsource: {product: zeek, service: http}\ndetection: {s: [abcd, 'ef gh'], condition: s}\n---\ntitle: f\nfilter: {rules: any, s: {uri: x}, condition: not s}\n", `{"ts":1,"uri":"abcd"}`)
	f.Fuzz(func(t *testing.T, rule, log string) {
		s := &Set{}
		if s.Add("r", rule) != nil {
			return
		}
		rules, _ := s.Rules()
		with, _ := sightings(t, rules, log)
		for i := range rules {
			rules[i].Needles, rules[i].Guard = nil, nil
		}
		if without, _ := sightings(t, rules, log); !maps.Equal(with, without) {
			t.Fatalf("%v with needles, %v without", with, without)
		}
	})
}
