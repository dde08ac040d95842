package telemetry

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// Corpus is endless telemetry from a seed, for measuring scans: what one sensor
// or server would write in a long while. Equal seeds write equal bytes.
type Corpus struct {
	// After, if not nil, may change the record of a planted request.
	After func(i int, record []byte) []byte

	rng     *rand.Rand
	at      time.Time
	packet  int64
	header  string
	record  func(b []byte) []byte
	request func(b []byte, url string) []byte
}

// Corpora are the kinds there are.
var Corpora = map[string]func(seed uint64) *Corpus{
	"eve": newEVE, "iis": newIIS, "combined": newCombined, "zeek": newZeek, "zeek-json": newZeekJSON,
	"syslog": newSyslog, "syslog-5424": newSyslog5424, "html": newHTML, "text": newText,
}

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

// pick draws one.
func (c *Corpus) pick(of []string) string { return of[c.rng.IntN(len(of))] }

// host draws an address that is set aside for documentation.
func (c *Corpus) host() netip.Addr {
	a := documentation[c.rng.IntN(len(documentation))].Addr().As4()
	a[3] = byte(1 + c.rng.IntN(254))
	return netip.AddrFrom4(a)
}

// asked draws an ordinary request.
func (c *Corpus) asked() (method, stem, query string) {
	method, stem = "GET", "/"+c.pick(folders)+"/"+c.pick(files)
	switch c.rng.IntN(6) {
	case 0:
		query = fmt.Sprintf("id=%d&v=%x", c.rng.IntN(1e6), c.rng.Uint32())
	case 1:
		query = fmt.Sprintf("session=%016x%016x&return=%%2F%s", c.rng.Uint64(), c.rng.Uint64(), c.pick(files))
	case 2:
		query = fmt.Sprintf("q=%s+%s&page=%d", c.pick(files), c.pick(files), c.rng.IntN(50))
	}
	if c.rng.IntN(12) == 0 {
		method = "POST"
	}
	return method, stem, query
}

func (c *Corpus) url() (method, url string) {
	method, url, query := c.asked()
	if query != "" {
		url += "?" + query
	}
	return method, url
}

func (c *Corpus) referer(none string) string {
	if c.rng.IntN(3) == 0 {
		return none
	}
	return "https://portal.example.com/" + c.pick(folders) + "/" + c.pick(files)
}

func (c *Corpus) status() int { return states[c.rng.IntN(len(states))] }

// lines is a corpus each of whose lines is about one request.
func (c *Corpus) lines(header string, line func(b []byte, method, url string) []byte) *Corpus {
	c.header = header
	c.record = func(b []byte) []byte {
		method, url := c.url()
		return line(b, method, url)
	}
	c.request = func(b []byte, url string) []byte { return line(b, "GET", url) }
	return c
}

// newIIS is a web server's log as IIS writes it.
func newIIS(seed uint64) *Corpus {
	c := newCorpus(seed)
	return c.lines("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: "+c.at.Format(time.DateTime)+
		"\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n",
		func(b []byte, method, url string) []byte {
			stem, query, ok := strings.Cut(url, "?")
			if !ok {
				query = "-"
			}
			b = c.at.AppendFormat(b, time.DateTime)
			return fmt.Appendf(b, " 192.0.2.17 %s %s %s 443 - %s %s %s %d 0 0 %d", method, stem, query, c.host(), c.pick(agents), c.referer("-"), c.status(), c.rng.IntN(2000))
		})
}

// newCombined is the log of Apache and nginx.
func newCombined(seed uint64) *Corpus {
	c := newCorpus(seed)
	return c.lines("", func(b []byte, method, url string) []byte {
		b = fmt.Appendf(b, "%s - - [", c.host())
		b = c.at.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
		return fmt.Appendf(b, "] \"%s %s HTTP/1.1\" %d %d \"%s\" \"%s\"", method, url, c.status(), c.rng.IntN(100_000), c.referer("-"), strings.ReplaceAll(c.pick(agents), "+", " "))
	})
}

const zeekFields = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p method host uri referrer user_agent status_code"

