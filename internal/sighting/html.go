package sighting

import "bytes"

// opensHTML tells a page, or a report saved as one. Its lines are read as plain
// text: references such as &amp; are an encoding of text in any format, and are
// undone with the others.
func opensHTML(body []byte) bool {
	body = bytes.ToLower(body[:min(len(body), 16)])
	return bytes.HasPrefix(body, []byte("<!doctype html")) || bytes.HasPrefix(body, []byte("<html"))
}
