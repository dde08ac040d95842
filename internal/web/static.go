package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// asset is a file that is served as it is.
type asset struct {
	data       []byte
	kind, etag string
}

func newAsset(b []byte, kind string) asset {
	sum := sha256.Sum256(b)
	return asset{b, kind, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

var assets = func() map[string]asset {
	out := map[string]asset{}
	list, err := staticFiles.ReadDir("static")
	if err != nil {
		panic(err)
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for _, f := range list {
		b, err := staticFiles.ReadFile("static/" + f.Name())
		if err != nil {
			panic(err)
		}
		out[f.Name()] = newAsset(b, kinds[path.Ext(f.Name())])
	}
	return out
}()

// static serves the style sheet and the script. Pages name them with their hash,
// so a browser may keep them for ever.
func static(v *Visit) error {
	a, ok := assets[v.PathValue("name")]
	if !ok {
		return errNoPage
	}
	h := v.w.Header()
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if v.Header.Get("If-None-Match") == a.etag {
		v.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	v.send(http.StatusOK, a.kind, a.data)
	return nil
}

// templates is every page's template, parsed with the frame and the parts, by
// the file's name without its ending.
var templates = func() map[string]*template.Template {
	funcs := template.FuncMap{
		"asset":     func(name string) string { return "/static/" + name + "?" + strings.Trim(assets[name].etag, `"`) },
		"capital":   capital,
		"printable": func(s string) string { return sighting.Printable([]byte(s)) },
		"plain":     plain,
		"slug":      func(s string) string { return "s-" + strings.ReplaceAll(s, " ", "-") },
		"count":     count,
		"bytes":     size,
		"words":     words,
		"decision":  decisionPath,
		"go":        decisionWord,
		"reach":     reach,
		"int":       func(n uint8) int { return int(n) },
		"short":     func(id cvd.WaveID) string { return id.Short() },
		"utc":       func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	}
	base := template.Must(template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
	list, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err)
	}
	out := map[string]*template.Template{}
	for _, f := range list {
		if name := strings.TrimSuffix(f.Name(), ".html"); name != "frame" && name != "parts" {
			out[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, "templates/"+f.Name()))
		}
	}
	return out
}()
