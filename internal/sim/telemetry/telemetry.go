// Package telemetry makes the logs that a demo's sensors would have written:
// real traffic, with a few harmless requests planted in it.
//
// Sample gives real EVE records of Suricata (their origin and licence lie
// beside this file). Plant gives them the dates of the demo's period, keeping
// their order and what belongs together, and writes the attack's requests
// among them in the very layout of Suricata's http records, so that whoever
// scans has only the request's own content to go by.
//
// The result is a pure function of its arguments. It is for demos and tests:
// the planted requests attack nothing, come from documentation addresses
// (RFC 5737), and the rest happened elsewhere and at other times.
package telemetry

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"
)

//go:embed eve.json.gz
var packed []byte

// Sample gives the records, one JSON object each and no newline, in the order
// in which Suricata wrote them. The caller must not change their bytes.
var Sample = sync.OnceValue(func() [][]byte {
	gz, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err) // it is part of the program, and a test has read it
	}
	all, err := io.ReadAll(gz)
	if err != nil {
		panic(err)
	}
	return bytes.Split(bytes.TrimSuffix(all, []byte("\n")), []byte("\n"))
})