// newZeek is Zeek's http.log.
func newZeek(seed uint64) *Corpus {
	c := newCorpus(seed)
	return c.lines("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n#open\t2025-06-24-00-00-00\n#fields\t"+strings.ReplaceAll(zeekFields, " ", "\t")+
		"\n#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tstring\tstring\tcount\n",
		func(b []byte, method, url string) []byte {
			return fmt.Appendf(b, "%d.%06d\tC%010x\t%s\t%d\t192.0.2.17\t80\t%s\tportal.example.com\t%s\t%s\t%s\t%d", c.at.Unix(), c.at.Nanosecond()/1000,
				c.rng.Uint64()>>24, c.host(), 1024+c.rng.IntN(60000), method, url, c.referer("-"), strings.ReplaceAll(c.pick(agents), "+", " "), c.status())
		})
}

// newZeekJSON is the same as JSON.
func newZeekJSON(seed uint64) *Corpus {
	c := newCorpus(seed)
	return c.lines("", func(b []byte, method, url string) []byte {
		b = fmt.Appendf(b, `{"ts":%d.%06d,"uid":"C%010x","id.orig_h":"%s","id.orig_p":%d,"id.resp_h":"192.0.2.17","id.resp_p":80,"method":"%s","host":"portal.example.com","uri":`,
			c.at.Unix(), c.at.Nanosecond()/1000, c.rng.Uint64()>>24, c.host(), 1024+c.rng.IntN(60000), method)
		b = text(b, url)
		b = text(append(b, `,"user_agent":`...), strings.ReplaceAll(c.pick(agents), "+", " "))
		return fmt.Appendf(b, `,"status_code":%d}`, c.status())
	})
}

// newSyslog is a proxy's messages by RFC 3164.
func newSyslog(seed uint64) *Corpus {
	c := newCorpus(seed)
	return c.lines("", func(b []byte, method, url string) []byte {
		b = append(b, "<134>"...)
		b = c.at.AppendFormat(b, time.Stamp)
		return fmt.Appendf(b, " edge1 proxy[%d]: %s %s %s %d", 1000+c.rng.IntN(9000), c.host(), method, url, c.status())
	})
}

// newSyslog5424 is the same by RFC 5424.
func newSyslog5424(seed uint64) *Corpus {
	c := newCorpus(seed)
	return c.lines("", func(b []byte, method, url string) []byte {
		b = append(b, "<134>1 "...)
		b = c.at.AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
		return fmt.Appendf(b, ` edge1.example.com proxy %d access [client@32473 ip="%s"] %s %s %d`, 1000+c.rng.IntN(9000), c.host(), method, url, c.status())
	})
}

// Words of ordinary notes: nobody's package holds twelve of them in this order.
var notes = strings.Fields("the team met again and wrote down what every service had logged over night some of it was noise other lines point at a client that asked for pages nobody links to we keep both and look tomorrow")

// prose draws a line of notes.
func (c *Corpus) prose(b []byte) []byte {
	for i := range 8 + c.rng.IntN(8) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, c.pick(notes)...)
	}
	return b
}

// newText is notes, and URLs pasted into them.
func newText(seed uint64) *Corpus {
	c := newCorpus(seed)
	c.record = c.prose
	c.request = func(b []byte, url string) []byte { return append(append(c.prose(b), " see "...), url...) }
	return c
}

// newHTML is notes as a page.
func newHTML(seed uint64) *Corpus {
	c := newCorpus(seed)
	c.header = "<!DOCTYPE html>\n<html><body>\n"
	c.record = func(b []byte) []byte { return append(c.prose(append(b, "<p>"...)), "&nbsp;&amp; so on</p>"...) }
	c.request = func(b []byte, url string) []byte {
		return fmt.Appendf(c.prose(append(b, "<p>"...)), ` <code>%s</code></p>`, url)
	}
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
			if c.After != nil {
				b = c.After(planted, b)
			}
			planted++
			due += every
		} else {
			b = c.record(b)
		}
		b = append(b, '\n')
	}
}
