package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// sharedFor is how long others may keep a page that is the same for all.
const sharedFor = "public, max-age=60"

// shared sends what is the same for all: with a tag, its time if it has one, and
// packed where the reader can unpack it. Never give it what depends on who asks.
func (v *Visit) shared(kind string, changed time.Time, b []byte) error {
	sum := sha256.Sum256(b)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	h := v.w.Header()
	h.Set("Cache-Control", sharedFor)
	h.Set("Vary", "Accept-Encoding")
	if !changed.IsZero() {
		h.Set("Last-Modified", changed.UTC().Format(http.TimeFormat))
	}
	packs := acceptsGzip(v.Header.Get("Accept-Encoding"))
	if packs {
		tag += "-gz"
	}
	tag = `"` + tag + `"`
	h.Set("ETag", tag)
	if said := v.Header.Get("If-None-Match"); said != "" && known(said, tag) {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if packs {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		if _, err := z.Write(b); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		h.Set("Content-Encoding", "gzip")
		b = out.Bytes()
	}
	v.send(http.StatusOK, kind, b)
	return nil
}

// acceptsGzip reports whether a reader says that it unpacks gzip (RFC 9110,
// 12.5.3). One that ranks it last is taken at its word.
func acceptsGzip(said string) bool {
	for x := range strings.SplitSeq(said, ",") {
		name, rank, _ := strings.Cut(x, ";")
		if name = strings.TrimSpace(name); name == "gzip" || name == "*" {
			rank = strings.ReplaceAll(rank, " ", "")
			return rank != "q=0" && strings.Trim(rank, "q=0.") != "" || rank == ""
		}
	}
	return false
}
