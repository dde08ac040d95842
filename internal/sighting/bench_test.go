//go:build unix

package sighting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/token"
)

// corpus is the real EVE records over and over, 32 MB of them: all 5,331 where
// they are, else the project's own sample.
func corpus(b *testing.B) []byte {
	text := append(bytes.Join(records(b, false), []byte("\n")), '\n')
	return bytes.Repeat(text, 1+32_000_000/len(text))
}

// indicators are n of each kind, none of which is in the corpus.
func indicators(n int) (out []Indicator) {
	for i := range n {
		out = append(out,
			Indicator{Kind: Host, Value: fmt.Sprintf("c%d.operator%d.example", i, i*7)},
			Indicator{Kind: Address, Value: fmt.Sprintf("203.0.113.%d", i%256)},
			Indicator{Kind: Address, Value: fmt.Sprintf("2001:db8:%x::%x", i+1, i+1)},
			Indicator{Kind: Path, Value: fmt.Sprintf("/_layouts/15/stage%d/start.aspx", i)},
			Indicator{Kind: Hash, Value: fmt.Sprintf("%064x", uint64(i+1)*0x9E3779B97F4A7C15)},
			Indicator{Kind: Constant, Value: fmt.Sprintf("fw-%08x", uint32(i+1)*0x9E3779B1)},
		)
	}
	return out
}

// literals are n indicators as a list of them has: digests, names, paths and
// bytes. None is in the corpus.
func literals(n int) []Indicator {
	out := make([]Indicator, n)
	x := uint64(n)
	next := func() uint64 { x = x*6364136223846793005 + 1442695040888963407; return x ^ x>>29 }
	for i := range out {
		switch a, b := next(), next(); i % 4 {
		case 0:
			out[i] = Indicator{Kind: Hash, Value: fmt.Sprintf("%016x%016x%016x%016x", a, b, next(), next())}
		case 1:
			out[i] = Indicator{Kind: Host, Value: strconv.FormatUint(a>>20, 36) + ".operator" + strconv.FormatUint(b>>48, 10) + ".example"}
		case 2:
			out[i] = Indicator{Kind: Path, Value: "/_layouts/15/" + strconv.FormatUint(a>>24, 36) + "/start.aspx"}
		default:
			out[i] = Indicator{Kind: Constant, Value: "fw-" + strconv.FormatUint(a|1<<63, 36)}
		}
	}
	return out
}

// iis is a log as IIS writes it, 32 MB of it.
func iis() []byte {
	text := []byte("#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2025-07-07 00:00:00\r\n" +
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n")
	agents := []string{
		"Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/126.0.0.0+Safari/537.36+Edg/126.0.0.0",
		"Microsoft+Office/16.0+(Windows+NT+10.0;+Microsoft+Word+16.0.17628;+Pro)", "MS-WebDAV-MiniRedir/10.0.19045", "-",
	}
	for i := 0; len(text) < 32_000_000; i++ {
		query := "-"
		if i%5 == 0 {
			query = fmt.Sprintf("Source=%%2Fsites%%2Fteam%d%%2FShared%%20Documents&id=%d", i%31, i)
		}
		text = fmt.Appendf(text, "2025-07-07 %02d:%02d:%02d 192.0.2.10 GET /sites/team%d/_layouts/15/page%d.aspx %s 443 EXAMPLE\\user%d 198.51.100.%d %s https://portal.example.com/sites/team%d/Pages/Home.aspx 200 0 0 %d\r\n",
			i/3600%24, i/60%60, i%60, i%31, i%977, query, i%401, i%256, agents[i%len(agents)], i%31, i%1999)
	}
	return text
}

// embargoed are the project's own pages, as a package would be: some 300 kB.
func embargoed(b *testing.B) (out []Text) {
	names, err := filepath.Glob(filepath.Join("..", "..", "doc", "*.md"))
	if err != nil || len(names) == 0 {
		b.Fatal(names, err)
	}
	for _, n := range names {
		t, err := os.ReadFile(n)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, Text{Ref: n, Parts: []Part{{Alternatives: [][]byte{t}}}})
	}
	return out
}

// rules ask for what few records have, and for what many have.
func rules() (out []Rule) {
	for i, n := range []string{"toolpane.aspx", "spinstall0", "/_layouts/", "signout.aspx", "powershell", "whoami", "wget ", "user_agent\":\"curl"} {
		out = append(out, Rule{Ref: n, Needles: []string{n}, Match: func(r *Record) bool { return len(r.Values["http.url"]) > i }})
	}
	return out
}

// cpu is the processor time that this process has taken: on a machine shared
// with others, the clock on the wall says little.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs job over n bytes and reports GB (10⁹ bytes) per CPU-second.
func measure(b *testing.B, n int, job func()) {
	b.SetBytes(int64(n))
	before := cpu(b)
	for b.Loop() {
		job()
	}
	b.ReportMetric(float64(n)*float64(b.N)/1e9/(cpu(b)-before).Seconds(), "GB/cpu-s")
}

// BenchmarkEVE compares a scan with its peer, encoding/json, which reads every
// record as a scanner that parses first would have to. Run it with
//
//	go test -run '^$' -bench EVE -cpu 1 ./internal/sighting
func BenchmarkEVE(b *testing.B) {
	text := corpus(b)
	log := iis()
	run := func(name string, s *Scanner) {
		text := text
		if inner, ok := strings.CutPrefix(name, "IIS,"); ok {
			name, text = "IIS/"+inner, log
		}
		b.Run(name, func(b *testing.B) {
			before := cpu(b)
			if s.once.Do(s.prepare); s.err != nil {
				b.Fatal(s.err)
			}
			built := cpu(b) - before
			defer func() { b.ReportMetric(built.Seconds(), "cpu-s/build") }()
			measure(b, len(text), func() {
				if _, err := s.Scan("", bytes.NewReader(text), func(Sighting) error { return nil }); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	texts := embargoed(b)
	run("lines", &Scanner{})
	run("tokens", &Scanner{Rec: rec})
	run("indicators=60", &Scanner{Indicators: indicators(10)})
	run("indicators=6000", &Scanner{Indicators: indicators(1000)})
	run("texts", &Scanner{Texts: texts})
	run("texts,literals=100000", &Scanner{Texts: texts, Indicators: literals(100_000)})
	run("texts,literals=1000000", &Scanner{Texts: texts, Indicators: literals(1_000_000)})
	run("rules", &Scanner{Rules: rules()})
	run("all=60", &Scanner{Rec: rec, Indicators: indicators(10), Texts: texts, Rules: rules()})
	run("all=6000", &Scanner{Rec: rec, Indicators: indicators(1000), Texts: texts, Rules: rules()})
	run("all=100000", &Scanner{Rec: rec, Indicators: literals(100_000), Texts: texts, Rules: rules()})
	for _, s := range []string{"lines", "tokens"} {
		run("IIS,"+s, &Scanner{Rec: map[string]*token.Recogniser{"tokens": rec}[s]})
	}
	for _, n := range []int{100, 10_000, 100_000, 1_000_000} {
		run(fmt.Sprintf("literals=%d", n), &Scanner{Indicators: literals(n)})
	}
	b.Run("tokens alone", func(b *testing.B) {
		measure(b, len(text), func() { token.Scan(rec, text, func(int, token.Alphabet, uint64) {}) })
	})
	b.Run("peer=encoding_json", func(b *testing.B) {
		measure(b, len(text), func() {
			d := json.NewDecoder(bytes.NewReader(text))
			for {
				var rec map[string]any
				if err := d.Decode(&rec); err == io.EOF {
					return
				} else if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}
