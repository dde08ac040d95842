package telemetry

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Corpus is endless telemetry from a seed, for measuring scans: what one sensor
// or server would write in a long while. Equal seeds write equal bytes.
type Corpus struct {
	rng     *rand.Rand
	at      time.Time
	packet  int64
	header  string
	record  func(b []byte) []byte
	request func(b []byte, url string) []byte
}

// Corpora are the kinds there are.
var Corpora = map[string]func(seed uint64) *Corpus{"eve": newEVE, "iis": newIIS}

func newCorpus(seed uint64) *Corpus {
	return &Corpus{rng: rand.New(rand.NewPCG(seed, 0xc0ff)), at: time.Date(2025, 6, 24, 0, 0, 0, 0, time.UTC)}
}

// newEVE is the sample's records in an order of its own, each with its own time,
// flow, packet and ports.
func newEVE(seed uint64) *Corpus {
	c := newCorpus(seed)
	sample := Sample()
	c.record = func(b []byte) []byte {
		base := sample[c.rng.IntN(len(sample))]
		old, err := stampOf(base)
		if err != nil {
			panic(err) // it is part of the program, and a test has read it
		}
		return append(b, c.redraw(renew(base, c.at.Sub(old), c.packet))...)
	}
	c.request = func(b []byte, url string) []byte {
		return Request{Host: "portal.example.com", Method: "GET", URL: url}.record(b, c.at, c.rng, c.packet)
	}
	return c
}

// redraw gives the numbers of a flow and of ports other digits.
func (c *Corpus) redraw(r []byte) []byte {
	const longest = 6
	for i := 0; i < len(r); i++ {
		if r[i] != ':' || i+1 == len(r) || r[i+1]-'1' > 8 {
			continue
		}
		for i++; i < len(r) && r[i]-'0' <= 9; i++ {
			if j := i + longest; j < len(r) && r[j]-'0' <= 9 {
				r[i] = byte('1' + c.rng.IntN(9))
			}
		}
	}
	return r
}

// Words of an ordinary web server's log.
var (
	folders = []string{"portal", "layout", "images", "api/v2", "account", "search", "static/js", "static/css", "docs", "_layouts/15", "sites/team", "download"}
	files   = []string{"index.aspx", "default.aspx", "logo.png", "app.min.js", "style.css", "import", "export", "list.json", "start.aspx", "favicon.ico", "report.pdf", "items"}
	agents  = []string{
		"Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/126.0.0.0+Safari/537.36",
		"Mozilla/5.0+(Macintosh;+Intel+Mac+OS+X+10_15_7)+AppleWebKit/605.1.15+(KHTML,+like+Gecko)+Version/17.5+Safari/605.1.15",
		"Mozilla/5.0+(X11;+Linux+x86_64;+rv:127.0)+Gecko/20100101+Firefox/127.0",
		"curl/8.5.0", "monitor/2.1+(+https://status.example/bot)",
	}
	states = []int{200, 200, 200, 200, 200, 304, 304, 302, 404, 500}
)

// newIIS is a web server's log as IIS writes it.
func newIIS(seed uint64) *Corpus {
	c := newCorpus(seed)
	pick := func(of []string) string { return of[c.rng.IntN(len(of))] }
	client := func() netip.Addr {
		a := documentation[c.rng.IntN(len(documentation))].Addr().As4()
		a[3] = byte(1 + c.rng.IntN(254))
		return netip.AddrFrom4(a)
	}
	c.header = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: " + c.at.Format(time.DateTime) +
		"\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"
	line := func(b []byte, method, stem, query string) []byte {
		referer := "-"
		if c.rng.IntN(3) > 0 {
			referer = "https://portal.example.com/" + pick(folders) + "/" + pick(files)
		}
		b = c.at.AppendFormat(b, time.DateTime)
		return fmt.Appendf(b, " 192.0.2.17 %s %s %s 443 - %s %s %s %d 0 0 %d", method, stem, query, client(), pick(agents), referer, states[c.rng.IntN(len(states))], c.rng.IntN(2000))
	}
	c.record = func(b []byte) []byte {
		query := "-"
		switch c.rng.IntN(6) {
		case 0:
			query = fmt.Sprintf("id=%d&v=%x", c.rng.IntN(1e6), c.rng.Uint32())
		case 1:
			query = fmt.Sprintf("session=%016x%016x&return=%%2F%s", c.rng.Uint64(), c.rng.Uint64(), pick(files))
		case 2:
			query = fmt.Sprintf("q=%s+%s&page=%d", pick(files), pick(files), c.rng.IntN(50))
		}
		method := "GET"
		if c.rng.IntN(12) == 0 {
			method = "POST"
		}
		return line(b, method, "/"+pick(folders)+"/"+pick(files), query)
	}
	c.request = func(b []byte, url string) []byte { return line(b, "GET", "/portal/start.aspx", url) }
	return c
}

// Write writes whole lines until there are at least size bytes. After about
// every so many bytes a request stands whose URL plant gives; it is told which
// it is, from 0. It returns how many there are.
func (c *Corpus) Write(w io.Writer, size, every int64, plant func(i int) string) (planted int, err error) {
	out := bufio.NewWriterSize(w, 1<<20)
	written, due := int64(0), every
	b := []byte(c.header)
	for {
		if _, err := out.Write(b); err != nil {
			return planted, err
		}
		if written += int64(len(b)); written >= size {
			return planted, out.Flush()
		}
		c.at = c.at.Add(time.Duration(c.rng.IntN(20_000)) * time.Microsecond)
		c.packet += 1 + c.rng.Int64N(60)
		b = b[:0]
		if plant != nil && written >= due {
			b = c.request(b, plant(planted))
			planted++
			due += every
		} else {
			b = c.record(b)
		}
		b = append(b, '\n')
	}
}
