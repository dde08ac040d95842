package detect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/sighting"
	"forewarn/internal/sigma"
)

func sigmaRule(title, source, detection string) string {
	return "title: " + title + "\nlogsource: {" + source + "}\ndetection: {" + detection + "}\n"
}

// What can't be judged is told, each thing once, and never passed over.
func TestReports(t *testing.T) {
	s := &Set{}
	for ref, text := range map[string]string{
		"odd":       sigmaRule("t", "category: proxy", "s: {c-uri|expand: '%x%'}, condition: s"),
		"foreign":   "taxonomy: ecs\n" + sigmaRule("t", "category: proxy", "s: {c-uri: abcdef}, condition: s"),
		"windows":   sigmaRule("t", "product: windows, category: file_event", "s: {TargetFilename: abcdef}, condition: s"),
		"fieldless": sigmaRule("t", "category: network, service: dns", "s: {nothing: abcdef}, condition: s"),
		"slow":      sigmaRule("t", "category: proxy", "s: {c-uri|endswith: ab}, condition: s"),
		"cookies":   sigmaRule("t", "category: proxy", "s: {cs-cookie: abcdef, c-uri: x}, condition: s"),
		"names":     sigmaRule("t", "category: webserver", "s: {cs-username: abcdef, c-uri: x}, condition: s"),
		"words":     sigmaRule("t", "product: linux, service: sshd", "s: [abcdef], condition: s"),
		"filter":    "title: f\nlogsource: {category: proxy}\nfilter: {rules: cookies, s: {c-uri: x}, condition: not s}\n",
	} {
		if err := s.Add(ref, text); err != nil {
			t.Fatal(err)
		}
	}
	rules, reports := s.Rules()
	var got []string
	for _, r := range reports {
		got = append(got, strings.TrimSuffix(r.Ref, ": t")+" "+r.Class.String())
	}
	slices.Sort(got)
	if want := []string{"fieldless passed over", "filter not supported", "foreign not supported", "odd not supported", "slow slow", "windows passed over"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	_, again := s.Rules()
	if fmt.Sprint(again) != fmt.Sprint(reports) {
		t.Errorf("told otherwise the second time: %q", again)
	}
	refs := map[string]bool{}
	for _, r := range rules {
		refs[r.Ref] = true
	}
	if got, want := slices.Sorted(maps.Keys(refs)), []string{"cookies: t", "names: t", "slow: t", "words: t"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for f, want := range map[sighting.Format][]string{
		sighting.EVE:   {"names: t: fields missing: Suricata EVE never has cs-username", "words: t: passed over: Suricata EVE holds no lines of text with a field of it"},
		sighting.W3C:   {"words: t: passed over: W3C extended log holds no lines of text with a field of it"},
		sighting.Plain: {"cookies: t: passed over: plain text holds no requests of HTTP with a field of it", "names: t: passed over: plain text holds no requests of HTTP with a field of it", "slow: t: passed over: plain text holds no requests of HTTP with a field of it"},
	} {
		var got []string
		for _, r := range s.Unserved(f) {
			got = append(got, r.String())
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", f, got, want)
		}
	}
	if err := s.Add("x", "title: t\n"); !errors.Is(err, sigma.ErrSyntax) {
		t.Errorf("%v", err)
	}
}

// A filter is for rules of any text of the set.
func TestFilterOfAnotherText(t *testing.T) {
	s := &Set{}
	s.Add("f", "title: f\nlogsource: {category: proxy}\nfilter: {rules: any, s: {c-ip: 198.51.100.7}, condition: not s}\n")
	s.Add("r", sigmaRule("t", "category: proxy", "s: {c-uri: /abcdef}, condition: s"))
	for ip, want := range map[string]bool{"198.51.100.7": false, "198.51.100.8": true} {
		if got, _ := scan(t, s, `{"timestamp":"2025-07-07T12:00:00.000000+0000","src_ip":"`+ip+`","http":{"url":"/abcdef"}}`+"\n"); got != want {
			t.Errorf("%s: %t", ip, got)
		}
	}
}

func TestAuditRecord(t *testing.T) {
	for text, want := range map[string]string{
		`type=EXECVE msg=audit(1.5:2): argc=2 a0="cat" a1=2F746D702F612062`:                                 `a0=cat a1=2F746D702F612062|/tmp/a b argc=2 type=EXECVE`,
		"node=h type=SYSCALL msg=audit(1.5:2): syscall=59 a0=5532 key=6B3101 \x1dSYSCALL=execve":            `SYSCALL=execve a0=5532 key=6B3101|k1| syscall=59 type=SYSCALL`,
		`type=USER_CMD msg=audit(1.5:2): pid=7 msg='cwd="/root" cmd=6C73202D6C terminal=pts/0 res=success'`: `cmd=6C73202D6C|ls -l cwd=/root pid=7 res=success terminal=pts/0 type=USER_CMD`,
		`type=PROCTITLE msg=audit(1.5:2): proctitle=6C73002D6C`:                                             `proctitle=6C73002D6C|ls -l type=PROCTITLE`,
		`prototype=x msg=audit(1.5:2): a=b`:                                                                 ``,
		`type=x`:                                                                                            ``,
		`type=PATH msg=audit(1.5:2): name="unclosed`:                                                        `name=unclosed type=PATH`,
	} {
		got := auditRecord(values{"message": {text}})
		delete(got, "msg")
		var out []string
		for _, name := range slices.Sorted(maps.Keys(got)) {
			out = append(out, name+"="+strings.Join(got[name], "|"))
		}
		if s := strings.Join(out, " "); s != want {
			t.Errorf("%s\n%s, want\n%s", text, s, want)
		}
	}
}

func TestRequest(t *testing.T) {
	eve := views[0]
	for url, want := range map[string]string{
		"/a/b.tar.gz?x=1.5": `stem ["/a/b.tar.gz"] query ["x=1.5"] extension ["gz"] url ["/a/b.tar.gz?x=1.5" "http://h.example/a/b.tar.gz?x=1.5"]`,
		"http://p.example/": `stem ["http://p.example/"] query [] extension [] url ["http://p.example/"]`,
		"":                  `stem [""] query [] extension [] url [""]`,
	} {
		v := values{"http.url": {url}, "http.hostname": {"h.example"}}
		got := fmt.Sprintf("stem %q query %q extension %q url %q", eve.field("cs-uri-stem")(v), eve.field("c-uri-query")(v), eve.field("c-uri-extension")(v), eve.field("c-uri")(v))
		if got != want {
			t.Errorf("%q: %s, want %s", url, got, want)
		}
	}
	for line, want := range map[string][3]string{
		"GET /a b HTTP/1.1": {"GET", "/a b", "HTTP/1.1"}, "GET /a": {"GET", "/a", ""}, "x": {"x", "", ""}, "": {},
	} {
		for i, w := range want {
			if got := strings.Join(part(i)(values{"request": {line}}), "|"); got != w {
				t.Errorf("%q, part %d: %q, want %q", line, i, got, w)
			}
		}
	}
}

// The query is also the whole target where a rule finds something in it, and the
// query alone where a rule misses something: in every format alike.
func TestQuery(t *testing.T) {
	logs := func(stem, query string) (out []string) {
		column, target := "-", stem
		if query != "" {
			column, target = query, stem+"?"+query
		}
		return []string{
			"#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip\n2025-07-07 12:00:00 POST " + stem + " " + column + " 198.51.100.7\n",
			"#Fields: date time cs-method cs-uri c-ip\n2025-07-07 12:00:00 POST " + target + " 198.51.100.7\n",
			`{"timestamp":"2025-07-07T12:00:00.000000+0000","src_ip":"198.51.100.7","http":{"http_method":"POST","url":"` + target + "\"}}\n",
			`198.51.100.7 - - [07/Jul/2025:12:00:00 +0000] "POST ` + target + ` HTTP/1.1" 200 0 "-" "-"` + "\n",
			"#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tmethod\turi\n1751889600.5\tC1\t198.51.100.7\tPOST\t" + target + "\n",
		}
	}
	for _, c := range []struct {
		detection   string
		with, never bool // for /admin/login.php with id=1, and without a query
	}{
		{"s: {cs-uri-query|contains: /admin}, condition: s", true, true},
		{"s: {c-uri-query|contains: /admin}, condition: s", true, true},
		{"s: {cs-uri-query|startswith: id=}, condition: s", true, false},
		{"s: {cs-uri-stem|endswith: /login.php}, f: {cs-uri-query|contains: admin}, condition: s and not f", true, true},
		{"s: {cs-uri-stem|endswith: /login.php}, f: {c-uri-query|contains: id}, condition: s and not f", false, true},
		{"s: {cs-uri-stem|endswith: /login.php}, f: {cs-uri-query|contains: /admin}, condition: not (not f or not s)", true, true},
		{"s: {cs-uri-stem|endswith: /login.php, cs-uri-query|neq|contains: admin}, condition: s", true, true},
		{"s: {cs-uri-stem|endswith: /login.php}, f: {cs-uri-query|neq|contains: /admin}, condition: s and not f", true, true},
		{"s: {cs-uri-stem|endswith: /login.php, cs-uri-query: null}, condition: s", false, true},
		{"s: {cs-uri-stem|endswith: /login.php}, f: {cs-uri-query: null}, condition: s and not f", true, false},
		{"s: {cs-uri-stem|endswith: /login.php, cs-uri-query|exists: true}, condition: s", true, false},
		{"s: {cs-uri-stem|endswith: /login.php, cs-uri-query|exists: false}, condition: s", false, true},
		{"s: {cs-uri-stem|endswith: /login.php, cs-uri-query|neq: [a, b, c, id=1]}, condition: s", false, true},
		{"s: {cs-uri-stem|endswith: /login.php, cs-uri-query|neq: [a, b, c, /admin/login.php]}, condition: s", true, true},
	} {
		for query, want := range map[string]bool{"id=1": c.with, "": c.never} {
			for _, log := range logs("/admin/login.php", query) {
				s := &Set{}
				if err := s.Add("r", sigmaRule("t", "category: webserver", c.detection)); err != nil {
					t.Fatal(err)
				}
				if got, f := scan(t, s, log); got != want {
					t.Errorf("%s, %v, query %q: %t", c.detection, f, query, got)
				}
			}
		}
	}
}

// Any of an array's objects may lack a field: a chain of aliases before an address.
func TestEach(t *testing.T) {
	answers := strings.Repeat(`{"rrname":"a.example"},`, 50)
	log := `{"timestamp":"2025-07-07T12:00:00.000000+0000","event_type":"dns","dns":{"type":"answer","answers":[` + answers + `{"rrname":"b.example","rdata":"198.51.100.66"}]},` +
		`"http":{"url":"/","request_headers":[{"value":"odd"},{"value":"odd"},{"name":"Cookie","value":"id=66"}]}}` + "\n"
	for source, detection := range map[string]string{
		"category: network, service: dns": "s: {dns.answers.data: 198.51.100.66}, condition: s",
		"category: proxy":                 "s: {cs-cookie: id=66}, condition: s",
	} {
		s := &Set{}
		s.Add("r", sigmaRule("t", source, detection))
		if got, _ := scan(t, s, log); !got {
			t.Errorf("%s doesn't hold", detection)
		}
	}
}
