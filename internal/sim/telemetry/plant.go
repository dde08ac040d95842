package telemetry

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"time"
)

// Request is one request of the attack, as a sensor in front of the server
// sees it.
type Request struct {
	At       time.Time  // when the sensor logs it
	Source   netip.Addr // of RFC 5737; the zero Addr is drawn
	Server   netip.Addr // of RFC 5737; the zero Addr is drawn
	Host     string     // the Host header
	Method   string
	URL      string   // path and query
	Headers  []Header // after Host, in order
	Boundary string   // of multipart/form-data; empty for another body or none
	Status   int      // of the answer; 0 is 200
}

// Header is one header of a request.
type Header struct{ Name, Value string }

// Place is where a planted record stands in the log.
type Place struct {
	Offset int64 // of its first byte
	Line   int64 // from 1
	Len    int   // without the newline
}

// documentation is what RFC 5737 sets aside. Servers are in the first.
var documentation = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
}

// Plant writes one log, in order of time, newline after each record: the base
// records with new dates in [from, until) and the attack's requests. It gives
// the place of each request, in the order given.
//
// Records that follow one another within seconds stay together, a dozen at
// most, with their distances; such bursts are spread over the period at random,
// in their old order. A flow's start and end move with its record.
// Dates within headers stay what the far server said.
//
// The error says which record or request can't be used, and why.
func Plant(base [][]byte, rng *rand.Rand, from, until time.Time, attack []Request) ([]byte, []Place, error) {
	if !from.Before(until) {
		return nil, nil, fmt.Errorf("the period from %v to %v is empty", from, until)
	}
	old := make([]time.Time, len(base))
	for i, r := range base {
		var err error
		if old[i], err = stampOf(r); err != nil {
			return nil, nil, fmt.Errorf("base record %d: %w", i+1, err)
		}
	}
	type line struct {
		at      time.Time
		base    []byte
		old     time.Time
		request int
	}
	var lines []line
	for i, at := range redate(old, rng, from, until) {
		lines = append(lines, line{at: at, base: base[i], old: old[i], request: -1})
	}
	for i, r := range attack {
		if err := r.check(from, until); err != nil {
			return nil, nil, fmt.Errorf("request %d: %w", i+1, err)
		}
		lines = append(lines, line{at: r.At.UTC().Truncate(time.Microsecond), request: i})
	}
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].at.Before(lines[j].at) })
	var out []byte
	places := make([]Place, len(attack))
	packets := int64(0)
	for i, l := range lines {
		start := len(out)
		packets += 1 + rng.Int64N(60)
		if l.request >= 0 {
			out = attack[l.request].record(out, l.at, rng, packets)
			places[l.request] = Place{int64(start), int64(i + 1), len(out) - start}
		} else {
			out = append(out, renew(l.base, l.at.Sub(l.old), packets)...)
		}
		out = append(out, '\n')
	}
	return out, places, nil
}

// check refuses what a plausible record can't hold, and any address that could
// be somebody's.
func (r Request) check(from, until time.Time) error {
	if r.At.Before(from) || !r.At.Before(until) {
		return fmt.Errorf("its time %v is outside the period", r.At)
	}
	if r.Method == "" || r.URL == "" || r.Host == "" {
		return fmt.Errorf("it needs a method, a URL and a host")
	}
	for _, a := range []netip.Addr{r.Source, r.Server} {
		if a.IsValid() && !slices.ContainsFunc(documentation, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return fmt.Errorf("%v is not set aside for documentation (RFC 5737)", a)
		}
	}
	return nil
}

// redate gives each record its time in the period. A burst is what stands
// between two silences, a dozen records at most: the sample has few captures,
// and the period is long.
func redate(old []time.Time, rng *rand.Rand, from, until time.Time) []time.Time {
	const silence, most = 5 * time.Second, 12
	var bursts []int // where each begins
	for i, t := range old {
		if i == 0 || i-bursts[len(bursts)-1] >= most || t.Sub(old[i-1]).Abs() > silence {
			bursts = append(bursts, i)
		}
	}
	period := until.Sub(from)
	starts := make([]time.Duration, len(bursts))
	for i := range starts {
		starts[i] = time.Duration(rng.Int64N(int64(period)))
	}
	slices.Sort(starts)
	out := make([]time.Time, len(old))
	for b, first := range bursts {
		last, room := len(old), period
		if b+1 < len(bursts) {
			last, room = bursts[b+1], starts[b+1]
		}
		at := starts[b]
		for i := first; i < last; i++ {
			if i > first {
				at += max(old[i].Sub(old[i-1]), 0)
			}
			// A burst that would reach into the next one ends before it.
			out[i] = from.Add(min(at, max(room-time.Microsecond, starts[b]))).UTC().Truncate(time.Microsecond)
		}
	}
	return out
}

const layout = "2006-01-02T15:04:05.000000-0700"

