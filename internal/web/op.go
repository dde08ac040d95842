package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// apiBase is where programs find what pages do: under it stands every page that
// has an Op, at its own path.
const apiBase = "/api/v1"

// Op describes a page to programs. A page with one answers twice: to people with
// its template, and under apiBase with the same data as JSON. So there is nothing
// that a page can do and the API can't, and no second set of handlers to keep in
// step. The description of the API (OpenAPI) is made of the table, too.
type Op struct {
	Name string // what the operation is called: "getCase"; unique. Empty: pages alone
	Does string // one sentence
	In   any    // the zero struct of what it is asked with (Visit.Ask); nil: nothing
	Out  any    // the zero value of what is rendered; nil: nothing, it was done
}

// octets, as an Out, is a file as it is.
type octets struct{}

// forPrograms is the row under which a page answers programs.
func (p Page) forPrograms() Page {
	method, path, _ := strings.Cut(p.Pattern, " ")
	p.Pattern, p.Nav, p.api = method+" "+apiBase+path, "", true
	return p
}

// API reports whether a program asks, and gets JSON for a page.
func (v *Visit) API() bool { return v.Page != nil && v.Page.api }

// answer sends a page's data to a program, with a tag by which it can ask whether
// anything changed.
func (v *Visit) answer(b []byte) error {
	sum := sha256.Sum256(b)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	if v.reads() {
		v.w.Header().Set("ETag", tag)
		v.w.Header().Set("Cache-Control", "private, no-cache")
		if known(v.Header.Get("If-None-Match"), tag) {
			v.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	v.send(http.StatusOK, "application/json", b)
	return nil
}

// known reports whether an If-None-Match names a tag (RFC 9110, 13.1.2).
func known(said, tag string) bool {
	for x := range strings.SplitSeq(said, ",") {
		if x = strings.TrimSpace(x); x == tag || x == "W/"+tag || x == "*" {
			return true
		}
	}
	return false
}
