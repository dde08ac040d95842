package equivalence

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/sigma"
)

// grep judges texts whose lines are words to be found in samples. A line that
// begins with # is a comment, one that begins with ! is no rule.
type grep struct{ absent, moody bool }

var moods int

func (grep) Name() string   { return "grep" }
func (grep) Format() string { return "text" }

func (g grep) Judge(_ context.Context, rules string, c Corpus) (out []string, err error) {
	if g.absent {
		return nil, ErrAbsent
	}
	if moods++; g.moody {
		return []string{fmt.Sprint(moods)}, nil
	}
	for line := range strings.Lines(rules) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '!' {
			return nil, fmt.Errorf("%w: %s", ErrNoParse, line)
		}
		for _, s := range c.Samples {
			if strings.Contains(string(s.Data), line) {
				out = append(out, line+" in "+s.Name)
			}
		}
	}
	return out, nil
}

func TestCheck(t *testing.T) {
	corpus := Corpus{Samples: []File{{"one", []byte("alpha beta")}, {"two", []byte("gamma")}}}
	texts := func(a, b string) [carrier.Variants]string { return [carrier.Variants]string{a, a, b, a} }
	for _, c := range []struct {
		name   string
		f      carrier.Rendering
		judge  Judge
		err    error
		unsaid string
		hits   int
	}{
		{"the same", carrier.Rendering{Texts: texts("alpha\ngamma", "gamma\nalpha"), Marked: true}, grep{}, nil, "", 2},
		{"comments differ", carrier.Rendering{Texts: texts("alpha", "# x\nalpha"), Marked: true}, grep{}, nil, "", 1},
		{"one more", carrier.Rendering{Texts: texts("alpha", "alpha\nbeta"), Marked: true}, grep{}, ErrDiffers, "", 0},
		{"one less", carrier.Rendering{Texts: texts("alpha\nbeta", "beta"), Marked: true}, grep{}, ErrDiffers, "", 0},
		{"nothing in the corpus tells", carrier.Rendering{Texts: texts("alpha", "alpha\nomega"), Marked: true}, grep{}, nil, "", 1},
		{"none parses", carrier.Rendering{Texts: texts("!", "!"), Marked: true}, grep{}, ErrNoParse, "", 0},
		{"one doesn't parse", carrier.Rendering{Texts: texts("alpha", "!"), Marked: true}, grep{}, ErrNoParse, "", 0},
		{"without marks", carrier.Rendering{Texts: texts("!", "!")}, grep{}, nil, "doesn't take it", 0},
		{"none fires", carrier.Rendering{Texts: texts("omega", "omicron"), Marked: true}, grep{}, nil, "no rule in it fires", 0},
		{"none fires, without marks", carrier.Rendering{Texts: texts("omega", "omega")}, grep{}, nil, "", 0},
		{"not installed", carrier.Rendering{Texts: texts("a", "b"), Marked: true}, grep{absent: true}, nil, "not installed", 0},
		{"of two minds", carrier.Rendering{Texts: texts("a", "b"), Marked: true}, grep{moody: true}, nil, "two verdicts on one text", 0},
	} {
		c.f.Path, c.f.Format = "rules", "text"
		out, err := Check(context.Background(), []carrier.Rendering{c.f, {Format: "other"}, {Format: "text", Bulk: true}}, []Judge{c.judge}, corpus)
		switch {
		case !errors.Is(err, c.err) || c.err == nil && err != nil:
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		case err != nil && !strings.HasPrefix(err.Error(), "rules: "):
			t.Errorf("%s: %v doesn't name the file", c.name, err)
		case err == nil && (len(out) != 1 || !strings.Contains(out[0].Unsaid, c.unsaid) || (c.unsaid == "") != (out[0].Unsaid == "") || out[0].Hits != c.hits):
			t.Errorf("%s: %+v", c.name, out)
		}
	}
}

const sigmaText = "title: a\ndetection:\n  s:\n    a|contains: [x, y]\n    b: z\n  f:\n    c: null\n  condition: s and not f\n"

// The events that are made of a rule tell it from rules that say nearly the same.
func TestSigma(t *testing.T) {
	for _, c := range []struct {
		from, to string
		err      error
	}{
		{"title: a", "title: b", nil},
		{"[x, y]", "[y, x]", nil},
		{"[x, y]", "[x]", ErrDiffers},
		{"contains", "startswith", ErrDiffers},
		{" and not f", "", ErrDiffers},
		{"b: z", "b: zz", ErrDiffers},
		{"condition:", "conditions:", ErrNoParse},
	} {
		other := strings.Replace(sigmaText, c.from, c.to, 1)
		f := carrier.Rendering{Path: "r.yml", Format: "sigma", Marked: true, Texts: [carrier.Variants]string{sigmaText, sigmaText, other, sigmaText}}
		out, err := Check(context.Background(), []carrier.Rendering{f}, []Judge{Sigma{}}, Corpus{})
		if !errors.Is(err, c.err) || c.err == nil && (err != nil || out[0].On < 10 || out[0].Unsaid != "") {
			t.Errorf("%s for %s: %+v: %v", c.to, c.from, out, err)
		}
	}
	f := carrier.Rendering{Path: "r.yml", Format: "sigma", Marked: true, Texts: [carrier.Variants]string{"correlation: {}\n", "correlation: {}\n", "", ""}}
	if out, err := Check(context.Background(), []carrier.Rendering{f}, []Judge{Sigma{}}, Corpus{}); err != nil || !strings.Contains(out[0].Unsaid, "correlation") {
		t.Errorf("what isn't evaluated: %+v: %v", out, err)
	}
}

