package web

import (
	"errors"
	"io/fs"
	"net/http"
	"regexp"
	"strings"

	"forewarn/internal/entrylog"
)

// anchors serves the published log as C2SP's tlog-tiles lays it out, under
// /log/: the checkpoint, which changes with every tick, and tiles, which never
// do. Nothing else of the log's folder is there to be asked for.
func anchors(v *Visit) error {
	name := v.PathValue("path")
	file := name
	if dir, rest, ok := strings.Cut(name, "/"); ok && formerLog.MatchString(dir) {
		file = rest
	}
	if _, err := entrylog.ParseTilePath(file); err != nil && file != entrylog.CheckpointPath {
		return errNoPage
	}
	b, err := v.Desk().Publisher.ReadFile(v.Context(), name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoPage
	case err != nil:
		return err
	}
	h := v.w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if file == entrylog.CheckpointPath {
		h.Set("Cache-Control", "no-cache")
		v.send(http.StatusOK, "text/plain; charset=utf-8", b)
		return nil
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	v.send(http.StatusOK, "application/octet-stream", b)
	return nil
}

// formerLog is a folder of the log as it continued after a declared recovery.
var formerLog = regexp.MustCompile(`^recovery-[0-9]{1,10}$`)