// stampOf reads a record's timestamp, which Suricata writes first.
func stampOf(r []byte) (time.Time, error) {
	v := valueOf(r, `{"timestamp":"`)
	if v == nil {
		return time.Time{}, fmt.Errorf("it doesn't begin with a timestamp")
	}
	t, err := time.Parse(layout, string(v))
	// Spans of more than 292 years don't fit a time.Duration.
	if err != nil || string(v) != t.UTC().Format(layout) || t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}, fmt.Errorf("its timestamp %q is not as Suricata writes it", v)
	}
	return t.UTC(), nil
}

// valueOf gives what stands between a key and the next quote.
func valueOf(r []byte, key string) []byte {
	i := bytes.Index(r, []byte(key))
	if i < 0 {
		return nil
	}
	v := r[i+len(key):]
	if j := bytes.IndexByte(v, '"'); j >= 0 {
		return v[:j]
	}
	return nil
}

// renew moves a record in time and gives it its packet's number, and changes
// no other byte.
func renew(r []byte, by time.Duration, packet int64) []byte {
	out := bytes.Clone(r)
	keys := []string{`{"timestamp":"`}
	if bytes.Contains(r, []byte(`"event_type":"flow"`)) {
		keys = append(keys, `"start":"`, `"end":"`)
	}
	for _, key := range keys {
		v := valueOf(out, key)
		if t, err := time.Parse(layout, string(v)); err == nil {
			copy(v, t.Add(by).UTC().Format(layout)) // of the same length
		}
	}
	const count = `,"pcap_cnt":`
	if i := bytes.Index(out, []byte(count)); i >= 0 && i < 128 {
		i += len(count)
		j := i
		for j < len(out) && out[j]-'0' <= 9 {
			j++
		}
		out = slices.Replace(out, i, j, strconv.AppendInt(nil, packet, 10)...)
	}
	return out
}

// record writes the request as Suricata 7 writes an http record with all
// headers dumped: the fields, and their order, of its own.
func (r Request) record(b []byte, at time.Time, rng *rand.Rand, packet int64) []byte {
	draw := func(p netip.Prefix) netip.Addr {
		a := p.Addr().As4()
		a[3] = byte(1 + rng.IntN(254))
		return netip.AddrFrom4(a)
	}
	source, server := r.Source, r.Server
	if !source.IsValid() {
		source = draw(documentation[1+rng.IntN(2)])
	}
	if !server.IsValid() {
		server = draw(documentation[0])
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	length := 200 + rng.IntN(20_000)

	asked := append([]Header{{"Host", r.Host}}, r.Headers...)
	if r.Boundary != "" {
		asked = append(asked, Header{"Content-Type", "multipart/form-data; boundary=" + r.Boundary},
			Header{"Content-Length", strconv.Itoa(300 + rng.IntN(4000))})
	}
	answered := []Header{
		{"Cache-Control", "private"},
		{"Content-Type", "text/html; charset=utf-8"},
		{"Server", "Microsoft-IIS/10.0"},
		{"Date", at.Format(http.TimeFormat)},
		{"Content-Length", strconv.Itoa(length)},
	}

	b = fmt.Appendf(b, `{"timestamp":"%s","flow_id":%d,"pcap_cnt":%d,"event_type":"http","src_ip":"%s","src_port":%d,"dest_ip":"%s","dest_port":80,"proto":"TCP","pkt_src":"wire/pcap","tx_id":0,"http":{`,
		at.Format(layout), 1+rng.Int64N(1<<51), packet, source, 49152+rng.IntN(16384), server)
	b = member(b, "hostname", r.Host)
	b = member(append(b, ','), "url", r.URL)
	if v, ok := header(asked, "User-Agent"); ok {
		b = member(append(b, ','), "http_user_agent", v)
	}
	b = member(append(b, ','), "http_content_type", "text/html")
	if v, ok := header(asked, "Referer"); ok {
		b = member(append(b, ','), "http_refer", v)
	}
	b = member(append(b, ','), "http_method", r.Method)
	b = fmt.Appendf(b, `,"protocol":"HTTP/1.1","status":%d,"length":%d`, status, length)
	b = headers(append(b, `,"request_headers":`...), asked)
	b = headers(append(b, `,"response_headers":`...), answered)
	return append(b, "}}"...)
}

// header gives a header's first value; names don't mind case.
func header(all []Header, name string) (string, bool) {
	for _, h := range all {
		if http.CanonicalHeaderKey(h.Name) == name {
			return h.Value, true
		}
	}
	return "", false
}

func headers(b []byte, all []Header) []byte {
	b = append(b, '[')
	for i, h := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = member(append(b, '{'), "name", h.Name)
		b = member(append(b, ','), "value", h.Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

func member(b []byte, key, value string) []byte {
	return text(append(text(b, key), ':'), value)
}
