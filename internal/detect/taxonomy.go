package detect

import (
	"strings"

	"forewarn/internal/sigma"
)

// A kind is what records are about, whatever format they are in.
type kind string

const (
	requests    kind = "requests of HTTP"
	flows       kind = "flows"
	connections kind = "connections"
	queries     kind = "queries of DNS"
	zeeks       kind = "Zeek's own logs"
	audits      kind = "audit records of Linux"
	lines       kind = "lines of text" // for rules that ask for words alone
)

// kinds says what a rule's log source is about: the first row that the source is
// within. The names are those of the Sigma Taxonomy Appendix 2.1.
var kinds = []struct {
	source sigma.LogSource
	kind   kind
}{
	{sigma.LogSource{Category: "webserver"}, requests},
	{sigma.LogSource{Category: "proxy"}, requests},
	{sigma.LogSource{Product: "apache", Service: "access"}, requests},
	{sigma.LogSource{Category: "firewall"}, flows},
	{sigma.LogSource{Category: "network", Service: "connection"}, connections},
	{sigma.LogSource{Category: "network", Service: "dns"}, queries},
	{sigma.LogSource{Product: "zeek"}, zeeks},
	{sigma.LogSource{Product: "linux", Service: "auditd"}, audits},
}

// values are a record's, by the names that its layout gives them.
type values map[string][]string

// field reads what a rule calls a field out of a record.
type field func(v values) []string

// view is how records of a kind stand in formats, which are known by their names:
// a row may wait for a layout that isn't there yet.
type view struct {
	kind    kind
	formats []string // parts of a format's name, in lower case; any of them

	// about reports whether a record is of the kind, for rules of a service.
	about func(service string, v values) bool

	fields   map[string]field       // by Sigma's name, in lower case
	own      bool                   // fields are also there under the names that the record gives them
	words    string                 // keywords are looked for in fields whose names begin so
	verbatim func(name string) bool // whether a field stands in the record as it is; nil: all do
	read     func(v values) values  // what about, fields and words then see; nil: v
	mark     []string               // one of these stands in each of its records; none: nothing need
}

