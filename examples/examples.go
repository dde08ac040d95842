// Package examples carries a complete package source, as a coordinator would
// write it: an advisory on a fictional product with its choices, rules,
// indicators and a harmless probe. The demo issues it, the tests read it, and
// it is a good start for a source of one's own.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed advisory
var files embed.FS

// Advisory is the folder examples/advisory.
func Advisory() fs.FS {
	sub, err := fs.Sub(files, "advisory")
	if err != nil {
		panic(err) // the name is embedded above
	}
	return sub
}