// What the author brings is looked at as well.
func TestGivenCorpus(t *testing.T) {
	a := "title: a\ndetection:\n  s:\n    a|re: '^(x|[0-9]{70})$'\n  condition: s\n"
	b := strings.Replace(a, "70", "71", 1)
	f := carrier.Rendering{Path: "r.yml", Format: "sigma", Marked: true, Texts: [carrier.Variants]string{a, b, a, a}}
	if _, err := Check(context.Background(), []carrier.Rendering{f}, []Judge{Sigma{}}, Corpus{}); err != nil {
		t.Fatalf("the corpus that is made of the rule sees it by itself now; take another: %v", err)
	}
	given, err := CorpusOf([]File{{"e.jsonl", []byte(`{"a":"` + strings.Repeat("7", 71) + `"}`)}, {"c.pcap", nil}, {"x.bin", nil}, {"d.PCAPNG", nil}})
	if err != nil || len(given.Events) != 1 || len(given.Captures) != 2 || len(given.Samples) != 1 {
		t.Fatalf("%+v: %v", given, err)
	}
	if _, err := Check(context.Background(), []carrier.Rendering{f}, []Judge{Sigma{}}, given); !errors.Is(err, ErrDiffers) {
		t.Errorf("%v, want ErrDiffers", err)
	}
	if _, err := CorpusOf([]File{{"e.json", []byte("[1]")}}); !errors.Is(err, sigma.ErrEvent) {
		t.Errorf("%v, want ErrEvent", err)
	}
}

func TestExchanges(t *testing.T) {
	rule := `alert http any any -> any any (msg:"m"; flow:established,to_server; http.method; content:"POST"; http.uri; content:"/a|2f 62|\;"; startswith; pcre:"/t[0-9]{3}$/"; http.header; content:"X-A|3a 20|b"; content:!"no"; http.request_body; content:"body"; sid:1;)`
	all := captures(rule)
	if len(all) != 1 {
		t.Fatalf("%d captures", len(all))
	}
	for _, want := range []string{"POST /a/b;t555 HTTP/1.1\r\nHost: host.example\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody", "GET /a/b;t555 ", "X-Note: no"} {
		if !strings.Contains(string(all[0].Data), want) {
			t.Errorf("no exchange holds %q", want)
		}
	}
	if captures("not a rule") != nil {
		t.Error("captures are made of what is no rule")
	}
}

// A capture's lengths and sums are what readers of captures check.
func TestCapture(t *testing.T) {
	c := newCapture()
	c.session([]byte(strings.Repeat("q", 3000)), []byte("r"))
	b := c.bytes()[24:]
	packets, payload := 0, 0
	for len(b) > 0 {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		frame := b[16 : 16+n]
		ip := frame[14:]
		if sum(ip[:20]) != 0 {
			t.Fatal("an IP header's sum is wrong")
		}
		tcp := ip[20:]
		pseudo := append(slices.Clone(ip[12:20]), 0, 6, byte(len(tcp)>>8), byte(len(tcp)))
		if sum(append(pseudo, tcp...)) != 0 {
			t.Fatal("a TCP segment's sum is wrong")
		}
		payload += len(tcp) - 20
		packets++
		b = b[16+n:]
	}
	if payload != 3001 || packets != 3+2*3+2+3 {
		t.Errorf("%d bytes in %d packets", payload, packets)
	}
}

func TestSamples(t *testing.T) {
	out := samples("rule a { strings: $a = \"x\\ty\" wide ascii $b = { 01 ?2\n 03 } $c = /q{2}[0-9]/i nocase condition: all of them }")
	has := map[string]string{}
	for _, f := range out {
		has[f.Name] = string(f.Data)
	}
	for name, want := range map[string]string{"only-0": "x\ty\nx\x00\t\x00y\x00", "only-1": "\x01\x02\x03", "only-2": "qq5", "first-2": "qq5\nx\ty\nx\x00\t\x00y\x00\n\x01\x02\x03", "pair-1-2": "\x01\x02\x03\nqq5", "empty": ""} {
		if got, ok := has[name]; !ok || !strings.EqualFold(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func FuzzMade(f *testing.F) {
	f.Add("alert http any any -> any any (http.uri; content:\"/a|2f|\"; pcre:\"/x+/U\"; sid:1;)\n", "suricata")
	f.Add("rule a { strings: $a = \"x\" wide $b = { 01 } $c = /q{2}/ condition: all of them }", "yara")
	f.Add(sigmaText, "sigma")
	f.Fuzz(func(t *testing.T, text, format string) {
		made(carrier.Rendering{Format: format, Texts: [carrier.Variants]string{text}})
	})
}

func TestSigmaStops(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Sigma{}).Judge(over, sigmaText, Corpus{Events: []sigma.Event{{}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	defer func(d time.Duration) { limit = d }(limit)
	limit = 0
	if _, err := (Sigma{}).Judge(context.Background(), sigmaText, Corpus{Events: []sigma.Event{{}}}); !errors.Is(err, ErrUnjudged) {
		t.Errorf("%v, want ErrUnjudged", err)
	}
}