// The views, and where the names are from:
//
//   - Sigma: Taxonomy Appendix 2.1, "Specific" and "Network category".
//   - EVE: Suricata 7, "Eve JSON Format"; headers by name where all are dumped.
//   - W3C: WD-logfile-960323; IIS's names are in Microsoft's "W3C Extended Log
//     File Format" (Windows Server 2003, table 10.1).
//   - combined: nginx, ngx_http_log_module and the variables of
//     ngx_http_core_module; Apache's LogFormat holds the same.
//   - Zeek: HTTP::Info and its like in base/protocols, as logs name the fields.
//   - audit records: kernel/audit.c, audit_log_untrustedstring, and auditd.conf(5),
//     log_format = ENRICHED.
var views = []view{
	{
		kind: requests, formats: []string{"eve"}, words: "http.", mark: key("http"),
		about: has("http.http_method", "http.url", "http.hostname", "http.status", "http.http_user_agent"),
		fields: request(map[string]field{
			"cs-method": at("http.http_method"), "target": at("http.url"), "host": at("http.hostname"),
			"cs-user-agent": either(at("http.http_user_agent"), header("user-agent")),
			"cs-referer":    either(at("http.http_refer"), header("referer")),
			"cs-cookie":     header("cookie"),
			"sc-status":     at("http.status"), "sc-bytes": at("http.length"), "cs-version": at("http.protocol"),
			"c-ip": at("src_ip"), "c-port": at("src_port"), "s-ip": at("dest_ip"), "s-port": at("dest_port"),
		}),
	},
	{
		kind: requests, formats: []string{"w3c"}, own: true,
		about: has("cs-method", "cs-uri", "cs-uri-stem", "c-uri", "cs(user-agent)", "sc-status"),
		fields: request(map[string]field{
			"target": either(at("cs-uri", "c-uri"), whole), "host": at("cs-host", "cs(host)", "r-dns"),
			"cs-uri-stem": either(at("cs-uri-stem"), before(at("cs-uri", "c-uri"))), "cs-uri-query": either(at("cs-uri-query"), behind(at("cs-uri", "c-uri"))),
			"cs-user-agent": blanks("cs(user-agent)", "cs-user-agent", "c-useragent"),
			"cs-referer":    blanks("cs(referer)", "cs-referer"), "cs-cookie": blanks("cs(cookie)", "cs-cookie"),
			"c-ip": at("c-ip"), "s-ip": at("s-ip", "r-ip"), "c-port": at("c-port"), "s-port": at("s-port", "r-port"),
		}),
	},
	{
		kind: requests, formats: []string{"combined", "common log", "nginx", "apache"},
		about: has("request", "request_method", "request_uri", "status"),
		fields: request(map[string]field{
			"cs-method": either(at("request_method"), part(0)), "target": either(at("request_uri"), part(1)), "cs-version": either(at("server_protocol"), part(2)),
			"host": at("http_host", "host"), "cs-user-agent": at("http_user_agent"), "cs-referer": at("http_referer"), "cs-cookie": at("http_cookie"),
			"sc-status": at("status"), "sc-bytes": at("body_bytes_sent", "bytes_sent"), "cs-bytes": at("request_length"), "cs-username": at("remote_user"),
			"c-ip": at("remote_addr"), "c-port": at("remote_port"), "s-ip": at("server_addr"), "s-port": at("server_port"),
		}),
	},
	{
		kind: requests, formats: []string{"zeek", "json"}, about: zeekLog("http"),
		fields: zeekRequest,
	},
	{
		kind: zeeks, formats: []string{"zeek", "json"}, own: true,
		about: func(service string, v values) bool { return zeekLog(service)(service, v) },
		// Published rules for http.log use the names of a proxy's too.
		fields: zeekRequest,
	},
	{
		kind: flows, formats: []string{"eve"}, about: has("src_ip", "dest_ip"),
		fields: map[string]field{"src_ip": at("src_ip"), "src_port": at("src_port"), "dst_ip": at("dest_ip"), "dst_port": at("dest_port")},
	},
	{
		kind: connections, formats: []string{"eve"}, mark: key("flow"), about: has("flow.state"),
		fields: map[string]field{
			"source.ip": at("src_ip"), "source.port": at("src_port"), "destination.ip": at("dest_ip"), "destination.port": at("dest_port"),
			"network.transport": at("proto"), "network.protocol": at("app_proto"), "network.state": at("flow.state"), "network.community_id": at("community_id"),
			"event.duration": at("flow.age"),
		},
	},
	{
		kind: queries, formats: []string{"eve"}, mark: key("dns"), about: has("dns.type", "dns.rrname"),
		fields: map[string]field{
			"source.ip": at("src_ip"), "source.port": at("src_port"), "destination.ip": at("dest_ip"), "destination.port": at("dest_port"),
			"network.community_id": at("community_id"), "dns.id": at("dns.id"), "dns.question.name": at("dns.rrname"), "dns.question.type": at("dns.rrtype"),
			"dns.answers.name": each("dns.answers", "rrname"), "dns.answers.type": each("dns.answers", "rrtype"),
			"dns.answers.data": each("dns.answers", "rdata"), "dns.answers.ttl": each("dns.answers", "ttl"),
			"dns.header.flags": at("dns.flags"), "dns.response.code": at("dns.rcode"),
		},
	},
	{
		kind: audits, formats: []string{"audit", "plain", "syslog"}, read: auditRecord, own: true,
		about: has("type"), verbatim: asAudited, mark: []string{"msg=audit("},
	},
	{kind: lines, formats: []string{"plain", "syslog"}, about: func(string, values) bool { return true }},
}

// key is how an object's key may stand in JSON, or before those of what it holds.
func key(name string) []string {
	q := `"` + name + `"`
	return []string{q + ":", q + " ", q + "\t", q + "\r", `"` + name + ".", `\u00`}
}

// has takes a record that has any of the fields.
func has(names ...string) func(string, values) bool {
	f := at(names...)
	return func(_ string, v values) bool { return len(f(v)) > 0 }
}

// at is the first of the fields that the record has.
func at(names ...string) field {
	return func(v values) []string {
		for _, n := range names {
			if texts := list(v, n); len(texts) > 0 {
				return texts
			}
		}
		return nil
	}
}

func either(a, b field) field {
	return func(v values) []string {
		if texts := a(v); len(texts) > 0 {
			return texts
		}
		return b(v)
	}
}

// serves reports whether a format's records may be the view's.
func (w *view) serves(format string) bool {
	format = strings.ToLower(format)
	for _, part := range w.formats {
		if strings.Contains(format, part) {
			return true
		}
	}
	return false
}

// field is what a rule's field is in a record, nil if the view knows of none.
func (w *view) field(name string) field {
	low := strings.ToLower(name)
	if f := w.fields[low]; f != nil {
		return f
	}
	if w.own {
		return at(name, low)
	}
	return nil
}
