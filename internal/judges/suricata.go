package judges

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"forewarn/internal/equivalence"
)

// Suricata judges rules by the alerts that they raise on captures.
type Suricata struct{ Path string } // empty if it isn't installed

// suricataConfig is all that the verdict depends on besides the rules. Scripts and
// files that rules could name are off. Where it names no file, Suricata reads the
// machine's own, so each has one of this run.
const suricataConfig = `%YAML 1.1
---
vars:
  address-groups: {HOME_NET: any, EXTERNAL_NET: any, HTTP_SERVERS: any, SMTP_SERVERS: any, SQL_SERVERS: any, DNS_SERVERS: any, TELNET_SERVERS: any, AIM_SERVERS: any, DC_SERVERS: any, DNP3_SERVER: any, DNP3_CLIENT: any, MODBUS_CLIENT: any, MODBUS_SERVER: any, ENIP_CLIENT: any, ENIP_SERVER: any}
  port-groups: {HTTP_PORTS: "80", SHELLCODE_PORTS: "!80", ORACLE_PORTS: 1521, SSH_PORTS: 22, DNP3_PORTS: 20000, MODBUS_PORTS: 502, FILE_DATA_PORTS: "[$HTTP_PORTS,110,143]", FTP_PORTS: 21, GENEVE_PORTS: 6081, VXLAN_PORTS: 4789, TEREDO_PORTS: 3544}
outputs:
  - fast: {enabled: yes, filename: fast.log}
classification-file: classes
reference-config-file: references
threshold-file: thresholds
security:
  lua: {allow-rules: no}
datasets:
  rules: {allow-write: no, allow-absolute-filenames: no}
`

// suricataClasses are the classes that rules name; a rule with another raises the
// same alert.
const suricataClasses = `config classification: web-application-attack,Web Application Attack,1
config classification: web-application-activity,access to a web application,2
config classification: attempted-admin,Attempted Administrator Privilege Gain,1
config classification: attempted-user,Attempted User Privilege Gain,1
config classification: trojan-activity,A Network Trojan was detected,1
config classification: bad-unknown,Potentially Bad Traffic,2
config classification: misc-activity,Misc activity,3
config classification: misc-attack,Misc Attack,2
config classification: policy-violation,Potential Corporate Privacy Violation,1
config classification: protocol-command-decode,Generic Protocol Command Decode,3
config classification: attempted-recon,Attempted Information Leak,2
config classification: attempted-dos,Attempted Denial of Service,2
config classification: command-and-control,Malware Command and Control Activity Detected,1
config classification: exploit-kit,Exploit Kit Activity Detected,1
config classification: credential-theft,Successful Credential Theft Detected,1
config classification: not-suspicious,Not Suspicious Traffic,3
config classification: unknown,Unknown Traffic,3
`

// suricataReferences are the kinds of references that rules name.
const suricataReferences = `config reference: url http://
config reference: cve http://cve.mitre.org/cgi-bin/cvename.cgi?name=
config reference: bugtraq http://www.securityfocus.com/bid/
config reference: md5 http://
config reference: exploitdb http://
config reference: osvdb http://
config reference: et http://
config reference: etpro http://
config reference: nessus http://
`

// suricataFiles finds keywords that read or write files that a rule names. It may
// find one in a text, too; such rules aren't judged, which loses less.
var (
	suricataFiles = regexp.MustCompile(`(?i)[;(]\s*(filemd5|filesha1|filesha256|datarep|dataset|lua|luajit|luaxform)\s*:`)
	continued     = regexp.MustCompile(`\\[ \t]*\n[ \t]*`)
)

// Name is suricata.
func (Suricata) Name() string { return "suricata" }

// Format is suricata.
func (Suricata) Format() string { return "suricata" }

// Judge runs Suricata over each capture by itself, on one thread: what one capture
// holds must not have a part in what another raises. A rule that it doesn't take is
// ErrNoParse.
func (s Suricata) Judge(ctx context.Context, rules string, c equivalence.Corpus) ([]string, error) {
	if m := suricataFiles.FindStringSubmatch(continued.ReplaceAllString(rules, "")); m != nil {
		return nil, fmt.Errorf("%w: rules with %s read files, and aren't run", equivalence.ErrUnjudged, m[1])
	}
	own := map[string]string{"rules": rules, "conf": suricataConfig, "classes": suricataClasses, "references": suricataReferences, "thresholds": ""}
	captures := c.Captures
	if len(captures) == 0 {
		_, w, err := run(ctx, s.Path, own, nil, "-T", "-c", "conf", "-S", "rules", "-l", ".", "--init-errors-fatal")
		w.remove()
		return nil, err
	}
	var out []string
	for _, f := range captures {
		hits, err := s.capture(ctx, own, f)
		if err != nil {
			return nil, err
		}
		out = append(out, hits...)
	}
	return out, nil
}

func (s Suricata) capture(ctx context.Context, own map[string]string, f equivalence.File) ([]string, error) {
	_, w, err := run(ctx, s.Path, own, []equivalence.File{f}, "-c", "conf", "-S", "rules", "-r", "corpus/0", "-l", ".", "-k", "none", "--runmode", "single", "--init-errors-fatal")
	defer w.remove()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(w.path("fast.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it writes the file when there is something in it
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if m := alert.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			out = append(out, "sid "+m[2]+" at "+m[1]+" in "+f.Name+" "+m[3])
		}
	}
	return out, nil
}

// alert is a line of fast.log: time, [gid:sid:rev], msg, class, priority,
// protocol and addresses. The message is for people.
var alert = regexp.MustCompile(`^(\S+)\s+\[\*\*\] \[([0-9:]+)\] .* \[\*\*\] .*(\{\S+\} \S+ -> \S+)$`)
