package detect

import (
	"slices"
)

// zeekRequest is Zeek's http.log as requests.
var zeekRequest = request(map[string]field{
	"cs-method": at("method"), "target": at("uri"), "host": at("host"), "cs-user-agent": at("user_agent"), "cs-referer": at("referrer"),
	"sc-status": at("status_code"), "sc-bytes": at("response_body_len"), "cs-bytes": at("request_body_len"), "cs-username": at("username"),
	"c-ip": at("id.orig_h"), "c-port": at("id.orig_p"), "s-ip": at("id.resp_h"), "s-port": at("id.resp_p"),
})

// Fields by which a record of a log is known where it doesn't say which it is of.
var zeekMarks = map[string][]string{
	"http": {"uri", "user_agent", "status_code", "trans_depth"}, "dns": {"query", "qtype_name", "qclass"}, "smb_files": {"action"},
	"dce_rpc": {"endpoint", "operation"}, "rdp": {"cookie", "security_protocol"}, "kerberos": {"request_type"}, "x509": {"certificate.serial", "fingerprint"},
	"conn": {"conn_state"}, "ssl": {"cipher", "server_name"}, "files": {"fuid"}, "smtp": {"mailfrom", "helo"}, "smb_mapping": {"share_type"},
}

// zeekLog takes records of one of Zeek's logs: those that name it, as _path, and
// of those that name none the ones that have its fields. No service is any log.
func zeekLog(service string) func(string, values) bool {
	return func(_ string, v values) bool {
		if service == "" {
			return true
		}
		if path := v["_path"]; len(path) > 0 {
			return slices.Contains(path, service)
		}
		if len(v["event_type"]) > 0 { // EVE's
			return false
		}
		marks := zeekMarks[service]
		return marks == nil || len(at(marks...)(v)) > 0
	}
}
