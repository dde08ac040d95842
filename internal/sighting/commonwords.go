package sighting

import "strings"

// commonWords are words of four bytes or more with a letter in them that stand
// 25 times or more in the project's sample of EVE (556 kB), the most frequent
// first. They make poor anchors.
var commonWords = strings.Fields(`
value name port dest type flow pcap proto http true event rrname rrtype timestamp flags bytes pkts toclient
toserver wire tunnel rdata state content version opcode regions length headers start query alerted false
reason upnp cache 10t05 shutdown closed agent user request host example method connection status 26t09 answer
hostname protocol rcode response noerror answers grouped close timeout 17t21 stream 02t19 accept control
microsoft vlan authorities server windows 21t20 text application msftncsi google 14t22 iodine pragma date
dropbox settings octet client eicar evader uuid encoding sent 24t23 ipv6 range cname eventing failed allow
established html access icmp alive block keep wanipconnection akamai image msft options second firefox jpeg
imgur suricata attachment charset disposition filename mozilla ranges gzip curl chunked deflate device
httpapi notify propchange 15t18 last modified 05t07 etag origin
`)
